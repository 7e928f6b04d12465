-- What is known of each product at the end of the day, and what was done with it. The last known category is the one of the latest event that has any; of several at that very moment, the greatest.
WITH
touches AS (
  SELECT
    product_id, category, event_time,
    CASE WHEN event_type = 'product_view' THEN 1 ELSE 0 END AS views,
    CASE WHEN event_type = 'add_to_cart' THEN 1 ELSE 0 END AS carts,
    0 AS orders,
    CAST(0 AS bigint) AS units
  FROM {{stg_clickstream_events|day}}
  WHERE product_id IS NOT NULL
  UNION ALL
  SELECT
    product_id, category, event_time, 0, 0,
    CASE WHEN status = 'success' THEN 1 ELSE 0 END,
    CASE WHEN status = 'success' THEN coalesce(quantity, 1) ELSE 0 END
  FROM {{stg_orders|day}}
  WHERE product_id IS NOT NULL
),
seen AS (
  SELECT
    product_id, category,
    min(event_time) AS first_seen, max(event_time) AS last_seen,
    sum(views) AS views, sum(carts) AS carts, sum(orders) AS orders, sum(units) AS units
  FROM touches
  GROUP BY product_id, category
),
dated AS (
  SELECT *, max(CASE WHEN category IS NOT NULL THEN last_seen END) OVER (PARTITION BY product_id) AS category_at
  FROM seen
)
SELECT
  product_id,
  max(CASE WHEN last_seen = category_at THEN category END) AS category,
  min(first_seen) AS first_seen,
  max(last_seen) AS last_seen,
  sum(views) AS views,
  sum(carts) AS carts,
  sum(orders) AS orders,
  sum(units) AS units
FROM dated
GROUP BY product_id
