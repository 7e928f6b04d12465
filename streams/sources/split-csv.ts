/**
 * Cuts a stream of CSV into its records. One that can't be read costs its first line and no more: reading begins anew behind it, so a stray quote doesn't swallow what follows.
 *
 * Invariants: what comes out depends on the bytes alone, not on how they were cut into chunks; whoever goes on at the place behind a record, with the same head, gets the records that follow.
 */
import { type Parser, parse } from 'csv-parse'
import { FILE_START, type Place } from './split-json.ts'

/** `line` is the last line of the record. */
export type CsvPiece = { line: number; end: Place } & ({ values: string[] } | { problem: string; text: string })

/** The bytes up to behind the header, and the lines that they have: a parser that gets them first knows the line ends of the file. */
export interface CsvHead {
  bytes: Buffer
  lines: number
}

export interface CsvSplitter {
  push(chunk: Buffer): CsvPiece[]
  end(): Promise<CsvPiece[]>
  /** Known as soon as the header was read. */
  readonly head: CsvHead | null
  readonly header: readonly string[] | null
}

export interface CsvOptions {
  delimiter: string
  recordBytesMax: number
  /** Where the first byte that is pushed lies; beyond the file's beginning, with its head. */
  from?: { place: Place; head: CsvHead }
}

/** The header can't be read. */
export class NoHeader extends Error {
  override readonly name = 'NoHeader'
}

/** So much is read again at most where a record can't be read, but for its own bytes. */
const SLICE_BYTES = 8 * 1024
const TEXT_MAX = 1_000
const NEWLINE = 10
const RETURN = 13

export function splitCsv({ delimiter, recordBytesMax, from }: CsvOptions): CsvSplitter {
  let head = from?.head ?? null
  let header: string[] | null = null
  let pieces: CsvPiece[] = []
  /** Behind the last record, or bad line. */
  let { place } = from ?? { place: FILE_START }
  /** What was pushed from there on. */
  let pending: Buffer = Buffer.alloc(0)
  let parser = newParser()
  /** Of a bad line whose end was not pushed yet: its beginning. */
  let unended: BadLine | null = null

  function newParser(): Parser {
    const start = place
    let records = 0
    const made = parse({
      bom: true,
      delimiter,
      relax_column_count: true,
      skip_empty_lines: true,
      max_record_size: recordBytesMax,
      on_record(record: string[], { bytes, lines }) {
        if (records++ === 0) {
          header = record.map((name) => name.trim())
          if (head) return null
          head = { bytes: Buffer.from(pending.subarray(0, bytes)), lines }
          place = { byte: bytes, line: lines + 1 }
          return null
        }
        // The head came before what lies at the start.
        const again = start.byte === 0 ? { bytes: 0, lines: 0 } : { bytes: head!.bytes.length, lines: head!.lines }
        const line = start.line - 1 + lines - again.lines
        place = { byte: start.byte + bytes - again.bytes, line: line + 1 }
        pieces.push({ line, values: record, end: place })
        return null
      },
    })
    // Told by `errored`, at once.
    made.on('error', () => {})
    made.resume()
    if (start.byte > 0) made.write(head!.bytes)
    return made
  }

  /** The first line of what could not be read is given up; @returns what lies behind it, null when its end is still to come. */
  function giveUp(error: Error, isEnd: boolean): Buffer | null {
    if (header === null) throw new NoHeader(wording(error))
    let start = 0
    while (pending[start] === NEWLINE || pending[start] === RETURN) {
      if (pending[start] === NEWLINE) place = { ...place, line: place.line + 1 }
      start++
    }
    const end = pending.indexOf(NEWLINE, start)
    const bytes = pending.subarray(start, Math.min(end < 0 ? pending.length : end, start + TEXT_MAX))
    const bad: BadLine = { problem: wording(error), bytes: Buffer.from(bytes) }
    const rest = end < 0 ? pending.subarray(pending.length) : pending.subarray(end + 1)
    const { line } = place
    place = { byte: place.byte + pending.length - rest.length, line: end < 0 && !isEnd ? line : line + 1 }
    pending = Buffer.alloc(0)
    if (end < 0 && !isEnd) {
      unended = bad
      return null
    }
    pieces.push({ line, ...told(bad), end: place })
    parser = newParser()
    return rest
  }

  function feed(slice: Buffer): void {
    for (let next: Buffer | null = slice; next && next.length > 0; ) {
      if (unended) next = passOver(next, unended)
      if (!next || next.length === 0) return
      const before = place.byte
      pending = pending.length === 0 ? next : Buffer.concat([pending, next])
      parser.write(next)
      pending = pending.subarray(place.byte - before)
      next = parser.errored ? giveUp(parser.errored, false) : null
    }
    // Not to keep the whole chunk for a few bytes of it.
    if (pending.length > 0 && pending.length < SLICE_BYTES) pending = Buffer.from(pending)
  }

  /** @returns what lies behind the bad line, null where it goes on */
  function passOver(chunk: Buffer, { problem, bytes }: BadLine): Buffer | null {
    const end = chunk.indexOf(NEWLINE)
    const rest = chunk.subarray(0, end < 0 ? chunk.length : end)
    const bad = { problem, bytes: Buffer.concat([bytes, rest.subarray(0, TEXT_MAX - bytes.length)]) }
    const { byte, line } = place
    place = { byte: byte + rest.length + (end < 0 ? 0 : 1), line: end < 0 ? line : line + 1 }
    if (end < 0) {
      unended = bad
      return null
    }
    pieces.push({ line, ...told(bad), end: place })
    unended = null
    parser = newParser()
    return chunk.subarray(end + 1)
  }

  const taken = (): CsvPiece[] => {
    const found = pieces
    pieces = []
    return found
  }
  return {
    push(chunk) {
      for (let i = 0; i < chunk.length; i += SLICE_BYTES) feed(chunk.subarray(i, i + SLICE_BYTES))
      return taken()
    },
    async end() {
      for (let rest: Buffer | null = Buffer.alloc(0); rest; ) {
        feed(rest)
        if (unended) {
          pieces.push({ line: place.line, ...told(unended), end: { ...place, line: place.line + 1 } })
          break
        }
        const before = place.byte
        const closed = new Promise((resolve) => parser.once('close', resolve))
        parser.end()
        await closed
        pending = pending.subarray(place.byte - before)
        rest = parser.errored ? giveUp(parser.errored, true) : null
      }
      return taken()
    },
    get head() {
      return head
    },
    get header() {
      return header
    },
  }
}

interface BadLine {
  problem: string
  /** As far as they are shown. */
  bytes: Buffer
}

const told = ({ problem, bytes }: BadLine) => ({ problem, text: bytes.toString().replace(/\r$/, '') })

/** Without the parser's own line: it counts from where it began. */
const wording = (error: Error): string =>
  `not readable as CSV: ${error.message
    .split('\n')[0]!
    .replace(/ (at|on) line \d+/, '')
    .slice(0, 200)}`
