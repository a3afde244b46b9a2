#!/usr/bin/env bash
# real-logs.sh [SERVICE/NAME…]: the built program watches real services on a private engine.
#
# PostgreSQL, Redis, nginx and RabbitMQ from Debian packages run under load with their clients: for
# 30 minutes while all is well, in which no anomaly may be above medium; then through each of their
# common failures (or those named), which must be told within 10 seconds under the right name. What
# is done stands in real-logs/faults.bash, what is right in real-logs/faults.txt. Prints a table;
# fails if anything was told wrongly.
#
#   REAL_LOGS_MINUTES   healthy minutes, 30 if not set; 0 leaves them out
#   REAL_LOGS_PROFILE   release (if not set) or dev
#   REAL_LOGS_TAR       where the services' image is kept between runs
#   REAL_LOGS_KEEP      a file that gets all events of the run, as JSON lines
#
# Needs root, docker, debootstrap and jq. About an hour, one core, 1 GB in the temporary folder.
set -euo pipefail

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
ROOT=$(cd "$HERE/../.." && pwd)
# shellcheck source=scripts/must/real-logs/stage.bash
source "$HERE/real-logs/stage.bash"
# shellcheck source=scripts/must/real-logs/faults.bash
source "$HERE/real-logs/faults.bash"

PROFILE=${REAL_LOGS_PROFILE:-release}
MINUTES=${REAL_LOGS_MINUTES:-30}
# A failure must be told this soon, in seconds.
SOON=10
declare -A OPTIONS=() ARGUMENTS=()
failed=0

# --- the program --------------------------------------------------------------------------------

program() {
  case $PROFILE in
  dev) printf '%s/target/debug/sentinel-tui' "$ROOT" ;;
  *) printf '%s/target/%s/sentinel-tui' "$ROOT" "$PROFILE" ;;
  esac
}

start_program() {
  events_file=$TMPDIR/events.jsonl
  "$(program)" --headless --all --read-only --output jsonl --state-dir "$TMPDIR/state" \
    >"$events_file" 2>"$TMPDIR/sentinel.err" </dev/null &
  program_pid=$!
  wait_for 60 watching || {
    say "the program does not watch: $(tail -n 3 "$TMPDIR/sentinel.err")"
    exit 1
  }
}

# shellcheck disable=SC2317 # called by wait_for
watching() { grep -qs '"type":"monitor_started"' "$events_file"; }

# shellcheck disable=SC2317 # called by the trap
end_program() {
  if [[ -n ${program_pid:-} ]]; then kill "$program_pid" 2>/dev/null || true; fi
  if [[ -n ${REAL_LOGS_KEEP:-} && -e ${events_file:-} ]]; then cp "$events_file" "$REAL_LOGS_KEEP"; fi
}

# anomalies CONTAINER-PREFIX: time, severity, kind, signature, class, container, sentence, by tabs.
anomalies() {
  jq --raw-output --arg prefix "$1" 'select(.type == "anomaly")
    | .ts as $ts | .anomaly | select(.container | startswith($prefix))
    | [$ts, .severity, .kind, .detail.signature // "-", .detail.class // "-", .container, .summary] | @tsv' \
    "$events_file"
}

# --- while all is well --------------------------------------------------------------------------

healthy() {
  local service starts=() told loud
  PREFIX=healthy
  for service in "${SERVICES[@]}"; do
    start_service "$service" &
    starts+=("$!")
  done
  wait "${starts[@]}"
  sleep $((MINUTES * 60))
  told=$(anomalies "$PREFIX-")
  printf '%s healthy minutes:' "$MINUTES"
  for severity in low medium high critical; do
    printf ' %s %s' "$(grep -c $'\t'"$severity"$'\t' <<<"$told")" "$severity"
  done
  printf '\n'
  loud=$(grep -E $'\t(high|critical)\t' <<<"$told" || true)
  if [[ -n $loud ]]; then
    printf '%s\n' "$loud"
    failed=1
  fi
  for service in "${SERVICES[@]}"; do stop_service "$service"; done
}

# --- failures -----------------------------------------------------------------------------------

# note SERVICE/NAME: when it was done and to which containers.
# shellcheck disable=SC2317,SC2154 # called by play, which sets `at`
note() { printf '%s\t%s\t%s\n' "$1" "$at" "$PREFIX" >"$TMPDIR/noted/${1/\//.}"; }

faults() {
  local name began prefix container right first
  mkdir -p "$TMPDIR/noted"
  PREFIX=fault
  play_all note "$@"
  printf '%-32s %-9s %8s  %s\n' failure container seconds 'told as'
  while IFS=$'\t' read -r name began prefix; do
    while IFS=$'\t' read -r container right _; do
      first=$(anomalies "$prefix-$container" | told_since "$began" "$prefix-$container" "$right")
      judge "$name" "$container" "$began" "$right" "$first"
    done < <(expectations "$name")
  done < <(cat "$TMPDIR"/noted/*)
}

# told_since INSTANT CONTAINER NAMES: the first anomaly from then on that bears one of the names.
told_since() {
  awk -F '\t' -v at="$1" -v container="$2" -v names="$3" '
    BEGIN { split(names, list, ","); for (i in list) right[list[i]] = 1 }
    # To the end of the input: whoever writes it must not meet a closed pipe.
    !told && $1 >= at && $6 == container && (($3 in right) || ($4 in right) || ($5 in right)) {
      print
      told = 1
    }'
}

# judge NAME CONTAINER BEGAN RIGHT ANOMALY: a row of the table.
judge() {
  local seconds kind signature class
  if [[ -z $5 ]]; then
    printf '%-32s %-9s %8s  %s\n' "$1" "$2" never "MISSED: $4"
    failed=1
    return
  fi
  seconds=$(awk -v a="$(date --date "$3" +%s.%N)" \
    -v b="$(date --date "$(cut -f1 <<<"$5")" +%s.%N)" 'BEGIN { printf "%.1f", b - a }')
  IFS=$'\t' read -r _ _ kind signature class _ <<<"$5"
  if awk -v s="$seconds" -v soon="$SOON" 'BEGIN { exit !(s > soon) }'; then
    kind="LATE: $kind"
    failed=1
  fi
  printf '%-32s %-9s %8s  %s\n' "$1" "$2" "$seconds" "$kind $signature $class"
}

main() {
  local tool
  if [[ -z ${SENTINEL_TEST_ENGINE:-}${SENTINEL_TEST_NO_ENGINE:-} ]]; then
    (cd "$ROOT" && cargo build --locked --profile "$PROFILE" --bin sentinel-tui)
    exec "$ROOT/scripts/testbed.sh" "${BASH_SOURCE[0]}" "$@"
  fi
  if [[ -n ${SENTINEL_TEST_NO_ENGINE:-} ]]; then
    say "needs a Docker engine: $SENTINEL_TEST_NO_ENGINE"
    exit 1
  fi
  for tool in docker jq; do
    command -v "$tool" >/dev/null || {
      say "$tool is not installed"
      exit 1
    }
  done
  trap end_program EXIT
  ensure_image
  start_program
  if ((MINUTES > 0)); then healthy; fi
  faults "$@"
  exit "$failed"
}

main "$@"
