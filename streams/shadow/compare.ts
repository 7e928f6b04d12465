/**
 * Live rows against those of a shadow run, row by row, in PostgreSQL. What both have in the same words is equal; everything else is named.
 *
 * Only rows that are final in either are compared, and rows of partitions whose stream time has passed the range: there everything must be final. Live rows that records behind the run's end have
 * written are left out, and so are those of single persons who were erased: the live ones and the lake's have other names for them.
 */
import { getTableColumns } from 'drizzle-orm'
import type { Sql } from '../../db/postgres/connect.ts'
import { RESULT_SCHEMA } from '../../db/postgres/schema.ts'
import { ERASED } from '../contract/erasure.ts'
import { PERSONAL_TABLES, RESULT_KEYS } from '../contract/results.ts'
import { type ReplayedTable, TABLE_RANGES } from './ranges.ts'
import type { PartitionRun } from './run.ts'

export interface RowDifference {
  kind: 'missing' | 'extra' | 'changed'
  /** The key's columns by name; times as epoch ms. */
  key: Record<string, string | number>
  /** Columns by name. Null where there is no such row. */
  live: Record<string, unknown> | null
  shadow: Record<string, unknown> | null
}

export interface TableDifferences {
  table: ReplayedTable
  /** Rows that were compared, of either side. */
  rows: number
  /** Of the shadow run, and not live. */
  missing: number
  /** Live, and not of the shadow run. */
  extra: number
  changed: number
  /** By how much they differ, in minor units by currency: absolute amounts, added up. */
  minor: Record<string, number>
  /** The first of them. */
  samples: RowDifference[]
}

/** Columns of money, in the row's own currency; sessions have theirs by currency. */
const MONEY: { readonly [T in ReplayedTable]: readonly string[] } = {
  sessions: [],
  revenue_by_minute: ['revenue_minor', 'refunded_minor'],
  traffic_by_minute: [],
  products_by_hour: ['revenue_minor'],
  trips_by_region: ['fare_minor'],
  fraud_alerts: ['total_minor'],
}

const quoted = (name: string): string => `"${name}"`

/** @param partitions what the run has read */
export async function differences(
  sql: Sql,
  schema: string,
  table: ReplayedTable,
  {
    fromMs,
    toMs,
    partitions,
    samples = 20,
  }: { fromMs: number; toMs: number; partitions: readonly PartitionRun[]; samples?: number },
): Promise<TableDifferences> {
  const { column, untold, topics } = TABLE_RANGES[table]
  const keys: readonly string[] = RESULT_KEYS[table]
  const told = Object.keys(getTableColumns(RESULT_SCHEMA[table])).filter((name) => !untold.includes(name))
  const hasTopic = told.includes('topic')
  const mine = partitions.filter(({ topic }) => topics.includes(topic))
  const runs = mine.map(
    ({ topic, partition, to, passed }) =>
      `('${topic}', ${partition}, ${Math.min(to, Number.MAX_SAFE_INTEGER)}::bigint, ${passed})`,
  )
  const isKnown = (side: string) =>
    Object.hasOwn(PERSONAL_TABLES, table) ? ` AND NOT starts_with(${side}.user_id, '${ERASED}')` : ''
  const inRange = (side: string) =>
    `${side}.${quoted(column)} >= to_timestamp($1::float8 / 1000) AND ${side}.${quoted(column)} < to_timestamp($2::float8 / 1000)${isKnown(side)}`
  const run = (side: string) => `${side}.partition = r.partition${hasTopic ? ` AND ${side}.topic = r.topic` : ''}`
  const runsTable =
    runs.length > 0
      ? `(VALUES ${runs.join(', ')}) AS r (topic, partition, upto, passed)`
      : `(SELECT ''::text, 0, 0::bigint, false WHERE false) AS r (topic, partition, upto, passed)`
  // A live row of a partition that the lake does not have is extra: it is taken as one of a partition that has been passed.
  const compared = `
    WITH live AS (
      SELECT t.*, coalesce(r.passed, true) AS is_passed FROM public.${quoted(table)} t LEFT JOIN ${runsTable} ON ${run('t')}
      WHERE ${inRange('t')} AND (r.upto IS NULL OR r.upto = 0 OR t.position < r.upto)
    ), shadow AS (
      SELECT t.*, r.passed AS is_passed FROM ${quoted(schema)}.${quoted(table)} t JOIN ${runsTable} ON ${run('t')}
      WHERE ${inRange('t')}
    ), joined AS (
      SELECT ${keys.map((key) => `coalesce(l.${quoted(key)}, s.${quoted(key)}) AS ${quoted(key)}`).join(', ')},
        CASE WHEN l.partition IS NULL THEN 'missing' WHEN s.partition IS NULL THEN 'extra' ELSE 'changed' END AS kind,
        (l.partition IS NOT NULL AND s.partition IS NOT NULL
          AND (${told.map((name) => `l.${quoted(name)}`).join(', ')}) IS NOT DISTINCT FROM (${told.map((name) => `s.${quoted(name)}`).join(', ')})) AS is_equal,
        to_jsonb(l) - 'is_passed' AS live, to_jsonb(s) - 'is_passed' AS shadow
      FROM live l FULL OUTER JOIN shadow s ON ${keys.map((key) => `l.${quoted(key)} = s.${quoted(key)}`).join(' AND ')}
      WHERE coalesce(l.final, false) OR coalesce(s.final, false) OR coalesce(l.is_passed, s.is_passed)
    )`
  const counts = await sql.unsafe<{ kind: string; is_equal: boolean; rows: number }[]>(
    `${compared} SELECT kind, is_equal, count(*) AS rows FROM joined GROUP BY kind, is_equal`,
    [fromMs, toMs],
  )
  const of = (kind: string): number =>
    counts.reduce((sum, row) => sum + (row.kind === kind && !row.is_equal ? row.rows : 0), 0)
  const found = {
    table,
    rows: counts.reduce((sum, row) => sum + row.rows, 0),
    missing: of('missing'),
    extra: of('extra'),
    changed: of('changed'),
  }
  if (found.missing + found.extra + found.changed === 0) return { ...found, minor: {}, samples: [] }
  const money = await sql.unsafe<{ currency: string; minor: number }[]>(
    `${compared}, amounts AS (${amounts(table)}) SELECT currency, sum(minor)::bigint AS minor FROM amounts GROUP BY currency HAVING sum(minor) > 0 ORDER BY currency`,
    [fromMs, toMs],
  )
  const rows = await sql.unsafe<(RowDifference & Record<string, string | number>)[]>(
    `${compared} SELECT * FROM joined WHERE NOT is_equal ORDER BY ${keys.map(quoted).join(', ')} LIMIT ${samples}`,
    [fromMs, toMs],
  )
  return {
    ...found,
    minor: Object.fromEntries(money.map(({ currency, minor }) => [currency, minor])),
    samples: rows.map(({ kind, live, shadow, ...rest }) => ({
      kind,
      key: Object.fromEntries(keys.map((key) => [key, rest[key]!])),
      live: without(live, untold),
      shadow: without(shadow, untold),
    })),
  }
}

/** One row per amount that differs: `currency`, `minor`. */
function amounts(table: ReplayedTable): string {
  if (table === 'sessions')
    return `
      SELECT e.currency, abs(e.a - e.b) AS minor FROM joined, LATERAL (
        SELECT key AS currency, coalesce(a.value, '0')::bigint AS a, coalesce(b.value, '0')::bigint AS b
        FROM jsonb_each_text(coalesce(live->'revenue_minor', '{}')) a (key, value)
        FULL OUTER JOIN jsonb_each_text(coalesce(shadow->'revenue_minor', '{}')) b (key, value) USING (key)
      ) e WHERE NOT is_equal`
  const columns = MONEY[table]
  if (columns.length === 0) return `SELECT '' AS currency, 0::bigint AS minor WHERE false`
  return columns
    .map(
      (column) => `
      SELECT coalesce(live->>'currency', shadow->>'currency') AS currency,
        abs(coalesce((live->>'${column}')::bigint, 0) - coalesce((shadow->>'${column}')::bigint, 0)) AS minor
      FROM joined WHERE NOT is_equal`,
    )
    .join(' UNION ALL ')
}

const without = (row: Record<string, unknown> | null, names: readonly string[]) =>
  row && Object.fromEntries(Object.entries(row).filter(([name]) => !names.includes(name)))
