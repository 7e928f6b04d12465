/** Mappings row by row: what each preset makes of each oddity of its file, and what a mapping file may say. */
import { describe, expect, it } from 'vitest'
import { parseEvent } from '../../contract/input.ts'
import { BadRow, type Mapping, parseMapping } from './mapping.ts'
import { nycTlc } from './nyc-tlc.ts'
import { exactProduct, onlineRetail } from './online-retail.ts'
import { rees46 } from './rees46.ts'
import { retailCategory } from './retail-categories.ts'

const rowId = () => 'hash'

/** The event, checked against the contract; or the reason of a bad row. */
function map(mapping: Mapping, row: Record<string, unknown>): Record<string, unknown> | string {
  const mapped = mapping.map(row, rowId)
  if ('withoutConsent' in mapped) return 'without consent'
  if ('bad' in mapped) return mapped.bad
  const parsed = parseEvent(mapping.topic, mapped.event, {
    receivedAt: Date.UTC(2026, 0, 1),
    currency: 'TRY',
    newId: rowId,
  })
  return parsed.ok ? { ...parsed.event } : `edge: ${parsed.problem.message}`
}

describe('the preset rees46', () => {
  const row = {
    event_time: '2019-10-01 00:00:01 UTC',
    event_type: 'view',
    product_id: '17200506',
    category_id: '2053013559792632471',
    category_code: 'furniture.living_room.sofa',
    brand: '',
    price: '543.10',
    user_id: '519107250',
    user_session: '566511c2-e2e3-422b-b695-cf8e6e792ca8',
  }

  it('makes a view a product view, whose price is a property', () => {
    expect(map(rees46, row)).toMatchObject({
      event_id: 'hash',
      event_type: 'product_view',
      event_time: Date.UTC(2019, 9, 1, 0, 0, 1),
      user_id: '519107250',
      session_id: '566511c2-e2e3-422b-b695-cf8e6e792ca8',
      product_id: '17200506',
      category: 'furniture.living_room.sofa',
      revenue_minor: null,
      properties: '{"category_id":"2053013559792632471","price":"543.10"}',
    })
  })

  it('makes a cart an add_to_cart', () => {
    expect(map(rees46, { ...row, event_type: 'cart' })).toMatchObject({
      event_type: 'add_to_cart',
      revenue_minor: null,
    })
  })

  it('makes a purchase one with revenue in USD and no order', () => {
    const purchase = { ...row, event_type: 'purchase', price: '35.79', category_code: '' }
    expect(map(rees46, purchase)).toMatchObject({
      event_type: 'purchase',
      revenue_minor: 3579,
      currency: 'USD',
      order_id: null,
      category: null,
    })
    expect(map(rees46, { ...purchase, price: '0.00' })).toMatchObject({ revenue_minor: 0 })
    expect(map(rees46, { ...purchase, price: '-1' })).toBe('revenue: a purchase at a negative price')
    expect(map(rees46, { ...purchase, price: 'free' })).toBe('revenue: expected a number in column price, found "free"')
  })

  it('counts a view at price zero', () => {
    expect(map(rees46, { ...row, price: '0.00' })).toMatchObject({ event_type: 'product_view' })
  })

  it('refuses other kinds of events and unreadable times', () => {
    expect(map(rees46, { ...row, event_type: 'remove_from_cart' })).toBe(
      'event_type: "remove_from_cart" in column event_type is not one of view, cart, purchase',
    )
    expect(map(rees46, { ...row, event_time: 'noon' })).toContain('event_time: expected a time in column event_time')
    expect(map(rees46, { ...row, event_time: '' })).toBe('event_time: empty')
  })
})

describe('the preset online-retail', () => {
  const row = {
    InvoiceNo: '536365',
    StockCode: '85123A',
    Description: 'WHITE HANGING HEART T-LIGHT HOLDER',
    Quantity: '6',
    InvoiceDate: '2010-12-01 08:26:00',
    UnitPrice: '2.55',
    CustomerID: '17850.0',
    Country: 'United Kingdom',
  }

  it('makes a line an order of its own', () => {
    expect(map(onlineRetail, row)).toMatchObject({
      order_id: '536365-hash',
      user_id: '17850',
      product_id: '85123A',
      category: 'lighting',
      quantity: 6,
      amount_minor: 1530,
      currency: 'GBP',
      region: 'United Kingdom',
      status: 'success',
      event_time: Date.UTC(2010, 11, 1, 8, 26),
      properties: '{"InvoiceNo":"536365","Description":"WHITE HANGING HEART T-LIGHT HOLDER"}',
    })
  })

  it('makes a cancellation a refund of a positive amount', () => {
    expect(map(onlineRetail, { ...row, InvoiceNo: 'C536379', Quantity: '-1', UnitPrice: '27.5' })).toMatchObject({
      order_id: 'C536379-hash',
      status: 'refunded',
      quantity: 1,
      amount_minor: 2750,
    })
  })

  it('makes a line without a customer the order of a guest, one per invoice', () => {
    expect(map(onlineRetail, { ...row, CustomerID: '' })).toMatchObject({ user_id: 'guest-536365' })
  })

  it('makes a price of zero an order of amount zero', () => {
    expect(map(onlineRetail, { ...row, UnitPrice: '0.0' })).toMatchObject({ status: 'success', amount_minor: 0 })
  })

  it('refuses what is no order, with the reason', () => {
    expect(map(onlineRetail, { ...row, Quantity: '-10', UnitPrice: '0.0' })).toContain('a stock adjustment')
    expect(map(onlineRetail, { ...row, Quantity: '0' })).toContain('a stock adjustment')
    expect(map(onlineRetail, { ...row, UnitPrice: '-11062.06' })).toContain('an accounting entry')
    expect(map(onlineRetail, { ...row, Quantity: '1.5' })).toContain('whole number')
    expect(map(onlineRetail, { ...row, UnitPrice: 'n/a' })).toContain('amount: expected a number')
    expect(map(onlineRetail, { ...row, InvoiceNo: '' })).toContain('InvoiceNo is empty')
  })

  it('multiplies without floating point', () => {
    expect(exactProduct(3, '0.1')).toBe(0.3)
    expect(exactProduct(2880, '0.14')).toBe(403.2)
    expect(exactProduct(1, '13541.33')).toBe(13541.33)
    expect(exactProduct(3, '0.001')).toBe(0)
    expect(exactProduct(5, '0.001')).toBe(0.01)
    expect(exactProduct(80_995, '2.08')).toBe(168_469.6)
    expect(() => exactProduct(1, '')).toThrow(BadRow)
  })

  it('finds a category in the description', () => {
    expect(retailCategory('22086', "PAPER CHAIN KIT 50'S CHRISTMAS ")).toBe('christmas')
    expect(retailCategory('21754', 'HOME BUILDING BLOCK WORD')).toBe('decoration')
    expect(retailCategory('22960', 'JAM MAKING SET WITH JARS')).toBe('kitchen')
    expect(retailCategory('POST', 'POSTAGE')).toBe('services')
    expect(retailCategory('21777', '')).toBe('other')
  })
})

describe('the preset nyc-tlc', () => {
  const row = {
    pickup_datetime: '2019-01-01 00:00:50',
    dropoff_datetime: '2019-01-01 00:31:48',
    passenger_count: '1',
    trip_distance: '18.0',
    pickup_location_id: '132',
    dropoff_location_id: '140',
    payment_type: '1',
    fare_amount: '52.0',
    total_amount: '59.8',
  }

  it('makes a trip of its pickup zone, at its pickup', () => {
    expect(map(nycTlc, row)).toMatchObject({
      trip_id: 'hash',
      region_id: '132',
      fare_minor: 5200,
      currency: 'USD',
      duration_s: 1858,
      distance_m: 28968,
      event_time: Date.UTC(2019, 0, 1, 0, 0, 50),
    })
  })

  it('converts miles to the metre, for every distance there is', () => {
    for (let hundredths = 0; hundredths <= 10_000; hundredths++) {
      const mapped = map(nycTlc, { ...row, trip_distance: (hundredths / 100).toFixed(2) })
      expect((mapped as { distance_m: number }).distance_m).toBe(Math.round((hundredths * 1_609_344) / 100_000))
    }
  })

  it('keeps zero distances, zero fares, unknown zones and a pickup of 2008', () => {
    const odd = { ...row, trip_distance: '0.0', fare_amount: '0.0', pickup_location_id: '264' }
    expect(map(nycTlc, odd)).toMatchObject({ distance_m: 0, fare_minor: 0, region_id: '264' })
    const old = { ...row, pickup_datetime: '2008-12-31 23:49:36', dropoff_datetime: '2009-01-01 00:03:52' }
    expect(map(nycTlc, old)).toMatchObject({ duration_s: 856, event_time: Date.UTC(2008, 11, 31, 23, 49, 36) })
  })

  it('refuses voided trips and those that end before they begin', () => {
    expect(map(nycTlc, { ...row, fare_amount: '-52.0' })).toContain('a voided trip')
    expect(map(nycTlc, { ...row, dropoff_datetime: '2019-01-01 00:00:49' })).toContain('before the pickup')
  })
})

describe('a mapping file', () => {
  const spec = {
    topic: 'orders',
    currency: 'KWD',
    columns: {
      order_id: 'id',
      user_id: 'buyer.email',
      amount: { column: 'total_fils', unit: 'minor' },
      status: { column: 'state', values: { paid: 'success', declined: 'failed' }, default: 'success' },
      event_time: { column: 'at', unit: 's' },
      region: { const: 'kuwait' },
    },
    properties: ['note'],
  }
  const row = {
    id: 17,
    buyer: { email: 'a@example.org' },
    total_fils: '12345',
    state: 'paid',
    at: '1569888000',
    note: 'x',
  }

  it('names columns, values, units, defaults and constants', () => {
    const mapping = parseMapping(spec, 'shop.json')
    expect(map(mapping, row)).toMatchObject({
      order_id: '17',
      user_id: 'a@example.org',
      amount_minor: 12345,
      currency: 'KWD',
      status: 'success',
      region: 'kuwait',
      event_time: 1_569_888_000_000,
      properties: '{"note":"x"}',
    })
    expect(map(mapping, { ...row, state: '' })).toMatchObject({ status: 'success' })
    expect(map(mapping, { ...row, state: 'lost' })).toBe('status: "lost" in column state is not one of paid, declined')
    expect(map(mapping, { ...row, total_fils: '12,5' })).toBe(
      'amount: expected a number in column total_fils, found "12,5"',
    )
    expect(map(mapping, { ...row, id: '' })).toMatchObject({ order_id: 'hash' })
    expect(map(mapping, { ...row, buyer: { email: { a: 1 } } })).toBe(
      'user_id: expected text in column buyer.email, found {"a":1}',
    )
  })

  it('scales numbers', () => {
    const trips = {
      topic: 'trips',
      columns: {
        region_id: 'zone',
        fare: { column: 'fare', scale: 2 },
        duration: { column: 'minutes', unit: 'min' },
        distance: { column: 'metres', unit: 'm' },
        event_time: 'at',
      },
    }
    const trip = { zone: 4, fare: 2.25, minutes: '1.5', metres: 1250, at: 1_569_888_000_000 }
    expect(map(parseMapping(trips, 'm'), trip)).toMatchObject({
      fare_minor: 450,
      duration_s: 90,
      distance_m: 1250,
      region_id: '4',
    })
  })

  it('changes its identity with what it says, so that an old progress is not taken up', () => {
    const other = { ...spec, currency: 'TRY' }
    expect(parseMapping(spec, 'm').identity).toBe(parseMapping(structuredClone(spec), 'm').identity)
    expect(parseMapping(other, 'm').identity).not.toBe(parseMapping(spec, 'm').identity)
  })

  it.each([
    [{ ...spec, topic: 'clicks' }, 'topic: '],
    [{ ...spec, colums: {} }, 'Unrecognized key: "colums"'],
    [{ topic: 'orders', columns: { user_id: 'u', amount: 'a' } }, 'columns.event_time: needed, and no column is named'],
    [{ ...spec, columns: { ...spec.columns, price: 'p' } }, 'columns.price: transactions.orders has no field "price"'],
    [{ ...spec, columns: { ...spec.columns, amount: { column: 'a', unit: 'km' } } }, '"km" is not one of major, minor'],
    [
      { ...spec, columns: { ...spec.columns, region: { column: 'a', scale: 2 } } },
      'columns.region.scale: this field is not a number',
    ],
    [{ ...spec, columns: { ...spec.columns, region: 7 } }, 'columns.region: expected a column name'],
    [{ ...spec, currency: 'lira' }, 'currency: expected an ISO 4217 code'],
    [{ topic: 'events', columns: { event_type: 't', event_time: 'at' } }, 'columns.user_id: needed (or anonymous_id)'],
    [[], 'is not a mapping'],
  ])('that is wrong is refused with what is wrong: %#', (value, message) => {
    expect(() => parseMapping(value, 'shop.json')).toThrow(message)
    expect(() => parseMapping(value, 'shop.json')).toThrow('shop.json is not a mapping')
  })
})
