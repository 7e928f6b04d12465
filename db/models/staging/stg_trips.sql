-- The day's trips, each once: all rows but those that repeat one which the log accepted earlier.
SELECT t.*
FROM {{raw.trips|day}} AS t
WHERE NOT EXISTS (
  SELECT 1 FROM {{stg_trips_repeats|day}} AS r
  WHERE r.place > 1 AND r.log_partition = t.log_partition AND r.log_offset = t.log_offset
)
