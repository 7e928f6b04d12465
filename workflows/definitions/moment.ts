/** What time it is for a workflow: when a schedule meant it to start, also where it started late or as a backfill; else when it did start. Deterministic: both are in its history. */
import { workflowInfo } from '@temporalio/workflow'
import { DAY_MS, toDay } from '../input.ts'

/** Epoch milliseconds. */
export function scheduledMs(): number {
  const { searchAttributes, startTime } = workflowInfo()
  const scheduled = (searchAttributes.TemporalScheduledStartTime as Date[] | undefined)?.[0]
  return (scheduled ?? startTime).getTime()
}

/** The last day that was over by then, in UTC. */
export const yesterday = (): string => toDay(scheduledMs() - DAY_MS)
