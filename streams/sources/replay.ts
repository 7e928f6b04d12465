/**
 * Replays a file: rows → mapping → edge, at a chosen speed, with the file's own times or rebased to now.
 *
 * Sits between a file and the sender. Invariants: every row is either settled by the edge or written aside with its line and reason; a replay
 * that was interrupted goes on behind the last line before which everything is settled, and what it sends again has the same ids.
 */
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { stableId } from '../contract/stable-id.ts'
import type { Clock } from '../time/clock.ts'
import { Acknowledged } from './acknowledged.ts'
import type { Mapped, Mapping } from './mappings/mapping.ts'
import { Pace } from './pace.ts'
import { type FileFormat, formatOf, type Row, readRows } from './read-rows.ts'
import { progressFile, RejectedFile } from './replay-state.ts'
import { createSender, SendFailed } from './send.ts'

export interface ReplayOptions {
  path: string
  mapping: Mapping
  edgeUrl: string
  writeKey: string
  clock: Clock
  /** Times real time, by event time; `max` sends as fast as the edge takes it. */
  speed: number | 'max'
  /** Send the file's own times; else an event happens when it is sent. */
  keepTime: boolean
  /** Where `<file name>.rejected.ndjson` and, in `replay/`, the progress are kept. */
  stateDir: string
  /** Begin at the first row although an earlier replay was interrupted. */
  restart?: boolean
  concurrency?: number
  patienceMs?: number
  signal?: AbortSignal
  /** Called now and then, and once at the end. */
  onProgress?: (progress: ReplayStatus) => void
}

export interface ReplayStatus {
  /** Rows read in this run, bad ones included. */
  rows: number
  accepted: number
  duplicates: number
  /** Rows that never became an event. */
  bad: number
  /** Events that the edge refused. */
  rejected: number
  /** Rows that say that whom they are about does not agree. */
  withoutConsent: number
  /** Of the file, 0 to 1, by bytes read. */
  share: number
  /** Rows a second, since the start of this run. */
  rate: number
  /** At the rate so far; null before there is one. */
  remainingMs: number | null
}

export interface ReplayReport extends ReplayStatus {
  /** False when it was interrupted: the same call goes on from there. */
  finished: boolean
  /** The line after which this run began: 0 from the start. */
  resumedAfterLine: number
  /** Everything up to this line is settled. */
  acknowledgedLine: number
  elapsedMs: number
  /** Null when no row was refused. */
  rejectedPath: string | null
}

const STATUS_EVERY_MS = 200
const SAVE_EVERY_MS = 1_000
/** How often, in rows, the clock is looked at. */
const ROWS_PER_LOOK = 64

/** @throws SendFailed when the edge can't be used (progress is kept); Error when the file can't be read. */
export async function replayFile(options: ReplayOptions): Promise<ReplayReport> {
  const { path, mapping, clock, signal } = options
  const format = mapping.format ?? formatOf(path) ?? fail(path)
  const { size } = await stat(path)
  const progress = await progressFile(join(options.stateDir, 'replay'), path, [
    mapping.identity,
    options.edgeUrl,
    options.keepTime ? 'keep-time' : 'rebased',
  ])
  const before = options.restart ? null : await progress.load()
  const startedAtMs = before?.startedAtMs ?? clock.now()
  const runStartMs = clock.now()
  const resumedAfterLine = before?.line ?? 0
  const done = new Acknowledged(resumedAfterLine)
  const rejectedFile = new RejectedFile(options.stateDir, path, before !== null)
  const pace = new Pace(runStartMs, options.speed)
  // A row that is replayed again, rebased, is a new event at a new time; with its own time it is the same event.
  const salt = options.keepTime ? [] : [startedAtMs]
  let rows = 0
  let bad = 0
  let letGo = 0
  let bytes = 0
  let looked = runStartMs
  let saved = runStartMs

  const sender = createSender<{ line: number; row: Row | null }>({
    ...options,
    onRejected: (source, { code, message }) => {
      // A disk that fails says so again at the next flush, which is awaited.
      rejectedFile.add({ ...source, reason: `${code}: ${message}` })?.catch(() => undefined)
    },
    onSettled: (settled) => {
      for (const { line } of settled) done.settle(line)
    },
  })

  const status = (): ReplayStatus => {
    const elapsedMs = clock.now() - runStartMs
    const share = size === 0 ? 1 : Math.min(1, bytes / size)
    const { accepted, duplicates, rejected, withoutConsent } = sender.counts
    return {
      rows,
      accepted,
      duplicates,
      bad,
      rejected,
      withoutConsent: letGo + withoutConsent,
      share,
      rate: elapsedMs > 0 ? (rows / elapsedMs) * 1000 : 0,
      remainingMs: share > 0 && elapsedMs > 0 ? (elapsedMs / share) * (1 - share) : null,
    }
  }
  const save = async () => {
    saved = clock.now()
    // The rows written aside come first: a line that counts as done has its reason on disk.
    const { line } = done
    await rejectedFile.flush()
    await progress.save({ file: path, line, startedAtMs })
  }
  const look = async () => {
    const now = clock.now()
    if (now - looked >= STATUS_EVERY_MS) {
      looked = now
      options.onProgress?.(status())
    }
    if (now - saved >= SAVE_EVERY_MS) await save()
  }
  const until = async (dueMs: number) => {
    while (!signal?.aborted && clock.now() < dueMs) {
      await look()
      await clock.sleep(Math.min(dueMs - clock.now(), STATUS_EVERY_MS), signal)
    }
  }

  async function readAll(): Promise<void> {
    const reading = {
      format,
      ...(mapping.delimiter ? { delimiter: mapping.delimiter } : {}),
      onBytes: (n: number) => {
        bytes = n
      },
    }
    for await (const source of readRows(path, reading)) {
      const { line, text } = source
      if (line <= resumedAfterLine) continue
      if (signal?.aborted) throw new SendFailed('aborted', 'The replay was stopped.')
      if (rows++ % ROWS_PER_LOOK === 0) await look()
      done.begin(line)
      const row = 'row' in source ? source.row : null
      const mapped: Mapped =
        'row' in source ? mapping.map(source.row, () => stableId(...salt, text)) : { bad: source.problem }
      if ('bad' in mapped) {
        bad++
        const full = rejectedFile.add({ line, reason: mapped.bad, row: row ?? shown(text) })
        if (full !== undefined) await full
        done.settle(line)
        continue
      }
      if ('withoutConsent' in mapped) {
        letGo++
        done.settle(line)
        continue
      }
      const { event } = mapped
      const { dueMs, rebasedMs } = pace.next(event.event_time, clock.now())
      if (clock.now() < dueMs) await until(dueMs)
      if (!options.keepTime) event.event_time = rebasedMs
      const full = sender.send({ topic: mapping.topic, event, source: { line, row } })
      if (full !== undefined) await full
    }
    await sender.idle()
  }

  let finished = true
  try {
    await readAll()
    await rejectedFile.flush()
    await progress.remove()
  } catch (error) {
    await save()
    if (!(error instanceof SendFailed && error.reason === 'aborted')) throw error
    finished = false
  }
  const last = status()
  options.onProgress?.(last)
  return {
    ...last,
    finished,
    resumedAfterLine,
    acknowledgedLine: done.line,
    elapsedMs: clock.now() - runStartMs,
    rejectedPath: rejectedFile.count > 0 ? rejectedFile.path : null,
  }
}

/** The separator of a CSV row's values is for no one's eyes. */
const shown = (text: string): unknown => (text.includes('\u001f') ? text.split('\u001f') : text)

function fail(path: string): FileFormat {
  throw new Error(
    `${path}: its name doesn't say whether it is CSV, JSON or NDJSON. Say it in a mapping file: "format": "csv".`,
  )
}
