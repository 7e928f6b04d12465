-- How far visits went: those that reached a stage or one behind it, of all visits and of those that reached the stage before.
WITH
stages (position, stage) AS (VALUES (1, 'visit'), (2, 'product_view'), (3, 'cart'), (4, 'checkout'), (5, 'purchase')),
reached AS (
  SELECT g.position, g.stage, count(s.user_id) AS sessions, count(DISTINCT s.user_id) AS users
  FROM stages AS g
  LEFT JOIN {{int_sessions|day}} AS s ON s.furthest >= g.position
  GROUP BY g.position, g.stage
),
compared AS (
  SELECT
    *,
    first_value(sessions) OVER (ORDER BY position) AS of_all,
    lag(sessions) OVER (ORDER BY position) AS of_before
  FROM reached
)
SELECT
  position, stage, sessions, users,
  CAST(sessions AS double) / CAST(of_all AS double) AS rate_of_visits,
  CAST(sessions AS double) / nullif(CAST(of_before AS double), 0) AS rate_of_previous
FROM compared
WHERE of_all > 0
