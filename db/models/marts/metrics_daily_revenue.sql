-- Revenue per currency: what was sold, what was given back, what is left of it.
SELECT
  currency,
  sum(CASE WHEN status = 'success' THEN 1 ELSE 0 END) AS orders,
  sum(CASE WHEN status = 'refunded' THEN 1 ELSE 0 END) AS refunds,
  sum(gross_minor) AS gross_minor,
  sum(refunded_minor) AS refunded_minor,
  sum(net_minor) AS net_minor,
  round(CAST(sum(gross_minor) AS double) / nullif(CAST(sum(CASE WHEN status = 'success' THEN 1 ELSE 0 END) AS double), 0)) AS average_order_minor
FROM {{fact_transactions|day}}
WHERE status <> 'failed'
GROUP BY currency
