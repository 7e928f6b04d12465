/**
 * A shop whose database changes at random: the records that a CDC source writes of it, and the naive model of what a projection has to make of them (a map, step by step).
 */
import type { ChangeRow } from '../../contract/cdc.ts'
import { partitionOf } from '../../contract/partition.ts'
import type { NewRecord } from '../../log/event-log.ts'
import type { Random } from '../../testing/random.ts'

export interface Step {
  table: 'products' | 'orders' | 'order_items'
  /** The row as it is now; null: deleted. */
  row: ChangeRow | null
  id: number
  atMs: number
}

export const topicOf = (table: Step['table']): string => `cdc.public.${table}`
export const keyOf = (id: number): string => JSON.stringify({ id })

const source = ({ table, atMs }: Pick<Step, 'table' | 'atMs'>) => ({
  ...{ version: '3.3.0.Final', connector: 'postgresql', name: 'cdc', ts_ms: atMs, snapshot: 'false', db: 'shop' },
  ...{ sequence: '["1","2"]', schema: 'public', table, txId: 7, lsn: 24_023_128, xmin: null },
})
const jsonOf = (change: object): Buffer => Buffer.from(JSON.stringify(change))

/** As Debezium writes a change; a delete is followed by its tombstone. */
export function recordsOf(step: Step, op = step.row === null ? 'd' : 'u'): NewRecord[] {
  const { id, row, atMs } = step
  const record = { topic: topicOf(step.table), key: keyOf(id) }
  const before = row === null ? { id } : null
  const change = { before, after: row === null ? null : { id, ...row }, source: source(step), transaction: null, op }
  const told = { ...record, value: jsonOf({ ...change, ts_ms: atMs + 5 }) }
  return row === null ? [told, { ...record, value: Buffer.alloc(0), tombstone: true }] : [told]
}

/** All rows of a table are gone: one record to each partition. */
export const truncation = (table: Step['table'], atMs: number, partitions: number): NewRecord[] =>
  Array.from({ length: partitions }, (_, partition) => ({
    topic: topicOf(table),
    key: null,
    partition,
    value: jsonOf({ before: null, after: null, source: source({ table, atMs }), op: 't', ts_ms: atMs }),
  }))

/** Steps of a few rows that change often, among them some that change nothing. */
export function randomSteps(random: Random, count: number, fromMs: number): Step[] {
  return Array.from({ length: count }, (_, i): Step => {
    const table = random.pick(['products', 'products', 'orders', 'order_items'] as const)
    const id = 1 + random.int(8)
    return { table, id, atMs: fromMs + i * 10, row: random.chance(0.1) ? null : ROWS[table](random, i) }
  })
}

const ROWS: Record<Step['table'], (random: Random, i: number) => ChangeRow> = {
  products: (random, i) => ({
    ...{ sku: `s-${random.int(3)}`, name: 'Kettle', category: 'home', price: `${10 + random.int(3)}.50` },
    ...{ currency: 'TRY', stock: random.int(4), updated_at: new Date(1_767_225_600_000 + i).toISOString() },
    ...(random.chance(0.2) && { colour: random.pick(['red', 'blue']) }),
  }),
  orders: (random, i) => ({
    ...{ user_id: `u-${random.int(3)}`, status: random.pick(['new', 'paid', 'sent']), total: '99.90', currency: 'TRY' },
    ...{ created_at: '2026-01-01T00:00:00.000Z', updated_at: new Date(1_767_225_600_000 + i).toISOString() },
  }),
  order_items: (random) => ({
    ...{ order_id: random.int(5), product_id: random.int(8), quantity: 1 + random.int(3), price: '9.90' },
  }),
}

export interface NaiveRow {
  id: string
  row: ChangeRow
  deleted: boolean
  atMs: number
}
export interface NaiveChange {
  id: string
  before: unknown
  now: unknown
  atMs: number
}

/** What there must be after all steps: rows by table and id, and per row the changes in their order. */
export interface NaiveShop {
  rows: Record<Step['table'], Map<string, NaiveRow>>
  prices: NaiveChange[]
  stocks: NaiveChange[]
  states: NaiveChange[]
}

/** Histories are in the order of the steps. */
export function naiveShop(steps: readonly (Step | { truncated: Step['table']; atMs: number })[]): NaiveShop {
  const shop: NaiveShop = {
    rows: { products: new Map(), orders: new Map(), order_items: new Map() },
    prices: [],
    stocks: [],
    states: [],
  }
  for (const step of steps) {
    if ('truncated' in step) {
      for (const row of shop.rows[step.truncated].values())
        if (!row.deleted) Object.assign(row, { deleted: true, atMs: step.atMs })
      continue
    }
    const { table, row, atMs } = step
    const id = String(step.id)
    const known = shop.rows[table].get(id)
    if (row === null) {
      if (known && !known.deleted) Object.assign(known, { deleted: true, atMs })
      continue
    }
    const note = (list: NaiveChange[], column: string) => {
      const before = known?.row[column] ?? null
      if (before !== row[column]) list.push({ id, before, now: row[column], atMs })
    }
    if (table === 'products') {
      note(shop.prices, 'price')
      note(shop.stocks, 'stock')
    }
    if (table === 'orders') note(shop.states, 'status')
    shop.rows[table].set(id, { id, row, deleted: false, atMs })
  }
  return shop
}

export const partitionOfId = (id: number, partitions = 4): number => partitionOf(keyOf(id), partitions)
