/**
 * The topics, as data: what is in the log, how it is keyed, how long it is kept.
 *
 * Everything that needs to know a topic (the embedded log, `streamforge topics` on Kafka, the edge, the jobs) reads it here.
 */

import { changeTopic } from './cdc.ts'

/** One topic of the log. `partitions` is fixed at creation: a key must stay in its partition. */
export interface Topic {
  readonly name: string
  readonly partitions: number
  readonly retentionMs: number
  /** What the record key is, in words, for people and for the docs. */
  readonly key: string
}

const DAY_MS = 24 * 60 * 60 * 1000

const topic = (name: string, key: string, retentionDays: number, partitions: number): Topic => ({
  name,
  key,
  partitions,
  retentionMs: retentionDays * DAY_MS,
})

export const CLICKSTREAM = 'clickstream.events'
export const ORDERS = 'transactions.orders'
export const TRIPS = 'trips.completed'
export const ALERTS = 'alerts.fraud'
export const LATE = 'late.events'

/** The topics that clients fill through the edge. */
export const INPUT_TOPICS = [CLICKSTREAM, ORDERS, TRIPS] as const
export type InputTopic = (typeof INPUT_TOPICS)[number]

/** The tables of a shop whose changes the CDC source brings and the projector reads, by schema and name. */
export const CDC_TABLES = ['public.products', 'public.orders', 'public.order_items'] as const
/** Their topics, in Debezium's form: see `cdc.ts`. No client fills them, and no job reads them. */
export const CDC_TOPICS = CDC_TABLES.map(changeTopic)

/** Where records go that a reader of `topicName` could not apply. */
export const deadLetterTopic = (topicName: string): string => `dlq.${topicName}`

export const TOPICS: readonly Topic[] = [
  topic(CLICKSTREAM, 'user_id, else anonymous_id', 7, 4),
  topic(ORDERS, 'user_id', 7, 4),
  topic(TRIPS, 'region_id', 7, 4),
  topic(ALERTS, 'user_id', 30, 1),
  topic(LATE, 'the original key', 7, 1),
  ...CDC_TOPICS.map((name) => topic(name, 'the primary key, as JSON', 7, 4)),
  ...[...INPUT_TOPICS, ...CDC_TOPICS].map((name) => topic(deadLetterTopic(name), 'the original key', 30, 1)),
]

const byName = new Map(TOPICS.map((t) => [t.name, t]))

/** @throws Error when the name is not one of {@link TOPICS}. */
export function topicNamed(name: string): Topic {
  const found = byName.get(name)
  if (!found) throw new Error(`Unknown topic "${name}". Known: ${[...byName.keys()].join(', ')}.`)
  return found
}
