/**
 * A day's figures as the API serves them: what was published of the day before is replaced in one transaction, so readers see the old day or the new one, never a mixture.
 */
import type { DayRevenue } from './batch-schema.ts'
import type { Sql, Transaction } from './connect.ts'
import { cleanText } from './result-version.ts'

type Figure = string | number | boolean | null | Readonly<Record<string, DayRevenue>>
export type FigureRow = Readonly<Record<string, Figure>>

/** Rows as the tables of batch-schema.ts have them, without `day` and `published_at`. */
export interface DayFigures {
  /** None for a day on which nothing happened. */
  daily_kpis: readonly FigureRow[]
  daily_revenue_by_category: readonly FigureRow[]
  daily_top_regions: readonly FigureRow[]
  daily_conversion_funnel: readonly FigureRow[]
}

/** Sums of what only differed in characters that PostgreSQL does not keep. */
const KEYS: Readonly<Record<keyof DayFigures, readonly string[]>> = {
  daily_kpis: [],
  daily_revenue_by_category: ['category', 'currency'],
  daily_top_regions: ['region', 'currency'],
  daily_conversion_funnel: ['position'],
}

/** @throws Error when a figure is beyond what is exact */
export async function publishDay(
  sql: Sql,
  day: string,
  figures: DayFigures,
  nowMs: number,
): Promise<Record<keyof DayFigures, number>> {
  const published_at = new Date(nowMs).toISOString()
  const all = { ...figures, daily_kpis: figures.daily_kpis.map((row) => ({ ...row, published_at })) }
  const counts = { daily_kpis: 0, daily_revenue_by_category: 0, daily_top_regions: 0, daily_conversion_funnel: 0 }
  await sql.begin(async (tx) => {
    await tx`SELECT pg_advisory_xact_lock(hashtext('publish'), hashtext(${day}))`
    for (const table of Object.keys(KEYS) as (keyof DayFigures)[])
      counts[table] = await replaceRows(tx, table, day, merged(all[table], KEYS[table]))
  })
  return counts
}

async function replaceRows(tx: Transaction, table: string, day: string, rows: readonly FigureRow[]): Promise<number> {
  await tx`DELETE FROM ${tx(table)} WHERE day = ${day}`
  const records = JSON.stringify(rows.map((row) => ({ day, ...row })))
  await tx`INSERT INTO ${tx(table)} SELECT * FROM jsonb_populate_recordset(NULL::${tx(table)}, ${records}::text::jsonb)`
  return rows.length
}

function merged(rows: readonly FigureRow[], keys: readonly string[]): FigureRow[] {
  const byKey = new Map<string, Record<string, Figure>>()
  for (const row of rows) {
    const clean: Record<string, Figure> = {}
    for (const [name, value] of Object.entries(row)) {
      if (typeof value === 'number' && Math.abs(value) > Number.MAX_SAFE_INTEGER)
        throw new Error(`${name} is ${value}, more than can be kept exactly. Nothing was published.`)
      clean[name] = typeof value === 'string' ? cleanText(value) : value
    }
    const key = JSON.stringify(keys.map((name) => clean[name]))
    const same = byKey.get(key)
    if (!same) byKey.set(key, clean)
    else
      for (const [name, value] of Object.entries(clean))
        if (!keys.includes(name) && name !== 'place' && typeof value === 'number')
          same[name] = (same[name] as number) + value
  }
  return [...byKey.values()]
}
