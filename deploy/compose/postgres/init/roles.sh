#!/bin/sh
# Runs once, on an empty volume: a database and a user for each program that keeps something, with that program's rights and no more. Passwords come from the environment.
# `streamforge_reader` and `trino` get their grants by the job `grants`, when the tables are there; the first its password, too.
set -eu
psql -X -q -v ON_ERROR_STOP=1 --username "${POSTGRES_USER:-postgres}" --dbname postgres <<'SQL'
\getenv streamforge_password STREAMFORGE_DATABASE_PASSWORD
\getenv temporal_password TEMPORAL_DATABASE_PASSWORD
\getenv superset_password SUPERSET_DATABASE_PASSWORD
\getenv trino_password TRINO_DATABASE_PASSWORD
CREATE ROLE streamforge LOGIN PASSWORD :'streamforge_password';
CREATE ROLE temporal LOGIN PASSWORD :'temporal_password';
CREATE ROLE superset LOGIN PASSWORD :'superset_password';
-- Commits to the lake's catalog, and sees nothing else.
CREATE ROLE trino LOGIN PASSWORD :'trino_password' CONNECTION LIMIT 20;
-- For dashboards: observability/grafana/reader.sql says what it may do.
CREATE ROLE streamforge_reader;

CREATE DATABASE streamforge OWNER streamforge;
CREATE DATABASE temporal OWNER temporal;
CREATE DATABASE temporal_visibility OWNER temporal;
CREATE DATABASE superset OWNER superset;
REVOKE ALL ON DATABASE streamforge, temporal, temporal_visibility, superset, postgres FROM PUBLIC;
GRANT CONNECT ON DATABASE streamforge TO trino, streamforge_reader;
SQL
