/** What becomes of single changes of products: of our demo shop's, and of tables with other columns. */
import { describe, expect, it } from 'vitest'
import { keyOf, recordsOf, truncation } from '../cdc/testing/shop.ts'
import { UNAVAILABLE } from '../contract/cdc.ts'
import { Undecodable } from '../contract/codec.ts'
import type { NewRecord } from '../log/event-log.ts'
import { productRow } from './product-row.ts'

const rowOf = ({ key, value, tombstone }: NewRecord) =>
  productRow({ offset: 7, appendedAtMs: 5, key, value: Buffer.from(value), ...(tombstone && { tombstone }) }, 'TRY')
const changed = (row: Parameters<typeof recordsOf>[0]['row']) =>
  recordsOf({ table: 'products', id: 1, atMs: 9, row }).map(rowOf)

describe('a change of a product', () => {
  it('is a row with the time of its commit and its place in the WAL', () => {
    const shop = { sku: 's', name: 'Kettle', category: 'home', price: '12.50', currency: 'EUR', stock: 3 }
    expect(changed({ ...shop, updated_at: '2026-01-01T00:00:00Z' })).toEqual([
      {
        ...{ op: 'u', source_lsn: 24_023_128, event_time: 9, deleted: false, id: '1', ...shop, price_minor: 1_250 },
        ...{ updated_at: 1_767_225_600_000, brand: null, extra: null, unchanged: null },
      },
    ])
  })

  it('has whatever the platform does not know as JSON, and the platform has the currency where the shop has none', () => {
    const [row] = changed({ name: 'Kettle', price: 12.505, brand: 'Acme', tags: ['a', { b: 1 }], manual: UNAVAILABLE })
    expect(row).toMatchObject({ name: 'Kettle', sku: null, stock: null, price: '12.505', price_minor: 1_251 })
    expect(row).toMatchObject({ currency: 'TRY', brand: 'Acme', unchanged: '["manual"]' })
    expect(JSON.parse(row!.extra as string)).toEqual({ brand: 'Acme', tags: ['a', { b: 1 }] })
  })

  it.each([
    ['1000000001', 'TRY'],
    ['12', 'bitcoin'],
    [null, 'TRY'],
  ])('whose price is %s %s has none in minor units', (price, currency) => {
    expect(changed({ price, currency })).toMatchObject([{ price, currency, price_minor: null }])
  })

  it('that deletes it is a row, and the tombstone behind it is none', () => {
    expect(changed(null)).toEqual([{ op: 'd', source_lsn: 24_023_128, event_time: 9, deleted: true, id: '1' }, null])
  })

  it('that all rows of a partition are gone is a row of no product', () => {
    expect(rowOf(truncation('products', 9, 1)[0]!)).toEqual({
      ...{ op: 't', source_lsn: 24_023_128, event_time: 9, deleted: true },
    })
  })

  it('of a moment that is no day of a calendar is of the moment at which the log got it', () => {
    const times = [-1, 1e15, 0.5].map((atMs) => {
      const [record] = recordsOf({ table: 'products', id: 1, atMs, row: {} })
      return rowOf(record!)!.event_time
    })
    expect(times).toEqual([5, 5, 5])
  })
})

it.each([
  ['no change', { key: keyOf(1), value: Buffer.from('{"orders":[]}') }],
  ['a change without a key', { key: null, value: recordsOf({ table: 'products', id: 1, atMs: 9, row: {} })[0]!.value }],
  ['a price that is none', recordsOf({ table: 'products', id: 1, atMs: 9, row: { price: 'AfQ=' } })[0]!],
])('%s is what nobody can read', (_, record) => {
  expect(() => rowOf({ topic: '', ...record })).toThrow(Undecodable)
})
