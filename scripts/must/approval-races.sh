#!/usr/bin/env bash
# approval-races.sh [COUNT]: approvals (200) on real containers, raced with second approvers, rejections,
# expiries, recreates, starts by hand and changed limits; what was executed is counted by the events of
# the engine. A private engine. See tests/races.rs.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
cargo test -q --locked -p sentinel-tui --test races --no-run
exec scripts/testbed.sh env SENTINEL_RACES="${1:-200}" \
  cargo test -q --locked -p sentinel-tui --test races -- --include-ignored --nocapture
