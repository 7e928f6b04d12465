/**
 * What the API must answer about single users after the files were replayed, computed from the files alone.
 * Windows are counted in whole minutes (5 minutes, 1 hour) and whole hours (24 hours), the one that holds the moment asked about included.
 */

import type { CsvRow } from './csv.ts'
import { at, HOUR_MS, hundredths, MINUTE_MS, startOf, unique, utc } from './csv.ts'

/** A profile begins anew when its user was away for a week; the watermark is ten seconds behind. */
const FORGET_AFTER_MS = 7 * 24 * HOUR_MS + 10_000

export interface NaiveWindows {
  last_5m: number
  last_1h: number
  last_24h: number
}

export interface NaiveClickFeatures {
  counts: NaiveWindows
  total: number
  purchases: number
  firstSeen: number
  lastSeen: number
  lastType: string
  lastProduct: string
  cartItems: number
}

export interface NaiveOrderFeatures {
  counts: NaiveWindows
  spendMinor: NaiveWindows
  total: number
  totalMinor: number
  refunds: number
  lastOrderAt: number
  lastProduct: string
}

interface Item {
  time: number
  row: CsvRow
}

const TYPES: Record<string, string> = { view: 'product_view', cart: 'add_to_cart', purchase: 'purchase' }

/** @param rows of the REES46 file, in its order */
export function naiveClickFeatures(rows: readonly CsvRow[], asOf: number): Map<string, NaiveClickFeatures> {
  const usable = rows.filter((r) => !(r.get('event_type') === 'purchase' && hundredths(r.get('price')) < 0))
  const users = byUser(unique(usable).rows, 'event_time', (row) => row.get('user_id'))
  return mapValues(users, (items) => {
    const last = items.at(-1)!
    const typeOf = ({ row }: Item) => row.get('event_type')
    const lastPurchase = items.findLastIndex((item) => typeOf(item) === 'purchase')
    return {
      counts: windows(items, asOf, () => 1),
      total: items.length,
      purchases: items.filter((item) => typeOf(item) === 'purchase').length,
      firstSeen: items[0]!.time,
      lastSeen: last.time,
      lastType: TYPES[typeOf(last)]!,
      lastProduct: last.row.get('product_id'),
      cartItems: items.slice(lastPurchase + 1).filter((item) => typeOf(item) === 'cart').length,
    }
  })
}

/** @param rows of the Online Retail file, in its order */
export function naiveOrderFeatures(rows: readonly CsvRow[], asOf: number): Map<string, NaiveOrderFeatures> {
  const isRefund = (row: CsvRow) => row.get('InvoiceNo').startsWith('C')
  const usable = rows.filter(
    (r) => (isRefund(r) || Number(r.get('Quantity')) > 0) && hundredths(r.get('UnitPrice')) >= 0,
  )
  const userOf = (row: CsvRow) => row.get('CustomerID').replace(/\.0$/, '') || `guest-${row.get('InvoiceNo')}`
  const amountOf = ({ row }: Item) => Number(row.get('Quantity')) * hundredths(row.get('UnitPrice'))
  const users = byUser(unique(usable).rows, 'InvoiceDate', userOf)
  return mapValues(users, (items) => {
    const sales = items.filter(({ row }) => !isRefund(row))
    return {
      counts: windows(sales, asOf, () => 1),
      spendMinor: windows(sales, asOf, amountOf),
      total: sales.length,
      totalMinor: sales.reduce((sum, item) => sum + amountOf(item), 0),
      refunds: items.length - sales.length,
      lastOrderAt: sales.at(-1)?.time ?? Number.NaN,
      lastProduct: sales.at(-1)?.row.get('StockCode') ?? '',
    }
  })
}

/** Of each user, what came since they last were away for too long. */
function byUser(rows: readonly CsvRow[], timeColumn: string, userOf: (row: CsvRow) => string): Map<string, Item[]> {
  const users = new Map<string, Item[]>()
  for (const row of rows) {
    const items = at(users, userOf(row), () => [])
    const time = utc(row.get(timeColumn))
    const last = items.at(-1)
    if (last && time - last.time >= FORGET_AFTER_MS) items.length = 0
    items.push({ time, row })
  }
  return users
}

function windows(items: readonly Item[], asOf: number, measure: (item: Item) => number): NaiveWindows {
  const sum = (unitMs: number, units: number) => {
    const first = startOf(asOf, unitMs) - (units - 1) * unitMs
    return items.filter(({ time }) => time >= first).reduce((total, item) => total + measure(item), 0)
  }
  return { last_5m: sum(MINUTE_MS, 5), last_1h: sum(MINUTE_MS, 60), last_24h: sum(HOUR_MS, 24) }
}

const mapValues = <K, V, W>(map: Map<K, V>, of: (value: V) => W): Map<K, W> =>
  new Map([...map].map(([key, value]) => [key, of(value)]))
