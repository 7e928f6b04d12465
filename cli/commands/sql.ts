/** `streamforge sql`: a query over the lake's tables, by DuckDB here or by Trino, its rows as a table, JSON or CSV. Reads only. */
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { text as readAll } from 'node:stream/consumers'
import type { Config } from '../../db/config.ts'
import {
  createDuckdbEngine,
  createTrinoEngine,
  type Long,
  type PinnedTable,
  type SqlEngine,
  SqlError,
  type SqlOptions,
} from '../../db/lake/index.ts'
import { trinoAt } from '../../db/trino/from-url.ts'
import {
  CommandFailed,
  type CommandIo,
  defineCommand,
  INTERRUPTED,
  parseArguments,
  UsageError,
  wholeNumber,
} from '../command.ts'
import { counted, humanTime } from '../human.ts'
import { LAKE_OPTIONS, LAKE_USAGE, withLake } from '../lake.ts'
import { configFrom } from '../settings.ts'
import { momentOption } from '../time-option.ts'
import { FORMATS, type Format, openOutput } from './sql/output.ts'

const ENGINES = ['duckdb', 'trino'] as const
const TABLE_ROWS = 1_000

export const sql = defineCommand({
  name: 'sql',
  usage: `streamforge sql "SELECT …" [options]
streamforge sql - [options]         reads the statement from standard input

Asks the lake's tables; "streamforge lake ls" shows which there are. Each table is read at one snapshot, so writers do not disturb. Only queries: SELECT, WITH, VALUES, SHOW,
DESCRIBE, SUMMARIZE, EXPLAIN.

  --file FILE       reads the statement from a file
  --engine NAME     duckdb (default): here, over the files; trino: the server that TRINO_URL names, whose catalog "lake" this is
  --snapshot ID     the table as it was in that snapshot; "streamforge lake snapshots TABLE" lists them
  --as-of TIME      all tables as they were then: ISO 8601, or 90m, 24h, 7d ago
  --format NAME     table (default), json or csv
  --limit N         shows the first N rows; 0: all (default: ${TABLE_ROWS} in a table, else all)
  --timeout SECONDS of the whole query (default: 300)
${LAKE_USAGE}`,
  async run(args, io) {
    const asked = await parse(args, io)
    try {
      if (asked.engine === 'trino') return await print(trinoEngine(configFrom(io.env)), asked, io)
      return await withLake(asked, io, ({ lake }) => print(createDuckdbEngine(lake), asked, io))
    } catch (error) {
      if (error instanceof SqlError) {
        if (error.code === 'CANCELLED') return INTERRUPTED
        throw new CommandFailed(error.message, { cause: error })
      }
      throw error
    }
  },
})

interface Asked {
  statement: string
  engine: (typeof ENGINES)[number]
  format: Format
  /** Infinity: all. */
  rowsMax: number
  options: SqlOptions
  data: string | undefined
}

async function parse(args: readonly string[], io: CommandIo): Promise<Asked> {
  const { values, positionals } = parseArguments(args, {
    file: { type: 'string' },
    engine: { type: 'string', default: 'duckdb' },
    snapshot: { type: 'string' },
    'as-of': { type: 'string' },
    format: { type: 'string', default: 'table' },
    limit: { type: 'string' },
    timeout: { type: 'string', default: '300' },
    ...LAKE_OPTIONS,
  })
  const engine = oneOf('--engine', values.engine, ENGINES)
  const format = oneOf('--format', values.format, FORMATS)
  if (values.snapshot !== undefined && values['as-of'] !== undefined)
    throw new UsageError('--snapshot and --as-of can not both be given.')
  const limit = wholeNumber('--limit', values.limit ?? (format === 'table' ? String(TABLE_ROWS) : '0'), 0, 1e12)
  return {
    engine,
    format,
    rowsMax: limit === 0 ? Number.POSITIVE_INFINITY : limit,
    options: {
      snapshotId: values.snapshot === undefined ? undefined : snapshotId(values.snapshot),
      asOfMs: values['as-of'] === undefined ? undefined : momentOption('--as-of', values['as-of'], io.clock.now()),
      timeoutMs: wholeNumber('--timeout', values.timeout, 1, 86_400) * 1_000,
      signal: io.signal,
    },
    data: values.data,
    statement: await statementOf(positionals, values.file, io),
  }
}

function oneOf<T extends string>(name: string, value: string, known: readonly T[]): T {
  const found = known.find((each) => each === value)
  if (found === undefined) throw new UsageError(`${name} takes one of ${known.join(', ')}, not "${value}".`)
  return found
}

/** Other engines' ids have more digits than a double holds. */
export function snapshotId(text: string): Long {
  if (!/^\d{1,19}$/.test(text)) throw new UsageError(`--snapshot takes a snapshot's id, a number, not "${text}".`)
  const id = BigInt(text)
  return id <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(id) : id
}

async function statementOf(
  positionals: readonly string[],
  file: string | undefined,
  io: Pick<CommandIo, 'cwd' | 'input'>,
): Promise<string> {
  if (positionals.length > 1)
    throw new UsageError('sql takes one statement: put quotes around it, so that the shell leaves it in one piece.')
  const [given] = positionals
  if ((given === undefined) === (file === undefined))
    throw new UsageError('sql takes a statement, "-" for standard input, or --file.')
  if (file !== undefined) {
    try {
      return await readFile(resolve(io.cwd, file), 'utf8')
    } catch (error) {
      throw new UsageError(`${file} can't be read: ${(error as NodeJS.ErrnoException).code}.`)
    }
  }
  return given === '-' ? readAll(io.input ?? process.stdin) : given!
}

function trinoEngine({ trinoUrl }: Config): SqlEngine {
  if (!trinoUrl)
    throw new CommandFailed(
      'Trino is found by TRINO_URL, e.g. TRINO_URL=http://127.0.0.1:8080; "streamforge lake connect" has its catalog\'s settings.',
    )
  return createTrinoEngine(trinoAt(trinoUrl.reveal()))
}

async function print(
  engine: SqlEngine,
  { statement, format, rowsMax, options }: Asked,
  io: CommandIo,
): Promise<number> {
  const startedMs = io.clock.now()
  const out = buffered((text) => io.out(text))
  const output = openOutput(format, out.write)
  let pinned: readonly PinnedTable[] | null = null
  let rows = 0
  let more = false
  for await (const page of engine.stream(statement, options)) {
    if (pinned === null) output.columns(page.columns)
    pinned = page.pinned
    for (const row of page.rows) {
      more = rows === rowsMax
      if (more) break
      output.row(row)
      rows++
    }
    if (more) break
  }
  const notes = [output.end()]
  out.flush()
  if (more) notes.push(`There are more rows; --limit 0 shows all.`)
  if (options.snapshotId !== undefined || options.asOfMs !== undefined) notes.push(...(pinned ?? []).map(tellPinned))
  const seconds = ((io.clock.now() - startedMs) / 1_000).toFixed(2)
  io.err(`${counted(rows, 'row')}, ${seconds} s\n`)
  for (const note of notes) if (note !== '') io.err(`${note}\n`)
  return 0
}

const WRITTEN_AT_ONCE = 64 * 1024

/** A system call for every row would be most of the time. */
function buffered(out: (text: string) => void): { write(text: string): void; flush(): void } {
  let parts: string[] = []
  let length = 0
  const flush = (): void => {
    if (length > 0) out(parts.join(''))
    parts = []
    length = 0
  }
  return {
    write(text) {
      parts.push(text)
      length += text.length
      if (length >= WRITTEN_AT_ONCE) flush()
    },
    flush,
  }
}

const tellPinned = ({ table, snapshotId, committedMs }: PinnedTable): string =>
  snapshotId === null || committedMs === null
    ? `${table} has no snapshot yet.`
    : `${table} as of snapshot ${snapshotId}, ${humanTime(committedMs)}.`
