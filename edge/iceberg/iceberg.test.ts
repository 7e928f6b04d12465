/** The REST catalog as HTTP clients meet it: access, errors, bodies and bounds, over a lake in a folder. */
import { beforeAll, describe, expect, it } from 'vitest'
import { openRestCatalog, parseJson } from '../../db/lake/rest/index.ts'
import { createMemoryCatalog, temporaryLakes } from '../../db/lake/testing/temporary-lake.ts'
import { CLIENT_SECONDS } from '../auth/tokens.ts'
import type { Role } from '../ports.ts'
import { createHarness, type Harness, memoryUsers, WRITE_KEY } from '../testing/harness.ts'
import { quickHash } from '../testing/quick-hash.ts'
import { ENDPOINTS } from './operations.ts'

const newLake = temporaryLakes()
const users = memoryUsers({ username: 'ada', password_hash: await quickHash('a long horse'), role: 'operator' })
const schema = { type: 'struct', fields: [{ id: 1, name: 'id', required: true, type: 'long' }] }
let edge: Harness
const tokens: Partial<Record<Role, string>> = {}

beforeAll(async () => {
  const lake = await newLake({ catalog: createMemoryCatalog() })
  edge = await createHarness({
    lake: { catalog: openRestCatalog(lake), clientDefaults: { 's3.region': 'eu-west-1' } },
    users,
    access: { users },
  })
  for (const role of ['viewer', 'operator', 'admin'] as const)
    tokens[role] = await edge.tokens.issue({ username: 'ada', role })
})

interface Answer {
  status: number
  body: unknown
}
async function call(method: string, path: string, body?: unknown, token = tokens.admin): Promise<Answer> {
  const response = await edge.app.request(`http://localhost/iceberg/v1${path}`, {
    method,
    headers: { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  })
  const text = await response.text()
  return { status: response.status, body: text === '' ? null : parseJson(text) }
}
const error = (code: number, type: string, message: unknown = expect.any(String)): Answer => ({
  status: code,
  body: { error: { message, type, code } },
})

describe('a client', () => {
  it('is told its defaults and every operation there is, and never a key', async () => {
    const { status, body } = await call('GET', '/config')
    expect(status).toBe(200)
    expect(body).toEqual({ defaults: { 's3.region': 'eu-west-1' }, overrides: {}, endpoints: ENDPOINTS })
    expect(ENDPOINTS).toContain('HEAD /v1/{prefix}/namespaces/{namespace}/tables/{table}')
    expect((await call('GET', '/config?warehouse=memory')).status).toBe(200)
    expect(await call('GET', '/config?warehouse=elsewhere')).toEqual(error(400, 'BadRequestException'))
  })

  it('makes, finds, commits to, renames and drops', async () => {
    expect((await call('POST', '/namespaces', { namespace: ['a', 'b'] })).status).toBe(200)
    expect(await call('GET', '/namespaces')).toMatchObject({ body: { namespaces: [['a']] } })
    expect(await call('GET', '/namespaces?parent=a')).toMatchObject({ body: { namespaces: [['a', 'b']] } })
    const made = await call('POST', '/namespaces/a%1Fb/tables', { name: 'ünïts', schema })
    expect(made).toMatchObject({
      status: 200,
      body: { 'metadata-location': expect.stringMatching(/^file:/), metadata: { 'format-version': 2 } },
    })
    const table = `/namespaces/a%1Fb/tables/${encodeURIComponent('ünïts')}`
    expect(await call('GET', table)).toMatchObject({ status: 200, body: { config: {} } })
    for (const [path, status] of [
      [table, 204],
      [`${table}x`, 404],
      ['/namespaces/a%1Fb', 204],
      ['/namespaces/a', 204],
      ['/namespaces/b', 404],
    ] as const)
      expect([path, (await call('HEAD', path)).status]).toEqual([path, status])
    const updates = [{ action: 'set-properties', updates: { a: 'b' } }]
    expect(await call('POST', table, { requirements: [], updates })).toMatchObject({
      status: 200,
      body: { metadata: { properties: { a: 'b' } } },
    })
    expect(await call('POST', `${table}/metrics`, { 'report-type': 'scan-report' })).toEqual({
      status: 204,
      body: null,
    })
    const identifier = { namespace: ['a', 'b'], name: 'ünïts' }
    expect(
      await call('POST', '/transactions/commit', { 'table-changes': [{ identifier, requirements: [], updates }] }),
    ).toEqual({ status: 204, body: null })
    expect(
      (await call('POST', '/tables/rename', { source: identifier, destination: { ...identifier, name: 'units' } }))
        .status,
    ).toBe(204)
    expect(await call('GET', '/namespaces/a%1Fb/tables?pageToken=&pageSize=1')).toMatchObject({
      body: { identifiers: [{ name: 'units' }], 'next-page-token': null },
    })
    expect(await call('DELETE', '/namespaces/a%1Fb')).toEqual(error(409, 'NamespaceNotEmptyException'))
    expect((await call('DELETE', '/namespaces/a%1Fb/tables/units?purgeRequested=True')).status).toBe(204)
    expect((await call('DELETE', '/namespaces/a%1Fb')).status).toBe(204)
  })

  it('reads snapshot ids of 63 bits as they are', async () => {
    const requirements = [{ type: 'assert-ref-snapshot-id', ref: 'main', 'snapshot-id': 'ID' }]
    await call('POST', '/namespaces', { namespace: ['ids'] })
    await call('POST', '/namespaces/ids/tables', { name: 't', schema })
    const body = JSON.stringify({ requirements, updates: [] }).replace('"ID"', '9223372036854775807')
    expect(await call('POST', '/namespaces/ids/tables/t', body)).toEqual(
      error(409, 'CommitFailedException', expect.stringContaining('was to be 9223372036854775807 and is none')),
    )
  })

  it.each([
    ['GET', '/namespaces/none/tables', undefined, 404, 'NoSuchNamespaceException'],
    ['GET', '/namespaces/none/tables/t', undefined, 404, 'NoSuchTableException'],
    ['POST', '/namespaces/none/tables/t', { requirements: [], updates: [] }, 404, 'NoSuchTableException'],
    ['POST', '/namespaces/none/tables', { name: 't', schema }, 404, 'NoSuchNamespaceException'],
    ['POST', '/namespaces', '{', 400, 'BadRequestException'],
    ['POST', '/namespaces', '', 400, 'BadRequestException'],
    ['POST', '/namespaces', 'null', 400, 'BadRequestException'],
    ['POST', '/namespaces', { namespace: 'a' }, 400, 'BadRequestException'],
    ['POST', '/namespaces', `{"namespace":["${'x'.repeat(2_000_000)}"]}`, 413, 'BadRequestException'],
    ['POST', '/namespaces', '['.repeat(100_000), 400, 'BadRequestException'],
    ['POST', '/namespaces', `${'['.repeat(9_000)}1234567890123456${']'.repeat(9_000)}`, 400, 'BadRequestException'],
    ['GET', '/namespaces?pageSize=0', undefined, 400, 'BadRequestException'],
    ['GET', '/namespaces?pageSize=x', undefined, 400, 'BadRequestException'],
    ['GET', '/namespaces?pageToken=%25%25', undefined, 400, 'BadRequestException'],
    ['GET', '/namespaces/%ff/tables', undefined, 404, 'NoSuchNamespaceException'],
    ['DELETE', '/namespaces/none/tables/t?purgeRequested=perhaps', undefined, 400, 'BadRequestException'],
    ['GET', '/views', undefined, 404, 'NoSuchEndpointException'],
    ['PUT', '/namespaces', {}, 405, 'UnsupportedOperationException'],
  ])('is answered in Iceberg’s form: %s %s', async (method, path, body, status, type) => {
    expect(await call(method, path, body)).toEqual(error(status, type))
    expect(edge.logged.filter(([level]) => level === 'error')).toEqual([])
  })

  it('is told 404 where an edge has no lake', async () => {
    const bare = await createHarness()
    const token = await bare.tokens.issue({ username: 'ada', role: 'viewer' })
    const response = await bare.app.request('http://localhost/iceberg/v1/namespaces', {
      headers: { authorization: `Bearer ${token}` },
    })
    expect([response.status, await response.json()]).toEqual([404, error(404, 'NoSuchEndpointException').body])
  })
})

describe('access', () => {
  const REQUESTS: [method: string, path: string, least: Role][] = [
    ['GET', '/config', 'viewer'],
    ['GET', '/namespaces', 'viewer'],
    ['GET', '/namespaces/x', 'viewer'],
    ['GET', '/namespaces/x/tables', 'viewer'],
    ['GET', '/namespaces/x/tables/t', 'viewer'],
    ['POST', '/namespaces/x/tables/t/metrics', 'viewer'],
    ['POST', '/namespaces', 'operator'],
    ['POST', '/namespaces/x/properties', 'operator'],
    ['POST', '/namespaces/x/tables', 'operator'],
    ['POST', '/namespaces/x/tables/t', 'operator'],
    ['POST', '/tables/rename', 'operator'],
    ['POST', '/transactions/commit', 'operator'],
    ['DELETE', '/namespaces/x', 'admin'],
    ['DELETE', '/namespaces/x/tables/t', 'admin'],
  ]

  it.each(REQUESTS)('%s %s takes the role %s or more', async (method, path, least) => {
    const roles = ['viewer', 'operator', 'admin'] as const
    const body = method === 'POST' ? '{' : undefined
    for (const token of ['', 'made.up.token', WRITE_KEY])
      expect(await call(method, path, body, token)).toEqual(error(401, 'NotAuthorizedException'))
    for (const role of roles) {
      const { status } = await call(method, path, body, tokens[role])
      if (roles.indexOf(role) < roles.indexOf(least)) expect([role, status]).toEqual([role, 403])
      else expect([role, [401, 403].includes(status)]).toEqual([role, false])
    }
  })

  it('covers every operation', async () => {
    expect(REQUESTS).toHaveLength(ENDPOINTS.filter((each) => !each.startsWith('HEAD')).length + 1)
  })

  it('is needed under /api/v1 as well, and ends with the token', async () => {
    expect((await edge.app.request('http://localhost/api/v1/iceberg/v1/namespaces')).status).toBe(401)
    const token = await edge.tokens.issue({ username: 'ada', role: 'viewer' })
    expect((await call('GET', '/namespaces', undefined, token)).status).toBe(200)
    edge.clock.nowMs += CLIENT_SECONDS * 1_000
    expect((await call('GET', '/namespaces', undefined, token)).status).toBe(401)
    edge.clock.nowMs -= CLIENT_SECONDS * 1_000
  })
})

describe('tokens for clients', () => {
  const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange'
  async function ask(
    form: Record<string, string>,
    authorization?: string,
    on = edge,
  ): Promise<Answer & { token: string }> {
    const response = await on.app.request('http://localhost/iceberg/v1/oauth/tokens', {
      method: 'POST',
      body: new URLSearchParams(form),
      ...(authorization && { headers: { authorization } }),
    })
    const body = (await response.json()) as { access_token?: string }
    return { status: response.status, body, token: body.access_token ?? '' }
  }
  const signIn = { grant_type: 'client_credentials', client_id: 'ada', client_secret: 'a long horse' }

  it('come for user and password, with the account’s role or less', async () => {
    const { status, body, token } = await ask({ ...signIn, scope: 'catalog' })
    expect([status, body]).toMatchObject([200, { token_type: 'bearer', expires_in: CLIENT_SECONDS }])
    expect(await edge.tokens.identify(token)).toMatchObject({ username: 'ada', role: 'operator' })
    const roleFor = async (scope: string) => (await edge.tokens.identify((await ask({ ...signIn, scope })).token))?.role
    expect(await roleFor('viewer')).toBe('viewer')
    expect(await roleFor('admin')).toBe('operator')
    const basic = await ask({ grant_type: 'client_credentials' }, `Basic ${btoa('ada:a long horse')}`)
    expect(basic.status).toBe(200)
  })

  it.each([
    [{ ...signIn, client_secret: 'wrong' }, 401, 'invalid_client'],
    [{ ...signIn, client_id: 'nobody' }, 401, 'invalid_client'],
    [{ grant_type: 'client_credentials', client_secret: WRITE_KEY }, 401, 'invalid_client'],
    [{ grant_type: 'password', username: 'ada' }, 400, 'unsupported_grant_type'],
    [{ grant_type: EXCHANGE, subject_token: 'made.up.token' }, 400, 'invalid_grant'],
    [{ a: '' }, 400, 'unsupported_grant_type'],
  ])('are refused for %j', async (form, status, why) => {
    expect(await ask(form)).toMatchObject({ status, body: { error: why, error_description: expect.any(String) } })
  })

  it('are exchanged while they are valid and the password is the same, and never for more rights', async () => {
    const changing = memoryUsers({ username: 'ada', password_hash: 'one', role: 'operator' })
    const known = await users.find('ada')
    await changing.change(
      'ada',
      { password_hash: known!.password_hash },
      { by: { username: 'root', address: null }, at: 0 },
    )
    const on = await createHarness({ lake: null, users: changing })
    const served = await createHarness({
      lake: { catalog: openRestCatalog(await newLake()), clientDefaults: {} },
      users: changing,
    })
    expect((await ask(signIn, undefined, on)).status).toBe(404)
    const { token } = await ask({ ...signIn, scope: 'viewer' }, undefined, served)
    const exchange = { grant_type: EXCHANGE, subject_token: token, scope: 'catalog' }
    served.clock.nowMs += (CLIENT_SECONDS - 60) * 1_000
    const renewed = await ask(exchange, `Bearer ${token}`, served)
    expect(renewed.status).toBe(200)
    served.clock.nowMs += 3_600_000
    expect(await served.tokens.identify(renewed.token)).toMatchObject({ role: 'viewer' })
    expect((await ask(exchange, undefined, served)).status, 'no longer valid').toBe(400)
    // A token of the dashboard's login is for a person, and ends by itself.
    const login = await served.tokens.issue({ username: 'ada', role: 'operator' })
    expect((await ask({ ...exchange, subject_token: login }, undefined, served)).status).toBe(400)
    await changing.change(
      'ada',
      { password_hash: await quickHash('another') },
      { by: { username: 'root', address: null }, at: 0 },
    )
    expect(
      (await ask({ ...exchange, subject_token: renewed.token }, undefined, served)).status,
      'another password',
    ).toBe(400)
  })

  it('are no way to guess passwords', async () => {
    const guessed = await createHarness({
      lake: { catalog: openRestCatalog(await newLake()), clientDefaults: {} },
      users,
    })
    for (let i = 0; i < 5; i++)
      expect((await ask({ ...signIn, client_secret: `guess ${i}` }, undefined, guessed)).status).toBe(401)
    const refused = await ask(signIn, undefined, guessed)
    expect(refused).toMatchObject({ status: 429, body: { error: 'invalid_client' } })
  })
})
