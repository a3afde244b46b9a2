#!/usr/bin/env bash
# engine-cost.sh: what watching costs the engine: a private one with 50 containers that write two
# lines a second each, first with nobody watching, then with each watcher in turn. Prints cores of
# dockerd, its containerd and their shims, and what each watcher adds to "nobody"; fails if
# sentinel-tui adds more than 0.04 of a core. Figures: docs/figures.md.
#
#   ENGINE_COST_CONTAINERS  containers, 50 if not set
#   ENGINE_COST_ROUNDS      rounds over all watchers, 3 if not set: other load on the machine then
#                           falls on all of them alike
#   ENGINE_COST_SECONDS     measured seconds of each watcher in each round, 60 if not set
#   ENGINE_COST_PROFILE     release (if not set) or dev: what the engine does is the same
#   ENGINE_COST_PEERS       programs in the PATH to compare with, "oxker dtop lazydocker" if not
#                           set; those that are not installed are left out
#
# Needs root, docker's engine and script(1). About four minutes for each watcher.
set -euo pipefail

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
ROOT=$(cd "$HERE/../.." && pwd)
# shellcheck source=scripts/lib/engine.bash
source "$ROOT/scripts/lib/engine.bash"

CONTAINERS=${ENGINE_COST_CONTAINERS:-50}
ROUNDS=${ENGINE_COST_ROUNDS:-3}
MEASURED=${ENGINE_COST_SECONDS:-60}
PROFILE=${ENGINE_COST_PROFILE:-release}
# What sentinel-tui may add, in thousandths of a core.
MOST=40
# A watcher attaches, reads what was written before and settles.
SETTLE=12

case $PROFILE in
dev) PROGRAM=$ROOT/target/debug/sentinel-tui ;;
*) PROGRAM=$ROOT/target/$PROFILE/sentinel-tui ;;
esac

# --- the engine's side --------------------------------------------------------------------------

# ticks PID…: their processor time so far, in clock ticks.
ticks() {
  local pid stat sum=0
  for pid in "$@"; do
    stat=$(cat "/proc/$pid/stat" 2>/dev/null) || continue
    # The name in brackets may hold anything: count the fields behind it.
    # shellcheck disable=SC2086 # fields are words
    set -- ${stat##*) }
    sum=$((sum + ${12} + ${13}))
  done
  printf '%s' "$sum"
}

# The engine's processes and everything below a watcher are looked up once per measurement: neither
# changes while nothing starts or ends.
below() {
  local pid child
  for pid in "$@"; do
    printf '%s\n' "$pid"
    # shellcheck disable=SC2013 # they stand on one line
    for child in $(cat "/proc/$pid/task/"*/children 2>/dev/null); do below "$child"; done
  done
}

start_containers() {
  local number id body
  # shellcheck disable=SC2016 # the shell inside expands
  body='{"Image":"'$SENTINEL_TEST_IMAGE'","Cmd":["sh","-c","n=0; while :; do n=$((n+1)); echo \"INFO request $n served in $((n%97)) ms\"; sleep 0.5; done"]}'
  for ((number = 1; number <= CONTAINERS; number++)); do
    id=$(api "$socket" POST "/containers/create?name=cost-$number" \
      --header 'Content-Type: application/json' --data "$body" | json_strings Id)
    api "$socket" POST "/containers/$id/start" >/dev/null
  done
}

# --- the watchers -------------------------------------------------------------------------------

# shellcheck disable=SC2317 # called by its name
watch_nobody() { exec sleep 100000; }

# shellcheck disable=SC2317 # called by its name
watch_sentinel-tui() {
  rm -rf "$TMPDIR/state"
  exec "$PROGRAM" --headless --all --read-only --output jsonl --state-dir "$TMPDIR/state" >/dev/null
}

# The others draw, and want a terminal for it.
# shellcheck disable=SC2317 # called by its name
watch_peer() {
  export DOCKER_HOST="unix://$socket" TERM=xterm-256color
  exec script --quiet --return --flush --command "stty rows 40 cols 140; exec $1" /dev/null >/dev/null
}

# measure WATCHER: adds its figures to the sums.
measure() {
  local watcher=$1 pid engine own before_engine before_own began took
  # A session of its own, so that it ends as a whole.
  set -m
  if declare -F "watch_$watcher" >/dev/null; then
    "watch_$watcher" </dev/null 2>"$TMPDIR/$watcher.err" &
  else
    watch_peer "$watcher" </dev/null 2>"$TMPDIR/$watcher.err" &
  fi
  pid=$!
  set +m
  sleep "$SETTLE"
  if gone "$pid"; then
    say "$watcher ended: $(tail -n 1 "$TMPDIR/$watcher.err")"
    return 1
  fi
  mapfile -t engine < <(engine_processes "${socket%/*}")
  mapfile -t own < <(below "$pid")
  before_engine=$(ticks "${engine[@]}") before_own=$(ticks "${own[@]}") began=$(date +%s%N)
  sleep "$MEASURED"
  took=$((($(date +%s%N) - began) / 1000000))
  engine_ticks[$watcher]=$((${engine_ticks[$watcher]:-0} + $(ticks "${engine[@]}") - before_engine))
  own_ticks[$watcher]=$((${own_ticks[$watcher]:-0} + $(ticks "${own[@]}") - before_own))
  milliseconds[$watcher]=$((${milliseconds[$watcher]:-0} + took))
  kill -TERM -- "-$pid" 2>/dev/null || true
  wait_until 10 gone "$pid" || kill -KILL -- "-$pid" 2>/dev/null || true
  wait "$pid" 2>/dev/null || true
}

# cores TICKS WATCHER: thousandths of a core.
cores() { printf '%s' $(($1 * 1000 * 1000 / hertz / ${milliseconds[$2]})); }

# decimal THOUSANDTHS
decimal() { awk -v n="$1" 'BEGIN { printf "%.3f", n / 1000 }'; }

measured() {
  local watchers=(nobody sentinel-tui) peer round watcher hertz nobody engine
  local -A engine_ticks=() own_ticks=() milliseconds=()
  hertz=$(getconf CLK_TCK)
  for peer in ${ENGINE_COST_PEERS-oxker dtop lazydocker}; do
    if command -v "$peer" >/dev/null; then watchers+=("$peer"); else say "$peer is not installed"; fi
  done
  start_containers
  sleep 5
  for ((round = 1; round <= ROUNDS; round++)); do
    for watcher in "${watchers[@]}"; do
      measure "$watcher" || say "$watcher is left out"
    done
  done
  printf '%s containers at 2 lines/s, %s s of each\n' "$CONTAINERS" "$((ROUNDS * MEASURED))"
  printf '%-14s %14s %14s %14s\n' watcher 'engine, cores' 'extra, cores' 'its own, cores'
  nobody=$(cores "${engine_ticks[nobody]}" nobody)
  for watcher in "${watchers[@]}"; do
    [[ -n ${milliseconds[$watcher]:-} ]] || continue
    engine=$(cores "${engine_ticks[$watcher]}" "$watcher")
    printf '%-14s %14s %14s %14s\n' "$watcher" "$(decimal "$engine")" \
      "$(decimal $((engine - nobody)))" "$(decimal "$(cores "${own_ticks[$watcher]}" "$watcher")")"
    if [[ $watcher == sentinel-tui ]] && ((engine - nobody > MOST)); then
      say "sentinel-tui adds more than 0.04 of a core"
      failed=1
    fi
  done
}

main() {
  local socket failed=0
  if [[ -z ${SENTINEL_TEST_DOCKER_HOST:-}${SENTINEL_TEST_NO_ENGINE:-} ]]; then
    cd "$ROOT"
    cargo build --locked --profile "$PROFILE"
    exec scripts/testbed.sh "$HERE/engine-cost.sh"
  fi
  if [[ -n ${SENTINEL_TEST_NO_ENGINE:-} ]]; then
    say "$SENTINEL_TEST_NO_ENGINE"
    exit 1
  fi
  socket=${SENTINEL_TEST_DOCKER_HOST#unix://}
  measured
  exit "$failed"
}

main "$@"
