/** Reconciliations: stored once per run, read by the API and the metrics. */
import type { InferSelectModel } from 'drizzle-orm'
import type { reconciliation_differences, reconciliations } from '../batch-schema.ts'
import type { Sql } from '../connect.ts'
import { cleanText } from '../result-version.ts'

export type Reconciliation = InferSelectModel<typeof reconciliations>
export type ReconciliationDifference = Omit<
  InferSelectModel<typeof reconciliation_differences>,
  'reconciliation_id' | 'ordinal'
>

export interface Reconciled extends Reconciliation {
  /** The first of each kind. */
  differences: readonly ReconciliationDifference[]
}

/** In place of what an earlier attempt of the same run has stored. */
export async function storeReconciliation(sql: Sql, { differences, ...run }: Reconciled): Promise<void> {
  // Keys may be texts of the lake, which PostgreSQL would refuse.
  const json = (value: unknown): string =>
    JSON.stringify(value, (_key, inner: unknown) => (typeof inner === 'string' ? cleanText(inner) : inner))
  await sql.begin(async (tx) => {
    await tx`DELETE FROM reconciliations WHERE id = ${run.id}`
    await tx`
      INSERT INTO reconciliations SELECT * FROM jsonb_populate_record(NULL::reconciliations, ${json({
        ...run,
        ...times(run, ['from_at', 'to_at', 'started_at', 'finished_at']),
      })}::text::jsonb)`
    const rows = differences.map((each, ordinal) => ({ ...each, reconciliation_id: run.id, ordinal }))
    await tx`
      INSERT INTO reconciliation_differences
      SELECT * FROM jsonb_populate_recordset(NULL::reconciliation_differences, ${json(rows)}::text::jsonb)`
  })
}

/** @returns the newest, by when it finished; null when there is none */
export async function latestReconciliation(sql: Sql): Promise<Reconciled | null> {
  const [run] = await sql<Reconciliation[]>`SELECT * FROM reconciliations ORDER BY finished_at DESC, id DESC LIMIT 1`
  if (!run) return null
  const differences = await sql<ReconciliationDifference[]>`
    SELECT explained, table_name, cause, key, message, records, minor, live, expected, sample
    FROM reconciliation_differences WHERE reconciliation_id = ${run.id} ORDER BY explained, ordinal`
  return { ...run, differences: [...differences] }
}

const times = (run: Reconciliation, names: readonly (keyof Reconciliation)[]) =>
  Object.fromEntries(names.map((name) => [name, new Date(run[name] as number).toISOString()]))
