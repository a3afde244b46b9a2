#!/usr/bin/env bash
# Measures on a private engine with the release build; see benches/soak.rs. Figures: docs/figures.md.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
cargo bench --locked --bench soak --no-run
exec scripts/testbed.sh cargo bench --locked --bench soak
