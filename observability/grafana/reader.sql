-- The role by which Grafana reads business figures: results, and runs of workflows; no accounts, keys, sessions of people, audit log or evidence of alerts. Can be run again, also to change the
-- password, which comes as a setting and never stands in a file:
--
--   PGOPTIONS="-c streamforge.reader_password=$GRAFANA_DATABASE_PASSWORD" psql "$DATABASE_URL" -v ON_ERROR_STOP=1 -f reader.sql
DO $$
BEGIN
  IF coalesce(current_setting('streamforge.reader_password', true), '') = '' THEN
    RAISE EXCEPTION 'Set streamforge.reader_password first: the head of this file says how.';
  END IF;
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'streamforge_reader') THEN
    CREATE ROLE streamforge_reader;
  END IF;
  EXECUTE format(
    'ALTER ROLE streamforge_reader LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE CONNECTION LIMIT 10 PASSWORD %L',
    current_setting('streamforge.reader_password')
  );
END
$$;
ALTER ROLE streamforge_reader SET default_transaction_read_only = on;
ALTER ROLE streamforge_reader SET statement_timeout = '30s';
GRANT SELECT ON
  revenue_by_minute, revenue_by_hour, traffic_by_minute, traffic_by_hour, products_by_hour, products_by_week, trips_by_region, trips_by_day, sessions_by_hour, outcomes_by_minute,
  daily_kpis, daily_revenue_by_category, daily_top_regions, daily_conversion_funnel, pipeline_runs, pipeline_schedules, quality_runs, reconciliations
TO streamforge_reader;
-- Of these, without who it was.
GRANT SELECT (session_id, started_at, ended_at, events, page_views, product_views, carts, checkouts, purchases, revenue_minor, funnel_stage, final, merged_into) ON sessions TO streamforge_reader;
GRANT SELECT (alert_id, rule_id, rule_version, state, total_minor, currency, first_at, last_at, triggered_at, trace_id, final) ON fraud_alerts TO streamforge_reader;
