#!/usr/bin/env bash
# fault-suite.sh [--seed N] [--jobs N] [--only TEXT] [--json FILE] [--model MANNER]: real containers break in every way
# that can be made here, the built program watches with auto-heal and a person who approves, and its
# verdicts are scored: a table, the totals, and JSON. A private engine, a fresh state folder for each case.
# MANNER: a scripted language model is asked, too: good, wrong, hostile or dead.
# The cases: tests/faults/cases. Figures: docs/figures.md.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
export SENTINEL_FAULTS_SEED=1
while (($# > 0)); do
  case $1 in
  --seed) SENTINEL_FAULTS_SEED=$2 ;;
  --jobs) export SENTINEL_FAULTS_JOBS=$2 ;;
  --only) export SENTINEL_FAULTS_ONLY=$2 ;;
  --json) export SENTINEL_FAULTS_JSON=$2 ;;
  --model) export SENTINEL_FAULTS_MODEL=$2 ;;
  *)
    sed -n '2,6p' "$0" >&2
    exit 2
    ;;
  esac
  shift 2
done
# The test bed clears the environment of settings: these are handed over by name.
exec scripts/testbed.sh env SENTINEL_FAULTS=all \
  SENTINEL_FAULTS_SEED="$SENTINEL_FAULTS_SEED" SENTINEL_FAULTS_JOBS="${SENTINEL_FAULTS_JOBS:-}" \
  SENTINEL_FAULTS_ONLY="${SENTINEL_FAULTS_ONLY:-}" SENTINEL_FAULTS_JSON="${SENTINEL_FAULTS_JSON:-}" \
  SENTINEL_FAULTS_MODEL="${SENTINEL_FAULTS_MODEL:-}" \
  cargo test -q --locked -p sentinel-tui --test faults
