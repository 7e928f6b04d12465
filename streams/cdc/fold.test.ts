/** The projection's kernel against a naive fold, however its changes are cut into batches and repeated, and what it makes of single records. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { LogRecord, NewRecord } from '../log/event-log.ts'
import { createRandom } from '../testing/random.ts'
import { fold, type HistoryEntry } from './fold.ts'
import { type AllGone, readShopChange, type ShopChange, type Unreadable } from './read-change.ts'
import { type CapturedRow, SHOP_TABLES } from './tables.ts'
import { naiveShop, randomSteps, recordsOf, type Step } from './testing/shop.ts'

const [products, orders, items] = SHOP_TABLES as [
  (typeof SHOP_TABLES)[0],
  (typeof SHOP_TABLES)[0],
  (typeof SHOP_TABLES)[0],
]
const tables = { products, orders, order_items: items }

const logged = ({ key, value, tombstone }: NewRecord, offset: number): LogRecord => ({
  ...{ offset, appendedAtMs: 5, key, value: Buffer.from(value) },
  ...(tombstone && { tombstone }),
})

type Folding = Exclude<ShopChange, AllGone>
function changesOf(steps: readonly Step[], table: Step['table']): Folding[] {
  const records = steps.filter((step) => step.table === table).flatMap((step) => recordsOf(step))
  return records.map((record, offset) => readShopChange(tables[table], logged(record, offset)) as Folding)
}

/** Folds slices of the changes, each given by its ends, over what the slices before have left. */
function foldSlices(table: Step['table'], changes: readonly Folding[], slices: readonly [from: number, to: number][]) {
  const { key } = tables[table]
  const rows = new Map<unknown, CapturedRow>()
  const entries: Record<string, HistoryEntry[]> = {}
  for (const [from, to] of slices) {
    const folded = fold(tables[table], 0, [...rows.values()], changes.slice(from, to))
    for (const row of folded.rows) rows.set(row[key], row)
    for (const [history, list] of Object.entries(folded.entries))
      entries[history] = [...(entries[history] ?? []), ...list]
  }
  return { rows, entries }
}

describe('rows and histories', () => {
  it('are those of a naive fold, however changes are cut into batches, and whatever comes again', () => {
    fc.assert(
      fc.property(fc.nat(), fc.array(fc.tuple(fc.nat(60), fc.nat(20)), { maxLength: 12 }), (seed, cuts) => {
        const steps = randomSteps(createRandom(seed), 60, 1_000)
        const naive = naiveShop(steps)
        for (const table of ['products', 'orders', 'order_items'] as const) {
          const changes = changesOf(steps, table)
          // Each batch begins up to twenty changes before the end of the last one, as after a crash.
          const ends = [...cuts.map(([end]) => end).sort((a, b) => a - b), changes.length]
          const slices = ends.map((end, i): [number, number] => [
            Math.max(0, (ends[i - 1] ?? 0) - (cuts[i]?.[1] ?? 0)),
            end,
          ])
          const { rows, entries } = foldSlices(table, changes, slices)
          const wanted = naive.rows[table]
          expect(new Set(rows.keys())).toEqual(new Set(wanted.keys()))
          for (const [id, row] of rows) {
            const { deleted, atMs, row: of } = wanted.get(String(id))!
            expect([row.deleted, row.changed_at]).toEqual([deleted, atMs])
            const columns = Object.keys(tables[table].columns)
            for (const column of columns.filter((name) => tables[table].columns[name] !== 'time'))
              expect(String(row[column])).toBe(String(of[column]))
            const others = Object.entries(of).filter(([name]) => !columns.includes(name))
            expect(row.extra).toEqual(Object.fromEntries(others))
          }
          const histories = { products: ['price', 'stock'], orders: ['status'], order_items: [] }[table]
          for (const column of histories) {
            const name = { price: 'price_changes', stock: 'stock_changes', status: 'order_status_changes' }[column]!
            const found = (entries[name] ?? []).map((e) => [e[tables[table].key], e[`${column}_before`], e[column]])
            const list = { price: naive.prices, stock: naive.stocks, status: naive.states }[column]!
            expect(found).toEqual(list.map((change) => [change.id, change.before, change.now]))
          }
        }
      }),
      { numRuns: 30 },
    )
  })

  const put = (row: Step['row'], offset: number): Folding =>
    readShopChange(products, logged(recordsOf({ table: 'products', id: 1, atMs: 9, row })[0]!, offset)) as Folding
  const whole = { sku: 's', name: 'Kettle', category: 'home', price: '12.50', currency: 'TRY', stock: 3 }

  it('keep what was not sent because it is as before', () => {
    const sent = put({ ...whole, manual: 'a long text' }, 0)
    const unsent = { name: '__debezium_unavailable_value', manual: '__debezium_unavailable_value' }
    const { rows } = fold(products, 0, [], [sent, put({ ...whole, ...unsent, stock: 2 }, 1)])
    expect(rows).toMatchObject([{ name: 'Kettle', stock: 2, extra: { manual: 'a long text' } }])
  })

  it('tell no change where a snapshot is taken again, or a price gets more decimals', () => {
    const first = fold(products, 0, [], [put(whole, 0), put(null, 1)])
    const again = fold(products, 0, first.rows, [put({ ...whole, price: '12.500' }, 2)])
    expect(again.rows).toMatchObject([{ deleted: false, price: '12.500' }])
    expect(again.entries).toEqual({})
    const dearer = fold(products, 0, again.rows, [put({ ...whole, price: '13', currency: 'EUR' }, 3)])
    expect(dearer.entries.price_changes).toEqual([
      {
        ...{ product_id: '1', price_before: '12.500', currency_before: 'TRY', price: '13', currency: 'EUR' },
        ...{ changed_at: 9, partition: 0, position: 3 },
      },
    ])
  })
})

describe('a record', () => {
  const read = (value: unknown, key: string | null = '{"id":1}') =>
    readShopChange(products, logged({ topic: '', key, value: Buffer.from(JSON.stringify(value)) }, 7))
  const after = (columns: object) =>
    read({ op: 'c', after: { id: 1, ...columns }, source: { table: 'products', ts_ms: 4 } })

  it('has ids as text and whatever the platform does not know as it is, to the last digit', () => {
    const value = Buffer.from(
      '{"op":"c","after":{"id":9007199254740993,"price":12,"updated_at":1767225600000000,"tags":[1,9007199254740995],"seen":null},"source":{"table":"products","ts_ms":4}}',
    )
    const key = '{"id":9007199254740993}'
    expect(readShopChange(products, { offset: 7, appendedAtMs: 5, key, value })).toMatchObject({
      id: '9007199254740993',
      changedAtMs: 4,
      values: { price: '12', updated_at: 1_767_225_600_000, sku: null },
      extra: { tags: [1, '9007199254740995'], seen: null },
    })
  })

  it.each([
    [
      { price: 'AfQ=' },
      /"price" is "AfQ=", which is no decimal number \(Debezium writes them with decimal.handling.mode=string\)/,
    ],
    [{ stock: '9007199254740993' }, /"stock" .* no whole number within/],
    [{ name: { tr: 'Çaydanlık' } }, /"name" .* no text/],
    [{ updated_at: 'yesterday' }, /"updated_at" is "yesterday", which is no time/],
  ])('that says %j is put aside with a sentence', (columns, message) => {
    expect(after(columns)).toMatchObject({
      kind: 'unreadable',
      reason: 'bad_row',
      message: expect.stringMatching(message),
    })
  })

  it('that names no row is put aside too', () => {
    const change = { op: 'c', after: { id: 1 }, source: { table: 'products', ts_ms: 4 } }
    expect((read(change, '{"sku":"s"}') as Unreadable).message).toMatch(/no "id"/)
    expect(read(change, null)).toMatchObject({ kind: 'unreadable', reason: 'unknown_format' })
    expect(read({ orders: [] })).toMatchObject({ kind: 'unreadable', reason: 'unknown_format' })
  })
})
