/** What is expected of the figures of a day, before they are published. */
import { counts, must, notNegative, schema, should, uniqueKey } from './common.ts'
import type { Expectation, TableExpectations } from './expectation.ts'

const share = (column: string): Expectation =>
  must({ kind: 'range', column, min: 0, max: 1 }, `${column} is a share of a whole: between 0 and 1.`)
/** Of counts: a part is not negative, and not more than the whole. */
const partOf = (column: string, whole: string): Expectation =>
  must(
    { kind: 'range', column, min: 0, max: { column: whole } },
    `${column} is a part of ${whole}: between nothing and all of it.`,
  )
const net: Expectation = must(
  { kind: 'range', column: 'net_minor', max: { column: 'gross_minor' } },
  'What is left is at most what was earned; it may be below zero on a day that gives back more.',
)
const counted = (column: string): Expectation =>
  must(
    { kind: 'referential', columns: { day: 'day' }, to: 'metrics_daily_kpis' },
    `A day that has ${column} has its row of figures: otherwise the day would be missing in every chart.`,
  )

export const METRICS: readonly TableExpectations[] = [
  {
    model: 'metrics_daily_kpis',
    stage: 'metrics',
    shows: ['day'],
    expectations: [
      schema,
      must({ kind: 'unique', columns: ['day'] }, 'A day has one row of figures.'),
      ...counts('events', 'sessions', 'orders', 'failed_orders', 'refunds', 'trips'),
      partOf('page_views', 'events'),
      partOf('users', 'sessions'),
      partOf('converted_sessions', 'sessions'),
      partOf('customers', 'orders'),
      share('conversion_rate'),
      should(
        { kind: 'range', column: 'conversion_rate', max: 0.5 },
        'Less than half of the visits buy something: more is rare, and often an event that is sent twice under two ids.',
      ),
    ],
  },
  {
    model: 'metrics_daily_revenue',
    stage: 'metrics',
    shows: ['currency'],
    expectations: [
      schema,
      uniqueKey('metrics_daily_revenue'),
      ...counts('orders', 'refunds'),
      ...notNegative('gross_minor', 'refunded_minor', 'average_order_minor'),
      net,
    ],
  },
  {
    model: 'metrics_revenue_by_category',
    stage: 'metrics',
    shows: ['category', 'currency'],
    expectations: [
      schema,
      uniqueKey('metrics_revenue_by_category'),
      ...counts('orders', 'refunds'),
      ...notNegative('gross_minor', 'refunded_minor'),
      net,
      must(
        { kind: 'referential', columns: { day: 'day', currency: 'currency' }, to: 'metrics_daily_revenue' },
        'Every currency of a category is among those of the day: both are made of the same orders.',
      ),
    ],
  },
  {
    model: 'metrics_top_regions',
    stage: 'metrics',
    shows: ['region', 'currency'],
    expectations: [
      schema,
      uniqueKey('metrics_top_regions'),
      must(
        { kind: 'range', column: 'place', min: 1, max: 100 },
        'The hundred busiest regions are ranked from 1 to 100.',
      ),
      ...counts('trips', 'orders', 'duration_s', 'distance_m'),
      ...notNegative('fare_minor', 'gross_minor', 'refunded_minor'),
      net,
    ],
  },
  {
    model: 'metrics_conversion_funnel',
    stage: 'metrics',
    shows: ['position', 'stage'],
    expectations: [
      schema,
      uniqueKey('metrics_conversion_funnel'),
      must(
        {
          kind: 'accepted_values',
          column: 'stage',
          values: ['visit', 'product_view', 'cart', 'checkout', 'purchase'],
        },
        'The funnel has these five stages.',
      ),
      partOf('users', 'sessions'),
      share('rate_of_visits'),
      share('rate_of_previous'),
    ],
  },
  { model: 'fact_events', stage: 'metrics', shows: ['event_id', 'day'], expectations: [counted('events')] },
  {
    model: 'fact_transactions',
    stage: 'metrics',
    shows: ['transaction_id', 'day'],
    expectations: [counted('orders')],
  },
]
