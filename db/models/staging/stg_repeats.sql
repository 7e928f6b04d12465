-- Which rows of the day are not the only ones of their identity ($identity), and in which place each stands: the row that the log accepted first counts, place 1, whatever day it is of.
-- A row for every copy, those of other days included: they say which days hang together.
--
-- Exact over all time: a copy has the same identity, so the same hash. Every copy within the day is found by hashes that the day has twice; every copy elsewhere by its hash being one of the day's.
-- What only shares a hash falls out at the end, where identities themselves are compared. A day is therefore a function of $source alone, in whatever order days are built.
--
-- What it costs: where the identity is a column, files of other days are left out whose bounds in the manifests say that none of the day's is there. Of the others, and of the day, only the identity and the log's columns are
-- read. 64-bit hashes are kept of the day's rows (two sets, 8 bytes and their overhead a row), and of the other days nothing but the copies: with more history more is read, and no more is kept.
WITH
elsewhere AS (
  SELECT $identity AS identity, log_appended_at, log_partition, log_offset, CAST(event_time AS date) AS event_day, {{hash64($identity)}} AS hash
  FROM {{$source|other_days}}
  WHERE {{hash64($identity)}} IN (SELECT {{hash64($identity)}} FROM {{$source|day}})
),
suspects AS (
  SELECT {{hash64($identity)}} AS hash FROM {{$source|day}} GROUP BY 1 HAVING count(*) > 1
  UNION
  SELECT hash FROM elsewhere
),
copies AS (
  SELECT identity, log_appended_at, log_partition, log_offset, event_day FROM elsewhere
  UNION ALL
  SELECT $identity, log_appended_at, log_partition, log_offset, {{day}}
  FROM {{$source|day}}
  WHERE {{hash64($identity)}} IN (SELECT hash FROM suspects)
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
