#!/usr/bin/env bash
# Whole days of 400 bursty templates through the detector, optimised: what it says for nothing, and
# which bursts it finds. Several seeds; then all in one container as errors, and spread over ten.
# See core/tests/scoring/bursty.rs. Figures: docs/figures.md.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
run() {
    cargo test --release --locked -p sentinel-core --test scoring a_day_of_400 -- --nocapture
}
SENTINEL_SEEDS="${SENTINEL_SEEDS:-3}" run
SENTINEL_SEEDS=1 SENTINEL_FIRST_SEED=11 SENTINEL_LEVELS=errors run
SENTINEL_SEEDS=1 SENTINEL_FIRST_SEED=21 SENTINEL_CONTAINERS=10 run
