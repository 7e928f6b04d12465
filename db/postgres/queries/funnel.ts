/** How far the sessions of a time went on the way to a purchase. */
import { FUNNEL_STAGES, type FunnelStage } from '../../../streams/contract/results.ts'
import type { Sql } from '../connect.ts'
import type { TimeRange } from './numbers.ts'
import { sessionsIn } from './rollups.ts'

export interface StageReached {
  stage: FunnelStage
  /** Sessions that reached this stage or one behind it. */
  sessions: number
}

/** Of the sessions that began in [from, to). Every stage, in their order; sessions that were merged into another are in the survivor. */
export async function funnel(sql: Sql, range: TimeRange): Promise<StageReached[]> {
  const rows = await sql<{ funnel_stage: FunnelStage; sessions: number }[]>`
    SELECT funnel_stage, sum(sessions)::bigint AS sessions FROM ${sessionsIn(sql, range)} AS began GROUP BY funnel_stage`
  const ended = new Map(rows.map((row) => [row.funnel_stage, row.sessions]))
  return FUNNEL_STAGES.map((stage, i) => ({
    stage,
    sessions: FUNNEL_STAGES.slice(i).reduce((sum, later) => sum + (ended.get(later) ?? 0), 0),
  }))
}
