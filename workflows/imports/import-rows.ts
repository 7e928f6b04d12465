/**
 * A stretch of a file's rows becomes rows of the lake, exactly once: what is an event goes to its raw table, what is none to `raw.dead_letters`, and what says that whom it is about does not agree nowhere: it is counted.
 *
 *   file → rows → mapping → the edge's validation → columns → files → commit with a mark of how far the import has come
 *
 * Invariants: a row's place in the lake is (topic, −import, index in the file), and its content a function of the file and the import; reading begins where the raw table says. The dead letters of a
 * stretch are committed before its events, so what the raw table says to be behind it has its dead letters there; those that are there already are not written again.
 */
import {
  type DataFile,
  type DataWriter,
  type Lake,
  openWriter,
  type Table,
  type WriterOptions,
} from '../../db/lake/index.ts'
import { DEAD_LETTERS_TABLE, type LakeTable, RAW_TABLES } from '../../streams/contract/lake-tables.ts'
import { stableId } from '../../streams/contract/stable-id.ts'
import { causeOf } from '../../streams/dead-letters/dead-letter.ts'
import { columnBatch, type Origin, type RowObject } from '../../streams/lake-tables/columns.ts'
import { commitOnce } from '../../streams/lake-tables/commit-once.ts'
import { ensureTable } from '../../streams/lake-tables/ensure-table.ts'
import { letterRow } from '../../streams/lake-tables/letter-row.ts'
import type { Mapping } from '../../streams/sources/mappings/mapping.ts'
import { toEvent } from '../../streams/sources/mappings/to-event.ts'
import { type FileFormat, type Place, readRows, type SourceRow } from '../../streams/sources/read-rows.ts'
import type { Clock } from '../../streams/time/clock.ts'
import { type FileState, type ImportFile, requireUnchanged } from './import-file.ts'
import { type Mark, markOf, stepOf } from './mark.ts'

export interface ImportJob {
  id: number
  name: string
  mapping: Mapping
  format: FileFormat
  /** For amounts that name none. */
  currency: string
  /** When the import began, epoch ms: its rows count as received then. */
  createdAtMs: number
  file: ImportFile
  /** As it was when the import began. */
  state: FileState
}

/** What ends a stretch: whichever is first, but a row at least. */
export interface Limits {
  rows: number
  bytes: number
  ms: number
}

/** A stretch is a commit: large enough for files that are worth it, short enough for progress to be seen, and in bytes well within what DuckDB may hold. */
export const IMPORT_LIMITS: Limits = { rows: 500_000, bytes: 64 * 1024 * 1024, ms: 20_000 }

export interface ImportDeps {
  lake: Lake
  clock: Clock
  writer: WriterOptions
  limits: Limits
  signal: AbortSignal
  onProgress(progress: { row: number; bytes: number; rejected: number }): void
}

/** Rows that are converted at once; fewer, where they are large. */
const BATCH_ROWS = 4_096
const BATCH_BYTES = 8 * 1024 * 1024
const PROGRESS_ROWS = 1_024
/** Of a row's text in a dead letter: as much as the log's own dead letters keep. */
const VALUE_MAX = 900_000

/** How far the lake says that the import has come. */
export async function importMark(lake: Lake, { id, mapping }: Pick<ImportJob, 'id' | 'mapping'>): Promise<Mark> {
  return markOf((await ensureTable(lake, RAW_TABLES[mapping.topic])).metadata, id)
}

/**
 * Imports the next stretch and commits it.
 * @returns how far the import has come by it
 * @throws FileChanged; CommitRefused where another worker has done it meanwhile; the signal's reason, with nothing committed
 */
export async function importRows(deps: ImportDeps, job: ImportJob): Promise<Mark> {
  const { lake, clock, limits, signal } = deps
  const { id, mapping, file } = job
  const rawTable = RAW_TABLES[mapping.topic]
  const raw = await ensureTable(lake, rawTable)
  const from = markOf(raw.metadata, id)
  if (from.done) return from
  const letters = await ensureTable(lake, DEAD_LETTERS_TABLE)
  const lettersFrom = markOf(letters.metadata, id)
  await requireUnchanged(file, job.state)

  const startedMs = clock.now()
  const events = fill(deps, rawTable, raw, startedMs)
  const bad = fill(deps, DEAD_LETTERS_TABLE, letters, startedMs)
  let { next, imported, rejected, withoutConsent = 0 } = from
  let bytes = from.byte
  let end: Place | null = null
  try {
    for await (const row of readRows(file, { format: job.format, delimiter: mapping.delimiter, from })) {
      if (next % PROGRESS_ROWS === 0) {
        signal.throwIfAborted()
        deps.onProgress({ row: next, bytes, rejected })
      }
      const origin: Origin = { partition: -id, offset: next, appendedAtMs: job.createdAtMs }
      const made = eventOf(row, job)
      let full: Promise<void> | undefined
      if ('event' in made) {
        imported++
        full = events.add(made.event as unknown as RowObject, origin, row.text.length)
      } else if ('withoutConsent' in made) withoutConsent++
      else {
        rejected++
        if (next >= lettersFrom.next) full = bad.add(letterOf(row, made, job, next), origin, row.text.length)
      }
      if (full !== undefined) await full
      next++
      bytes = row.end?.byte ?? bytes
      const isEnough =
        next - from.next >= limits.rows || bytes - from.byte >= limits.bytes || clock.now() - startedMs >= limits.ms
      // Where a row's end is not known, reading could not go on behind it.
      if (isEnough && row.end) {
        end = row.end
        break
      }
    }
    signal.throwIfAborted()
    const to: Mark = {
      next,
      imported,
      rejected,
      ...(withoutConsent > 0 && { withoutConsent }),
      ...(end ?? { byte: job.state.bytes, line: from.line }),
      done: end === null,
    }
    deps.onProgress({ row: next, bytes: to.byte, rejected })
    await requireUnchanged(file, job.state)
    const badFiles = await bad.finish()
    const files = await events.finish()
    if (badFiles.length > 0) await commit(DEAD_LETTERS_TABLE, letters, badFiles, lettersFrom, to)
    await commit(rawTable, raw, files, from, to)
    return to
  } catch (error) {
    await Promise.all([events.abandon(), bad.abandon()])
    throw error
  }

  async function commit({ name }: LakeTable, { metadata }: Table, files: DataFile[], from: Mark, to: Mark) {
    const target = { lake, table: name, uuid: metadata['table-uuid'] }
    await commitOnce(target, files, stepOf(name, id, from, to))
  }
}

type Bad = { reason: 'bad_row' | 'bad_json' | 'invalid_event'; message: string }

function eventOf(row: SourceRow, { mapping, currency, createdAtMs, format }: ImportJob) {
  if ('problem' in row) return { reason: format === 'csv' ? 'bad_row' : 'bad_json', message: row.problem } satisfies Bad
  // As a replay with the file's own times has it: the same row is the same event, however it came.
  return toEvent(mapping, row.row, { receivedAt: createdAtMs, currency, rowId: () => stableId(row.text) })
}

function letterOf(row: SourceRow, { reason, message }: Bad, job: ImportJob, index: number): RowObject {
  const source = { topic: `import:${job.name}`, partition: -job.id, offset: index, appendedAtMs: job.createdAtMs }
  const value = Buffer.from(shown(row, job.format))
  return letterRow(
    {
      cause: causeOf(source),
      diedAtMs: job.createdAtMs,
      source,
      reason,
      message: message.slice(0, 1_000),
      key: null,
      value: value.subarray(0, VALUE_MAX),
      cutFromBytes: value.length > VALUE_MAX ? value.length : null,
      headers: { line: String(row.line) },
    },
    source.topic,
  )
}

/** A CSV row with the names of its columns; where they don't fit, its values. The separator between them is for no one's eyes. */
function shown(row: SourceRow, format: FileFormat): string {
  if (format !== 'csv') return row.text
  if ('row' in row) return JSON.stringify(row.row)
  return row.text.includes('\u001f') ? JSON.stringify(row.text.split('\u001f')) : row.text
}

interface Fill {
  /** The promise, when there is one, is to be awaited: rows are being written. */
  add(row: RowObject, origin: Origin, bytes: number): Promise<void> | undefined
  finish(): Promise<DataFile[]>
  abandon(): Promise<void>
}

/** The data files of one table; DuckDB is opened with the first rows. */
function fill({ lake, writer: options }: ImportDeps, table: LakeTable, { metadata }: Table, nowMs: number): Fill {
  let batch = columnBatch(table, nowMs)
  let bytes = 0
  let writer: DataWriter | undefined
  let files: DataFile[] = []
  const flush = async (): Promise<void> => {
    const { columns, rows } = batch
    batch = columnBatch(table, nowMs)
    bytes = 0
    if (rows === 0) return
    writer ??= await openWriter(lake, metadata, options)
    await writer.append(columns, rows)
  }
  return {
    add(row, origin, rowBytes) {
      batch.add(row, origin)
      bytes += rowBytes
      return batch.rows >= BATCH_ROWS || bytes >= BATCH_BYTES ? flush() : undefined
    },
    async finish() {
      await flush()
      const open = writer
      files = (await open?.finish()) ?? []
      writer = undefined
      return files
    },
    async abandon() {
      await writer?.abandon().catch(() => {})
    },
  }
}
