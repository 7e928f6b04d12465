/**
 * What projection and lake know of a shop's tables, as data: which of our tables each becomes, which columns are read as what, and which columns' changes make a history.
 *
 * The shop's columns have the names that ours have, but for its `id`; whatever else it has goes along as `extra`. Invariant: each of our tables has exactly the columns named here, which the compiler checks.
 */
import type { CurrentRow, CurrentTable, HistoryTable } from '../../db/postgres/cdc-schema.ts'
import { changeTopic } from '../contract/cdc.ts'
import type { CDC_TABLES } from '../contract/topics.ts'

/** How a column is read: see `read-change.ts`. */
export type ColumnKind = 'text' | 'amount' | 'whole' | 'time'

/** Of a row of any of the tables. */
export interface CapturedRow {
  extra: Record<string, unknown>
  deleted: boolean
  changed_at: number
  partition: number
  position: number
  [column: string]: unknown
}

export interface History {
  readonly table: HistoryTable
  /** An entry is made when one of these is another than before; it has them, and as `…_before` what they were. */
  readonly of: readonly string[]
}

export interface ShopTable {
  readonly topic: string
  readonly table: CurrentTable
  /** Our column of the row's id. */
  readonly key: string
  readonly columns: Readonly<Record<string, ColumnKind>>
  readonly histories: readonly History[]
}

type Own = 'extra' | 'deleted' | 'changed_at' | 'partition' | 'position'
interface Known<T extends CurrentTable, K extends keyof CurrentRow<T>> {
  key: K
  columns: Record<Exclude<keyof CurrentRow<T>, K | Own>, ColumnKind>
  histories: readonly { table: HistoryTable; of: readonly (keyof CurrentRow<T>)[] }[]
}

const shopTable = <T extends CurrentTable, K extends keyof CurrentRow<T> & string>(
  from: (typeof CDC_TABLES)[number],
  table: T,
  known: Known<T, K>,
): ShopTable => ({
  topic: changeTopic(from),
  table,
  ...(known as unknown as Pick<ShopTable, 'key' | 'columns' | 'histories'>),
})

export const PRODUCTS: ShopTable = shopTable('public.products', 'cdc_products', {
  key: 'product_id',
  columns: {
    sku: 'text',
    name: 'text',
    category: 'text',
    price: 'amount',
    currency: 'text',
    stock: 'whole',
    updated_at: 'time',
  },
  histories: [
    { table: 'price_changes', of: ['price', 'currency'] },
    { table: 'stock_changes', of: ['stock'] },
  ],
})

export const SHOP_TABLES: readonly ShopTable[] = [
  PRODUCTS,
  shopTable('public.orders', 'cdc_orders', {
    key: 'order_id',
    columns: {
      user_id: 'text',
      status: 'text',
      total: 'amount',
      currency: 'text',
      created_at: 'time',
      updated_at: 'time',
    },
    histories: [{ table: 'order_status_changes', of: ['status'] }],
  }),
  shopTable('public.order_items', 'cdc_order_items', {
    key: 'item_id',
    columns: { order_id: 'text', product_id: 'text', quantity: 'whole', price: 'amount' },
    histories: [],
  }),
]
