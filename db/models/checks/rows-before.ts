/** How many rows a table had on each of the days before one: from the manifests, so no data is read. Rows that another engine has marked as deleted are still counted. */
import { type Lake, planScan, type TableMetadata } from '../../lake/index.ts'
import { DAY } from '../models.ts'
import { dayNumber } from '../render.ts'
import type { History } from './expectation.ts'

export interface RowsBefore {
  /** Days that have rows. */
  days: number
  /** Rows of such a day, on average; 0 where there is none. */
  mean: number
}

/** @param metadata of a table that is partitioned by day */
export async function rowsBefore(
  lake: Lake,
  metadata: TableMetadata,
  day: string,
  { days }: Pick<History, 'days'>,
): Promise<RowsBefore> {
  const plan = await planScan(lake, metadata, {
    where: [
      { column: DAY.name, op: '>=', value: dayNumber(day) - days },
      { column: DAY.name, op: '<=', value: dayNumber(day) - 1 },
    ],
  })
  const counts = new Map<unknown, number>()
  for (const { file } of plan.files)
    counts.set(file.partition[0], (counts.get(file.partition[0]) ?? 0) + file.recordCount)
  const sum = [...counts.values()].reduce((a, b) => a + b, 0)
  return { days: counts.size, mean: counts.size === 0 ? 0 : sum / counts.size }
}

/** Whether they tell enough to compare a day with. */
export const isEnough = ({ days, mean }: RowsBefore, { daysMin, rowsMin }: History): boolean =>
  days >= daysMin && mean >= rowsMin
