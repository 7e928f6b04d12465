/** A change of a product as a row of `raw.cdc_products`. */
import { readShopChange } from '../cdc/read-change.ts'
import { PRODUCTS } from '../cdc/tables.ts'
import { Undecodable } from '../contract/codec.ts'
import { AMOUNT_MAX, toMinor } from '../contract/money.ts'
import type { LogRecord } from '../log/event-log.ts'
import type { RowObject } from './columns.ts'

/**
 * @param currency of prices, where the shop names none
 * @returns null for a tombstone: the delete before it said it all
 * @throws Undecodable
 */
export function productRow(record: LogRecord, currency: string): RowObject | null {
  const change = readShopChange(PRODUCTS, record)
  if (change.kind === 'unreadable') throw new Undecodable('unknown_format', change.message)
  if (change.op === null) return null
  const { op, lsn: source_lsn, changedAtMs: event_time } = change
  const placed = { op, source_lsn, event_time, deleted: change.kind !== 'row' }
  if (change.kind === 'all_gone') return placed
  if (change.kind === 'gone') return { ...placed, id: change.id }
  const { id, values, extra, unchanged } = change
  return {
    ...placed,
    id,
    ...values,
    ...priceOf(values.price as string | null, (values.currency as string | null) ?? currency),
    brand: typeof extra.brand === 'string' ? extra.brand : null,
    extra: Object.keys(extra).length === 0 ? null : JSON.stringify(extra),
    unchanged: unchanged.length === 0 ? null : JSON.stringify(unchanged),
  }
}

function priceOf(price: string | null | undefined, currency: string): RowObject {
  const isAmount = price != null && /^[A-Za-z]{3}$/.test(currency) && Math.abs(Number(price)) <= AMOUNT_MAX
  return { currency, price_minor: isAmount ? toMinor(Number(price), currency) : null }
}
