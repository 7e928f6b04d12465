import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, expectTypeOf, it } from 'vitest'
import { clientSchema } from '../testing/client-schema.ts'
import { createHarness, type Harness } from '../testing/harness.ts'
import { type ClientOptions, createStreamForgeClient, type FraudAlert } from './index.ts'

/** The client over an edge without a port. */
const clientOf = (edge: Harness, token: ClientOptions['token'] = null) =>
  createStreamForgeClient({ baseUrl: 'http://edge.example/', token, fetch: async (request) => edge.app.fetch(request) })

describe('the typed client', () => {
  it('knows the API as it is now', async () => {
    const written = await readFile(join(import.meta.dirname, 'schema.ts'), 'utf8')
    const current = written === (await clientSchema())
    expect(current, 'edge/client/schema.ts is not current: run `npm run api:generate` and commit what it wrote').toBe(
      true,
    )
  })

  it('gives answers with their types', async () => {
    const edge = await createHarness()
    const api = clientOf(edge, await edge.tokens.issue({ username: 'ada', role: 'viewer' }))
    const { data, error } = await api.GET('/metrics/events_timeseries', { params: { query: { bucket: '5m' } } })
    expect(error).toBeUndefined()
    expect(data?.data[0]?.events).toBe(12)
    expectTypeOf(data!.data[0]!.by_type).toEqualTypeOf<{ [key: string]: number }>()
    expectTypeOf<FraudAlert['total']>().toEqualTypeOf<number>()
  })

  it('gives problems as errors, with what to do next', async () => {
    const edge = await createHarness()
    const api = clientOf(edge, async () => edge.tokens.issue({ username: 'ada', role: 'viewer' }))
    const { data, error, response } = await api.GET('/fraud-alerts/{id}', { params: { path: { id: 'no/such' } } })
    expect(data).toBeUndefined()
    expect(response.status).toBe(404)
    expect(error).toMatchObject({ code: 'not_found', detail: 'There is no alert "no/such".' })
  })

  it('asks for the token before each request, and sends none where there is none', async () => {
    const edge = await createHarness()
    const tokens = [null, await edge.tokens.issue({ username: 'ada', role: 'viewer' })]
    const api = clientOf(edge, () => tokens.shift() ?? null)
    expect((await api.GET('/metrics/overview')).response.status).toBe(401)
    expect((await api.GET('/metrics/overview')).response.status).toBe(200)
  })
})
