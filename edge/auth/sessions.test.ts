/** Sessions, login links and accounts as a client of the API meets them. */
import { describe, expect, it } from 'vitest'
import { createHarness, type Harness, memoryUsers } from '../testing/harness.ts'
import { quickHash } from '../testing/quick-hash.ts'
import { LINK_SECONDS, REFRESH_SECONDS } from './sessions.ts'
import { ACCESS_SECONDS } from './tokens.ts'

const PASSWORD = 'correct horse battery staple'
const password_hash = await quickHash(PASSWORD)
const people = () =>
  memoryUsers({ username: 'root', password_hash, role: 'admin' }, { username: 'vera', password_hash, role: 'viewer' })

interface Answer {
  status: number
  data: Record<string, string>
  detail: string
}

async function call(edge: Harness, method: string, path: string, body?: unknown, headers = {}): Promise<Answer> {
  const response = await edge.app.request(`/api/v1${path}`, {
    method,
    headers: { 'content-type': 'application/json', ...headers },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
  const text = await response.text()
  const { data = {}, detail = '' } = text === '' ? {} : JSON.parse(text)
  return { status: response.status, data, detail }
}
const login = async (edge: Harness, username = 'vera', password = PASSWORD) =>
  call(edge, 'POST', '/auth/login', { username, password })
const refresh = (edge: Harness, refresh_token: string | undefined) =>
  call(edge, 'POST', '/auth/refresh', { refresh_token })

describe('a session', () => {
  it('is a short access token, and a refresh token that is exchanged for the next', async () => {
    const edge = await createHarness({ users: people() })
    const first = await login(edge)
    expect(first.data).toEqual({
      access_token: expect.any(String),
      token_type: 'Bearer',
      expires_in: ACCESS_SECONDS,
      refresh_token: expect.stringMatching(/^[\w-]{43}$/),
      refresh_expires_in: REFRESH_SECONDS,
      role: 'viewer',
      username: 'vera',
    })
    edge.clock.nowMs += ACCESS_SECONDS * 1000
    const me = (token: string) => call(edge, 'GET', '/auth/me', undefined, { authorization: `Bearer ${token}` })
    expect((await me(first.data.access_token!)).status).toBe(401)
    const second = await refresh(edge, first.data.refresh_token)
    expect(second.status).toBe(200)
    expect(await me(second.data.access_token!)).toMatchObject({
      status: 200,
      data: { username: 'vera', role: 'viewer' },
    })
    edge.clock.nowMs += REFRESH_SECONDS * 1000
    expect((await refresh(edge, second.data.refresh_token)).status).toBe(401)
  })

  it('is ended for the thief and for the owner where a token is exchanged twice', async () => {
    const edge = await createHarness({ users: people() })
    const stolen = (await login(edge)).data.refresh_token
    const thief = await refresh(edge, stolen)
    expect(thief.status).toBe(200)
    expect(await refresh(edge, stolen)).toMatchObject({ status: 401, detail: expect.stringContaining('used already') })
    expect((await refresh(edge, thief.data.refresh_token)).status).toBe(401)
    expect((await login(edge)).status).toBe(200)
  })

  it('ends at a logout, which is content with whatever it is given', async () => {
    const edge = await createHarness({ users: people() })
    const { refresh_token } = (await login(edge)).data
    for (const token of [refresh_token, refresh_token, 'nonsense'])
      expect((await call(edge, 'POST', '/auth/logout', { refresh_token: token })).status).toBe(204)
    expect((await refresh(edge, refresh_token)).status).toBe(401)
    expect((await refresh(edge, '')).status).toBe(400)
    expect((await refresh(edge, undefined)).status).toBe(400)
  })

  it('has by its next exchange the role that the account has, and none where the account was changed or removed', async () => {
    const edge = await createHarness({ users: people() })
    const admin = await edge.as('admin')
    const sessions = [(await login(edge)).data.refresh_token, (await login(edge)).data.refresh_token]
    expect((await call(edge, 'PATCH', '/users/vera', { role: 'operator' }, admin)).status).toBe(204)
    expect((await refresh(edge, sessions[0])).status).toBe(401)
    const again = await login(edge)
    expect(again.data.role).toBe('operator')
    expect((await call(edge, 'DELETE', '/users/vera', undefined, admin)).status).toBe(204)
    expect((await refresh(edge, again.data.refresh_token)).status).toBe(401)
    expect((await login(edge)).status).toBe(401)
  })
})

describe('a login link', () => {
  it('signs in once, in time, with the role that it was made for', async () => {
    const edge = await createHarness({ users: people() })
    const make = (body: object) => edge.as('admin', 'cli:ada').then((h) => call(edge, 'POST', '/auth/links', body, h))
    const use = (code: string | undefined) => call(edge, 'POST', '/auth/link', { code })
    const { status, data } = await make({ role: 'operator' })
    expect([status, data]).toMatchObject([201, { role: 'operator', expires_in: LINK_SECONDS }])
    const begun = await use(data.code)
    expect(begun.data).toMatchObject({ username: 'cli:ada', role: 'operator' })
    expect((await use(data.code)).status).toBe(401)
    expect((await refresh(edge, begun.data.refresh_token)).data).toMatchObject({
      username: 'cli:ada',
      role: 'operator',
    })
    const late = await make({ role: 'viewer' })
    expect(late.data.role).toBe('viewer')
    edge.clock.nowMs += LINK_SECONDS * 1000
    expect(await use(late.data.code)).toMatchObject({
      status: 401,
      detail: expect.stringContaining('streamforge login-link'),
    })
  })
})

describe('accounts', () => {
  it('are made, listed, changed and removed by an admin', async () => {
    const users = people()
    const edge = await createHarness({ users })
    const admin = await edge.as('admin', 'root')
    const ada = { username: 'ada', password: 'a password of ada', role: 'operator' }
    expect(await call(edge, 'POST', '/users', ada, admin)).toMatchObject({
      status: 201,
      data: { username: 'ada', role: 'operator', created_at: '2026-01-31T12:00:00.000Z' },
    })
    expect((await call(edge, 'POST', '/users', ada, admin)).status).toBe(409)
    const { data } = await call(edge, 'GET', '/users?limit=2', undefined, admin)
    expect(data).toMatchObject([{ username: 'ada' }, { username: 'root', role: 'admin' }])
    expect(JSON.stringify(data)).not.toMatch(/hash|\$2/)
    expect((await call(edge, 'PATCH', '/users/ada', { password: 'another of hers' }, admin)).status).toBe(204)
    expect((await login(edge, 'ada', 'a password of ada')).status).toBe(401)
    expect((await login(edge, 'ada', 'another of hers')).status).toBe(200)
    expect((await call(edge, 'DELETE', '/users/ada', undefined, admin)).status).toBe(204)
    expect((await call(edge, 'DELETE', '/users/ada', undefined, admin)).status).toBe(404)
    expect((await call(edge, 'PATCH', '/users/ada', { role: 'viewer' }, admin)).status).toBe(404)
    expect(users.audit.map(({ action, target, by }) => [action, target, by.username])).toEqual([
      ['user.create', 'ada', 'root'],
      ['user.change', 'ada', 'root'],
      ['session.refuse', 'ada', 'ada'],
      ['session.begin', 'ada', 'ada'],
      ['user.remove', 'ada', 'root'],
    ])
    expect(JSON.stringify(users.audit)).not.toMatch(/password of ada|another of hers|\$2/)
  })

  it('keep their last admin', async () => {
    const edge = await createHarness({ users: people() })
    const admin = await edge.as('admin', 'root')
    for (const [method, body] of [['DELETE'], ['PATCH', { role: 'viewer' }]] as const)
      expect(await call(edge, method, '/users/root', body, admin)).toMatchObject({
        status: 409,
        detail: '"root" is the last admin. Make another account an admin first.',
      })
  })

  it.each([
    [{ username: 'Ada', password: PASSWORD }, /username: /],
    [{ username: 'a:b', password: PASSWORD }, /username: /],
    [{ username: '', password: PASSWORD }, /username: /],
    [{ username: 'ada', password: 'short' }, /password: /],
    [{ username: 'ada', password: 'ü'.repeat(37) }, /password: .*72 bytes/],
    [{ username: 'ada', password: PASSWORD, role: 'god' }, /role: /],
    [{ username: 'ada', password: PASSWORD, rank: 1 }, /rank/],
  ])('are refused with a sentence: %j', async (body, about) => {
    const edge = await createHarness()
    const { status, detail } = await call(edge, 'POST', '/users', body, await edge.as('admin'))
    expect([status, detail]).toEqual([400, expect.stringMatching(about)])
  })

  it('are changed in something', async () => {
    const edge = await createHarness({ users: people() })
    expect(await call(edge, 'PATCH', '/users/vera', {}, await edge.as('admin'))).toMatchObject({
      status: 400,
      detail: expect.stringContaining('a role, a password or both'),
    })
  })
})

describe('the audit log', () => {
  it('is an admin’s to read, by actor and by target', async () => {
    const edge = await createHarness({ users: people() })
    await login(edge)
    await call(edge, 'PATCH', '/users/vera', { role: 'operator' }, await edge.as('admin', 'root'))
    const read = async (query: string) =>
      (await call(edge, 'GET', `/audit${query}`, undefined, await edge.as('admin'))).data as unknown as object[]
    expect(await read('?target=vera')).toEqual([
      {
        id: 2,
        at: '2026-01-31T12:00:00.000Z',
        actor: 'root',
        action: 'user.change',
        target: 'vera',
        detail: { role: 'operator', was: 'viewer' },
        address: '192.0.2.1',
      },
      expect.objectContaining({ actor: 'vera', action: 'session.begin', detail: { with: 'password' } }),
    ])
    expect(await read('?actor=root')).toHaveLength(1)
    expect(await read('?limit=1')).toHaveLength(1)
  })
})
