/** `streamforge warehouse`: the star schema where analysts work, now, and how far it is there: copied into the database that WAREHOUSE_URL names, registered with the BigQuery that BIGQUERY_DATASET names. */
import { createDuckdbEngine } from '../../db/lake/index.ts'
import { connect } from '../../db/postgres/connect.ts'
import { bigQueryStatus, type Registration, registerStarSchema } from '../../db/warehouse/bigquery/register.ts'
import { type BigQuerySettings, bigQuerySettings } from '../../db/warehouse/bigquery/settings.ts'
import { workloadToken } from '../../db/warehouse/bigquery/workload-token.ts'
import { publishStarSchema, type WarehouseTable, warehouseStatus } from '../../db/warehouse/publish.ts'
import type { Published } from '../../db/warehouse/publish-table.ts'
import { type WarehouseSettings, warehouseSettings } from '../../db/warehouse/warehouse.ts'
import { toIso } from '../../streams/contract/time-text.ts'
import { CommandFailed, type CommandIo, defineCommand, parseArguments, UsageError } from '../command.ts'
import { ago, humanCount } from '../human.ts'
import { LAKE_OPTIONS, LAKE_USAGE, type OpenedLake, withLake } from '../lake.ts'
import { textTable } from '../text-table.ts'

export const warehouse = defineCommand({
  name: 'warehouse',
  usage: `streamforge warehouse publish       copies what has changed of the star schema into the database that WAREHOUSE_URL names, and tells the BigQuery that BIGQUERY_DATASET names of it
streamforge warehouse status        its tables there, and whether they are as the lake has them

Tables are made in the schema WAREHOUSE_SCHEMA, or in the dataset. A worker with the same settings does so by itself: it copies when days were built, and registers when a table was committed to.

  --json            for programs; ids are texts, since they may have 19 digits
${LAKE_USAGE}`,
  async run([verb, ...args], io) {
    if (verb !== 'publish' && verb !== 'status') throw new UsageError('warehouse takes "publish" or "status".')
    const { values, positionals } = parseArguments(args, { json: { type: 'boolean', default: false }, ...LAKE_OPTIONS })
    if (positionals.length > 0) throw new UsageError(`warehouse ${verb} takes options only, not "${positionals[0]}".`)
    return withLake(values, io, async (opened) => {
      const places = [
        copyTo(warehouseSettings(opened.config), opened, io),
        registrationWith(bigQuerySettings(opened.config), opened, io),
      ].filter((place) => place !== null)
      if (places.length === 0)
        throw new CommandFailed(
          'No warehouse is named. Set WAREHOUSE_URL, e.g. WAREHOUSE_URL=postgres://streamforge:password@warehouse.example:5432/analytics, or BIGQUERY_DATASET and BIGQUERY_CONNECTION.',
        )
      return tell(places, verb, { io, json: values.json })
    })
  },
})

/** What a verb tells of one warehouse. */
interface Told {
  /** Of tables, for programs. */
  rows: Record<string, unknown>[]
  /** For people. */
  text: string
  isAsTheLake: boolean
}

type Place = { readonly [Verb in 'publish' | 'status']: () => Promise<Told> }

interface Telling {
  io: CommandIo
  json: boolean
}

/** One that fails does not keep the other from its turn. */
async function tell(places: readonly Place[], verb: keyof Place, { io, json }: Telling): Promise<number> {
  const told: Told[] = []
  const failed: unknown[] = []
  for (const place of places)
    await place[verb]().then(
      (each) => told.push(each),
      (error) => failed.push(error),
    )
  if (json && failed.length === 0) io.out(`${JSON.stringify(told.flatMap(({ rows }) => rows))}\n`)
  if (!json) io.out(told.map(({ text }) => text).join('\n'))
  if (failed.length > 0) throw failed[0]
  return told.every(({ isAsTheLake }) => isAsTheLake) ? 0 : 1
}

const NO_TABLES = 'The lake has no star schema yet: the daily aggregation makes it.\n'

function registrationWith(
  settings: BigQuerySettings | null,
  { lake }: OpenedLake,
  { clock, signal, isTty, err }: CommandIo,
): Place | null {
  if (settings === null) return null
  const token = workloadToken(settings.metadataHost)
  const options = { lake, token, clock, signal, onTable: (table: string) => isTty && err(`${table}\n`) }
  const asTold = (tables: readonly Registration[], isDone: boolean): Told => {
    const stateOf = ({ was }: Registration) =>
      isDone && was === 'not registered' ? 'created' : isDone && was === 'behind' ? 'updated' : was
    return {
      rows: tables.map((each) => ({
        warehouse: 'bigquery',
        table: each.table,
        state: stateOf(each),
        metadata: each.metadata,
        lake_metadata: each.inLake,
      })),
      text:
        tables.length === 0
          ? NO_TABLES
          : textTable(
              ['TABLE', `BIGQUERY ${settings.project}.${settings.dataset}`],
              tables.map((each) => [each.table, stateOf(each)]),
            ),
      isAsTheLake: isDone || tables.every(({ was }) => was !== 'behind' && was !== 'not registered'),
    }
  }
  return {
    publish: async () => asTold(await registerStarSchema(settings, options), true),
    status: async () => asTold(await bigQueryStatus(settings, options), false),
  }
}

function copyTo(settings: WarehouseSettings | null, opened: OpenedLake, io: CommandIo): Place | null {
  return (
    settings && {
      publish: () => named(settings, () => publish(settings, opened, io)),
      status: () => named(settings, () => status(settings, opened, io)),
    }
  )
}

async function publish(settings: WarehouseSettings, opened: OpenedLake, io: CommandIo): Promise<Told> {
  const { lake, databaseUrl } = opened
  const engine = createDuckdbEngine(lake, { memoryMb: opened.config.workerMemoryMb })
  const database = connect(databaseUrl, { max: 1, name: 'streamforge-warehouse-publish' })
  let tables: Published[]
  try {
    tables = await publishStarSchema(settings, {
      lake,
      engine,
      sql: database.sql,
      signal: io.signal,
      onTable: (table) => io.isTty && io.err(`${table}\n`),
    })
  } finally {
    await database.close()
  }
  return {
    rows: tables.map(({ table, snapshotId, rows, waiting }) => ({ table, snapshot_id: snapshotId, rows, waiting })),
    text:
      tables.length === 0
        ? NO_TABLES
        : textTable(
            ['TABLE', 'ROWS', 'WAITING DAYS'],
            tables.map(({ table, rows, waiting }) => [
              table,
              rows === null ? 'there already' : humanCount(rows),
              waiting.join(' ') || '-',
            ]),
            [1],
          ),
    isAsTheLake: true,
  }
}

async function status(settings: WarehouseSettings, { lake }: OpenedLake, io: CommandIo): Promise<Told> {
  const tables = await warehouseStatus(settings, lake)
  return {
    rows: tables.map(forPrograms),
    text:
      tables.length === 0
        ? NO_TABLES
        : textTable(
            ['TABLE', 'STATE', 'PUBLISHED', 'WAITING DAYS'],
            tables.map(({ table, state, publishedMs, waiting }) => [
              table,
              state,
              publishedMs === null ? 'never' : ago(publishedMs, io.clock.now()),
              waiting.join(' ') || '-',
            ]),
          ),
    isAsTheLake: tables.every(({ state }) => state === 'current'),
  }
}

const forPrograms = (table: WarehouseTable) => ({
  table: table.table,
  state: table.state,
  snapshot_id: table.snapshotId,
  published_snapshot_id: table.publishedSnapshotId,
  published_at: table.publishedMs === null ? null : toIso(table.publishedMs),
  waiting: table.waiting,
})

/** The warehouse is not the platform's database, whose errors are told otherwise. */
async function named<T>({ url }: WarehouseSettings, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    const { name, message, code } = error as Error & { code?: unknown }
    if (name !== 'PostgresError' && typeof code !== 'string') throw error
    const { hostname, port } = new URL(url)
    throw new CommandFailed(
      `The warehouse at ${hostname}:${port || 5432} (WAREHOUSE_URL) can't be used: ${message || String(code)}.`,
      { cause: error },
    )
  }
}
