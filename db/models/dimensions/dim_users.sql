-- Users with the history of their attributes: a version begins on the day on which one of them was first known to be another, and goes on until the next begins.
-- A day that says nothing of an attribute leaves it as it was: days are numbered by how often it has been known, and share the value of the first of each number.
WITH
counted AS (
  SELECT
    *,
    count(region) OVER (PARTITION BY user_id ORDER BY day) AS region_number,
    count(device) OVER (PARTITION BY user_id ORDER BY day) AS device_number,
    max(CASE WHEN is_identified THEN 1 ELSE 0 END) OVER (PARTITION BY user_id ORDER BY day) AS identified
  FROM {{int_user_days}}
),
known AS (
  SELECT
    user_id, day, identified,
    max(region) OVER (PARTITION BY user_id, region_number) AS region,
    max(device) OVER (PARTITION BY user_id, device_number) AS device
  FROM counted
),
compared AS (
  SELECT
    *,
    row_number() OVER (PARTITION BY user_id ORDER BY day) AS number,
    lag(region) OVER (PARTITION BY user_id ORDER BY day) AS region_before,
    lag(device) OVER (PARTITION BY user_id ORDER BY day) AS device_before,
    lag(identified) OVER (PARTITION BY user_id ORDER BY day) AS identified_before
  FROM known
),
versions AS (
  SELECT user_id, region, device, identified, day AS valid_from, lead(day) OVER (PARTITION BY user_id ORDER BY day) AS valid_to
  FROM compared
  WHERE number = 1
    OR region IS DISTINCT FROM region_before
    OR device IS DISTINCT FROM device_before
    OR identified <> identified_before
)
SELECT user_id, identified = 1 AS is_identified, region, device, valid_from, valid_to, valid_to IS NULL AS is_current
FROM versions
