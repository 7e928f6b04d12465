/** Write keys from end to end, without a database: made by an operator, known at once, for the pages and the number of events they are for, and revoked. */
import { describe, expect, it } from 'vitest'
import { keyMaker } from '../../runtime/key-maker.ts'
import { createHarness, type Harness, NOW, WRITE_KEY } from '../../testing/harness.ts'
import { claimedId } from './key-text.ts'
import { createQuotas } from './quota.ts'
import { BUILT_IN, createWriteKeys } from './write-keys.ts'

const SHOP = 'https://shop.example'
const click = JSON.stringify({ event_type: 'page_view', user_id: 'u' })

interface Made {
  id: string
  key: string
}

async function ask(
  edge: Harness,
  method: string,
  path: string,
  body?: object,
  role = 'operator' as 'operator' | 'viewer',
) {
  return edge.app.request(`/api/v1${path}`, {
    method,
    headers: { ...(await edge.as(role)), 'content-type': 'application/json' },
    ...(body && { body: JSON.stringify(body) }),
  })
}

async function make(edge: Harness, body: object): Promise<Made> {
  const response = await ask(edge, 'POST', '/write-keys', body)
  expect(response.status).toBe(201)
  expect(response.headers.get('cache-control')).toBe('no-store')
  return ((await response.json()) as { data: Made }).data
}

const send = async (edge: Harness, key: string, headers: Record<string, string> = {}, body = click) =>
  edge.app.request('/api/v1/events', {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/json', 'x-write-key': key, ...headers },
  })

describe('write keys', () => {
  it('hold as soon as they are made, until they are revoked; the list has no secret', async () => {
    const edge = await createHarness()
    const { id, key } = await make(edge, { name: 'shop' })
    expect(key.startsWith(`${id}_`)).toBe(true)
    expect((await send(edge, key)).status).toBe(202)
    const list = await (await ask(edge, 'GET', '/write-keys')).text()
    expect(list).toContain(`"id":"${id}","name":"shop","origins":null`)
    for (const secret of [key, key.slice(id.length + 1), WRITE_KEY]) expect(list).not.toContain(secret)
    expect((await ask(edge, 'DELETE', `/write-keys/${id}`)).status).toBe(204)
    expect((await send(edge, key)).status).toBe(401)
    expect((await ask(edge, 'DELETE', `/write-keys/${id}`)).status).toBe(404)
    const { data } = (await (await ask(edge, 'GET', '/write-keys?revoked=true')).json()) as { data: object[] }
    expect(data).toMatchObject([{ id: 'default' }, { id, revoked_by: 'the-operator' }])
    expect((await send(edge, WRITE_KEY)).status).toBe(202)
    expect((await ask(edge, 'DELETE', '/write-keys/default')).status).toBe(409)
  })

  it('are an operator’s business, and what can not be meant is refused with a sentence', async () => {
    const edge = await createHarness()
    for (const method of ['GET', 'POST'])
      expect(
        (await ask(edge, method, '/write-keys', method === 'POST' ? { name: 'x' } : undefined, 'viewer')).status,
      ).toBe(403)
    for (const body of [
      {},
      { name: '' },
      { name: 'a\u0000b' },
      { name: 'x', origins: ['shop.example'] },
      { name: 'x', origins: [`${SHOP}/`] },
      { name: 'x', origins: ['https://Shop.example'] },
      { name: 'x', origins: ['*'] },
      { name: 'x', events_per_minute: 0 },
      { name: 'x', events_per_minut: 5 },
    ]) {
      const response = await ask(edge, 'POST', '/write-keys', body)
      expect([response.status, body]).toEqual([400, body])
    }
  })

  it('are for the pages they name: others get 403 and no answer that they could read', async () => {
    const edge = await createHarness()
    const { key } = await make(edge, { name: 'shop', origins: [SHOP] })
    const from = async (origin: string, given = key) => send(edge, given, { origin })
    const own = await from(SHOP)
    expect([own.status, own.headers.get('access-control-allow-origin')]).toEqual([202, '*'])
    for (const origin of ['https://evil.example', 'null', `${SHOP}.evil.example`, 'http://shop.example']) {
      const other = await from(origin)
      expect([other.status, other.headers.get('access-control-allow-origin')]).toEqual([403, null])
    }
    expect((await send(edge, key)).status).toBe(202)
    expect((await from('https://evil.example', WRITE_KEY)).status).toBe(202)
    const none = (await make(edge, { name: 'server', origins: [] })).key
    expect((await from(SHOP, none)).status).toBe(403)
  })

  it('answer preflights by the key in the query, and without one for every page, since only the request itself brings it', async () => {
    const edge = await createHarness()
    const { key } = await make(edge, { name: 'shop', origins: [SHOP] })
    const preflight = async (origin: string, query = '') =>
      (
        await edge.app.request(`/api/v1/events${query}`, {
          method: 'OPTIONS',
          headers: { origin, 'access-control-request-method': 'POST' },
        })
      ).headers.get('access-control-allow-origin')
    expect(await preflight(SHOP, `?write_key=${key}`)).toBe('*')
    expect(await preflight('https://evil.example', `?write_key=${key}`)).toBe(null)
    expect(await preflight('https://evil.example')).toBe('*')
  })

  it('are refused to pages they are not for also where the key is in the body', async () => {
    const edge = await createHarness()
    const { key } = await make(edge, { name: 'shop', origins: [SHOP] })
    const body = JSON.stringify({ writeKey: key, event: 'E', userId: 'u' })
    const from = (origin: string) =>
      edge.app.request('/v1/track', { method: 'POST', body, headers: { origin, 'content-type': 'text/plain' } })
    expect((await from(SHOP)).status).toBe(200)
    const other = await from('https://evil.example')
    expect([other.status, other.headers.get('access-control-allow-origin')]).toEqual([403, null])
  })
})

describe('a quota', () => {
  it('answers 429 before the body is read, says when to come back, and lets others pass', async () => {
    const edge = await createHarness()
    const { key } = await make(edge, { name: 'small', events_per_minute: 60 })
    const many = JSON.stringify(Array.from({ length: 90 }, () => ({ event_type: 'page_view', user_id: 'u' })))
    const first = await send(edge, key)
    expect(first.headers.get('ratelimit-policy')).toBe('"events";q=60;w=60;qu="events"')
    expect(first.headers.get('ratelimit')).toBe('"events";r=59;t=1')
    // A request is taken whole, and what it took beyond has to come back first.
    expect((await send(edge, key, {}, many)).status).toBe(202)
    const refused = await send(edge, key, {}, 'never looked at')
    expect(refused.status).toBe(429)
    expect(await refused.json()).toMatchObject({ code: 'quota_exceeded' })
    expect(refused.headers.get('retry-after')).toBe('32')
    expect(refused.headers.get('ratelimit')).toBe('"events";r=0;t=91')
    expect((await send(edge, WRITE_KEY)).headers.get('ratelimit')).toBe(null)
    edge.clock.nowMs += 31_000
    expect((await send(edge, key)).status).toBe(429)
    edge.clock.nowMs += 1_000
    expect((await send(edge, key)).status).toBe(202)
  })

  it('gives no more than its events a minute on the average, whatever the requests', () => {
    const clock = { nowMs: NOW }
    const quotas = createQuotas({ now: () => clock.nowMs })
    const key = { ...BUILT_IN, id: 'wk_1', eventsPerMinute: 600 }
    let taken = 0
    for (let ms = 0; ms < 600_000; ms += 50) {
      clock.nowMs = NOW + ms
      if (!quotas.hasLeft(key)) continue
      const events = 1 + ((ms * 7) % 499)
      quotas.charge(key, events)
      taken += events
    }
    expect(taken).toBeGreaterThan(10 * 600)
    expect(taken).toBeLessThan(11 * 600 + 500)
    clock.nowMs -= 3_600_000
    quotas.charge(key, 1)
    expect(quotas.headers(key).ratelimit).toMatch(/^"events";r=\d+;t=\d+$/)
  })
})

describe('the known keys', () => {
  const row = (made: ReturnType<typeof keyMaker.make>) => ({
    ...{ id: made.id, hash: made.hash, name: 'n', origins: null, events_per_minute: null },
    ...{ requires_consent: false, created_at: NOW, created_by: 'a', revoked_at: null, revoked_by: null },
  })
  const quiet = { warn: () => {}, info: () => {} }

  it('go on to hold while the database is away, and are read anew when it is back', async () => {
    const made = keyMaker.make()
    let load = async () => [row(made)]
    let wake = () => {}
    let waiting = () => {}
    const sleep = () =>
      new Promise<void>((resolve) => {
        wake = resolve
        waiting()
      })
    const round = async () => {
      const isAsleep = new Promise<void>((resolve) => {
        waiting = resolve
      })
      wake()
      await isAsleep
    }
    const keys = createWriteKeys({
      builtIn: 'own',
      hash: keyMaker.hash,
      load: () => load(),
      clock: { sleep },
      logger: quiet,
    })
    await keys.refresh()
    keys.start()
    load = async () => Promise.reject(new Error('the database is away'))
    await round()
    expect(keys.find(made.text)?.id).toBe(made.id)
    load = async () => []
    await round()
    expect(keys.find(made.text)).toBe(null)
    expect(keys.find('own')).toBe(BUILT_IN)
    const closed = keys.close()
    wake()
    await closed
  })

  it('are what was asked last, whichever answer comes last', async () => {
    const made = keyMaker.make()
    const answers: ((rows: ReturnType<typeof row>[]) => void)[] = []
    const keys = createWriteKeys({
      builtIn: 'own',
      hash: keyMaker.hash,
      load: () => new Promise((resolve) => answers.push(resolve)),
      clock: { sleep: async () => {} },
      logger: quiet,
    })
    const [before, after] = [keys.refresh(), keys.refresh()]
    answers[1]!([])
    answers[0]!([row(made)])
    await Promise.all([before, after])
    expect(keys.find(made.text)).toBe(null)
  })

  it('are found by their whole text only', () => {
    const made = keyMaker.make()
    expect(claimedId(made.text)).toBe(made.id)
    expect(made.hash).toEqual(keyMaker.hash(made.text))
    const keys = createWriteKeys({
      builtIn: 'own',
      hash: keyMaker.hash,
      load: async () => [],
      clock: { sleep: async () => {} },
      logger: quiet,
    })
    for (const text of ['', 'ow', 'ownown', '__proto__', 'constructor', made.id, 'x'.repeat(100_000)])
      expect(keys.find(text)).toBe(null)
  })
})
