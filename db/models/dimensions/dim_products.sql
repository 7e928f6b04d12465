-- Products as they were last known. Events say which there are and name their category; a shop whose database is followed says the rest, and its category goes before theirs. The shop's product is the one whose sku is the
-- event's product_id, else the one whose id that is. Products that no event names come by the first of these two names that is theirs alone.
WITH
dated AS (
  SELECT *, max(CASE WHEN category IS NOT NULL THEN day END) OVER (PARTITION BY product_id) AS category_day
  FROM {{int_product_days}}
),
seen AS (
  SELECT
    product_id,
    max(CASE WHEN day = category_day THEN category END) AS category,
    min(first_seen) AS first_seen,
    max(last_seen) AS last_seen
  FROM dated
  GROUP BY product_id
),
numbered AS (
  SELECT *, row_number() OVER (PARTITION BY shop_product_id ORDER BY day, log_partition, log_offset) AS number
  FROM {{int_shop_products}}
  WHERE shop_product_id IS NOT NULL
),
known AS (
  SELECT
    *,
    max(CASE WHEN sku IS NOT NULL THEN number END) OVER of_product AS sku_at,
    max(CASE WHEN name IS NOT NULL THEN number END) OVER of_product AS name_at,
    max(CASE WHEN category IS NOT NULL THEN number END) OVER of_product AS category_at,
    max(CASE WHEN brand IS NOT NULL THEN number END) OVER of_product AS brand_at,
    max(CASE WHEN price_minor IS NOT NULL THEN number END) OVER of_product AS price_at,
    max(number) OVER of_product AS last_at
  FROM numbered
  WINDOW of_product AS (PARTITION BY shop_product_id)
),
cleared AS (
  SELECT log_partition, max(log_offset) AS cleared_at
  FROM {{int_shop_products}}
  WHERE shop_product_id IS NULL
  GROUP BY log_partition
),
shop AS (
  SELECT
    shop_product_id,
    max(CASE WHEN number = sku_at THEN sku END) AS sku,
    max(CASE WHEN number = name_at THEN name END) AS name,
    max(CASE WHEN number = category_at THEN category END) AS category,
    max(CASE WHEN number = brand_at THEN brand END) AS brand,
    max(CASE WHEN number = price_at THEN price_minor END) AS price_minor,
    max(CASE WHEN number = price_at THEN currency END) AS currency,
    max(CASE WHEN number = last_at AND NOT is_deleted AND log_offset > coalesce(cleared_at, -1) THEN 1 ELSE 0 END) = 1 AS is_listed
  FROM known
  LEFT JOIN cleared USING (log_partition)
  GROUP BY shop_product_id
),
names AS (
  SELECT sku AS product_id, 1 AS place, shop_product_id, is_listed FROM shop WHERE sku IS NOT NULL
  UNION ALL
  SELECT shop_product_id, 2, shop_product_id, is_listed FROM shop
),
-- Each name is one product's: where two have the same sku, that of the one the shop still has.
owned AS (
  SELECT product_id, place, shop_product_id
  FROM (
    SELECT *, row_number() OVER (PARTITION BY product_id ORDER BY place, is_listed DESC, shop_product_id) AS claim FROM names
  ) AS claimed
  WHERE claim = 1
),
matched AS (
  SELECT owned.*, seen.product_id IS NOT NULL AS is_seen
  FROM owned
  LEFT JOIN seen ON seen.product_id = owned.product_id
),
-- Of a product that events name, the names they use; of any other the first.
chosen AS (
  SELECT product_id, shop_product_id
  FROM (
    SELECT
      *,
      max(CASE WHEN is_seen THEN 1 ELSE 0 END) OVER (PARTITION BY shop_product_id) AS any_seen,
      row_number() OVER (PARTITION BY shop_product_id ORDER BY place) AS choice
    FROM matched
  ) AS named
  WHERE is_seen OR (any_seen = 0 AND choice = 1)
)
SELECT
  coalesce(seen.product_id, chosen.product_id) AS product_id,
  coalesce(shop.category, seen.category) AS category,
  seen.first_seen,
  seen.last_seen,
  chosen.shop_product_id,
  shop.sku,
  shop.name,
  shop.brand,
  shop.price_minor,
  shop.currency,
  shop.is_listed
FROM seen
FULL JOIN chosen ON chosen.product_id = seen.product_id
LEFT JOIN shop ON shop.shop_product_id = chosen.shop_product_id
