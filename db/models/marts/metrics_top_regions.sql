-- The hundred regions with the most trips, then the most orders; of each what it drove and what it bought, per currency.
WITH
sums AS (
  SELECT region_id AS region, currency, count(*) AS trips, sum(fare_minor) AS fare_minor, sum(duration_s) AS duration_s, sum(distance_m) AS distance_m,
    0 AS orders, CAST(0 AS bigint) AS gross_minor, CAST(0 AS bigint) AS refunded_minor
  FROM {{fact_trips|day}}
  GROUP BY region_id, currency
  UNION ALL
  SELECT region, currency, 0, 0, 0, 0, sum(CASE WHEN status = 'success' THEN 1 ELSE 0 END), sum(gross_minor), sum(refunded_minor)
  FROM {{fact_transactions|day}}
  WHERE region IS NOT NULL AND status <> 'failed'
  GROUP BY region, currency
),
regions AS (
  SELECT
    region, currency, sum(trips) AS trips, sum(fare_minor) AS fare_minor, sum(duration_s) AS duration_s, sum(distance_m) AS distance_m,
    sum(orders) AS orders, sum(gross_minor) AS gross_minor, sum(refunded_minor) AS refunded_minor
  FROM sums
  GROUP BY region, currency
),
places AS (
  SELECT region, row_number() OVER (ORDER BY sum(trips) DESC, sum(orders) DESC, region) AS place
  FROM regions
  GROUP BY region
)
SELECT
  p.place, r.region, r.currency, r.trips, r.fare_minor, r.duration_s, r.distance_m, r.orders, r.gross_minor, r.refunded_minor,
  r.gross_minor - r.refunded_minor AS net_minor
FROM regions AS r
JOIN places AS p ON p.region = r.region
WHERE p.place <= 100
