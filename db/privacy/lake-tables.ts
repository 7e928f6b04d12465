/**
 * What the lake's tables tell of persons: which columns name somebody, which say something of them, and which tables are free of persons, with the reason.
 *
 * A column means the same in every table, so most of it is said once, by name. Invariant: every table that the platform fills is here, and every column of those that tell of persons is on one of the
 * lists; a test holds the contract's tables and the models to that, so that a new column is thought about before it is written.
 */

import {
  CDC_PRODUCTS_TABLE,
  CONVERSIONS_TABLE,
  DEAD_LETTERS_TABLE,
  RAW_TABLES,
} from '../../streams/contract/lake-tables.ts'
import { CLICKSTREAM, ORDERS, TRIPS } from '../../streams/contract/topics.ts'
import type { PersonalColumns } from '../lake/index.ts'
import { MODELS, NAMESPACE, SCRATCH } from '../models/models.ts'

/** They name whom a row is about, the first one that is not null; a pseudonym takes their place, so that distinct users stay as many as they were. */
export const NAMING: readonly string[] = ['user_id', 'anonymous_id', 'visitor_id']

/** They say something of the person, or may: free text, addresses of pages, what a device is. Emptied. */
export const TELLING: readonly string[] = ['page_url', 'referrer', 'session_id', 'device', 'properties']

/**
 * They say what happened, when, where in the log and for how much. They stay, since totals, uniqueness and reconciliation rest on them: ids of events and orders, which name nobody here, what was bought,
 * the region, and counts over a day.
 */
export const IMPERSONAL: readonly string[] = [
  'event_id event_type order_id transaction_id status product_id category quantity region bot',
  'revenue_minor amount_minor gross_minor refunded_minor net_minor currency',
  'event_time original_time sent_at received_at day hour valid_from valid_to is_current',
  'log_partition log_offset log_appended_at ingested_at',
  'is_identified first_seen last_seen started_at ended_at events orders furthest',
  'page_views product_views carts checkouts purchases',
  'trip_id region_id fare_minor duration_s distance_m',
].flatMap((names) => names.split(' '))

const BY_NAME: PersonalColumns = { ids: NAMING, telling: TELLING }

/** A trip names no rider; what a client adds to it may. */
const TRIP: PersonalColumns = { ids: [], telling: ['properties'], searched: ['properties'] }

/** A letter is a record of any form. Its row stays: it accounts for an offset that was no event. */
const LETTER: PersonalColumns = {
  ids: ['key'],
  telling: ['key', 'value', 'headers', 'message'],
  searched: ['value', 'headers', 'message'],
}

const FIGURES = 'figures over all of a day, which name nobody and are not computed again'
const REPEATS = 'ids of events and places in the log'

/** Models without anybody in them, with the reason. */
const IMPERSONAL_MODELS: Readonly<Record<string, string>> = {
  stg_clickstream_repeats: REPEATS,
  stg_orders_repeats: REPEATS,
  stg_trips_repeats: REPEATS,
  int_product_days: 'products',
  int_shop_products: 'products',
  dim_products: 'products',
  dim_time: 'hours',
  fact_trips: 'trips, which name no rider, without what clients add to them',
  metrics_daily_kpis: FIGURES,
  metrics_daily_revenue: FIGURES,
  metrics_revenue_by_category: FIGURES,
  metrics_top_regions: FIGURES,
  metrics_conversion_funnel: FIGURES,
}

/** By `namespace.table`; a text says why there is nobody in it. */
export const PERSONS_IN_LAKE: ReadonlyMap<string, PersonalColumns | string> = new Map<string, PersonalColumns | string>(
  [
    [RAW_TABLES[CLICKSTREAM].name, BY_NAME],
    [RAW_TABLES[ORDERS].name, BY_NAME],
    [RAW_TABLES[TRIPS].name, TRIP],
    [CONVERSIONS_TABLE.name, BY_NAME],
    [DEAD_LETTERS_TABLE.name, LETTER],
    [CDC_PRODUCTS_TABLE.name, "a shop's products; whoever keeps persons in a table of that name must not follow it"],
    ...MODELS.map(({ name }) => [`${NAMESPACE}.${name}`, inModel(name)] as const),
  ],
)

function inModel(name: string): PersonalColumns | string {
  return name === 'stg_trips' ? TRIP : (IMPERSONAL_MODELS[name] ?? BY_NAME)
}

/** @returns undefined for a table that the platform knows nothing of */
export const personsIn = (table: string): PersonalColumns | string | undefined =>
  // What a build by Trino left behind is a copy of some model's rows.
  table.startsWith(`${NAMESPACE}.${SCRATCH}`) ? BY_NAME : PERSONS_IN_LAKE.get(table)
