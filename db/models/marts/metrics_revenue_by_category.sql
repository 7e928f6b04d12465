-- Revenue per category and currency; orders that name no category are "uncategorized", as in the live figures.
SELECT
  coalesce(category, 'uncategorized') AS category,
  currency,
  sum(CASE WHEN status = 'success' THEN 1 ELSE 0 END) AS orders,
  sum(CASE WHEN status = 'refunded' THEN 1 ELSE 0 END) AS refunds,
  sum(gross_minor) AS gross_minor,
  sum(refunded_minor) AS refunded_minor,
  sum(net_minor) AS net_minor
FROM {{fact_transactions|day}}
WHERE status <> 'failed'
GROUP BY coalesce(category, 'uncategorized'), currency
