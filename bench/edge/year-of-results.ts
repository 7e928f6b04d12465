/**
 * A year of results in PostgreSQL, as a platform of some 20 events a second leaves them: for benchmarks of reading, and for looking at plans.
 *
 * Made by the database itself, month by month, with seeded chance. The hours of regions are the sums of their minutes.
 */
import type { Sql } from '../../db/postgres/connect.ts'

export interface YearOptions {
  /** Where the results end, epoch ms; taken down to the whole day. */
  endMs: number
  days?: number
  /** Of each topic; results are partials of these. */
  partitions?: number
}

const DAY_MS = 86_400_000
const MONTH_DAYS = 30
const SEED = 0.17

/** Fills an empty, migrated database. @returns the rows of each table */
export async function fillYear(sql: Sql, options: YearOptions): Promise<Record<string, number>> {
  const { days = 365, partitions = 4 } = options
  const end = Math.floor(options.endMs / DAY_MS) * DAY_MS
  for (let from = end - days * DAY_MS; from < end; from += MONTH_DAYS * DAY_MS) {
    const month = { from, to: Math.min(end, from + MONTH_DAYS * DAY_MS), partitions }
    await sql.begin(async (tx) => {
      await tx`SELECT setseed(${SEED})`
      await fillMonth(tx as unknown as Sql, month)
    })
  }
  await fillTasks(sql, end, partitions)
  await sql`VACUUM ANALYZE`
  const counts: Record<string, number> = {}
  for (const table of FILLED) {
    const [row] = await sql<[{ rows: number }]>`SELECT count(*) AS rows FROM ${sql(table)}`
    counts[table] = row!.rows
  }
  return counts
}

const FILLED = [
  'traffic_by_minute',
  'revenue_by_minute',
  'products_by_hour',
  'trips_by_region',
  'sessions',
  'fraud_alerts',
  'daily_kpis',
  'daily_revenue_by_category',
  'daily_top_regions',
  'daily_conversion_funnel',
]

interface Month {
  from: number
  to: number
  partitions: number
}

async function fillMonth(sql: Sql, { from, to, partitions }: Month): Promise<void> {
  const steps = (step: string) =>
    sql`generate_series(to_timestamp(${from / 1000}::float8), to_timestamp(${to / 1000}::float8) - interval '1 microsecond', ${step}::interval)`
  const everyPartition = sql`generate_series(0, ${partitions - 1}::int) AS p`
  const busy = sql`(1 + sin(extract(epoch FROM t)::float8 / 13750))`

  await sql`
    INSERT INTO traffic_by_minute (window_start, event_type, events, users, final, partition, position)
    SELECT t, type, 1 + (random() * share * ${busy})::int, 1 + (random() * share / 3)::int, true, p, extract(epoch FROM t)::bigint
    FROM ${steps('1 minute')} AS t, ${everyPartition},
      (VALUES ('page_view', 180), ('product_view', 80), ('add_to_cart', 15), ('checkout', 5), ('purchase', 3)) AS types (type, share)
    WHERE share > 10 OR random() < 0.6`
  await sql`
    INSERT INTO revenue_by_minute (window_start, category, currency, orders, revenue_minor, refunds, refunded_minor, final, partition, position)
    SELECT t, category, 'TRY', 1 + (random() * 2)::int, 1000 + (random() * 500000)::int, (random() < 0.05)::int, 0, true, p, extract(epoch FROM t)::bigint
    FROM ${steps('1 minute')} AS t, ${everyPartition},
      (VALUES ('electronics'), ('fashion'), ('home'), ('books'), ('sports'), ('beauty')) AS categories (category)
    WHERE random() < 0.4`
  // Of 2,000 products the first are seen most.
  await sql`
    INSERT INTO products_by_hour (topic, window_start, product_id, currency, views, carts, purchases, revenue_minor, final, partition, position)
    SELECT DISTINCT ON (t, product, topic) topic, t, 'product-' || product, currency, views, carts, purchases, purchases * 4990, true, product % ${partitions}::int, extract(epoch FROM t)::bigint
    FROM (
      SELECT t, (2000 * random() ^ 3)::int AS product, (random() * 60)::int AS much FROM ${steps('1 hour')} AS t, generate_series(1, 250)
    ) AS seen,
    LATERAL (VALUES ('clickstream.events', '', much, much / 5, 0), ('transactions.orders', 'TRY', 0, 0, 1 + much / 20)) AS counted (topic, currency, views, carts, purchases)`
  await sql`
    INSERT INTO trips_by_region ("window", window_start, region_id, currency, trips, fare_minor, duration_s, distance_m, final, partition, position)
    SELECT '1m', t, region::text, 'USD', count(*), sum(fare), sum(fare) / 2, sum(fare) * 3, true, region % ${partitions}::int, extract(epoch FROM t)::bigint
    FROM (SELECT t, (265 * random() ^ 2)::int AS region, 500 + (random() * 4000)::int AS fare FROM ${steps('1 minute')} AS t, generate_series(1, 8)) AS trips
    GROUP BY t, region`
  for (const [window, length] of [
    ['5m', '5 minutes'],
    ['1h', '1 hour'],
  ] as const) {
    await sql`
      INSERT INTO trips_by_region ("window", window_start, region_id, currency, trips, fare_minor, duration_s, distance_m, final, partition, position)
      SELECT ${window}::text, date_bin(${length}::interval, window_start, 'epoch'), region_id, currency, sum(trips), sum(fare_minor), sum(duration_s), sum(distance_m), true, partition, max(position)
      FROM trips_by_region WHERE "window" = '1m' AND window_start >= to_timestamp(${from / 1000}::float8) GROUP BY 2, 3, 4, partition`
  }
  await sql`
    INSERT INTO sessions (session_id, user_id, started_at, ended_at, events, page_views, product_views, carts, checkouts, purchases, revenue_minor, funnel_stage, entry_page, exit_page, final, merged_into, partition, position)
    SELECT user_id || '@' || extract(epoch FROM t)::bigint || '-' || n, user_id, t, t + random() * interval '40 minutes', 2 + stage * 4, 2 + stage, stage, stage / 2, stage / 3, stage / 4,
      CASE WHEN stage = 4 THEN '{"TRY": 49900}' ELSE '{}' END::jsonb, (ARRAY['visit', 'product_view', 'cart', 'checkout', 'purchase'])[stage + 1], '/', '/product', true, NULL, n % ${partitions}::int, extract(epoch FROM t)::bigint
    FROM (
      SELECT t, n, 'user-' || (200000 * random() ^ 2)::int AS user_id, floor(5 * random() ^ 3)::int AS stage FROM ${steps('1 minute')} AS t, generate_series(1, 3) AS n
    ) AS visits`
  await sql`
    INSERT INTO fraud_alerts (alert_id, rule_id, rule_version, user_id, state, superseded_by, supersedes, total_minor, currency, first_at, last_at, triggered_at, watermark, evidence, trace_id, final, partition, position)
    SELECT md5(t::text), 'rapid-high-value-orders', 1, 'user-' || (200000 * random() ^ 2)::int, 'active', NULL, '[]', 1800000, 'TRY', t - interval '3 minutes', t, t, t - interval '10 seconds',
      (SELECT jsonb_agg(jsonb_build_object('order_id', md5(t::text || i), 'event_time', extract(epoch FROM t)::bigint * 1000 - i * 60000, 'amount_minor', 600000, 'status', 'success',
        'topic', 'transactions.orders', 'partition', 0, 'offset', extract(epoch FROM t)::bigint + i)) FROM generate_series(0, 2) AS i),
      NULL, true, 0, extract(epoch FROM t)::bigint
    FROM ${steps('6 minutes')} AS t`
  await fillDays(sql, { from, to })
}

/** What the nightly aggregation would have published, from the rows above. */
async function fillDays(sql: Sql, { from, to }: Pick<Month, 'from' | 'to'>): Promise<void> {
  const days = sql`generate_series(to_timestamp(${from / 1000}::float8), to_timestamp(${to / 1000}::float8) - interval '1 day', interval '1 day') AS d`
  await sql`
    INSERT INTO daily_kpis (day, events, page_views, users, sessions, converted_sessions, conversion_rate, orders, failed_orders, refunds, customers, trips, revenue, published_at)
    SELECT d::date, 1700000, 1100000, 4200, 4320, 60, 0.0139, 8600, 90, 40, 3000, 11520,
      '{"TRY": {"orders": 8600, "refunds": 40, "gross_minor": 215000000, "refunded_minor": 1000000, "net_minor": 214000000, "average_order_minor": 25000}}'::jsonb, d + interval '1 day 20 minutes'
    FROM ${days}`
  await sql`
    INSERT INTO daily_revenue_by_category (day, category, currency, orders, refunds, gross_minor, refunded_minor, net_minor)
    SELECT d::date, category, 'TRY', 1400, 6, 35000000, 160000, 34840000
    FROM ${days}, (VALUES ('electronics'), ('fashion'), ('home'), ('books'), ('sports'), ('beauty')) AS categories (category)`
  await sql`
    INSERT INTO daily_top_regions (day, place, region, currency, trips, fare_minor, duration_s, distance_m, orders, gross_minor, refunded_minor, net_minor)
    SELECT d::date, n, n::text, 'USD', 500 - n, 1250000, 400000, 2000000, 0, 0, 0, 0 FROM ${days}, generate_series(1, 265) AS n`
  await sql`
    INSERT INTO daily_conversion_funnel (day, position, stage, sessions, users, rate_of_visits, rate_of_previous)
    SELECT d::date, n, (ARRAY['visit', 'product_view', 'cart', 'checkout', 'purchase'])[n], 4320 / n, 4200 / n, 1.0 / n, CASE WHEN n > 1 THEN (n - 1.0) / n END
    FROM ${days}, generate_series(1, 5) AS n`
}

/** Tasks that have read everything. */
async function fillTasks(sql: Sql, end: number, partitions: number): Promise<void> {
  await sql`
    INSERT INTO tasks (topic, partition, epoch, owner, next_offset, end_offset, watermark, events, live)
    SELECT topic, p, 1, 'year-of-results', 1000, 1000, to_timestamp(${end / 1000}::float8), 1000, true
    FROM (VALUES ('clickstream.events'), ('transactions.orders'), ('trips.completed')) AS topics (topic), generate_series(0, ${partitions - 1}::int) AS p`
}
