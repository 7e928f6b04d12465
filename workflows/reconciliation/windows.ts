/**
 * The exact truth of windows of sums, from the lake: every event of the minute, once, however late. Compared with the live rows; what differs must come from records that are named.
 *
 *   all the lake's rows − what the streams refused = what must be live        else: unexplained
 *   all the lake's rows − what repeats an earlier one = the truth             what it has more or less than that: explained, record by record
 */
import type { SqlEngine, SqlOptions } from '../../db/lake/index.ts'
import { plainArray, textArray } from '../../db/postgres/arrays.ts'
import { cleanText } from '../../db/postgres/result-version.ts'
import { RAW_TABLES } from '../../streams/contract/lake-tables.ts'
import { toIso } from '../../streams/contract/time-text.ts'
import { type InputTopic, ORDERS, TRIPS } from '../../streams/contract/topics.ts'
import { msOfText, numberOf, objectsOf, type PartitionRun, type Shadow } from '../../streams/shadow/index.ts'
import type { Until } from './final-range.ts'
import { addTo, type Findings } from './findings.ts'
import { inTime, ofLog, type TimeBounds } from './lake-rows.ts'
import { strayRows } from './strays.ts'

/** Written twice: for the lake's rows in the dialect common to its engines, and for events as JSON in PostgreSQL. */
interface Term {
  column: string
  lake: string
  json: string
}

interface WindowTruth {
  table: 'revenue_by_minute' | 'trips_by_region'
  topic: InputTopic
  /** The operator's name. */
  job: string
  /** Of the live rows. */
  where: string
  /** Which events count. */
  lakeWhere: string
  jsonWhere: string
  start: { lake: string; json: string }
  /** Text; the live table's columns. */
  groups: readonly Term[]
  /** Whole numbers. */
  measures: readonly Term[]
  /** Of one event, signed: what it adds to the figures. */
  minorJson: string
  /** Whether its records are counted in the report: not where another window has the same ones. */
  counts: boolean
}

const when = (condition: string, value: string): string => `sum(CASE WHEN ${condition} THEN ${value} ELSE 0 END)`
const amount = `(event->>'amount_minor')::bigint`
const status = `event->>'status'`

const REVENUE: WindowTruth = {
  table: 'revenue_by_minute',
  topic: ORDERS,
  job: 'revenue',
  where: 'true',
  lakeWhere: `status <> 'failed'`,
  jsonWhere: `${status} <> 'failed'`,
  start: { lake: `date_trunc('minute', event_time)`, json: `date_trunc('minute', event_time)` },
  groups: [
    {
      column: 'category',
      lake: `coalesce(category, 'uncategorized')`,
      json: `coalesce(event->>'category', 'uncategorized')`,
    },
    { column: 'currency', lake: 'currency', json: `event->>'currency'` },
  ],
  measures: [
    { column: 'orders', lake: when(`status = 'success'`, '1'), json: when(`${status} = 'success'`, 'sign') },
    {
      column: 'revenue_minor',
      lake: when(`status = 'success'`, 'amount_minor'),
      json: when(`${status} = 'success'`, `sign * ${amount}`),
    },
    { column: 'refunds', lake: when(`status = 'refunded'`, '1'), json: when(`${status} = 'refunded'`, 'sign') },
    {
      column: 'refunded_minor',
      lake: when(`status = 'refunded'`, 'amount_minor'),
      json: when(`${status} = 'refunded'`, `sign * ${amount}`),
    },
  ],
  minorJson: `CASE WHEN ${status} = 'success' THEN ${amount} ELSE -${amount} END`,
  counts: true,
}

const trips = (window: string, lake: string, json: string): WindowTruth => ({
  table: 'trips_by_region',
  topic: TRIPS,
  job: `regions/${window}`,
  where: `"window" = '${window}'`,
  lakeWhere: 'true',
  jsonWhere: 'true',
  start: { lake, json },
  groups: [
    { column: 'region_id', lake: 'region_id', json: `event->>'region_id'` },
    { column: 'currency', lake: 'currency', json: `event->>'currency'` },
  ],
  measures: [
    { column: 'trips', lake: 'count(*)', json: 'sum(sign)' },
    ...['fare_minor', 'duration_s', 'distance_m'].map((column) => ({
      column,
      lake: `sum(${column})`,
      json: `sum(sign * (event->>'${column}')::bigint)`,
    })),
  ],
  minorJson: `(event->>'fare_minor')::bigint`,
  counts: window === '1m',
})

export const WINDOW_TRUTHS: readonly WindowTruth[] = [
  REVENUE,
  trips('1m', `date_trunc('minute', event_time)`, `date_trunc('minute', event_time)`),
  trips('1h', `date_trunc('hour', event_time)`, `date_trunc('hour', event_time)`),
]

export interface TruthDeps {
  engine: SqlEngine
  shadow: Shadow
  options: SqlOptions
  lakeUntil: Until
  partitions: readonly PartitionRun[]
  findings: Findings
}

const SAMPLES = 5
const NAMED_MAX = 200

/** @param range whole windows: a window belongs to where it starts */
export async function reconcileWindows(deps: TruthDeps, truth: WindowTruth, range: TimeBounds): Promise<void> {
  const { shadow, findings } = deps
  const { table, topic, groups, measures } = truth
  const name = `all_${truth.job.replace(/\W/g, '_')}`
  await loadAll(deps, truth, range, name)
  const passed = deps.partitions.filter((run) => run.topic === topic && run.passed).map(({ partition }) => partition)
  if (passed.length === 0) return
  const keys = ['partition', 'window_start', ...groups.map(({ column }) => column)]
  const columns = measures.map(({ column }) => column)
  const list = (names: readonly string[], prefix = ''): string => names.map((each) => `${prefix}"${each}"`).join(', ')
  const contribution = (rows: string, factor: number): string => `
    SELECT partition, ${truth.start.json} AS window_start, ${groups.map(({ json, column }) => `${json} AS "${column}"`).join(', ')},
      ${measures.map(({ json, column }) => `${factor} * ${json} AS "${column}"`).join(', ')}
    FROM (${rows}) AS each WHERE ${truth.jsonWhere} GROUP BY ${keys.map((_, i) => i + 1).join(', ')}`
  const refused = `SELECT DISTINCT ON (partition, "offset") partition, event_time, event, 1 AS sign FROM refused
    WHERE topic = '${topic}' AND job IN ('*', '${truth.job}') AND ${between(range)} ORDER BY partition, "offset", job`
  const wrong = await shadow.sql.unsafe<Record<string, never>[]>(`
    WITH applied AS (
      SELECT ${list(keys)}, ${columns.map((column) => `sum("${column}")::bigint AS "${column}"`).join(', ')}
      FROM (SELECT ${list([...keys, ...columns])} FROM ${name} UNION ALL SELECT * FROM (${contribution(refused, -1)}) AS taken) AS both_sides
      WHERE partition = ANY ('{${passed.join()}}') GROUP BY ${list(keys)} HAVING ${columns.map((column) => `sum("${column}") <> 0`).join(' OR ')}
    ), live AS (
      SELECT ${list([...keys, ...columns])} FROM public.${table}
      WHERE ${truth.where} AND ${between(range, 'window_start')} AND partition = ANY ('{${passed.join()}}')
        AND (${columns.map((column) => `"${column}" <> 0`).join(' OR ')})
    )
    SELECT ${keys.map((key) => `coalesce(l."${key}", a."${key}") AS "${key}"`).join(', ')}, to_jsonb(l) AS live, to_jsonb(a) AS expected, count(*) OVER () AS found
    FROM live l FULL OUTER JOIN applied a ON ${keys.map((key) => `l."${key}" = a."${key}"`).join(' AND ')}
    WHERE (${list(columns, 'l.')}) IS DISTINCT FROM (${list(columns, 'a.')}) ORDER BY ${keys.map((_, i) => i + 1).join(', ')} LIMIT ${NAMED_MAX}`)
  for (const row of wrong) {
    const {
      live,
      expected,
      found: _,
      ...rest
    } = row as unknown as { live: Row | null; expected: Row | null; found: number }
    const key = {
      ...(rest as Record<string, string | number>),
      ...(table === 'trips_by_region' && { window: truth.job.slice('regions/'.length) }),
    }
    if (findings.has(table, key)) continue
    findings.add({
      explained: false,
      table,
      cause: 'truth',
      key,
      message: `The live row is not what the lake's records add up to, late ones and duplicates taken off.`,
      records: 0,
      minor: {},
      live,
      expected,
      sample: [],
    })
  }
  if (truth.counts) await explain(deps, truth, range, passed)
}

type Row = Record<string, unknown>

const between = ({ fromMs, toMs }: TimeBounds, column = 'event_time'): string =>
  `${column} >= to_timestamp(${fromMs}::float8 / 1000) AND ${column} < to_timestamp(${toMs}::float8 / 1000)`

/** All rows of the range, duplicates and late ones with them, by window and partition. */
async function loadAll(
  { engine, shadow, options, lakeUntil }: TruthDeps,
  truth: WindowTruth,
  range: TimeBounds,
  name: string,
): Promise<void> {
  const { groups, measures, topic } = truth
  await shadow.sql.unsafe(`DROP TABLE IF EXISTS ${name}`)
  await shadow.sql.unsafe(`
    CREATE TABLE ${name} (partition integer, window_start timestamptz, ${groups.map(({ column }) => `"${column}" text`).join(', ')},
      ${measures.map(({ column }) => `"${column}" bigint`).join(', ')})`)
  const terms = [
    { column: 'partition', lake: 'log_partition' },
    { column: 'window_start', lake: truth.start.lake },
    ...groups,
  ]
  const statement = `
    SELECT ${[...terms, ...measures].map(({ lake, column }) => `${lake} AS ${column}`).join(', ')} FROM ${RAW_TABLES[topic].name}
    WHERE ${inTime(range)} AND ${ofLog(topic, lakeUntil)} AND ${truth.lakeWhere} GROUP BY ${terms.map(({ lake }) => lake).join(', ')}`
  for await (const rows of objectsOf(engine, statement, { ...options, name: truth.job })) {
    if (rows.length === 0) continue
    const numbers = (column: string): string => plainArray(rows.map((row) => numberOf(row[column])))
    await shadow.sql.unsafe(
      `INSERT INTO ${name} SELECT v.partition, to_timestamp(v.window_start / 1000), ${[...groups, ...measures].map(({ column }) => `v."${column}"`).join(', ')}
       FROM unnest($1::text::integer[], $2::text::float8[], ${groups.map((_, i) => `$${3 + i}::text::text[]`).join(', ')}, ${measures.map((_, i) => `$${3 + groups.length + i}::text::bigint[]`).join(', ')})
         AS v (partition, window_start, ${[...groups, ...measures].map(({ column }) => `"${column}"`).join(', ')})`,
      [
        numbers('partition'),
        plainArray(rows.map((row) => msOfText(row.window_start))),
        ...groups.map(({ column }) => textArray(rows.map((row) => cleanText(String(row[column]))))),
        ...measures.map(({ column }) => numbers(column)),
      ],
    )
  }
}

/** What the truth has more than the live rows, or less, by window and cause. */
async function explain(
  { shadow, findings }: TruthDeps,
  truth: WindowTruth,
  range: TimeBounds,
  passed: readonly number[],
): Promise<void> {
  const { table, topic, groups } = truth
  const columns = groups.map(({ column }) => column)
  const rows = await shadow.sql.unsafe<
    ({
      cause: string
      window_start: number
      partition: number
      records: number
      minor: number
      sample: number[]
    } & Record<string, string>)[]
  >(`
    SELECT cause, partition, ${truth.start.json} AS window_start, ${groups.map(({ json, column }) => `${json} AS "${column}"`).join(', ')},
      count(*) AS records, sum(sign * (${truth.minorJson}))::bigint AS minor, to_jsonb((array_agg("offset" ORDER BY "offset"))[1:${SAMPLES}]) AS sample
    FROM (${strayRows(topic, truth.job, range)}) AS each
    WHERE ${truth.jsonWhere} AND partition = ANY ('{${passed.join()}}') GROUP BY cause, partition, 3, ${columns.map((_, i) => i + 4).join(', ')} ORDER BY 3, 1, 2, ${columns.map((_, i) => i + 4).join(', ')}`)
  for (const row of rows) {
    const minor: Record<string, number> = {}
    addTo(minor, { [row.currency!]: row.minor })
    findings.count(row.cause, row.records, minor)
    findings.add({
      explained: true,
      table,
      cause: row.cause,
      key: {
        window_start: row.window_start,
        partition: row.partition,
        ...Object.fromEntries(columns.map((column) => [column, row[column]!])),
      },
      message: `${row.records} ${row.records === 1 ? 'record' : 'records'} of ${toIso(row.window_start)} (${row.cause}): the truth has ${row.minor >= 0 ? 'more' : 'less'}.`,
      records: row.records,
      minor,
      live: null,
      expected: null,
      sample: row.sample.map((offset) => `${topic}:${row.partition}:${offset}`),
    })
  }
}
