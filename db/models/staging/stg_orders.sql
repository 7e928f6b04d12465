-- The day's orders, each status of an order once: all rows but those that repeat one which the log accepted earlier.
SELECT o.*, CASE WHEN o.status = 'success' THEN o.order_id ELSE concat(o.order_id, '#', o.status) END AS transaction_id
FROM {{raw.orders|day}} AS o
WHERE NOT EXISTS (
  SELECT 1 FROM {{stg_orders_repeats|day}} AS r
  WHERE r.place > 1 AND r.log_partition = o.log_partition AND r.log_offset = o.log_offset
)
