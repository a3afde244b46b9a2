#!/usr/bin/env bash
# redis-restarts.sh [SECONDS]: a Redis of its own is killed and started again three times while 2,000
# events a second flow for ten minutes (600 s): every incident event arrives once and in order, lines
# that are dropped are counted. See tests/bus.rs.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
export SENTINEL_BUS_SECONDS="${1:-600}" SENTINEL_BUS_RATE=2000
exec cargo test -q --locked -p sentinel-tui --test bus -- \
  --include-ignored --nocapture every_event_arrives_once
