/** Questions about single events, asked of the real platform and of a second edge beside it: why an alert fired, what became of an event, and what a client has missed. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ORDERS } from '../streams/contract/topics.ts'
import { openEmbeddedLog } from '../streams/log/embedded.ts'
import { as } from './support/access.ts'
import { type Answer, ask, get, post } from './support/api.ts'
import { eventually } from './support/eventually.ts'
import { type CliProcess, spawnCli, startPlatform, type TestPlatform } from './support/platform.ts'

const WAIT_MS = 60_000
const SECOND = 1_000

let platform: TestPlatform
let second: { process: CliProcess; url: string }
const started = Date.now()

beforeAll(async () => {
  platform = await startPlatform({ env: { STREAMFORGE_WORKFLOWS: 'off', STREAMFORGE_LAKE_COMMIT_SECONDS: '1' } })
  second = await startEdge()
}, 180_000)

async function startEdge(): Promise<typeof second> {
  const running = JSON.parse(await readFile(join(platform.dataDir, 'running.json'), 'utf8')) as { postgres_url: string }
  const process = spawnCli(['edge', '--port', '0', '--data', platform.dataDir], {
    env: { DATABASE_URL: running.postgres_url },
  })
  const url = await eventually('a second edge listens', WAIT_MS, async () => {
    if (process.child.exitCode !== null) throw new Error(`The edge ended:\n${process.out}${process.err}`)
    return /listens on (http:\S+?)\.?\n/.exec(process.out)?.[1]
  })
  return { process, url }
}
afterAll(async () => {
  second?.process.child.kill('SIGTERM')
  await second?.process.ended(WAIT_MS)
})

const order = (order_id: string, user_id: string, seconds: number, over: object = {}) => ({
  order_id,
  user_id,
  product_id: 'p',
  category: 'c',
  amount: 6_000,
  currency: 'TRY',
  event_time: new Date(started - 240 * SECOND + seconds * SECOND).toISOString(),
  ...over,
})
const send = async (path: string, body: unknown, url = platform.url) => {
  const answer = await post({ url, writeKey: platform.writeKey }, path, body)
  expect(answer.status).toBe(202)
  return answer.body
}
const alertOf = (user: string): Promise<Answer> =>
  eventually(`an alert of ${user}`, WAIT_MS, async () => {
    const { data } = await get(platform.url, '/fraud-alerts', { user_id: user })
    return data.find(({ state }: Answer) => state === 'active')
  })
const change = async (path: string, body: unknown, role: 'viewer' | 'operator'): Promise<Answer> => {
  const response = await fetch(`${platform.url}/api/v1${path}`, {
    method: 'POST',
    headers: { ...(await as(role)), 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  const answer = await response.json()
  expect([response.status, answer]).toEqual([200, expect.anything()])
  return answer.data
}
const statusOf = async (id: string, query: Record<string, string> = {}, url = platform.url): Promise<Answer> =>
  (await get(url, `/events/${id}/status`, query)).data

describe('why an alert fired', () => {
  it('is answered with rule, orders and times, and what-ifs by the orders around it, from log and lake', {
    timeout: 120_000,
  }, async () => {
    await send(
      '/orders',
      ['e-1', 'e-2', 'e-3', 'e-4'].map((id, i) => order(id, 'eve', i * 20)),
    )
    const alert = await alertOf('eve')
    const { data } = await get(platform.url, `/fraud-alerts/${alert.alert_id}`)
    expect(data).toMatchObject({
      rule: { id: 'rapid-high-value-orders', version: 1, parameters: { orders: 3, above: 5000, within_seconds: 300 } },
      review: { state: 'open', notes: [] },
    })
    expect(data.evidence.map((e: Answer) => e.order_id)).toEqual(['e-1', 'e-2', 'e-3'])
    const kinds = data.timeline.map((entry: Answer) => entry.what)
    expect(kinds.filter((kind: string) => kind !== 'final')).toEqual([
      ...Array(3).fill('happened'),
      ...Array(3).fill('received'),
      'alerted',
    ])

    const explain = (changes: object[]) => change(`/fraud-alerts/${alert.alert_id}/explain`, { changes }, 'viewer')
    const check = async () => {
      const replaced = await explain([{ without: 'e-2' }])
      expect(replaced.fires).toBe(true)
      expect(replaced.alerts[0].evidence.map((e: Answer) => e.order_id)).toEqual(['e-1', 'e-3', 'e-4'])
      const missing = await explain([{ without: 'e-2' }, { without: 'e-4' }])
      expect(missing).toMatchObject({
        fires: false,
        explanation:
          'Without e-2 and without e-4 only two orders above 5,000.00 TRY lie within 5 min, and the rule takes three.',
        judged_on: { whole: true, missing: [] },
      })
      return missing.judged_on
    }
    expect((await check()).log).not.toBeNull()
    await eventually(
      'the orders are in the lake',
      WAIT_MS,
      async () => (await statusOf('e-4')).records[0].lake ?? undefined,
    )
    expect(await check()).toMatchObject({ lake: true, orders: 4 })
  })
})

describe('what became of an event', () => {
  it('applied, with its jobs and its snapshot; the same from another edge', { timeout: 120_000 }, async () => {
    await send('/orders', order('s-1', 'sam', 0))
    const applied = await eventually('s-1 is applied, and in the lake', WAIT_MS, async () => {
      const found = await statusOf('s-1', { type: 'order' })
      return found.status === 'applied' && found.records[0].lake ? found : undefined
    })
    expect(applied.records[0].jobs.map((each: Answer) => each.job).sort()).toEqual([
      'fraud-detector',
      'revenue',
      'top-products',
      'user-features',
    ])
    expect(applied.records[0].lake).toMatchObject({ table: 'raw.orders', snapshot_id: expect.stringMatching(/^\d+$/) })
    expect((await statusOf('s-1', {}, second.url)).records).toEqual(applied.records)
    expect((await statusOf('s-1', { at: new Date(started).toISOString() })).records).toEqual(applied.records)
  })

  it('a duplicate, where another edge took the event again', { timeout: 120_000 }, async () => {
    const event = {
      event_id: 'd/1',
      event_type: 'page_view',
      user_id: 'dora',
      event_time: new Date(started).toISOString(),
    }
    await send('/events', event)
    await send('/events', event, second.url)
    const found = await eventually('both records are read', WAIT_MS, async () => {
      const status = await statusOf(encodeURIComponent('d/1'), { type: 'event' })
      const isRead = status.records.every(({ jobs }: Answer) =>
        jobs.every((each: Answer) => each.outcome !== 'pending'),
      )
      return status.records.length === 2 && status.status === 'applied' && isRead ? status : undefined
    })
    expect(found.duplicates).toBe(1)
    const [first, copy] = found.records
    expect(copy).toMatchObject({
      status: 'duplicate',
      duplicate_of: { offset: first.offset, partition: first.partition },
    })
    expect(new Set(copy.jobs.map((each: Answer) => each.outcome))).toEqual(new Set(['duplicate']))
  })

  it('late, for the jobs whose windows were closed', { timeout: 120_000 }, async () => {
    await send('/trips', { trip_id: 't-1', region_id: 'r', fare: 10, currency: 'TRY', duration: 60, distance: 1 })
    await send('/trips', {
      trip_id: 't-late',
      region_id: 'r',
      fare: 10,
      currency: 'TRY',
      duration: 60,
      distance: 1,
      event_time: new Date(started - 5 * 3_600 * SECOND).toISOString(),
    })
    const found = await eventually('t-late is read', WAIT_MS, async () => {
      const status = await statusOf('t-late')
      return status.status !== 'accepted' ? status : undefined
    })
    expect(found).toMatchObject({ status: 'late', records: [{ jobs: [{ job: 'regions', outcome: 'late' }] }] })
  })

  it('a dead letter, where nobody could read the record', { timeout: 120_000 }, async () => {
    const log = await openEmbeddedLog({ folder: join(platform.dataDir, 'log') })
    try {
      await log.append([{ topic: ORDERS, key: 'k', value: Buffer.from('{"order_id":"dead-1","amount":"much"}') }])
    } finally {
      await log.close()
    }
    const found = await eventually('dead-1 is read', WAIT_MS, async () => {
      const { status, body } = await ask(platform.url, '/events/dead-1/status', { type: 'order' })
      return status === 200 && body.data.status === 'dead_letter' ? body.data : undefined
    })
    expect(found.records[0].event_time).toBeNull()
    // Also when the log's part of it has been written to the lake.
    await send('/orders', order('after-dead', 'k', 1))
    await eventually('it is found in the lake too', WAIT_MS, async () => {
      const status = await statusOf('after-dead')
      return status.records[0].lake ? status : undefined
    })
    expect((await statusOf('dead-1')).status).toBe('dead_letter')
  })

  it('unknown, with the places that were looked at', async () => {
    const { status, body } = await ask(platform.url, '/events/never-sent/status')
    expect(status).toBe(404)
    expect(body.detail).toContain('raw.clickstream_events in the lake')
    expect(body.looked_in).toHaveLength(7)
  })
})

describe('what a client has missed', () => {
  it('it is told once, by any edge, also after a restart', { timeout: 180_000 }, async () => {
    const live = await listen(platform.url)
    await send(
      '/orders',
      ['l-1', 'l-2', 'l-3'].map((id, i) => order(id, 'lea', i)),
    )
    const first = await live.until(({ event, data }) => event === 'alert' && data.user_id === 'lea')
    await live.stop()

    await send(
      '/orders',
      ['m-1', 'm-2', 'm-3'].map((id, i) => order(id, 'max', i)),
    )
    const { alert_id } = await alertOf('max')
    await change(`/fraud-alerts/${alert_id}/review`, { state: 'confirmed', note: 'called' }, 'operator')
    const again = await listen(second.url, live.id())
    const confirmed = await again.until(({ event, data }) => event === 'alert' && data.alert_id === alert_id)
    expect(confirmed.data.review).toMatchObject({ state: 'confirmed', by: expect.any(String) })
    await again.until(({ event }) => event === 'snapshot')
    await again.stop()
    const told = again.all.filter(({ event, data }) => event === 'alert' && data.alert_id === alert_id)
    expect(told).toHaveLength(1)
    expect(
      again.all.some(({ event, data }) => event === 'alert' && data.alert_id === first.data.alert_id && !data.final),
    ).toBe(false)

    await change(`/fraud-alerts/${alert_id}/review`, { state: 'dismissed' }, 'operator')
    const stopped = await listen(second.url, again.id())
    second.process.child.kill('SIGTERM')
    const bye = await stopped.until(({ event }) => event === 'bye')
    expect(bye.data.reason).toBe('stopping')
    expect(await second.process.ended(WAIT_MS)).toBe(0)
    second = await startEdge()
    const last = await listen(second.url, again.id())
    const dismissed = await last.until(({ event, data }) => event === 'alert' && data.alert_id === alert_id)
    expect(dismissed.data.review.state).toBe('dismissed')
    await last.stop()
  })
})

interface Told {
  event: string
  id: string | null
  data: Answer
}

/** The live stream as a client reads it. */
async function listen(url: string, lastEventId?: string | null) {
  const ending = new AbortController()
  const response = await fetch(`${url}/api/v1/live`, {
    headers: { ...(await as('viewer')), ...(lastEventId && { 'last-event-id': lastEventId }) },
    signal: ending.signal,
  })
  expect(response.status).toBe(200)
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader()
  const all: Told[] = []
  let text = ''
  let seen = 0
  return {
    all,
    id: () => all.findLast(({ id }) => id !== null)?.id ?? null,
    async until(wanted: (told: Told) => boolean): Promise<Told> {
      for (;;) {
        for (; seen < all.length; seen++) if (wanted(all[seen]!)) return all[seen++]!
        const { value, done } = await reader.read()
        if (done) throw new Error(`The stream ended: ${JSON.stringify(all.slice(-3))}`)
        text += value
        const parts = text.split('\n\n')
        text = parts.pop()!
        for (const part of parts) {
          const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(part)?.[1] ?? null
          const event = field('event')
          if (event) all.push({ event, id: field('id'), data: JSON.parse(field('data')!) })
        }
      }
    },
    async stop() {
      ending.abort()
    },
  }
}
