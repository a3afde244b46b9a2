#!/usr/bin/env bash
# Measures on a private engine with the release build; see benches/kill_latency.rs. Figures: docs/figures.md.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
cargo bench --locked --bench kill_latency --no-run
exec scripts/testbed.sh cargo bench --locked --bench kill_latency
