/**
 * What clients send by mistake or on purpose, to the real server over real sockets, while good events are sent beside it: each abuse gets a 4xx with a
 * sentence or a verdict per event, never a 500; every good event is counted; the process stays small; and afterwards everything works.
 */
import { readFile } from 'node:fs/promises'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { as } from './support/access.ts'
import { type Answer, ask, caughtUp, forEach, get } from './support/api.ts'
import { eventually } from './support/eventually.ts'
import { runCli, startPlatform, type TestPlatform } from './support/platform.ts'
import { open, sendRaw } from './support/raw-http.ts'

/** 256 of it are DuckDB's, while files of the lake are written. */
const MEMORY_MAX_MB = 900
const PATHS = { events: 'clickstream.events', orders: 'transactions.orders', trips: 'trips.completed' } as const
type Path = keyof typeof PATHS

let platform: TestPlatform
/** What the edge has said it accepted, by path: all of it must be counted in the end. */
const accepted: Record<Path, number> = { events: 0, orders: 0, trips: 0 }
const statuses = new Map<number, number>()

beforeAll(async () => {
  platform = await startPlatform()
  neighbours = sendGoodEvents()
})
afterAll(async () => {
  stopNeighbours = true
  await neighbours
})

async function send(path: Path, body: BodyInit, headers: Record<string, string> = {}) {
  const response = await fetch(`${platform.url}/api/v1/${path}`, {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/json', 'x-write-key': platform.writeKey, ...headers },
    duplex: 'half',
    signal: AbortSignal.timeout(60_000),
  } as RequestInit)
  statuses.set(response.status, (statuses.get(response.status) ?? 0) + 1)
  const answer: Answer = await response.json()
  accepted[path] += answer.accepted ?? 0
  return { status: response.status, answer, type: response.headers.get('content-type') }
}

// ---- the neighbours ----

let neighbours: Promise<void>
let stopNeighbours = false
const good = { orders: 0, amountMinor: 0, trips: 0, fareMinor: 0, views: 0 }

/** Until told to stop: small batches, each wholly accepted. A refusal under pressure (503) is sent again, as clients do. */
async function sendGoodEvents(): Promise<void> {
  const insist = async (path: Path, batch: object[]) => {
    const body = JSON.stringify(batch)
    for (;;) {
      const { status, answer } = await send(path, body)
      if (status === 503) continue
      expect(answer).toEqual({ accepted: batch.length, duplicates: 0, rejected: [] })
      return
    }
  }
  for (let i = 0; !stopNeighbours; i++) {
    const user = `good-${i % 50}`
    await insist('events', [
      { event_id: `good-${i}-a`, event_type: 'product_view', user_id: user, product_id: 'good-product' },
      { event_id: `good-${i}-b`, event_type: 'product_view', user_id: `${user}-too`, product_id: 'good-product' },
    ])
    await insist('orders', [
      {
        order_id: `good-${i}`,
        user_id: user,
        product_id: 'bought',
        category: 'good',
        amount: (i % 1000) / 100,
        currency: 'EUR',
      },
    ])
    await insist('trips', [
      { trip_id: `good-${i}`, region_id: `good-${i % 4}`, fare: 0.01, currency: 'EUR', duration: 60, distance: 1 },
    ])
    good.views += 2
    good.orders++
    good.amountMinor += i % 1000
    good.trips++
    good.fareMinor++
  }
}

/** A refusal as a whole: a problem document with a sentence. */
function expectRefused({ status, answer, type }: Awaited<ReturnType<typeof send>>, what: string): void {
  expect(status, `${what}: ${JSON.stringify(answer)}`).toBeGreaterThanOrEqual(400)
  expect(status, what).toBeLessThan(500)
  expect(type).toBe('application/problem+json')
  expect(answer.detail, what).toMatch(/^.{10,600}$/)
}

const event = '{"event_type":"page_view","user_id":"u"}'
const bytesOf = (...parts: (string | number[])[]) =>
  new Uint8Array(parts.flatMap((p) => (typeof p === 'string' ? [...new TextEncoder().encode(p)] : p)))

describe('bad input beside good events', () => {
  it('is refused as a whole where nothing can be made of it', async () => {
    const gzip = { 'content-encoding': 'gzip' }
    const lines = { 'content-type': 'application/x-ndjson' }
    const bodies: [what: string, body: BodyInit, headers?: Record<string, string>][] = [
      ['nothing', ''],
      ['blanks', ' \n\t '],
      ['an empty array', '[]'],
      ['lines without content', '\n\n\n', lines],
      ['half a JSON', '{"event_type": "page_view",'],
      ['two JSONs', `${event}${event}`],
      ['NaN', '{"event_type":"page_view","user_id":"u","revenue":NaN}'],
      ['single quotes', "{'event_type':'page_view'}"],
      ['a byte order mark alone', bytesOf([0xef, 0xbb, 0xbf])],
      ['invalid UTF-8', bytesOf('{"event_type":"page_view","user_id":"', [0xc3, 0x28, 0xff], '"}')],
      ['UTF-16', bytesOf([0xff, 0xfe, 0x5b, 0, 0x5d, 0])],
      ['binary', crypto.getRandomValues(new Uint8Array(60_000))],
      ['a form', 'event_type=page_view', { 'content-type': 'application/x-www-form-urlencoded' }],
      ['a type that is none', event, { 'content-type': 'rubbish;;;' }],
      ['brotli', event, { 'content-encoding': 'br' }],
      ['gzip that is none', event, gzip],
      ['gzip that breaks off', gzipSync(event.repeat(9)).subarray(0, 30), gzip],
      ['gzip with rubbish behind it', Buffer.concat([gzipSync('x'), Buffer.from('rubbish')]), gzip],
      ['gzip of gzip', gzipSync(gzipSync(`[${event}]`)), gzip],
      ['a wrong key', event, { 'x-write-key': 'wk_wrong' }],
      ['10 MB with a length', `[${' '.repeat(10_000_000)}]`],
      ['10 MB without a length', streamOf(10_000_000)],
      ['100,000 tiny events', `[${'{},'.repeat(99_999)}{}]`],
      ['500,000 brackets', '['.repeat(500_000)],
      ['100,000 nested objects', `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`],
    ]
    for (const [what, body, headers] of bodies) expectRefused(await send('events', body, headers), what)
  })

  it('is refused where it is a gzip bomb, also many at once', async () => {
    const bomb = gzipSync('\0'.repeat(100_000_000))
    const deep = gzipSync(`[${'['.repeat(4_000_000)}`)
    const bombs = Array.from({ length: 30 }, (_, i) => (i % 3 === 0 ? deep : bomb))
    await forEach(
      bombs,
      async (body) => {
        const result = await send('events', body, { 'content-encoding': 'gzip' })
        if (result.status !== 503) expectRefused(result, 'a bomb')
      },
      10,
    )
  })

  it('costs its neighbours in the same request nothing', async () => {
    const odd: Record<Path, string[]> = {
      events: [
        ...['null', 'true', '7', '"text"', '[]', '{}', '[[[]]]'],
        ...['{"event_type":7,"user_id":"u"}', '{"event_type":"boom","user_id":"u"}', '{"event_type":"custom"}'],
        ...['{}', '[]', '7', 'true', '""', `"${'x'.repeat(201)}"`, '"a\\u0000b"'].map(
          (user) => `{"event_type":"custom","user_id":${user}}`,
        ),
        ...[
          '"2999-01-01T00:00:00Z"',
          '"0001-01-01"',
          '-1',
          '0',
          '1e300',
          '-1e999',
          '"yesterday"',
          '{}',
          '[1]',
          '""',
        ].map((time) => `{"event_type":"custom","user_id":"u","event_time":${time}}`),
        ...['-1', '"1"', '1e10', '1e999', '{}'].map(
          (revenue) => `{"event_type":"purchase","user_id":"u","revenue":${revenue}}`,
        ),
        '{"event_type":"custom","user_id":"u","properties":[]}',
        `{"event_type":"custom","user_id":"u","properties":{"x":"${'y'.repeat(40_000)}"}}`,
        `{"event_type":"custom","user_id":"u","properties":${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}}`,
      ],
      orders: [
        ...['{}', '{"order_id":"o"}', '{"order_id":"o","user_id":"u"}', '{"order_id":"","user_id":"u","amount":1}'],
        ...['-1', '"9.99"', 'null', '1e99', '[]', '-0.01'].map(
          (amount) => `{"order_id":"o","user_id":"u","amount":${amount}}`,
        ),
        ...['"lira"', '7', '"12€"'].map((c) => `{"order_id":"o","user_id":"u","amount":1,"currency":${c}}`),
        ...['"paid"', '1'].map((status) => `{"order_id":"o","user_id":"u","amount":1,"status":${status}}`),
        ...['-1', '1.5', '1e12'].map((q) => `{"order_id":"o","user_id":"u","amount":1,"quantity":${q}}`),
      ],
      trips: [
        ...['{}', '{"trip_id":"t"}', '{"trip_id":"t","region_id":{},"fare":1,"duration":1,"distance":1}'],
        ...['-1', '"x"', '1e999'].map((n) => `{"trip_id":"t","region_id":1,"fare":${n},"duration":1,"distance":1}`),
        ...['-1', '1e9'].map((n) => `{"trip_id":"t","region_id":1,"fare":1,"duration":${n},"distance":1}`),
        ...['-1', '1e9'].map((n) => `{"trip_id":"t","region_id":1,"fare":1,"duration":1,"distance":${n}}`),
      ],
    }
    const neighbour: Record<Path, (id: string) => string> = {
      events: (id) => `{"event_id":"${id}","event_type":"page_view","user_id":"${id}"}`,
      orders: (id) => `{"order_id":"${id}","user_id":"${id}","amount":0}`,
      trips: (id) => `{"trip_id":"${id}","region_id":"odd","fare":0,"duration":0,"distance":0}`,
    }
    for (const path of Object.keys(PATHS) as Path[]) {
      for (const [i, bad] of odd[path].entries()) {
        const [before, after] = [neighbour[path](`n-${i}-before`), neighbour[path](`n-${i}-after`)]
        const { status, answer } = await send(path, `[${before},${bad},${after}]`)
        expect(status, bad.slice(0, 100)).toBe(202)
        expect(answer, bad.slice(0, 100)).toMatchObject({ accepted: 2, duplicates: 0, rejected: [{ index: 1 }] })
        expect(answer.rejected[0]).toMatchObject({ retryable: false, message: expect.stringMatching(/^.{5,500}$/) })
        // Alone it is an error of its own.
        if (!bad.startsWith('[')) expectRefused(await send(path, bad), bad.slice(0, 100))
      }
    }
  })

  it('is taken as it is where it is only strange, and breaks nothing that computes', async () => {
    const names = [
      '__proto__',
      'constructor',
      'toString',
      'hasOwnProperty',
      '\ud800',
      'a\u001fb',
      'ünïcödé 🦊',
      '../..',
      '%00',
      "'; DROP TABLE sessions; --",
    ]
    for (const [i, name] of names.entries()) {
      const n = JSON.stringify(name)
      const click = `{"event_id":"strange-${i}","event_type":"purchase","user_id":${n},"session_id":${n},"product_id":${n},"category":${n},"page_url":${n},"revenue":1,"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"properties":{"__proto__":{"polluted":1}}}`
      const order = `{"order_id":"strange-${i}","user_id":${n},"product_id":${n},"category":${n},"region":${n},"amount":1000000000,"status":"success"}`
      const trip = `{"trip_id":"strange-${i}","region_id":${n},"fare":0.005,"duration":0.4,"distance":0.0001}`
      expect(await send('events', `[${click}]`)).toMatchObject({ status: 202, answer: { accepted: 1 } })
      expect(await send('orders', `[${order}]`)).toMatchObject({ status: 202, answer: { accepted: 1 } })
      expect(await send('trips', `[${trip}]`)).toMatchObject({ status: 202, answer: { accepted: 1 } })
    }
    const known = async (path: string, name: string) =>
      eventually(`${path} knows ${name}`, 60_000, async () => {
        const { status, body } = await ask(platform.url, `/${path}/${encodeURIComponent(name)}`)
        expect(status, JSON.stringify(body)).toBeLessThan(500)
        return status === 200 && body.data
      })
    // A lone surrogate can't be written into a URL.
    for (const name of names.filter((n) => n !== '\ud800')) {
      // Clicks and orders are of different partitions: a flush may have either without the other.
      await eventually(`both parts of ${name}`, 60_000, async () => {
        const { events, orders } = await known('features', name)
        return events !== null && orders !== null
      })
      const features = { user_id: name, events: { total: 1 }, orders: { total: 1, total_spend: 1e9 } }
      expect(await known('features', name)).toMatchObject(features)
      expect(await known('sessions', name)).toMatchObject([{ user_id: name, purchases: 1 }])
      expect(await known('metrics/region', name)).toMatchObject([{ trips: 1, fare: 0.01, duration: 0, distance: 0 }])
    }
  })

  it('does not make others late where a clock is hours ahead', async () => {
    const time = new Date(Date.now() + 20 * 3_600_000).toISOString()
    // So many that each partition has some; the neighbours go on in all of them.
    const ahead = Array.from({ length: 40 }, (_, i) => i)
    const clicks = ahead.map((i) => ({ event_type: 'page_view', user_id: `ahead-${i}`, event_time: time }))
    const orders = ahead.map((i) => ({ order_id: `ahead-${i}`, user_id: `ahead-${i}`, amount: 1, event_time: time }))
    const trips = ahead.map((i) => ({
      trip_id: `ahead-${i}`,
      region_id: i,
      fare: 1,
      duration: 1,
      distance: 1,
      event_time: time,
    }))
    for (const [path, batch] of Object.entries({ events: clicks, orders, trips })) {
      expect(await send(path as Path, JSON.stringify(batch))).toMatchObject({ answer: { accepted: 40, rejected: [] } })
    }
    const before = good.orders
    await eventually('good events go on', 60_000, () => good.orders > before + 10)
  })

  it('is refused by the server itself where it is no HTTP', async () => {
    const head = (more: string, path = '/api/v1/events') =>
      `POST ${path} HTTP/1.1\r\nHost: edge\r\nX-Write-Key: ${platform.writeKey}\r\n${more}`
    const requests: [what: string, bytes: string][] = [
      ['rubbish', 'rubbish\r\n\r\n'],
      ['TLS', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'.repeat(40)],
      ['10,000 headers', head(`${Array.from({ length: 10_000 }, (_, i) => `X-${i}: ${i}\r\n`).join('')}\r\n`)],
      ['a header of 1 MB', head(`X-Long: ${'x'.repeat(1_000_000)}\r\n\r\n`)],
      ['a path of 1 MB', head('\r\n', `/${'x'.repeat(1_000_000)}`)],
      ['a negative length', head('Content-Length: -5\r\n\r\n')],
      ['two lengths', head(`Content-Length: 5\r\nContent-Length: 40\r\n\r\n${event}`)],
      ['length and chunks', head(`Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`)],
      [
        'a chunk size that is none',
        head('Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzzzz\r\nhello\r\n0\r\n\r\n'),
      ],
      ['an expectation nobody has', head(`Expect: miracles\r\nContent-Length: 0\r\n\r\n`)],
      ['a NUL in a header', head('X-A: a\0b\r\n\r\n')],
      ['a method that is none', `BREW /api/v1/events HTTP/1.1\r\nHost: edge\r\n\r\n`],
      ['no host', `GET /api/v1/health HTTP/1.1\r\n\r\n`],
      ['HTTP 9', `GET /api/v1/health HTTP/9.9\r\nHost: edge\r\n\r\n`],
    ]
    for (const [what, bytes] of requests) {
      const { status, text } = await sendRaw(platform.url, bytes)
      if (status !== null) expect([what, status], text.slice(0, 300)).toEqual([what, expect.toSatisfy(isClientError)])
    }
    const strangePaths = [
      '/features/%',
      '/features/%ED%A0%80',
      '/features/%00',
      '/sessions/%ff',
      '/sessions/x?cursor=%00',
      '/sessions/x?cursor=e30',
      '/metrics/region/%E0%A4%A',
      '/fraud-alerts?cursor=AAAA',
      '/fraud-alerts/%F0',
      '/metrics/overview?from=1e999',
      '/metrics/overview?from=-1&to=99999999999999999999',
      '/metrics/events_timeseries?bucket=0m',
      '/metrics/events_timeseries?from=0&bucket=1m',
      '/metrics/revenue_timeseries?category=%00',
      '/metrics/top_products?limit=1e3',
      '/%2e%2e/%2e%2e/etc/passwd',
      '//',
      `/features/${'x'.repeat(8000)}`,
    ]
    const { authorization } = await as('viewer')
    for (const path of strangePaths) {
      const head = `GET /api/v1${path} HTTP/1.1\r\nHost: edge\r\nAuthorization: ${authorization}\r\n\r\n`
      const { status, text } = await sendRaw(platform.url, head)
      expect([path, status], text.slice(-300)).toEqual([
        path,
        expect.toSatisfy((s: number) => s === 200 || isClientError(s)),
      ])
    }
  })

  it('does not hold anybody up where it never ends', async () => {
    const head = `POST /api/v1/events HTTP/1.1\r\nHost: edge\r\nX-Write-Key: ${platform.writeKey}\r\nContent-Type: application/json\r\n`
    const before = good.orders
    const lingering = Array.from({ length: 200 }, (_, i) => {
      const socket = open(platform.url)
      socket.write(
        i % 2
          ? `${head}Content-Length: 900000\r\n\r\n[${event},`
          : `${head}Transfer-Encoding: chunked\r\n\r\n5\r\n[{"ev`,
      )
      return socket
    })
    for (const socket of lingering.slice(0, 100)) socket.destroy()
    // Those who go on are served meanwhile; where the two hundred come in the same turn of the edge's loop, at the second attempt.
    await eventually('an event is taken', 60_000, async () => {
      const { status } = await send('events', `[${event}]`)
      if (status !== 503) expect(status).toBe(202)
      return status === 202
    })
    await eventually('good events go on', 60_000, () => good.orders > before + 5)
    for (const socket of lingering) socket.destroy()
  })

  it('has not lost or added a single event in the end, and everything works', async () => {
    stopNeighbours = true
    await neighbours
    const pipelines: Answer[] = await caughtUp(platform.url)
    const totals = { events: 0, orders: 0, trips: 0 }
    for (const p of pipelines) {
      expect(p).toMatchObject({ dead_letters: 0, late: 0, duplicates: 0 })
      for (const path of Object.keys(PATHS) as Path[]) if (p.topic === PATHS[path]) totals[path] += p.events
    }
    expect(totals).toEqual(accepted)
    expect(good.orders).toBeGreaterThan(20)

    const everything = { from: '1990-01-01T00:00:00Z', to: '2100-01-01T00:00:00Z' }
    const { data: products } = await get(platform.url, '/metrics/top_products', {
      ...everything,
      by: 'views',
      limit: 1,
    })
    expect(products).toMatchObject([{ product_id: 'good-product', views: good.views }])
    const { data: revenue } = await get(platform.url, '/metrics/revenue_timeseries', {
      ...everything,
      bucket: '60d',
      category: 'good',
      currency: 'EUR',
    })
    const sum = (of: (p: Answer) => number) => revenue.reduce((total: number, p: Answer) => total + of(p), 0)
    expect([sum((p) => p.orders), Math.round(sum((p) => p.revenue * 100))]).toEqual([good.orders, good.amountMinor])
    let trips = 0
    for (const region of [0, 1, 2, 3]) {
      const { data } = await get(platform.url, `/metrics/region/good-${region}`, { window: '1h', limit: 500 })
      for (const p of data) trips += p.trips
    }
    expect(trips).toBe(good.trips)

    // What is older than anybody waits for is accepted, counted as late, and changes no result.
    const ancient = {
      order_id: 'ancient',
      user_id: 'good-1',
      amount: 1,
      category: 'good',
      currency: 'EUR',
      event_time: '1995-05-23',
    }
    expect(await send('orders', JSON.stringify([ancient]))).toMatchObject({ answer: { accepted: 1 } })
    const late = (await caughtUp(platform.url)).reduce((total, p) => total + p.late, 0)
    expect(late).toBeGreaterThan(0)
    expect((await get(platform.url, '/features/good-1')).data.orders.total).toBe(Math.ceil((good.orders - 1) / 50))

    expect([...statuses.keys()].filter((status) => status >= 500 && status !== 503)).toEqual([])
    expect(platform.err).not.toMatch(/"level":"(error|fatal)"|Error:/)
    const doctor = await runCli(['doctor', '--data', platform.dataDir, '--timeout', '60'])
    expect(doctor, doctor.out).toMatchObject({ code: 0 })
    const peakMb = await peakMemoryMb()
    expect(peakMb).toBeLessThan(MEMORY_MAX_MB)
  })
})

/** Most memory the process ever held; there is no such figure elsewhere than on Linux. */
async function peakMemoryMb(): Promise<number> {
  if (process.platform !== 'linux') return 0
  const status = await readFile(`/proc/${platform.child.pid}/status`, 'utf8')
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) / 1024
}

const isClientError = (status: number): boolean => status >= 400 && status < 500

function streamOf(bytes: number): ReadableStream {
  let left = bytes
  return new ReadableStream({
    pull(controller) {
      if (left <= 0) return controller.close()
      controller.enqueue(new Uint8Array(Math.min(left, 65_536)).fill(0x20))
      left -= 65_536
    },
  })
}
