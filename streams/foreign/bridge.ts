/**
 * The bridge: reads foreign topics in a consumer group of its own and appends their rows to our topics as events like any other; a row that becomes none goes to
 * `dlq.<foreign topic>` with its reason, and one that says that whom it is about does not agree is let go and counted. Runs in the streams role, in as many processes as like.
 *
 * Invariant: the group's offset is committed when what was read is durable in our topics. So nothing is lost; and what a crash between the two makes the next owner read
 * again are the same events under the same ids, which the streams know for duplicates within their horizon (ten minutes of stream time; later they are late).
 */
import { createEncoder, type Encoder, type SchemaRegistry } from '../contract/codec.ts'
import { type AnyEvent, keyOf } from '../contract/events.ts'
import type { InputTopic } from '../contract/topics.ts'
import { deadLetterRecord } from '../dead-letters/dead-letter.ts'
import {
  type EventLog,
  type LogRecord,
  type LogSubscription,
  type NewRecord,
  partitionKey,
  type RecordBatch,
  type TopicPartition,
} from '../log/event-log.ts'
import { liveAgain } from '../runtime/lives.ts'
import { retrying } from '../runtime/retry.ts'
import { createTurns } from '../runtime/turns.ts'
import type { Clock } from '../time/clock.ts'
import { type Converter, createConverter } from './convert.ts'
import type { ForeignTopic } from './foreign-topic.ts'
import { Merge, type Row } from './merge.ts'

export const FOREIGN_GROUP = 'streamforge-foreign'

/** The header by which a record of the bridge's tells where it comes from. */
export const FOREIGN = 'foreign'

/** What the bridge tells about itself. */
export interface BridgeObserver {
  forwarded?(
    at: TopicPartition,
    counts: { events: number; deadLetters: number; withoutConsent: number; lag: number },
  ): void
  /** Retention has removed what was not yet read: it goes on behind the gap. */
  lost?(at: TopicPartition, records: number): void
  /** The topic has fewer records than had been read: it was made anew, and is read from its beginning. */
  madeAnew?(at: TopicPartition): void
  retrying?(what: string, error: Error, delayMs: number): void
  /** Reading has failed and begins again after the pause. */
  failed?(error: Error, pauseMs: number): void
}

export interface BridgeDeps {
  log: EventLog
  registry: SchemaRegistry
  clock: Clock
  currency: string
  topics: readonly ForeignTopic[]
  observer?: BridgeObserver
  group?: string
}

export interface Bridge {
  /** Runs until {@link stop}; never rejects: a foreign topic that can't be read is tried again, and the jobs have nothing to do with it. */
  run(): Promise<void>
  stop(): Promise<void>
}

interface PendingRow extends Row {
  /** Null: it is let go. */
  readonly record: NewRecord | null
  readonly becomes: 'events' | 'deadLetters' | 'withoutConsent'
}

/** One append ends with the row that passes either. */
const APPEND_RECORDS = 1_000
const APPEND_BYTES = 4 * 1024 * 1024
/** What the edge takes: DESIGN's limit of an event. */
const EVENT_BYTES_MAX = 32 * 1024
/** For an order of time over partitions, so much of what has been read may wait, for so long. */
const WAITING_BYTES = 32 * 1024 * 1024
const WAITING_MS = 10_000
const LOOK_MS = 250
const FIRST_PAUSE_MS = 1_000

export function createBridge(deps: BridgeDeps): Bridge {
  const { log, registry, clock, topics, observer = {}, group = FOREIGN_GROUP } = deps
  const converters = new Map(topics.map((topic) => [topic.name, createConverter(topic, deps.currency)]))
  const stopping = new AbortController()
  let subscription: LogSubscription | undefined
  let running: Promise<void> | undefined

  const patiently = <R>(what: string, attempt: () => Promise<R>): Promise<R> =>
    retrying(attempt, {
      clock,
      signal: stopping.signal,
      onRetry: (error, delayMs) => observer.retrying?.(what, error, delayMs),
    })

  async function live(): Promise<void> {
    const encoders = new Map<InputTopic, Encoder<AnyEvent>>()
    for (const { topic } of converters.values()) {
      // An encoder of one topic gets events of that topic's converter only.
      const make = () => createEncoder(topic, registry) as Promise<Encoder<AnyEvent>>
      if (!encoders.has(topic)) encoders.set(topic, await patiently('schema registry', make))
    }
    const merge = new Merge<PendingRow>(WAITING_BYTES)
    /** Of what was read last. */
    const ends = new Map<string, number>()
    let heardMs = clock.now()
    const mine = log.subscribe(
      group,
      topics.map(({ name }) => name),
    )
    subscription = mine
    if (stopping.signal.aborted) return

    /** One pass at a time: rows come out of the merge in the order in which they are appended. */
    const inTurn = createTurns()

    /** A partition that seems to be read to its end may have got something since. @returns false when there is none to look at */
    async function look(): Promise<boolean> {
      const doubtful = merge.doubtful()
      const sinceMs = merge.newestMs
      for (const at of doubtful) {
        const { next } = await patiently('log', () => log.bounds(at))
        merge.looked(at, next, sinceMs)
      }
      return doubtful.length > 0
    }

    async function forward(): Promise<void> {
      while (!stopping.signal.aborted) {
        const taken = merge.take(APPEND_RECORDS, APPEND_BYTES)
        if (taken.length === 0) {
          if (await look()) continue
          return
        }
        const records = taken.flatMap(({ row }) => row.record ?? [])
        if (records.length > 0) await patiently('log', () => log.append(records))
        const done = new Map<string, { at: TopicPartition; next: number } & Record<PendingRow['becomes'], number>>()
        for (const { at, row } of taken) {
          const key = partitionKey(at)
          const counts = done.get(key) ?? { at, next: 0, events: 0, deadLetters: 0, withoutConsent: 0 }
          counts.next = row.offset + 1
          counts[row.becomes]++
          done.set(key, counts)
        }
        await Promise.all(
          [...done].map(async ([key, { at, next, ...counts }]) => {
            // One that fails is made up for by the next; else what it stands for is read again, and known for duplicates.
            await mine.commit(at, next).catch((error: Error) => observer.retrying?.('offsets', error, 0))
            const lag = Math.max(0, (ends.get(key) ?? next) - next)
            observer.forwarded?.(at, { ...counts, lag })
          }),
        )
      }
    }

    async function startOf(at: TopicPartition): Promise<number> {
      const [committed, { earliest, next }] = await patiently('log', () =>
        Promise.all([log.committed(group, at), log.bounds(at)]),
      )
      let start = committed ?? earliest
      if (start > next) {
        observer.madeAnew?.(at)
        start = earliest
      }
      if (start < earliest) {
        observer.lost?.(at, earliest - start)
        start = earliest
      }
      merge.open(at, start, next)
      return start
    }

    const over = new AbortController()
    const looking = (async () => {
      while (!over.signal.aborted) {
        await clock.sleep(LOOK_MS, over.signal)
        if (over.signal.aborted || !merge.waiting || clock.now() - heardMs < WAITING_MS) continue
        await inTurn(() => {
          merge.giveUpWaiting()
          return forward()
        }).catch(() => undefined) // only ever because it is stopped
      }
    })()
    try {
      await mine.run({
        async assigned(partitions) {
          heardMs = clock.now()
          const starts = new Map<string, number>()
          for (const at of partitions) starts.set(partitionKey(at), await startOf(at))
          return starts
        },
        // What waits was not committed: the next owner reads it again.
        revoked: (partitions) =>
          inTurn(async () => {
            for (const at of partitions) merge.close(at)
          }),
        batch: (batch) =>
          inTurn(() => {
            heardMs = clock.now()
            ends.set(partitionKey(batch), batch.nextOffset)
            const rows = rowsOf(batch, converters.get(batch.topic)!, encoders, heardMs)
            merge.add(batch, rows, batch.nextOffset)
            return forward()
          }),
      })
    } finally {
      over.abort()
      await looking
    }
  }

  const lives = (): Promise<void> =>
    liveAgain(live, {
      clock,
      signal: stopping.signal,
      firstPauseMs: FIRST_PAUSE_MS,
      failed: (error, pauseMs) => observer.failed?.(error, pauseMs),
    })

  return {
    run: () => (running ??= lives()),
    async stop() {
      stopping.abort()
      await subscription?.stop()
      await running
    },
  }
}

function rowsOf(
  batch: RecordBatch,
  converter: Converter,
  encoders: ReadonlyMap<InputTopic, Encoder<AnyEvent>>,
  nowMs: number,
): PendingRow[] {
  return batch.records.map((record) => {
    const { topic } = converter
    const from = { ...at(batch), offset: record.offset, appendedAtMs: record.appendedAtMs }
    const converted = converter.convert(record.value, from, nowMs)
    if ('withoutConsent' in converted) return letGo(record)
    if (!('event' in converted)) return deadRow(batch, record, converted)
    const { event } = converted
    const value = encoders.get(topic)!(event)
    if (value.length > EVENT_BYTES_MAX) {
      const message = `The event is ${value.length} bytes, the limit is ${EVENT_BYTES_MAX}`
      return deadRow(batch, record, { reason: 'invalid_event', message })
    }
    // A topic and its event belong together; the indexed access of a union of functions has no common signature.
    const key = (keyOf[topic] as (event: AnyEvent) => string)(event)
    const { traceparent } = record.headers ?? {}
    const headers = {
      [FOREIGN]: `${batch.topic}:${batch.partition}:${record.offset}`,
      ...(traceparent !== undefined && { traceparent }),
    }
    const row = { topic, key, value, headers }
    // As the streams see it: an event is no later than its record.
    const timeMs = Math.min(event.event_time, record.appendedAtMs)
    return { offset: record.offset, timeMs, bytes: value.length, record: row, becomes: 'events' }
  })
}

const at = ({ topic, partition }: TopicPartition): TopicPartition => ({ topic, partition })

function deadRow(batch: RecordBatch, record: LogRecord, why: Parameters<typeof deadLetterRecord>[2]): PendingRow {
  const letter = deadLetterRecord(at(batch), record, why)
  return {
    offset: record.offset,
    timeMs: record.appendedAtMs,
    // Also an empty value takes part in what waits.
    bytes: record.value.length + 1,
    record: letter,
    becomes: 'deadLetters',
  }
}

/** Whom it is about does not agree: neither an event nor a letter. */
const letGo = ({ offset, appendedAtMs }: LogRecord): PendingRow => ({
  offset,
  timeMs: appendedAtMs,
  bytes: 1,
  record: null,
  becomes: 'withoutConsent',
})
