-- Every hour from the first day that anything happened on to the last, quiet days included (up to a hundred years).
WITH
happened AS (
  SELECT day FROM {{int_user_days}}
  UNION
  SELECT day FROM {{int_product_days}}
  UNION
  SELECT day FROM {{stg_trips}}
),
span AS (SELECT min(day) AS first_day, max(day) AS last_day FROM happened),
digits (digit) AS (VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9)),
numbers AS (
  SELECT a.digit + 10 * b.digit + 100 * c.digit + 1000 * d.digit + 10000 * e.digit AS number
  FROM digits AS a, digits AS b, digits AS c, digits AS d, digits AS e
),
days AS (
  SELECT CAST(first_day + number * INTERVAL '1' DAY AS date) AS date
  FROM span, numbers
  WHERE number <= date_diff('day', first_day, last_day) AND number < 36525
),
hours AS (SELECT number AS hour FROM numbers WHERE number < 24)
SELECT
  date,
  hour,
  extract(year FROM date) AS year,
  extract(quarter FROM date) AS quarter,
  extract(month FROM date) AS month,
  extract(day FROM date) AS day_of_month,
  extract(week FROM date) AS iso_week,
  date_diff('day', DATE '1969-12-29', date) % 7 + 1 AS iso_weekday,
  date_diff('day', DATE '1969-12-29', date) % 7 >= 5 AS is_weekend
FROM days, hours
