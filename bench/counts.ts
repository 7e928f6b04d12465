/** What the database holds after a run of the shared workload, held to the workload's reference. Wrong counts end a benchmark. */
import { connect } from '../db/postgres/connect.ts'
import type { Expected } from './workload.ts'

export interface Counted {
  sessions: number
  session_events: number
  late_sessions: number
  alerts: number
  late_alerts: number
  revenue_windows: number
  revenue_orders: number
  revenue_cents: number
  late_revenue: number
}

export async function count(url: string): Promise<Counted> {
  const { sql, close } = connect(url, { max: 1 })
  try {
    const [counted] = await sql<Counted[]>`
      SELECT
        (SELECT count(*) FROM sessions WHERE merged_into IS NULL) AS sessions,
        (SELECT sum(events)::bigint FROM sessions WHERE merged_into IS NULL) AS session_events,
        (SELECT coalesce(sum(events), 0)::bigint FROM outcomes_by_minute WHERE job = 'sessions') AS late_sessions,
        (SELECT count(*) FROM fraud_alerts WHERE state = 'active') AS alerts,
        (SELECT coalesce(sum(events), 0)::bigint FROM outcomes_by_minute WHERE job LIKE 'fraud-detector/%') AS late_alerts,
        (SELECT count(*) FROM (SELECT DISTINCT window_start, category FROM revenue_by_minute WHERE orders > 0) w) AS revenue_windows,
        (SELECT sum(orders)::bigint FROM revenue_by_minute) AS revenue_orders,
        (SELECT sum(revenue_minor)::bigint FROM revenue_by_minute) AS revenue_cents,
        (SELECT coalesce(sum(events), 0)::bigint FROM outcomes_by_minute WHERE job = 'revenue') AS late_revenue`
    return counted!
  } finally {
    await close()
  }
}

/**
 * What is late depends on how events fall into partitions, so with late events the identity is checked (applied + late = all).
 * @param exact there are no late events: every figure must be the reference's
 * @throws Error naming what is wrong
 */
export function assertRight(counted: Counted, { all, withoutLate }: Expected, exact: boolean): void {
  const wrong: string[] = []
  const equal = (what: string, found: number, wanted: number | undefined) => {
    if (found !== wanted) wrong.push(`${what}: ${found}, not ${wanted}`)
  }
  equal('session events + late', counted.session_events + counted.late_sessions, all.session_events)
  equal('revenue orders + late', counted.revenue_orders + counted.late_revenue, all.revenue_orders)
  if (exact) {
    for (const name of [
      'sessions',
      'session_events',
      'alerts',
      'revenue_windows',
      'revenue_orders',
      'revenue_cents',
    ] as const) {
      equal(name, counted[name], all[name])
    }
  } else {
    // A partition's watermark is never ahead of the topic's, which the reference goes by: no more can be late than there.
    for (const name of ['late_sessions', 'late_alerts', 'late_revenue'] as const) {
      if (counted[name] > (withoutLate[name] ?? 0))
        wrong.push(`${name}: ${counted[name]}, at most ${withoutLate[name]}`)
    }
    if (counted.late_alerts === 0) equal('alerts', counted.alerts, all.alerts)
  }
  if (wrong.length > 0) throw new Error(`The results are wrong: ${wrong.join('; ')}.`)
}
