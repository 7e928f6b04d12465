/**
 * The cdc job: reads the changes of a shop's tables in a consumer group of its own and keeps, in PostgreSQL, the shop's rows as they are now and the histories of what changed. Runs in the streams
 * role, in as many processes as like; it begins when a topic of changes has a first record, and asks nothing of whoever has none.
 *
 * Invariant: how far a partition is applied is kept in the transaction that applies it, so every change takes effect once, whatever dies. A record that can't be read goes to `dlq.<topic>` before
 * its batch is applied.
 */
import type { Sql } from '../../db/postgres/connect.ts'
import { isTransient, isUnstorable } from '../../db/postgres/errors.ts'
import { beginAnew, positionOf } from '../../db/postgres/projection.ts'
import { deadLetterRecord } from '../dead-letters/dead-letter.ts'
import {
  type EventLog,
  type LogRecord,
  LogUnavailable,
  type NewRecord,
  partitionKey,
  type RecordBatch,
  type TopicPartition,
} from '../log/event-log.ts'
import { liveAgain } from '../runtime/lives.ts'
import { retrying } from '../runtime/retry.ts'
import type { Clock } from '../time/clock.ts'
import { applyBatch } from './apply-batch.ts'
import { firstRecord, LOOK_MS, lookAt } from './first-record.ts'
import { readShopChange, type ShopChange } from './read-change.ts'
import { SHOP_TABLES, type ShopTable } from './tables.ts'

export const CDC_GROUP = 'streamforge-cdc'

/** What the projector tells about itself. */
export interface ProjectorObserver {
  applied?(at: TopicPartition, counts: { changes: number; deadLetters: number; lag: number }): void
  /** Retention has removed what was not yet read: it goes on behind the gap. */
  lost?(at: TopicPartition, records: number): void
  /** The topic has fewer records than had been read: it was made anew, and is read from its beginning. */
  madeAnew?(at: TopicPartition): void
  retrying?(what: string, error: Error, delayMs: number): void
  /** Reading has failed and begins again after the pause. */
  failed?(error: Error, pauseMs: number): void
}

export interface ProjectorDeps {
  log: EventLog
  sql: Sql
  clock: Clock
  observer?: ProjectorObserver
  /** How often it is looked whether there is a topic of changes with something in it. */
  lookMs?: number
}

export interface Projector {
  /** Runs until {@link stop}; never rejects: the jobs have nothing to do with it. */
  run(): Promise<void>
  stop(): Promise<void>
}

interface Batch {
  readonly at: TopicPartition
  readonly table: ShopTable
  readonly records: readonly LogRecord[]
}
interface Done {
  applied: number
  buried: number
}

/** One transaction. */
const BATCH_RECORDS = 1_000
const FIRST_PAUSE_MS = 1_000

const TOPICS = SHOP_TABLES.map(({ topic }) => topic)
const tableOf = new Map(SHOP_TABLES.map((table) => [table.topic, table]))

export function createProjector({ log, sql, clock, observer = {}, lookMs = LOOK_MS }: ProjectorDeps): Projector {
  const stopping = new AbortController()
  let running: Promise<void> | undefined

  const patiently = <R>(what: string, attempt: () => Promise<R>, isWorthIt: (error: unknown) => boolean): Promise<R> =>
    retrying(attempt, {
      clock,
      signal: stopping.signal,
      onRetry: (error, delayMs) => observer.retrying?.(what, error, delayMs),
      isFinal: (error) => !isWorthIt(error),
    })
  const ofLog = <R>(attempt: () => Promise<R>) => patiently('log', attempt, (error) => error instanceof LogUnavailable)
  const ofDatabase = <R>(attempt: () => Promise<R>) => patiently('postgresql', attempt, isTransient)

  async function live(): Promise<void> {
    const topics = await firstRecord(log, TOPICS, { clock, lookMs, signal: stopping.signal })
    if (topics === null) return
    const subscription = log.subscribe(CDC_GROUP, topics)
    const over = new AbortController()
    const end = () => {
      over.abort()
      return subscription.stop()
    }
    if (stopping.signal.aborted) return
    stopping.signal.addEventListener('abort', end)
    /** A topic that others make when they have its first record. */
    const looking = (async () => {
      while (topics.length < TOPICS.length && !over.signal.aborted) {
        await clock.sleep(lookMs, over.signal)
        if (!over.signal.aborted && (await lookAt(log, TOPICS)).topics.length > topics.length) await end()
      }
    })()
    try {
      await subscription.run({
        async assigned(partitions) {
          const starts = new Map<string, number>()
          for (const at of partitions) starts.set(partitionKey(at), await startOf(at))
          return starts
        },
        // What a batch did is in the database when the batch is over.
        revoked: async () => {},
        async batch(batch) {
          const { topic, partition } = batch
          for (let from = 0; from < batch.records.length; from += BATCH_RECORDS) {
            const records = batch.records.slice(from, from + BATCH_RECORDS)
            const next = records.at(-1)!.offset + 1
            await project(batch, records)
            // For lag tools; the next one makes up for one that fails.
            await subscription.commit({ topic, partition }, next).catch(() => {})
          }
        },
      })
    } finally {
      stopping.signal.removeEventListener('abort', end)
      over.abort()
      await looking
    }
  }

  async function startOf(at: TopicPartition): Promise<number> {
    const [kept, { earliest, next }] = await Promise.all([
      ofDatabase(() => positionOf(sql, at)),
      ofLog(() => log.bounds(at)),
    ])
    if (kept === null) return earliest
    if (kept > next) {
      await ofDatabase(() => beginAnew(sql, at, tableOf.get(at.topic)!.table, earliest))
      observer.madeAnew?.(at)
      return earliest
    }
    if (kept < earliest) observer.lost?.(at, earliest - kept)
    return Math.max(kept, earliest)
  }

  async function project({ topic, partition, nextOffset }: RecordBatch, records: readonly LogRecord[]): Promise<void> {
    const at = { topic, partition }
    const table = tableOf.get(topic)!
    const changes: ShopChange[] = []
    const letters: NewRecord[] = []
    for (const record of records) {
      const read = readShopChange(table, record)
      if (read.kind === 'unreadable') letters.push(deadLetterRecord(at, record, read))
      else changes.push(read)
    }
    if (letters.length > 0) await ofLog(() => log.append(letters))
    const next = records.at(-1)!.offset + 1
    const done = await applyOrBury({ at, table, records }, changes, next)
    const lag = Math.max(0, nextOffset - next)
    observer.applied?.(at, { changes: done.applied, deadLetters: letters.length + done.buried, lag })
  }

  /** What the database refuses for its content is found by halving, and put aside; else it would hold up its partition for ever. */
  async function applyOrBury(batch: Batch, changes: readonly ShopChange[], next: number): Promise<Done> {
    const { at, table, records } = batch
    const apply = (some: readonly ShopChange[]) => ofDatabase(() => applyBatch(sql, table, at, some, next))
    try {
      return { applied: await apply(changes), buried: 0 }
    } catch (error) {
      if (!isUnstorable(error)) throw error
      if (changes.length > 1) {
        const first = changes.slice(0, Math.ceil(changes.length / 2))
        const one = await applyOrBury(batch, first, first.at(-1)!.position + 1)
        const two = await applyOrBury(batch, changes.slice(first.length), next)
        return { applied: one.applied + two.applied, buried: one.buried + two.buried }
      }
      const record = records.find(({ offset }) => offset === changes[0]?.position)
      if (!record) throw error
      const why = { reason: 'bad_row', message: (error as Error).message } as const
      await ofLog(() => log.append([deadLetterRecord(at, record, why)]))
      await apply([])
      return { applied: 0, buried: 1 }
    }
  }

  return {
    run: () =>
      (running ??= liveAgain(live, {
        clock,
        signal: stopping.signal,
        firstPauseMs: FIRST_PAUSE_MS,
        failed: (error, pauseMs) => observer.failed?.(error, pauseMs),
      })),
    async stop() {
      stopping.abort()
      await running
    },
  }
}
