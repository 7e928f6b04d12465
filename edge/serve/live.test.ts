import { describe, expect, it } from 'vitest'
import type { AlertChange, AlertFeed, ChangePlace, Clock, MetricReader } from '../ports.ts'
import { NOW, noFeed, sampleAlert, samplePipeline, sampleReader } from '../testing/harness.ts'
import { createLiveHub, type LiveOptions } from './live.ts'
import type { Subscription } from './live-client.ts'
import { rangeToShow } from './live-snapshot.ts'

/** A clock that moves only when it is told to: `tick` lets the poller look once more. */
function steppedClock() {
  let now = NOW
  let wake: (() => void) | undefined
  let stopping: AbortSignal | undefined
  const clock: Clock = {
    now: () => now,
    sleep: (_ms, signal) =>
      new Promise((resolve) => {
        wake = resolve
        if (signal === stopping) return
        stopping = signal
        signal?.addEventListener('abort', () => wake?.())
      }),
  }
  const asleep = async () => {
    while (!wake) await new Promise((resolve) => setImmediate(resolve))
  }
  return {
    clock,
    asleep,
    async tick(ms = 1000) {
      await asleep()
      now += ms
      const resolve = wake!
      wake = undefined
      resolve()
      await asleep()
    },
  }
}

const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined }
const hubOver = (reader: MetricReader, clock: Clock, over: Partial<LiveOptions> = {}) =>
  createLiveHub({ reader, feed: noFeed, pipelines: reader.pipelines, clock, logger: quiet, currency: 'TRY', ...over })

/** Everything but what others say first. */
const all = (over: Partial<Subscription> = {}): Subscription => ({
  topics: new Set(['snapshot', 'alert']),
  expiresAt: Number.POSITIVE_INFINITY,
  after: null,
  ...over,
})

function reading(stream: ReadableStream<Uint8Array>) {
  const reader = stream.getReader()
  const decoder = new TextDecoder()
  return {
    async next(): Promise<string | null> {
      const { done, value } = await reader.read()
      return done ? null : decoder.decode(value)
    },
    cancel: () => reader.cancel(),
  }
}

const snapshot = (text: string | null) => JSON.parse(text!.replace(/^event: snapshot\nid: .*\ndata: /, ''))

describe('the live stream', () => {
  it('sends everybody the same snapshot, from one look', async () => {
    const { clock, tick, asleep } = steppedClock()
    let looks = 0
    const overview = sampleReader().overview
    const hub = hubOver(
      sampleReader({
        overview: (range) => {
          looks++
          return overview(range)
        },
      }),
      clock,
    )
    hub.start()
    await asleep()
    expect(looks).toBe(0)
    const clients = [reading(hub.subscribe(all())), reading(hub.subscribe(all()))]
    await tick()
    for (const client of clients) {
      expect(await client.next()).toBe('retry: 2000\n\n')
      expect(snapshot(await client.next())).toMatchObject({ overview: { events: 7200 }, range: { live: true } })
    }
    // The hour, and the one before.
    expect(looks).toBe(2)
    await hub.close()
    expect(await clients[0]!.next()).toContain('event: bye\nid: 1-\ndata: {"reason":"stopping"')
    expect(await clients[0]!.next()).toBeNull()
    expect(hub.clients).toBe(0)
  })

  it('derives the rate of events from how the log grows', async () => {
    const { clock, tick } = steppedClock()
    let end = 100
    const hub = hubOver(
      sampleReader({
        pipelines: async () => {
          end += 50
          return [{ ...samplePipeline, end_offset: end, next_offset: 100 }]
        },
      }),
      clock,
    )
    hub.start()
    const client = reading(hub.subscribe(all()))
    await client.next()
    await client.next()
    await tick()
    await tick(2000)
    await client.next()
    const { rates } = snapshot(await client.next())
    expect(rates).toEqual([
      [NOW + 1000, 50, 0],
      [NOW + 3000, 25, 0],
    ])
    await hub.close()
  })

  it('drops snapshots for a client that does not read, and its neighbours get all', async () => {
    const { clock, tick } = steppedClock()
    const hub = hubOver(sampleReader(), clock)
    hub.start()
    const slow = reading(hub.subscribe(all()))
    const quick = reading(hub.subscribe(all()))
    let got = 0
    for (let i = 0; i < 20; i++) {
      await tick()
      while (got <= i + 1) {
        await quick.next()
        got++
      }
    }
    await hub.close()
    let left = 0
    while ((await slow.next()) !== null) left++
    expect(left).toBeLessThan(8)
    expect(left).toBeGreaterThan(2)
  })

  it('bounds its clients and forgets those that leave', async () => {
    const { clock } = steppedClock()
    const hub = hubOver(sampleReader(), clock, { clientsMax: 1 })
    const first = reading(hub.subscribe(all()))
    expect(() => hub.subscribe(all())).toThrow('watch already')
    await first.cancel()
    expect(hub.clients).toBe(0)
    const second = reading(hub.subscribe(all()))
    await second.cancel()
    await hub.close()
    expect(() => hub.subscribe(all())).toThrow('stopping')
  })

  it('tells its clients of an outage and goes on after it', async () => {
    const { clock, tick } = steppedClock()
    let broken = true
    const pipelines = async () => {
      if (broken) throw new Error('no connection')
      return [samplePipeline]
    }
    const hub = hubOver(sampleReader({ pipelines }), clock)
    const client = reading(hub.subscribe(all()))
    hub.start()
    await client.next()
    expect(await client.next()).toContain('event: problem')
    broken = false
    await tick()
    expect(await client.next()).toContain('event: snapshot')
    await hub.close()
  })

  it('sends a heartbeat now and then', async () => {
    const { clock, tick } = steppedClock()
    const hub = hubOver(sampleReader(), clock)
    hub.start()
    const client = reading(hub.subscribe(all()))
    await client.next()
    await client.next()
    await tick(16_000)
    expect(await client.next()).toContain('event: snapshot')
    expect(await client.next()).toBe(': heartbeat\n\n')
    await hub.close()
  })
})

describe('what a client is told besides', () => {
  const change = (n: number): AlertChange => ({
    place: { transaction: String(100 + n), alertId: `a-${n}` },
    alert: { ...sampleAlert, alert_id: `a-${n}` },
  })
  /** Changes by their number; `up to` is how far there are any. */
  function feedOf(given: { upTo: number }): AlertFeed {
    const numberOf = ({ transaction }: ChangePlace) => Math.max(0, Number(transaction) - 100)
    return {
      newest: async () => ({ transaction: String(100 + given.upTo), alertId: '~' }),
      isKnown: async ({ transaction }) => Number(transaction) < 1_000_000,
      async changes({ after, until, limit }) {
        const last = Math.min(given.upTo, until ? numberOf(until) : given.upTo)
        const count = Math.max(0, last - numberOf(after))
        return Array.from({ length: Math.min(count, limit) }, (_, i) => change(numberOf(after) + i + 1))
      },
    }
  }
  const alertsIn = (texts: readonly string[]) =>
    texts
      .join('')
      .split('\n\n')
      .flatMap((text) => /^event: alert\nid: \d+-(a-\d+)\n/.exec(text)?.[1] ?? [])
  const numbered = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => `a-${from + i}`)
  const onlyAlerts = (over: Partial<Subscription> = {}) => all({ topics: new Set(['alert']), ...over })

  it('is each alert that changes, in order, once', async () => {
    const { clock, tick } = steppedClock()
    const given = { upTo: 3 }
    const hub = hubOver(sampleReader(), clock, { feed: feedOf(given) })
    hub.start()
    const client = reading(hub.subscribe(onlyAlerts()))
    await client.next()
    await tick()
    given.upTo = 5
    await tick()
    expect(alertsIn([(await client.next())!])).toEqual(['a-4', 'a-5'])
    given.upTo = 6
    await tick()
    expect(alertsIn([(await client.next())!])).toEqual(['a-6'])
    await hub.close()
  })

  it('is all that changed since the id it gives, and then a snapshot', async () => {
    const { clock, tick } = steppedClock()
    const hub = hubOver(sampleReader(), clock, { feed: feedOf({ upTo: 45 }) })
    hub.start()
    const client = reading(hub.subscribe(all({ after: change(2).place })))
    const texts = [(await client.next())!]
    await tick()
    while (!texts.at(-1)!.startsWith('event: snapshot')) texts.push((await client.next())!)
    expect(alertsIn(texts)).toEqual(numbered(3, 45))
    expect(texts.at(-1)).toContain('\nid: 145-~\n')
    await hub.close()
  })

  it.each([
    ['too much has changed', { after: change(1).place }],
    ['the id is of another database', { after: { transaction: '2000000', alertId: 'x' } }],
    ['the id is no id', { after: 'unknown' }],
  ] as const)('is that it must read anew where %s', async (_, over) => {
    const { clock, tick } = steppedClock()
    const given = { upTo: 1_900 }
    const hub = hubOver(sampleReader(), clock, { feed: feedOf(given) })
    hub.start()
    const client = reading(hub.subscribe(onlyAlerts(over)))
    await client.next()
    await tick()
    expect(await client.next()).toMatch(/^event: reset\nid: 2000-~\n/)
    given.upTo = 1_901
    await tick()
    expect(alertsIn([(await client.next())!])).toEqual(['a-1901'])
    await hub.close()
  })

  it('is every alert even where it reads slowly, from a queue that does not grow', async () => {
    const { clock, tick } = steppedClock()
    const given = { upTo: 0 }
    const hub = hubOver(sampleReader(), clock, { feed: feedOf(given) })
    hub.start()
    const slow = reading(hub.subscribe(onlyAlerts()))
    await tick()
    for (let i = 0; i < 7; i++) {
      given.upTo += 100
      await tick()
    }
    // What is kept for it by now does not reach back: the database is asked.
    const texts: string[] = []
    while (alertsIn(texts).length < 700) {
      await tick()
      texts.push((await slow.next())!)
      expect(texts.length).toBeLessThan(100)
    }
    expect(alertsIn(texts)).toEqual(numbered(1, 700))
    await hub.close()
  })

  it('is how the pipelines are, at first and when one changes its state', async () => {
    const { clock, tick } = steppedClock()
    let lag = 0
    const reader = sampleReader({ pipelines: async () => [{ ...samplePipeline, lag, updated_at: clock.now() }] })
    const hub = hubOver(reader, clock)
    hub.start()
    const client = reading(hub.subscribe(all({ topics: new Set(['pipeline']) })))
    await client.next()
    await tick()
    expect(await client.next()).toMatch(/^event: pipeline\nid: .*\ndata: .*"status":"idle"/)
    await tick()
    lag = 7
    await tick()
    expect(await client.next()).toContain('"status":"live"')
    await hub.close()
  })

  it('is that its token has run out, and then no more', async () => {
    const { clock, tick } = steppedClock()
    const hub = hubOver(sampleReader(), clock)
    hub.start()
    const client = reading(hub.subscribe(onlyAlerts({ expiresAt: NOW + 2_000 })))
    await client.next()
    await tick(1_000)
    expect(hub.clients).toBe(1)
    await tick(1_000)
    expect(await client.next()).toContain('event: bye\nid: 1-\ndata: {"reason":"token_expired"')
    expect(await client.next()).toBeNull()
    expect(hub.clients).toBe(0)
    await hub.close()
  })
})

describe('the hour that is shown', () => {
  const minute = 60_000
  it('is the last one while data arrives, or before any has', () => {
    for (const newest of [null, NOW - 10_000]) {
      expect(rangeToShow(newest, NOW)).toEqual({ from: NOW - 60 * minute, to: NOW, live: true })
    }
  })

  it('is the one in which a replayed history ends', () => {
    const end = Date.UTC(2019, 11, 1, 23, 58, 30)
    const to = Date.UTC(2019, 11, 1, 23, 59)
    expect(rangeToShow(end, NOW)).toEqual({ from: to - 60 * minute, to, live: false })
  })
})
