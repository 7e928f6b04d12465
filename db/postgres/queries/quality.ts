/** What the checks of a day have found: the latest run of each stage with its results, and how one check went over time. */

import type { Sql } from '../connect.ts'
import type { QualityResult, QualityRun } from '../quality-store.ts'
import { cleanText } from '../result-version.ts'
import { decodeCursor, type Page, toPage } from './cursor.ts'
import { timeSql } from './numbers.ts'

export interface QualityReport extends QualityRun {
  /** In the order in which they were asked. */
  results: QualityResult[]
}

export interface QualityQuestion {
  /** UTC, `2026-11-20`. Default: the newest that was checked (in that stage). */
  day?: string | undefined
  stage?: string | undefined
}

/** The latest run of each stage of the day, the one that finished first first; none where nothing was checked. */
export async function latestQuality(sql: Sql, { day, stage }: QualityQuestion = {}): Promise<QualityReport[]> {
  const inStage = stage === undefined ? sql`` : sql`AND stage = ${cleanText(stage)}`
  const runs = await sql<QualityRun[]>`
    SELECT * FROM (
      SELECT DISTINCT ON (stage) * FROM quality_runs
      WHERE day = ${day === undefined ? sql`(SELECT max(day) FROM quality_runs WHERE true ${inStage})` : sql`${day}::date`} ${inStage}
      ORDER BY stage, finished_at DESC, id DESC
    ) AS latest ORDER BY finished_at, id`
  return Promise.all(runs.map(async (run) => ({ ...run, results: await resultsOf(sql, run.id) })))
}

/** @returns null when there is no such run */
export async function qualityRun(sql: Sql, id: string): Promise<QualityReport | null> {
  const [run] = await sql<QualityRun[]>`SELECT * FROM quality_runs WHERE id = ${id}`
  return run ? { ...run, results: await resultsOf(sql, id) } : null
}

async function resultsOf(sql: Sql, id: string): Promise<QualityResult[]> {
  const rows = await sql<QualityResult[]>`
    SELECT check_name, table_name, kind, severity, outcome, observed, expected, reason, sample, duration_ms
    FROM quality_results WHERE run_id = ${id} ORDER BY ordinal`
  return rows.map((row) => ({ ...row }))
}

export interface CheckPoint
  extends Pick<QualityResult, 'outcome' | 'observed' | 'expected'>,
    Pick<QualityRun, 'day' | 'finished_at' | 'workflow_id' | 'workflow_run_id'> {}

export interface CheckQuestion {
  check: string
  limit: number
  cursor?: string | undefined
}

/** How a check went in its last runs, the newest first. @throws QueryError for a cursor that is none */
export async function checkHistory(sql: Sql, { check, limit, cursor }: CheckQuestion): Promise<Page<CheckPoint>> {
  const after = cursor === undefined ? null : decodeCursor(cursor)
  const rows = await sql<(CheckPoint & { id: string })[]>`
    SELECT id, day, finished_at, workflow_id, workflow_run_id, quality_results.outcome, observed, expected
    FROM quality_results JOIN quality_runs ON id = run_id
    WHERE check_name = ${cleanText(check)}
      ${after === null ? sql`` : sql`AND (finished_at, id) < (${timeSql(sql, after.at)}, ${after.id})`}
    ORDER BY finished_at DESC, id DESC LIMIT ${limit + 1}`
  const page = toPage(rows, limit, (row) => ({ at: row.finished_at, id: row.id }))
  return { ...page, items: page.items.map(({ id: _, ...point }) => point) }
}
