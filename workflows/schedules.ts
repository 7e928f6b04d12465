/**
 * What runs by itself, and when: the schedules as data. Every worker brings Temporal's schedules to this state when it starts (ensure-schedules.ts).
 *
 * Invariants: times are UTC and without jitter, so that the day a run is about follows from its scheduled time alone; what happens when a run is late, overlaps or fails is said for each, since
 * Temporal's own answers (skip, a year, go on) are rarely meant.
 */
import type { ScheduleOverlapPolicy, ScheduleSpec } from '@temporalio/client'
import { DAY_MS } from './input.ts'
import { TASK_QUEUE } from './policy.ts'

/** In UTC: at a minute of one hour a day, or of every so many hours from midnight on. */
export type At = { minute: number } & ({ hour: number } | { everyHours: number })

export interface Schedule {
  /** On the default task queue; see {@link scheduleId}. */
  id: string
  /** Exported by definitions/index.ts. */
  workflow: string
  input: Readonly<Record<string, string | number>>
  at: At
  /** For people. */
  note: string
  /** What happens when the run before hasn't ended. */
  overlap: ScheduleOverlapPolicy
  /** Runs that were due while Temporal was away are made up for, if it was for no longer. */
  catchUpMs: number
  /** Whether a failed run keeps the next from being started. */
  pauseOnFailure: boolean
  /** A run scheduled for one day is about the day before. */
  aboutDayBefore: boolean
}

const HOUR_MS = 3_600_000
const MINUTE_MS = 60_000

/** Upkeep does what is to be done by then: a run that was missed, or whose predecessor still runs, is made good by the next. */
const UPKEEP = { overlap: 'SKIP', catchUpMs: 10 * MINUTE_MS, pauseOnFailure: false, aboutDayBefore: false } as const

export const SCHEDULES: readonly Schedule[] = [
  {
    id: 'daily-aggregation',
    workflow: 'dailyAggregation',
    input: {},
    // What is a quarter of an hour late at midnight is in the day's first numbers; what is later opens the day again.
    at: { minute: 15, hour: 0 },
    note: 'Builds the day before: star schema, metrics, and what the API serves of them; then days that are open',
    // One that waits is enough: it builds the days of all that are dropped, since they are open.
    overlap: 'BUFFER_ONE',
    catchUpMs: 7 * DAY_MS,
    // A failed day stays open and is built by the next run; a schedule that pauses itself would be noticed by nobody.
    pauseOnFailure: false,
    aboutDayBefore: true,
  },
  {
    id: 'reconcile',
    workflow: 'reconcile',
    input: {},
    // It reads raw rows and live results, so it needs nothing of the aggregation. Results are final an hour after their time, where events go on to come; else the run waits for that.
    at: { minute: 45, hour: 1 },
    note: 'Proves the live results of the day before against the lake',
    // Each run is about a day of its own, and no other makes up for it.
    overlap: 'BUFFER_ALL',
    catchUpMs: 7 * DAY_MS,
    pauseOnFailure: false,
    aboutDayBefore: true,
  },
  {
    ...UPKEEP,
    id: 'compact-tables',
    workflow: 'compactTable',
    input: {},
    at: { minute: 5, everyHours: 1 },
    note: "Makes large files of the lake's small ones, hourly",
  },
  {
    ...UPKEEP,
    id: 'expire-snapshots',
    workflow: 'expireSnapshots',
    // A commit writes all snapshots anew, some 800 bytes each: at one every 15 seconds a day of them would be 4.6 MB for every commit of every table. So a busy table can be asked as it was up
    // to six hours ago (1,440 to 1,920 snapshots), and a quiet one as it was a thousand commits ago.
    input: { older_than_hours: 6, keep: 1_000 },
    at: { minute: 35, everyHours: 2 },
    note: "Removes the lake's snapshots older than six hours but for the newest thousand of a table, every two hours",
  },
  {
    ...UPKEEP,
    id: 'remove-orphans',
    workflow: 'removeOrphans',
    // No file waits so long for its commit: an attempt of an activity ends after six hours (policy.ts).
    input: { older_than_hours: 24 },
    at: { minute: 50, hour: 3 },
    // It would be a day until the next one.
    catchUpMs: 12 * HOUR_MS,
    note: 'Removes files that killed writers left in the lake, daily',
  },
]

/** Of a queue that isn't the default one, so that platforms on one Temporal, and tests, do not meet. */
export const scheduleId = (taskQueue: string, id: string): string =>
  taskQueue === TASK_QUEUE ? id : `${taskQueue}:${id}`

/** As Temporal is told. */
export function specOf(at: At): ScheduleSpec {
  const hour = 'hour' in at ? { start: at.hour, end: at.hour, step: 1 } : { start: 0, end: 23, step: at.everyHours }
  return { calendars: [{ minute: at.minute, hour }] }
}

/** When it is due from one moment to another, both included; epoch milliseconds. */
export function timesOf(at: At, fromMs: number, toMs: number): number[] {
  const times: number[] = []
  for (let dayMs = Math.floor(fromMs / DAY_MS) * DAY_MS; dayMs <= toMs; dayMs += DAY_MS) {
    for (let hour = 0; hour < 24; hour++) {
      if ('hour' in at ? hour !== at.hour : hour % at.everyHours !== 0) continue
      const time = dayMs + hour * HOUR_MS + at.minute * MINUTE_MS
      if (time >= fromMs && time <= toMs) times.push(time)
    }
  }
  return times
}
