import { sign } from 'hono/jwt'
import type { JWTPayload } from 'hono/utils/jwt/types'
import { describe, expect, it } from 'vitest'
import { createHarness, memoryUsers, NOW } from '../testing/harness.ts'
import { quickHash } from '../testing/quick-hash.ts'
import { ADMIN, ensureAdmin } from './admin.ts'
import { verifyPassword } from './password.ts'
import { createRateLimit } from './rate-limit.ts'
import { ACCESS_SECONDS, createTokens } from './tokens.ts'

const PASSWORD = 'correct horse battery staple'
const hash = await quickHash(PASSWORD)
const viewer = { username: 'vera', password_hash: hash, role: 'viewer' as const }
const login = (username: string, password: unknown) => ({ username, password })

async function signIn(
  edge: Awaited<ReturnType<typeof createHarness>>,
  value: unknown,
  headers: Record<string, string> = {},
) {
  return edge.app.request('/api/v1/auth/login', {
    method: 'POST',
    body: typeof value === 'string' ? value : JSON.stringify(value),
    headers: { 'content-type': 'application/json', ...headers },
  })
}

describe('signing in', () => {
  it('gives an access token that names the user and the role, for a time', async () => {
    const edge = await createHarness({ users: memoryUsers(viewer) })
    const response = await signIn(edge, login('vera', PASSWORD))
    expect(response.status).toBe(200)
    expect(response.headers.get('cache-control')).toBe('no-store')
    const { data } = (await response.json()) as { data: { access_token: string } }
    expect(data).toMatchObject({ token_type: 'Bearer', expires_in: ACCESS_SECONDS, role: 'viewer' })
    expect(await edge.tokens.identify(data.access_token)).toMatchObject({ username: 'vera', role: 'viewer' })
    edge.clock.nowMs += ACCESS_SECONDS * 1000
    expect(await edge.tokens.identify(data.access_token)).toBeNull()
  })

  it('says the same to a wrong password and an unknown user', async () => {
    const edge = await createHarness({ users: memoryUsers(viewer) })
    const answers = [await signIn(edge, login('vera', 'wrong')), await signIn(edge, login('nobody', PASSWORD))]
    expect(answers.map((a) => a.status)).toEqual([401, 401])
    expect(await answers[0]!.text()).toBe(await answers[1]!.text())
  })

  it('limits tries per user and address, tells how long to wait, and does not count good ones', async () => {
    const edge = await createHarness({ users: memoryUsers(viewer) })
    for (let i = 0; i < 8; i++) expect((await signIn(edge, login('vera', PASSWORD))).status).toBe(200)
    for (let i = 0; i < 5; i++) expect((await signIn(edge, login('vera', 'wrong'))).status).toBe(401)
    const refused = await signIn(edge, login('vera', PASSWORD))
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '60'])
    expect((await signIn(edge, login('other', 'wrong'))).status).toBe(401)
    edge.clock.nowMs += 60_000
    expect((await signIn(edge, login('vera', PASSWORD))).status).toBe(200)
  })

  it.each([
    ['{', 400],
    ['', 400],
    ['null', 400],
    [login('vera', 1), 400],
    [{ username: 'vera' }, 400],
    [login('a\0b', 'x'), 401],
    [login('vera', 'x'.repeat(10_000)), 413],
  ])('refuses %j', async (value, status) => {
    const edge = await createHarness({ users: memoryUsers(viewer) })
    const response = await signIn(edge, value)
    expect(response.status).toBe(status)
    expect(response.headers.get('content-type')).toBe('application/problem+json')
  })

  it('refuses a form', async () => {
    const edge = await createHarness()
    expect((await signIn(edge, 'username=a', { 'content-type': 'application/x-www-form-urlencoded' })).status).toBe(415)
  })
})

describe('tokens', () => {
  const tokens = createTokens('the secret of this test, 32 bytes long', { now: () => NOW })
  const claims = { sub: 'eve', role: 'admin', iss: 'streamforge', exp: NOW / 1000 + 60 }

  it('are accepted with our own algorithm and secret alone', async () => {
    const secret = 'the secret of this test, 32 bytes long'
    expect(await tokens.identify(await sign(claims, secret, 'HS256'))).toMatchObject({ username: 'eve', role: 'admin' })
    expect(await tokens.identify(await sign(claims, 'another secret that is long enough', 'HS256'))).toBeNull()
    expect(await tokens.identify(await sign(claims, secret, 'HS512'))).toBeNull()
    const [, payload] = (await sign(claims, secret, 'HS256')).split('.')
    expect(await tokens.identify(`${btoa('{"alg":"none","typ":"JWT"}').replace(/=+$/, '')}.${payload}.`)).toBeNull()
  })

  it.each([
    [{ ...claims, exp: NOW / 1000 }],
    [{ ...claims, exp: 'never' }],
    [{ ...claims, role: 'god' }],
    [{ ...claims, sub: 7 }],
    [{ ...claims, iss: 'elsewhere' }],
  ])('are refused with claims %j', async (odd) => {
    expect(
      await tokens.identify(await sign(odd as JWTPayload, 'the secret of this test, 32 bytes long', 'HS256')),
    ).toBeNull()
  })
})

describe('reading', () => {
  it('needs a token, also on loopback, except what must be open', async () => {
    const asset = { body: new Uint8Array([1]), contentType: 'text/html', immutable: false }
    const edge = await createHarness({ assets: new Map([['/', asset]]) })
    const statusOf = async (path: string, headers: Record<string, string>) =>
      (await edge.app.request(`http://127.0.0.1:8080${path}`, { headers })).status
    for (const path of ['/metrics/overview', '/features/u', '/fraud-alerts', '/api/v1/live', '/unknown']) {
      expect([path, await statusOf(path, {})]).toEqual([path, 401])
      expect([path, await statusOf(path, { authorization: 'Bearer nonsense' })]).toEqual([path, 401])
    }
    expect(await statusOf('/metrics/overview', await edge.as('viewer'))).toBe(200)
    for (const path of ['/', '/health', '/health/pipelines', '/metrics', '/api/v1/metrics', '/openapi.json'])
      expect([path, await statusOf(path, {})]).toEqual([path, 200])
    expect((await edge.json('/events', { event_type: 'custom', user_id: 'u' })).status).toBe(202)
  })
})

describe('the first account', () => {
  const clock = { now: () => NOW }
  it('is made once, with a made-up password that is told once', async () => {
    const users = memoryUsers()
    const first = await ensureAdmin(users, null, clock)
    expect(first).toMatchObject({ username: ADMIN, password: expect.stringMatching(/^[a-zA-Z0-9]{24}$/) })
    expect(await ensureAdmin(users, null, clock)).toBeNull()
    const admin = await users.find(ADMIN)
    expect(admin!.role).toBe('admin')
    expect(await verifyPassword(first!.password, admin!.password_hash)).toBe(true)
  })

  it('takes the password that is configured, also later, and does not tell it', async () => {
    const users = memoryUsers()
    expect(await ensureAdmin(users, 'first one', clock)).toBeNull()
    expect(await ensureAdmin(users, 'second one', clock)).toBeNull()
    expect(await verifyPassword('second one', (await users.find(ADMIN))!.password_hash)).toBe(true)
    await expect(ensureAdmin(users, 'x'.repeat(73), clock)).rejects.toThrow('72 bytes')
  })

  it('stays removed while there is another admin, unless a password for it is given', async () => {
    const users = memoryUsers({ username: 'ada', password_hash: hash, role: 'admin' })
    expect(await ensureAdmin(users, null, clock)).toBeNull()
    expect(await users.find(ADMIN)).toBeNull()
    expect(await ensureAdmin(users, 'given', clock)).toBeNull()
    expect(await users.find(ADMIN)).toMatchObject({ role: 'admin' })
    expect(users.audit).toMatchObject([{ action: 'user.create', target: ADMIN, by: { username: 'start' } }])
  })
})

describe('a rate limit', () => {
  it('forgets the oldest key beyond its bound', () => {
    const limit = createRateLimit({ triesMax: 1, windowMs: 1000, keysMax: 2 })
    expect([limit.take('a', 0), limit.take('a', 400)]).toEqual([0, 600])
    limit.take('b', 0)
    limit.take('c', 0)
    expect(limit.size).toBe(2)
    expect(limit.take('a', 500)).toBe(0)
  })
})
