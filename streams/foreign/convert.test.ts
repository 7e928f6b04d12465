/** The configuration of foreign topics, and what becomes of a row. */
import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { CLICKSTREAM, ORDERS } from '../contract/topics.ts'
import { createConverter } from './convert.ts'
import { type ForeignTopic, parseForeignTopics } from './foreign-topic.ts'

const NOON = Date.UTC(2026, 0, 15, 12)
const orders: ForeignTopic = {
  name: 'shop.orders',
  partitions: 2,
  mapping: {
    topic: 'orders',
    currency: 'EUR',
    columns: {
      order_id: 'id',
      user_id: 'customer.id',
      amount: { column: 'cents', unit: 'minor' },
      event_time: 'at',
      status: { column: 'state', values: { paid: 'success' } },
    },
    properties: ['note'],
  },
}
const clicks: ForeignTopic = {
  name: 'user-activity-stream',
  partitions: 1,
  mapping: { topic: 'events', columns: { event_type: 'action', user_id: 'user', event_time: 'ts' } },
}
const at = { topic: 'user-activity-stream', partition: 3, offset: 17, appendedAtMs: NOON - 1_000 }
const convert = (foreign: ForeignTopic, row: unknown, from = at) =>
  createConverter(foreign, 'TRY').convert(Buffer.from(typeof row === 'string' ? row : JSON.stringify(row)), from, NOON)

describe('a row of a foreign topic', () => {
  it('becomes the event that the mapping says', () => {
    const row = { id: 'o-1', customer: { id: 'ada' }, cents: 1250, at: '2026-01-15 11:59:00', state: 'paid', note: 'x' }
    expect(createConverter(orders, 'TRY').topic).toBe(ORDERS)
    expect(convert(orders, row)).toMatchObject({
      event: {
        order_id: 'o-1',
        user_id: 'ada',
        amount_minor: 1_250,
        currency: 'EUR',
        status: 'success',
        event_time: NOON - 60_000,
        received_at: NOON,
        properties: '{"note":"x"}',
      },
    })
  })

  it('is let go where it says that whom it is about does not agree; what is no answer is no yes', () => {
    const asking = {
      ...clicks,
      mapping: {
        topic: 'events',
        columns: { event_type: 'action', user_id: 'user', event_time: 'ts', consent: 'agreed.tracking' },
      },
    } satisfies ForeignTopic
    const row = (agreed: object | null) => ({ action: 'page_view', user: 'ada', ts: NOON - 5_000, agreed })
    for (const no of [false, 'false', 0, '0'])
      expect(convert(asking, row({ tracking: no }))).toEqual({ withoutConsent: true })
    for (const yes of [true, 'TRUE', 1, null]) expect(convert(asking, row({ tracking: yes }))).toHaveProperty('event')
    expect(convert(asking, row(null))).toHaveProperty('event')
    expect(convert(asking, row({ tracking: 'maybe' }))).toEqual({
      reason: 'bad_row',
      message: 'consent: expected true or false (or 1 or 0), found "maybe"',
    })
  })

  it('without an id gets one from where it lies, the same each time, and another where the topic was made anew', () => {
    const row = { action: 'page_view', user: 'ada', ts: NOON - 5_000 }
    const idOf = (from = at) => (convert(clicks, row, from) as { event: { event_id: string } }).event.event_id
    expect(createConverter(clicks, 'TRY').topic).toBe(CLICKSTREAM)
    expect(idOf()).toBe(`user-activity-stream/3/17/${NOON - 1_000}`)
    expect(idOf()).toBe(idOf())
    expect(new Set([idOf(), idOf({ ...at, offset: 18 }), idOf({ ...at, appendedAtMs: NOON })]).size).toBe(3)
  })

  it.each([
    ['no value', '', 'unknown_format', /no value/],
    ['what is no JSON', '{"action":', 'bad_json', /./],
    ['bytes of the Avro format', '\0\0\0\0\x07abc', 'bad_json', /./],
    ['a list', '[1]', 'unknown_format', /not a JSON object/],
    ['a column that can not be read', { action: 'page_view', user: 'ada', ts: 'noon' }, 'bad_row', /event_time: .*ts/],
    ['a type that there is not', { action: 'dance', user: 'ada', ts: NOON }, 'invalid_event', /event_type/],
    ['nobody', { action: 'page_view', ts: NOON }, 'invalid_event', /user_id/],
    ['a time of next week', { action: 'page_view', user: 'a', ts: NOON + 8.64e7 * 7 }, 'invalid_event', /event_time/],
  ])('with %s is none, and says why', (_, row, reason, message) => {
    const found = convert(clicks, row) as { reason: string; message: string }
    expect(found.reason).toBe(reason)
    expect(found.message).toMatch(message)
  })

  it('has half surrogate pairs replaced, as UTF-8 would', () => {
    const row = '{"action":"page_view","user":"a\\ud800b","ts":1768478400000}'
    expect(convert(clicks, row)).toMatchObject({ event: { user_id: 'a\ufffdb' } })
  })
})

describe('the configuration of foreign topics', () => {
  const parse = (value: unknown, files: Record<string, unknown> = {}) =>
    parseForeignTopics(value, 'foreign.json', async (path) => {
      if (!(path in files)) throw new Error(`${path} can't be read`)
      return files[path]
    })

  it('names a preset, a mapping file, or has the mapping in it', async () => {
    const topics = [
      { topic: 'a', mapping: 'rees46' },
      { topic: 'b', mapping: './b.json', partitions: 4 },
      { topic: 'c', mapping: clicks.mapping },
    ]
    const found = await parse({ topics }, { './b.json': orders.mapping })
    expect(found.map(({ name, partitions }) => [name, partitions])).toEqual([
      ['a', 1],
      ['b', 4],
      ['c', 1],
    ])
    expect(found.map((topic) => createConverter(topic, 'TRY').topic)).toEqual([CLICKSTREAM, ORDERS, CLICKSTREAM])
    // It is handed to a thread.
    expect(structuredClone(found)).toEqual(found)
  })

  it('of the example reads what the README shows', async () => {
    const example = await readFile(new URL('./example/foreign-topics.json', import.meta.url), 'utf8')
    const [foreign] = await parse(JSON.parse(example))
    const row = { action: 'buy', user: { id: 'ada' }, product: 'kettle', kurus: 4990, ts: '2026-01-15T11:59:00Z' }
    expect(foreign!.name).toBe('user-activity-stream')
    expect(convert(foreign!, row)).toMatchObject({ event: { event_type: 'purchase', revenue_minor: 4_990 } })
  })

  it.each([
    ['no list', {}, /^foreign\.json does not say which foreign topics there are:\n {2}topics: /],
    ['no topic', { topics: [] }, /topics: expected at least one topic/],
    ['an impossible name', { topics: [{ topic: 'a b', mapping: 'rees46' }] }, /topics\.0\.topic: expected at most 150/],
    ['a topic of ours', { topics: [{ topic: ORDERS, mapping: 'rees46' }] }, /is a topic of the platform itself/],
    ['dead letters', { topics: [{ topic: 'dlq.x', mapping: 'rees46' }] }, /holds dead letters/],
    ['an unknown word', { topics: [{ topic: 'a', mapping: 'rees46', group: 'g' }] }, /group/],
    ['no mapping', { topics: [{ topic: 'a' }] }, /topics\.0\.mapping: expected a preset \(rees46, /],
    ['a missing file', { topics: [{ topic: 'a', mapping: 'x.json' }] }, /x\.json can't be read/],
    [
      'a mapping that is none',
      { topics: [{ topic: 'a', mapping: { topic: 'orders', columns: {} } }] },
      /^foreign\.json, mapping of a, is not a mapping:\n.*amount: needed/s,
    ],
    ['a topic twice', { topics: [1, 2].map(() => ({ topic: 'a', mapping: 'rees46' })) }, /names the topic a twice/],
    [
      'more than fits',
      { topics: ['a', 'b', 'c'].map((topic) => ({ topic, mapping: 'rees46', partitions: 32 })) },
      /more than 64 partitions/,
    ],
  ])('with %s is refused with a sentence', async (_, value, message) => {
    await expect(parse(value)).rejects.toThrow(message)
  })
})
