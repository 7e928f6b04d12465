/** What the API must answer after the REES46 file was replayed with its own times, computed from the file alone. */
import { at, csvRows, HOUR_MS, hundredths, largestStepBack, MINUTE_MS, startOf, unique, utc } from './csv.ts'

/** A silence longer than this begins another session; one of exactly this length does not, as in Flink and Kafka Streams. */
const SESSION_GAP_MS = 30 * MINUTE_MS

export interface NaiveSession {
  user: string
  startedAt: number
  endedAt: number
  events: number
  productViews: number
  carts: number
  purchases: number
  revenueMinor: number
}

export interface NaiveClicks {
  rows: number
  /** Lines that repeat an earlier row exactly. */
  duplicates: number[]
  /** Lines that are no event, with the reason. */
  refused: Map<number, string>
  events: number
  byType: Map<string, number>
  users: number
  /** Purchases name no order here, so their revenue is the clicks'. US cents. */
  revenueMinor: number
  /** By start of the minute and event type. */
  traffic: Map<string, { events: number; users: Set<string> }>
  /** By start of the hour and product. */
  products: Map<string, { views: number; carts: number; purchases: number; revenueMinor: number }>
  sessions: NaiveSession[]
  largestStepBackMs: number
}

const TYPES: Record<string, string> = { view: 'product_view', cart: 'add_to_cart', purchase: 'purchase' }

export function naiveRees46(path: string): NaiveClicks {
  const all = csvRows(path)
  const refused = new Map<number, string>()
  const valid = all.filter((row) => {
    if (!TYPES[row.get('event_type')]) refused.set(row.line, 'unknown event type')
    else if (row.get('event_type') === 'purchase' && hundredths(row.get('price')) < 0)
      refused.set(row.line, 'negative price')
    return !refused.has(row.line)
  })
  const { rows, duplicates } = unique(valid)
  const result: NaiveClicks = {
    rows: all.length,
    duplicates,
    refused,
    events: rows.length,
    byType: new Map(),
    users: new Set(rows.map((row) => row.get('user_id'))).size,
    revenueMinor: 0,
    traffic: new Map(),
    products: new Map(),
    sessions: [],
    largestStepBackMs: largestStepBack(all.map((row) => utc(row.get('event_time')))),
  }
  const byUser = new Map<string, { time: number; type: string; revenue: number }[]>()
  for (const row of rows) {
    const time = utc(row.get('event_time'))
    const type = TYPES[row.get('event_type')] as string
    const user = row.get('user_id')
    const revenue = type === 'purchase' ? hundredths(row.get('price')) : 0
    result.byType.set(type, (result.byType.get(type) ?? 0) + 1)
    result.revenueMinor += revenue
    const minute = at(result.traffic, `${startOf(time, MINUTE_MS)} ${type}`, () => ({
      events: 0,
      users: new Set<string>(),
    }))
    minute.events++
    minute.users.add(user)
    const product = at(result.products, `${startOf(time, HOUR_MS)} ${row.get('product_id')}`, () => ({
      views: 0,
      carts: 0,
      purchases: 0,
      revenueMinor: 0,
    }))
    if (type === 'product_view') product.views++
    if (type === 'add_to_cart') product.carts++
    if (type === 'purchase') product.purchases++
    product.revenueMinor += revenue
    at(byUser, user, () => []).push({ time, type, revenue })
  }
  for (const [user, events] of byUser) {
    let session: NaiveSession | undefined
    for (const { time, type, revenue } of events.sort((a, b) => a.time - b.time)) {
      if (!session || time - session.endedAt > SESSION_GAP_MS) {
        session = {
          user,
          startedAt: time,
          endedAt: time,
          events: 0,
          productViews: 0,
          carts: 0,
          purchases: 0,
          revenueMinor: 0,
        }
        result.sessions.push(session)
      }
      session.endedAt = time
      session.events++
      if (type === 'product_view') session.productViews++
      if (type === 'add_to_cart') session.carts++
      if (type === 'purchase') session.purchases++
      session.revenueMinor += revenue
    }
  }
  return result
}
