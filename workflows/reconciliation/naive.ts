/**
 * Sessions and fraud alerts as anybody would compute them who has all of a user's events in the order of their times: no watermark, no state, no arrival. Pure.
 *
 * Independent of the operators on purpose: what they answer is judged by this.
 */

export interface NaiveClick {
  timeMs: number
  isPurchase: boolean
  minor: number | null
  currency: string | null
}

export interface NaiveSession {
  startedMs: number
  endedMs: number
  events: number
  purchases: number
  minor: Record<string, number>
}

/** @param clicks of one user, by time */
export function sessionsOf(clicks: readonly NaiveClick[], gapMs: number): NaiveSession[] {
  const sessions: NaiveSession[] = []
  for (const { timeMs, isPurchase, minor, currency } of clicks) {
    let session = sessions.at(-1)
    if (!session || timeMs - session.endedMs > gapMs) {
      session = { startedMs: timeMs, endedMs: timeMs, events: 0, purchases: 0, minor: {} }
      sessions.push(session)
    }
    session.endedMs = timeMs
    session.events++
    if (!isPurchase) continue
    session.purchases++
    if (minor !== null && currency !== null) session.minor[currency] = (session.minor[currency] ?? 0) + minor
  }
  return sessions
}

export interface NaiveOrder {
  timeMs: number
  orderId: string
  status: string
  minor: number
}

/** As often as `count` orders lie within the span, beginning anew after each match. @param orders those of one user that count, by time */
export function matchesOf<O extends NaiveOrder>(orders: readonly O[], count: number, withinMs: number): O[][] {
  const matches: O[][] = []
  let open: O[] = []
  for (const order of orders) {
    open = [...open.filter(({ timeMs }) => order.timeMs - timeMs < withinMs), order]
    if (open.length < count) continue
    matches.push(open)
    open = []
  }
  return matches
}
