-- Orders, each status of an order a fact of its own: success earns, refunded gives back on the day of the refund, failed does neither.
SELECT
  transaction_id, order_id, status, user_id, product_id, category, quantity, amount_minor, currency,
  CASE WHEN status = 'success' THEN amount_minor ELSE 0 END AS gross_minor,
  CASE WHEN status = 'refunded' THEN amount_minor ELSE 0 END AS refunded_minor,
  CASE WHEN status = 'success' THEN amount_minor WHEN status = 'refunded' THEN -amount_minor ELSE 0 END AS net_minor,
  region, event_time, extract(hour FROM event_time) AS hour
FROM {{stg_orders|day}}
