/**
 * Rows of a file of any size, one by one: CSV, a JSON array, or NDJSON. What can't be read as a row comes out as a bad row, with its line, and
 * reading goes on behind it. Invariants: memory is bounded by one chunk and one row; whoever goes on at the place behind a row gets the rows that follow it, as in one go.
 */
import { createReadStream } from 'node:fs'
import type { Readable } from 'node:stream'
import { type CsvHead, type CsvPiece, type CsvSplitter, NoHeader, splitCsv } from './split-csv.ts'
import { FILE_START, type JsonPiece, type Place, splitJson } from './split-json.ts'

export { FILE_START, type Place }

export const FILE_FORMATS = ['csv', 'json', 'ndjson'] as const
export type FileFormat = (typeof FILE_FORMATS)[number]

export type Row = Readonly<Record<string, unknown>>
/**
 * `line` is where the row begins (CSV: the last line of the row). `text` is the row's content: equal rows have equal texts. `end` is behind the row, where it is known: what
 * can't be told apart has none.
 */
export type SourceRow = { line: number; text: string; end?: Place } & ({ row: Row } | { problem: string })

export interface ReadOptions {
  format: FileFormat
  /** Of CSV; default a comma. */
  delimiter?: string | undefined
  /** The `end` of a row of this file, read before in the same way; default: its beginning. */
  from?: Place | undefined
  /** Told how many bytes of the file have been read, or passed over. */
  onBytes?: (bytes: number) => void
}

/** Where the bytes are, when they are not in a file of this machine. */
export interface RowFile {
  /** In messages. */
  readonly name: string
  open(fromByte: number): Readable
}

/** One row may not have more bytes; the edge takes events of 32 KB. */
export const ROW_BYTES_MAX = 1024 * 1024

/** The format by the file's name; null when it says nothing. */
export function formatOf(path: string): FileFormat | null {
  const extension = /\.([a-z]+)$/i.exec(path)?.[1]?.toLowerCase()
  if (extension === 'csv' || extension === 'tsv' || extension === 'txt') return 'csv'
  if (extension === 'json') return 'json'
  return extension === 'ndjson' || extension === 'jsonl' ? 'ndjson' : null
}

const localFile = (path: string): RowFile => ({ name: path, open: (start) => createReadStream(path, { start }) })

/** @throws NotRows where it is no CSV at all; when the file can't be opened or read. */
export async function* readRows(
  from: string | RowFile,
  options: ReadOptions,
): AsyncGenerator<SourceRow, void, undefined> {
  const file = typeof from === 'string' ? localFile(from) : from
  if (options.format === 'csv') yield* readCsv(file, options)
  else yield* readJson(file, options)
}

/** The file as a whole is no source of rows. */
export class NotRows extends Error {
  override readonly name = 'NotRows'
}

async function* readCsv(file: RowFile, options: ReadOptions): AsyncGenerator<SourceRow, void, undefined> {
  const { from = FILE_START, delimiter = ',', onBytes } = options
  const start = from.byte === 0 ? {} : { from: { place: from, head: await csvHead(file, delimiter) } }
  const split = splitCsv({ delimiter, recordBytesMax: ROW_BYTES_MAX, ...start })
  const stream = file.open(from.byte)
  let header: readonly string[] | undefined
  let bytes = from.byte
  const rowsOf = (pieces: CsvPiece[]): SourceRow[] => {
    if (pieces.length > 0) header ??= headerOf(file, split)
    return pieces.map((piece) => rowOfCsv(piece, header!))
  }
  try {
    for await (const chunk of stream) {
      bytes += (chunk as Buffer).length
      onBytes?.(bytes)
      yield* rowsOf(split.push(chunk as Buffer))
    }
    yield* rowsOf(await split.end())
    headerOf(file, split)
  } catch (error) {
    throw error instanceof NoHeader ? new NotRows(`The header of ${file.name} is ${error.message}`) : error
  } finally {
    stream.destroy()
  }
}

/** @throws NotRows */
function headerOf(file: RowFile, { header }: CsvSplitter): readonly string[] {
  if (!header) throw new NotRows(`${file.name} is empty: a CSV file begins with a line of column names.`)
  const twice = header.find((name, at) => header.indexOf(name) !== at)
  if (twice !== undefined) throw new NotRows(`${file.name} has two columns named "${twice}" in its first line.`)
  return header
}

async function csvHead(file: RowFile, delimiter: string): Promise<CsvHead> {
  const split = splitCsv({ delimiter, recordBytesMax: ROW_BYTES_MAX })
  const stream = file.open(0)
  try {
    for await (const chunk of stream) {
      split.push(chunk as Buffer)
      if (split.head) return split.head
    }
    await split.end()
    headerOf(file, split)
    return split.head!
  } finally {
    stream.destroy()
  }
}

function rowOfCsv(piece: CsvPiece, header: readonly string[]): SourceRow {
  if ('problem' in piece) return piece
  const { line, values, end } = piece
  // The separator can't occur in text, so different rows have different texts.
  const text = values.join('\u001f')
  if (values.length === header.length) return { line, row: rowOf(header, values), text, end }
  return { line, problem: `the row has ${values.length} columns, the header has ${header.length}`, text, end }
}

/** A null prototype: a column may have any name. */
function rowOf(header: readonly string[], record: readonly string[]): Row {
  const row = Object.create(null) as Record<string, unknown>
  for (let i = 0; i < header.length; i++) row[header[i]!] = record[i]
  return row
}

async function* readJson(file: RowFile, options: ReadOptions): AsyncGenerator<SourceRow, void, undefined> {
  const { from = FILE_START, format, onBytes } = options
  const form = format === 'ndjson' ? 'lines' : from.byte === 0 ? 'array' : await jsonForm(file)
  const split = splitJson(form, ROW_BYTES_MAX, from)
  const stream = file.open(from.byte)
  let bytes = from.byte
  try {
    for await (const chunk of stream) {
      bytes += (chunk as Buffer).length
      onBytes?.(bytes)
      for (const piece of split.push((chunk as Buffer).toString('latin1'))) yield parsed(piece)
    }
    for (const piece of split.end()) yield parsed(piece)
  } finally {
    stream.destroy()
  }
}

/** What the file's first value is, for one who goes on behind it. */
async function jsonForm(file: RowFile): Promise<'elements' | 'values'> {
  const stream = file.open(0)
  try {
    for await (const chunk of stream) {
      const first = (chunk as Buffer).find((byte) => byte > 32 && byte < 128)
      if (first !== undefined) return first === OPENING_BRACKET ? 'elements' : 'values'
    }
    return 'values'
  } finally {
    stream.destroy()
  }
}
const OPENING_BRACKET = 0x5b

/** Half a surrogate pair, which JSON can escape, has no UTF-8: no store could keep it. */
const HALF_PAIR = /\\u[dD][89a-fA-F]/
const wellFormed = (_key: string, value: unknown): unknown => (typeof value === 'string' ? value.toWellFormed() : value)

function parsed({ line, text, problem, end }: JsonPiece): SourceRow {
  const place = end === undefined ? {} : { end }
  if (problem !== undefined) return { line, problem, text: text.slice(0, 1000), ...place }
  try {
    const row: unknown = HALF_PAIR.test(text) ? JSON.parse(text, wellFormed) : JSON.parse(text)
    if (typeof row === 'object' && row !== null && !Array.isArray(row)) return { line, row: row as Row, text, ...place }
    return { line, problem: 'not a JSON object', text, ...place }
  } catch (error) {
    return {
      line,
      problem: `not valid JSON: ${(error as Error).message.slice(0, 200)}`,
      text: text.slice(0, 1000),
      ...place,
    }
  }
}
