/** Idempotency-Key: the same answer for the same request, and never two appends. */
import { describe, expect, it } from 'vitest'
import { createHarness, type Harness, NOW } from '../testing/harness.ts'
import { createIdempotency } from './idempotency.ts'

const click = (id?: string) => JSON.stringify({ ...(id && { event_id: id }), event_type: 'page_view', user_id: 'u' })
const send = (edge: Harness, key: string, body: string, path = '/events') =>
  edge.post(path, body, { 'idempotency-key': key })

describe('Idempotency-Key', () => {
  it('gives the answer of the first request again, without appending, also where events have no ids', async () => {
    const edge = await createHarness()
    const first = await send(edge, 'k-1', `[${click()},${click()},{}]`)
    const again = await send(edge, 'k-1', `[${click()},${click()},{}]`)
    expect([again.status, await again.text()]).toEqual([202, await first.text()])
    expect(first.headers.get('idempotency-replayed')).toBe(null)
    expect(again.headers.get('idempotency-replayed')).toBe('true')
    expect(again.headers.get('x-content-type-options')).toBe('nosniff')
    expect(edge.log.records).toHaveLength(2)
    expect((await send(edge, 'k-2', `[${click()},${click()},{}]`)).status).toBe(202)
    expect(edge.log.records).toHaveLength(4)
  })

  it('refuses another body under the same key, but other routes and NDJSON have the same rules', async () => {
    const edge = await createHarness()
    await send(edge, 'k', click('a'))
    const other = await send(edge, 'k', click('b'))
    expect([other.status, ((await other.json()) as { code: string }).code]).toEqual([422, 'idempotency_mismatch'])
    expect((await send(edge, 'k', '{"order_id":"o","user_id":"u","amount":1}', '/orders')).status).toBe(202)
    const lines = { 'idempotency-key': 'lines', 'content-type': 'application/x-ndjson' }
    const answers = [await edge.post('/events', click(), lines), await edge.post('/events', click(), lines)]
    expect(answers.map((a) => a.headers.get('idempotency-replayed'))).toEqual([null, 'true'])
  })

  it('answers 409 while the first request is under way', async () => {
    const idempotency = createIdempotency({ now: () => NOW })
    let finish = (_: Response) => {}
    const ask = (scope: string) =>
      idempotency.once(
        scope,
        'the same',
        () =>
          new Promise<Response>((resolve) => {
            finish = resolve
          }),
        ({ body }) => new Response(body),
      )
    const first = ask('k')
    await expect(ask('k')).rejects.toMatchObject({
      code: 'idempotency_in_flight',
      status: 409,
      headers: { 'retry-after': '1' },
    })
    finish(new Response('done'))
    expect(await (await first).text()).toBe('done')
    expect(await (await ask('k')).text()).toBe('done')
  })

  it('remembers no failure: the same request may be tried again', async () => {
    const edge = await createHarness()
    edge.log.unavailable = true
    expect((await send(edge, 'k', click())).status).toBe(503)
    edge.log.unavailable = false
    expect((await send(edge, 'k', click())).status).toBe(202)
  })

  it('forgets after its time, and the oldest first beyond its bounds', async () => {
    const clock = { nowMs: NOW }
    const idempotency = createIdempotency({ now: () => clock.nowMs }, { ms: 1_000, answersMax: 2, textMax: 100 })
    let made = 0
    const once = (scope: string, text = 'x') =>
      idempotency.once(
        scope,
        'the same',
        async () => {
          made++
          return new Response(text)
        },
        ({ body }) => new Response(body),
      )
    const isNew = async (scope: string, text?: string) => {
      const before = made
      await once(scope, text)
      return made > before
    }
    expect([await isNew('a'), await isNew('a')]).toEqual([true, false])
    await once('b')
    await once('c')
    await once('d')
    expect([await isNew('d'), await isNew('c')]).toEqual([false, false])
    expect(await isNew('a')).toBe(true)
    await once('long', 'x'.repeat(200))
    expect(await isNew('e')).toBe(true)
    expect(await isNew('long')).toBe(true)
    clock.nowMs += 1_001
    expect(await isNew('e')).toBe(true)
  })
})
