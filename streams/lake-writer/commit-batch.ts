/**
 * One batch of records becomes rows of a table, exactly once: data files are written, then appended in one commit with the offsets up to which they come.
 *
 * Invariant: a commit whose outcome is unknown is made again, and found to be there; that it happens at most once is `commitOnce`'s business.
 */
import {
  CommitRefused,
  type DataFile,
  type DataWriter,
  type Lake,
  NoSuchTable,
  openWriter,
  type WriterOptions,
} from '../../db/lake/index.ts'
import type { LakeTable } from '../contract/lake-tables.ts'
import { commitOnce, requireSame } from '../lake-tables/commit-once.ts'
import { ensureTable } from '../lake-tables/ensure-table.ts'
import { type LogRecord, partitionKey, type TopicPartition } from '../log/event-log.ts'
import { retrying } from '../runtime/retry.ts'
import type { InTurn } from '../runtime/turns.ts'
import type { Clock } from '../time/clock.ts'
import { afterCommit, OtherLog, placeOf, type Ranges, requireBefore } from './offsets.ts'
import { type RowReader, rowsOf } from './tables.ts'

/** Of one partition; `from`, `start` and `to` as in {@link Ranges}. */
export interface Part {
  readonly at: TopicPartition
  readonly from: number | null
  readonly start: number
  readonly to: number
  readonly records: readonly LogRecord[]
}

export interface CommitDeps {
  lake: Lake
  clock: Clock
  /** Identity of the log. */
  log: string
  table: LakeTable
  /** Of the table that the offsets of the parts were read from. */
  uuid: string
  reader: RowReader
  writer: WriterOptions
  /** Ends the trying. */
  signal: AbortSignal
  /** Lets one caller at a time write files: each has a DuckDB of its own while it does. */
  inTurn: InTurn
  onRetry(store: string, error: Error, delayMs: number): void
}

export interface Written {
  rows: number
  undecodable: number
  files: number
  /** Whether there was a commit: a batch without rows makes one only when told. */
  committed: boolean
}

interface Files {
  files: DataFile[]
  rows: number
  undecodable: number
}

/** What trying again would not change: the next life begins with what the table then says, or makes it anew. */
const FINAL = [CommitRefused, OtherLog, NoSuchTable]
/** Rows that are converted at once. */
const CHUNK = 4_096

/**
 * @param evenWithoutRows commit the offsets though they bring no row
 * @throws CommitRefused where another owner has written meanwhile; OtherLog; Stopped
 */
export async function commitBatch(
  deps: CommitDeps,
  parts: readonly Part[],
  evenWithoutRows: boolean,
): Promise<Written> {
  const { lake, clock, signal, table, log } = deps
  const patiently = <R>(store: string, attempt: () => Promise<R>): Promise<R> =>
    retrying(attempt, {
      clock,
      signal,
      isFinal: (error) => FINAL.some((type) => error instanceof type),
      onRetry: (error, delayMs) => deps.onRetry(store, error, delayMs),
    })
  for (const { records } of parts) await patiently('schema registry', async () => deps.reader.prepare(records))
  const { files, rows, undecodable } = await patiently('lake files', () => deps.inTurn(() => writeFiles(deps, parts)))
  const done = { rows, undecodable, files: files.length }
  if (rows === 0 && !evenWithoutRows) return { ...done, committed: false }

  const ranges: Ranges = new Map(parts.map((part) => [partitionKey(part.at), part]))
  await commitOnce(
    { lake, table: table.name, uuid: deps.uuid },
    files,
    {
      requireBefore: (metadata) => requireBefore(metadata, table.name, log, ranges),
      isAfter: (metadata) => placeOf(metadata, table.name, log, ranges) === 'after',
      after: (metadata) => afterCommit(metadata, table.name, log, ranges),
    },
    (attempt) => patiently('lake commit', attempt),
  )
  return { ...done, committed: true }
}

async function writeFiles(deps: CommitDeps, parts: readonly Part[]) {
  const { lake, clock, table, reader, writer: options } = deps
  const ingestedAtMs = clock.now()
  const { metadata } = await ensureTable(lake, table)
  requireSame(table.name, deps.uuid, metadata)
  const written: Files = { files: [], rows: 0, undecodable: 0 }
  let writer: DataWriter | undefined
  try {
    for (const { at, records } of parts) {
      for (let from = 0; from < records.length; from += CHUNK) {
        const { columns, rows, undecodable } = rowsOf(
          table,
          reader,
          at,
          records.slice(from, from + CHUNK),
          ingestedAtMs,
        )
        written.undecodable += undecodable
        written.rows += rows
        if (rows === 0) continue
        writer ??= await openWriter(lake, metadata, options)
        await writer.append(columns, rows)
        // Heartbeats and requests for metrics wait for no more than this.
        await new Promise((resolve) => setImmediate(resolve))
      }
    }
    written.files = (await writer?.finish()) ?? []
    return written
  } catch (error) {
    await writer?.abandon().catch(() => {})
    throw error
  }
}
