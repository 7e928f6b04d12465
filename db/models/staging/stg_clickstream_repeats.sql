-- Which rows of the day are not the only ones of their identity (event_id), and in which place each stands: the row that the log accepted first counts, place 1, whatever day it is of.
-- A row for every copy, those of other days included: they say which days hang together.
--
-- Exact over all time: a copy has the same identity, so the same hash. Every copy within the day is found by hashes that the day has twice; every copy elsewhere by its hash being one of the day's.
-- What only shares a hash falls out at the end, where identities themselves are compared. A day is therefore a function of raw.clickstream_events alone, in whatever order days are built.
--
-- What it costs: files of other days are left out whose identities, by their bounds in the manifests, can't be the day's. Of the others, and of the day, only the identity and the log's columns are
-- read. 64-bit hashes are kept of the day's rows (two sets, 8 bytes and their overhead a row), and of the other days nothing but the copies: with more history more is read, and no more is kept.
WITH
elsewhere AS (
  SELECT event_id AS identity, log_appended_at, log_partition, log_offset, CAST(event_time AS date) AS event_day, {{hash64(event_id)}} AS hash
  FROM {{raw.clickstream_events|other_days}}
  WHERE {{hash64(event_id)}} IN (SELECT {{hash64(event_id)}} FROM {{raw.clickstream_events|day}})
),
suspects AS (
  SELECT {{hash64(event_id)}} AS hash FROM {{raw.clickstream_events|day}} GROUP BY 1 HAVING count(*) > 1
  UNION
  SELECT hash FROM elsewhere
),
copies AS (
  SELECT identity, log_appended_at, log_partition, log_offset, event_day FROM elsewhere
  UNION ALL
  SELECT event_id, log_appended_at, log_partition, log_offset, {{day}}
  FROM {{raw.clickstream_events|day}}
  WHERE {{hash64(event_id)}} IN (SELECT hash FROM suspects)
),
placed AS (
  SELECT
    identity, log_appended_at, log_partition, log_offset, event_day,
    row_number() OVER (PARTITION BY identity ORDER BY log_appended_at, log_partition, log_offset) AS place,
    count(*) OVER (PARTITION BY identity) AS copies,
    sum(CASE WHEN event_day = {{day}} THEN 1 ELSE 0 END) OVER (PARTITION BY identity) AS of_day
  FROM copies
)
SELECT identity, log_appended_at, log_partition, log_offset, event_day, place
FROM placed
WHERE copies > 1 AND of_day > 0
