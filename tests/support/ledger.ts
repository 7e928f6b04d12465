/**
 * Load that keeps a ledger: clients that send until they are answered, and the check that the platform's answers equal what was acknowledged.
 * Used by the tests that kill things, and by the chaos run.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import { createRandom } from '../../streams/testing/random.ts'
import { as } from './access.ts'
import { caughtUp as streamsCaughtUp } from './api.ts'
import { eventually } from './eventually.ts'

/** Where clients send to and results are read from; it may change while they run. */
export interface Target {
  url: string
  writeKey: string
}

const BATCH = 40
/** Between two batches: some thousand events a second of each client. One that never pauses takes all the CPU there is, also from what is being started again. */
const PAUSE_MS = 20
const FRAUD_CENTS = 500_000
const FRAUD_SPAN_MS = 5 * 60_000

interface SentOrder {
  order_id: string
  user_id: string
  cents: number
  timeMs: number
}

/** What has been acknowledged: the truth that the platform is held to. */
export interface Ledger {
  clicks: Map<string, number>
  orders: SentOrder[]
  batches: number
  resent: number
}

export const emptyLedger = (): Ledger => ({ clicks: new Map(), orders: [], batches: 0, resent: 0 })

/**
 * Sends batch after batch of its own users' events, each until it is acknowledged.
 * @param pauseMs between two batches
 */
export async function runClient(
  client: number,
  platform: () => Target,
  ledger: Ledger,
  signal: AbortSignal,
  pauseMs = PAUSE_MS,
): Promise<void> {
  const random = createRandom(client)
  for (let n = 0; !signal.aborted; n++) {
    const nowMs = Date.now()
    const orders: SentOrder[] = []
    const clicks: { event_id: string; event_type: string; user_id: string }[] = []
    for (let i = 0; i < BATCH; i++) {
      const user_id = `user-${client}-${random.int(12)}`
      if (random.chance(0.4)) {
        const cents = random.chance(0.2) ? FRAUD_CENTS + 1 + random.int(900_000) : 1 + random.int(FRAUD_CENTS)
        orders.push({ order_id: `o-${client}-${n}-${i}`, user_id, cents, timeMs: nowMs })
      } else clicks.push({ event_id: `c-${client}-${n}-${i}`, event_type: 'page_view', user_id })
    }
    const wire = orders.map(({ order_id, user_id, cents }) => ({
      order_id,
      user_id,
      amount: cents / 100,
      category: 'books',
    }))
    await deliver(platform, '/api/v1/orders', wire, ledger)
    await deliver(platform, '/api/v1/events', clicks, ledger)
    ledger.orders.push(...orders)
    for (const { user_id } of clicks) ledger.clicks.set(user_id, (ledger.clicks.get(user_id) ?? 0) + 1)
    ledger.batches++
    await delay(pauseMs, undefined, { signal }).catch(() => undefined)
  }
}

async function deliver(platform: () => Target, path: string, events: readonly object[], ledger: Ledger): Promise<void> {
  await eventually(`a batch is accepted at ${path}`, 60_000, async () => {
    const { url, writeKey } = platform()
    try {
      const response = await fetch(url + path, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-write-key': writeKey },
        // Of this attempt: an outage may be longer than the streams wait for events out of order.
        body: JSON.stringify(events.map((event) => ({ ...event, event_time: Date.now() }))),
      })
      const { accepted, duplicates, rejected } = (await response.json()) as {
        accepted: number
        duplicates: number
        rejected: unknown[]
      }
      if (response.status === 503) return false
      if (response.status !== 202 || rejected.length > 0 || accepted + duplicates !== events.length) {
        throw new Error(
          `${events.length} events at ${path} were answered with ${response.status}: ${accepted} accepted, ${duplicates} duplicates, ${JSON.stringify(rejected)}`,
        )
      }
      return true
    } catch (error) {
      if (!(error instanceof TypeError) && !(error instanceof SyntaxError)) throw error
      // The connection broke: whether the batch was taken is unknown, so it goes out again.
      ledger.resent++
      return false
    }
  })
}

const get = async (platform: Target, path: string): Promise<unknown> => {
  const response = await fetch(`${platform.url}/api/v1${path}`, {
    headers: await as('viewer'),
    signal: AbortSignal.timeout(30_000),
  })
  if (response.status !== 200) throw new Error(`GET ${path} was answered with ${response.status}`)
  return response.json()
}

/** Everything in the log is processed, and what was processed is readable. */
export async function caughtUp({ url }: Target, timeoutMs = 60_000): Promise<void> {
  await streamsCaughtUp(url, timeoutMs)
}

/** Events that the streams have read, by partition. */
export async function eventsByPartition(target: Target): Promise<Map<string, number>> {
  // Its status may well be 503 while things are being killed; what it says counts.
  const response = await fetch(`${target.url}/api/v1/health/pipelines`, { signal: AbortSignal.timeout(30_000) })
  type Pipelines = { pipelines?: { topic: string; partition: number; events: number }[] }
  const body = (await response.json()) as Pipelines & { data?: Pipelines }
  const pipelines = body.data?.pipelines ?? body.pipelines ?? []
  return new Map(pipelines.map(({ topic, partition, events }) => [`${topic}-${partition}`, events]))
}

/** Events that the streams have read, of all partitions. */
export async function eventsProcessed(target: Target): Promise<number> {
  return [...(await eventsByPartition(target)).values()].reduce((a, b) => a + b, 0)
}

/**
 * Holds what the platform answers against what was acknowledged.
 * @param deadLetters how many records nobody could read were put into the log beside the load
 * @throws Error that names every difference
 */
export async function expectLedger(
  platform: Target,
  ledger: Ledger,
  { deadLetters = 0 }: { deadLetters?: number } = {},
): Promise<void> {
  const differences: string[] = []
  const hold = (what: string, found: unknown, expected: unknown): void => {
    if (isDeepStrictEqual(found, expected)) return
    differences.push(`${what}: ${JSON.stringify(found)} instead of ${JSON.stringify(expected)}`)
  }
  await holdUsers(platform, ledger, hold)
  await holdTotals(platform, ledger, hold)
  holdAlerts(await activeAlerts(platform), expectedAlerts(ledger.orders), hold)
  const { data: health } = (await get(platform, '/health/pipelines')) as {
    data: { pipelines: { late: number; dead_letters: number }[] }
  }
  const total = (of: 'late' | 'dead_letters'): number => health.pipelines.reduce((sum, p) => sum + p[of], 0)
  hold('late', total('late'), 0)
  hold('dead letters', total('dead_letters'), deadLetters)
  if (differences.length > 0) throw new Error(`The ledger differs:\n${differences.join('\n')}`)
}

type Hold = (what: string, found: unknown, expected: unknown) => void

async function holdUsers(platform: Target, { clicks, orders }: Ledger, hold: Hold): Promise<void> {
  const byUser = new Map<string, { orders: number; cents: number }>()
  for (const { user_id, cents } of orders) {
    const sums = byUser.get(user_id) ?? { orders: 0, cents: 0 }
    byUser.set(user_id, { orders: sums.orders + 1, cents: sums.cents + cents })
  }
  for (const user of new Set([...clicks.keys(), ...byUser.keys()])) {
    const { data } = (await get(platform, `/features/${user}`)) as {
      data: { events: { total: number } | null; orders: { total: number; total_spend: number } | null }
    }
    const expected = byUser.get(user) ?? { orders: 0, cents: 0 }
    hold(`clicks of ${user}`, data.events?.total ?? 0, clicks.get(user) ?? 0)
    hold(`orders of ${user}`, data.orders?.total ?? 0, expected.orders)
    hold(`spend of ${user}`, Math.round((data.orders?.total_spend ?? 0) * 100), expected.cents)
  }
}

async function holdTotals(platform: Target, { clicks, orders }: Ledger, hold: Hold): Promise<void> {
  const from = new Date(orders.reduce((first, o) => Math.min(first, o.timeMs), Date.now()) - 60_000).toISOString()
  const to = new Date(Date.now() + 60_000).toISOString()
  const { data: overview } = (await get(platform, `/metrics/overview?from=${from}&to=${to}`)) as {
    data: { events: number; orders: number; totals: { currency: string; revenue: number }[] }
  }
  hold('orders', overview.orders, orders.length)
  hold(
    'events',
    overview.events,
    [...clicks.values()].reduce((a, b) => a + b, 0),
  )
  hold(
    'revenue',
    overview.totals.map(({ currency, revenue }) => [currency, Math.round(revenue * 100)]),
    orders.length > 0 ? [['TRY', orders.reduce((sum, o) => sum + o.cents, 0)]] : [],
  )
}

function holdAlerts(found: readonly string[], expected: readonly string[], hold: Hold): void {
  const [have, want] = [new Set(found), new Set(expected)]
  hold('alerts listed', found.length, have.size)
  hold(
    'alerts missing',
    expected.filter((alert) => !have.has(alert)),
    [],
  )
  hold(
    'alerts too many',
    found.filter((alert) => !want.has(alert)),
    [],
  )
}

async function activeAlerts(platform: Target): Promise<string[]> {
  const found: string[] = []
  let cursor: string | null = null
  do {
    const page = (await get(
      platform,
      `/fraud-alerts?state=active&limit=100${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ''}`,
    )) as {
      data: { user_id: string; evidence: { order_id: string }[] }[]
      meta: { next_cursor: string | null }
    }
    for (const alert of page.data) found.push(`${alert.user_id}: ${alert.evidence.map((e) => e.order_id).join(' ')}`)
    cursor = page.meta.next_cursor
  } while (cursor)
  return found.sort()
}

/** Three consecutive orders above the limit within the span use each other up. A user's orders were sent, and so logged, in this order. */
function expectedAlerts(orders: readonly SentOrder[]): string[] {
  const recent = new Map<string, SentOrder[]>()
  const alerts: string[] = []
  for (const order of orders.filter((o) => o.cents > FRAUD_CENTS)) {
    const mine = [...(recent.get(order.user_id) ?? []).filter((o) => order.timeMs - o.timeMs < FRAUD_SPAN_MS), order]
    recent.set(order.user_id, mine.length === 3 ? [] : mine)
    if (mine.length === 3) alerts.push(`${order.user_id}: ${mine.map((o) => o.order_id).join(' ')}`)
  }
  return alerts.sort()
}
