/** An engine each of whose statements is a span: `sql duckdb`, `sql trino`, by the name that the caller gives it. A statement's text holds data, and is in no trace. */
import { inPagesSpan, sqlSpan } from '../../spans.ts'
import type { SqlEngine } from '../sql-engine.ts'

export const tracedEngine = (engine: SqlEngine): SqlEngine => ({
  name: engine.name,
  stream: (sql, options) => inPagesSpan(sqlSpan(engine.name, options?.name), () => engine.stream(sql, options)),
})
