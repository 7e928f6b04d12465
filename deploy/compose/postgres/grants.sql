-- What Trino may do, granted after each migration: commit to the lake's catalog, and see nothing else. What dashboards may see is granted by observability/grafana/reader.sql.
GRANT USAGE ON SCHEMA public TO trino;
GRANT SELECT, INSERT, UPDATE, DELETE ON iceberg_tables, iceberg_namespace_properties TO trino;
