/**
 * One suite for every runtime: `streamforge edge` on Node, Bun and Deno, over real Kafka, Redis and PostgreSQL, asked by real HTTP on a real socket. What it does must not depend on
 * what it runs on.
 */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { RUNTIMES, type Runtime, type RuntimeCommand } from '../../cli/servers/runtimes.ts'
import { withKafka } from '../../cli/servers/testing/with-kafka.ts'
import { withRedis } from '../../cli/servers/testing/with-redis.ts'
import { withRuntime } from '../../cli/servers/testing/with-runtime.ts'
import { withPostgres } from '../../db/testing/postgres.ts'
import { CLICKSTREAM, topicNamed } from '../../streams/contract/topics.ts'
import type { EventLog, LogRecord } from '../../streams/log/event-log.ts'
import { openKafkaLog } from '../../streams/log/kafka.ts'
import { as } from '../../tests/support/access.ts'
import { BROKER_PROPERTIES, platformEnvironment, startEdge, WRITE_KEY } from '../../tests/support/cluster-processes.ts'
import { eventually } from '../../tests/support/eventually.ts'
import { cleanUp, runCli } from '../../tests/support/processes.ts'
import { open, sendRaw } from '../../tests/support/raw-http.ts'

type Edge = Awaited<ReturnType<typeof startEdge>> & { slow: readonly Promise<number>[] }

const postgres = withPostgres()
const kafka = withKafka(BROKER_PROPERTIES)
const redis = withRedis()
/** One of each, and the environment they share. */
const edges = new Map<Runtime, Promise<Edge>>()
let environment: Promise<Record<string, string>> | undefined
let database: ReturnType<typeof postgres.database> | undefined
let log: EventLog | undefined
afterAll(async () => {
  await log?.close()
  await cleanUp()
})

async function shared(): Promise<Record<string, string>> {
  database = postgres.database()
  const [{ url: databaseUrl }, server] = await Promise.all([database, redis.start()])
  return platformEnvironment({ brokers: kafka.brokers, redis: server, databaseUrl })
}

/** Within a describe: the edge of a runtime, started before the first test that needs it. */
function withEdge(name: Runtime): { readonly its: Edge; readonly runtime: RuntimeCommand } {
  const runtime = withRuntime(name)
  let its: Edge | undefined
  beforeEach(async () => {
    environment ??= shared()
    const env = await environment
    if (!edges.has(name)) {
      const starting = startEdge(env, runtime.command).then((edge) => ({ ...edge, slow: slowClients(edge.url) }))
      edges.set(name, starting)
    }
    its = await edges.get(name)
  }, 120_000)
  return {
    get its() {
      return its!
    },
    get runtime() {
      return runtime.command
    },
  }
}

/** Clients that don't finish what they begin. @returns for each when it was cut off, in milliseconds */
function slowClients(url: string): Promise<number>[] {
  const beginnings = [
    'POST /api/v1/ev',
    `POST /api/v1/events HTTP/1.1\r\nHost: edge\r\nX-Write-Key: ${WRITE_KEY}\r\nContent-Length: 99\r\n\r\n{`,
    `POST /api/v1/events HTTP/1.1\r\nHost: edge\r\nX-Write-Key: ${WRITE_KEY}\r\nTransfer-Encoding: chunked\r\n\r\n`,
  ]
  return beginnings.map(async (beginning) => {
    const startedMs = performance.now()
    const socket = open(url)
    socket.write(beginning)
    // Now and then a byte: no silence that a server could notice.
    const more = setInterval(() => socket.write(beginning.includes('chunked') ? '1\r\n \r\n' : ' '), 2_000)
    socket.resume()
    // Not by `once` of events, which fails where a byte of ours met a server that had just hung up: cut off is cut off.
    await new Promise((resolve) => socket.once('close', resolve))
    clearInterval(more)
    return performance.now() - startedMs
  })
}

const click = (id: string) => ({ event_id: id, event_type: 'page_view', user_id: 'ada' })
const lines = (values: readonly object[]): string => values.map((value) => `${JSON.stringify(value)}\n`).join('')

describe.each(RUNTIMES)('the edge on %s', (runtime) => {
  const edge = withEdge(runtime)
  let made = 0
  const newClick = () => click(`${runtime}-${++made}`)

  const request = (path: string, init: RequestInit = {}): Promise<Response> =>
    fetch(edge.its.url + path, { ...init, signal: AbortSignal.timeout(30_000) })
  const send = (body: BodyInit, headers: Record<string, string> = {}, query = ''): Promise<Response> =>
    request(`/api/v1/events${query}`, {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/json', 'x-write-key': WRITE_KEY, ...headers },
    })
  const read = async (path: string, headers: Record<string, string> = {}): Promise<Response> =>
    request(path, { headers: { ...(await as('viewer')), ...headers } })

  it.each<[form: string, count: number, send: () => Promise<Response>]>([
    ['an object', 1, () => send(JSON.stringify(newClick()))],
    ['an array', 3, () => send(JSON.stringify([newClick(), newClick(), newClick()]))],
    ['NDJSON', 2, () => send(lines([newClick(), newClick()]), { 'content-type': 'application/x-ndjson' })],
    [
      'a beacon, its key in the query',
      1,
      () =>
        send(
          JSON.stringify(newClick()),
          { 'content-type': 'text/plain', 'x-write-key': '' },
          `?write_key=${WRITE_KEY}`,
        ),
    ],
    ['gzip', 2, () => send(gzipSync(JSON.stringify([newClick(), newClick()])), { 'content-encoding': 'gzip' })],
    ['deflate', 1, () => send(deflateSync(JSON.stringify([newClick()])), { 'content-encoding': 'deflate' })],
    ['brotli', 1, () => send(brotliCompressSync(JSON.stringify([newClick()])), { 'content-encoding': 'br' })],
    ['a body in chunks', 2, () => sendInChunks(lines([newClick(), newClick()]), 'application/x-ndjson')],
  ])('takes %s: what it accepts is in Kafka', async (_, count, sent) => {
    const before = await recordsInLog()
    const response = await sent()
    expect([response.status, await response.json()]).toEqual([202, { accepted: count, duplicates: 0, rejected: [] }])
    expect(await recordsInLog()).toBe(before + count)
  })

  const sendInChunks = (text: string, type: string): Promise<Response> =>
    request('/api/v1/events', {
      method: 'POST',
      headers: { 'content-type': type, 'x-write-key': WRITE_KEY },
      body: new Blob([text]).stream(),
      duplex: 'half',
    } as RequestInit)

  it('knows an event that it has had', async () => {
    const again = JSON.stringify([newClick()])
    await send(again)
    expect(await (await send(again)).json()).toEqual({ accepted: 0, duplicates: 1, rejected: [] })
  })

  it('takes the events of a Segment SDK, its key in Basic auth', async () => {
    const response = await request('/v1/track', {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Basic ${btoa(`${WRITE_KEY}:`)}` },
      body: JSON.stringify({
        messageId: `${runtime}-segment`,
        userId: 'ada',
        event: 'Product Viewed',
        properties: { product_id: 'p' },
      }),
    })
    expect([response.status, await response.json()]).toMatchObject([200, { success: true }])
  })

  it.each<[what: string, status: number, code: string, send: () => Promise<Response>]>([
    ['JSON that breaks off', 400, 'malformed_body', () => send('{"event_id": ')],
    ['bytes that are no UTF-8', 400, 'malformed_body', () => send(Uint8Array.of(0x7b, 0xff, 0x7d))],
    ['nothing', 400, 'malformed_body', () => send('')],
    ['what only says it is gzip', 400, 'malformed_body', () => send('[]', { 'content-encoding': 'gzip' })],
    [
      'half of a gzip body',
      400,
      'malformed_body',
      () => send(gzipSync('[{}]').subarray(0, 15), { 'content-encoding': 'gzip' }),
    ],
    ['an encoding nobody knows', 415, 'unsupported_encoding', () => send('[]', { 'content-encoding': 'zip' })],
    ['an event without its user', 422, 'invalid_event', () => send('{"event_type": "page_view"}')],
    ['a key that is none', 401, 'unauthorized', () => send('[]', { 'x-write-key': 'wk_guessed' })],
    ['501 events', 413, 'too_many_events', () => send(JSON.stringify(Array.from({ length: 501 }, newClick)))],
    ['more than a megabyte', 413, 'body_too_large', () => send(' '.repeat(1_100_000))],
    [
      'more than a megabyte in chunks',
      413,
      'body_too_large',
      () => sendInChunks(' '.repeat(1_100_000), 'application/json'),
    ],
    [
      'six megabytes in few',
      413,
      'body_too_large',
      () => send(gzipSync(Buffer.alloc(6e6, ' ')), { 'content-encoding': 'gzip' }),
    ],
  ])('refuses %s with a sentence', async (_, status, code, sent) => {
    const response = await sent()
    expect([response.status, response.headers.get('content-type')]).toEqual([status, 'application/problem+json'])
    const problem = (await response.json()) as { code: string; detail: string }
    expect(problem.code).toBe(code)
    expect(problem.detail).toMatch(/\w+ \w+/)
  })

  it.each([
    ['heads of 20 KB', 431, `GET /health HTTP/1.1\r\nHost: edge\r\nX: ${'y'.repeat(20_000)}\r\n\r\n`],
    [
      'two lengths of one body',
      400,
      'POST /health HTTP/1.1\r\nHost: edge\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    ['what is no HTTP', 400, '\x16\x03\x01 hello\r\n\r\n'],
  ])('refuses %s', async (_, status, bytes) => {
    expect((await sendRaw(edge.its.url, bytes)).status).toBe(status)
  })

  it('answers nobody without a token, and a viewer', async () => {
    expect((await request('/api/v1/metrics/overview')).status).toBe(401)
    expect((await request('/metrics/overview', { headers: { authorization: 'Bearer a.b.c' } })).status).toBe(401)
    const answer = await (await read('/metrics/overview')).json()
    expect(answer).toMatchObject({ data: { events: 0 }, meta: { watermark: null } })
    expect((await read('/features/ada')).status).toBe(404)
  })

  it('knows where a change came from: by the socket, not by a header', async () => {
    const name = `of ${runtime}`
    const changed = await request('/api/v1/write-keys', {
      method: 'POST',
      headers: { ...(await as('operator')), 'content-type': 'application/json', 'x-forwarded-for': '198.51.100.1' },
      body: JSON.stringify({ name }),
    })
    const { data } = (await changed.json()) as { data: { id: string; key: string } }
    const { sql } = await database!
    expect(await sql`SELECT actor, address FROM audit_log WHERE target = ${data.id}`).toEqual([
      { actor: 'the-operator', address: '127.0.0.1' },
    ])
    expect((await send(JSON.stringify(newClick()), { 'x-write-key': data.key })).status).toBe(202)
  })

  it('answers 304 to a client that has the answer', async () => {
    const path = '/metrics/daily?from=2026-01-01&to=2026-01-02'
    const first = await read(path)
    const tag = first.headers.get('etag')
    expect([first.status, tag]).toEqual([200, expect.stringMatching(/^W\/"/)])
    const second = await read(path, { 'if-none-match': tag! })
    expect([second.status, await second.text(), second.headers.get('etag')]).toEqual([304, '', tag])
  })

  it('answers HEAD as GET, without the body', async () => {
    const [get, head] = [await request('/health'), await request('/health', { method: 'HEAD' })]
    expect([get.status, head.status]).toEqual([200, 200])
    expect(head.headers.get('content-type')).toBe(get.headers.get('content-type'))
    expect([(await get.text()).length > 0, await head.text()]).toEqual([true, ''])
  })

  it('says which methods a path has, and that it has no such path', async () => {
    const wrong = await request('/api/v1/events', { method: 'DELETE' })
    expect([wrong.status, wrong.headers.get('allow')]).toEqual([405, expect.stringContaining('POST')])
    const missing = await read('/api/v1/nothing')
    expect([missing.status, missing.headers.get('content-type')]).toEqual([404, 'application/problem+json'])
  })

  it('lets pages of any origin send, and of none read', async () => {
    const preflight = (path: string, method: string) =>
      request(path, {
        method: 'OPTIONS',
        headers: { origin: 'https://shop.example', 'access-control-request-method': method },
      })
    const sending = await preflight('/api/v1/events', 'POST')
    expect([sending.status, sending.headers.get('access-control-allow-origin')]).toEqual([204, '*'])
    const reading = await preflight('/api/v1/metrics/overview', 'GET')
    expect(reading.headers.get('access-control-allow-origin')).toBeNull()
  })

  it('serves its page with the headers that protect it', async () => {
    const page = await request('/')
    expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8'])
    expect(page.headers.get('content-security-policy')).toContain("default-src 'none'")
    expect(await page.text()).toContain('<!doctype html>')
  })

  it('counts what it does', async () => {
    const text = await (await request('/metrics')).text()
    expect(text).toMatch(
      /^streamforge_ingest_events_total\{topic="clickstream.events",outcome="accepted",component="edge"\} [1-9]/m,
    )
    expect(text).toMatch(
      /^streamforge_http_requests_total\{method="POST",route="\/events",status="202",component="edge"\} [1-9]/m,
    )
    expect(text).toMatch(/^process_resident_memory_bytes\{component="edge"\} \d{7,}/m)
  })

  it('keeps a connection for the next request, after a refusal too', async () => {
    const socket = await connected(edge.its.url)
    const ask = async (path: string): Promise<string> => {
      socket.write(`GET ${path} HTTP/1.1\r\nHost: edge\r\n\r\n`)
      const [answer] = (await once(socket, 'data')) as [string]
      return answer.slice(0, 12)
    }
    expect([await ask('/health'), await ask('/sessions/ada'), await ask('/health')]).toEqual(
      [200, 401, 200].map((status) => `HTTP/1.1 ${status}`),
    )
    socket.destroy()
  })

  it('lets the trace of a request travel with its events', async () => {
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
    const before = await ends()
    expect((await send(JSON.stringify(newClick()), { traceparent })).status).toBe(202)
    const [record, ...others] = await recordsSince(before)
    expect([record?.headers?.traceparent, others]).toEqual([traceparent, []])
  })

  it('streams what happens, snapshot after snapshot', async () => {
    const live = await read('/api/v1/live')
    expect([live.status, live.headers.get('content-type')]).toEqual([200, 'text/event-stream'])
    const reader = live.body!.pipeThrough(new TextDecoderStream()).getReader()
    let text = ''
    while (text.split('event: snapshot').length < 4) text += (await reader.read()).value ?? ''
    await reader.cancel()
    const made = [...text.matchAll(/"generated_at":"([^"]+)"/g)].map(([, at]) => at!)
    expect(new Set(made).size).toBeGreaterThan(1)
    // The one who left is no longer sent to.
    await eventually('nobody is live', 60_000, async () => {
      const metrics = await (await request('/metrics')).text()
      return /^streamforge_live_clients\{component="edge"\} 0$/m.test(metrics)
    })
  })
})

describe.each(RUNTIMES)('in the end, the edge on %s', (runtime) => {
  const edge = withEdge(runtime)

  it('says in a sentence that its port is taken', async () => {
    const { port } = new URL(edge.its.url)
    const second = await runCli(['edge', '--port', port], { env: await environment!, runtime: edge.runtime })
    expect([second.code, second.err]).toEqual([
      1,
      expect.stringContaining(`Port ${port} is in use already. Stop what listens there`),
    ])
  })

  it('has cut off the clients that did not finish what they began', async () => {
    for (const cutOffMs of await Promise.all(edge.its.slow)) expect(cutOffMs).toBeLessThan(65_000)
  }, 90_000)

  it('finishes the request in flight when it is stopped, waits for no other, and leaves', async () => {
    const { url, process } = edge.its
    const idle = await connected(url)
    await connected(url)
    const live = await fetch(`${url}/api/v1/live`, { headers: await as('viewer') })
    // NDJSON is counted as it arrives: by that it is known that the edge has the first bytes.
    const last = await connected(url)
    const body = JSON.stringify(click(`${runtime}-last`))
    last.write(
      `POST /api/v1/events HTTP/1.1\r\nHost: edge\r\nX-Write-Key: ${WRITE_KEY}\r\nContent-Type: application/x-ndjson\r\n`,
    )
    last.write(`Content-Length: ${body.length}\r\n\r\n${body.slice(0, 9)}`)
    idle.write('GET /health HTTP/1.1\r\nHost: edge\r\n\r\n')
    await once(idle, 'data')
    await eventually('the request is in flight', 10_000, async () => {
      const metrics = await (await fetch(`${url}/metrics`, { headers: { connection: 'close' } })).text()
      return /^streamforge_ingest_bytes_in_flight\{component="edge"\} [1-9]/m.test(metrics)
    })

    process.child.kill('SIGTERM')
    await Promise.all([once(idle, 'close'), live.text()])
    const answered = once(last, 'data')
    last.write(body.slice(9))
    expect(String((await answered)[0])).toMatch(/^HTTP\/1\.1 202 [\s\S]*"accepted":1/)
    expect([await process.ended(30_000), process.err]).toEqual([0, ''])
    await expect(fetch(`${url}/health`)).rejects.toThrow()
  })
})

async function connected(url: string): Promise<Socket> {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname).setEncoding('utf8')
  await once(socket, 'connect')
  return socket.on('error', () => undefined)
}

const PARTITIONS = Array.from({ length: topicNamed(CLICKSTREAM).partitions }, (_, partition) => ({
  topic: CLICKSTREAM,
  partition,
}))

/** Where the partitions of the clicks end. */
async function ends(): Promise<number[]> {
  log ??= await openKafkaLog({ brokers: kafka.brokers, clientId: 'conformance' })
  return Promise.all(PARTITIONS.map(async (at) => (await log!.bounds(at)).next))
}

const recordsInLog = async (): Promise<number> => (await ends()).reduce((sum, next) => sum + next, 0)

async function recordsSince(before: readonly number[]): Promise<LogRecord[]> {
  const now = await ends()
  const grown = PARTITIONS.filter(({ partition }) => now[partition]! > before[partition]!)
  return (await Promise.all(grown.map((at) => log!.read(at, before[at.partition]!, 100)))).flat()
}
