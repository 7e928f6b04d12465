/**
 * What a person does after an erasure was asked for is new, and is not erased. Here: by what a row of the lake, or of the warehouse, tells that it came behind the erasure's records.
 *
 * Rows of the log tell it by their place, as the streams do, so that both mean the same rows. What is derived of them has no place any more, and tells it by its time. Invariant: a row that can't be
 * told is erased; so is one of another log, whose places say nothing: it was appended before the erasure was asked for.
 */
import { CONVERSIONS_TABLE, DEAD_LETTERS_TABLE, RAW_TABLES } from '../../streams/contract/lake-tables.ts'
import { CLICKSTREAM, ORDERS, TRIPS } from '../../streams/contract/topics.ts'
import type { Later } from '../lake/index.ts'
import { NAMESPACE } from '../models/models.ts'
import type { LogPlace } from '../postgres/batch-schema.ts'

/** When it was that the person asked, and that the log was told. */
export interface Told {
  /** Epoch milliseconds. */
  requestedMs: number
  /** Epoch milliseconds; everything before the records was appended by then. */
  toldMs: number
  /** For each partition of topics that tell of persons: what lies before is erased. */
  places: readonly LogPlace[]
}

/** @param from where the partitions ended when the erasure began @param records where its records lie, in some of them */
export const placesOf = (from: readonly LogPlace[], records: readonly LogPlace[]): LogPlace[] =>
  from.map((begin) => {
    const there = records.filter(({ topic, partition }) => topic === begin.topic && partition === begin.partition)
    return { ...begin, offset: Math.max(begin.offset, ...there.map(({ offset }) => offset)) }
  })

type Telling = (told: Told) => Later

const ofTopic =
  (topic: string): Telling =>
  ({ requestedMs, places }) => ({
    column: 'log_appended_at',
    fromMs: requestedMs,
    place: { partition: 'log_partition', offset: 'log_offset', from: places.filter((each) => each.topic === topic) },
  })

const byTime =
  (column: string): Telling =>
  ({ toldMs }) => ({ column, fromMs: toldMs })

/** A letter is of the place of the record that died; a place of the topic of letters does not say when that was. */
const ofSource: Telling = ({ requestedMs, places }) => ({
  column: 'source_appended_at',
  fromMs: requestedMs,
  place: { topic: 'source_topic', partition: 'source_partition', offset: 'source_offset', from: places },
})

const model = (name: string, telling: Telling) => [`${NAMESPACE}.${name}`, telling] as const

/** Every table of the lake that tells of persons. */
export const TOLD_BY: ReadonlyMap<string, Telling> = new Map([
  [RAW_TABLES[CLICKSTREAM].name, ofTopic(CLICKSTREAM)],
  [RAW_TABLES[ORDERS].name, ofTopic(ORDERS)],
  // Keyed by its region: no record of an erasure lies among trips.
  [RAW_TABLES[TRIPS].name, byTime('log_appended_at')],
  [CONVERSIONS_TABLE.name, ofTopic(ORDERS)],
  [DEAD_LETTERS_TABLE.name, ofSource],
  model('stg_clickstream_events', ofTopic(CLICKSTREAM)),
  model('stg_orders', ofTopic(ORDERS)),
  model('stg_trips', byTime('log_appended_at')),
  model('int_sessions', byTime('started_at')),
  model('int_user_days', byTime('first_seen')),
  // Days alone: a version that began on the day of the request is erased, and is made anew with the next build of any day.
  model('dim_users', byTime('valid_from')),
  model('fact_events', byTime('event_time')),
  model('fact_transactions', byTime('event_time')),
])

/** @param table `namespace.table` @returns undefined: no row of it came later */
export const laterIn = (table: string, told: Told | null): Later | undefined =>
  told === null ? undefined : TOLD_BY.get(table)?.(told)
