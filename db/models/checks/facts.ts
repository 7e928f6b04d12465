/** What is expected of dimensions and facts, before the figures of a day are made of them. Facts name only what the dimensions have, and nothing of the staged day is lost on the way. */
import { CLICK_TYPES, ORDER_STATUSES } from '../../../streams/contract/events.ts'
import { inTheDay, must, notNegative, present, schema, should, uniqueKey } from './common.ts'
import type { Expectation, TableExpectations } from './expectation.ts'

const inDimension = (column: string, to: string, theirs = column): Expectation =>
  must(
    { kind: 'referential', columns: { [column]: theirs }, to },
    `Every ${column} of a fact is in ${to}: what is joined with it would lose rows otherwise.`,
  )
const inTime: Expectation = must(
  { kind: 'referential', columns: { day: 'date', hour: 'hour' }, to: 'dim_time' },
  'Every hour of a fact is in dim_time: figures by hour and weekday would lose rows otherwise.',
)
const kept = (column: string, to: string): Expectation =>
  must(
    { kind: 'referential', columns: { [column]: column }, to },
    `Every staged row of the day is in ${to}: none is lost between staging and facts.`,
  )

export const FACTS: readonly TableExpectations[] = [
  {
    model: 'dim_users',
    stage: 'facts',
    shows: ['user_id', 'valid_from', 'valid_to'],
    expectations: [
      schema,
      uniqueKey('dim_users'),
      must(
        { kind: 'range', column: 'valid_from', below: { column: 'valid_to' } },
        'A version of a user begins before the next one: otherwise a day would find two of them, or none.',
      ),
      present('is_current', 'Every version says whether it is the current one.'),
    ],
  },
  {
    model: 'dim_products',
    stage: 'facts',
    shows: ['product_id'],
    expectations: [
      schema,
      uniqueKey('dim_products'),
      must(
        { kind: 'range', column: 'first_seen', max: { column: 'last_seen' } },
        'A product is first seen before it is last seen, or at that moment.',
      ),
      should(
        { kind: 'not_null', column: 'category' },
        'Products have a category: without one their revenue is "uncategorized".',
      ),
      should(
        { kind: 'range', column: 'price_minor', min: 0 },
        "The shop's prices are not negative. What its database says is shown as it is, so this stops nothing.",
      ),
    ],
  },
  {
    model: 'dim_time',
    stage: 'facts',
    shows: ['date', 'hour'],
    expectations: [
      schema,
      uniqueKey('dim_time'),
      must({ kind: 'range', column: 'hour', min: 0, max: 23 }, 'A day has the hours 0 to 23.'),
      must({ kind: 'range', column: 'iso_weekday', min: 1, max: 7 }, 'A week has the days 1 (Monday) to 7.'),
    ],
  },
  {
    model: 'fact_events',
    stage: 'facts',
    shows: ['event_id', 'event_time'],
    expectations: [
      schema,
      uniqueKey('fact_events'),
      inTheDay(),
      must(
        { kind: 'accepted_values', column: 'event_type', values: CLICK_TYPES },
        'The type is one of the contract: the funnel is made of these.',
      ),
      inDimension('user_id', 'dim_users'),
      inDimension('product_id', 'dim_products'),
      inTime,
    ],
  },
  {
    model: 'fact_transactions',
    stage: 'facts',
    shows: ['transaction_id', 'event_time'],
    expectations: [
      schema,
      uniqueKey('fact_transactions'),
      inTheDay(),
      must(
        { kind: 'accepted_values', column: 'status', values: ORDER_STATUSES },
        'The status is one of the contract: it decides what an order earns.',
      ),
      present('net_minor', 'Every order says what it earns, be it nothing: revenue is the sum.'),
      ...notNegative('gross_minor', 'refunded_minor'),
      must(
        { kind: 'range', column: 'net_minor', max: { column: 'gross_minor' } },
        'What is left of an order is at most what it earned.',
      ),
      inDimension('user_id', 'dim_users'),
      inDimension('product_id', 'dim_products'),
      inTime,
    ],
  },
  {
    model: 'fact_trips',
    stage: 'facts',
    shows: ['trip_id', 'event_time'],
    expectations: [
      schema,
      uniqueKey('fact_trips'),
      inTheDay(),
      ...notNegative('fare_minor', 'duration_s', 'distance_m'),
      inTime,
    ],
  },
  {
    model: 'stg_clickstream_events',
    stage: 'facts',
    shows: ['event_id', 'event_time'],
    expectations: [kept('event_id', 'fact_events')],
  },
  {
    model: 'stg_orders',
    stage: 'facts',
    shows: ['transaction_id', 'event_time'],
    expectations: [kept('transaction_id', 'fact_transactions')],
  },
  {
    model: 'stg_trips',
    stage: 'facts',
    shows: ['trip_id', 'event_time'],
    expectations: [kept('trip_id', 'fact_trips')],
  },
]
