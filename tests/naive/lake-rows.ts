/** What each row of the real files is in the lake, by a naive reading: as a line of text per row, and the same of the rows that the lake has. */
import { type CsvRow, hundredths, utc } from './csv.ts'

type LakeRow = Readonly<Record<string, unknown>>

const TYPES: Record<string, string> = { view: 'product_view', cart: 'add_to_cart', purchase: 'purchase' }

const ms = (value: unknown): number => Number(value) / 1000
const text = (...values: unknown[]): string => values.map((value) => (value === '' ? null : value)).join('|')

export function clickOf(row: CsvRow): string {
  const isPurchase = row.get('event_type') === 'purchase'
  const times = utc(row.get('event_time'))
  const rest = ['product_id', 'category_code', 'user_id', 'user_session'].map((name) => row.get(name) || null)
  return text(times, TYPES[row.get('event_type')], ...rest, isPurchase ? hundredths(row.get('price')) : null)
}

export function orderOf(row: CsvRow): string {
  const invoice = row.get('InvoiceNo')
  const customer = row.get('CustomerID')
  const user = customer === '' ? `guest-${invoice}` : customer.replace('.0', '')
  const quantity = Math.abs(Number(row.get('Quantity')))
  const status = invoice.startsWith('C') ? 'refunded' : 'success'
  const amount = quantity * hundredths(row.get('UnitPrice'))
  const times = utc(row.get('InvoiceDate'))
  return text(times, user, row.get('StockCode'), quantity, amount, 'GBP', row.get('Country'), status)
}

export const isOrder = (row: CsvRow): boolean =>
  (row.get('InvoiceNo').startsWith('C') || Number(row.get('Quantity')) > 0) && !row.get('UnitPrice').startsWith('-')
export const isConversion = (row: CsvRow): boolean =>
  isOrder(row) &&
  !row.get('InvoiceNo').startsWith('C') &&
  Number(row.get('Quantity')) * hundredths(row.get('UnitPrice')) > 5_000

export function tripOf(row: CsvRow): string {
  const [from, to] = [utc(row.get('pickup_datetime')), utc(row.get('dropoff_datetime'))]
  const metres = Math.round((hundredths(row.get('trip_distance')) * 1_609_344) / 100_000)
  return text(from, row.get('pickup_location_id'), hundredths(row.get('fare_amount')), (to - from) / 1000, metres)
}
export const isTrip = (row: CsvRow): boolean =>
  hundredths(row.get('fare_amount')) >= 0 && utc(row.get('dropoff_datetime')) >= utc(row.get('pickup_datetime'))

export const clickIn = (r: LakeRow): string =>
  text(ms(r.event_time), r.event_type, r.product_id, r.category, r.user_id, r.session_id, r.revenue_minor)

export const orderIn = (r: LakeRow): string =>
  text(ms(r.event_time), r.user_id, r.product_id, r.quantity, r.amount_minor, r.currency, r.region, r.status)

export const tripIn = (r: LakeRow): string =>
  text(ms(r.event_time), r.region_id, r.fare_minor, r.duration_s, r.distance_m)
