-- Products with the category they were last known by.
WITH dated AS (
  SELECT *, max(CASE WHEN category IS NOT NULL THEN day END) OVER (PARTITION BY product_id) AS category_day
  FROM {{int_product_days}}
)
SELECT
  product_id,
  max(CASE WHEN day = category_day THEN category END) AS category,
  min(first_seen) AS first_seen,
  max(last_seen) AS last_seen
FROM dated
GROUP BY product_id
