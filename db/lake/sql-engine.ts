/**
 * The port for SQL over the lake, with two forms: DuckDB over the files of pinned snapshots (`sql/duckdb-engine.ts`) and Trino over HTTP (`sql/trino-engine.ts`).
 *
 * Invariants: only queries run, nothing is changed; a statement sees one snapshot of each of its tables; rows come page by page, so that memory is bounded whatever their number.
 */
import type { Long } from './types/json.ts'

/**
 * A value of either engine. Integers as number, those of 64 bits and more as bigint; decimal, uuid, interval as text; binary as bytes; date `2026-11-20`; time `01:02:03.123456`; timestamp
 * `2026-11-20T01:02:03.123456`, with time zone the same with `Z`; lists as arrays, structs as objects, maps as Map.
 */
export type SqlValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | SqlValue[]
  | Map<SqlValue, SqlValue>
  | { [field: string]: SqlValue }

export interface SqlColumn {
  /** As the statement has it; names may come twice. */
  name: string
  /** As the engine writes it. */
  type: string
}

/** Which snapshot of a table was read; null: the table has none yet. */
export interface PinnedTable {
  /** `namespace.table` */
  table: string
  snapshotId: Long | null
  committedMs: number | null
}

export interface SqlPage {
  columns: readonly SqlColumn[]
  rows: SqlValue[][]
  /** Empty where the engine decides by itself, as Trino does. */
  pinned: readonly PinnedTable[]
}

export interface SqlOptions {
  /** Of the one table that the statement names. At most one of `snapshotId` and `asOfMs`. */
  snapshotId?: Long | undefined
  /** Epoch milliseconds: every table as it was then. */
  asOfMs?: number | undefined
  signal?: AbortSignal | undefined
  /** What the statement is called in traces: a name of the code's own, no data. */
  name?: string | undefined
  /** Of the whole statement; default: five minutes. */
  timeoutMs?: number | undefined
}

export interface SqlEngine {
  readonly name: 'duckdb' | 'trino'
  /** At least one page, also when there are no rows; breaking off ends the query. @throws SqlError; MissingFile and Error where the lake itself can't be read */
  stream(sql: string, options?: SqlOptions): AsyncGenerator<SqlPage>
}

export type SqlErrorCode =
  | 'SYNTAX'
  | 'NOT_A_QUERY'
  | 'UNKNOWN_TABLE'
  | 'NO_SNAPSHOT'
  | 'UNSUPPORTED'
  | 'CANCELLED'
  | 'TIMED_OUT'
  | 'TOO_MANY_ROWS'
  | 'UNAVAILABLE'
  /** What the engine says of a statement that it understood. */
  | 'FAILED'

/** The statement can't be answered; the message says why and what to do. */
export class SqlError extends Error {
  override readonly name = 'SqlError'
  readonly code: SqlErrorCode

  constructor(code: SqlErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

export const SQL_TIMEOUT_MS = 300_000

/** The whole result in memory. @throws SqlError also when there are more rows than `rowsMax` (100,000) */
export async function queryRows(
  engine: SqlEngine,
  sql: string,
  { rowsMax = 100_000, ...options }: SqlOptions & { rowsMax?: number } = {},
): Promise<SqlPage> {
  let result: SqlPage | undefined
  for await (const page of engine.stream(sql, options)) {
    if (!result) result = { ...page, rows: [...page.rows] }
    else for (const row of page.rows) result.rows.push(row)
    if (result.rows.length > rowsMax)
      throw new SqlError('TOO_MANY_ROWS', `The statement gives more than ${rowsMax} rows. Ask for fewer with LIMIT.`)
  }
  return result ?? { columns: [], rows: [], pinned: [] }
}

/** What a query's signal was aborted for, as the error that callers know. */
export const stopped = (caller: AbortSignal | undefined, timeoutMs: number, cause: unknown): SqlError =>
  caller?.aborted
    ? new SqlError('CANCELLED', 'The query was cancelled.', { cause })
    : new SqlError(
        'TIMED_OUT',
        `The query took longer than ${timeoutMs / 1_000} s and was ended. Let it read less, or give it more time.`,
        { cause },
      )
