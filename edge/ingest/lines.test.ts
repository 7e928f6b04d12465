/** NDJSON that is taken as it arrives: pieces of any size, lines of any kind, and every way to stop before the end. */
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CLICKSTREAM } from '../../streams/contract/topics.ts'
import { createHarness, type Harness, WRITE_KEY } from '../testing/harness.ts'
import type { LinesResult } from './lines.ts'

const click = (id: string) => JSON.stringify({ event_id: id, event_type: 'page_view', user_id: 'ü' })
const bytesOf = (text: string) => new TextEncoder().encode(text)

/** A body that arrives in these chunks. */
function arriving(chunks: Iterable<Uint8Array>): ReadableStream<Uint8Array> {
  const left = chunks[Symbol.iterator]()
  // It is asked for a chunk when one is read, and not before.
  return new ReadableStream(
    {
      pull(controller) {
        const { done, value } = left.next()
        if (done) controller.close()
        else controller.enqueue(value)
      },
    },
    { highWaterMark: 0 },
  )
}

const send = async (edge: Harness, body: BodyInit, headers: Record<string, string> = {}) =>
  edge.app.request('/events', {
    method: 'POST',
    body,
    headers: { 'x-write-key': WRITE_KEY, 'content-type': 'application/x-ndjson', ...headers },
    duplex: 'half',
  } as RequestInit)

const resultOf = async (response: Response): Promise<LinesResult> => {
  expect(response.status).toBe(202)
  return (await response.json()) as LinesResult
}

describe('NDJSON as it arrives', () => {
  it('is the same lines however the bytes are cut, each with its own verdict', async () => {
    const lines = [click('a'), '', 'no json', click('b'), '{}', click('a'), '\r', click('c')]
    const bytes = bytesOf(lines.join('\n'))
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(bytes.length), { maxLength: 8 }), async (cuts) => {
        const at = [0, ...cuts.sort((a, b) => a - b), bytes.length]
        const edge = await createHarness()
        const result = await resultOf(await send(edge, arriving(at.slice(1).map((end, i) => bytes.slice(at[i]!, end)))))
        expect(result).toMatchObject({ accepted: 3, duplicates: 1 })
        expect(result.rejected.map((r) => [r.index, r.code])).toEqual([
          [1, 'malformed_line'],
          [3, 'missing_field'],
        ])
        expect((await edge.events(CLICKSTREAM)).map((e) => e.event_id)).toEqual(['a', 'b', 'c'])
      }),
      { numRuns: 40 },
    )
  })

  it('takes many more lines than an array may have, in pieces, compressed or not', async () => {
    const text = Array.from({ length: 5_000 }, (_, i) => click(`e-${i}`)).join('\n')
    for (const [coding, body] of [
      ['identity', bytesOf(text)],
      ['gzip', gzipSync(text)],
      ['deflate', deflateSync(text)],
      ['br', brotliCompressSync(text)],
    ] as const) {
      const edge = await createHarness()
      const result = await resultOf(await send(edge, body as BodyInit, { 'content-encoding': coding }))
      expect(result).toEqual({ accepted: 5_000, duplicates: 0, rejected: [] })
      expect(edge.log.appends).toBeGreaterThanOrEqual(10)
    }
  })

  it('has a line in the log before the next has come', async () => {
    const edge = await createHarness()
    const seen: number[] = []
    const chunks = (function* () {
      for (const id of ['a', 'b', 'c']) {
        seen.push(edge.log.records.length)
        yield bytesOf(`${click(id)}\n`)
      }
    })()
    expect(await resultOf(await send(edge, arriving(chunks)))).toMatchObject({ accepted: 3 })
    expect(seen).toEqual([0, 1, 2])
  })

  it('refuses a line that is too long, without holding it, and goes on', async () => {
    const edge = await createHarness({ limits: { lineBytesMax: 1_000, bytesInFlightMax: 10_000 } })
    const long = Array.from({ length: 50 }, () => new Uint8Array(5_000).fill(0x20))
    const chunks = [bytesOf(`${click('a')}\n`), ...long, bytesOf(`\n${click('b')}`)]
    const result = await resultOf(await send(edge, arriving(chunks)))
    expect(result).toMatchObject({ accepted: 2, rejected: [{ index: 1, code: 'malformed_line' }] })
    expect(result.rejected[0]!.message).toBe('line 2 is longer than 1000 bytes')
  })

  it('says where it stopped: too many lines, too many bytes, too many refused, no quota, no log', async () => {
    const lines = Array.from({ length: 20 }, (_, i) => bytesOf(`${click(`e-${i}`)}\n`))
    const stopped = async (edge: Harness, chunks: Iterable<Uint8Array>, key = WRITE_KEY) => {
      const { accepted, stopped } = await resultOf(await send(edge, arriving(chunks), { 'x-write-key': key }))
      expect(edge.log.records).toHaveLength(accepted)
      return [accepted, stopped?.index, stopped?.code]
    }
    const limited = (limits: object) => createHarness({ limits })
    expect(await stopped(await limited({ linesMax: 10 }), lines)).toEqual([10, 10, 'too_many_events'])
    expect(await stopped(await limited({ linesMax: 20 }), lines)).toEqual([20, undefined, undefined])
    const bytes = lines.slice(0, 5).reduce((sum, line) => sum + line.length, 0)
    expect(await stopped(await limited({ streamBytesMax: bytes }), lines)).toEqual([5, 5, 'body_too_large'])
    const bad = [...lines.slice(0, 2), bytesOf('x\nx\n'), ...lines.slice(2)]
    expect(await stopped(await limited({ rejectedMax: 2 }), bad)).toEqual([2, 4, 'too_many_rejected'])
    const edge = await createHarness()
    const made = await edge.app.request('/write-keys', {
      method: 'POST',
      body: JSON.stringify({ name: 'small', events_per_minute: 3 }),
      headers: { 'content-type': 'application/json', ...(await edge.as('operator')) },
    })
    const { key } = ((await made.json()) as { data: { key: string } }).data
    expect(await stopped(edge, lines, key)).toEqual([3, 3, 'quota_exceeded'])
    expect((await send(edge, arriving(lines), { 'x-write-key': key })).status).toBe(429)
    const away = await createHarness()
    const goesAway = (function* () {
      for (const [i, line] of lines.entries()) {
        away.log.unavailable = i >= 4
        yield line
      }
    })()
    expect(await stopped(away, goesAway)).toEqual([4, 4, 'log_unavailable'])
    expect((await send(away, click('new'))).status).toBe(503)
  })

  it('ends in time, with an answer about what it has taken; a line that was cut off is not among it', async () => {
    const edge = await createHarness({ limits: { streamMsMax: 200 } })
    const endless = new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(bytesOf(`${click('a')}\n${click('b')}`)),
    })
    const { accepted, stopped } = await resultOf(await send(edge, endless))
    expect([accepted, stopped]).toEqual([1, { index: 1, code: 'out_of_time', message: expect.any(String) }])
  })

  it('tells what was taken of a body that breaks off or is damaged; of nothing it is an error', async () => {
    const edge = await createHarness()
    const text = Array.from({ length: 3_000 }, (_, i) => click(`e-${i}-${Math.sin(i)}`)).join('\n')
    const cut = gzipSync(text)
    const result = await resultOf(await send(edge, cut.subarray(0, cut.length - 500), { 'content-encoding': 'gzip' }))
    expect(result.stopped).toMatchObject({ index: result.accepted, code: 'malformed_body' })
    expect(result.accepted).toBeGreaterThan(100)
    expect((await send(edge, 'no gzip', { 'content-encoding': 'gzip' })).status).toBe(400)
    expect((await send(edge, '\n\n')).status).toBe(400)
  })
})
