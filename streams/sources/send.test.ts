/** The sender against a real HTTP server that misbehaves as edges, proxies and networks do. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import { afterEach, describe, expect, it } from 'vitest'
import { type InputTopic, ORDERS, TRIPS } from '../contract/topics.ts'
import type { Clock } from '../time/clock.ts'
import {
  BATCH_BYTES_MAX,
  BATCH_EVENTS_MAX,
  createSender,
  type Refusal,
  type SenderOptions,
  SendFailed,
} from './send.ts'

/** Time passes only where somebody sleeps, so waiting costs nothing and can be read afterwards. */
function skippingClock(): Clock & { slept: number[] } {
  let now = 1_000_000
  const slept: number[] = []
  return {
    slept,
    now: () => now,
    sleep: async (ms, signal) => {
      slept.push(ms)
      if (!signal?.aborted) now += ms
    },
  }
}

interface Received {
  path: string
  key: string | undefined
  events: { n: number; user_id?: string; pad?: string }[]
}
type Reply = { status: number; headers?: Record<string, string>; body?: unknown } | 'reset' | 'half' | undefined

/** An edge that answers as `reply` says, else with 202 for everything; ids seen before are duplicates. */
async function startEdge(reply: (request: Received, count: number) => Reply = () => undefined) {
  const received: Received[] = []
  const seen = new Set<number>()
  let inFlight = 0
  let inFlightMax = 0
  const app = new Hono<{ Bindings: { incoming: IncomingMessage; outgoing: ServerResponse } }>()
  app.post('/api/v1/:kind', async (c) => {
    inFlightMax = Math.max(inFlightMax, ++inFlight)
    const text = await c.req.text()
    const request: Received = {
      path: c.req.path,
      key: c.req.header('authorization'),
      events: text.split('\n').map((line) => JSON.parse(line) as Received['events'][number]),
    }
    const count = received.push(request)
    await new Promise((resume) => setImmediate(resume))
    inFlight--
    const said = reply(request, count)
    if (said === 'reset') {
      c.env.incoming.socket.destroy()
      return new Response(null, { status: 500 })
    }
    if (said && said !== 'half') {
      return new Response(typeof said.body === 'string' ? said.body : JSON.stringify(said.body ?? {}), said)
    }
    const fresh = request.events.filter((e) => !seen.has(e.n))
    for (const e of fresh) seen.add(e.n)
    // "half": the events are in the log, but the answer is lost.
    if (said === 'half') {
      c.env.incoming.socket.destroy()
      return new Response(null, { status: 500 })
    }
    return c.json({ accepted: fresh.length, duplicates: request.events.length - fresh.length, rejected: [] }, 202)
  })
  const server = await new Promise<ReturnType<typeof serve>>((resolve) => {
    const s = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, () => resolve(s))
  })
  open.push(server as Server)
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}`, received, stats: () => ({ inFlightMax, stored: seen.size }) }
}

const open: Server[] = []
afterEach(async () => {
  for (const server of open.splice(0)) {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
})

const options = <S>(url: string, more: Partial<SenderOptions<S>> = {}): SenderOptions<S> => ({
  edgeUrl: url,
  writeKey: 'wk',
  clock: skippingClock(),
  ...more,
})

async function sendAll(
  sender: ReturnType<typeof createSender<number>>,
  count: number,
  make: (n: number) => object = (n) => ({ n, user_id: `u${n % 17}` }),
  topic: InputTopic = ORDERS,
): Promise<void> {
  for (let n = 0; n < count; n++) await sender.send({ topic, event: make(n), source: n })
  await sender.idle()
}

describe('the sender', () => {
  it('sends everything once, in batches, with the write key', async () => {
    const edge = await startEdge()
    const settled: number[] = []
    const sender = createSender<number>(options(edge.url, { onSettled: (sources) => void settled.push(...sources) }))
    await sendAll(sender, 5_000)
    expect(sender.counts).toMatchObject({ accepted: 5_000, duplicates: 0, rejected: 0, retries: 0 })
    expect(edge.received.flatMap((r) => r.events.map((e) => e.n)).sort((a, b) => a - b)).toEqual([
      ...Array(5_000).keys(),
    ])
    expect(settled.sort((a, b) => a - b)).toEqual([...Array(5_000).keys()])
    expect(Math.max(...edge.received.map((r) => r.events.length))).toBe(BATCH_EVENTS_MAX)
    expect(edge.received.length).toBeLessThan(25)
    expect(edge.received.every((r) => r.key === 'Bearer wk' && r.path === '/api/v1/orders')).toBe(true)
  })

  it('counts what the edge lets go for want of consent', async () => {
    const edge = await startEdge(({ events }) => ({
      status: 202,
      body: { accepted: events.length - 1, duplicates: 0, rejected: [], without_consent: 1 },
    }))
    const sender = createSender<number>(options(edge.url))
    await sendAll(sender, 3)
    expect(sender.counts).toMatchObject({ accepted: 2, withoutConsent: 1, rejected: 0 })
  })

  it('keeps the order of each key, with no more requests in flight than allowed', async () => {
    const edge = await startEdge((_, count) => (count % 3 === 0 ? { status: 503 } : undefined))
    const sender = createSender<number>(options(edge.url, { concurrency: 4 }))
    await sendAll(sender, 8_000)
    const last = new Map<string, number>()
    const stored = new Set<number>()
    edge.received.forEach((request, at) => {
      if ((at + 1) % 3 === 0) return
      for (const e of request.events) {
        expect(e.n).toBeGreaterThan(last.get(e.user_id!) ?? -1)
        last.set(e.user_id!, e.n)
        stored.add(e.n)
      }
    })
    expect(stored.size).toBe(8_000)
    expect(edge.stats().inFlightMax).toBeLessThanOrEqual(4)
    expect(edge.stats().inFlightMax).toBeGreaterThan(1)
  })

  it('sends the topics to their own paths', async () => {
    const edge = await startEdge()
    const sender = createSender<number>(options(edge.url))
    await sendAll(sender, 3, (n) => ({ n, region_id: 4 }), TRIPS)
    expect(edge.received.map((r) => r.path)).toEqual(['/api/v1/trips'])
  })

  it('makes requests no larger than the edge takes', async () => {
    const edge = await startEdge()
    await sendAll(createSender<number>(options(edge.url)), 300, (n) => ({ n, pad: 'é'.repeat(5_000) }))
    for (const r of edge.received) expect(r.events.length * 10_020).toBeLessThan(BATCH_BYTES_MAX + 10_020)
    expect(edge.stats().stored).toBe(300)
  })

  it('halves a batch that is still too large', async () => {
    const edge = await startEdge((r) => (r.events.length > 100 ? { status: 413 } : undefined))
    await sendAll(createSender<number>(options(edge.url, { concurrency: 1 })), 1_000)
    const accepted = edge.received.filter((r) => r.events.length <= 100).flatMap((r) => r.events.map((e) => e.n))
    expect(accepted).toEqual([...Array(1_000).keys()])
  })

  it('waits as long as a 429 or 503 asks, and with growing pauses where none says', async () => {
    const replies: Reply[] = [
      { status: 503, headers: { 'retry-after': '7' } },
      { status: 429, headers: { 'retry-after': '2' } },
      { status: 500 },
      { status: 502 },
    ]
    const edge = await startEdge((_, count) => replies[count - 1])
    const clock = skippingClock()
    const sender = createSender<number>(options(edge.url, { clock, concurrency: 1 }))
    await sendAll(sender, 10)
    expect(clock.slept).toEqual([7_000, 2_000, 400, 800])
    expect(sender.counts).toMatchObject({ accepted: 10, retries: 4 })
  })

  it('sends again what was reset, and counts as duplicates what had arrived all the same', async () => {
    const edge = await startEdge((_, count) => (count === 1 ? 'reset' : count === 2 ? 'half' : undefined))
    const sender = createSender<number>(options(edge.url, { concurrency: 1 }))
    await sendAll(sender, 100)
    expect(sender.counts).toMatchObject({ accepted: 0, duplicates: 100, retries: 2 })
    expect(edge.stats().stored).toBe(100)
  })

  it('tells which events were rejected and why, and sends again those that may pass later', async () => {
    const edge = await startEdge((r, count) =>
      count === 1
        ? {
            status: 202,
            body: {
              accepted: r.events.length - 2,
              duplicates: 0,
              rejected: [
                { index: 3, event_id: null, code: 'invalid_value', message: 'amount: too small', retryable: false },
                { index: 5, event_id: null, code: 'busy', message: 'later', retryable: true },
              ],
            },
          }
        : undefined,
    )
    const rejected: [number, Refusal][] = []
    const settled: number[] = []
    const sender = createSender<number>(
      options(edge.url, {
        concurrency: 1,
        onRejected: (source, refusal) => void rejected.push([source, refusal]),
        onSettled: (sources) => void settled.push(...sources),
      }),
    )
    await sendAll(sender, 10)
    expect(rejected).toEqual([[3, { code: 'invalid_value', message: 'amount: too small' }]])
    expect(edge.received[1]!.events.map((e) => e.n)).toEqual([5])
    expect(sender.counts).toMatchObject({ accepted: 9, rejected: 1 })
    expect(settled.sort((a, b) => a - b)).toEqual([...Array(10).keys()])
  })

  it('takes the answer to a single refused event as its verdict', async () => {
    const verdict = { index: 0, event_id: null, code: 'missing_field', message: 'amount: required', retryable: false }
    const edge = await startEdge(() => ({
      status: 422,
      body: { status: 422, detail: 'amount: required', accepted: 0, duplicates: 0, rejected: [verdict] },
    }))
    const sender = createSender<number>(options(edge.url))
    await sendAll(sender, 1)
    expect(sender.counts).toMatchObject({ accepted: 0, rejected: 1 })
  })

  it('holds its caller back while the edge does not take anything', async () => {
    let release: () => void = () => undefined
    const gate = new Promise<void>((resolve) => {
      release = resolve
    })
    const server = createServer((request, response) => {
      let lines = 1
      request.on('data', (chunk: Buffer) => {
        lines += chunk.toString().split('\n').length - 1
      })
      request.on('end', () => {
        void gate.then(() => {
          response.writeHead(202)
          response.end(JSON.stringify({ accepted: lines, duplicates: 0, rejected: [] }))
        })
      })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    open.push(server)
    const sender = createSender<number>(
      options(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, { concurrency: 1 }),
    )
    let taken = 0
    let room: Promise<void> | undefined
    while (!room && taken < 100_000) room = sender.send({ topic: ORDERS, event: { n: taken }, source: taken++ })
    expect(taken).toBe(2_000)
    release()
    await room
    await sender.idle()
    expect(sender.counts.accepted).toBe(2_000)
  })

  describe('gives up with a sentence', () => {
    const failing = async (reply: Reply, more: Partial<SenderOptions<number>> = {}): Promise<SendFailed> => {
      const edge = await startEdge(() => reply)
      const error = await sendAll(createSender<number>(options(edge.url, more)), 3).catch((e: unknown) => e)
      expect(error).toBeInstanceOf(SendFailed)
      return error as SendFailed
    }

    it('when the write key is wrong', async () => {
      const error = await failing({ status: 401 })
      expect(error.reason).toBe('unauthorized')
      expect(error.message).toContain('--write-key')
    })

    it('when it is not an edge that answers', async () => {
      expect((await failing({ status: 404, body: 'Cannot POST' })).message).toContain('Check the URL')
      expect((await failing({ status: 202, body: 'ok' })).reason).toBe('unexpected_answer')
      const short = { status: 202, body: { accepted: 1, duplicates: 0, rejected: [] } }
      expect((await failing(short)).message).toContain('1 of 3 events')
    })

    it('when the edge stays away for longer than its patience', async () => {
      const clock = skippingClock()
      const error = await failing({ status: 503, body: { detail: 'The disk is full.' } }, { clock, patienceMs: 20_000 })
      expect(error.reason).toBe('unreachable')
      expect(error.message).toContain('The disk is full.')
      expect(clock.slept.reduce((sum, ms) => sum + ms, 0)).toBeLessThan(30_000)
    })

    it('when nothing listens', async () => {
      const sender = createSender<number>(options('http://127.0.0.1:1'))
      await expect(sendAll(sender, 1)).rejects.toThrow('npm start')
    })

    it('when it is told to stop, also while it waits', async () => {
      const edge = await startEdge(() => ({ status: 503, headers: { 'retry-after': '60' } }))
      const stop = new AbortController()
      const clock: Clock = {
        now: () => 0,
        sleep: (_ms, signal) =>
          new Promise((resolve) => {
            signal?.addEventListener('abort', () => resolve())
            setImmediate(() => stop.abort())
          }),
      }
      const sender = createSender<number>(options(edge.url, { clock, signal: stop.signal }))
      await expect(sendAll(sender, 3)).rejects.toMatchObject({ reason: 'aborted' })
      expect(() => sender.send({ topic: ORDERS, event: {}, source: 1 })).toThrow(SendFailed)
    })
  })
})
