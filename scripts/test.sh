#!/usr/bin/env bash
# test.sh [CARGO TEST ARGUMENT…] [-- TEST ARGUMENT…]: all tests, those that need a Docker engine
# included, beside a private engine and Redis (see testbed.sh).
#
#   scripts/test.sh                                 everything, interoperation with other MCP
#                                                   implementations and the conformance suite included
#   scripts/test.sh -p docker-control restart       one crate's tests with "restart" in their name
#
# Where no engine can run, the tests that need one are skipped and the reason is said; with CI=true
# that is a failure. The last line is always: N passed, N failed, N skipped.
set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

say() { printf 'test.sh: %s\n' "$*" >&2; }

# Sorts the arguments into cargo's and the tests' own.
cargo_args=() test_args=()
sort_arguments() {
  local argument packages=--workspace
  while (($# > 0)); do
    argument=$1
    shift
    case $argument in
    --)
      test_args=("$@")
      break
      ;;
    # Cargo would ignore the package beside --workspace.
    -p* | --package | --package=*) packages='' ;;
    esac
    cargo_args+=("$argument")
  done
  # A test that fails must not hide what the others say.
  cargo_args=(${packages:+"$packages"} --locked --no-fail-fast ${cargo_args[@]+"${cargo_args[@]}"})
}

# Inside the bed: runs the tests and adds up.
run() {
  local log status=0
  sort_arguments "$@"
  if [[ -z ${SENTINEL_TEST_NO_ENGINE:-} ]]; then
    test_args=(--include-ignored ${test_args[@]+"${test_args[@]}"})
  fi
  log=$(mktemp)
  cargo test "${cargo_args[@]}" -- ${test_args[@]+"${test_args[@]}"} 2>&1 | tee "$log" || status=$?
  # Everything: what others than cargo run, too. They end with a line like that of a test binary.
  if (($# == 0)); then
    scripts/interop/conformance.sh 2>&1 | tee -a "$log" || status=$?
    if [[ -z ${SENTINEL_TEST_NO_ENGINE:-} ]]; then
      scripts/interop/run.sh 2>&1 | tee -a "$log" || status=$?
      scripts/interop/api.sh --short 2>&1 | tee -a "$log" || status=$?
    fi
  fi
  sum_up "$log" "$status"
}

# sum_up LOG STATUS: says the result over all test binaries, and ends with the right status.
sum_up() {
  local log=$1 status=$2 results passed failed skipped
  results=$(grep -E '^test result: ' "$log" || true)
  rm -f "$log"
  read -r passed failed skipped < <(awk '
    { for (i = 2; i <= NF; i++) { if ($i ~ /^passed/) p += $(i - 1)
        if ($i ~ /^failed/) f += $(i - 1)
        if ($i ~ /^ignored/) s += $(i - 1) } }
    END { print p + 0, f + 0, s + 0 }' <<<"$results")
  if [[ -z $results ]]; then
    say 'no test ran: there is no "test result" line'
    ((status != 0)) || status=1
  fi
  if ((failed > 0 && status == 0)); then status=1; fi
  if [[ -n ${SENTINEL_TEST_NO_ENGINE:-} ]]; then
    say "$skipped skipped, because no Docker engine can run here: $SENTINEL_TEST_NO_ENGINE"
    if [[ ${CI:-} == true ]]; then
      say 'CI=true: that is a failure'
      ((status != 0)) || status=1
    fi
  fi
  printf '%s passed, %s failed, %s skipped\n' "$passed" "$failed" "$skipped"
  exit "$status"
}

cd "$ROOT"
if [[ ${1:-} == --in-the-bed ]]; then
  shift
  run "$@"
fi
# First, so that a mistake in the code is told at once.
sort_arguments "$@"
cargo test "${cargo_args[@]}" --no-run
exec scripts/testbed.sh scripts/test.sh --in-the-bed "$@"
