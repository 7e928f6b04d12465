/** The one-pass JSON reader against JSON.parse and validation: what it takes is the same event, and it takes what machines write. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseEvent } from './input.ts'
import { jsonReader } from './json-reader.ts'
import { CLICKSTREAM, type InputTopic, ORDERS, TRIPS } from './topics.ts'

const RECEIVED = Date.UTC(2026, 0, 31, 12)
const context = { receivedAt: RECEIVED, currency: 'TRY', newId: () => 'made' }
const utf8 = new TextDecoder('utf-8', { fatal: true })

const CLICK =
  '{"event_id":"ab3de5f0-9c1b-4ddd-a123-0123456789ab","event_type":"product_view","user_id":"u17","session_hint":"s9","page_url":"/p/p4","product_id":null,"region":"EU-West","device":"mobile","event_time":"2026-01-01T00:00:07.123Z"}'
const ORDER =
  '{"order_id":"o-1","user_id":"u17","product_id":"p4","category":"books","amount":249.35,"currency":"TRY","region":"EU-West","status":"failed","event_time":"2026-01-01T00:00:07.123Z"}'

function viaParse(topic: InputTopic, bytes: Buffer): unknown {
  try {
    const parsed = parseEvent(topic, JSON.parse(utf8.decode(bytes)), context)
    return parsed.ok ? parsed.event : 'refused'
  } catch {
    return 'refused'
  }
}

function read(topic: InputTopic, bytes: Buffer, reads?: ReadonlySet<string>): object | undefined {
  return jsonReader(topic, 'TRY', reads)!(bytes, RECEIVED, () => 'made')
}

const names = [
  ...['event_id', 'event_type', 'user_id', 'anonymous_id', 'session_id', 'page_url', 'product_id', 'category'],
  ...['order_id', 'revenue', 'currency', 'region', 'device', 'bot', 'event_time', 'sent_at', 'properties'],
  ...['quantity', 'amount', 'status', 'extra', 'another', '7', '__proto__', 'ü', 'constructor'],
]
const value = fc.oneof(
  fc.string({ maxLength: 6 }),
  fc.string({ unit: 'grapheme', maxLength: 210 }),
  fc.constantFrom<unknown>(null, true, '', 0, 1, -1, 1.005, 0.1, 1e21, 1e-7, 249.35, 999_999_999.99, 1_000_000_001),
  fc.constantFrom('TRY', 'usd', 'TR', 'purchase', 'success', 'refunded', 'a\\b', 'a"b', 'a\u0000b', '\ud800'),
  fc.constantFrom('2026-01-30T23:59:59.999Z', '2026-02-30T00:00:00.000Z', '2026-01-31T24:00:00.000Z', '2026-01-30'),
  fc.integer({ min: RECEIVED - 1e9, max: RECEIVED + 2e9 }),
  fc.double(),
  fc.constantFrom<unknown>([], { a: 1 }),
)
/** An event with some members changed, added, left out and moved, as text that is written in one of the ways that there are. */
const object = (event: string) =>
  fc
    .record({
      base: fc.constant(Object.entries(JSON.parse(event) as object)),
      changes: fc.array(fc.tuple(fc.constantFrom(...names), value), { maxLength: 4 }),
      order: fc.infiniteStream(fc.nat(1_000)),
      left: fc.nat(12),
      space: fc.constantFrom('', ' ', '\n'),
    })
    .map(({ base: entries, changes, order, left, space }) => {
      const kept = entries.filter((_, i) => i !== left)
      const members = [...kept.filter(([name]) => !changes.some(([c]) => c === name) || left === 11), ...changes]
      const moved =
        left % 2 === 0
          ? members
          : members
              .map((m) => [order.next().value ?? 0, m] as const)
              .sort(([a], [b]) => a - b)
              .map(([, m]) => m)
      return `{${moved.map(([name, v]) => `${JSON.stringify(name)}:${space}${JSON.stringify(v)}`).join(`,${space}`)}}`
    })
const damage = fc.array(fc.record({ at: fc.nat(300), to: fc.integer({ min: 0, max: 255 }) }), { maxLength: 2 })

describe('a JSON event in one pass', () => {
  it.each([CLICKSTREAM, ORDERS] as const)(
    'is what JSON.parse and validation make of it, or is left to them: %s',
    (topic) => {
      let taken = 0
      fc.assert(
        fc.property(object(topic === ORDERS ? ORDER : CLICK), damage, (text, changes) => {
          const bytes = Buffer.from(text)
          for (const { at, to } of changes) if (at < bytes.length) bytes[at] = to
          const event = read(topic, bytes)
          if (event === undefined) return
          taken++
          expect(event).toEqual(viaParse(topic, bytes))
        }),
        { numRuns: 6_000 },
      )
      expect(taken).toBeGreaterThan(100)
    },
  )

  it.each([
    [CLICKSTREAM, CLICK],
    [CLICKSTREAM, CLICK.replaceAll(':', ': ').replaceAll('00: 00: 07', '00:00:07').replaceAll(',', ', ')],
    [
      CLICKSTREAM,
      '{"event_type":"purchase","anonymous_id":"gül","revenue":12.5,"currency":"eur","event_time":1769860800000}',
    ],
    [ORDERS, ORDER],
    [ORDERS, '{"order_id":"o","user_id":"u","amount":5000.01,"quantity":3}'],
  ] as const)('is taken as machines write it: %s %s', (topic, text) => {
    const event = read(topic, Buffer.from(text))
    expect(event).toBeDefined()
    expect(event).toEqual(viaParse(topic, Buffer.from(text)))
  })

  it('is read again and again, whatever came between', () => {
    const reader = jsonReader(CLICKSTREAM, 'TRY')!
    const texts = [
      CLICK,
      '{"event_type":"custom","user_id":"x"}',
      '{"broken',
      CLICK.replace('session_hint', 'hint'),
      '{}',
      CLICK,
    ]
    for (const text of [...texts, ...texts]) {
      const event = reader(Buffer.from(text), RECEIVED, () => 'made')
      if (text.length > 10) expect(event).toEqual(viaParse(CLICKSTREAM, Buffer.from(text)))
      else expect(event).toBeUndefined()
    }
  })

  it('has null for what nobody reads, and everything else as ever', () => {
    const whole = read(CLICKSTREAM, Buffer.from(CLICK)) as Record<string, unknown>
    const part = read(CLICKSTREAM, Buffer.from(CLICK), new Set(['user_id', 'page_url'])) as Record<string, unknown>
    expect(part).toEqual({ ...whole, product_id: null, region: null, device: null, properties: null })
    expect(whole.properties).toBe('{"session_hint":"s9"}')
  })

  it('is not read so where trips are concerned', () => {
    expect(jsonReader(TRIPS, 'TRY')).toBeUndefined()
  })
})
