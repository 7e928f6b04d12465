/**
 * The CDC source: a PostgreSQL's tables → `cdc.` topics, in Debezium's form. A snapshot first, then the stream of changes, for ever; a server or log that does not answer is
 * waited for.
 *
 * Invariants: an LSN is acknowledged only when the log has everything up to it. What is read again after a crash and in the log already is skipped, by the position in
 * each partition's last record (`tails.ts`), so that a topic holds each change once, in order per key. A lost slot is no reason to go on behind the gap: the source says
 * so and waits until a new snapshot was taken (`resnapshot.ts`).
 */
import { connect, type Sql } from '../../../db/postgres/connect.ts'
import { changeTopic } from '../../contract/cdc.ts'
import { type EventLog, type NewRecord, partitionKey } from '../../log/event-log.ts'
import type { Clock } from '../../time/clock.ts'
import { createAppender } from './appender.ts'
import { factsOf, prepareDatabase } from './catalog.ts'
import type { WriterDeps } from './envelope.ts'
import { formatLsn } from './lsn.ts'
import type { CdcObserver } from './observer.ts'
import { decodeMessage } from './pgoutput.ts'
import { createReader } from './reader.ts'
import { type ChangeStream, connectReplication } from './replication.ts'
import type { CdcSettings } from './settings.ts'
import { currentLsn, readSlot, SlotLost } from './slot.ts'
import { takeSnapshot } from './snapshot.ts'
import { readTails, type Tail } from './tails.ts'

export interface CdcSourceDeps {
  settings: CdcSettings
  log: EventLog
  clock: Clock
  observer: CdcObserver
  /** Of this program. */
  version: string
}

export interface CdcSource {
  /** Resolves when it was stopped. */
  run(): Promise<void>
  stop(): void
}

const FIRST_PAUSE_MS = 100
const PAUSE_MAX_MS = 5_000
/** How often the server is asked how the slot is. */
const WATCH_MS = 5_000

export function createCdcSource({ settings, log, clock, observer, version }: CdcSourceDeps): CdcSource {
  const stopping = new AbortController()
  const { signal } = stopping
  const writing: WriterDeps = { version, now: clock.now }
  const topics = settings.tables.map(changeTopic)

  /** One life of a connection: until it breaks, or we are stopped. */
  async function follow(streaming: () => void): Promise<void> {
    const database = connect(settings.url, { max: 2, name: 'streamforge-cdc', statementTimeoutMs: 15_000 })
    const session = connectReplication(settings.url, clock)
    try {
      const { sql } = database
      await prepareDatabase(sql, settings)
      await ensureSlot(sql)
      const stream = await session.stream(settings.slot, settings.publication)
      const stop = (): void => stream.stop()
      signal.addEventListener('abort', stop, { once: true })
      if (signal.aborted) stop()
      const watching = new AbortController()
      try {
        // The slot is ours from here on: whoever had it appends no more.
        const tails = await readTails(log, topics)
        await checkServer(sql, tails)
        observer.streaming()
        streaming()
        void watch(sql, watching.signal)
        await pump(sql, stream, tails)
      } finally {
        watching.abort()
        signal.removeEventListener('abort', stop)
        await stream.close()
      }
    } finally {
      await session.close()
      await database.close()
    }
  }

  /** @throws SlotLost */
  async function ensureSlot(sql: Sql): Promise<void> {
    const slot = await readSlot(sql, settings.slot)
    if (slot) {
      if (slot.isLost)
        throw new SlotLost(settings.slot, `was invalidated by the server (${slot.lostBecause ?? slot.walStatus})`)
      return
    }
    const tails = await readTails(log, topics)
    // Changes were read before, so there was a slot. With none read, a snapshot from the beginning loses nothing.
    if ([...tails.values()].some(({ last }) => last !== null && !last.isSnapshot))
      throw new SlotLost(settings.slot, 'is gone')
    await takeSnapshot(sql, settings, tails, { log, clock, observer, writing, signal })
  }

  /** A log ahead of the server is that of another one, or of its past: positions could not be compared. @throws SlotLost */
  async function checkServer(sql: Sql, tails: ReadonlyMap<string, Tail>): Promise<void> {
    const nowLsn = await currentLsn(sql)
    const ahead = [...tails.values()].find(({ last }) => last !== null && last.lsn > nowLsn)
    if (!ahead) return
    const { at, last } = ahead
    throw new SlotLost(
      settings.slot,
      `is of another server, or of a restored one (${partitionKey(at)} has come to ${formatLsn(last!.lsn)}, the server to ${formatLsn(nowLsn)})`,
    )
  }

  async function watch(sql: Sql, watching: AbortSignal): Promise<void> {
    while (!watching.aborted) {
      // What is wrong with the connection the stream will tell.
      const state = await readSlot(sql, settings.slot).catch(() => null)
      if (state && !watching.aborted) observer.slot(state)
      await clock.sleep(WATCH_MS, watching)
    }
  }

  async function pump(sql: Sql, stream: ChangeStream, tails: ReadonlyMap<string, Tail>): Promise<void> {
    const appender = createAppender(
      log,
      ({ records, committedMs }) => observer.appended(countByTopic(records), committedMs),
      (lsn) => stream.acknowledge(lsn),
    )
    const [{ db } = { db: '' }] = await sql<{ db: string }[]>`SELECT current_database() AS db`
    const partitions = new Map<string, number>()
    for (const { at } of tails.values())
      partitions.set(at.topic, Math.max(partitions.get(at.topic) ?? 0, at.partition + 1))
    const reader = createReader({
      db,
      tables: settings.tables,
      tails,
      partitions,
      factsOf: (relation, count) => factsOf(sql, relation, count),
      appender,
      observer,
      writing,
    })
    try {
      for (;;) {
        if (stream.isEmpty) await appender.flush()
        const received = await stream.next()
        if (received === null) break
        if (received.data) await reader.read(decodeMessage(received.data), received.lsn)
        // Everything before a keepalive was sent to us: an idle table does not hold back the WAL of busy ones.
        else if (appender.isIdle && !reader.isInTransaction) stream.acknowledge(received.lsn)
        if (appender.isFull) await appender.flush()
      }
      await appender.flush()
      await appender.settle()
    } finally {
      // Whoever begins anew must find in the log what was under way.
      await appender.settle().catch(() => {})
    }
  }

  async function run(): Promise<void> {
    let pauseMs = FIRST_PAUSE_MS
    while (!signal.aborted) {
      try {
        await follow(() => {
          pauseMs = FIRST_PAUSE_MS
        })
      } catch (error) {
        if (signal.aborted) return
        if (error instanceof SlotLost) observer.lost(error)
        else observer.retrying(error as Error, pauseMs)
        await clock.sleep(error instanceof SlotLost ? PAUSE_MAX_MS : pauseMs, signal)
        pauseMs = Math.min(pauseMs * 2, PAUSE_MAX_MS)
      }
    }
  }

  return { run, stop: () => stopping.abort() }
}

function countByTopic(records: readonly NewRecord[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const { topic } of records) counts.set(topic, (counts.get(topic) ?? 0) + 1)
  return counts
}
