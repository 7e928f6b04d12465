/**
 * Which other days lose a row to this one: of an identity that both have, the log accepted this day's copy first. Where such a day was built before this day's copy was in the lake, it still has
 * its own, and is to be built again. (The other way round, a day that takes rows from this one, needs nothing: this day was just built.)
 */
import { type Lake, loadTable, planScan, type Row, readRows } from '../lake/index.ts'
import { tableOf } from './build.ts'
import { modelNamed, STAGED } from './models.ts'
import { dayNumber, dayText } from './render.ts'

/** @returns days by raw table. Staging of the day must have been built. */
export async function overtakenDays(lake: Lake, day: string, signal?: AbortSignal): Promise<Record<string, string[]>> {
  const number = dayNumber(day)
  const found: Record<string, string[]> = {}
  for (const { raw, repeats } of STAGED) {
    const { name: table, metadata } = await loadTable(lake, tableOf(modelNamed(repeats)))
    const plan = await planScan(lake, metadata, { where: [{ column: 'day', op: '=', value: number }] })
    // Rows of one identity come together, the copy that was accepted first before the others.
    const order = {
      table,
      columns: ['identity', 'event_day', 'place'],
      orderBy: ['identity', 'place'],
      ...(signal && { signal }),
    }
    const days = new Set<string>()
    let [identity, isBehind] = [undefined as Row[string] | undefined, false]
    for await (const batch of readRows(lake, plan, order))
      for (const row of batch) {
        if (row.identity !== identity) [identity, isBehind] = [row.identity, false]
        if (row.event_day === number) isBehind = true
        else if (isBehind) days.add(dayText(row.event_day as number))
      }
    if (days.size > 0) found[raw] = [...days].sort()
  }
  return found
}
