/**
 * Preset `online-retail`: order lines of a UK gift wholesaler (UCI 352, Daqing Chen) → transactions.orders, one order per line.
 *
 * | in the file | becomes |
 * | --- | --- |
 * | a line | an order `<InvoiceNo>-<hash of the line>`: the contract's order has one product |
 * | Quantity × UnitPrice | amount in GBP, computed in integers |
 * | CustomerID `17850.0` | user `17850`; where it is missing, `guest-<InvoiceNo>` |
 * | InvoiceNo `C…`, a cancellation | status refunded, with the positive amount and quantity; an order of its own, since the file doesn't name the sale |
 * | quantity ≤ 0 without a cancellation | bad row: a stock adjustment, not an order |
 * | price 0 | a successful order of amount 0 (a gift, a found item) |
 * | negative price | bad row: an accounting entry (bad debt), not an order |
 * | Country, Description | region, property; the category is found from the description: see retail-categories.ts |
 * | exact duplicate lines | duplicates: the id is made from the line's content |
 * | InvoiceDate | local time without an offset, taken as UTC |
 */
import type { Row } from '../read-rows.ts'
import { BadRow, mappingOf, numberOf } from './mapping.ts'
import { retailCategory } from './retail-categories.ts'

export const onlineRetail = mappingOf(
  'online-retail',
  {
    topic: 'orders',
    currency: 'GBP',
    columns: {
      event_time: 'InvoiceDate',
      // Replaced below, where it is missing or has the tail of a number that went through a spreadsheet.
      user_id: { column: 'CustomerID', default: '' },
      product_id: 'StockCode',
      quantity: 'Quantity',
      amount: 'UnitPrice',
      region: 'Country',
    },
    properties: ['InvoiceNo', 'Description'],
  },
  (event, row, rowId) => {
    const invoice = text(row, 'InvoiceNo')
    if (invoice === '') throw new BadRow('order_id: column InvoiceNo is empty')
    const quantity = numberOf(row.Quantity, 'quantity', 'Quantity')
    if (!Number.isInteger(quantity)) throw new BadRow('quantity: expected a whole number in column Quantity')
    const cancelled = invoice.startsWith('C')
    if (!cancelled && quantity <= 0)
      throw new BadRow('quantity: not above 0 without a cancellation: a stock adjustment, not an order')
    const price = text(row, 'UnitPrice')
    if (price.startsWith('-')) throw new BadRow('amount: a negative price: an accounting entry, not an order')
    event.order_id = `${invoice}-${rowId()}`
    event.user_id = text(row, 'CustomerID').replace(/\.0$/, '') || `guest-${invoice}`
    event.quantity = Math.abs(quantity)
    event.amount = exactProduct(Math.abs(quantity), price)
    event.status = cancelled ? 'refunded' : 'success'
    event.category = retailCategory(text(row, 'StockCode'), text(row, 'Description'))
  },
)

const text = (row: Row, column: string): string => String(row[column] ?? '').trim()

/** Pounds: the quantity times a decimal price, in whole pence, halves rounded up. No floating point before the last step. */
export function exactProduct(quantity: number, price: string): number {
  const [, units = '', fraction = ''] = /^\+?(\d*)\.?(\d*)$/.exec(price) ?? []
  if (units === '' && fraction === '')
    throw new BadRow(`amount: expected a decimal price in column UnitPrice, found "${price.slice(0, 60)}"`)
  const scale = 10n ** BigInt(fraction.length)
  const pence = (2n * 100n * BigInt(quantity) * BigInt(units + fraction) + scale) / (2n * scale)
  return Number(pence) / 100
}
