-- Completed trips.
SELECT trip_id, region_id, fare_minor, currency, duration_s, distance_m, event_time, extract(hour FROM event_time) AS hour
FROM {{stg_trips|day}}
