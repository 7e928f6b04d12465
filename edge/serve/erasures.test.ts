/** Erasures by HTTP: asked for by admins alone, and told of without whom they are about. */
import { createHash } from 'node:crypto'
import { expect, it } from 'vitest'
import { createHarness, NOW } from '../testing/harness.ts'

const ID = '11111111-1111-4111-8111-111111111111'
const asked = (value: unknown) => ({
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(value),
})

it('an erasure is asked for once a person, and its answer does not hold the person', async () => {
  const edge = await createHarness()
  const admin = await edge.as('admin')
  const ask = (value: unknown) => {
    const { headers, ...request } = asked(value)
    return edge.app.request('/api/v1/privacy/erasures', { ...request, headers: { ...headers, ...admin } })
  }
  const response = await ask({ user_id: 'ada lovelace' })
  expect(response.status).toBe(202)
  const text = await response.text()
  expect(text).not.toContain('ada')
  const { data } = JSON.parse(text) as { data: { id: string; salt: string; subject_hash: string } }
  expect(response.headers.get('location')).toBe(`/api/v1/privacy/erasures/${data.id}`)
  expect(data).toMatchObject({
    state: 'requested',
    requested_at: new Date(NOW).toISOString(),
    requested_by: 'the-admin',
    waits_until: null,
    completed_at: null,
    failure: null,
    steps: [],
  })
  expect(data.subject_hash).toBe(createHash('sha256').update(`${data.salt}:ada lovelace`).digest('hex'))
  const again = (await (await ask({ user_id: 'ada lovelace' })).json()) as { data: unknown }
  expect(again.data).toEqual(data)
  const list = (await (await edge.get('/privacy/erasures', admin)).json()) as { data: unknown[] }
  expect(list.data).toEqual([data])
})

it('what names nobody, too much or something else is refused', async () => {
  const edge = await createHarness()
  const admin = await edge.as('admin')
  for (const value of [
    {},
    { user_id: '' },
    { user_id: 'a\0b' },
    { user_id: 'x'.repeat(201) },
    { user_id: 'a', why: 1 },
  ]) {
    const { headers, ...request } = asked(value)
    const response = await edge.app.request('/privacy/erasures', { ...request, headers: { ...headers, ...admin } })
    expect([value, response.status]).toEqual([value, 400])
  }
})

it('there is no such erasure, or no such id', async () => {
  const edge = await createHarness()
  const admin = await edge.as('admin')
  expect((await edge.get(`/privacy/erasures/${ID}`, admin)).status).toBe(404)
  expect((await edge.get('/privacy/erasures/x', admin)).status).toBe(400)
})
