/**
 * A shop's database with a ledger of its own, people who write to it as fast as told, and the comparison of what the log has with both. For tests of change data capture.
 *
 * Every row counts its changes in the column `version`, and a trigger notes each change in `ledger`, in the same transaction: so what a crash of the server undid is in neither,
 * and what the log must hold is known change by change, without asking the code under test.
 */
import { expect } from 'vitest'
import { connect, type Sql } from '../../db/postgres/connect.ts'
import { type ChangeRow, changeTopic, readChange } from '../../streams/contract/cdc.ts'
import { CDC_TABLES } from '../../streams/contract/topics.ts'
import type { EventLog } from '../../streams/log/event-log.ts'
import { prepareShop } from '../../streams/sources/shop/tables.ts'
import { createRandom, type Random } from '../../streams/testing/random.ts'

const LEDGER = `
CREATE TABLE ledger (nth bigint GENERATED ALWAYS AS IDENTITY, relation text, id bigint, op text, version bigint);
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  INSERT INTO ledger (relation, id, op, version)
  VALUES (TG_TABLE_NAME, coalesce(NEW.id, OLD.id), lower(left(TG_OP, 1)), coalesce(NEW.version, OLD.version));
  RETURN NULL;
END $$;
${CDC_TABLES.map(
  (table) => `ALTER TABLE ${table} ADD COLUMN version bigint NOT NULL DEFAULT 1;
CREATE TRIGGER note AFTER INSERT OR UPDATE OR DELETE ON ${table} FOR EACH ROW EXECUTE FUNCTION note();`,
).join('\n')}`

export async function makeShop(url: string): Promise<void> {
  const { sql, close } = connect(url, { max: 1 })
  try {
    await prepareShop(sql, 'TRY')
    await sql.unsafe(LEDGER).simple()
    await sql`INSERT INTO orders (user_id, status, total, currency) SELECT 'user-' || n, 'placed', n, 'TRY' FROM generate_series(1, 300) AS n`
    await sql`INSERT INTO order_items (order_id, product_id, quantity, price) SELECT n, 1 + n % 50, 1, n FROM generate_series(1, 300) AS n`
  } finally {
    await close()
  }
}

export interface Writers {
  /** @returns when none is under way */
  stop(): Promise<void>
}

const WRITERS = 4

/** As many row changes a second as told where the machine can, in transactions of up to twenty; a tenth of them is rolled back besides. A server that is away is waited for. */
export function startWriting(url: string, changesPerSecond: number, seed = 1): Writers {
  const database = connect(url, { max: WRITERS })
  const startMs = performance.now()
  let changes = 0
  let isStopped = false
  let closed: Promise<void> | undefined
  const writing = Array.from({ length: WRITERS }, async (_, writer) => {
    const random = createRandom(seed * 100 + writer)
    while (!isStopped) {
      const behindMs = (changes / changesPerSecond) * 1_000 - (performance.now() - startMs)
      if (behindMs > 0) await new Promise((resolve) => setTimeout(resolve, behindMs))
      try {
        changes += await write(database.sql, random, writer)
      } catch (error) {
        if (!(error instanceof RolledBack)) await new Promise((resolve) => setTimeout(resolve, 50))
      }
    }
  })
  return {
    async stop() {
      isStopped = true
      await Promise.all(writing)
      closed ??= database.close()
      await closed
    },
  }
}

class RolledBack extends Error {}

/**
 * Some rows are changed again and again, so that their order matters; each writer has its own, so that they need not wait for each other.
 * @returns how many row changes were committed
 */
async function write(sql: Sql, random: Random, writer: number): Promise<number> {
  const some = (count: number, below: number) =>
    JSON.stringify(
      [...new Set(Array.from({ length: count }, () => 1 + writer + WRITERS * random.int(below / WRITERS)))].sort(
        (a, b) => a - b,
      ),
    )
  return sql.begin(async (tx) => {
    const done = [
      await tx`INSERT INTO orders (user_id, status, total, currency) SELECT 'user-' || n, 'placed', n, 'TRY' FROM generate_series(1, 3) AS n`,
      await tx`INSERT INTO order_items (order_id, product_id, quantity, price)
        SELECT max(id), 1 + ${random.int(50)}::int, 1, 10 FROM orders`,
      await tx`UPDATE products SET stock = stock + 1, price = price + 0.01, version = version + 1
        WHERE id IN (SELECT id FROM products WHERE id IN (SELECT json_array_elements_text(${some(8, 56)}::text::json)::int8) ORDER BY id FOR UPDATE)`,
      await tx`UPDATE orders SET status = 'paid', version = version + 1
        WHERE id IN (SELECT id FROM orders WHERE id IN (SELECT json_array_elements_text(${some(6, 300)}::text::json)::int8) ORDER BY id FOR UPDATE)`,
      // The youngest go, with their items, so that the first three hundred stay and are changed often.
      await tx`DELETE FROM orders WHERE id IN (SELECT id FROM orders WHERE id > 300 ORDER BY id LIMIT 2 FOR UPDATE SKIP LOCKED)`,
    ]
    if (random.int(10) === 0) throw new RolledBack()
    return done.reduce((sum, { count }) => sum + count, 0)
  })
}

interface Row {
  /** What the log says of the row since it was last told that all are gone: `r3`, `c1`, `u4`, `d`. */
  told: string[]
  row: ChangeRow | null
}

/** What the topic holds, key by key. A tombstone that does not follow its delete is an error. */
async function fold(log: EventLog, topic: string): Promise<Map<string, Row>> {
  const rows = new Map<string, Row>()
  for (let partition = 0; partition < (await log.partitionCount(topic)); partition++) {
    const here = new Map<string, Row>()
    for (let offset = (await log.bounds({ topic, partition })).earliest; ; ) {
      const records = await log.read({ topic, partition }, offset, 2_000)
      if (records.length === 0) break
      for (const record of records) {
        const read = readChange(record)
        if (read.kind === 'truncate') {
          here.clear()
          continue
        }
        const known = here.get(record.key!) ?? { told: [], row: null }
        here.set(record.key!, known)
        if (read.kind === 'tombstone') expect(known.told.at(-1), `before the tombstone of ${record.key}`).toBe('d')
        else if (read.change.op === 'd') Object.assign(known, { told: [...known.told, 'd'], row: null })
        else {
          known.told.push(`${read.change.op}${read.change.after!.version}`)
          known.row = read.change.after
        }
      }
      offset = records.at(-1)!.offset + 1
    }
    for (const [key, row] of here) rows.set(key, row)
  }
  return rows
}

/** Rows of a table as the log should have them, by key. */
async function sourceRows(sql: Sql, table: string): Promise<Map<string, ChangeRow>> {
  const times = table === 'public.order_items' ? '' : ', updated_at'
  const rows = await sql.unsafe<{ row: string }[]>(
    `SELECT (to_jsonb(t) || jsonb_strip_nulls(jsonb_build_object('price', to_jsonb(t) ->> 'price', 'total', to_jsonb(t) ->> 'total')))::text AS row${times} FROM ${table} AS t`,
  )
  return new Map(
    rows.map(({ row }) => {
      const parsed = JSON.parse(row) as ChangeRow
      const zulu = Object.fromEntries(
        Object.entries(parsed).map(([name, value]) => [
          name,
          typeof value === 'string' && name.endsWith('_at') ? value.replace(/\+00:00$/, 'Z') : value,
        ]),
      )
      return [`{"id":${parsed.id}}`, zulu]
    }),
  )
}

/** Whether the log has come to the database's present state. Only while nobody writes. */
export async function hasCaughtUp(url: string, slot = 'streamforge'): Promise<boolean> {
  const { sql, close } = connect(url, { max: 1 })
  try {
    const [row] = await sql<{ done: boolean }[]>`
      SELECT confirmed_flush_lsn >= (SELECT pg_current_wal_lsn()) AS done FROM pg_replication_slots WHERE slot_name = ${slot}`
    return row?.done ?? false
  } catch {
    return false
  } finally {
    await close()
  }
}

/** @returns how many changes the log holds @throws where it does not hold each once, in order per key, or its rows are not those of the database */
export async function expectEqual(url: string, log: EventLog): Promise<number> {
  const { sql, close } = connect(url, { max: 1 })
  let changes = 0
  try {
    for (const table of CDC_TABLES) {
      const [found, source] = [await fold(log, changeTopic(table)), await sourceRows(sql, table)]
      const live = new Map([...found].filter(([, { row }]) => row !== null).map(([key, { row }]) => [key, row!]))
      expect(differing(live, source), `rows of ${table}`).toEqual([])
      const noted = await sql<{ id: number; told: string }[]>`
        SELECT id, string_agg(CASE op WHEN 'i' THEN 'c' || version WHEN 'u' THEN 'u' || version ELSE 'd' END, ' ' ORDER BY nth) AS told
        FROM ledger WHERE relation = ${table.slice('public.'.length)} GROUP BY id`
      const ledger = new Map(noted.map(({ id, told }) => [`{"id":${id}}`, told.split(' ')]))
      const wrong: string[] = []
      for (const key of new Set([...ledger.keys(), ...found.keys()])) {
        const told = found.get(key)?.told ?? []
        const expected = behindSnapshot(ledger.get(key) ?? [], told[0])
        if (told.join(' ') !== expected.join(' '))
          wrong.push(`${table} ${key}: ${told.join(' ')} instead of ${expected.join(' ')}`)
        changes += told.length
      }
      expect(wrong.slice(0, 5), `changes of ${table}, ${wrong.length} keys`).toEqual([])
    }
    return changes
  } finally {
    await close()
  }
}

/** Which of the noted changes the log must have, where it begins with what a snapshot read; a row that is not in the snapshot and was gone by then is in neither. */
function behindSnapshot(noted: readonly string[], first: string | undefined): string[] {
  if (first === undefined) return noted.at(-1) === 'd' ? [] : [...noted]
  if (!first.startsWith('r')) return [...noted]
  const at = noted.findIndex((entry) => entry === `c${first.slice(1)}` || entry === `u${first.slice(1)}`)
  return [first, ...noted.slice(at + 1)]
}

function differing(found: ReadonlyMap<string, ChangeRow>, source: ReadonlyMap<string, ChangeRow>): string[] {
  const text = (row: ChangeRow | undefined) =>
    row === undefined
      ? 'no row'
      : JSON.stringify(Object.fromEntries(Object.entries(row).sort(([a], [b]) => a.localeCompare(b))))
  return [...new Set([...found.keys(), ...source.keys()])]
    .filter((key) => text(found.get(key)) !== text(source.get(key)))
    .map((key) => `${key}: ${text(found.get(key))} instead of ${text(source.get(key))}`)
    .slice(0, 5)
}
