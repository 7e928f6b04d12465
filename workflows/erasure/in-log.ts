/**
 * An erasure in the log: its records are appended once, and then it is waited until retention has removed what lies before them, and them too.
 *
 * Invariant: an attempt made again finds the records of the one before, by the erasure's id, in what was appended since the erasure began: so each is known by its offset, and none is taken for a gap.
 */
import type { LogPlace } from '../../db/postgres/batch-schema.ts'
import { erasureRecord, isControl, readErasure } from '../../streams/contract/erasure.ts'
import { CLICKSTREAM, ORDERS, type Topic, TRIPS } from '../../streams/contract/topics.ts'
import type { EventLog, TopicPartition } from '../../streams/log/event-log.ts'

type Log = Pick<EventLog, 'append' | 'bounds' | 'read' | 'partitionCount'>

/** What the subject's records are keyed by: nothing of a person is in a trip. */
const KEYED_BY_PERSON = [CLICKSTREAM, ORDERS] as const
const READ = 2_000

/** Whether a topic's records may tell of a person. */
export const isPersonal = ({ name }: Pick<Topic, 'name'>): boolean => name !== TRIPS

/** For each partition of the topics, the offset that its next record will get. */
export async function endsOf(log: Log, topics: readonly Pick<Topic, 'name'>[]): Promise<LogPlace[]> {
  const ends: LogPlace[] = []
  for (const at of await partitionsOf(log, topics)) ends.push({ ...at, offset: (await log.bounds(at)).next })
  return ends
}

async function partitionsOf(log: Log, topics: readonly Pick<Topic, 'name'>[]): Promise<TopicPartition[]> {
  const all: TopicPartition[] = []
  for (const { name: topic } of topics) {
    const count = await log.partitionCount(topic)
    for (let partition = 0; partition < count; partition++) all.push({ topic, partition })
  }
  return all
}

export interface ToAppend {
  erasureId: string
  ids: readonly string[]
  /** Where the partitions ended when the erasure began. */
  from: readonly LogPlace[]
  requestedAt: number
  signal: AbortSignal
}

/** @returns where the erasure records lie, those of earlier attempts too */
export async function appendRecords(
  log: Log,
  { erasureId, ids, from, requestedAt, signal }: ToAppend,
): Promise<LogPlace[]> {
  const found: LogPlace[] = []
  const there = new Set<string>()
  for (const begin of from) {
    if (!KEYED_BY_PERSON.some((name) => name === begin.topic)) continue
    for await (const { offset, subjectId } of recordsOf(log, begin, erasureId, signal)) {
      found.push({ topic: begin.topic, partition: begin.partition, offset })
      there.add(`${begin.topic} ${subjectId}`)
    }
  }
  const lacking = KEYED_BY_PERSON.flatMap((topic) =>
    ids
      .filter((id) => !there.has(`${topic} ${id}`))
      .map((subject_id) => erasureRecord(topic, { erasure_id: erasureId, subject_id, requested_at: requestedAt })),
  )
  const appended = lacking.length === 0 ? [] : await log.append(lacking)
  return [...found, ...appended.map(({ topic, partition, offset }) => ({ topic, partition, offset }))]
}

async function* recordsOf(
  log: Log,
  { topic, partition, offset: begin }: LogPlace,
  erasureId: string,
  signal: AbortSignal,
) {
  const at = { topic, partition }
  const { earliest, next } = await log.bounds(at)
  for (let offset = Math.max(begin, earliest); offset < next; ) {
    signal.throwIfAborted()
    const records = await log.read(at, offset, READ)
    for (const record of records) {
      if (record.offset >= next || !isControl(record)) continue
      const { erasure_id, subject_id } = readErasure(record)
      if (erasure_id === erasureId) yield { offset: record.offset, subjectId: subject_id }
    }
    const last = records.at(-1)
    if (!last) return
    offset = last.offset + 1
  }
}

/** Partitions that still hold a record from before their end of then. */
export async function stillHeld(log: Log, ends: readonly LogPlace[]): Promise<LogPlace[]> {
  const held: LogPlace[] = []
  for (const end of ends) if ((await log.bounds(end)).earliest < end.offset) held.push(end)
  return held
}

/** When all that lies before these ends will have gone, by the retention that the topics are declared with. */
export const goneByMs = (held: readonly LogPlace[], topics: readonly Topic[], endedMs: number): number =>
  endedMs +
  Math.max(0, ...topics.filter(({ name }) => held.some(({ topic }) => topic === name)).map((t) => t.retentionMs))
