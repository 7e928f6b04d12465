-- The last of each product of the shop on the day, and the last moment at which all rows of a partition were gone (a row without a product). A column that no change of the day names is null.
-- A product's changes are in one partition, in the order in which they were committed.
WITH
changes AS (
  SELECT
    *,
    max(CASE WHEN sku IS NOT NULL THEN log_offset END) OVER of_product AS sku_at,
    max(CASE WHEN name IS NOT NULL THEN log_offset END) OVER of_product AS name_at,
    max(CASE WHEN category IS NOT NULL THEN log_offset END) OVER of_product AS category_at,
    max(CASE WHEN brand IS NOT NULL THEN log_offset END) OVER of_product AS brand_at,
    max(CASE WHEN price_minor IS NOT NULL THEN log_offset END) OVER of_product AS price_at,
    max(log_offset) OVER of_product AS last_at
  FROM {{raw.cdc_products|day}}
  WINDOW of_product AS (PARTITION BY log_partition, id)
)
SELECT
  id AS shop_product_id,
  max(CASE WHEN log_offset = sku_at THEN sku END) AS sku,
  max(CASE WHEN log_offset = name_at THEN name END) AS name,
  max(CASE WHEN log_offset = category_at THEN category END) AS category,
  max(CASE WHEN log_offset = brand_at THEN brand END) AS brand,
  max(CASE WHEN log_offset = price_at THEN price_minor END) AS price_minor,
  max(CASE WHEN log_offset = price_at THEN currency END) AS currency,
  max(CASE WHEN log_offset = last_at AND deleted THEN 1 ELSE 0 END) = 1 AS is_deleted,
  log_partition,
  max(log_offset) AS log_offset
FROM changes
GROUP BY log_partition, id
