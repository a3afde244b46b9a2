#!/usr/bin/env bash
# A simulated day through the detector with the release build; see benches/fast_forward.rs. Needs no
# engine. Figures: docs/figures.md.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
exec cargo bench --locked --bench fast_forward
