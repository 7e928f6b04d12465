import { describe, expect, it } from 'vitest'
import { createHarness, NOW, samplePipeline, sampleReader } from '../testing/harness.ts'

const CLOSED = '/metrics/funnel?from=2026-01-01&to=2026-01-02'

describe('caches', () => {
  it('are told by a tag whether an answer says something new, however fresh it is', async () => {
    let visits = 40
    let watermark = NOW
    const reader = sampleReader({
      funnel: async () => [{ stage: 'visit', sessions: visits }],
      pipelines: async () => [{ ...samplePipeline, watermark }],
    })
    const edge = await createHarness({ reader })
    const first = await edge.get(CLOSED)
    const tag = first.headers.get('etag')!
    expect(tag).toMatch(/^W\/"[0-9a-f]{32}"$/)
    expect(first.headers.get('cache-control')).toBe('private, max-age=1')
    expect(first.headers.get('vary')).toBe('authorization')

    edge.clock.nowMs += 60_000
    watermark += 60_000
    const known = await edge.get(CLOSED, { 'if-none-match': `"other", ${tag}` })
    expect(known.status).toBe(304)
    expect(known.headers.get('etag')).toBe(tag)
    expect(known.headers.get('content-type')).toBeNull()
    expect(known.headers.get('x-content-type-options')).toBe('nosniff')
    expect(await known.text()).toBe('')

    edge.clock.nowMs += 60_000
    visits = 41
    const changed = await edge.get(CLOSED, { 'if-none-match': tag })
    expect(changed.status).toBe(200)
    expect(changed.headers.get('etag')).not.toBe(tag)
    expect(await changed.json()).toMatchObject({ data: [{ sessions: 41 }] })
  })

  it('get the same headers for HEAD, without a body', async () => {
    const edge = await createHarness()
    const [got, headed] = await Promise.all([
      edge.get(CLOSED),
      edge.app.request(CLOSED, { method: 'HEAD', headers: await edge.as('viewer') }),
    ])
    expect(headed.status).toBe(200)
    expect(await headed.text()).toBe('')
    expect(Object.fromEntries(headed.headers)).toEqual(Object.fromEntries(got.headers))
  })

  it('ask each time for what is not of the metrics, and take any tag for what is there', async () => {
    const edge = await createHarness()
    const response = await edge.get('/fraud-alerts/a-1', { 'if-none-match': '*' })
    expect(response.status).toBe(304)
    expect(response.headers.get('cache-control')).toBe('private, no-cache')
  })

  it('keep no problem, no Prometheus text and no answer to a change', async () => {
    const edge = await createHarness()
    const answers = await Promise.all([
      edge.get('/fraud-alerts/none', { 'if-none-match': '*' }),
      edge.get('/metrics'),
      edge.json('/orders', { order_id: 'o-1', user_id: 'u-1', amount: 1 }),
    ])
    expect(answers.map(({ status }) => status)).toEqual([404, 200, 202])
    for (const answer of answers) {
      expect(answer.headers.get('cache-control')).toBe('no-store')
      expect(answer.headers.get('etag')).toBeNull()
    }
  })
})
