/**
 * The versioned upsert of a result table, derived from its drizzle table: one statement and one array per column, however many rows.
 *
 * Invariant: the WHERE says what `replaces` in result-version.ts says.
 */
import { RESULT_KEYS, type ResultRows, type ResultTable } from '../../streams/contract/results.ts'
import { type BulkInsert, bulkInsert, onConflictUpdate } from './bulk-insert.ts'
import { RESULT_SCHEMA } from './schema.ts'

/** Rows must have distinct keys. */
export type Upsert<T extends ResultTable> = Pick<BulkInsert<ResultRows[T]>, 'statement' | 'parameters'>

function derive<T extends ResultTable>(table: T): Upsert<T> {
  // The compiler has checked that each column has the type of the row's field (schema.ts).
  const { statement, columns, parameters } = bulkInsert<ResultRows[T]>(RESULT_SCHEMA[table])
  const hasFinal = columns.some((name) => name === 'final')
  return {
    statement: `${statement}
    ${onConflictUpdate(RESULT_KEYS[table], columns)}
    WHERE t.position < excluded.position${hasFinal ? ' OR (t.position = excluded.position AND excluded.final AND NOT t.final)' : ''}`,
    parameters,
  }
}

/** By table, each derived once. */
export const UPSERTS: { readonly [T in ResultTable]: Upsert<T> } = {
  sessions: derive('sessions'),
  revenue_by_minute: derive('revenue_by_minute'),
  traffic_by_minute: derive('traffic_by_minute'),
  products_by_hour: derive('products_by_hour'),
  trips_by_region: derive('trips_by_region'),
  fraud_alerts: derive('fraud_alerts'),
  outcomes_by_minute: derive('outcomes_by_minute'),
}
