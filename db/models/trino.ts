/**
 * Models built by Trino: it inserts the model's rows into a table made for that beside the target, and the lake puts the files it wrote in the place of the scope's (`replaceByWriter`). Inputs are
 * read at their pinned snapshots (FOR VERSION AS OF), as by DuckDB.
 */
import {
  type Column,
  chooseSnapshot,
  type Lake,
  type Predicate,
  replaceByWriter,
  schemaOfSnapshot,
} from '../lake/index.ts'
import type { Trino } from '../trino/client.ts'
import {
  builtOf,
  conditionsOf,
  dayOf,
  ensureModelTable,
  type ModelEngine,
  type PinnedInput,
  pinInputs,
  pinsOf,
  planningAgain,
  readSql,
  summaryOf,
} from './build.ts'
import { NAMESPACE, SCRATCH } from './models.ts'
import { dayNumber, dayText, renderModel } from './render.ts'

/** Of one statement. An activity's own timeout ends it sooner. */
const TIMEOUT_MS = 6 * 3_600_000

/** @param trino with the lake's catalog as its own */
export function createTrinoModels(lake: Lake, trino: Pick<Trino, 'query'>): ModelEngine {
  return {
    name: 'trino',
    async build(model, build = {}) {
      const startedAt = performance.now()
      const { signal, onProgress, pins, runId } = build
      const day = dayOf(model, build)
      const sql = await readSql(model)
      return planningAgain(signal, async () => {
        const target = await ensureModelTable(lake, model)
        const inputs = await pinInputs(lake, sql, pins)
        const relations = new Map<string, string>()
        for (const input of inputs)
          relations.set(`${input.table}|${input.rows}`, relationOf(input, await conditionsOf(lake, input, day)))
        const query = renderModel(sql, day, {
          relation: ({ table, rows }) => relations.get(`${table}|${rows}`)!,
          hash64: (text) => `from_big_endian_64(xxhash64(to_utf8(${text})))`,
        })
        const scratch = {
          namespace: NAMESPACE,
          name: `${SCRATCH}${model.name}${day === null ? '' : `_${day.replaceAll('-', '')}`}`,
        }
        const values = model.columns.map(({ name, type }) =>
          day !== null && name === 'day' ? `DATE '${day}'` : `CAST(${quoted(name)} AS ${typeOf(type)})`,
        )
        const names = model.columns.map(({ name }) => quoted(name))
        const insert = `INSERT INTO ${quoted(scratch.namespace)}.${quoted(scratch.name)} (${names.join(', ')})\nSELECT ${values.join(', ')} FROM (${query}\n) AS computed`
        const done = await replaceByWriter(lake, target, {
          scope: day === null ? null : [dayNumber(day)],
          scratch,
          summary: summaryOf(model, day, pinsOf(inputs), runId),
          signal,
          async write() {
            onProgress?.('computing')
            await trino.query(insert, { timeoutMs: TIMEOUT_MS, ...(signal && { signal }) })
            onProgress?.('committing')
          },
        })
        return builtOf(model, day, done, { inputs: pinsOf(inputs), startedAt })
      })
    },
  }
}

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`

const TYPES: Readonly<Record<string, string>> = {
  string: 'varchar',
  long: 'bigint',
  int: 'integer',
  double: 'double',
  boolean: 'boolean',
  date: 'date',
  timestamptz: 'timestamp(6) with time zone',
  binary: 'varbinary',
}

function typeOf(type: Column['type']): string {
  const found = typeof type === 'string' ? TYPES[type] : undefined
  if (found === undefined) throw new Error(`Models have no columns of the type ${JSON.stringify(type)}.`)
  return found
}

/** The input's rows as a subquery with all columns of its contract, null where the snapshot has none. */
function relationOf(
  { loaded, snapshotId, columns }: PinnedInput,
  conditions: readonly (readonly Predicate[])[],
): string {
  if (loaded === null || snapshotId === null) {
    const nothing = columns.map(({ name, type }) => `CAST(NULL AS ${typeOf(type)}) AS ${quoted(name)}`)
    return `(SELECT ${nothing.join(', ')} WHERE false)`
  }
  const { fields } = schemaOfSnapshot(loaded.metadata, chooseSnapshot(loaded.metadata, { snapshotId }))
  const known = new Set(fields.map((field) => field.name))
  const select = columns.map(
    ({ name, type }) => `CAST(${known.has(name) ? quoted(name) : 'NULL'} AS ${typeOf(type)}) AS ${quoted(name)}`,
  )
  const where = conditions.map((all) => all.map((each) => condition(each, columns)).join(' AND '))
  const clause = where.some((each) => each === '') ? '' : ` WHERE ${where.map((each) => `(${each})`).join(' OR ')}`
  const { namespace, name } = loaded.name
  return `(SELECT ${select.join(', ')} FROM ${quoted(namespace)}.${quoted(name)} FOR VERSION AS OF ${snapshotId}${clause})`
}

function condition(predicate: Predicate, columns: readonly Column[]): string {
  if (!('value' in predicate)) throw new Error(`Models have no condition ${predicate.op}.`)
  const type = columns.find(({ name }) => name === predicate.column)?.type
  return `${quoted(predicate.column)} ${predicate.op} ${literal(type, predicate.value)}`
}

function literal(type: Column['type'] | undefined, value: unknown): string {
  if (type === 'string') return `'${String(value).replaceAll("'", "''")}'`
  return type === 'date' ? `DATE '${dayText(Number(value))}'` : `TIMESTAMP '${instantText(value)} UTC'`
}

/** Of epoch microseconds, whole milliseconds: the edges of days. */
const instantText = (micros: unknown): string =>
  new Date(Number(BigInt(micros as bigint) / 1_000n)).toISOString().replace('T', ' ').replace('Z', '000')
