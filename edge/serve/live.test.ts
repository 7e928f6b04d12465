import { describe, expect, it } from 'vitest'
import type { Clock, MetricReader } from '../ports.ts'
import { NOW, samplePipeline, sampleReader } from '../testing/harness.ts'
import { createLiveHub, type LiveOptions, rangeToShow } from './live.ts'

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
  createLiveHub({ reader, pipelines: reader.pipelines, clock, logger: quiet, currency: 'TRY', ...over })

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

const snapshot = (text: string | null) => JSON.parse(text!.replace(/^event: snapshot\ndata: /, ''))

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
    const clients = [reading(hub.subscribe()), reading(hub.subscribe())]
    await tick()
    for (const client of clients) {
      expect(await client.next()).toBe('retry: 2000\n\n')
      expect(snapshot(await client.next())).toMatchObject({ overview: { events: 7200 }, range: { live: true } })
    }
    expect(looks).toBe(1)
    await hub.close()
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
    const client = reading(hub.subscribe())
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
    const slow = reading(hub.subscribe())
    const quick = reading(hub.subscribe())
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
    const first = reading(hub.subscribe())
    expect(() => hub.subscribe()).toThrow('watch already')
    await first.cancel()
    expect(hub.clients).toBe(0)
    const second = reading(hub.subscribe())
    await second.cancel()
    await hub.close()
    expect(() => hub.subscribe()).toThrow('stopping')
  })

  it('tells its clients of an outage and goes on after it', async () => {
    const { clock, tick } = steppedClock()
    let broken = true
    const pipelines = async () => {
      if (broken) throw new Error('no connection')
      return [samplePipeline]
    }
    const hub = hubOver(sampleReader({ pipelines }), clock)
    const client = reading(hub.subscribe())
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
    const client = reading(hub.subscribe())
    await client.next()
    await client.next()
    await tick(16_000)
    expect(await client.next()).toContain('event: snapshot')
    expect(await client.next()).toBe(': heartbeat\n\n')
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
