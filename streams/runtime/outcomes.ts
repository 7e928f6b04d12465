/**
 * The count of what was not applied, per job, reason and minute: nothing is dropped without one.
 *
 * A tumbling window like any other, over stream time (the partition's highest event time) instead of the event's own: so a count is never late itself.
 */
import type { Outcome } from '../contract/results.ts'
import { tumblingWindow } from '../operators/tumbling-window.ts'

export interface Refusal {
  /** Stream time. */
  event_time: number
  /** `*` where the record was refused before any job saw it. */
  job: string
  outcome: Outcome
  reason: string
}

const MINUTE_MS = 60_000
const SEPARATOR = '\t'

export const outcomeCounts = (topic: string) =>
  tumblingWindow<Refusal, { events: number }, 'outcomes_by_minute'>({
    name: 'outcomes',
    sizeMs: MINUTE_MS,
    group: (r) => [r.job, r.outcome, r.reason].join(SEPARATOR),
    accumulator: {
      schema: { type: 'record', name: 'Count', fields: [{ name: 'events', type: 'long' }] },
      create: () => ({ events: 0 }),
      add(acc) {
        acc.events++
      },
    },
    table: 'outcomes_by_minute',
    row({ startMs, group, acc, partition, position }) {
      const [job, outcome, reason] = group.split(SEPARATOR) as [string, Outcome, string]
      return { topic, partition, job, window_start: startMs, outcome, reason, events: acc.events, position }
    },
  })
