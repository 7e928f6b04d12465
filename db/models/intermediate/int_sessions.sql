-- The day's visits: events of one visitor with no more than 30 minutes between one and the next. A visit that goes on past midnight is one of each day: a day is a function of its own rows.
-- Events of the same moment are in the same visit whatever their order is, so the frame of the running sum is the default one, which takes peers together.
WITH
steps AS (
  SELECT
    visitor_id, event_time,
    CASE event_type
      WHEN 'page_view' THEN 1 WHEN 'product_view' THEN 2 WHEN 'add_to_cart' THEN 3 WHEN 'checkout' THEN 4 WHEN 'purchase' THEN 5 ELSE 0
    END AS step,
    lag(event_time) OVER (PARTITION BY visitor_id ORDER BY event_time) AS previous
  FROM {{stg_clickstream_events|day}}
),
numbered AS (
  SELECT
    visitor_id, event_time, step,
    sum(CASE WHEN previous IS NULL OR event_time > previous + INTERVAL '30' MINUTE THEN 1 ELSE 0 END)
      OVER (PARTITION BY visitor_id ORDER BY event_time) AS number
  FROM steps
),
visits AS (
  SELECT
    visitor_id,
    min(event_time) AS started_at,
    max(event_time) AS ended_at,
    count(*) AS events,
    sum(CASE WHEN step = 1 THEN 1 ELSE 0 END) AS page_views,
    sum(CASE WHEN step = 2 THEN 1 ELSE 0 END) AS product_views,
    sum(CASE WHEN step = 3 THEN 1 ELSE 0 END) AS carts,
    sum(CASE WHEN step = 4 THEN 1 ELSE 0 END) AS checkouts,
    sum(CASE WHEN step = 5 THEN 1 ELSE 0 END) AS purchases
  FROM numbered
  GROUP BY visitor_id, number
)
SELECT
  visitor_id AS user_id, started_at, ended_at, events, page_views, product_views, carts, checkouts, purchases,
  CASE WHEN purchases > 0 THEN 5 WHEN checkouts > 0 THEN 4 WHEN carts > 0 THEN 3 WHEN product_views > 0 THEN 2 ELSE 1 END AS furthest
FROM visits
