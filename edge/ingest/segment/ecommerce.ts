/**
 * What the events of Segment's e-commerce specification mean here: the table of names, and the money and products of an order.
 *
 * An order of ours has one product, a sale of Segment's has a list. A sale stays one order, since order ids count in fraud rules and revenue: it names its product and
 * category where all lines share them, and the list is kept whole in its properties.
 * https://segment.com/docs/connections/spec/ecommerce/v2/
 */
import type { ClickType, OrderStatus } from '../../../streams/contract/events.ts'
import { type Fields, field, fieldsOf, numberOf, textOf } from './loose.ts'

export interface Meaning {
  click: ClickType
  /** The event is an order of this status as well. */
  order?: OrderStatus
}

/** Names as `meaningOf` writes them. What is not here is a custom event. The second name of a pair is that of the specification's first version. */
export const MEANINGS: ReadonlyMap<string, Meaning> = new Map<string, Meaning>([
  ['product viewed', { click: 'product_view' }],
  ['viewed product', { click: 'product_view' }],
  ['product added', { click: 'add_to_cart' }],
  ['added product', { click: 'add_to_cart' }],
  ['wishlist product added to cart', { click: 'add_to_cart' }],
  ['checkout started', { click: 'checkout' }],
  ['started order', { click: 'checkout' }],
  ['order completed', { click: 'purchase', order: 'success' }],
  ['completed order', { click: 'purchase', order: 'success' }],
  ['order refunded', { click: 'custom', order: 'refunded' }],
  ['refunded order', { click: 'custom', order: 'refunded' }],
])

const CUSTOM: Meaning = { click: 'custom' }

/** Case, and whether words are parted by spaces, underscores or hyphens, make no difference. */
export const meaningOf = (event: string): Meaning =>
  MEANINGS.get(
    event
      .trim()
      .toLowerCase()
      .replaceAll(/[\s_-]+/g, ' '),
  ) ?? CUSTOM

export interface Goods {
  product_id: string | undefined
  category: string | undefined
  quantity: number | undefined
}

/** What the event is about: its own product, else that which all of `products` share. */
export function goodsOf(properties: Fields | null): Goods {
  const lines = linesOf(properties)
  return {
    product_id: productOf(properties) ?? shared(lines.map(productOf)),
    category: textOf(field(properties, 'category')) ?? shared(lines.map((line) => textOf(field(line, 'category')))),
    quantity: wholeOf(numberOf(field(properties, 'quantity')) ?? (lines.length > 0 ? piecesOf(lines) : undefined)),
  }
}

/**
 * What the customer pays, in major units: `total`, which a refund names as well; else `revenue`, which leaves shipping and tax out; else `value`; else what the
 * products cost together.
 */
export function amountOf(properties: Fields | null): number | undefined {
  for (const name of ['total', 'revenue', 'value']) {
    const amount = numberOf(field(properties, name))
    if (amount !== undefined) return amount
  }
  const lines = linesOf(properties)
  if (lines.length === 0) return undefined
  let sum = 0
  for (const line of lines) {
    const price = numberOf(field(line, 'price'))
    if (price === undefined) return undefined
    sum += price * (numberOf(field(line, 'quantity')) ?? 1)
  }
  return sum
}

function linesOf(properties: Fields | null): Fields[] {
  const products = field(properties, 'products')
  return Array.isArray(products) ? products.map(fieldsOf).filter((line) => line !== null) : []
}

const productOf = (of: Fields | null): string | undefined => textOf(field(of, 'product_id')) ?? textOf(field(of, 'sku'))

const piecesOf = (lines: readonly Fields[]): number =>
  lines.reduce((sum, line) => sum + (numberOf(field(line, 'quantity')) ?? 1), 0)

const wholeOf = (value: number | undefined): number | undefined => (Number.isInteger(value) ? value : undefined)

const shared = (values: readonly (string | undefined)[]): string | undefined =>
  values.every((value) => value === values[0]) ? values[0] : undefined
