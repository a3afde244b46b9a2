#!/usr/bin/env bash
# quiet-half-hour.sh [--seed N] [--only TEXT] [--json FILE] [--keep DIR]: two of each control of the fault
# suite (tests/faults/cases/controls.rs) do what looks like trouble and is none, again and again, for
# MINUTES (30), on a machine that has other work, while the built program watches with auto-heal. Prints
# rounds, anomalies by severity and incidents of each, as a table and as JSON. Passes only without incident.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
seed=1 only='' json='' keep=''
while (($# > 1)); do
  case $1 in
  --seed) seed=$2 ;;
  --only) only=$2 ;;
  --json) json=$(realpath -m "$2") ;;
  --keep) keep=$(realpath -m "$2") ;;
  *) break ;;
  esac
  shift 2
done
if (($# > 0)); then
  sed -n '2,5p' "$0" >&2
  exit 2
fi
# The test bed clears the environment of settings: these are handed over by name.
exec scripts/testbed.sh env SENTINEL_FAULTS_QUIET_MINUTES="${MINUTES:-30}" SENTINEL_FAULTS_SEED="$seed" \
  SENTINEL_FAULTS_ONLY="$only" SENTINEL_FAULTS_JSON="$json" SENTINEL_FAULTS_KEEP="$keep" \
  cargo test -q --locked -p sentinel-tui --test faults
