#!/usr/bin/env bash
# red-team.sh: what attackers write (tests/red_team/cases.toml), tried on the core under auto-heal, the
# redactor, the screen, a hostile MCP server, and, each case in a container of its own on a private engine,
# on the built program in words and in a terminal. Ends with a table.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
cargo test -q --locked -p sentinel-tui --test red_team --examples --no-run
cargo build -q --locked -p sentinel-tui --examples
exec scripts/testbed.sh env SENTINEL_RED_TEAM=all \
  cargo test -q --locked -p sentinel-tui --test red_team -- --include-ignored --nocapture --test-threads=1
