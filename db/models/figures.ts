/** A day's figures from the metrics tables of the lake, as they are published. */
import { type Lake, loadTable, NoSuchTable, planScan, readRows } from '../lake/index.ts'
import type { DayRevenue } from '../postgres/batch-schema.ts'
import type { DayFigures, FigureRow } from '../postgres/publish-day.ts'
import { tableOf } from './build.ts'
import { DAY, modelNamed } from './models.ts'
import { dayNumber } from './render.ts'

export async function figuresOf(lake: Lake, day: string, signal?: AbortSignal): Promise<DayFigures> {
  const rows = (model: string) => rowsOf(lake, model, day, signal)
  const revenue = (await rows('metrics_daily_revenue')).map(({ currency, ...figures }) => [currency, figures])
  const kpis = await rows('metrics_daily_kpis')
  return {
    daily_kpis: kpis.map((row) => ({ ...row, revenue: Object.fromEntries(revenue) as Record<string, DayRevenue> })),
    daily_revenue_by_category: await rows('metrics_revenue_by_category'),
    daily_top_regions: await rows('metrics_top_regions'),
    daily_conversion_funnel: await rows('metrics_conversion_funnel'),
  }
}

async function rowsOf(lake: Lake, model: string, day: string, signal?: AbortSignal): Promise<FigureRow[]> {
  const { name: table, metadata } = await loadTable(lake, tableOf(modelNamed(model))).catch((error) => {
    throw error instanceof NoSuchTable ? new Error(`${model} has not been built: build the day ${day} first.`) : error
  })
  const plan = await planScan(lake, metadata, { where: [{ column: DAY.name, op: '=', value: dayNumber(day) }] })
  const columns = modelNamed(model).columns.flatMap(({ name }) => (name === DAY.name ? [] : [name]))
  const rows: FigureRow[] = []
  for await (const batch of readRows(lake, plan, { table, columns, ...(signal && { signal }) }))
    for (const row of batch) {
      const plain = Object.entries(row).map(([name, value]) => [
        name,
        typeof value === 'bigint' ? Number(value) : value,
      ])
      rows.push(Object.fromEntries(plain) as FigureRow)
    }
  return rows
}
