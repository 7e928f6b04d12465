/**
 * Who may call what: every route of the app, at both of its places, with every kind of credential there is, and with those that attackers make.
 *
 * The table below is written by hand, so that a change of who may do what is seen here; the routes come from the app and its document, so that a new one fails until it is in the table.
 */
import { generateKeyPairSync } from 'node:crypto'
import { sign } from 'hono/jwt'
import { beforeAll, describe, expect, it } from 'vitest'
import type { Role } from '../ports.ts'
import { createHarness, type Harness, JWT_SECRET, NOW, WRITE_KEY } from '../testing/harness.ts'
import { needsOf } from './policy.ts'

/** The least that lets one in. A role is that of an access token. */
const MAY = {
  anybody: [
    'GET /',
    'GET /docs',
    'GET /sf.js',
    'GET /openapi.json',
    'GET /health',
    'GET /health/pipelines',
    'GET /metrics',
    'POST /auth/login',
    'POST /auth/link',
    'POST /auth/refresh',
    'POST /auth/logout',
    'POST /iceberg/v1/oauth/tokens',
  ],
  writeKey: [
    'POST /events',
    'POST /orders',
    'POST /trips',
    'POST /v1/a',
    'POST /v1/alias',
    'POST /v1/b',
    'POST /v1/batch',
    'POST /v1/g',
    'POST /v1/group',
    'POST /v1/i',
    'POST /v1/identify',
    'POST /v1/import',
    'POST /v1/p',
    'POST /v1/page',
    'POST /v1/s',
    'POST /v1/screen',
    'POST /v1/t',
    'POST /v1/track',
  ],
  viewer: [
    'GET /auth/me',
    'GET /dead-letters',
    'GET /dead-letters/causes',
    'GET /dead-letters/{id}',
    'GET /events/{event_id}/status',
    'GET /features/{user_id}',
    'GET /fraud-alerts',
    'GET /fraud-alerts/{id}',
    // It asks what would be, and changes nothing.
    'POST /fraud-alerts/{id}/explain',
    'GET /live',
    'GET /metrics/daily',
    'GET /metrics/daily/conversion_funnel',
    'GET /metrics/daily/revenue_by_category',
    'GET /metrics/daily/top_regions',
    'GET /metrics/events_timeseries',
    'GET /metrics/funnel',
    'GET /metrics/overview',
    'GET /metrics/region/{region_id}',
    'GET /metrics/regions',
    'GET /metrics/revenue_timeseries',
    'GET /metrics/top_products',
    'GET /products/low_stock',
    'GET /products/price_changes',
    'GET /products/{id}',
    'GET /products/{id}/prices',
    'GET /products/{id}/stock',
    'GET /quality/history',
    'GET /quality/latest',
    'GET /reconciliation/latest',
    'GET /sessions/{user_id}',
    'GET /shop_orders/{id}',
    'GET /schema-registry/config',
    'GET /schema-registry/config/{subject}',
    'GET /schema-registry/schemas/ids/{id}',
    'GET /schema-registry/schemas/ids/{id}/versions',
    'GET /schema-registry/schemas/types',
    'GET /schema-registry/subjects',
    'GET /schema-registry/subjects/{subject}/versions',
    'GET /schema-registry/subjects/{subject}/versions/{version}',
    // Questions about a schema that is too long for a URL.
    'POST /schema-registry/subjects/{subject}',
    'POST /schema-registry/compatibility/subjects/{subject}/versions/{version}',
    'GET /iceberg/v1/config',
    'GET /iceberg/v1/namespaces',
    'GET /iceberg/v1/namespaces/{namespace}',
    'GET /iceberg/v1/namespaces/{namespace}/tables',
    'GET /iceberg/v1/namespaces/{namespace}/tables/{table}',
    // A client tells how its scan went; nothing is stored.
    'POST /iceberg/v1/namespaces/{namespace}/tables/{table}/metrics',
  ],
  operator: [
    'POST /dead-letter-replays',
    'POST /fraud-alerts/{id}/review',
    'GET /write-keys',
    'POST /write-keys',
    'DELETE /write-keys/{id}',
    'PUT /schema-registry/config',
    'PUT /schema-registry/config/{subject}',
    'POST /schema-registry/subjects/{subject}/versions',
    'DELETE /schema-registry/subjects/{subject}',
    'DELETE /schema-registry/subjects/{subject}/versions/{version}',
    'POST /iceberg/v1/namespaces',
    'POST /iceberg/v1/namespaces/{namespace}/properties',
    'POST /iceberg/v1/namespaces/{namespace}/tables',
    'POST /iceberg/v1/namespaces/{namespace}/tables/{table}',
    'POST /iceberg/v1/tables/rename',
    'POST /iceberg/v1/transactions/commit',
  ],
  admin: [
    'POST /auth/links',
    'GET /audit',
    'GET /privacy/erasures',
    'POST /privacy/erasures',
    'GET /privacy/erasures/{id}',
    'GET /users',
    'POST /users',
    'PATCH /users/{username}',
    'DELETE /users/{username}',
    'DELETE /iceberg/v1/namespaces/{namespace}',
    'DELETE /iceberg/v1/namespaces/{namespace}/tables/{table}',
  ],
} as const
type Least = keyof typeof MAY

const LEAST = new Map<string, Least>(
  Object.entries(MAY).flatMap(([least, routes]) => routes.map((route) => [route, least as Least] as const)),
)
const RANK: Record<Role, number> = { viewer: 1, operator: 2, admin: 3 }

interface Credential {
  headers: Record<string, string>
  role?: Role
  isWriteKey?: boolean
}

const page = { body: new Uint8Array([1]), contentType: 'text/html', immutable: false }
const assets = new Map(['/', '/docs', '/sf.js'].map((path) => [path, page]))
let edge: Harness
let credentials: Record<string, Credential>
/** `METHOD /path/{parameter}`, without /api/v1. */
let routes: string[]

beforeAll(async () => {
  edge = await createHarness({ assets })
  credentials = await everyCredential(edge)
  routes = await everyRoute(edge)
})

describe('the table of who may do what', () => {
  it('names every route of the app and its document, and no other', () => {
    expect([...LEAST.keys()].sort()).toEqual(routes)
  })

  it('is what the policy says, where the policy decides', () => {
    for (const [route, least] of LEAST) {
      const [method = '', path = ''] = route.split(' ')
      if (assets.has(path) || /^\/(schema-registry|iceberg)\//.test(path)) continue
      const needs = least === 'anybody' || least === 'writeKey' ? 'nobody' : least
      expect([route, needsOf(method, path)]).toEqual([route, needs])
    }
  })
})

describe('a route lets in whom the table says, and nobody else', () => {
  it.each([
    ['none'],
    ['write key'],
    ['write key as a token'],
    ['viewer'],
    ['operator'],
    ['admin'],
    ['expired'],
    ['alg none'],
    ['alg none, signature kept'],
    ['another key'],
    ['payload changed'],
    ['no signature'],
    ['signed by RS256'],
    ['RS256 in the header, our secret as the key'],
    ['HS512 with our secret'],
    ['another issuer'],
    ['a role that is none'],
    ['in the query'],
  ])('%s', async (name) => {
    const credential = credentials[name]!
    const wrong: string[] = []
    for (const route of routes) {
      for (const base of placesOf(route)) {
        const status = await statusOf(base, route, credential, name === 'in the query')
        const [got, wanted] = [classOf(status), wantedOf(LEAST.get(route)!, credential)]
        if (got !== wanted) wrong.push(`${base} ${route}: ${status} instead of ${wanted}`)
      }
    }
    expect(wrong).toEqual([])
  })

  it('gives by HEAD what GET gives, and by a method that a path has not nothing at all', async () => {
    for (const route of routes.filter((r) => r.startsWith('GET '))) {
      const head = route.replace('GET', 'HEAD')
      const least = LEAST.get(route)!
      expect([head, classOf(await statusOf('', head, { headers: {} }))]).toEqual([
        head,
        wantedOf(least, { headers: {} }),
      ])
    }
    for (const path of ['/users', '/audit', '/auth/links', '/write-keys'])
      for (const method of ['PUT', 'PATCH', 'PROPFIND'])
        expect([path, method, await statusOf('', `${method} ${path}`, { headers: {} })]).toEqual([path, method, 405])
  })

  it('is found by no other spelling of its path without a token', async () => {
    for (const path of [
      '//users',
      '/users/',
      '/Users',
      '/%75sers',
      '/api/v1//users',
      '/api/v1/api/v1/users',
      '/./users',
      '/x/../users',
      '/users;a=b',
      '/users%2f',
    ])
      expect([path, classOf(await statusOf('', `GET ${path}`, { headers: {} }))]).toEqual([path, '401'])
  })
})

const classOf = (status: number): string => (status === 401 || status === 403 ? String(status) : 'let in')

function wantedOf(least: Least, { role, isWriteKey = false }: Credential): string {
  if (least === 'anybody') return 'let in'
  if (least === 'writeKey') return isWriteKey ? 'let in' : '401'
  if (!role) return '401'
  return RANK[role] >= RANK[least] ? 'let in' : '403'
}

/** Assets are at the bare path alone. */
const placesOf = (route: string): string[] => (assets.has(route.split(' ')[1]!) ? [''] : ['', '/api/v1'])

async function statusOf(base: string, route: string, { headers }: Credential, isInQuery = false): Promise<number> {
  const [method = '', path = ''] = route.split(' ')
  const hasBody = !['GET', 'HEAD', 'DELETE'].includes(method)
  const query = isInQuery ? `?access_token=${headers.token}` : ''
  const response = await edge.app.request(`http://127.0.0.1:8080${base}${path.replaceAll(/\{(\w+)\}/g, 'x')}${query}`, {
    method,
    headers: { 'content-type': 'application/json', ...(isInQuery ? {} : headers) },
    ...(hasBody && { body: '{}' }),
  })
  await response.body?.cancel()
  return response.status
}

async function everyRoute({ app, get }: Harness): Promise<string[]> {
  const served = app.routes
    .filter(({ method }) => method !== 'ALL')
    .map(({ method, path }) => `${method} ${path.replace(/^\/api\/v1(?=\/)/, '').replaceAll(/:(\w+)/g, '{$1}')}`)
  const { paths } = (await (await get('/openapi.json')).json()) as { paths: Record<string, object> }
  const documented = Object.entries(paths).flatMap(([path, operations]) =>
    Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
  )
  return [...new Set([...served, ...documented, ...[...assets.keys()].map((path) => `GET ${path}`)])].sort()
}

async function everyCredential({ tokens }: Harness): Promise<Record<string, Credential>> {
  const seconds = NOW / 1000
  const claims = { sub: 'eve', role: 'admin', iss: 'streamforge', iat: seconds, exp: seconds + 600 }
  const bearer = (token: string): Credential => ({ headers: { authorization: `Bearer ${token}` } })
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const admin = await sign(claims, JWT_SECRET, 'HS256')
  const [header, payload, signature] = (await tokens.issue({ username: 'eve', role: 'viewer' })).split('.')
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const rsa = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  const changed = { ...JSON.parse(Buffer.from(payload!, 'base64url').toString()), role: 'admin' }
  const hmac = async (head: object, hash: string) => {
    const text = `${part(head)}.${part(claims)}`
    const key = await crypto.subtle.importKey('raw', Buffer.from(JWT_SECRET), { name: 'HMAC', hash }, false, ['sign'])
    const mac = await crypto.subtle.sign('HMAC', key, Buffer.from(text))
    return `${text}.${Buffer.from(mac).toString('base64url')}`
  }
  const as = async (role: Role): Promise<Credential> => ({
    ...bearer(await tokens.issue({ username: `the-${role}`, role })),
    role,
  })
  return {
    none: { headers: {} },
    'write key': { headers: { 'x-write-key': WRITE_KEY }, isWriteKey: true },
    'write key as a token': { ...bearer(WRITE_KEY), isWriteKey: true },
    viewer: await as('viewer'),
    operator: await as('operator'),
    admin: await as('admin'),
    expired: bearer(await sign({ ...claims, exp: seconds }, JWT_SECRET, 'HS256')),
    'alg none': bearer(`${part({ alg: 'none', typ: 'JWT' })}.${part(claims)}.`),
    'alg none, signature kept': bearer(`${part({ alg: 'none', typ: 'JWT' })}.${admin.split('.').slice(1).join('.')}`),
    'another key': bearer(await sign(claims, 'another secret of more than thirty-two bytes', 'HS256')),
    'payload changed': bearer(`${header}.${part(changed)}.${signature}`),
    'no signature': bearer(`${admin.split('.').slice(0, 2).join('.')}.`),
    'signed by RS256': bearer(await sign(claims, rsa, 'RS256')),
    'RS256 in the header, our secret as the key': bearer(await hmac({ alg: 'RS256', typ: 'JWT' }, 'SHA-256')),
    'HS512 with our secret': bearer(await sign(claims, JWT_SECRET, 'HS512')),
    'another issuer': bearer(await sign({ ...claims, iss: 'elsewhere' }, JWT_SECRET, 'HS256')),
    'a role that is none': bearer(await sign({ ...claims, role: 'root' }, JWT_SECRET, 'HS256')),
    // Addresses end up in logs: none is taken from there.
    'in the query': { headers: { token: admin } },
  }
}
