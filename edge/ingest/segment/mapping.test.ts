import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CALLS, type Envelope, type Mapped, toEvents } from './mapping.ts'

const BATCH: Envelope = { call: null, context: null, sentAt: undefined }
const newId = () => 'made'

function events(message: object, envelope: Envelope = BATCH): Mapped {
  const mapping = toEvents({ messageId: 'm-1', userId: 'ada', ...message }, envelope, newId)
  if (!mapping.ok) throw new Error(mapping.problem.message)
  return mapping.events
}
const track = (event: string, properties?: object): Mapped => events({ type: 'track', event, properties })
const problem = (message: unknown, envelope: Envelope = BATCH) => {
  const mapping = toEvents(message, envelope, newId)
  return mapping.ok ? null : mapping.problem
}

const LAMP = { product_id: 'lamp', category: 'Home', price: 20, quantity: 2 }
const CHAIR = { product_id: 'chair', category: 'Home', price: 9.5 }

describe('a message', () => {
  it('is a custom event with its name, properties and context, under the names of Segment', () => {
    const { click, order } = events({
      type: 'track',
      event: 'Signed Up',
      anonymousId: 'browser-1',
      timestamp: '2026-01-31T12:00:00.000Z',
      properties: { plan: 'pro' },
      context: {
        page: { url: 'https://shop.example/join', referrer: 'https://search.example/' },
        userAgent: 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36',
        campaign: { name: 'spring' },
        device: { type: 'tablet' },
        location: { region: 'Izmir' },
        locale: 'tr-TR',
        library: { name: 'analytics.js', version: '2.1.0' },
      },
      integrations: { All: false },
      writeKey: 'wk',
      _metadata: { bundled: [] },
    })
    expect(order).toBeNull()
    expect(click).toMatchObject({
      event_id: 'm-1',
      event_type: 'custom',
      user_id: 'ada',
      anonymous_id: 'browser-1',
      event_time: '2026-01-31T12:00:00.000Z',
      page_url: 'https://shop.example/join',
      referrer: 'https://search.example/',
      device: 'tablet',
      region: 'Izmir',
      bot: false,
    })
    expect(click.properties).toMatchObject({
      type: 'track',
      event: 'Signed Up',
      properties: { plan: 'pro' },
      context: { campaign: { name: 'spring' }, locale: 'tr-TR', library: { name: 'analytics.js' } },
    })
    for (const name of ['integrations', 'writeKey', '_metadata', 'messageId', 'userId', 'timestamp']) {
      expect(click.properties).not.toHaveProperty(name)
    }
  })

  it('is a page view where it is a page, or a screen of an app', () => {
    const page = { url: 'https://shop.example/a', referrer: 'https://shop.example/' }
    expect(events({ type: 'page', name: 'A', properties: page }).click).toMatchObject({
      event_type: 'page_view',
      page_url: 'https://shop.example/a',
      referrer: 'https://shop.example/',
    })
    expect(events({ type: 'page', context: { page } }).click).toMatchObject({ page_url: 'https://shop.example/a' })
    expect(events({ type: 'screen', name: 'Basket' }).click).toMatchObject({
      event_type: 'page_view',
      page_url: undefined,
      properties: { type: 'screen', name: 'Basket' },
    })
  })

  it('keeps traits, the group and the former id, and merges nobody by them', () => {
    const custom = (message: object) => events(message).click
    expect(custom({ type: 'identify', traits: { email: 'ada@shop.example' } })).toMatchObject({
      event_type: 'custom',
      properties: { type: 'identify', traits: { email: 'ada@shop.example' } },
    })
    expect(custom({ type: 'group', groupId: 'g-1', traits: { size: 3 } })).toMatchObject({
      properties: { type: 'group', groupId: 'g-1', traits: { size: 3 } },
    })
    expect(custom({ type: 'alias', previousId: 'browser-1' })).toMatchObject({
      user_id: 'ada',
      properties: { type: 'alias', previousId: 'browser-1' },
    })
  })

  it('has the context and the sending time of its batch, where it says nothing else itself', () => {
    const envelope: Envelope = {
      call: null,
      context: { locale: 'tr-TR', device: { type: 'phone' } },
      sentAt: '2026-01-31T12:00:05.000Z',
    }
    const { click } = events(
      { type: 'track', event: 'Tapped', sentAt: '2026-01-31T11:00:00.000Z', context: { locale: 'en-GB' } },
      envelope,
    )
    expect(click).toMatchObject({ device: 'phone', sent_at: '2026-01-31T12:00:05.000Z' })
    expect(click.properties).toMatchObject({ context: { locale: 'en-GB', device: { type: 'phone' } } })
  })

  it('takes the client’s own clock where a proxy has added a corrected time', () => {
    const { click } = events({ type: 'page', originalTimestamp: 1_000, timestamp: 2_000, sentAt: 1_500 })
    expect(click).toMatchObject({ event_time: 1_000, sent_at: 1_500 })
  })

  it('gets an id where it brings none; ids that are numbers become text, empty ones are none', () => {
    expect(events({ messageId: undefined, type: 'page' }).click).toMatchObject({ event_id: 'made' })
    expect(events({ type: 'page', userId: 7, anonymousId: '' }).click).toMatchObject({
      user_id: '7',
      anonymous_id: undefined,
    })
  })

  it('is refused with the field that is missing', () => {
    expect(problem(null)).toMatchObject({ code: 'not_an_object' })
    expect(problem({ type: 'track', event: 'x', messageId: 'm' })).toEqual({
      id: 'm',
      code: 'missing_field',
      message: 'userId: required (or anonymousId)',
    })
    expect(problem({ type: 'track', userId: 'u' })).toMatchObject({ message: 'event: required' })
    expect(problem({ type: 'group', userId: 'u' })).toMatchObject({ message: 'groupId: required' })
    expect(problem({ type: 'alias', userId: 'u' })).toMatchObject({ message: 'previousId: required' })
    expect(problem({ type: 'constructor', userId: 'u' })).toMatchObject({ code: 'invalid_value' })
    expect(problem({ type: 'identify', userId: 'u' }, { ...BATCH, call: 'track' })).toMatchObject({
      message: 'event: required',
    })
  })

  it('has a verdict or events, the same each time, whatever its fields are', () => {
    const json = fc.jsonValue({ maxDepth: 3 })
    const names = ['Order Completed', 'Order Refunded', 'Product Viewed', 'Checkout Started']
    const message = fc.record(
      {
        type: fc.oneof(fc.constantFrom(...CALLS), json),
        messageId: fc.oneof(fc.string(), json),
        userId: fc.oneof(fc.string(), json),
        event: fc.oneof(fc.constantFrom(...names), json),
        properties: fc.oneof(
          fc.dictionary(fc.constantFrom('order_id', 'total', 'products', 'price', 'sku'), json),
          json,
        ),
        context: fc.oneof(fc.dictionary(fc.constantFrom('page', 'device', 'location', 'userAgent'), json), json),
        timestamp: json,
        groupId: json,
        previousId: json,
      },
      { requiredKeys: [] },
    )
    fc.assert(
      fc.property(fc.oneof(message, json), (raw) => {
        expect(toEvents(raw, BATCH, newId)).toEqual(toEvents(structuredClone(raw), BATCH, newId))
      }),
    )
  })

  it('can’t reach a prototype by its names', () => {
    const message = JSON.parse('{"type":"track","event":"constructor","userId":"u","__proto__":{"polluted":true}}')
    const { click } = events(message)
    expect(click.event_type).toBe('custom')
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined()
    expect(JSON.stringify(click.properties)).toContain('"__proto__":{"polluted":true}')
  })
})

describe('an event of the e-commerce specification', () => {
  it.each([
    ['Product Viewed', 'product_view'],
    ['viewed_product', 'product_view'],
    ['Product Added', 'add_to_cart'],
    ['Wishlist Product Added to Cart', 'add_to_cart'],
    ['  checkout-started ', 'checkout'],
    ['Product Clicked', 'custom'],
    ['Product List Viewed', 'custom'],
    ['Checkout Step Viewed', 'custom'],
    ['Order Cancelled', 'custom'],
  ])('%s is %s', (name, type) => {
    expect(track(name, LAMP).click.event_type).toBe(type)
    expect(track(name, LAMP).order).toBeNull()
  })

  it('names its product and category', () => {
    expect(track('Product Viewed', LAMP).click).toMatchObject({ product_id: 'lamp', category: 'Home' })
    expect(track('Product Added', { sku: 17 }).click).toMatchObject({ product_id: '17' })
    expect(track('Product Viewed', LAMP).click.properties).toMatchObject({ properties: LAMP })
  })

  it('Order Completed is a purchase and its order', () => {
    const { click, order } = track('Order Completed', {
      order_id: 'o-1',
      total: 27.5,
      revenue: 25,
      currency: 'usd',
      products: [LAMP],
    })
    expect(click).toMatchObject({
      event_id: 'm-1',
      event_type: 'purchase',
      order_id: 'o-1',
      product_id: 'lamp',
      revenue: 27.5,
      currency: 'usd',
    })
    expect(order).toMatchObject({
      order_id: 'o-1',
      user_id: 'ada',
      status: 'success',
      amount: 27.5,
      currency: 'usd',
      product_id: 'lamp',
      category: 'Home',
      quantity: 2,
    })
    expect(order?.properties).toMatchObject({ properties: { products: [LAMP] } })
  })

  it('stays one order with several products, and names what all of them share', () => {
    const { order } = track('Order Completed', { order_id: 'o-1', products: [LAMP, CHAIR] })
    expect(order).toMatchObject({ amount: 49.5, product_id: undefined, category: 'Home', quantity: 3 })
    expect(order?.properties).toMatchObject({ properties: { products: [LAMP, CHAIR] } })
  })

  it('takes its own id for an order without one, and a guest for its customer', () => {
    const guest = { userId: undefined, anonymousId: 'browser-1', type: 'track', event: 'Order Completed' }
    const { click, order } = events({ ...guest, properties: { revenue: '12.50' } })
    expect(order).toMatchObject({ order_id: 'm-1', user_id: 'browser-1', amount: 12.5 })
    expect(click).toMatchObject({ order_id: 'm-1', revenue: 12.5 })
  })

  it('Order Refunded is a refund of that order, whichever sign it has', () => {
    const { click, order } = track('Order Refunded', { order_id: 'o-1', total: -30 })
    expect(order).toMatchObject({ order_id: 'o-1', status: 'refunded', amount: 30 })
    expect(click).toMatchObject({ event_type: 'custom', order_id: 'o-1' })
    expect(click.revenue).toBeUndefined()
  })

  it('is refused without what an order needs', () => {
    const refused = (event: string, properties: object) => problem({ type: 'track', userId: 'u', event, properties })
    expect(refused('Order Completed', { order_id: 'o-1' })?.message).toContain('properties.total: required')
    expect(refused('Order Completed', { products: [LAMP, { product_id: 'free' }] })?.code).toBe('missing_field')
    expect(refused('Order Refunded', { total: 3 })?.message).toBe('properties.order_id: required')
  })
})
