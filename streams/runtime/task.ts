/**
 * A task: one partition of one topic, from its records to the rows, features and announcements that a flush writes.
 *
 *   record → decode → watermark → timers → deduplicate → operators → outcome
 *
 * An erasure record is no event: every operator forgets the person, and what stores know of them goes with the next flush.
 *
 * It does no I/O and reads no clock. Invariant: its whole state is a function of the partition's records up to `nextOffset`, so two tasks that have
 * read the same records are equal, however those came in batches and whatever was restored in between.
 */
import type { Decoder } from '../contract/codec.ts'
import { Undecodable } from '../contract/codec.ts'
import { isControl, readErasure } from '../contract/erasure.ts'
import { type EventOf, identityOf } from '../contract/events.ts'
import type { FeatureWrite } from '../contract/features.ts'
import type { AlertRow, Outcome, ResultRows, ResultTable } from '../contract/results.ts'
import { ALERTS, type InputTopic, LATE } from '../contract/topics.ts'
import { newDeadLetter } from '../dead-letters/dead-letter.ts'
import type { Job } from '../jobs/job.ts'
import type { LogRecord } from '../log/event-log.ts'
import { Deduplicator } from '../operators/deduplicate.ts'
import type { At, DrainMode, Operator, Output, StateSection } from '../operators/operator.ts'
import { operatorsFor } from '../topology.ts'
import { lateCauseOf } from './late-event.ts'
import { outcomeCounts } from './outcomes.ts'
import type { ForgottenSubject, OutboxRecord, RowsByTable } from './ports.ts'

/** How much later than the highest event time an event may come and still be on time. */
export const WATERMARK_DELAY_MS = 10_000
/**
 * A clock from the future moves stream time no further than this beyond the record's append time. Zero: anything more would, for as long, make
 * late what honest clients of the partition send now.
 */
export const FUTURE_CAP_MS = 0

export interface TaskOptions<T extends InputTopic> {
  topology: readonly Job[]
  topic: T
  partition: number
  /** Missing: the task is given events, by {@link Task.apply}. */
  decoder?: Decoder<EventOf[T]>
  encodeAlert: (row: AlertRow) => Buffer
  /** See RuntimeSettings. */
  hotEntries?: number
  /** For a task that begins in the middle of its partition: the stream time of the partition's first event, which the generations of deduplication are counted from. */
  dedupeOriginMs?: number
  /** Told of every event that is counted as late or duplicate; `job` is `*` where no job saw it. */
  onRefused?: (refusal: { record: LogRecord; event: EventOf[T]; job: string; outcome: Outcome }) => void
  /** Told of a record whose trace an operator notes, because it completes something. */
  onNoted?: (record: LogRecord, event: EventOf[T]) => void
}

/** An alert that is to be announced. */
export interface Announcement {
  /** Of its record in the outbox. */
  id: string
  job: string
  row: AlertRow
}

/** What a flush takes from a task. */
export interface Drained {
  rows: RowsByTable
  forgotten: ForgottenSubject[]
  features: FeatureWrite[]
  outbox: OutboxRecord[]
  /** Of the outbox: the alerts. */
  alerts: Announcement[]
}

export interface TaskCounters {
  events: number
  outcomes: Record<Outcome, number>
}

interface SavedProgress {
  streamTimeMs: number
  featureGeneration: string
  events: number
  late: number
  duplicate: number
  dead_letter: number
}

const TRACE_PARENT = /^00-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}$/

export class Task<T extends InputTopic = InputTopic> {
  readonly topic: T
  readonly partition: number
  readonly counters: TaskCounters = { events: 0, outcomes: { late: 0, duplicate: 0, dead_letter: 0 } }
  /** The offset of the next record to process. */
  nextOffset = 0
  /** Of the feature store that holds this task's features but for those awaiting publication; empty while unknown. Saved with them. */
  featureGeneration = ''
  /** Highest event time, capped: the stream time that the watermark follows. */
  streamTimeMs = Number.NEGATIVE_INFINITY

  readonly #decoder: Decoder<EventOf[T]> | undefined
  readonly #operators: Operator<EventOf[T]>[]
  readonly #outcomes
  readonly #dedupe: Deduplicator
  readonly #onRefused: TaskOptions<T>['onRefused']
  readonly #identity: (event: EventOf[T]) => string
  readonly #encodeAlert: (row: AlertRow) => Buffer
  readonly #at: Place<EventOf[T]>
  #outbox: OutboxRecord[] = []
  #forgotten: ForgottenSubject[] = []

  constructor(options: TaskOptions<T>) {
    this.topic = options.topic
    this.partition = options.partition
    this.#decoder = options.decoder
    this.#dedupe = new Deduplicator(undefined, options.dedupeOriginMs)
    this.#onRefused = options.onRefused
    this.#encodeAlert = options.encodeAlert
    this.#operators = operatorsFor(options.topology, options.topic, options.partition, options.hotEntries)
    this.#outcomes = outcomeCounts(options.topic)(options.partition)
    this.#identity = identityOf[options.topic] as (event: EventOf[T]) => string
    this.#at = new Place(options.topic, options.partition, options.onNoted)
  }

  get watermarkMs(): number {
    return this.streamTimeMs - WATERMARK_DELAY_MS
  }

  /** Fetches what decoding these records will need; undefined when nothing is. */
  prepare(records: readonly LogRecord[]): Promise<void> | undefined {
    return this.#decoder?.prepare(records)
  }

  /** @throws an operator's own error: a bug, after which this task must not go on */
  process(records: readonly LogRecord[]): void {
    for (const record of records) {
      // A subscription may deliver again what was read before a rebalance.
      if (record.offset < this.nextOffset) continue
      if (isControl(record)) this.#forget(record)
      else {
        const event = this.#decode(record)
        if (event !== null) this.#applyOne(record, event)
      }
      this.nextOffset = record.offset + 1
    }
  }

  /** Does what {@link process} does, with a record that somebody else has decoded: its value is not looked at. */
  apply(record: LogRecord, event: EventOf[T]): void {
    if (record.offset < this.nextOffset) return
    this.#stand(record)
    this.#applyOne(record, event)
    this.nextOffset = record.offset + 1
  }

  #stand(record: LogRecord): void {
    this.#at.offset = record.offset
    this.#at.record = record
  }

  /** @returns null for a dead letter */
  #decode(record: LogRecord): EventOf[T] | null {
    if (!this.#decoder) throw new Error('A task without a decoder is given events, not records.')
    this.#stand(record)
    try {
      return this.#decoder.decode(record.value, {
        appendedAtMs: record.appendedAtMs,
        partition: this.partition,
        offset: record.offset,
      })
    } catch (error) {
      if (!(error instanceof Undecodable)) throw error
      this.#deadLetter(record, error)
      return null
    }
  }

  /** Ids of events stay known for a while, as fingerprints of which nobody reads an id: what is sent again is still a duplicate. */
  #forget(record: LogRecord): void {
    this.#stand(record)
    let subjectId: string
    try {
      subjectId = readErasure(record).subject_id
    } catch (error) {
      // It would be passed over silently, and somebody waits for it.
      this.#deadLetter(record, new Undecodable('unknown_format', (error as Error).message))
      return
    }
    for (const operator of this.#operators) operator.forget(subjectId, this.#at)
    this.#forgotten.push({ topic: this.topic, partition: this.partition, position: record.offset, subjectId })
  }

  #applyOne(record: LogRecord, event: EventOf[T]): void {
    const at = this.#at
    at.event = event
    this.counters.events++
    const streamTime = Math.min(event.event_time, record.appendedAtMs + FUTURE_CAP_MS)
    if (streamTime > this.streamTimeMs) {
      this.streamTimeMs = streamTime
      at.watermarkMs = streamTime - WATERMARK_DELAY_MS
    }
    if (this.#outcomes.nextTimerMs <= at.watermarkMs) this.#outcomes.advance(at)
    // Also a duplicate moves time on, so timers come first.
    for (const operator of this.#operators) if (operator.nextTimerMs <= at.watermarkMs) operator.advance(at)
    if (!this.#dedupe.isNew(this.#identity(event), this.streamTimeMs)) {
      this.#count('*', 'duplicate', 'seen_before')
      this.#onRefused?.({ record, event, job: '*', outcome: 'duplicate' })
      return
    }
    for (const operator of this.#operators) {
      if (operator.process(event, at) !== 'late') continue
      this.#late(record, operator.name, event.event_time)
      this.#onRefused?.({ record, event, job: operator.name, outcome: 'late' })
    }
  }

  #count(job: string, outcome: Outcome, reason: string): void {
    this.counters.outcomes[outcome]++
    this.#outcomes.process({ event_time: this.streamTimeMs, job, outcome, reason }, this.#at)
  }

  #late(record: LogRecord, job: string, eventTimeMs: number): void {
    this.#count(job, 'late', 'window_closed')
    this.#outbox.push({
      id: lateCauseOf({ topic: this.topic, partition: this.partition, offset: record.offset }, job),
      topic: LATE,
      key: record.key,
      value: record.value,
      headers: {
        ...record.headers,
        topic: this.topic,
        partition: String(this.partition),
        offset: String(record.offset),
        job,
        late_by_ms: String(this.watermarkMs - eventTimeMs),
      },
    })
  }

  #deadLetter(record: LogRecord, error: Undecodable): void {
    // Before the first readable record there is no stream time; the append time stands in.
    if (this.streamTimeMs === Number.NEGATIVE_INFINITY) {
      this.counters.outcomes.dead_letter++
      this.#outcomes.process(
        { event_time: record.appendedAtMs, job: '*', outcome: 'dead_letter', reason: error.reason },
        this.#at,
      )
    } else this.#count('*', 'dead_letter', error.reason)
    this.#outbox.push(newDeadLetter(this, record, error))
  }

  /**
   * Hands over what has changed since the last call.
   * @param limit about how many provisional rows and features per operator at most
   */
  drain(mode: DrainMode, limit: number): { drained: Drained; more: boolean } {
    const drained: Drained = { rows: {}, forgotten: this.#forgotten, features: [], outbox: this.#outbox, alerts: [] }
    this.#outbox = []
    this.#forgotten = []
    let more = false
    for (const operator of [...this.#operators, this.#outcomes]) {
      const output = collector(drained, this.#encodeAlert, this.topic, operator.name)
      if (operator.drain(output, mode, limit)) more = true
    }
    return { drained, more }
  }

  /** Marks all features for writing, to a store that has lost them or never had them. */
  republishFeatures(generation: string): void {
    for (const operator of this.#operators) operator.republish?.()
    this.featureGeneration = generation
  }

  /** The parts of the state, in a fixed order, for checkpoints. */
  get state(): readonly StateSection[] {
    return [this.#progress, this.#dedupe.state, ...this.#outcomes.state, ...this.#operators.flatMap((o) => o.state)]
  }

  readonly #progress: StateSection = {
    name: 'progress',
    schema: {
      type: 'record',
      name: 'Progress',
      fields: [
        { name: 'streamTimeMs', type: 'double' },
        ...['events', 'late', 'duplicate', 'dead_letter'].map((name) => ({ name, type: 'long' as const })),
        { name: 'featureGeneration', type: 'string', default: '' },
      ],
    },
    changes: () => ({
      deletes: [],
      upserts: [
        [
          'task',
          {
            streamTimeMs: this.streamTimeMs,
            featureGeneration: this.featureGeneration,
            events: this.counters.events,
            ...this.counters.outcomes,
          },
        ],
      ],
    }),
    restore: (_key, value) => {
      const { streamTimeMs, featureGeneration, events, late, duplicate, dead_letter } = value as SavedProgress
      this.streamTimeMs = streamTimeMs
      this.featureGeneration = featureGeneration
      this.#at.watermarkMs = streamTimeMs - WATERMARK_DELAY_MS
      this.counters.events = events
      Object.assign(this.counters.outcomes, { late, duplicate, dead_letter })
    },
  }
}

/** Where the task stands. The trace of a record is looked for when an operator asks for it: of most records nobody does. */
class Place<E> implements At {
  readonly topic: string
  readonly partition: number
  offset = -1
  watermarkMs = Number.NEGATIVE_INFINITY
  record: LogRecord | undefined
  event: E | undefined
  readonly #onNoted: ((record: LogRecord, event: E) => void) | undefined

  constructor(topic: string, partition: number, onNoted: ((record: LogRecord, event: E) => void) | undefined) {
    this.topic = topic
    this.partition = partition
    this.#onNoted = onNoted
  }

  get traceId(): string | null {
    const parent = this.record?.headers?.traceparent
    const traceId = parent ? (TRACE_PARENT.exec(parent)?.[1] ?? null) : null
    if (traceId !== null) this.#onNoted?.(this.record as LogRecord, this.event as E)
    return traceId
  }
}

function collector(into: Drained, encodeAlert: (row: AlertRow) => Buffer, topic: string, operator: string): Output {
  return {
    row<N extends ResultTable>(table: N, row: ResultRows[N]) {
      const rows = into.rows[table] as ResultRows[N][] | undefined
      if (rows) rows.push(row)
      else (into.rows as Record<ResultTable, unknown[]>)[table] = [row]
    },
    feature(write) {
      into.features.push(write)
    },
    alert(row) {
      const id = `alert/${row.alert_id}/${topic}/${row.partition}/${row.position}`
      const headers = row.trace_id ? { headers: { trace_id: row.trace_id } } : {}
      into.outbox.push({ id, topic: ALERTS, key: row.user_id, value: encodeAlert(row), ...headers })
      into.alerts.push({ id, job: jobOf(operator), row })
    },
  }
}

/** Of an operator's name, which is the job's or begins with it. */
const jobOf = (operator: string): string => operator.split('/')[0]!
