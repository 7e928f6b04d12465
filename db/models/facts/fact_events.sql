-- Clickstream events with the keys of the dimensions: user_id (the version of dim_users that is valid on the day), product_id, and the day with its hour (dim_time).
SELECT
  event_id, event_type, visitor_id AS user_id, user_id IS NOT NULL AS is_identified, product_id, category, order_id,
  revenue_minor, currency, region, device, bot, event_time, extract(hour FROM event_time) AS hour
FROM {{stg_clickstream_events|day}}
