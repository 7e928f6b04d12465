/** What SQL over the lake needs in both of its dialects, DuckDB's and Trino's: times as literals, and times and numbers from results. */
import type { SqlEngine, SqlOptions, SqlValue } from '../../db/lake/index.ts'

/** An instant, for comparison with a `timestamptz` column. */
export const timeLiteral = (epochMs: number): string =>
  `CAST('${new Date(epochMs).toISOString().replace('T', ' ').replace('Z', '')} UTC' AS timestamp with time zone)`

/** Text as a literal. The callers' texts are from the data: quotes are doubled, which is all that both dialects know. */
export const textLiteral = (text: string): string => `'${text.replaceAll("'", "''")}'`

export const numberOf = (value: SqlValue | undefined): number => Number(value)

/** Times come as ISO text. */
export const msOfText = (value: SqlValue | undefined): number => Date.parse(String(value).replace(/(\.\d{3})\d+/, '$1'))

/** Rows as objects by column name, a page at a time. */
export async function* objectsOf(
  engine: SqlEngine,
  sql: string,
  options: SqlOptions,
): AsyncGenerator<Record<string, SqlValue>[]> {
  for await (const { columns, rows } of engine.stream(sql, options))
    yield rows.map((row) => Object.fromEntries(columns.map(({ name }, i) => [name, row[i]!])))
}

export async function allObjects(
  engine: SqlEngine,
  sql: string,
  options: SqlOptions,
): Promise<Record<string, SqlValue>[]> {
  const all: Record<string, SqlValue>[] = []
  for await (const page of objectsOf(engine, sql, options)) all.push(...page)
  return all
}
