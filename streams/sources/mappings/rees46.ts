/**
 * Preset `rees46`: the clickstream of "eCommerce behavior data from multi category store" (REES46 Marketing Platform) → clickstream.events.
 *
 * | in the file | becomes |
 * | --- | --- |
 * | view, cart, purchase | product_view, add_to_cart, purchase; anything else is a bad row |
 * | price | revenue in USD of a purchase, which names no order, so the revenue counts from the click; of views and carts a property |
 * | price 0 or empty | the event counts, a purchase with revenue 0; a negative price of a purchase is a bad row |
 * | empty category_code, brand | no category, no brand |
 * | exact duplicate rows | duplicates: an id is made from the row's content |
 * | event_time | UTC, as the file says |
 */
import { BadRow, mappingOf, numberOf } from './mapping.ts'

export const rees46 = mappingOf(
  'rees46',
  {
    topic: 'events',
    currency: 'USD',
    columns: {
      event_time: 'event_time',
      event_type: { column: 'event_type', values: { view: 'product_view', cart: 'add_to_cart', purchase: 'purchase' } },
      product_id: 'product_id',
      category: 'category_code',
      user_id: 'user_id',
      session_id: 'user_session',
    },
    properties: ['category_id', 'brand', 'price'],
  },
  (event, row) => {
    if (event.event_type !== 'purchase') return
    const price = row.price === '' ? 0 : numberOf(row.price, 'revenue', 'price')
    if (price < 0) throw new BadRow('revenue: a purchase at a negative price')
    event.revenue = price
    event.currency = 'USD'
  },
)
