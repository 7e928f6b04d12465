/**
 * The broker-free driver: feeds events to jobs and shows what they answer. No log, no store, no clock: event time advances with the input.
 *
 * It runs the very task that the runtime runs, so what it shows (dedupe, lateness, finality, dead letters) is what production does.
 * The manual in `streams/guide` is written with it.
 */
import { createMemoryResults, type MemoryResults } from '../../db/testing/memory-results.ts'
import { createAlertEncoder, createDecoder, createEncoder, type Decoder, type Encoder } from '../contract/codec.ts'
import { type EventOf, keyOf } from '../contract/events.ts'
import type { FeatureParts } from '../contract/features.ts'
import { parseEvent } from '../contract/input.ts'
import { partitionOf } from '../contract/partition.ts'
import type { AlertRow, Outcome, ResultRows, ResultTable } from '../contract/results.ts'
import { ALERTS, INPUT_TOPICS, type InputTopic, topicNamed } from '../contract/topics.ts'
import type { Job } from '../jobs/job.ts'
import { encodeState, restoreState } from '../runtime/checkpoint-file.ts'
import type { OutboxRecord } from '../runtime/ports.ts'
import { Task } from '../runtime/task.ts'
import { createMemoryRegistry } from './memory-registry.ts'

export interface DriverOptions {
  jobs: readonly Job[]
  /** Append time of the records, and the received time of events that have no time. Default 2026-01-15T12:00:00Z. */
  startMs?: number
  currency?: string
}

export interface Driver {
  /** Sends one event in its HTTP form (snake_case, ISO times, decimal amounts); its key decides the partition. */
  send(topic: InputTopic, event: Record<string, unknown>): Promise<void>
  /** Sends bytes as they are, to partition 0 of the topic. */
  sendBytes(topic: InputTopic, value: Buffer): Promise<void>
  /** The table's rows as PostgreSQL would hold them now, sorted by key. */
  rows<T extends ResultTable>(table: T): Promise<ResultRows[T][]>
  features(userId: string): Promise<Partial<FeatureParts>>
  /** Announcements so far, by topic: alerts.fraud, late.events, dlq.*. */
  published(topic: string): Promise<OutboxRecord[]>
  /** Announced alerts, decoded. */
  alerts(): Promise<AlertRow[]>
  /** How many records of all partitions were refused, by outcome. */
  outcomes(): Record<Outcome, number>
  /** Saves all state to bytes, throws the tasks away, and goes on from the bytes: what a crash does. */
  restart(): Promise<void>
}

interface Lane {
  task: Task
  next: number
}

export async function createDriver({
  jobs,
  startMs = Date.UTC(2026, 0, 15, 12),
  currency = 'TRY',
}: DriverOptions): Promise<Driver> {
  const registry = createMemoryRegistry()
  const encodeAlert = await createAlertEncoder(registry)
  const encoders = new Map<InputTopic, Encoder<never>>()
  const decoders = new Map<InputTopic, Decoder<never>>()
  for (const topic of INPUT_TOPICS) {
    encoders.set(topic, (await createEncoder(topic, registry)) as Encoder<never>)
    decoders.set(topic, createDecoder(topic, registry, currency) as Decoder<never>)
  }
  const memory: MemoryResults = createMemoryResults()
  const features = new Map<string, Partial<FeatureParts>>()
  const published: OutboxRecord[] = []
  const alertRows: AlertRow[] = []
  const lanes = new Map<string, Lane>()
  let ids = 0

  const newTask = (topic: InputTopic, partition: number): Task =>
    new Task({
      topology: jobs,
      topic,
      partition,
      decoder: decoders.get(topic) as Decoder<EventOf[InputTopic]>,
      encodeAlert: (row) => {
        alertRows.push(row)
        return encodeAlert(row)
      },
    })

  function lane(topic: InputTopic, partition: number): Lane {
    const key = `${topic}-${partition}`
    let found = lanes.get(key)
    if (!found) {
      found = { task: newTask(topic, partition), next: 0 }
      lanes.set(key, found)
    }
    return found
  }

  async function append(topic: InputTopic, partition: number, key: string | null, value: Buffer): Promise<void> {
    const to = lane(topic, partition)
    const record = { offset: to.next++, appendedAtMs: startMs, key, value }
    await to.task.prepare([record])
    to.task.process([record])
  }

  async function flush(): Promise<void> {
    for (const { task } of lanes.values()) {
      const { drained } = task.drain('everything', Number.MAX_SAFE_INTEGER)
      for (const write of drained.features)
        features.set(write.userId, { ...features.get(write.userId), [write.part]: write.value })
      published.push(...(await memory.results.apply({ rows: drained.rows, outbox: drained.outbox, progress: [] })))
      await memory.results.markPublished(drained.outbox.map((r) => r.id))
    }
  }

  return {
    async send(topic, raw) {
      const parsed = parseEvent(topic, raw, { receivedAt: startMs, currency, newId: () => `driver-${ids++}` })
      if (!parsed.ok) throw new Error(`not an event of ${topic}: ${parsed.problem.message}`)
      const event = parsed.event as never
      const key = (keyOf[topic] as (e: never) => string)(event)
      await append(
        topic,
        partitionOf(key, topicNamed(topic).partitions),
        key,
        (encoders.get(topic) as Encoder<never>)(event),
      )
    },
    sendBytes: (topic, value) => append(topic, 0, null, value),
    async rows(table) {
      await flush()
      return memory.rows(table)
    },
    async features(userId) {
      await flush()
      return features.get(userId) ?? {}
    },
    async published(topic) {
      await flush()
      return published.filter((r) => r.topic === topic)
    },
    async alerts() {
      await flush()
      const announced = new Set(published.filter((r) => r.topic === ALERTS).map((r) => r.id))
      return announced.size > 0 ? [...alertRows] : []
    },
    outcomes() {
      const sum: Record<Outcome, number> = { late: 0, duplicate: 0, dead_letter: 0 }
      for (const { task } of lanes.values()) {
        for (const outcome of Object.keys(sum) as Outcome[]) sum[outcome] += task.counters.outcomes[outcome]
      }
      return sum
    },
    async restart() {
      await flush()
      for (const [key, old] of lanes) {
        const saved = encodeState(old.task.state, true)
        const task = newTask(old.task.topic, old.task.partition)
        restoreState(task.state, [saved])
        task.nextOffset = old.task.nextOffset
        lanes.set(key, { task, next: old.next })
      }
    },
  }
}
