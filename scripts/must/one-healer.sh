#!/usr/bin/env bash
# one-healer.sh [RUNS]: two instances, one Redis, one private engine, one broken container: healed once
# in each of 50 runs, and in 50 more in which the holder of the lease is killed. See tests/one_healer.rs.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
cargo test -q --locked -p sentinel-tui --test one_healer --no-run
exec scripts/testbed.sh env SENTINEL_HEALER_RUNS="${1:-50}" \
  cargo test -q --locked -p sentinel-tui --test one_healer -- --include-ignored --nocapture
