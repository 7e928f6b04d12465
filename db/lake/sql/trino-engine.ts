/**
 * SQL over the lake by Trino: the statement goes there as it is. Which snapshot is read, Trino decides; a statement may say so itself (FOR VERSION AS OF).
 *
 * Invariant: only statements that read are sent, since Trino would run the others.
 */
import { type Trino, TrinoError, TrinoUnavailable } from '../../trino/client.ts'
import { SQL_TIMEOUT_MS, type SqlEngine, SqlError, type SqlErrorCode } from '../sql-engine.ts'

/** @param trino with the lake's catalog as its own, so that `raw.orders` means a table of it */
export function createTrinoEngine(trino: Pick<Trino, 'stream'>): SqlEngine {
  return {
    name: 'trino',
    async *stream(sql, { snapshotId, asOfMs, signal, timeoutMs = SQL_TIMEOUT_MS } = {}) {
      const text = readingStatement(sql)
      // Names stand in a statement in too many ways to be found and changed from here.
      if (snapshotId !== undefined || asOfMs !== undefined)
        throw new SqlError(
          'UNSUPPORTED',
          `With Trino the statement itself says which snapshot it reads: FROM raw.orders FOR ${
            snapshotId !== undefined
              ? `VERSION AS OF ${snapshotId}`
              : `TIMESTAMP AS OF TIMESTAMP '${new Date(asOfMs!).toISOString().replace('T', ' ').replace('Z', ' UTC')}'`
          }.`,
        )
      try {
        for await (const { columns, rows } of trino.stream(text, { timeoutMs, ...(signal && { signal }) }))
          yield { columns, rows, pinned: [] }
      } catch (error) {
        throw asSqlError(error)
      }
    },
  }
}

const CODES: Readonly<Record<string, SqlErrorCode>> = {
  SYNTAX_ERROR: 'SYNTAX',
  TABLE_NOT_FOUND: 'UNKNOWN_TABLE',
  SCHEMA_NOT_FOUND: 'UNKNOWN_TABLE',
  CANCELLED: 'CANCELLED',
  TIMED_OUT: 'TIMED_OUT',
}

function asSqlError(error: unknown): unknown {
  if (error instanceof TrinoUnavailable) return new SqlError('UNAVAILABLE', error.message, { cause: error })
  if (!(error instanceof TrinoError)) return error
  return new SqlError(CODES[error.code] ?? 'FAILED', error.message, { cause: error })
}

const COMMENTS = /^(?:\s|--[^\n]*(?:\n|$)|\/\*[\s\S]*?\*\/)+/
const READS = /^(?:\(|(?:select|with|values|table|show|describe|desc)\b)/i

/** @returns the statement without a semicolon at its end, which Trino refuses. @throws SqlError unless it only reads */
export function readingStatement(sql: string): string {
  const text = sql.replace(/(?:\s|;)+$/, '')
  const skip = (from: string): string => from.replace(COMMENTS, '')
  let rest = skip(text)
  if (rest === '') throw new SqlError('NOT_A_QUERY', 'There is no statement.')
  // EXPLAIN ANALYZE runs what it explains.
  for (const part of [/^explain\b/i, /^analyze\b/i, /^verbose\b/i]) {
    if (part.test(rest)) rest = skip(rest.replace(part, ''))
    else if (part.source.startsWith('^explain')) break
  }
  const options = /^\(\s*(?:type|format)\b[^()]*\)/i
  if (options.test(rest)) rest = skip(rest.replace(options, ''))
  if (READS.test(rest)) return text
  throw new SqlError(
    'NOT_A_QUERY',
    'Only queries are run here: SELECT, WITH, VALUES, TABLE, SHOW, DESCRIBE, EXPLAIN. Use a Trino client of yours for the rest.',
  )
}
