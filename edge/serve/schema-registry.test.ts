/** The schema registry as its clients meet it: answers, errors and access, over a real embedded registry. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type EmbeddedRegistry, openEmbeddedRegistry } from '../../streams/log/embedded-registry.ts'
import { createHarness, type Harness, memoryUsers, NOW, WRITE_KEY } from '../testing/harness.ts'
import { quickHash } from '../testing/quick-hash.ts'

const record = (...fields: object[]) => JSON.stringify({ type: 'record', name: 'Order', fields })
const id = { name: 'id', type: 'string' }
const note = { name: 'note', type: ['null', 'string'], default: null }
const amount = { name: 'amount', type: 'long' }

let folder: string
let schemas: EmbeddedRegistry
let edge: Harness
let admin: string
const passwords = await Promise.all(['right horse', 'staple'].map(quickHash))

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'streamforge-schemas-'))
  schemas = openEmbeddedRegistry(folder)
  const users = memoryUsers(
    { username: 'root', password_hash: passwords[0]!, role: 'admin' },
    { username: 'eve', password_hash: passwords[1]!, role: 'viewer' },
  )
  edge = await createHarness({ schemas, users })
  admin = `Bearer ${await edge.tokens.issue({ username: 'root', role: 'admin' })}`
})
afterEach(async () => {
  await schemas.close()
  rmSync(folder, { recursive: true })
})

interface Answer {
  status: number
  type: string | null
  body: unknown
}

async function call(
  method: string,
  path: string,
  body?: unknown,
  authorization: string | null = admin,
): Promise<Answer> {
  const response = await edge.app.request(`http://localhost/schema-registry${path}`, {
    method,
    headers: {
      'content-type': 'application/vnd.schemaregistry.v1+json',
      ...(authorization !== null && { authorization }),
    },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  })
  return {
    status: response.status,
    type: response.headers.get('content-type'),
    body: JSON.parse(await response.text()),
  }
}
const ok = (body: unknown) => ({ status: 200, type: 'application/vnd.schemaregistry.v1+json', body })
const error = (status: number, error_code: number, message: unknown = expect.any(String)) => ({
  status,
  type: 'application/vnd.schemaregistry.v1+json',
  body: { error_code, message },
})

describe('a subject', () => {
  it('takes schemas, and shows them by version, by id and by their text', async () => {
    expect(await call('POST', '/subjects/orders-value/versions', { schema: record(id) })).toEqual(ok({ id: 1 }))
    expect(await call('POST', '/subjects/orders-value/versions', { schema: record(id, note) })).toEqual(ok({ id: 2 }))
    expect(await call('POST', '/subjects/orders-value/versions', { schema: record(id) })).toEqual(ok({ id: 1 }))

    const second = { subject: 'orders-value', version: 2, id: 2, schema: record(id, note) }
    expect(await call('GET', '/subjects')).toEqual(ok(['orders-value']))
    expect(await call('GET', '/subjects/orders-value/versions')).toEqual(ok([1, 2]))
    expect(await call('GET', '/subjects/orders-value/versions/2')).toEqual(ok(second))
    expect(await call('GET', '/subjects/orders-value/versions/latest')).toEqual(ok(second))
    expect(await call('GET', '/subjects/orders-value/versions/-1')).toEqual(ok(second))
    expect(await call('POST', '/subjects/orders-value', { schema: record(id, note) })).toEqual(ok(second))
    expect(await call('GET', '/schemas/ids/1')).toEqual(ok({ schema: record(id) }))
    expect(await call('GET', '/schemas/ids/1/versions')).toEqual(ok([{ subject: 'orders-value', version: 1 }]))
    expect(await call('GET', '/schemas/types')).toEqual(ok(['AVRO']))
  })

  it('may have any name, also under /api/v1', async () => {
    const name = 'sipariş:değer/1'
    await call('POST', `/subjects/${encodeURIComponent(name)}/versions`, { schema: '"string"' })
    const response = await edge.get(`/api/v1/schema-registry/subjects/${encodeURIComponent(name)}/versions/1`)
    expect(await response.json()).toEqual({ subject: name, version: 1, id: 1, schema: '"string"' })
  })

  it('refuses what its readers could not read, with the field', async () => {
    await call('POST', '/subjects/s/versions', { schema: record(id) })
    const reason = 'field "amount" has no default in the new schema, and version 1 does not have it'
    const next = { schema: record(id, amount) }
    expect(await call('POST', '/compatibility/subjects/s/versions/latest', next)).toEqual(
      ok({ is_compatible: false, messages: [reason] }),
    )
    expect(await call('POST', '/subjects/s/versions', next)).toEqual(
      error(409, 409, `The schema can't be registered under "s", which is to stay BACKWARD compatible: ${reason}.`),
    )
    expect(await call('GET', '/subjects/s/versions')).toEqual(ok([1]))

    expect(await call('PUT', '/config/s', { compatibility: 'FORWARD' })).toEqual(ok({ compatibility: 'FORWARD' }))
    expect(await call('POST', '/compatibility/subjects/s/versions/1', next)).toEqual(ok({ is_compatible: true }))
    expect(await call('POST', '/subjects/s/versions', next)).toEqual(ok({ id: 2 }))
  })

  it('has a level of its own, or the one for all', async () => {
    expect(await call('GET', '/config')).toEqual(ok({ compatibilityLevel: 'BACKWARD' }))
    expect(await call('GET', '/config/s')).toEqual(error(404, 40408))
    expect(await call('PUT', '/config', { compatibility: 'full_transitive' })).toEqual(
      ok({ compatibility: 'FULL_TRANSITIVE' }),
    )
    expect(await call('GET', '/config/s?defaultToGlobal=true')).toEqual(ok({ compatibilityLevel: 'FULL_TRANSITIVE' }))
    await call('PUT', '/config/s', { compatibility: 'NONE' })
    expect(await call('GET', '/config/s')).toEqual(ok({ compatibilityLevel: 'NONE' }))
    expect(await call('PUT', '/config/s', { compatibility: 'SOMEHOW' })).toEqual(error(422, 42203))
  })
})

describe('what is wrong has the code that clients know', () => {
  it.each([
    ['GET', '/subjects/none/versions', 404, 40401],
    ['GET', '/subjects/none/versions/1', 404, 40401],
    ['GET', '/subjects/s/versions/9', 404, 40402],
    ['GET', '/subjects/s/versions/zero', 422, 42202],
    ['GET', '/subjects/s/versions/0', 422, 42202],
    ['GET', '/schemas/ids/99', 404, 40403],
    ['GET', '/schemas/ids/x', 404, 404],
    ['GET', '/subjects/a%00b/versions', 422, 42208],
    ['GET', `/subjects/${'s'.repeat(1001)}/versions`, 422, 42208],
    ['GET', '/nothing', 404, 404],
    ['PATCH', '/subjects', 405, 405],
    ['DELETE', '/subjects/s', 405, 405],
    ['DELETE', '/subjects/s/versions/1', 405, 405],
  ])('%s %s', async (method, path, status, code) => {
    await schemas.register('s', 'string')
    const answer = await call(method, path)
    expect(answer).toEqual(error(status, code))
  })

  it.each([
    ['no JSON', '{', 400, 400],
    ['no schema', {}, 422, 422],
    ['an empty one', { schema: '' }, 422, 422],
    ['one that is not Avro', { schema: '{"type":"recrod"}' }, 422, 42201],
    ['another kind', { schema: '{}', schemaType: 'PROTOBUF' }, 422, 42201],
    ['references', { schema: '"string"', references: [{ name: 'a', subject: 'b', version: 1 }] }, 422, 42201],
    ['far too much', { schema: `"${'x'.repeat(300_000)}"` }, 413, 413],
    ['a pit of arrays', { schema: `${'['.repeat(60_000)}${']'.repeat(60_000)}` }, 422, 42201],
  ])('registering %s', async (_what, body, status, code) => {
    expect(await call('POST', '/subjects/s/versions', body)).toEqual(error(status, code))
  })

  it('looking up a schema that the subject has not', async () => {
    expect(await call('POST', '/subjects/s', { schema: '"string"' })).toEqual(error(404, 40401))
    await schemas.register('s', 'string')
    expect(await call('POST', '/subjects/s', { schema: '"int"' })).toEqual(error(404, 40403))
  })

  it('a registry that is elsewhere', async () => {
    edge = await createHarness({ users: memoryUsers() })
    expect(await call('GET', '/subjects')).toEqual(error(404, 404, expect.stringContaining('SCHEMA_REGISTRY_URL')))
  })
})

describe('who may', () => {
  const basic = (login: string) => `Basic ${Buffer.from(login).toString('base64')}`
  const write = { schema: record(id) }
  const statusOf = async (method: string, path: string, body: unknown, authorization: string | null) =>
    (await call(method, path, body, authorization)).status

  it('change: an admin by token or by password; not a viewer, not the write key, nobody without', async () => {
    const register = (authorization: string | null) => statusOf('POST', '/subjects/s/versions', write, authorization)
    const viewer = `Bearer ${await edge.tokens.issue({ username: 'eve', role: 'viewer' })}`
    const operator = `Bearer ${await edge.tokens.issue({ username: 'oz', role: 'operator' })}`
    expect(await register(null)).toBe(401)
    expect(await register(basic(`${WRITE_KEY}:`))).toBe(401)
    expect(await register(`Bearer ${WRITE_KEY}`)).toBe(401)
    expect(await register(basic('root:wrong'))).toBe(401)
    expect(await register('Basic ???')).toBe(401)
    expect(await register(basic('eve:staple'))).toBe(403)
    expect(await register(viewer)).toBe(403)
    expect(schemas.subjects()).toEqual([])
    expect(await register(basic('root:right horse'))).toBe(200)
    expect(await register(operator)).toBe(200)
    for (const [method, path] of [
      ['PUT', '/config'],
      ['PUT', '/config/s'],
      ['DELETE', '/subjects/s'],
    ] as const) {
      expect(await statusOf(method, path, { compatibility: 'NONE' }, null)).toBe(401)
    }
  })

  it('read: whoever has an account, by token or by password', async () => {
    const read = (authorization: string | null) => statusOf('GET', '/subjects', undefined, authorization)
    expect(await read(null)).toBe(401)
    expect(await read(basic('eve:staple'))).toBe(200)
    expect(await read(basic('eve:wrong'))).toBe(401)
    expect(await read(admin)).toBe(200)
  })

  it('not guess passwords: tries here and at the login count together', async () => {
    expect(await statusOf('GET', '/subjects', undefined, basic('root:guess'))).toBe(401)
    for (let i = 0; i < 2; i++)
      expect(await statusOf('PUT', '/config', { compatibility: 'NONE' }, basic('root:guess'))).toBe(401)
    for (let i = 0; i < 2; i++)
      expect((await edge.json('/auth/login', { username: 'root', password: 'guess' })).status).toBe(401)
    expect((await edge.json('/auth/login', { username: 'root', password: 'right horse' })).status).toBe(429)
    expect(await statusOf('PUT', '/config', { compatibility: 'NONE' }, basic('root:right horse'))).toBe(429)
    edge.clock.nowMs = NOW + 60_000
    expect(await statusOf('PUT', '/config', { compatibility: 'NONE' }, basic('root:right horse'))).toBe(200)
  })
})
