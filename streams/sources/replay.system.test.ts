/** Replay against a real HTTP edge that validates as the contract does: counts, ids, times, bad rows, resuming. */
import { existsSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type AnyEvent, identityOf } from '../contract/events.ts'
import { parseEvent } from '../contract/input.ts'
import { CLICKSTREAM, type InputTopic, ORDERS, TRIPS } from '../contract/topics.ts'
import { type Clock, systemClock } from '../time/clock.ts'
import { parseMapping } from './mappings/mapping.ts'
import { type ReplayOptions, replayFile } from './replay.ts'

const NOW = Date.UTC(2026, 0, 31, 12)
const TOPICS: Record<string, InputTopic> = { events: CLICKSTREAM, orders: ORDERS, trips: TRIPS }
const DAY_MS = 86_400_000

interface Stored {
  id: string
  user: string
  time: number
  amount: number
}

/** An edge in memory: the contract's own validation, duplicates by identity. */
async function startEdge(onRequest: (count: number) => 'unavailable' | undefined = () => undefined) {
  const stored: Stored[] = []
  const ids = new Set<string>()
  let requests = 0
  const app = new Hono()
  app.post('/api/v1/:kind', async (c) => {
    if (onRequest(++requests) === 'unavailable') return c.json({ detail: 'down' }, 503)
    const topic = TOPICS[c.req.param('kind')]!
    const rejected: object[] = []
    let accepted = 0
    const lines = (await c.req.text()).split('\n')
    lines.forEach((line, index) => {
      const parsed = parseEvent(topic, JSON.parse(line), {
        receivedAt: NOW + DAY_MS,
        currency: 'TRY',
        newId: () => 'made',
      })
      if (!parsed.ok) {
        rejected.push({
          index,
          event_id: null,
          code: parsed.problem.code,
          message: parsed.problem.message,
          retryable: false,
        })
        return
      }
      const identity = (identityOf[topic] as (event: AnyEvent) => string)(parsed.event)
      if (ids.has(identity)) return
      ids.add(identity)
      accepted++
      const e = parsed.event
      stored.push({
        id: identity,
        user: 'user_id' in e ? (e.user_id ?? '') : e.region_id,
        time: e.event_time,
        amount: 'amount_minor' in e ? e.amount_minor : 0,
      })
    })
    return c.json({ accepted, duplicates: lines.length - accepted - rejected.length, rejected }, 202)
  })
  const server = await new Promise<ReturnType<typeof serve>>((resolve) => {
    const s = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, () => resolve(s))
  })
  closing.push(server as Server)
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, stored, requests: () => requests }
}

const closing: Server[] = []
let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'replay-'))
})
afterEach(async () => {
  for (const server of closing.splice(0)) {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
  rmSync(folder, { recursive: true, force: true })
})

/** Time that passes only where somebody waits. */
function skippingClock(start = NOW): Clock {
  let now = start
  return {
    now: () => now,
    sleep: async (ms) => {
      now += ms
    },
  }
}

const orders = parseMapping(
  {
    topic: 'orders',
    columns: { order_id: 'id', user_id: 'user', amount: 'amount', event_time: 'at' },
  },
  'test',
)
const withoutIds = parseMapping(
  { topic: 'orders', columns: { user_id: 'user', amount: 'amount', event_time: 'at' } },
  'test',
)

function write(name: string, lines: readonly string[]): string {
  const path = join(folder, name)
  writeFileSync(path, `${lines.join('\n')}\n`)
  return path
}
const csv = (count: number, row = (n: number) => `o${n},u${n % 13},${n}.5,${new Date(NOW + n * 1000).toISOString()}`) =>
  write('orders.csv', ['id,user,amount,at', ...Array.from({ length: count }, (_, n) => row(n))])

const options = (path: string, edgeUrl: string, more: Partial<ReplayOptions> = {}): ReplayOptions => ({
  path,
  mapping: orders,
  edgeUrl,
  writeKey: 'wk',
  clock: skippingClock(),
  speed: 'max',
  keepTime: true,
  stateDir: join(folder, 'state'),
  ...more,
})

describe('a replay', () => {
  it('sends every row of a file once, with its own time', async () => {
    const edge = await startEdge()
    const report = await replayFile(options(csv(3_000), edge.url))
    expect(report).toMatchObject({
      finished: true,
      rows: 3_000,
      accepted: 3_000,
      duplicates: 0,
      bad: 0,
      rejected: 0,
      share: 1,
      acknowledgedLine: 3_001,
      rejectedPath: null,
    })
    expect(new Map(edge.stored.map((s) => [s.id, s.time])).get('o2999')).toBe(NOW + 2_999_000)
    expect(edge.stored.find((s) => s.id === 'o7')).toMatchObject({ user: 'u7', amount: 750 })
  })

  it('reads the same events from NDJSON and from a JSON array', async () => {
    const rows = [1, 2, 3].map((n) => ({ id: `o${n}`, user: 'u', amount: n, at: NOW + n }))
    const edge = await startEdge()
    await replayFile(
      options(
        write(
          'a.ndjson',
          rows.map((r) => JSON.stringify(r)),
        ),
        edge.url,
      ),
    )
    const first = edge.stored.splice(0)
    expect(first).toHaveLength(3)
    const second = await replayFile(options(write('a.json', [JSON.stringify(rows, null, 2)]), edge.url))
    expect(second).toMatchObject({ accepted: 0, duplicates: 3 })
  })

  it('writes aside what is no event and what the edge refuses, with line, reason and row', async () => {
    const path = write('orders.csv', [
      'id,user,amount,at',
      'o1,u1,5,2026-01-31 12:00:00',
      'o2,u1,many,2026-01-31 12:00:00',
      'o3,u1',
      'o4,,5,2026-01-31 12:00:00',
      'o5,u1,-5,2026-01-31 12:00:00',
      'o6,u1,5,2026-01-31 12:00:01',
    ])
    const edge = await startEdge()
    const report = await replayFile(options(path, edge.url))
    expect(report).toMatchObject({ rows: 6, accepted: 2, bad: 2, rejected: 2, acknowledgedLine: 7 })
    const aside = readFileSync(report.rejectedPath!, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { line: number })
    expect(report.rejectedPath).toBe(join(folder, 'state', 'orders.csv.rejected.ndjson'))
    // The edge answers by partition, so its verdicts may come in another order.
    expect(aside.sort((a, b) => a.line - b.line)).toEqual([
      {
        line: 3,
        reason: 'amount: expected a number in column amount, found "many"',
        row: { id: 'o2', user: 'u1', amount: 'many', at: '2026-01-31 12:00:00' },
      },
      { line: 4, reason: 'the row has 2 columns, the header has 4', row: ['o3', 'u1'] },
      {
        line: 5,
        reason: 'missing_field: user_id: required',
        row: { id: 'o4', user: '', amount: '5', at: '2026-01-31 12:00:00' },
      },
      { line: 6, reason: expect.stringContaining('invalid_value: amount: too small'), row: expect.anything() },
    ])
  })

  it('leaves no old list of rejected rows behind a replay without any', async () => {
    const edge = await startEdge()
    const bad = await replayFile(
      options(
        csv(3, (n) => `o${n},u,x,2026-01-31`),
        edge.url,
      ),
    )
    expect(existsSync(bad.rejectedPath!)).toBe(true)
    await replayFile(options(csv(3), edge.url))
    expect(existsSync(bad.rejectedPath!)).toBe(false)
  })

  it('gives rows without an id one from their content, so that equal rows are duplicates', async () => {
    const lines = ['user,amount,at', 'u,1,2026-01-31', 'u,1,2026-01-31', 'u,2,2026-01-31']
    const edge = await startEdge()
    const replay = { mapping: withoutIds }
    expect(await replayFile(options(write('a.csv', lines), edge.url, replay))).toMatchObject({
      accepted: 2,
      duplicates: 1,
    })
    expect(await replayFile(options(write('b.csv', lines), edge.url, replay))).toMatchObject({
      accepted: 0,
      duplicates: 3,
    })
  })

  it('rebased, is another replay with other ids each time', async () => {
    const path = write('a.csv', ['user,amount,at', 'u,1,2010-01-31', 'u,1,2010-01-31'])
    const edge = await startEdge()
    const rebased = { mapping: withoutIds, keepTime: false }
    const first = await replayFile(options(path, edge.url, rebased))
    const second = await replayFile(options(path, edge.url, { ...rebased, clock: skippingClock(NOW + 5) }))
    expect([first, second]).toMatchObject([
      { accepted: 1, duplicates: 1 },
      { accepted: 1, duplicates: 1 },
    ])
    expect(edge.stored.map((s) => s.time)).toEqual([NOW, NOW + 5])
  })

  it('at a speed, waits as long as the events did, divided by it; rebased, they happen when they are sent', async () => {
    const edge = await startEdge()
    const clock = skippingClock()
    const path = write('a.csv', [
      'id,user,amount,at',
      'o1,u,1,2008-12-31 23:00:00',
      'o2,u,1,2019-01-01 00:00:00',
      'o3,u,1,2019-01-01 00:10:00',
      'o4,u,1,2019-01-01 00:05:00',
      'o5,u,1,2019-01-01 01:00:00',
    ])
    const report = await replayFile(options(path, edge.url, { clock, speed: 60, keepTime: false }))
    expect(report.accepted).toBe(5)
    // Ten years between the first two are a jump, which takes no time.
    expect(edge.stored.map((s) => [s.id, s.time - NOW])).toEqual([
      ['o1', 0],
      ['o2', 0],
      ['o3', 10_000],
      ['o4', 5_000],
      ['o5', 60_000],
    ])
    expect(clock.now() - NOW).toBe(60_000)
  })

  it('tells how far it is and how long it will take', async () => {
    const edge = await startEdge()
    const seen: [number, number | null][] = []
    const ticking: Clock = { ...skippingClock(), now: () => (tick += 10) }
    let tick = NOW
    await replayFile(
      options(csv(20_000), edge.url, { clock: ticking, onProgress: (p) => seen.push([p.share, p.remainingMs]) }),
    )
    expect(seen.length).toBeGreaterThan(5)
    expect(seen.every(([share], i) => i === 0 || share >= seen[i - 1]![0])).toBe(true)
    expect(seen.at(-1)).toEqual([1, 0])
  })

  it('says when nothing names the format', async () => {
    const edge = await startEdge()
    await expect(replayFile(options(write('orders.data', ['a']), edge.url))).rejects.toThrow('"format": "csv"')
  })
})

describe('an interrupted replay', () => {
  it('goes on where everything was settled, and in the end every row is there once', async () => {
    const stop = new AbortController()
    const edge = await startEdge((count) => {
      if (count === 9) stop.abort()
      return undefined
    })
    const path = csv(8_000)
    const first = await replayFile(options(path, edge.url, { signal: stop.signal }))
    expect(first.finished).toBe(false)
    expect(first.acknowledgedLine).toBeGreaterThan(1)
    expect(first.acknowledgedLine).toBeLessThan(8_001)
    const before = edge.stored.length
    const second = await replayFile(options(path, edge.url))
    expect(second).toMatchObject({ finished: true, resumedAfterLine: first.acknowledgedLine, acknowledgedLine: 8_001 })
    expect(second.rows).toBe(8_001 - first.acknowledgedLine)
    expect(second.accepted).toBe(8_000 - before)
    expect(new Set(edge.stored.map((s) => s.id)).size).toBe(8_000)
    const third = await replayFile(options(path, edge.url))
    expect(third).toMatchObject({ resumedAfterLine: 0, duplicates: 8_000 })
  })

  it('keeps what it wrote aside, and its ids although it is rebased', async () => {
    const stop = new AbortController()
    const edge = await startEdge((count) => {
      if (count === 4) stop.abort()
      return undefined
    })
    const path = csv(6_000, (n) => (n === 1 || n === 5_999 ? `o,u${n % 3},bad,${NOW}` : `o,u${n % 3},${n},${NOW + n}`))
    const rebased = { mapping: withoutIds, keepTime: false }
    const first = await replayFile(options(path, edge.url, { ...rebased, signal: stop.signal }))
    const second = await replayFile(options(path, edge.url, { ...rebased, clock: skippingClock(NOW + 3_600_000) }))
    expect(second.resumedAfterLine).toBe(first.acknowledgedLine)
    expect(new Set(edge.stored.map((s) => s.id)).size).toBe(5_998)
    const aside = readFileSync(join(folder, 'state', 'orders.csv.rejected.ndjson'), 'utf8')
      .trim()
      .split('\n')
    expect(aside.map((line) => (JSON.parse(line) as { line: number }).line)).toEqual([3, 6_001])
  })

  it('begins at the first row when it is told to, or when the file or the mapping has changed', async () => {
    const path = csv(4_000)
    const interrupted = async () => {
      const stop = new AbortController()
      const edge = await startEdge((count) => {
        if (count === 4) stop.abort()
        return undefined
      })
      const report = await replayFile(options(path, edge.url, { signal: stop.signal, restart: true }))
      expect(report.acknowledgedLine).toBeGreaterThan(1)
      return edge.url
    }
    let url = await interrupted()
    expect((await replayFile(options(path, url, { restart: true }))).resumedAfterLine).toBe(0)
    url = await interrupted()
    expect((await replayFile(options(path, url, { mapping: withoutIds }))).resumedAfterLine).toBe(0)
    url = await interrupted()
    utimesSync(path, new Date(NOW), new Date(NOW))
    expect((await replayFile(options(path, url))).resumedAfterLine).toBe(0)
  })

  it('by an edge that went away goes on when it is back', async () => {
    const edge = await startEdge((count) => (count > 6 && count < 60 ? 'unavailable' : undefined))
    const path = csv(6_000)
    await expect(replayFile(options(path, edge.url, { patienceMs: 10_000 }))).rejects.toMatchObject({
      reason: 'unreachable',
    })
    const second = await replayFile(options(path, edge.url, { patienceMs: 10 * DAY_MS }))
    expect(second.resumedAfterLine).toBeGreaterThan(1)
    expect(new Set(edge.stored.map((s) => s.id)).size).toBe(6_000)
  })
})

it('40,000 rows take seconds', async () => {
  const edge = await startEdge()
  const report = await replayFile(options(csv(40_000), edge.url, { clock: systemClock }))
  expect(report.accepted).toBe(40_000)
  // The bound is generous for a busy machine; what is measured is in the hundreds of thousands of rows a minute.
  expect(report.elapsedMs).toBeLessThan(20_000)
})
