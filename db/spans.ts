/**
 * Spans of what stores do, under an activity or a request that is recorded; else the work alone. Which statement it was is said by a name of ours, not by its text.
 *
 * Invariant: names and attributes come from a list that is as long as the code, or as the catalog: never from data. What an error says is told as in the log.
 */
import { beginSpan, childSpan, failSpan, isRecorded, SpanKind, type SpanOptions } from '../observability/spans.ts'

/** @param what the statement's name, e.g. `publish day` */
export const postgresSpan = <T>(does: 'read' | 'write', what: string, work: () => Promise<T>): Promise<T> =>
  childSpan(
    `${does} postgresql`,
    { kind: SpanKind.CLIENT, attributes: { 'db.system.name': 'postgresql', 'db.query.summary': what } },
    work,
  )

/** @param what the statement's name; without one the span has none */
export const sqlSpan = (engine: 'duckdb' | 'trino', what: string | undefined): [name: string, options: SpanOptions] => [
  `sql ${engine}`,
  {
    // DuckDB runs in this process.
    kind: engine === 'trino' ? SpanKind.CLIENT : SpanKind.INTERNAL,
    attributes: { 'db.system.name': engine, ...(what !== undefined && { 'db.query.summary': what }) },
  },
]

/** Pages of rows as they come, within a span from the first that is asked for to the end, also where the reader breaks off. */
export async function* inPagesSpan<P extends { length: number } | { rows: { length: number } }>(
  [name, options]: [name: string, options: SpanOptions],
  pages: () => AsyncGenerator<P>,
): AsyncGenerator<P> {
  if (!isRecorded()) {
    yield* pages()
    return
  }
  const span = beginSpan(name, options)
  let rows = 0
  try {
    for await (const page of pages()) {
      rows += 'rows' in page ? page.rows.length : page.length
      yield page
    }
  } catch (error) {
    failSpan(span, error)
    throw error
  } finally {
    span.setAttribute('db.response.returned_rows', rows)
    span.end()
  }
}
