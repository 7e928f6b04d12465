-- The day in one row; none for a day on which nothing happened. Money is in metrics_daily_revenue, since it has currencies.
WITH
visits AS (
  SELECT
    count(*) AS sessions,
    count(DISTINCT user_id) AS users,
    coalesce(sum(events), 0) AS events,
    coalesce(sum(page_views), 0) AS page_views,
    coalesce(sum(CASE WHEN purchases > 0 THEN 1 ELSE 0 END), 0) AS converted_sessions
  FROM {{int_sessions|day}}
),
orders AS (
  SELECT
    coalesce(sum(CASE WHEN status = 'success' THEN 1 ELSE 0 END), 0) AS orders,
    coalesce(sum(CASE WHEN status = 'failed' THEN 1 ELSE 0 END), 0) AS failed_orders,
    coalesce(sum(CASE WHEN status = 'refunded' THEN 1 ELSE 0 END), 0) AS refunds,
    count(DISTINCT CASE WHEN status = 'success' THEN user_id END) AS customers
  FROM {{fact_transactions|day}}
),
trips AS (SELECT count(*) AS trips FROM {{fact_trips|day}})
SELECT
  events, page_views, users, sessions, converted_sessions,
  CAST(converted_sessions AS double) / nullif(CAST(sessions AS double), 0) AS conversion_rate,
  orders, failed_orders, refunds, customers, trips
FROM visits, orders, trips
WHERE events > 0 OR orders > 0 OR failed_orders > 0 OR refunds > 0 OR trips > 0
