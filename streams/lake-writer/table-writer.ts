/**
 * The writer of one table: a consumer group of its own, what was read and is not yet committed, and when it is. Tables don't wait for each other.
 *
 * Invariants: reading starts where the table says, never where the group was; what is held is at most twice `commitBytes`, then reading waits; two commits of a table are never
 * under way at once here. What another owner has written, or a bug, ends a life; the next begins with what the table then says.
 */
import { CommitRefused, type Lake, type WriterOptions } from '../../db/lake/index.ts'
import { countingObjects } from '../../db/objects/counted.ts'
import { rootSpan } from '../../observability/spans.ts'
import { firstRecord } from '../cdc/first-record.ts'
import type { SchemaRegistry } from '../contract/codec.ts'
import { ensureTable } from '../lake-tables/ensure-table.ts'
import {
  type EventLog,
  type LogRecord,
  type LogSubscription,
  partitionKey,
  type RecordBatch,
  type TopicPartition,
} from '../log/event-log.ts'
import { liveAgain } from '../runtime/lives.ts'
import { retrying } from '../runtime/retry.ts'
import type { InTurn } from '../runtime/turns.ts'
import type { Clock } from '../time/clock.ts'
import { commitBatch, type Part, type Written } from './commit-batch.ts'
import type { LakeObserver } from './observer.ts'
import { nextOffsets } from './offsets.ts'
import type { TableJob } from './tables.ts'

export interface WriterSettings {
  /** What was read is committed after so long, or when it is so large, whichever is first. */
  commitMs: number
  commitBytes: number
  writer: WriterOptions
}

export interface TableWriterDeps {
  log: EventLog
  registry: SchemaRegistry
  lake: Lake
  clock: Clock
  currency: string
  settings: WriterSettings
  observer: LakeObserver
  inTurn: InTurn
}

export interface TableWriter {
  /** Runs until {@link stop}; never rejects: what fails is tried again. */
  run(): Promise<void>
  /** Commits what is held. @param graceMs how long stores that don't answer are waited for; what is not committed then is read again from the log */
  stop(graceMs?: number): Promise<void>
}

export const lakeGroup = (table: string): string => `streamforge-lake-${table}`

/** What a record costs in memory besides its value. */
const RECORD_BYTES = 200
/** Records that bring no row (orders that are no conversions) move the table's offsets this often only: each commit is a snapshot. */
const OFFSETS_MS = 10 * 60_000
/** Another member waits for partitions to be drained; beyond this it reads again from where the table is. */
const DRAIN_MS = 20_000
const LOOK_MS = 250
const FIRST_PAUSE_MS = 500

interface Cursor {
  readonly at: TopicPartition
  /** As the table has it. */
  committed: number | null
  /** Where the records after `committed` begin. */
  start: number
  /** Up to here records are in the table, or are none of its rows. */
  done: number
  /** The offset of the next record to come. */
  next: number
  end: number
  held: LogRecord[]
}

export function createTableWriter(deps: TableWriterDeps, job: TableJob): TableWriter {
  const { log, registry, lake, clock, settings, observer } = deps
  const { table, topics } = job
  const { name } = table
  const stopping = new AbortController()
  /** Ends what is being tried. */
  const giveUp = new AbortController()
  let subscription: LogSubscription | undefined
  let running: Promise<void> | undefined

  const patiently = <R>(store: string, attempt: () => Promise<R>): Promise<R> =>
    retrying(attempt, {
      clock,
      signal: giveUp.signal,
      onRetry: (error, delayMs) => observer.retrying?.(name, store, error, delayMs),
    })

  async function live(): Promise<void> {
    if (job.waits && !(await firstRecord(log, topics, { clock, signal: stopping.signal }))) return
    const identity = await patiently('log', () => log.identity())
    const reader = job.reader({ registry, currency: deps.currency, now: () => clock.now() })
    const cursors = new Map<string, Cursor>()
    /** Of the table that the cursors are of. */
    let uuid = ''
    let heldBytes = 0
    let heldSinceMs: number | null = null
    let offsetsMs = clock.now()
    let inFlight: Promise<void> | undefined
    let failure: Error | undefined
    const mine = log.subscribe(lakeGroup(name), topics)
    subscription = mine
    // Whoever stops a writer that has not begun yet must not wait for one that then does.
    if (stopping.signal.aborted) return

    const throwFailure = (): void => {
      if (failure) throw failure
    }
    const tellLag = (): void => {
      const lag = [...cursors.values()].reduce((sum, { end, done }) => sum + end - done, 0)
      observer.lag?.(name, Math.max(0, lag), cursors.size)
    }

    /** Takes out what is held. The cut is made before the first await. */
    async function commit(evenWithoutRows: boolean): Promise<void> {
      const startedMs = clock.now()
      const cut = [...cursors.values()].filter(({ next, committed, start }) => next > (committed ?? start))
      const parts = cut.map(
        (cursor): Part => ({
          at: cursor.at,
          from: cursor.committed,
          start: cursor.start,
          to: cursor.next,
          records: cursor.held,
        }),
      )
      for (const cursor of cut) cursor.held = []
      heldBytes = 0
      heldSinceMs = null
      if (parts.length === 0) return
      const written = await inRound(() =>
        commitBatch(
          {
            lake,
            clock,
            log: identity,
            table,
            uuid,
            reader,
            writer: settings.writer,
            signal: giveUp.signal,
            inTurn: deps.inTurn,
            onRetry: (store, error, delayMs) => observer.retrying?.(name, store, error, delayMs),
          },
          parts,
          evenWithoutRows || startedMs - offsetsMs >= OFFSETS_MS,
        ),
      )
      observer.read?.(name, written)
      for (const [i, { at, to }] of parts.entries()) {
        const cursor = cut[i]!
        cursor.done = to
        if (written.committed) {
          cursor.committed = to
          cursor.start = to
        }
        // For lag tools alone: the next one makes up for it.
        await mine.commit(at, to).catch((error: Error) => observer.retrying?.(name, 'offsets', error, 0))
      }
      tellLag()
      if (!written.committed) return
      offsetsMs = clock.now()
      observer.committed?.(name, { ...written, seconds: (offsetsMs - startedMs) / 1000 })
    }

    function startCommit(evenWithoutRows = false): Promise<void> {
      if (inFlight) throw new Error('A commit was started while another is under way')
      const commits = commit(evenWithoutRows)
        .catch((error: Error) => {
          failure ??= error
          // The subscription learns of it with the next batch; without one it must not wait for ever.
          void mine.stop()
        })
        .finally(() => {
          inFlight = undefined
        })
      inFlight = commits
      return commits
    }

    async function drain(): Promise<void> {
      while (inFlight) await inFlight
      if (!failure) await startCommit(true)
    }

    const over = new AbortController()
    const ticking = (async () => {
      while (!over.signal.aborted) {
        await clock.sleep(Math.min(LOOK_MS, settings.commitMs), over.signal)
        const isDue = heldSinceMs !== null && clock.now() - heldSinceMs >= settings.commitMs
        if (isDue && !inFlight && !failure && !over.signal.aborted) void startCommit()
      }
    })()

    try {
      await mine.run({
        async assigned(partitions) {
          // A commit of a partition that has come back at once: what it brings must be seen.
          while (inFlight) await inFlight
          throwFailure()
          const { metadata } = await patiently('lake', () => ensureTable(lake, table))
          if (cursors.size > 0 && metadata['table-uuid'] !== uuid)
            throw new CommitRefused(`${name} was dropped, and made anew.`)
          uuid = metadata['table-uuid']
          const next = nextOffsets(metadata, name, identity)
          const starts = new Map<string, number>()
          for (const at of partitions) {
            const cursor = await open(at, next[partitionKey(at)] ?? null)
            cursors.set(partitionKey(at), cursor)
            starts.set(partitionKey(at), cursor.start)
          }
          tellLag()
          return starts
        },
        async revoked(partitions) {
          const waited = new AbortController()
          await Promise.race([drain(), clock.sleep(DRAIN_MS, waited.signal)])
          waited.abort()
          for (const at of partitions) cursors.delete(partitionKey(at))
          tellLag()
        },
        async batch(batch) {
          throwFailure()
          take(batch)
          tellLag()
          while (heldBytes >= settings.commitBytes) {
            if (inFlight) await inFlight
            else void startCommit()
            throwFailure()
          }
        },
      })
    } finally {
      over.abort()
      await ticking
      await inFlight
    }
    throwFailure()

    function take({ topic, partition, records, nextOffset }: RecordBatch): void {
      const cursor = cursors.get(partitionKey({ topic, partition }))
      if (!cursor) return
      for (const record of records) {
        if (record.offset < cursor.next) continue
        cursor.held.push(record)
        cursor.next = record.offset + 1
        heldBytes += record.value.length + RECORD_BYTES
      }
      cursor.end = Math.max(nextOffset, cursor.next)
      heldSinceMs ??= clock.now()
    }
  }

  async function open(at: TopicPartition, committed: number | null): Promise<Cursor> {
    const { earliest, next } = await patiently('log', () => log.bounds(at))
    if (committed !== null && committed > next)
      throw new Error(
        `${name} has come to offset ${committed} of ${partitionKey(at)}, and the log has only ${next}: the topic was made anew, or the log is an older copy. Nothing is written to the table. ` +
          'Bring the log back; or rename or drop the table, and a new one is made and filled with all that this log holds.',
      )
    const start = Math.max(committed ?? 0, earliest)
    if (committed !== null && start > committed) observer.lost?.(name, at, { from: committed, to: start })
    return { at, committed, start, done: start, next: start, end: next, held: [] }
  }

  const lives = (): Promise<void> =>
    liveAgain(live, {
      clock,
      signal: stopping.signal,
      firstPauseMs: FIRST_PAUSE_MS,
      failed(error, pauseMs) {
        if (error instanceof CommitRefused) observer.refused?.(name, error)
        else observer.failed?.(name, error, pauseMs)
      },
    })

  /** A trace of its own: what it commits belongs to thousands of others. */
  const inRound = (commits: () => Promise<Written>): Promise<Written> =>
    rootSpan(
      `lake write ${name}`,
      { attributes: { 'streamforge.lake.operation': 'write', 'streamforge.lake.table': name }, now: () => clock.now() },
      async (span) => {
        const written = await countingObjects(commits)
        const { rows, files, committed } = written
        span.setAttributes({ 'streamforge.rows': rows, 'streamforge.files': files, 'streamforge.committed': committed })
        return written
      },
    )

  return {
    run: () => (running ??= lives()),
    async stop(graceMs = 10_000) {
      stopping.abort()
      const ended = new AbortController()
      const grace = clock.sleep(graceMs, ended.signal).then(() => giveUp.abort())
      await subscription?.stop()
      await running
      ended.abort()
      await grace
    },
  }
}
