#!/usr/bin/env bash
# hostile-client.sh: a thousand clients at once with wrong tokens, foreign origins, huge bodies, floods of requests
# and heads that never end, before a running instance: nothing changes and log lines are told as fast as before.
# Then schemathesis at length, and the status page in a headless Chromium.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
cargo build -q --locked -p sentinel-tui
cargo test -q --locked -p sentinel-tui --test api --no-run
scripts/testbed.sh env SENTINEL_HOSTILE=long \
  cargo test -q --locked -p sentinel-tui --test api -- --include-ignored --nocapture hostile
exec scripts/testbed.sh scripts/interop/api.sh
