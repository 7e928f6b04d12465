/**
 * A pool of connections to PostgreSQL: postgres.js for plain SQL and drizzle over the same connections.
 *
 * Both give times as epoch milliseconds and `bigint` as number. Pass arrays and JSON as text and cast in SQL (`${text}::text::jsonb`), as
 * postgres.js would otherwise have to ask the server for its array types on every connection.
 */
import { drizzle, type PostgresJsDatabase } from 'drizzle-orm/postgres-js'
import postgres from 'postgres'
import { parseTimestamp } from './columns.ts'

/** The sql`…` of a pool or of a transaction. `int8` comes as number. */
export type Sql = postgres.Sql<{ bigint: number }>
export type Transaction = postgres.TransactionSql<{ bigint: number }>

export interface Database {
  readonly sql: Sql
  readonly db: PostgresJsDatabase
  /** Waits for running queries, at most 5 s. */
  close(): Promise<void>
}

export interface ConnectOptions {
  /** Connections of this pool at most; queries beyond wait for one. */
  max: number
  /** What `pg_stat_activity` shows as `application_name`. */
  name?: string
  /** The server stops a query that takes longer. For pools that serve readers; writers leave it out. */
  statementTimeoutMs?: number
  /**
   * The server ends a session that leaves a transaction open and says nothing for so long: a process that is frozen in the middle of a flush must not hold
   * the locks that its successor waits for.
   */
  idleInTransactionTimeoutMs?: number
  /** Where tables without a schema are looked for and made; default: `public`. */
  schema?: string
}

const TIMESTAMPTZ = 1184
const INT8 = 20

/** Opens no connection yet: the first query does. */
export function connect(url: string, options: ConnectOptions): Database {
  const { max, name = 'streamforge', statementTimeoutMs, idleInTransactionTimeoutMs, schema } = options
  const sql = postgres(url, {
    max,
    connect_timeout: 10,
    idle_timeout: 60,
    fetch_types: false,
    onnotice: () => {},
    connection: {
      application_name: name,
      TimeZone: 'UTC',
      ...(statementTimeoutMs === undefined ? {} : { statement_timeout: statementTimeoutMs }),
      ...(idleInTransactionTimeoutMs === undefined
        ? {}
        : { idle_in_transaction_session_timeout: idleInTransactionTimeoutMs }),
      ...(schema === undefined ? {} : { search_path: `"${schema.replaceAll('"', '""')}"` }),
    },
    // Sums beyond 2^53 are caught where they are read (queries/numbers.ts): throwing here would break the connection's protocol.
    types: {
      bigint: { to: INT8, from: [INT8], serialize: (n: number) => String(n), parse: (text: string) => Number(text) },
    },
  })
  const db = drizzle(sql)
  // drizzle sets the client's parser for times to plain text; its columns (columns.ts) take the number just as well.
  sql.options.parsers[TIMESTAMPTZ] = parseTimestamp
  return { sql, db, close: () => sql.end({ timeout: 5 }) }
}
