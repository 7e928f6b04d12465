/**
 * Rows of a file of any size, one by one: CSV, a JSON array, or NDJSON. What can't be read as a row comes out as a bad row, with its line, and
 * reading goes on behind it. Invariant: memory is bounded by one chunk and one row.
 */
import { createReadStream } from 'node:fs'
import { CsvError, parse } from 'csv-parse'
import { splitJson } from './split-json.ts'

export const FILE_FORMATS = ['csv', 'json', 'ndjson'] as const
export type FileFormat = (typeof FILE_FORMATS)[number]

export type Row = Readonly<Record<string, unknown>>
/** `line` is where the row begins (CSV: the last line of the row). `text` is the row's content: equal rows have equal texts. */
export type SourceRow = { line: number; row: Row; text: string } | { line: number; problem: string; text: string }

export interface ReadOptions {
  format: FileFormat
  /** Of CSV; default a comma. */
  delimiter?: string
  /** Told how many bytes of the file have been read. */
  onBytes?: (bytes: number) => void
}

/** One row may not be larger; the edge takes events of 32 KB. */
export const ROW_CHARS_MAX = 1024 * 1024

/** The format by the file's name; null when it says nothing. */
export function formatOf(path: string): FileFormat | null {
  const extension = /\.([a-z]+)$/i.exec(path)?.[1]?.toLowerCase()
  if (extension === 'csv' || extension === 'tsv' || extension === 'txt') return 'csv'
  if (extension === 'json') return 'json'
  return extension === 'ndjson' || extension === 'jsonl' ? 'ndjson' : null
}

/** @throws when the file can't be opened or read, or is no CSV at all. */
export async function* readRows(path: string, options: ReadOptions): AsyncGenerator<SourceRow, void, undefined> {
  if (options.format === 'csv') yield* readCsv(path, options)
  else yield* readJson(path, options)
}

async function* readCsv(path: string, options: ReadOptions): AsyncGenerator<SourceRow, void, undefined> {
  const skipped: SourceRow[] = []
  const parser = parse({
    bom: true,
    info: true,
    delimiter: options.delimiter ?? ',',
    relax_column_count: true,
    skip_empty_lines: true,
    max_record_size: ROW_CHARS_MAX,
    skip_records_with_error: true,
    on_skip: (error) => {
      const line = error instanceof CsvError ? Number(error.lines ?? 0) : 0
      // One line can be wrong in several ways.
      if (skipped.at(-1)?.line !== line) skipped.push({ line, problem: wording(error), text: '' })
      return undefined
    },
  })
  const file = createReadStream(path)
  file.on('error', (error) => parser.destroy(error))
  file.on('data', () => options.onBytes?.(file.bytesRead))
  file.pipe(parser)
  try {
    let header: string[] | undefined
    for await (const item of parser) {
      const { record, info } = item as { record: string[]; info: { lines: number } }
      // The parser is ahead of what it hands out; rows must come in the order of their lines all the same.
      while (skipped[0] && skipped[0].line < info.lines) yield skipped.shift()!
      if (!header) {
        header = record.map((name) => name.trim())
        const twice = header.find((name, at) => header?.indexOf(name) !== at)
        if (twice !== undefined) throw new Error(`${path} has two columns named "${twice}" in its first line.`)
        continue
      }
      // The separator can't occur in text, so different rows have different texts.
      const text = record.join('\u001f')
      if (record.length === header.length) yield { line: info.lines, row: rowOf(header, record), text }
      else
        yield {
          line: info.lines,
          problem: `the row has ${record.length} columns, the header has ${header.length}`,
          text,
        }
    }
    yield* skipped.splice(0)
    if (!header) throw new Error(`${path} is empty: a CSV file begins with a line of column names.`)
  } finally {
    file.destroy()
  }
}

/** A null prototype: a column may have any name. */
function rowOf(header: readonly string[], record: readonly string[]): Row {
  const row = Object.create(null) as Record<string, unknown>
  for (let i = 0; i < header.length; i++) row[header[i]!] = record[i]
  return row
}

const wording = (error: unknown): string =>
  `not readable as CSV: ${error instanceof Error ? error.message.split('\n')[0]!.slice(0, 200) : 'unknown error'}`

async function* readJson(path: string, options: ReadOptions): AsyncGenerator<SourceRow, void, undefined> {
  const file = createReadStream(path)
  const split = splitJson(options.format === 'json' ? 'array' : 'lines', ROW_CHARS_MAX)
  const decoder = new TextDecoder()
  try {
    for await (const chunk of file) {
      options.onBytes?.(file.bytesRead)
      for (const piece of split.push(decoder.decode(chunk as Buffer, { stream: true }))) yield parsed(piece)
    }
    for (const piece of split.end(decoder.decode())) yield parsed(piece)
  } finally {
    file.destroy()
  }
}

function parsed({ line, text, problem }: { line: number; text: string; problem?: string }): SourceRow {
  if (problem !== undefined) return { line, problem, text: text.slice(0, 1000) }
  try {
    const row: unknown = JSON.parse(text)
    if (typeof row === 'object' && row !== null && !Array.isArray(row)) return { line, row: row as Row, text }
    return { line, problem: 'not a JSON object', text }
  } catch (error) {
    return { line, problem: `not valid JSON: ${(error as Error).message.slice(0, 200)}`, text: text.slice(0, 1000) }
  }
}
