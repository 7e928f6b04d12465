/**
 * The port by which models are built, with two forms: DuckDB in this process (`duckdb.ts`) and Trino in the cluster (`trino.ts`). Both give the same rows.
 *
 * Invariants: a build replaces its scope (the day's partition, or the whole table) in one commit or leaves the table as it was; building again gives the same rows, as long as the inputs are
 * the same; the result names the snapshots that were read.
 */
import { readFile } from 'node:fs/promises'
import { RAW_TABLES } from '../../streams/contract/lake-tables.ts'
import { CLICKSTREAM, TRIPS } from '../../streams/contract/topics.ts'
import {
  type Column,
  CommitConflict,
  CommitRefused,
  ensureTable,
  knownBounds,
  type Lake,
  type Long,
  loadTable,
  NoSuchTable,
  type Predicate,
  planScan,
  type Table,
  tableName,
} from '../lake/index.ts'
import { DAY, type Model, modelNamed, NAMESPACE, RAW_COLUMNS } from './models.ts'
import { dayMicros, dayNumber, type Input, inputsOf } from './render.ts'

/** By `namespace.table`: the snapshot to read, null for a table without rows or that is not there. */
export type Pins = Readonly<Record<string, string | null>>

export interface BuildOptions {
  /** UTC, `2026-11-20`. Of models of the scope `whole`: not needed. */
  day?: string
  /** Snapshots to read, where it matters that several builds read the same. Others are read as they are. */
  pins?: Pins
  /** For the commit's summary: what run of which workflow it was. */
  runId?: string
  signal?: AbortSignal
  onProgress?: (step: string) => void
}

export interface Built {
  model: string
  day: string | null
  rows: number
  files: number
  /** Of the model's table; null: it has no rows yet. */
  snapshotId: string | null
  /** What was read. */
  inputs: Pins
  seconds: number
}

export interface ModelEngine {
  readonly name: 'duckdb' | 'trino'
  /** @throws CommitRefused or CommitConflict when others changed the scope again and again; what the signal was aborted with; Error in a sentence */
  build(model: Model, options?: BuildOptions): Promise<Built>
}

/** What the day was begun with can't be read any more; it is to be begun anew. */
export class SnapshotGone extends Error {
  override readonly name = 'SnapshotGone'
}

/** An input with its table as it is now and the snapshot that is read of it. */
export interface PinnedInput extends Input {
  /** null: there is none, which is one without rows. */
  loaded: Table | null
  snapshotId: Long | null
  columns: readonly Column[]
}

export async function readSql({ layer, name, shared }: Model): Promise<string> {
  const sql = await readFile(new URL(`./${layer}/${shared?.file ?? name}.sql`, import.meta.url), 'utf8')
  return shared ? sql.replaceAll('$source', shared.source).replaceAll('$identity', shared.identity) : sql
}

export const tableOf = (model: Model) => tableName(`${NAMESPACE}.${model.name}`)

const PROPERTIES = {
  // What a person asks of yesterday's build is in the snapshots; old metadata files are of no use.
  'write.metadata.delete-after-commit.enabled': 'true',
  'write.metadata.previous-versions-max': '20',
}

export const ensureModelTable = (lake: Lake, model: Model): Promise<Table> =>
  ensureTable(lake, tableOf(model), {
    columns: model.columns,
    partitionedBy: model.scope === 'day' ? [{ column: DAY.name, transform: 'identity' }] : [],
    properties: PROPERTIES,
  })

/** @throws Error when a model of the scope `day` is given none */
export function dayOf(model: Model, { day }: BuildOptions): string | null {
  if (model.scope === 'whole') return null
  if (day === undefined) throw new Error(`The model ${model.name} is built by day: say which, e.g. 2026-11-20.`)
  dayNumber(day)
  return day
}

/** Every table of the inputs once, at one snapshot. */
export async function pinInputs(lake: Lake, sql: string, pins: Pins = {}): Promise<PinnedInput[]> {
  const tables = new Map<string, Table | null>()
  const pinned: PinnedInput[] = []
  for (const input of inputsOf(sql)) {
    const { table } = input
    if (!tables.has(table))
      tables.set(
        table,
        await loadTable(lake, tableName(table)).catch((error) => {
          if (error instanceof NoSuchTable) return null
          throw error
        }),
      )
    const loaded = tables.get(table)!
    const pin = pins[table]
    const current = loaded?.metadata['current-snapshot-id'] ?? null
    const snapshotId =
      pin === undefined ? (current === -1 ? null : current) : pin === null ? null : snapshotOf(loaded, table, pin)
    pinned.push({ ...input, loaded: snapshotId === null ? null : loaded, snapshotId, columns: columnsOf(table) })
  }
  return pinned
}

function snapshotOf(loaded: Table | null, table: string, pin: string): Long {
  const found = loaded?.metadata.snapshots.find((each) => String(each['snapshot-id']) === pin)
  if (!found)
    throw new SnapshotGone(
      `The snapshot ${pin} of ${table}, with which the day was begun, is gone: it has expired. Start the day anew, and keep snapshots longer than a day's build takes.`,
    )
  return found['snapshot-id']
}

function columnsOf(table: string): readonly Column[] {
  return RAW_COLUMNS.get(table) ?? modelNamed(table.slice(NAMESPACE.length + 1)).columns
}

export const pinsOf = (inputs: readonly PinnedInput[]): Pins =>
  Object.fromEntries(inputs.map(({ table, snapshotId }) => [table, snapshotId === null ? null : String(snapshotId)]))

/** Raw tables of which one column is the identity; an order's is made of two. */
const IDENTITY: ReadonlyMap<string, string> = new Map([
  [RAW_TABLES[CLICKSTREAM].name, 'event_id'],
  [RAW_TABLES[TRIPS].name, 'trip_id'],
])

/**
 * Conditions of the rows of an input; one of several sets that no row meets two of.
 *
 * Of other days only identities within the bounds of the day's can be copies. Where ids follow time (ULIDs, sequences) that leaves out nearly all of history by the manifests; with random ones nothing.
 */
export async function conditionsOf(lake: Lake, input: PinnedInput, day: string | null): Promise<Predicate[][]> {
  const { table, rows } = input
  if (rows === 'all' || day === null) return [[]]
  if (!RAW_COLUMNS.has(table)) return [[{ column: DAY.name, op: '=', value: dayNumber(day) }]]
  const { from, to } = dayMicros(day)
  const column = 'event_time'
  const ofDay: Predicate[] = [
    { column, op: '>=', value: from },
    { column, op: '<', value: to },
  ]
  if (rows === 'day') return [ofDay]
  const bounds = await identityBounds(lake, input, ofDay)
  return [
    [{ column, op: '<', value: from }, ...bounds],
    [{ column, op: '>=', value: to }, ...bounds],
  ]
}

async function identityBounds(lake: Lake, { table, loaded, snapshotId }: PinnedInput, where: readonly Predicate[]) {
  const column = IDENTITY.get(table)
  if (column === undefined || loaded === null || snapshotId === null) return []
  const { lower, upper } = knownBounds(await planScan(lake, loaded.metadata, { snapshotId, where }), column)
  const bounds: Predicate[] = []
  if (lower !== undefined) bounds.push({ column, op: '>=', value: lower })
  if (upper !== undefined) bounds.push({ column, op: '<=', value: upper })
  return bounds
}

/** What the commit says of itself, for people and programs that look at the table's snapshots. */
export const summaryOf = (model: Model, day: string | null, inputs: Pins, runId?: string): Record<string, string> => ({
  'streamforge.model': model.name,
  ...(day !== null && { 'streamforge.day': day }),
  ...(runId !== undefined && { 'streamforge.run': runId }),
  'streamforge.inputs': JSON.stringify(inputs),
})

/** What a build answers, whichever engine has done it. */
export const builtOf = (
  model: Model,
  day: string | null,
  done: { rows: number; files: number; snapshotId: Long | null },
  { inputs, startedAt }: { inputs: Pins; startedAt: number },
): Built => ({
  model: model.name,
  day,
  rows: done.rows,
  files: done.files,
  snapshotId: done.snapshotId === null ? null : String(done.snapshotId),
  inputs,
  seconds: (performance.now() - startedAt) / 1_000,
})

const ATTEMPTS = 5

/** Others may write the same table: what they changed under a build makes it plan and compute again, a bounded number of times. */
export async function planningAgain<T>(signal: AbortSignal | undefined, attempt: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await attempt()
    } catch (error) {
      const again = error instanceof CommitRefused || error instanceof CommitConflict
      if (!again || tries === ATTEMPTS || signal?.aborted) throw error
    }
  }
}
