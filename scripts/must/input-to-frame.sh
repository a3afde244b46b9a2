#!/usr/bin/env bash
# Measures with the release build; see benches/input_to_frame.rs. Needs no engine. Figures: docs/figures.md.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
exec cargo bench --locked --bench input_to_frame
