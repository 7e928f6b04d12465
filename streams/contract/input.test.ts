/** The rules of the HTTP form, one by one: what passes and in which shape, what is refused and with which sentence. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { EventOf } from './events.ts'
import { EVENT_TIME_MIN, FUTURE_MAX_MS, type InputProblem, type ParseContext, parseEvent } from './input.ts'
import { CLICKSTREAM, INPUT_TOPICS, type InputTopic, ORDERS, TRIPS } from './topics.ts'

const NOW = Date.UTC(2026, 0, 31, 12)
const context: ParseContext = { receivedAt: NOW, currency: 'TRY', newId: () => 'made' }

const click = { event_id: 'e1', event_type: 'page_view', user_id: 'u1', event_time: '2026-01-31T11:59:00Z' }
const order = { order_id: 'o1', user_id: 'u1', amount: 12.5, event_time: '2026-01-31T11:59:00Z' }
const trip = { trip_id: 't1', region_id: 'r1', fare: 9.99, duration: 600, distance: 3.2, event_time: NOW }
const valid = { [CLICKSTREAM]: click, [ORDERS]: order, [TRIPS]: trip }

function accept<T extends InputTopic>(topic: T, raw: unknown): EventOf[T] {
  const parsed = parseEvent(topic, raw, context)
  if (!parsed.ok) throw new Error(`refused: ${parsed.problem.message}`)
  return parsed.event
}

function problem(topic: InputTopic, raw: unknown): InputProblem {
  const parsed = parseEvent(topic, raw, context)
  if (parsed.ok) throw new Error(`accepted: ${JSON.stringify(parsed.event)}`)
  return parsed.problem
}

describe('a click', () => {
  it('comes out in the form of the log', () => {
    const raw = { ...click, event_type: 'purchase', revenue: 1.005, currency: 'usd', product_id: 'p1', order_id: 'o1' }
    expect(accept(CLICKSTREAM, raw)).toEqual({
      event_id: 'e1',
      event_type: 'purchase',
      user_id: 'u1',
      anonymous_id: null,
      event_time: NOW - 60_000,
      original_time: NOW - 60_000,
      sent_at: null,
      received_at: NOW,
      page_url: null,
      product_id: 'p1',
      order_id: 'o1',
      revenue_minor: 101,
      currency: 'USD',
      session_id: null,
      referrer: null,
      category: null,
      region: null,
      device: null,
      properties: null,
      bot: null,
    })
  })

  it('is a bot’s when it says so, else as its sender is judged', () => {
    const bot = (raw: object, sender?: boolean) => {
      const parsed = parseEvent(
        CLICKSTREAM,
        { ...click, ...raw },
        { ...context, ...(sender !== undefined && { bot: sender }) },
      )
      return parsed.ok ? parsed.event.bot : parsed.problem.code
    }
    expect([bot({}), bot({}, true), bot({ bot: false }, true), bot({ bot: true }, false)]).toEqual([
      null,
      true,
      false,
      true,
    ])
    expect([bot({ bot: null }, false), bot({ bot: 'yes' })]).toEqual([false, 'wrong_type'])
  })

  it('gets an id from the server when it brings none, and no currency without revenue', () => {
    const event = accept(CLICKSTREAM, { ...click, event_id: undefined, currency: 'EUR' })
    expect(event).toMatchObject({ event_id: 'made', revenue_minor: null, currency: null })
  })

  it('belongs to an anonymous visitor or to a user, but to somebody', () => {
    expect(accept(CLICKSTREAM, { event_type: 'page_view', anonymous_id: 'a1' })).toMatchObject({
      user_id: null,
      anonymous_id: 'a1',
    })
    expect(problem(CLICKSTREAM, { event_type: 'page_view' })).toEqual({
      code: 'missing_field',
      field: 'user_id',
      message: 'user_id: required (or anonymous_id)',
    })
    expect(problem(CLICKSTREAM, { event_type: 'page_view', user_id: '' }).field).toBe('user_id')
  })

  it('takes null for a field that is not given, and empty text for no product, order or category', () => {
    const raw = { ...click, product_id: '', order_id: '', category: '', region: null, properties: null, revenue: null }
    expect(accept(CLICKSTREAM, raw)).toMatchObject({ product_id: null, order_id: null, category: null, region: null })
  })
})

describe('an order', () => {
  it('comes out in the form of the log, success and the default currency where nothing is said', () => {
    expect(accept(ORDERS, { ...order, quantity: 3 })).toMatchObject({
      order_id: 'o1',
      user_id: 'u1',
      status: 'success',
      amount_minor: 1250,
      currency: 'TRY',
      quantity: 3,
      event_time: NOW - 60_000,
    })
    expect(accept(ORDERS, { ...order, amount: 1234.5, currency: 'JPY', status: 'refunded' })).toMatchObject({
      status: 'refunded',
      amount_minor: 1235,
    })
    expect(accept(ORDERS, { ...order, amount: 0 }).amount_minor).toBe(0)
  })
})

describe('a trip', () => {
  it('comes out in seconds and metres, its region as text', () => {
    expect(accept(TRIPS, { ...trip, region_id: 237, distance: 1.2346, duration: 59.6 })).toMatchObject({
      region_id: '237',
      fare_minor: 999,
      duration_s: 60,
      distance_m: 1235,
    })
  })
})

describe('what is refused names its field and says why', () => {
  it.each([
    [CLICKSTREAM, { ...click, event_type: undefined }, 'missing_field', 'event_type', 'event_type: required'],
    [CLICKSTREAM, { ...click, event_type: 'click' }, 'invalid_value', 'event_type', 'event_type: '],
    [CLICKSTREAM, { ...click, user_id: 7 }, 'wrong_type', 'user_id', 'user_id: expected string, received number'],
    [CLICKSTREAM, { ...click, user_id: 'u\0' }, 'invalid_value', 'user_id', 'must not contain the NUL character'],
    [CLICKSTREAM, { ...click, page_url: 'a\0b' }, 'invalid_value', 'page_url', 'must not contain the NUL character'],
    [CLICKSTREAM, { ...click, user_id: 'u'.repeat(201) }, 'invalid_value', 'user_id', 'user_id: too big'],
    [CLICKSTREAM, { ...click, page_url: 'u'.repeat(2049) }, 'invalid_value', 'page_url', 'page_url: too big'],
    [CLICKSTREAM, { ...click, revenue: -1 }, 'invalid_value', 'revenue', 'revenue: too small'],
    [CLICKSTREAM, { ...click, revenue: '12.50' }, 'wrong_type', 'revenue', 'revenue: expected number, received string'],
    [CLICKSTREAM, { ...click, currency: 'TL' }, 'invalid_value', 'currency', 'currency: expected a three-letter'],
    [CLICKSTREAM, { ...click, properties: [1] }, 'wrong_type', 'properties', 'properties: expected record'],
    [CLICKSTREAM, { ...click, properties: 'x' }, 'wrong_type', 'properties', 'properties: expected record'],
    [ORDERS, { ...order, order_id: undefined }, 'missing_field', 'order_id', 'order_id: required'],
    [ORDERS, { ...order, user_id: undefined }, 'missing_field', 'user_id', 'user_id: required'],
    [ORDERS, { ...order, amount: undefined }, 'missing_field', 'amount', 'amount: required'],
    [ORDERS, { ...order, amount: null }, 'wrong_type', 'amount', 'amount: expected number, received null'],
    [ORDERS, { ...order, amount: -0.01 }, 'invalid_value', 'amount', 'amount: too small'],
    [ORDERS, { ...order, amount: 1_000_000_001 }, 'invalid_value', 'amount', 'amount: too big'],
    [ORDERS, { ...order, quantity: 1.5 }, 'wrong_type', 'quantity', 'quantity: expected int'],
    [ORDERS, { ...order, quantity: -1 }, 'invalid_value', 'quantity', 'quantity: too small'],
    [ORDERS, { ...order, status: 'paid' }, 'invalid_value', 'status', 'status: '],
    [TRIPS, { ...trip, region_id: undefined }, 'missing_field', 'region_id', 'region_id: required'],
    [TRIPS, { ...trip, region_id: 1.5 }, 'wrong_type', 'region_id', 'region_id: '],
    [TRIPS, { ...trip, region_id: '' }, 'invalid_value', 'region_id', 'region_id: '],
    [TRIPS, { ...trip, duration: -1 }, 'invalid_value', 'duration', 'duration: too small'],
    [TRIPS, { ...trip, duration: 32 * 86_400 }, 'invalid_value', 'duration', 'duration: too big'],
    [TRIPS, { ...trip, distance: Number.POSITIVE_INFINITY }, 'wrong_type', 'distance', 'distance: expected number'],
  ] as const)('%s %o', (topic, raw, code, field, words) => {
    const refused = problem(topic, raw)
    expect(refused).toMatchObject({ code, field })
    expect(refused.message).toContain(words)
  })

  it.each(INPUT_TOPICS)('what is not an object at all, for %s', (topic) => {
    for (const [raw, what] of [
      [null, 'null'],
      [[], 'an array'],
      ['text', 'string'],
      [7, 'number'],
      [undefined, 'undefined'],
    ] as const) {
      expect(problem(topic, raw)).toEqual({
        code: 'not_an_object',
        field: null,
        message: `expected a JSON object, received ${what}`,
      })
    }
  })

  it('says up to three things at once', () => {
    const { field, message } = problem(ORDERS, {})
    expect(field).toBe('order_id')
    expect(message).toBe('order_id: required; user_id: required; amount: required')
  })
})

describe('times', () => {
  it('are the moment of arrival when none is given', () => {
    expect(accept(ORDERS, { ...order, event_time: null })).toMatchObject({
      event_time: NOW,
      original_time: null,
      received_at: NOW,
    })
  })

  it('may be a text or a number, and nothing else', () => {
    expect(accept(ORDERS, { ...order, event_time: NOW - 5 }).event_time).toBe(NOW - 5)
    expect(accept(ORDERS, { ...order, event_time: '2026-01-31 11:00' }).event_time).toBe(NOW - 3_600_000)
    expect(problem(ORDERS, { ...order, event_time: 'yesterday' })).toMatchObject({
      code: 'invalid_value',
      field: 'event_time',
    })
    expect(problem(ORDERS, { ...order, sent_at: '2026-02-30T00:00:00.000Z' }).field).toBe('sent_at')
    expect(problem(ORDERS, { ...order, event_time: true })).toMatchObject({ code: 'wrong_type', field: 'event_time' })
  })

  it('are corrected by the error of the clock that sent them', () => {
    // The client's clock is an hour slow: it says the event was 10 s before it sent it.
    const event = accept(ORDERS, { ...order, event_time: NOW - 3_610_000, sent_at: NOW - 3_600_000 })
    expect(event).toMatchObject({
      event_time: NOW - 10_000,
      original_time: NOW - 3_610_000,
      sent_at: NOW - 3_600_000,
      received_at: NOW,
    })
    const fast = accept(ORDERS, { ...order, event_time: NOW + 3_590_000, sent_at: NOW + 3_600_000 })
    expect(fast.event_time).toBe(NOW - 10_000)
  })

  it('are left alone when the sending clock is off by more than a week', () => {
    const sentAt = NOW - 8 * 86_400_000
    expect(accept(ORDERS, { ...order, event_time: sentAt - 1_000, sent_at: sentAt }).event_time).toBe(sentAt - 1_000)
    expect(accept(ORDERS, { ...order, event_time: NOW, sent_at: 1e300 })).toMatchObject({
      event_time: NOW,
      sent_at: null,
    })
  })

  it('before 1990 or more than a day ahead are refused, with the likely cause', () => {
    expect(accept(ORDERS, { ...order, event_time: EVENT_TIME_MIN }).event_time).toBe(EVENT_TIME_MIN)
    expect(accept(ORDERS, { ...order, event_time: NOW + FUTURE_MAX_MS }).event_time).toBe(NOW + FUTURE_MAX_MS)
    const seconds = problem(ORDERS, { ...order, event_time: Math.floor(NOW / 1000) })
    expect(seconds).toMatchObject({ code: 'time_out_of_range', field: 'event_time' })
    expect(seconds.message).toContain('before 1990')
    expect(seconds.message).toContain('milliseconds')
    expect(problem(ORDERS, { ...order, event_time: NOW + FUTURE_MAX_MS + 1 }).message).toContain('more than a day')
    expect(problem(ORDERS, { ...order, event_time: 1e300 }).code).toBe('time_out_of_range')
    expect(problem(ORDERS, { ...order, event_time: -1e300 }).code).toBe('time_out_of_range')
  })
})

describe('unknown fields', () => {
  const properties = (raw: unknown) => JSON.parse(accept(ORDERS, raw).properties ?? 'null') as unknown

  it('are kept in properties, beside those declared', () => {
    expect(properties({ ...order, coupon: 'X', properties: { a: 1, b: [{ c: null }] } })).toEqual({
      coupon: 'X',
      a: 1,
      b: [{ c: null }],
    })
    expect(properties(order)).toBeNull()
  })

  it('named __proto__, constructor or toString are fields like any other, at any depth', () => {
    const text = `{"order_id":"o","user_id":"u","amount":1,"__proto__":{"amount":9},"constructor":1,"toString":2,
      "properties":{"__proto__":{"polluted":true},"deep":{"__proto__":1}}}`
    const event = accept(ORDERS, JSON.parse(text))
    expect(event.amount_minor).toBe(100)
    // An unknown field and a declared property of the same name: the unknown field wins, as for any name.
    expect(JSON.parse(event.properties ?? '')).toEqual(
      JSON.parse('{"__proto__":{"amount":9},"deep":{"__proto__":1},"constructor":1,"toString":2}'),
    )
    expect(event.properties).toContain('"__proto__":{"amount":9}')
    const inside = accept(
      ORDERS,
      JSON.parse('{"order_id":"o","user_id":"u","amount":1,"properties":{"__proto__":{"a":1},"b":2}}'),
    )
    expect(inside.properties).toBe('{"__proto__":{"a":1},"b":2}')
    expect(({} as Record<string, unknown>).polluted).toBeUndefined()
  })

  it('are stored as text even with NUL inside, since JSON escapes it', () => {
    expect(accept(ORDERS, { ...order, properties: { note: 'a\0b' } }).properties).toBe('{"note":"a\\u0000b"}')
  })

  it('nested too deeply are refused, not a crash', () => {
    const text = `{"order_id":"o","user_id":"u","amount":1,"properties":{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}}`
    expect(problem(ORDERS, JSON.parse(text))).toMatchObject({ code: 'invalid_value', field: 'properties' })
  })
})

describe('whatever JSON comes', () => {
  it('is either an event that can be stored or a problem with a sentence, never an exception', () => {
    const value = fc.oneof(
      fc.jsonValue(),
      fc.string(),
      fc.double(),
      fc.constantFrom('__proto__', '\0', '\ud800', '2026-01-31T11:59:00Z', -0, 1e308),
    )
    fc.assert(
      fc.property(fc.constantFrom(...INPUT_TOPICS), fc.dictionary(fc.string(), value), (topic, extra) => {
        const names = Object.keys(valid[topic])
        const raw: Record<string, unknown> = { ...valid[topic] }
        let n = 0
        for (const [key, v] of Object.entries(extra)) raw[n++ % 2 === 0 ? names[n % names.length]! : key] = v
        const parsed = parseEvent(topic, raw, context)
        if (!parsed.ok) {
          expect(parsed.problem.message.length).toBeGreaterThan(5)
          return
        }
        for (const v of Object.values(parsed.event)) {
          if (typeof v === 'number') expect(Number.isSafeInteger(v)).toBe(true)
          else if (v !== null) expect(v).not.toContain('\0')
        }
      }),
      { numRuns: 1_000 },
    )
  })
})
