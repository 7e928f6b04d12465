/** What is expected of the staged events of a day, before anything is built on them. */
import { CLICK_TYPES, ORDER_STATUSES } from '../../../streams/contract/events.ts'
import { A_WEEK, currencyCode, inTheDay, must, notNegative, present, schema, should, uniqueKey } from './common.ts'
import type { Expectation, TableExpectations } from './expectation.ts'

const moderate = (what: string): Expectation =>
  should(
    { kind: 'row_count_change', min: 0.5, max: 2, after: A_WEEK },
    `A day has about as many ${what} as the week before it: half or double of that is worth a look.`,
  )
const silent = (what: string): Expectation =>
  should(
    { kind: 'freshness', column: 'event_time', hoursMax: 12, after: A_WEEK },
    `There are ${what} until the day ends: half a day without any may be a source that has stopped.`,
  )

export const STAGING: readonly TableExpectations[] = [
  {
    model: 'stg_clickstream_events',
    stage: 'staging',
    shows: ['event_id', 'event_time', 'log_partition', 'log_offset'],
    expectations: [
      schema,
      uniqueKey('stg_clickstream_events'),
      inTheDay(),
      must(
        { kind: 'accepted_values', column: 'event_type', values: CLICK_TYPES },
        'The type is one of the contract: the funnel and the sessions are made of these.',
      ),
      present('visitor_id', 'Every event belongs to a visitor: sessions and users are counted by it.'),
      ...notNegative('revenue_minor'),
      must(
        { kind: 'row_count_change', min: 0.02, max: 50, after: A_WEEK },
        'A site that had visitors all week has some every day: next to none, or fifty times as many, is a feed that broke or was read twice.',
      ),
      moderate('events'),
      must(
        { kind: 'freshness', column: 'event_time', hoursMax: 20, after: A_WEEK },
        'A site that had visitors all week has some in the last twenty hours of the day: without them the day is not all there.',
      ),
      silent('events'),
    ],
  },
  {
    model: 'stg_orders',
    stage: 'staging',
    shows: ['order_id', 'status', 'event_time', 'log_partition', 'log_offset'],
    expectations: [
      schema,
      uniqueKey('stg_orders'),
      inTheDay(),
      must(
        { kind: 'accepted_values', column: 'status', values: ORDER_STATUSES },
        'The status is one of the contract: revenue is what succeeded, less what was refunded.',
      ),
      present('amount_minor', 'Every order has an amount: revenue is their sum.'),
      present('currency', 'Every amount has a currency: sums are per currency.'),
      ...notNegative('amount_minor', 'quantity'),
      currencyCode,
      moderate('orders'),
      silent('orders'),
    ],
  },
  {
    model: 'stg_trips',
    stage: 'staging',
    shows: ['trip_id', 'region_id', 'event_time', 'log_partition', 'log_offset'],
    expectations: [
      schema,
      uniqueKey('stg_trips'),
      inTheDay(),
      present('region_id', 'Every trip has a region: they are ranked by it.'),
      ...notNegative('fare_minor', 'duration_s', 'distance_m'),
      currencyCode,
      should(
        { kind: 'range', column: 'duration_s', max: 24 * 3_600 },
        'A trip lasts no longer than a day: a meter that was left running spoils the averages.',
      ),
      moderate('trips'),
      silent('trips'),
    ],
  },
]
