/**
 * The star schema as data: every model with its SQL, its columns and how it is kept, in the order in which they are built. All of them are tables of the lake's namespace `analytics`.
 *
 * A model of the scope `day` has one partition per day, which a build replaces; one of the scope `whole` is replaced altogether. Invariant: a day's rows are a function of the raw tables alone (of
 * the snapshots they are read at), in whatever order days are built; dimensions are a function of the days that are there.
 */

import { CDC_PRODUCTS_TABLE, RAW_TABLES } from '../../streams/contract/lake-tables.ts'
import { CLICKSTREAM, ORDERS, TRIPS } from '../../streams/contract/topics.ts'
import type { Column } from '../lake/index.ts'

export const NAMESPACE = 'analytics'

/** Tables of these names come and go with a build by Trino (`trino.ts`), and are no business of upkeep. */
export const SCRATCH = 'scratch_'

export type Layer = 'staging' | 'intermediate' | 'dimensions' | 'facts' | 'marts'

export interface Model {
  /** Of the table, within {@link NAMESPACE}, and of the file `<layer>/<name>.sql`, where that is not a shared one. */
  readonly name: string
  /** Where several models share one file, its name, and what stands in it for `$source` and `$identity`. */
  readonly shared?: { readonly file: string; readonly source: string; readonly identity: string }
  readonly layer: Layer
  readonly scope: 'day' | 'whole'
  /** What it is, in a line. */
  readonly about: string
  /** As the table has them; those of the scope `day` begin with `day`, which the SQL does not give. */
  readonly columns: readonly Column[]
  /** Columns that tell one row from all others. */
  readonly key: readonly string[]
}

/** The partition column of the models of the scope `day`. */
export const DAY: Column = { name: 'day', type: 'date', required: true, doc: 'UTC, by event time' }

const column =
  (type: Column['type']) =>
  (name: string, doc?: string): Column => ({ name, type, ...(doc && { doc }) })
const text = column('string')
const count = column('long')
const time = column('timestamptz')
const number = column('int')
const rate = column('double')
const yesNo = column('boolean')
const date = column('date')
/** In minor units of the row's currency. */
const money = (name: string, doc = "In minor units of the row's currency"): Column => count(name, doc)
const always = (column: Column): Column => ({ ...column, required: true })

const byDay = (
  layer: Layer,
  name: string,
  about: string,
  key: readonly string[],
  columns: readonly Column[],
): Model => ({
  name,
  layer,
  scope: 'day',
  about,
  columns: [DAY, ...columns],
  key: ['day', ...key],
})
const whole = (
  layer: Layer,
  name: string,
  about: string,
  key: readonly string[],
  columns: readonly Column[],
): Model => ({
  name,
  layer,
  scope: 'whole',
  about,
  columns,
  key,
})

const REPEATS: readonly Column[] = [
  always(text('identity', 'What makes two records the same event')),
  always(time('log_appended_at')),
  always(number('log_partition')),
  always(count('log_offset')),
  always(date('event_day', 'The day that this copy says it is of')),
  always(count('place', '1: the copy that counts, the first that the log accepted')),
]
const repeats = (name: string, of: string, source: string, identity: string): Model => ({
  ...byDay(
    'staging',
    name,
    `Copies of the day's ${of} that came more than once, those of other days included`,
    ['log_partition', 'log_offset'],
    REPEATS,
  ),
  shared: { file: 'stg_repeats', source, identity },
})

const USER = always(text('user_id', "The user's id, or the visitor's anonymous one where there is none"))
const HOUR = number('hour', 'Of the day, UTC: with it the key of dim_time')

/** Each as the last change that named one has it. */
const SHOP_COLUMNS: readonly Column[] = [
  text('sku'),
  text('name'),
  text('category'),
  text('brand'),
  money('price_minor', 'The listed price, in minor units of the currency'),
  text('currency'),
]

export const MODELS: readonly Model[] = [
  repeats('stg_clickstream_repeats', 'clickstream events', RAW_TABLES[CLICKSTREAM].name, 'event_id'),
  repeats(
    'stg_orders_repeats',
    'orders',
    RAW_TABLES[ORDERS].name,
    "CASE WHEN status = 'success' THEN order_id ELSE concat(order_id, '#', status) END",
  ),
  repeats('stg_trips_repeats', 'trips', RAW_TABLES[TRIPS].name, 'trip_id'),
  byDay(
    'staging',
    'stg_clickstream_events',
    'Clickstream events, each once',
    ['event_id'],
    [...RAW_TABLES[CLICKSTREAM].columns, always(text('visitor_id', 'user_id, else anonymous_id'))],
  ),
  byDay(
    'staging',
    'stg_orders',
    'Orders, each status of one once',
    ['transaction_id'],
    [
      ...RAW_TABLES[ORDERS].columns,
      always(text('transaction_id', 'order_id, with the status where it is not success')),
    ],
  ),
  byDay('staging', 'stg_trips', 'Completed trips, each once', ['trip_id'], [...RAW_TABLES[TRIPS].columns]),
  byDay(
    'intermediate',
    'int_sessions',
    'Visits of the day by the 30-minute rule',
    ['user_id', 'started_at'],
    [
      USER,
      always(time('started_at')),
      time('ended_at'),
      count('events'),
      count('page_views'),
      count('product_views'),
      count('carts'),
      count('checkouts'),
      count('purchases'),
      number('furthest', 'Stage of the funnel that was reached, 1 (visit) to 5 (purchase)'),
    ],
  ),
  byDay(
    'intermediate',
    'int_user_days',
    'What is known of each user at the end of the day',
    ['user_id'],
    [
      USER,
      yesNo('is_identified', 'Whether the user was known by an id of the shop at least once'),
      time('first_seen'),
      time('last_seen'),
      count('events'),
      count('orders', 'Of any status'),
      text('region', 'The last one known that day'),
      text('device', 'The last one known that day'),
    ],
  ),
  byDay(
    'intermediate',
    'int_product_days',
    'What is known of each product at the end of the day',
    ['product_id'],
    [
      always(text('product_id')),
      text('category', 'The last one known that day'),
      time('first_seen'),
      time('last_seen'),
      count('views'),
      count('carts'),
      count('orders', 'Successful ones'),
      count('units', 'In successful orders; one that names no quantity is of one'),
    ],
  ),
  byDay(
    'intermediate',
    'int_shop_products',
    'What a shop whose database is followed said of its products on the day: the last of each, and when all of a partition were gone',
    ['log_partition', 'log_offset'],
    [
      text('shop_product_id', "Of the shop's table; null: all rows of the partition were gone"),
      ...SHOP_COLUMNS,
      yesNo('is_deleted', 'Whether the last change of the day is that the row is gone'),
      always(number('log_partition')),
      always(count('log_offset', 'Of the last change')),
    ],
  ),
  whole(
    'dimensions',
    'dim_users',
    'Users with the history of their attributes',
    ['user_id', 'valid_from'],
    [
      USER,
      yesNo('is_identified'),
      text('region'),
      text('device'),
      always(date('valid_from', 'The first day of this version')),
      date('valid_to', 'The first day of the next version; null: this one is current'),
      yesNo('is_current'),
    ],
  ),
  whole(
    'dimensions',
    'dim_products',
    'Products as they were last known, by events and by the shop, those that no event names included',
    ['product_id'],
    [
      always(text('product_id', "As events name it; of products that none names the shop's sku, else its id")),
      text('category', "The shop's, else the last one that events named"),
      time('first_seen', 'By events; null: no event names it'),
      time('last_seen', 'By events; null: no event names it'),
      text('shop_product_id', "The row of the shop's table; null: it has none, or no database is followed"),
      ...SHOP_COLUMNS.filter(({ name }) => name !== 'category'),
      yesNo('is_listed', 'Whether the shop had it at the end of the last day; null: it never had'),
    ],
  ),
  whole(
    'dimensions',
    'dim_time',
    'Hours of all days from the first to the last',
    ['date', 'hour'],
    [
      always(date('date')),
      always(number('hour')),
      number('year'),
      number('quarter'),
      number('month'),
      number('day_of_month'),
      number('iso_week'),
      number('iso_weekday', '1 is Monday'),
      yesNo('is_weekend'),
    ],
  ),
  byDay(
    'facts',
    'fact_events',
    'Clickstream events with the keys of the dimensions',
    ['event_id'],
    [
      always(text('event_id')),
      always(text('event_type')),
      USER,
      yesNo('is_identified'),
      text('product_id'),
      text('category'),
      text('order_id'),
      money('revenue_minor', 'As the event said it; revenue is counted from orders'),
      text('currency'),
      text('region'),
      text('device'),
      yesNo('bot', 'Null where nobody can tell'),
      always(time('event_time')),
      HOUR,
    ],
  ),
  byDay(
    'facts',
    'fact_transactions',
    'Orders, each status a fact of its own',
    ['transaction_id'],
    [
      always(text('transaction_id')),
      always(text('order_id')),
      always(text('status')),
      USER,
      text('product_id'),
      text('category'),
      count('quantity'),
      always(money('amount_minor')),
      always(text('currency')),
      money('gross_minor', 'The amount where the order succeeded, else 0'),
      money('refunded_minor', 'The amount where it was given back, else 0'),
      money('net_minor', 'Gross less refunded'),
      text('region'),
      always(time('event_time')),
      HOUR,
    ],
  ),
  byDay(
    'facts',
    'fact_trips',
    'Completed trips',
    ['trip_id'],
    [
      always(text('trip_id')),
      always(text('region_id')),
      money('fare_minor'),
      always(text('currency')),
      count('duration_s', 'Seconds'),
      count('distance_m', 'Metres'),
      always(time('event_time')),
      HOUR,
    ],
  ),
  byDay(
    'marts',
    'metrics_daily_kpis',
    'The day in one row',
    [],
    [
      count('events'),
      count('page_views'),
      count('users', 'Distinct, of the clickstream'),
      count('sessions', 'Visits by the 30-minute rule; one that goes on past midnight is one of each day'),
      count('converted_sessions', 'Visits with a purchase'),
      rate('conversion_rate', 'Of the sessions; null where there were none'),
      count('orders', 'Successful ones'),
      count('failed_orders'),
      count('refunds'),
      count('customers', 'Distinct users of successful orders'),
      count('trips'),
    ],
  ),
  byDay(
    'marts',
    'metrics_daily_revenue',
    'Revenue per currency',
    ['currency'],
    [
      always(text('currency')),
      count('orders', 'Successful ones'),
      count('refunds'),
      money('gross_minor'),
      money('refunded_minor'),
      money('net_minor'),
      money('average_order_minor', 'Gross per successful order, rounded to the minor unit; null where there was none'),
    ],
  ),
  byDay(
    'marts',
    'metrics_revenue_by_category',
    'Revenue per category and currency',
    ['category', 'currency'],
    [
      always(text('category')),
      always(text('currency')),
      count('orders', 'Successful ones'),
      count('refunds'),
      money('gross_minor'),
      money('refunded_minor'),
      money('net_minor'),
    ],
  ),
  byDay(
    'marts',
    'metrics_top_regions',
    'The hundred busiest regions',
    ['region', 'currency'],
    [
      count('place', '1 is the region with the most trips, then the most orders'),
      always(text('region')),
      always(text('currency')),
      count('trips'),
      money('fare_minor'),
      count('duration_s', 'Seconds, of all trips'),
      count('distance_m', 'Metres, of all trips'),
      count('orders', 'Successful ones'),
      money('gross_minor'),
      money('refunded_minor'),
      money('net_minor'),
    ],
  ),
  byDay(
    'marts',
    'metrics_conversion_funnel',
    'How far visits went',
    ['position'],
    [
      always(number('position', '1 to 5')),
      always(text('stage')),
      count('sessions', 'Visits that reached this stage or one behind it'),
      count('users'),
      rate('rate_of_visits'),
      rate('rate_of_previous', 'Of the visits that reached the stage before; null at the first, and where none did'),
    ],
  ),
]

/** @throws Error that lists the models there are */
export function modelNamed(name: string): Model {
  const model = MODELS.find((each) => each.name === name)
  if (model) return model
  throw new Error(`There is no model "${name}". There are ${MODELS.map((each) => each.name).join(', ')}.`)
}

export const modelsOf = (...layers: readonly Layer[]): Model[] => MODELS.filter(({ layer }) => layers.includes(layer))

/** Which raw tables there are for the models, by the name that SQL has for them. */
export const RAW_COLUMNS: ReadonlyMap<string, readonly Column[]> = new Map(
  [...Object.values(RAW_TABLES), CDC_PRODUCTS_TABLE].map(({ name, columns }) => [name, columns]),
)

/** `{ table: 'raw.orders', repeats: 'stg_orders_repeats', … }` of every topic: what staging makes of which raw table. */
export const STAGED = [
  { raw: RAW_TABLES[CLICKSTREAM].name, repeats: 'stg_clickstream_repeats', staged: 'stg_clickstream_events' },
  { raw: RAW_TABLES[ORDERS].name, repeats: 'stg_orders_repeats', staged: 'stg_orders' },
  { raw: RAW_TABLES[TRIPS].name, repeats: 'stg_trips_repeats', staged: 'stg_trips' },
] as const
