#!/usr/bin/env bash
# interrupted-changes.sh: the server of recreates is killed before and behind every request of
# update_env_vars and of rollback_container, on a private engine; the next start of the built program puts
# things right and says so. A line for each kill. See tests/recreate_killed.rs.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
cargo test -q --locked -p sentinel-tui --test recreate_killed --no-run
exec scripts/testbed.sh cargo test -q --locked -p sentinel-tui --test recreate_killed -- \
  --include-ignored --nocapture --test-threads=1
