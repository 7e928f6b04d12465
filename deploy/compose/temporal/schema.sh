#!/bin/sh
# Temporal's tables, made or brought to the version of these tools. The databases are there already, and their user may make no others. May be run again.
set -eu
for database in temporal temporal_visibility; do
  # Where there is a version, there is nothing to set up.
  temporal-sql-tool --db "$database" setup-schema --version 0.0 || echo "$database has a schema already"
  schema=${database#temporal_}
  temporal-sql-tool --db "$database" update-schema --schema-dir "/etc/temporal/schema/postgresql/v12/$schema/versioned"
done
