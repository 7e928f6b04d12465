/** What clients send by mistake or on purpose: always a 4xx with a sentence or a verdict, never a 500, and the good neighbours are kept. */
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { CLICKSTREAM } from '../../streams/contract/topics.ts'
import { createHarness } from '../testing/harness.ts'

const good = '{"event_id":"good","event_type":"page_view","user_id":"u-1"}'
const bytes = (...parts: (string | number[])[]) =>
  new Uint8Array(parts.flatMap((p) => (typeof p === 'string' ? [...new TextEncoder().encode(p)] : p)))

const UNREADABLE: [what: string, body: BodyInit, headers: Record<string, string>, status: number, code: string][] = [
  ['an empty body', '', {}, 400, 'malformed_body'],
  ['blanks', ' \n ', {}, 400, 'malformed_body'],
  ['an empty array', '[]', {}, 400, 'malformed_body'],
  ['NDJSON without lines', '\n\n', { 'content-type': 'application/x-ndjson' }, 400, 'malformed_body'],
  ['malformed JSON', '{"event_type": "page_view",', {}, 400, 'malformed_body'],
  ['JSON with something behind it', `${good}x`, {}, 400, 'malformed_body'],
  ['NDJSON called JSON', `${good}\n${good}`, {}, 400, 'malformed_body'],
  ['invalid UTF-8', bytes('{"event_type":"page_view","user_id":"', [0xff, 0xfe], '"}'), {}, 400, 'malformed_body'],
  ['UTF-16', bytes([0xff, 0xfe, 0x7b, 0x00, 0x7d, 0x00]), {}, 400, 'malformed_body'],
  [
    'a form',
    'event_type=page_view',
    { 'content-type': 'application/x-www-form-urlencoded' },
    415,
    'unsupported_media_type',
  ],
  ['XML', '<event/>', { 'content-type': 'text/xml' }, 415, 'unsupported_media_type'],
  ['zstd', good, { 'content-encoding': 'zstd' }, 415, 'unsupported_encoding'],
  ['an encoding of Object', good, { 'content-encoding': 'constructor' }, 415, 'unsupported_encoding'],
  ['brotli that is none', good, { 'content-encoding': 'br' }, 400, 'malformed_body'],
  [
    'brotli that breaks off',
    brotliCompressSync(good).subarray(0, 20),
    { 'content-encoding': 'br' },
    400,
    'malformed_body',
  ],
  ['a brotli bomb', brotliCompressSync(' '.repeat(200_000_000)), { 'content-encoding': 'br' }, 413, 'body_too_large'],
  ['two encodings', good, { 'content-encoding': 'gzip, gzip' }, 415, 'unsupported_encoding'],
  ['gzip that is none', good, { 'content-encoding': 'gzip' }, 400, 'malformed_body'],
  ['gzip that breaks off', gzipSync(good).subarray(0, 20), { 'content-encoding': 'gzip' }, 400, 'malformed_body'],
  ['gzip of nothing', gzipSync(''), { 'content-encoding': 'gzip' }, 400, 'malformed_body'],
  ['10 MB', `[${' '.repeat(10_000_000)}]`, {}, 413, 'body_too_large'],
  ['10 MB that say they are 10 bytes', 'x'.repeat(10_000_000), { 'content-length': '10' }, 413, 'body_too_large'],
  ['a gzip bomb', gzipSync(' '.repeat(200_000_000)), { 'content-encoding': 'gzip' }, 413, 'body_too_large'],
  ['100,000 tiny events', `[${'{},'.repeat(99_999)}{}]`, {}, 413, 'too_many_events'],
  ['an idempotency key that is none', good, { 'idempotency-key': 'ü' }, 400, 'invalid_parameter'],
  ['a million opening brackets', '['.repeat(1_000_000), {}, 400, 'malformed_body'],
]

describe('a body that can not be read', () => {
  it.each(UNREADABLE)('is refused when it is %s', async (_what, body, headers, status, code) => {
    const edge = await createHarness()
    const response = await edge.post('/events', body, headers)
    expect(response.status).toBe(status)
    expect(response.headers.get('content-type')).toBe('application/problem+json')
    const problem = (await response.json()) as { code: string; detail: string }
    expect(problem.code).toBe(code)
    expect(problem.detail).toMatch(/^[A-Z].{10,300}\.$/)
    expect(edge.log.appends).toBe(0)
  })

  it('is counted as it streams when its length is not stated', async () => {
    const edge = await createHarness()
    let pulled = 0
    const endless = new ReadableStream({
      pull(controller) {
        pulled++
        controller.enqueue(new Uint8Array(64 * 1024).fill(0x20))
      },
    })
    const response = await edge.app.request('/api/v1/events', {
      method: 'POST',
      body: endless,
      headers: { 'x-write-key': 'wk_test', 'content-type': 'application/json' },
      duplex: 'half',
    } as RequestInit)
    expect(response.status).toBe(413)
    expect(pulled).toBeLessThan(30)
  })

  it('is the client’s fault when it breaks off', async () => {
    const edge = await createHarness()
    const broken = new ReadableStream({
      pull: (controller) => controller.error(new Error('connection reset')),
    })
    const response = await edge.app.request('/api/v1/events', {
      method: 'POST',
      body: broken,
      headers: { 'x-write-key': 'wk_test' },
      duplex: 'half',
    } as RequestInit)
    expect(response.status).toBe(400)
  })
})

/** Each is put between two good events. `null` where it is odd but acceptable. */
const ODD: [what: string, event: string, code: string | null][] = [
  ['null', 'null', 'not_an_object'],
  ['a number', '42', 'not_an_object'],
  ['an array', '[{}]', 'not_an_object'],
  ['an empty object', '{}', 'missing_field'],
  ['a type that is a number', '{"event_type":1,"user_id":"u"}', 'invalid_value'],
  ['a user that is an object', '{"event_type":"page_view","user_id":{}}', 'wrong_type'],
  ['a user that is empty', '{"event_type":"page_view","user_id":""}', 'invalid_value'],
  [
    'an id of 201 characters',
    `{"event_id":"${'x'.repeat(201)}","event_type":"page_view","user_id":"u"}`,
    'invalid_value',
  ],
  ['a NUL character', '{"event_type":"page_view","user_id":"a\\u0000b"}', 'invalid_value'],
  [
    'a time from the future',
    '{"event_type":"page_view","user_id":"u","event_time":"2999-01-01T00:00:00Z"}',
    'time_out_of_range',
  ],
  ['an ancient time', '{"event_type":"page_view","user_id":"u","event_time":-62135596800000}', 'time_out_of_range'],
  ['a time in seconds', '{"event_type":"page_view","user_id":"u","event_time":1769860800}', 'time_out_of_range'],
  ['a time that is none', '{"event_type":"page_view","user_id":"u","event_time":"yesterday"}', 'invalid_value'],
  ['a time beyond numbers', '{"event_type":"page_view","user_id":"u","event_time":1e999}', null],
  ['a negative revenue', '{"event_type":"purchase","user_id":"u","revenue":-1}', 'invalid_value'],
  ['a revenue as text', '{"event_type":"purchase","user_id":"u","revenue":"1.00"}', 'wrong_type'],
  ['a currency that is none', '{"event_type":"purchase","user_id":"u","revenue":1,"currency":"LIRA"}', 'invalid_value'],
  [
    '40 KB of properties',
    `{"event_type":"custom","user_id":"u","properties":{"x":"${'y'.repeat(40_000)}"}}`,
    'too_large',
  ],
  [
    'properties nested 100,000 deep',
    `{"event_type":"custom","user_id":"u","properties":{"x":${'['.repeat(100_000)}${']'.repeat(100_000)}}}`,
    'invalid_value',
  ],
  ['an unknown field', '{"event_type":"custom","user_id":"u","shoe_size":44}', null],
  ['__proto__ as a field', '{"event_type":"custom","user_id":"u","__proto__":{"polluted":true}}', null],
  [
    '__proto__ in the properties',
    '{"event_type":"custom","user_id":"u","properties":{"__proto__":{"polluted":true},"constructor":1}}',
    null,
  ],
  ['fields of Object', '{"event_type":"custom","user_id":"u","toString":1,"hasOwnProperty":2}', null],
  ['a lone surrogate', '{"event_type":"custom","user_id":"u\\ud800","page_url":"\\udfff"}', null],
]

describe('an odd event', () => {
  it.each(ODD)('that is %s costs its neighbours nothing', async (_what, event, code) => {
    for (const form of ['array', 'lines']) {
      const edge = await createHarness()
      const [before, after] = [good.replace('good', 'before'), good.replace('good', 'after')]
      const response =
        form === 'array'
          ? await edge.post('/events', `[${before},${event},${after}]`)
          : await edge.post('/events', [before, event, after].join('\n'), { 'content-type': 'application/x-ndjson' })
      expect(response.status).toBe(202)
      const result = (await response.json()) as {
        accepted: number
        rejected: { index: number; code: string; message: string }[]
      }
      const ids = (await edge.events(CLICKSTREAM)).map((e) => e.event_id)
      expect(ids).toEqual(expect.arrayContaining(['before', 'after']))
      if (result.rejected.length > 0 || code !== null) {
        expect(result.rejected).toHaveLength(1)
        expect(result.rejected[0]).toMatchObject({ index: 1, message: expect.stringMatching(/.{5,}/) })
        if (code) expect(result.rejected[0]!.code).toBe(code)
      } else {
        expect(result.accepted).toBe(3)
      }
      expect(edge.logged.filter(([level]) => level === 'error')).toEqual([])
      expect(({} as { polluted?: boolean }).polluted).toBeUndefined()
    }
  })

  it('keeps the neighbours of a line that is not JSON', async () => {
    const edge = await createHarness()
    const response = await edge.post('/events', `${good}\n\n{"half\n${good.replace('good', 'after')}`, {
      'content-type': 'application/x-ndjson',
    })
    expect(await response.json()).toEqual({
      accepted: 2,
      duplicates: 0,
      rejected: [
        { index: 1, event_id: null, code: 'malformed_line', message: 'line 3 is not valid JSON', retryable: false },
      ],
    })
  })

  it('keeps unknown fields, __proto__ among them, as properties', async () => {
    const edge = await createHarness()
    await edge.post('/events', '{"event_type":"custom","user_id":"u","shoe_size":44,"__proto__":{"a":1}}')
    const [event] = await edge.events(CLICKSTREAM)
    expect(event!.properties).toBe('{"shoe_size":44,"__proto__":{"a":1}}')
  })
})
