/**
 * The broker-free driver: feeds events to jobs and shows what they answer. No broker, no database, no wall clock: time advances with the input.
 *
 * It runs the very task that the runtime runs, over stores that answer as the real ones do, so what it shows (dedupe, lateness, finality, versions,
 * dead letters, recovery) is what production does. The manual in `streams/guide` is written with it.
 */
import { createMemoryFeatures } from '../../db/testing/memory-features.ts'
import { createMemoryResults, type MemoryResults } from '../../db/testing/memory-results.ts'
import { assembleFeatures, type UserFeatures } from '../contract/assemble-features.ts'
import { ALERT_SCHEMA, avroType } from '../contract/avro.ts'
import { createAlertEncoder, createDecoder, createEncoder, type Decoder, type Encoder } from '../contract/codec.ts'
import { erasureRecord } from '../contract/erasure.ts'
import { type EventOf, keyOf } from '../contract/events.ts'
import type { FeatureParts } from '../contract/features.ts'
import { parseEvent } from '../contract/input.ts'
import { partitionOf } from '../contract/partition.ts'
import type { AlertRow, Outcome, ResultRows, ResultTable } from '../contract/results.ts'
import { toEpochMs } from '../contract/time-text.ts'
import { ALERTS, CLICKSTREAM, INPUT_TOPICS, type InputTopic, ORDERS, topicNamed } from '../contract/topics.ts'
import { WIRE_HEADER_BYTES } from '../contract/wire-format.ts'
import type { Job } from '../jobs/job.ts'
import type { LogRecord } from '../log/event-log.ts'
import { encodeState, restoreState } from '../runtime/checkpoint-file.ts'
import type { OutboxRecord } from '../runtime/ports.ts'
import { Task } from '../runtime/task.ts'
import { fieldsRead } from '../topology.ts'
import { createMemoryRegistry } from './memory-registry.ts'

export interface DriverOptions {
  jobs: readonly Job[]
  /** The driver's time at first: records are appended at it, and events without a time get it. Default 2026-01-15T12:00:00Z. */
  startMs?: number
  currency?: string
}

/** What `alerts.fraud` carries of an alert. */
export type AnnouncedAlert = Omit<AlertRow, 'final' | 'partition' | 'position'>

export interface Driver {
  /**
   * Sends one event in its HTTP form (snake_case, ISO times, decimal amounts); its key decides the partition. The driver's time moves on to the
   * event's, as if it arrived the moment it happened. With `arrives` (ISO) it comes at that time: a clock from the future, or a late arrival.
   * @throws Error when the edge would refuse the event
   */
  send(topic: InputTopic, event: Record<string, unknown>, at?: { arrives: string }): Promise<void>
  /** Sends bytes as they are, to partition 0 of the topic. */
  sendBytes(topic: InputTopic, value: Buffer): Promise<void>
  /** Has a person forgotten: an erasure record in every topic that may know of them. */
  forget(subjectId: string): Promise<void>
  /** The table's rows as PostgreSQL would hold them now, sorted by key. */
  rows<T extends ResultTable>(table: T): Promise<ResultRows[T][]>
  /** The parts of a user's features, as the jobs wrote them. */
  features(userId: string): Promise<Partial<FeatureParts>>
  /** The features as the API answers them at this time (ISO). */
  featuresAt(userId: string, time: string): Promise<UserFeatures>
  /** Announcements so far, by topic: alerts.fraud, late.events, dlq.*. */
  published(topic: string): Promise<OutboxRecord[]>
  /** The alerts announced so far, as a reader of the topic `alerts.fraud` decodes them. */
  alerts(): Promise<AnnouncedAlert[]>
  /** How many records of all partitions were refused, by outcome. */
  outcomes(): Record<Outcome, number>
  /** The watermark of the partition that `key` belongs to, epoch ms; null before its first event. */
  watermark(topic: InputTopic, key: string): number | null
  /** Writes what there is to write, and saves all state: what the runtime does every few seconds. */
  checkpoint(): Promise<void>
  /** A checkpoint, and fresh tasks that go on from its bytes: an orderly restart. */
  restart(): Promise<void>
  /** Fresh tasks from the last checkpoint, which read again what came after it. What was not yet written is lost first. */
  crash(): Promise<void>
}

/** A partition: its log, the task that reads it, and the newest checkpoint. */
interface Lane {
  task: Task
  log: LogRecord[]
  saved: { state: Buffer; nextOffset: number } | null
}

export async function createDriver({
  jobs,
  startMs = Date.UTC(2026, 0, 15, 12),
  currency = 'TRY',
}: DriverOptions): Promise<Driver> {
  const registry = createMemoryRegistry()
  const encodeAlert = await createAlertEncoder(registry)
  const alertType = avroType(ALERT_SCHEMA)
  const encoders = new Map<InputTopic, Encoder<never>>()
  const decoders = new Map<InputTopic, Decoder<EventOf[InputTopic]>>()
  for (const topic of INPUT_TOPICS) {
    encoders.set(topic, (await createEncoder(topic, registry)) as Encoder<never>)
    decoders.set(topic, createDecoder(topic, registry, currency, undefined, fieldsRead(jobs, topic)))
  }
  const memory: MemoryResults = createMemoryResults()
  const features = createMemoryFeatures()
  const published: OutboxRecord[] = []
  const lanes = new Map<string, Lane>()
  let nowMs = startMs
  let ids = 0

  const newTask = (topic: InputTopic, partition: number): Task =>
    new Task<InputTopic>({
      topology: jobs,
      topic,
      partition,
      decoder: decoders.get(topic) as Decoder<EventOf[InputTopic]>,
      encodeAlert,
    })

  function laneOf(topic: InputTopic, partition: number): Lane {
    const key = `${topic}-${partition}`
    let lane = lanes.get(key)
    if (!lane) {
      lane = { task: newTask(topic, partition), log: [], saved: null }
      lanes.set(key, lane)
    }
    return lane
  }
  const partitionOfKey = (topic: InputTopic, key: string): number => partitionOf(key, topicNamed(topic).partitions)

  async function append(
    lane: Lane,
    key: string | null,
    value: Buffer,
    appendedAtMs: number,
    headers?: Record<string, string>,
  ): Promise<void> {
    const record = { offset: lane.log.length, appendedAtMs, key, value, ...(headers && { headers }) }
    lane.log.push(record)
    await lane.task.prepare([record])
    lane.task.process([record])
  }

  /** One after the other, as a flush does: rows, features, announcements. */
  async function flush(): Promise<void> {
    for (const { task } of lanes.values()) {
      const { drained } = task.drain('everything', Number.MAX_SAFE_INTEGER)
      const { rows, forgotten, outbox } = drained
      const due = await memory.results.apply({ rows, forgotten, outbox, progress: [] })
      await features.write(drained.features)
      published.push(...due)
      await memory.results.markPublished(due.map((r) => r.id))
    }
  }

  async function checkpoint(): Promise<void> {
    await flush()
    for (const lane of lanes.values())
      lane.saved = { state: encodeState(lane.task.state, true), nextOffset: lane.task.nextOffset }
  }

  async function recover(): Promise<void> {
    for (const lane of lanes.values()) {
      lane.task = newTask(lane.task.topic, lane.task.partition)
      restoreState(lane.task.state, lane.saved ? [lane.saved.state] : [])
      lane.task.nextOffset = lane.saved?.nextOffset ?? 0
      const again = lane.log.slice(lane.task.nextOffset)
      await lane.task.prepare(again)
      lane.task.process(again)
    }
  }

  return {
    async send(topic, raw, at) {
      const appendedAtMs = at ? toEpochMs(at.arrives) : Math.max(nowMs, timeOf(raw))
      const parsed = parseEvent(topic, raw, { receivedAt: appendedAtMs, currency, newId: () => `driver-${ids++}` })
      if (!parsed.ok) throw new Error(`not an event of ${topic}: ${parsed.problem.message}`)
      nowMs = Math.max(nowMs, appendedAtMs)
      const event = parsed.event as never
      const key = (keyOf[topic] as (e: never) => string)(event)
      const value = (encoders.get(topic) as Encoder<never>)(event)
      await append(laneOf(topic, partitionOfKey(topic, key)), key, value, appendedAtMs)
    },
    async forget(subjectId) {
      const erasure = { erasure_id: `erasure-${ids++}`, subject_id: subjectId, requested_at: nowMs }
      for (const topic of [CLICKSTREAM, ORDERS] as const) {
        const { key, value, headers } = erasureRecord(topic, erasure)
        await append(laneOf(topic, partitionOfKey(topic, key)), key, value, nowMs, headers)
      }
    },
    sendBytes: (topic, value) => append(laneOf(topic, 0), null, value, nowMs),
    async rows(table) {
      await flush()
      return memory.rows(table)
    },
    async features(userId) {
      await flush()
      const stored = (await features.read(userId)) ?? {}
      return Object.fromEntries(Object.entries(stored).map(([part, { value }]) => [part, value]))
    },
    async featuresAt(userId, time) {
      await flush()
      return assembleFeatures((await features.read(userId)) ?? {}, toEpochMs(time))
    },
    async published(topic) {
      await flush()
      return published.filter((r) => r.topic === topic)
    },
    async alerts() {
      await flush()
      return published
        .filter((r) => r.topic === ALERTS)
        .map((r) => ({ ...alertType.fromBuffer(Buffer.from(r.value).subarray(WIRE_HEADER_BYTES)) }) as AnnouncedAlert)
    },
    outcomes() {
      const sum: Record<Outcome, number> = { late: 0, duplicate: 0, dead_letter: 0 }
      for (const { task } of lanes.values()) {
        for (const outcome of Object.keys(sum) as Outcome[]) sum[outcome] += task.counters.outcomes[outcome]
      }
      return sum
    },
    watermark(topic, key) {
      const ms = lanes.get(`${topic}-${partitionOfKey(topic, key)}`)?.task.watermarkMs
      return ms === undefined || ms === Number.NEGATIVE_INFINITY ? null : ms
    },
    checkpoint,
    async restart() {
      await checkpoint()
      await recover()
    },
    crash: recover,
  }
}

/** The time an event says it happened; −Infinity where it says none, so that it takes the driver's. */
function timeOf(raw: Record<string, unknown>): number {
  const time = raw.event_time
  const ms = typeof time === 'string' || typeof time === 'number' ? toEpochMs(time) : Number.NaN
  return Number.isNaN(ms) ? Number.NEGATIVE_INFINITY : ms
}
