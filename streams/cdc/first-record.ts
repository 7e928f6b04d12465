/**
 * Topics of changes are there for all, or are made by others, and most platforms follow no database: whoever reads them waits here for a first record, and until then has no consumer, no table and no
 * connection.
 */
import type { EventLog } from '../log/event-log.ts'
import type { Clock } from '../time/clock.ts'

export const LOOK_MS = 5_000

/** Of the topics those that there are, with whether anything is or was in one of them. A log that does not answer has none for now. */
export async function lookAt(
  log: EventLog,
  topics: readonly string[],
): Promise<{ topics: string[]; isFilled: boolean }> {
  const there: string[] = []
  let isFilled = false
  for (const topic of topics) {
    try {
      const count = await log.partitionCount(topic)
      for (let partition = 0; partition < count && !isFilled; partition++)
        isFilled = (await log.bounds({ topic, partition })).next > 0
      there.push(topic)
    } catch {
      // Nobody has made it yet, or it can't be told now.
    }
  }
  return { topics: there, isFilled }
}

/** @returns the topics that there are as soon as one of them has had a record; null when the signal aborts before */
export async function firstRecord(
  log: EventLog,
  topics: readonly string[],
  { clock, signal, lookMs = LOOK_MS }: { clock: Clock; signal: AbortSignal; lookMs?: number },
): Promise<string[] | null> {
  while (!signal.aborted) {
    const found = await lookAt(log, topics)
    if (found.isFilled) return found.topics
    await clock.sleep(lookMs, signal)
  }
  return null
}
