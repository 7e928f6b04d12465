/**
 * The checks of a stage of a day as an activity. Safe to repeat: what a run of a workflow has stored is its answer from then on, whatever the tables hold by the time of another attempt.
 */
import { Context } from '@temporalio/activity'
import { Counter, Gauge } from 'prom-client'
import { type CheckResult, expectationsOf, runChecks, type Stage } from '../../db/models/checks/index.ts'
import { type QualityResult, type QualityRun, storeQualityRun } from '../../db/postgres/quality-store.ts'
import { type QualityReport, qualityRun } from '../../db/postgres/queries/quality.ts'
import { postgresSpan } from '../../db/spans.ts'
import type { ActivityDeps } from './deps.ts'
import { withHeartbeat } from './heartbeat.ts'

export interface QualityProblem {
  check: string
  table: string
  severity: 'error' | 'warn'
  /** Names table, check, what was observed and what is expected. */
  sentence: string
}

/** Small: results are in PostgreSQL, by the run's id. */
export interface QualitySummary {
  id: string
  day: string
  stage: Stage
  outcome: 'passed' | 'failed'
  passed: number
  warned: number
  /** Gates. */
  failed: number
  skipped: number
  /** Those that failed, gates first; the first few. */
  problems: QualityProblem[]
}

export type QualityActivities = ReturnType<typeof qualityActivities>

export const qualityActivities = ({ lake, engine, database, clock, metrics, logger }: ActivityDeps) => {
  const { sql } = database
  const told = telemetry(metrics)
  return {
    checkQuality: ({ day, stage }: { day: string; stage: Stage }): Promise<QualitySummary> =>
      withHeartbeat(clock, async (signal, report) => {
        const { workflowId = '', runId = '' } = Context.current().info.workflowExecution ?? {}
        const id = `${runId}/${day}/${stage}`
        const stored = await qualityRun(sql, id)
        if (stored) return summaryOf(stored)
        const startedMs = clock.now()
        const results = await runChecks({ lake, engine, clock }, expectationsOf(stage), {
          day,
          signal,
          onTable: (table) => report({ stage, table }),
        })
        signal.throwIfAborted()
        const run: QualityRun = {
          id,
          day,
          stage,
          ...counted(results),
          engine: engine.name,
          workflow_id: workflowId,
          workflow_run_id: runId,
          started_at: startedMs,
          finished_at: clock.now(),
        }
        const done: QualityReport = { ...run, results: results.map(rowOf) }
        // Another attempt, on a worker that was thought dead, may have been first: then its results are the run's.
        const isFirst = await postgresSpan('write', 'quality run', () => storeQualityRun(sql, run, done.results))
        if (!isFirst) return summaryOf((await qualityRun(sql, id)) ?? done)
        told(done)
        const summary = summaryOf(done)
        for (const { severity, sentence } of summary.problems)
          logger.warn({ day, stage, severity }, `A check of the data failed: ${sentence}`)
        return summary
      }),
  }
}

const rowOf = ({ name, table, durationMs, ...rest }: CheckResult): QualityResult => ({
  check_name: name,
  table_name: table,
  duration_ms: durationMs,
  ...rest,
})

function counted(results: readonly CheckResult[]) {
  const failed = results.filter((each) => each.outcome === 'failed')
  const gates = failed.filter((each) => each.severity === 'error').length
  const of = (outcome: CheckResult['outcome']) => results.filter((each) => each.outcome === outcome).length
  return {
    outcome: gates > 0 ? ('failed' as const) : ('passed' as const),
    passed: of('passed'),
    warned: failed.length - gates,
    failed: gates,
    skipped: of('skipped'),
  }
}

const PROBLEMS_MAX = 20

function summaryOf({
  id,
  day,
  stage,
  outcome,
  passed,
  warned,
  failed,
  skipped,
  results,
}: QualityReport): QualitySummary {
  const bad = results.filter((each) => each.outcome === 'failed')
  const first = [...bad.filter((each) => each.severity === 'error'), ...bad.filter((each) => each.severity === 'warn')]
  return {
    id,
    day,
    stage: stage as Stage,
    outcome,
    passed,
    warned,
    failed,
    skipped,
    problems: first.slice(0, PROBLEMS_MAX).map((each) => ({
      check: each.check_name,
      table: each.table_name,
      severity: each.severity,
      sentence: `${each.table_name}, ${each.check_name}: found ${each.observed ?? 'nothing'}, expected ${each.expected}. ${each.reason}`,
    })),
  }
}

function telemetry(register: ActivityDeps['metrics']): (report: QualityReport) => void {
  const registers = [register]
  const checks = new Counter({
    name: 'streamforge_quality_checks_total',
    help: 'Checks of the data, by what came of them; failed are gates, warned are not.',
    labelNames: ['stage', 'outcome'],
    registers,
  })
  const failing = new Gauge({
    name: 'streamforge_quality_failed_gates',
    help: 'Gates that failed in the last run of the stage on this worker.',
    labelNames: ['stage'],
    registers,
  })
  return ({ stage, passed, warned, failed, skipped }) => {
    for (const [outcome, count] of Object.entries({ passed, warned, failed, skipped }))
      checks.inc({ stage, outcome }, count)
    failing.set({ stage }, failed)
  }
}
