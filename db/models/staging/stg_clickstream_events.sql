-- The day's clickstream events, each once: all rows but those that repeat one which the log accepted earlier.
SELECT e.*, coalesce(e.user_id, e.anonymous_id, '') AS visitor_id
FROM {{raw.clickstream_events|day}} AS e
WHERE NOT EXISTS (
  SELECT 1 FROM {{stg_clickstream_repeats|day}} AS r
  WHERE r.place > 1 AND r.log_partition = e.log_partition AND r.log_offset = e.log_offset
)
