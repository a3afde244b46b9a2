#!/usr/bin/env bash
# From a line's arrival to its anomaly, on one core, with the release build; see
# benches/detect_latency.rs. Needs no engine. Figures: docs/figures.md.
#
#   CORE=0     the core
#   BEFORE=''  what to run it by, e.g. 'chrt --fifo 1' where other programs keep the machine busy
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
cargo bench --locked --bench detect_latency --no-run
# shellcheck disable=SC2086 # BEFORE is words
exec ${BEFORE:-} taskset -c "${CORE:-0}" cargo bench --locked --bench detect_latency
