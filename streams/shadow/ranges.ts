/**
 * Which rows of a result table belong to a range of event time, when they are final, and which job fills the table: as data, for whoever compares or replaces results of a range.
 *
 * Invariant: a row lies in one range only, and its place does not change once it is final. So a session belongs to where it ended: where it began may still move while it is open.
 */
import type { ResultTable } from '../contract/results.ts'
import { CLICKSTREAM, type InputTopic, ORDERS, TRIPS } from '../contract/topics.ts'
import { hours, type Job, minutes } from '../jobs/job.ts'
import { TOPOLOGY } from '../topology.ts'

/** Tables that a range can be replayed of. Outcomes are not among them: dead letters are counted there, and the lake's tables do not have those in log order. */
export type ReplayedTable = Exclude<ResultTable, 'outcomes_by_minute'>

export interface TableRange {
  readonly job: string
  readonly topics: readonly InputTopic[]
  /** The column whose value lies in the range. */
  readonly column: string
  /** A row is final once the watermark is so far beyond its `column`, give or take a bucket of timers. */
  readonly afterMs: number
  /** Columns that the lake can't tell: what travels in a record's headers is not kept there. */
  readonly untold: readonly string[]
}

export const SESSION_GAP_MS = minutes(30)

export const TABLE_RANGES: { readonly [T in ReplayedTable]: TableRange } = {
  sessions: { job: 'sessions', topics: [CLICKSTREAM], column: 'ended_at', afterMs: SESSION_GAP_MS, untold: [] },
  revenue_by_minute: { job: 'revenue', topics: [ORDERS], column: 'window_start', afterMs: minutes(1), untold: [] },
  traffic_by_minute: { job: 'traffic', topics: [CLICKSTREAM], column: 'window_start', afterMs: minutes(1), untold: [] },
  products_by_hour: {
    job: 'top-products',
    topics: [CLICKSTREAM, ORDERS],
    column: 'window_start',
    afterMs: hours(1),
    untold: [],
  },
  trips_by_region: { job: 'regions', topics: [TRIPS], column: 'window_start', afterMs: hours(1), untold: [] },
  fraud_alerts: { job: 'fraud-detector', topics: [ORDERS], column: 'last_at', afterMs: 0, untold: ['trace_id'] },
}

export const REPLAYED_TABLES = Object.keys(TABLE_RANGES) as ReplayedTable[]

/** Jobs that can be replayed, by name. */
export const REPLAYED_JOBS: readonly Job[] = TOPOLOGY.filter(({ name }) =>
  REPLAYED_TABLES.some((table) => TABLE_RANGES[table].job === name),
)

export const tablesOf = (jobs: readonly Job[]): ReplayedTable[] =>
  REPLAYED_TABLES.filter((table) => jobs.some(({ name }) => TABLE_RANGES[table].job === name))
