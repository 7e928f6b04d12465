#!/bin/bash
# Superset's tables and roles, its administrator, and the data source with its dashboard. May be run again: what the bundle names is brought to what it says.
set -euo pipefail
superset db upgrade
superset init
python "$(dirname "$0")/setup.py"
