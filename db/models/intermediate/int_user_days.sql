-- What is known of each user at the end of the day. The last known value of an attribute is the one of the latest event that has any; of several at that very moment, the greatest.
-- Grouped by the attributes first: what is left then is a few rows a user, however many events there are.
WITH
touches AS (
  SELECT visitor_id AS user_id, CASE WHEN user_id IS NULL THEN 0 ELSE 1 END AS identified, region, device, event_time, 1 AS events, 0 AS orders
  FROM {{stg_clickstream_events|day}}
  UNION ALL
  SELECT user_id, 1, region, CAST(NULL AS varchar), event_time, 0, 1
  FROM {{stg_orders|day}}
),
seen AS (
  SELECT
    user_id, region, device,
    max(identified) AS identified, min(event_time) AS first_seen, max(event_time) AS last_seen, sum(events) AS events, sum(orders) AS orders
  FROM touches
  GROUP BY user_id, region, device
),
dated AS (
  SELECT
    *,
    max(CASE WHEN region IS NOT NULL THEN last_seen END) OVER (PARTITION BY user_id) AS region_at,
    max(CASE WHEN device IS NOT NULL THEN last_seen END) OVER (PARTITION BY user_id) AS device_at
  FROM seen
)
SELECT
  user_id,
  max(identified) = 1 AS is_identified,
  min(first_seen) AS first_seen,
  max(last_seen) AS last_seen,
  sum(events) AS events,
  sum(orders) AS orders,
  max(CASE WHEN last_seen = region_at THEN region END) AS region,
  max(CASE WHEN last_seen = device_at THEN device END) AS device
FROM dated
GROUP BY user_id
