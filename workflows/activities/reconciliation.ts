/**
 * Reconciliation of a range as an activity: it works in a schema of its own attempt, stores what it found under the run's id, and reports it as metrics. Safe to repeat: live results are only read, and
 * what an earlier attempt has stored or left is replaced or removed.
 */
import { Context } from '@temporalio/activity'
import { Counter, Gauge } from 'prom-client'
import { type Reconciled, storeReconciliation } from '../../db/postgres/queries/reconciliation.ts'
import { postgresSpan } from '../../db/spans.ts'
import type { Registry } from '../../observability/metrics.ts'
import { shadowName } from '../../streams/shadow/index.ts'
import { type Report, reconcile } from '../reconciliation/reconcile.ts'
import type { ActivityDeps } from './deps.ts'
import { withHeartbeat } from './heartbeat.ts'

const CURRENCIES_MAX = 10

/** What a workflow needs to know of it; all of it is in PostgreSQL. */
export type ReconcileSummary = Omit<Report, 'differences'>

export type ReconciliationActivities = ReturnType<typeof reconciliationActivities>

export const reconciliationActivities = ({
  database,
  databaseUrl,
  lake,
  engine,
  clock,
  settings,
  metrics,
}: ActivityDeps) => {
  const tell = reconciliationMetrics(metrics)
  return {
    reconcileRange: ({ fromMs, toMs }: { fromMs: number; toMs: number }): Promise<ReconcileSummary> =>
      withHeartbeat(clock, async (signal, onProgress) => {
        const { attempt, workflowExecution } = Context.current().info
        const { workflowId, runId } = workflowExecution!
        const startedAt = clock.now()
        const sort = { memoryMb: settings.memoryMb, threads: settings.threads, parent: settings.temporaryDir }
        const { differences, ...summary } = await reconcile(
          { database, databaseUrl, lake, engine, sort, now: () => clock.now() },
          { fromMs, toMs, schema: shadowName(runId, attempt), signal, onProgress },
        )
        const finishedAt = clock.now()
        const reconciled: Reconciled = {
          id: runId,
          workflow_id: workflowId,
          workflow_run_id: runId,
          started_at: startedAt,
          finished_at: finishedAt,
          ...summary,
          differences,
        }
        await postgresSpan('write', 'reconciliation', () => storeReconciliation(database.sql, reconciled))
        tell(summary, finishedAt)
        return summary
      }),
  }
}

function reconciliationMetrics(register: Registry): (report: ReconcileSummary, finishedMs: number) => void {
  const registers = [register]
  const gauge = <L extends string>(name: string, help: string, labelNames: L[]) =>
    new Gauge<L>({ name, help, labelNames, registers })
  const runs = new Counter({
    name: 'streamforge_reconciliations_total',
    help: 'Reconciliations, by outcome.',
    labelNames: ['outcome'],
    registers,
  })
  const unexplained = gauge(
    'streamforge_reconciliation_unexplained',
    'Differences that nothing explains, of the last reconciliation.',
    [],
  )
  const minor = gauge(
    'streamforge_reconciliation_unexplained_minor',
    'What those come to in minor units, by currency: the ten that are off by most.',
    ['currency'],
  )
  const explained = gauge(
    'streamforge_reconciliation_explained_records',
    'Records that make live results differ from the exact truth, by cause, of the last reconciliation.',
    ['cause'],
  )
  const last = gauge('streamforge_reconciliation_timestamp_seconds', 'When the last reconciliation ended.', [])
  return (report, finishedMs) => {
    runs.inc({ outcome: report.outcome })
    unexplained.set(report.unexplained)
    minor.reset()
    for (const [currency, amount] of largest(report.unexplained_minor)) minor.set({ currency }, amount)
    explained.reset()
    for (const [cause, { records }] of Object.entries(report.explained)) explained.set({ cause }, records)
    last.set(finishedMs / 1_000)
  }
}

/** Clients may make up currencies, and a metric's series must not grow with them; PostgreSQL has them all. */
const largest = (amounts: Readonly<Record<string, number>>): [string, number][] =>
  Object.entries(amounts)
    .sort(([, a], [, b]) => Math.abs(b) - Math.abs(a))
    .slice(0, CURRENCIES_MAX)
