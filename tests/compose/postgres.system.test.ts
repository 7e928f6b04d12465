/**
 * PostgreSQL of the compose file on a real one: its settings are taken, its users are made by the very script, and have after migration and grants what they need and no more. What Superset
 * imports asks this database, as the user that it will be.
 */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { parse } from 'yaml'
import { migrate } from '../../cli/commands/migrate.ts'
import { haveProgram } from '../../cli/servers/debian.ts'
import { run } from '../../cli/servers/run.ts'
import { onceOrSkip } from '../../cli/servers/testing/once-or-skip.ts'
import { runCommand } from '../../cli/testing/run-command.ts'
import { loadConfig } from '../../db/config.ts'
import { connect } from '../../db/postgres/connect.ts'
import { withPostgres } from '../../db/testing/postgres.ts'
import { createLogger } from '../../observability/log.ts'
import { createRegistry } from '../../observability/metrics.ts'
import { cdcSettings } from '../../streams/sources/cdc/settings.ts'
import { startCdc } from '../../streams/sources/cdc/start.ts'
import { prepareShop } from '../../streams/sources/shop/tables.ts'
import { withCompose } from '../support/compose.ts'
import { eventually } from '../support/eventually.ts'
import { ROOT } from '../support/processes.ts'

const composed = withCompose()
const postgres = withPostgres()
const READER = 'streamforge_reader'
const FOLDER = join(ROOT, 'deploy/compose')
/** What nobody but the platform itself may see. */
const CLOSED = [
  'alert_changes',
  'alert_review_notes',
  'alert_reviews',
  'audit_log',
  'batch_days',
  'cdc_order_items',
  'cdc_orders',
  'cdc_positions',
  'cdc_products',
  'checkpoints',
  'erasures',
  'imports',
  'login_links',
  'order_status_changes',
  'outbox',
  'pipeline_mirror',
  'price_changes',
  'quality_results',
  'reconciliation_differences',
  'platform',
  'refresh_tokens',
  'replays',
  'stock_changes',
  'tasks',
  'users',
  'write_keys',
]

onceOrSkip(
  () =>
    haveProgram({
      program: 'psql',
      package: 'postgresql-client',
      remedy:
        'The scripts of PostgreSQL run by psql, which is not on the PATH. On Debian and Ubuntu: apt-get install postgresql-client.',
    }),
  300_000,
)

const urlOf = (user: string, database: string): string => {
  const { host, port } = postgres.server
  const variable = user === READER ? 'READER' : user.toUpperCase()
  return `postgres://${user}:${composed.env[`${variable}_DATABASE_PASSWORD`] ?? composed.env.POSTGRES_PASSWORD}@${host}:${port}/${database}`
}

async function asked<T = Record<string, unknown>>(user: string, database: string, statement: string): Promise<T[]> {
  const { sql, close } = connect(urlOf(user, database), { max: 1 })
  try {
    return [...(await sql.unsafe<T[]>(statement))]
  } finally {
    await close()
  }
}

/** As the image's entry point, or the job, runs it. */
async function psql(command: readonly string[], user: string, env: Record<string, string> = {}): Promise<void> {
  const { hostname, port, password } = new URL(urlOf(user, 'streamforge'))
  const settings = { PGHOST: hostname, PGPORT: port, PGPASSWORD: password, ...env }
  const [program = '', ...args] = command
  expect(await run(program, args, { env: settings })).toEqual({ code: 0, stdout: '', stderr: '' })
}

beforeAll(async () => {
  // The embedded server's own user and database have the names that the platform's have in the compose file.
  const { sql, close } = connect(postgres.server.url.replace(/\/[^/]*$/, '/postgres'), { max: 1 })
  await sql.unsafe(`CREATE ROLE maker SUPERUSER LOGIN PASSWORD 'maker'`)
  await close()
})

test('its settings are settings of PostgreSQL, and a slot for change data capture can be made', async () => {
  const settings = composed.services
    .postgres!.command!.slice(1)
    .map((text) => text.replace(/^-c/, '').split('=') as [string, string])
  const { sql, close } = connect(postgres.server.url, { max: 1 })
  for (const [name, value] of settings) await sql.unsafe(`ALTER SYSTEM SET ${name} = '${value}'`)
  await close()
  await postgres.restart()
  const after = connect(postgres.server.url, { max: 1 })
  const [wal] =
    await after.sql`SELECT current_setting('wal_level') AS level, current_setting('max_slot_wal_keep_size') AS kept`
  expect(wal).toEqual({ level: 'logical', kept: '2GB' })
  await after.sql`SELECT pg_create_logical_replication_slot('proof', 'pgoutput', true)`
  await after.close()
})

test('each program has its user, who can do what it needs and see nothing of the others', async () => {
  const { host, port } = postgres.server
  const maker = connect(`postgres://maker:maker@${host}:${port}/postgres`, { max: 1 })
  await maker.sql`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'streamforge'`
  await maker.sql.unsafe('ALTER DATABASE streamforge RENAME TO embedded')
  await maker.sql.unsafe('ALTER ROLE streamforge RENAME TO embedded')
  await maker.sql.unsafe(`CREATE ROLE postgres SUPERUSER LOGIN PASSWORD '${composed.env.POSTGRES_PASSWORD}'`)
  await maker.close()
  const environment = composed.services.postgres!.environment as Record<string, string>
  await psql(['sh', join(FOLDER, 'postgres/init/roles.sh')], 'postgres', environment)

  const migrated = await runCommand(migrate, [], { env: { DATABASE_URL: urlOf('streamforge', 'streamforge') } })
  expect(migrated).toMatchObject({ code: 0, err: '' })
  const { entrypoint, environment: settings } = composed.services.grants!
  const grants = entrypoint!.map((word) =>
    word
      .replace('/etc/streamforge/grants', `${FOLDER}/postgres/grants`)
      .replace('/etc/streamforge/reader', `${ROOT}/observability/grafana/reader`),
  )
  const { PGHOST: _, ...rest } = settings as Record<string, string>
  for (let i = 0; i < 2; i++) await psql(grants, 'postgres', rest)

  const tables = (
    await asked<{ name: string }>(
      'streamforge',
      'streamforge',
      "SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public' ORDER BY 1",
    )
  ).map(({ name }) => name)
  const open = (
    await asked<{ name: string }>(
      READER,
      'streamforge',
      "SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public' AND has_any_column_privilege(schemaname || '.' || tablename, 'SELECT') ORDER BY 1",
    )
  ).map(({ name }) => name)
  // A new table is in one list or the other: somebody has thought about it.
  expect([...open, ...CLOSED, 'iceberg_namespace_properties', 'iceberg_tables'].sort()).toEqual(tables)

  await expect(asked(READER, 'streamforge', 'SELECT * FROM users')).rejects.toThrow(/permission denied/)
  await expect(asked(READER, 'streamforge', 'CREATE TABLE mine (a int)')).rejects.toThrow(
    /read-only transaction|permission denied/,
  )
  await expect(asked(READER, 'streamforge', 'BEGIN READ WRITE; DELETE FROM fraud_alerts')).rejects.toThrow(
    /permission denied/,
  )
  await asked(
    'trino',
    'streamforge',
    "INSERT INTO iceberg_namespace_properties VALUES ('lake', 'proof', 'exists', 'true')",
  )
  await expect(asked('trino', 'streamforge', 'SELECT * FROM fraud_alerts')).rejects.toThrow(/permission denied/)
  await asked('temporal', 'temporal', 'CREATE TABLE proof (a int)')
  await asked('temporal', 'temporal_visibility', 'CREATE EXTENSION btree_gin')
  await asked('superset', 'superset', 'CREATE TABLE proof (a int)')
  for (const [user, database] of [
    ['temporal', 'streamforge'],
    ['superset', 'streamforge'],
    [READER, 'temporal'],
    ['trino', 'superset'],
    ['streamforge', 'temporal'],
    [READER, 'postgres'],
  ] as const)
    await expect(asked(user, database, 'SELECT 1'), `${user} in ${database}`).rejects.toThrow(
      /permission denied for database/,
    )
})

test('the demo shop has its owner, and one who may follow its tables and do nothing else', {
  timeout: 120_000,
}, async () => {
  const { entrypoint, environment } = composed.services['shop-database']!
  const command = entrypoint!.map((word) => word.replace('/etc/streamforge', `${FOLDER}/postgres`))
  const { PGHOST: _, ...settings } = environment as Record<string, string>
  // The tables come later than the rights, by the shop itself; another start changes nothing.
  await psql(command, 'postgres', settings)
  const shop = connect(urlOf('shop', 'shop'), { max: 1 })
  await prepareShop(shop.sql, 'TRY')
  await psql(command, 'postgres', settings)

  const config = loadConfig(composed.services.cdc!.environment as Record<string, string>)
  const told: string[] = []
  let isStreaming = false
  const source = await startCdc({
    stores: { dataDir: join(composed.folder, 'cdc'), kafka: null, redis: null },
    settings: cdcSettings(config, urlOf('cdc', 'shop')),
    version: '0',
    logger: createLogger({ level: 'silent', component: 'test' }),
    metrics: createRegistry({ labels: { component: 'cdc' } }),
    observer: {
      streaming: () => {
        isStreaming = true
      },
      appended: (counts) => void told.push(...counts.keys()),
      retrying: (error) => void told.push(error.message),
    },
  })
  try {
    await eventually('the tables are followed', 60_000, () => isStreaming || told.length > 0)
    await shop.sql`UPDATE products SET stock = 4711 WHERE id = 1`
    await eventually('the change is in the log', 60_000, () => told.length > 0)
    expect(told).toEqual(['cdc.public.products'])
  } finally {
    await source.stop()
    await shop.close()
  }
  for (const statement of [
    'UPDATE products SET stock = 0',
    'CREATE TABLE mine (a int)',
    'DROP PUBLICATION streamforge',
  ])
    await expect(asked('cdc', 'shop', statement), statement).rejects.toThrow(/permission denied|must be owner/)
  for (const [user, database] of [
    ['cdc', 'streamforge'],
    ['shop', 'streamforge'],
    ['streamforge', 'shop'],
    ['trino', 'shop'],
  ] as const)
    await expect(asked(user, database, 'SELECT 1'), `${user} in ${database}`).rejects.toThrow(
      /permission denied for database/,
    )
})

test("what Superset imports is whole, and its datasets have the columns that they say, as Superset's user sees them", async () => {
  const bundle = join(FOLDER, 'superset/bundle')
  const files = (await readdir(bundle, { recursive: true })).filter((name) => name.endsWith('.yaml'))
  const read = async (folder: string) =>
    Promise.all(
      files
        .filter((name) => name.startsWith(folder))
        .map(async (name) => parse(await readFile(join(bundle, name), 'utf8'))),
    )
  const [[database], datasets, charts, [dashboard]] = await Promise.all([
    read('databases'),
    read('datasets'),
    read('charts'),
    read('dashboards'),
  ])
  // The password comes at the import.
  expect(database.sqlalchemy_uri).toBe('postgresql+psycopg2://streamforge_reader:XXXXXXXXXX@postgres:5432/streamforge')
  for (const { table_name, database_uuid, sql, columns, metrics, main_dttm_col } of datasets) {
    expect(database_uuid, table_name).toBe(database.uuid)
    const names = columns.map((column: { column_name: string }) => column.column_name)
    expect(names).toContain(main_dttm_col)
    const measures = metrics.map(
      ({ expression, metric_name }: Record<string, string>) => `${expression} AS "${metric_name} measured"`,
    )
    await asked(
      READER,
      'streamforge',
      `SELECT ${[...names, ...measures].join(', ')} FROM (${sql}) AS dataset GROUP BY ${names.join(', ')}`,
    )
  }
  for (const { slice_name, dataset_uuid, params } of charts) {
    const dataset = datasets.find(({ uuid }) => uuid === dataset_uuid)
    const known = [
      ...dataset.columns.map((each: { column_name: string }) => each.column_name),
      ...dataset.metrics.map((each: { metric_name: string }) => each.metric_name),
    ]
    const named = [
      params.x_axis,
      params.metric,
      ...(params.metrics ?? []),
      ...(params.metrics_b ?? []),
      ...(params.groupby ?? []),
      ...(params.all_columns ?? []),
    ]
    expect(known, slice_name).toEqual(expect.arrayContaining(named.filter((name) => name !== undefined)))
  }
  const placed = Object.values<{ type?: string; meta?: { uuid: string } }>(dashboard.position).filter(
    ({ type }) => type === 'CHART',
  )
  expect(placed.map(({ meta }) => meta!.uuid).sort()).toEqual(charts.map(({ uuid }) => uuid).sort())
})
