/** The edge as it runs: a real port, PostgreSQL, the log, registry and features in folders. */
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { openEmbeddedFeatures } from '../db/features/embedded.ts'
import type { FeatureStore } from '../db/features/feature-store.ts'
import { Secret } from '../db/secret.ts'
import { withPostgres } from '../db/testing/postgres.ts'
import { createLogger } from '../observability/log.ts'
import { CLICKSTREAM } from '../streams/contract/topics.ts'
import { type EmbeddedLog, openEmbeddedLog } from '../streams/log/embedded.ts'
import { type EmbeddedRegistry, openEmbeddedRegistry } from '../streams/log/embedded-registry.ts'
import { systemClock } from '../streams/time/clock.ts'
import { createTokens } from './auth/tokens.ts'
import { type Edge, type EdgeOptions, startEdge } from './main.ts'

const JWT_SECRET = 'a secret of at least thirty-two bytes'
const postgres = withPostgres()
let folder: string
let log: EmbeddedLog
let registry: EmbeddedRegistry
let features: FeatureStore
const running: Edge[] = []

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'streamforge-edge-'))
  log = await openEmbeddedLog({ folder: join(folder, 'log') })
  registry = openEmbeddedRegistry(join(folder, 'registry'))
  features = await openEmbeddedFeatures(join(folder, 'features'))
})
afterEach(async () => {
  for (const edge of running.splice(0)) await edge.close()
})
afterAll(async () => {
  await Promise.all([log.close(), registry.close(), features.close()])
  await rm(folder, { recursive: true, force: true })
})

async function start(over: Partial<EdgeOptions> = {}, config: Partial<EdgeOptions['config']> = {}): Promise<Edge> {
  const { sql } = await postgres.database()
  const edge = await startEdge({
    config: { host: '127.0.0.1', port: 0, currency: 'TRY', corsOrigins: [], adminPassword: null, ...config },
    secrets: { writeKey: new Secret('wk_test'), jwtSecret: new Secret(JWT_SECRET) },
    version: '1.2.3',
    logger: createLogger({ level: 'silent', component: 'edge' }),
    log,
    registry,
    features,
    sql,
    ...over,
  })
  running.push(edge)
  return edge
}

/** As a viewer. */
async function read(edge: Edge, path: string): Promise<Response> {
  const token = await createTokens(JWT_SECRET, systemClock).issue({ username: 'vera', role: 'viewer' })
  return fetch(edge.url + path, { headers: { authorization: `Bearer ${token}` } })
}

const send = (edge: Edge, event: object) =>
  fetch(`${edge.url}/api/v1/events`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-write-key': 'wk_test' },
    body: JSON.stringify(event),
  })
const click = (id: string) => ({ event_id: id, event_type: 'page_view', user_id: 'u-1' })

describe('a started edge', () => {
  it('takes an event into the log and serves pages, numbers and documentation', async () => {
    const edge = await start()
    const before = await recordsInLog()
    expect((await send(edge, click('e-1'))).status).toBe(202)
    expect(await recordsInLog()).toBe(before + 1)

    for (const path of [
      '/',
      '/docs',
      '/openapi.json',
      '/health',
      '/health/pipelines',
      '/metrics',
      '/metrics/overview',
      '/metrics/events_timeseries',
      '/metrics/revenue_timeseries',
      '/metrics/top_products',
      '/fraud-alerts',
    ]) {
      const response = await read(edge, path)
      expect([path, response.status]).toEqual([path, 200])
    }
    for (const path of ['/features/nobody', '/sessions/nobody', '/fraud-alerts/none', '/metrics/region/none']) {
      expect([path, (await read(edge, path)).status]).toEqual([path, 404])
    }
    expect((await read(edge, '/fraud-alerts?cursor=broken')).status).toBe(400)
  })

  it('serves every script and style that its pages name', async () => {
    const edge = await start()
    for (const page of ['/', '/docs']) {
      const html = await (await fetch(edge.url + page)).text()
      const files = [...html.matchAll(/(?:src|href)="(\/assets\/[^"]+|\/favicon\.svg)"/g)].map((m) => m[1]!)
      expect(files.length).toBeGreaterThan(2)
      for (const file of files) {
        const response = await fetch(edge.url + file)
        expect([file, response.status]).toEqual([file, 200])
        expect((await response.arrayBuffer()).byteLength).toBeGreaterThan(100)
      }
    }
  })

  it('makes the first account once and lets it sign in', async () => {
    const { sql } = await postgres.database()
    const first = await start({ sql })
    expect(first.firstLogin).toMatchObject({ username: 'admin' })
    const signIn = await fetch(`${first.url}/api/v1/auth/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(first.firstLogin),
    })
    expect(await signIn.json()).toMatchObject({ data: { token_type: 'Bearer', role: 'admin' } })
    expect((await start({ sql })).firstLogin).toBeNull()
  })

  it('says in a sentence that its port is taken, and makes no account then', async () => {
    const other = createServer()
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
    const { port } = other.address() as { port: number }
    const { sql } = await postgres.database()
    await expect(start({ sql }, { port })).rejects.toThrow(
      `Port ${port} is in use already. Stop what listens there, or choose another port: --port ${port + 1}.`,
    )
    expect(await sql`SELECT 1 FROM users`).toHaveLength(0)
    await new Promise((resolve) => other.close(resolve))
  })

  it('answers 431 or 400 to what is no request, and lives on', async () => {
    const edge = await start()
    const huge = await fetch(`${edge.url}/health`, { headers: { x: 'y'.repeat(20_000) } })
    expect(huge.status).toBe(431)
    expect((await fetch(`${edge.url}/health`)).status).toBe(200)
  })
})

describe('a closing edge', () => {
  it('lets a request in flight finish, ends live streams, and then takes no more', async () => {
    const held = gate()
    const appending = gate()
    const edge = await start({
      log: {
        ...log,
        append: async (records) => {
          appending.open()
          await held.passed
          return log.append(records)
        },
      },
    })
    const live = await read(edge, '/api/v1/live')
    const reader = live.body!.pipeThrough(new TextDecoderStream()).getReader()
    let text = ''
    while (!text.includes('event: snapshot')) text += (await reader.read()).value ?? ''
    const answer = send(edge, click('in-flight'))
    await appending.passed

    const closing = edge.close()
    while (!(await reader.read()).done);
    held.open()
    expect(await (await answer).json()).toEqual({ accepted: 1, duplicates: 0, rejected: [] })
    await closing
    await expect(send(edge, click('too-late'))).rejects.toThrow()
  })
})

function gate() {
  let open: () => void = () => undefined
  const passed = new Promise<void>((resolve) => {
    open = resolve
  })
  return { passed, open }
}

async function recordsInLog(): Promise<number> {
  const partitions = await Promise.all([0, 1, 2, 3].map((partition) => log.bounds({ topic: CLICKSTREAM, partition })))
  return partitions.reduce((sum, { next }) => sum + next, 0)
}
