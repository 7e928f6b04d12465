import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { generateDrizzleJson, generateMigration } from 'drizzle-kit/api'
import { getTableColumns } from 'drizzle-orm'
import { describe, expect, it, onTestFinished } from 'vitest'
import { RESULT_KEYS, RESULT_TABLES } from '../../streams/contract/results.ts'
import { withPostgres } from '../testing/postgres.ts'
import * as batch from './batch-schema.ts'
import * as cdc from './cdc-schema.ts'
import { connect } from './connect.ts'
import * as edge from './edge-schema.ts'
import { MIGRATIONS_FOLDER, migrate, migrationJournal } from './migrate.ts'
import * as rollups from './rollup-schema.ts'
import * as schema from './schema.ts'

const postgres = withPostgres()

describe('migrate', () => {
  it('brings several processes at once to the same schema, and does nothing the next time', async () => {
    const url = await postgres.emptyDatabase()
    const applied = await Promise.all([migrate(url), migrate(url), migrate(url)])
    expect(applied.sort()).toEqual([0, 0, (await migrationJournal()).length])
    expect(await migrate(url)).toBe(0)
  })

  it('refuses a database of a newer version', async () => {
    const { sql, url } = await postgres.database()
    await sql`INSERT INTO drizzle.__drizzle_migrations (hash, created_at) VALUES ('of the future', 9999999999999)`
    await expect(migrate(url)).rejects.toThrow(/newer version of StreamForge/)
  })

  it('says so when a migration was skipped', async () => {
    const { sql, url } = await postgres.database()
    // As if the first one had been added later with an older `when`.
    await sql`DELETE FROM drizzle.__drizzle_migrations WHERE id = (SELECT min(id) FROM drizzle.__drizzle_migrations)`
    await expect(migrate(url)).rejects.toThrow(/0000_initial.*"when"/)
  })

  it('makes the tables of the schema: columns, nullability and primary keys of every result table', async () => {
    const { sql } = await postgres.database()
    for (const table of RESULT_TABLES) {
      const columns = await sql<{ name: string; type: string; required: boolean }[]>`
        SELECT attname AS name, format_type(atttypid, atttypmod) AS type, attnotnull AS required
        FROM pg_attribute WHERE attrelid = ${table}::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attname`
      const declared = Object.values(getTableColumns(schema.RESULT_SCHEMA[table]))
        .map((column) => ({ name: column.name, type: column.getSQLType(), required: column.notNull }))
        .sort((a, b) => (a.name < b.name ? -1 : 1))
      expect(columns.map((column) => ({ ...column }))).toEqual(declared)
      const key = await sql<{ name: string }[]>`
        SELECT attname AS name FROM pg_index, unnest(indkey) WITH ORDINALITY AS k (num, place)
        JOIN pg_attribute ON attrelid = ${table}::regclass AND attnum = k.num
        WHERE indrelid = ${table}::regclass AND indisprimary ORDER BY k.place`
      expect(key.map(({ name }) => name)).toEqual(RESULT_KEYS[table])
    }
  })

  it('leaves room in the pages of tables that are updated often', async () => {
    const { sql } = await postgres.database()
    const [sessions] = await sql`SELECT reloptions::text AS options FROM pg_class WHERE oid = 'sessions'::regclass`
    expect(sessions?.options).toContain('fillfactor=70')
  })

  it('has no change in the schemas that is not in a migration', async () => {
    const last = (await migrationJournal()).length - 1
    const path = join(MIGRATIONS_FOLDER, 'meta', `${String(last).padStart(4, '0')}_snapshot.json`)
    const snapshot = JSON.parse(await readFile(path, 'utf8'))
    expect(
      await generateMigration(
        snapshot,
        generateDrizzleJson({ ...schema, ...batch, ...cdc, ...edge, ...rollups }, snapshot.id),
      ),
    ).toEqual([])
  })
})

describe('connect', () => {
  it('gives times as epoch milliseconds and bigint as number, by sql and by drizzle', async () => {
    const { url } = await postgres.database()
    const { sql, db, close } = connect(url, { max: 1, name: 'a test' })
    onTestFinished(close)
    const at = 1_768_471_200_123
    expect([
      ...(await sql`SELECT to_timestamp(${at}::float8 / 1000) AS at, 'infinity'::timestamptz AS never, ${2 ** 53 - 1}::bigint AS n,
        current_setting('application_name') AS name`),
    ]).toEqual([{ at, never: Number.POSITIVE_INFINITY, n: 2 ** 53 - 1, name: 'a test' }])
    const row = {
      session_id: 's',
      user_id: 'u',
      started_at: at,
      ended_at: at,
      events: 1,
      page_views: 0,
      product_views: 0,
    }
    const rest = {
      carts: 0,
      checkouts: 0,
      purchases: 0,
      revenue_minor: { TRY: 5 },
      funnel_stage: 'visit' as const,
      entry_page: null,
    }
    const session = { ...row, ...rest, exit_page: null, final: false, merged_into: null, partition: 0, position: 0 }
    await db.insert(schema.sessions).values(session)
    expect(await db.select().from(schema.sessions)).toEqual([session])
    expect([...(await sql`SELECT * FROM sessions`)]).toEqual([session])
  })
})
