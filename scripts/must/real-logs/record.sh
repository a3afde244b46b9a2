#!/usr/bin/env bash
# record.sh healthy MINUTES FOLDER | record.sh faults FOLDER [SERVICE/NAME…] |
# record.sh manifest FOLDER
#
# Runs the services under load on the engine that DOCKER_HOST names and keeps what they log: the
# fixtures of tests/real_logs.rs. A recording is gzipped text, one line `TIMESTAMP STREAM TEXT`,
# with the engine's timestamps and the streams stdout, stderr and event (what the engine told of
# the container). `manifest.toml` says what was done when, and what tells it. REAL_LOGS_PREFIX is
# put before the containers' names.
set -euo pipefail

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/must/real-logs/stage.bash
source "$HERE/stage.bash"
# shellcheck source=scripts/must/real-logs/faults.bash
source "$HERE/faults.bash"

# Seconds of ordinary load before a fault, and of watching after it.
LEAD=${REAL_LOGS_LEAD:-40} AFTER=${REAL_LOGS_AFTER:-25}
PREFIX=${REAL_LOGS_PREFIX:-real-logs}
declare -A OPTIONS=() ARGUMENTS=()

# keep NAME FILE: compressed without name and time, so that equal logs are equal files.
keep() {
  mkdir -p "$(dirname "$2")"
  recording "$1" "$told_events" | gzip --best --no-name >"$2"
}

healthy() {
  local minutes=$1 folder=$2 service role told_events events=''
  told_events=$(mktemp)
  watch_events "$told_events"
  for service in "${SERVICES[@]}"; do start_service "$service" & done
  wait
  sleep $((minutes * 60))
  for service in "${SERVICES[@]}"; do
    for role in ${ROLES[$service]}; do
      keep "$role" "$folder/$service/healthy.$role.log.gz"
    done
    stop_service "$service"
  done
  kill "$events"
  rm "$told_events"
}

# expectations SERVICE/NAME: the lines of faults.txt, as CONTAINER, RIGHT, WORDS and WHAT by tabs.
# A bar inside WORDS has no space before it.
expectations() {
  grep -E "^$1 \|" "$HERE/faults.txt" | sed -E 's/ \| /\t/g' | cut -f2-
}

# fault SERVICE/NAME FOLDER: one fault from a fresh start.
fault() {
  local service=${1%/*} name=${1#*/} folder=$2 at='' container
  local told_events events=''
  local call=${1/\//_}
  OPTIONS=() ARGUMENTS=()
  told_events=$(mktemp)
  watch_events "$told_events"
  if declare -F "before_$call" >/dev/null; then "before_$call"; fi
  start_service "$service"
  if declare -F "quiet_$call" >/dev/null; then sleep 10 && "quiet_$call"; fi
  sleep "$LEAD"
  "$call"
  # A slow machine starts a service slowly; the recording goes on until all is said.
  wait_for 120 all_told "$1" || true
  sleep "$AFTER"
  rm -f "$folder/$service/$name".*.log.gz
  while IFS=$'\t' read -r container _; do
    keep "$container" "$folder/$service/$name.$container.log.gz"
  done < <(expectations "$1")
  sed -i "/^$name /d" "$folder/$service/times.txt" 2>/dev/null || true
  printf '%s %s\n' "$name" "$at" >>"$folder/$service/times.txt"
  kill "$events"
  rm "$told_events"
}

# all_told SERVICE/NAME: whether every container has said what tells the fault.
# shellcheck disable=SC2317 # called by wait_for
all_told() {
  local container right words what
  while IFS=$'\t' read -r container right words what; do
    recording "$container" "$told_events" | awk -v at="$at" '$1 >= at' | grep -E -- "$words" \
      >/dev/null || return 1
  done < <(expectations "$1")
}

# manifest FOLDER: what the recordings are, from faults.txt and the times of the faults.
manifest() {
  local folder=$1 service name at container right words what file told
  {
    printf '# What was done when, and what tells it: written by scripts/must/real-logs/record.sh.\n'
    printf '# `told_at` is when the first line (or event) came that matches `words`.\n'
    for service in "${SERVICES[@]}"; do
      [[ -e $folder/$service/times.txt ]] || continue
      while read -r name at; do
        while IFS=$'\t' read -r container right words what; do
          file=$service/$name.$container.log.gz
          told=$(zcat "$folder/$file" | awk -v at="$at" '$1 >= at' | grep -E -- "$words" |
            sed -n '1s/ .*//p') || say "$file does not tell it: $words"
          cat <<TOML

[[recording]]
file = "$file"
service = "$service"
container = "$container"
fault = "$name"
what = "$what"
at = "$at"
told_at = "$told"
right = [$(sed -E 's/([^,]+)/"\1"/g; s/,/, /g' <<<"$right")]
words = '$words'
TOML
        done < <(expectations "$service/$name")
      done < <(sort "$folder/$service/times.txt")
    done
  } >"$folder/manifest.toml"
}

# lane SERVICE FOLDER FAULT…: faults one after another.
lane() {
  local folder=$1 each
  shift
  (($#)) || return 0
  # Services do not meet in the names of containers either.
  PREFIX=$PREFIX-${1%/*}
  for each in "$@"; do
    fault "$each" "$folder" || say "$each failed"
    stop_service "${each%/*}"
  done
}

faults() {
  local folder=$1 service wanted
  shift
  mapfile -t wanted < <(if (($#)); then printf '%s\n' "$@"; else
    grep -oE '^[a-z]+/[a-z_]+' "$HERE/faults.txt" | uniq
  fi)
  for service in "${SERVICES[@]}"; do
    # shellcheck disable=SC2046 # names are words
    lane "$folder" $(printf '%s\n' "${wanted[@]}" | grep "^$service/") &
  done
  wait
  manifest "$folder"
}

main() {
  local act=${1:-}
  case $act in
  healthy) (($# == 3)) && ensure_image && healthy "$2" "$3" ;;
  faults) (($# >= 2)) && shift && ensure_image && faults "$@" ;;
  manifest) (($# == 2)) && manifest "$2" ;;
  *)
    say 'usage: record.sh healthy MINUTES FOLDER | record.sh faults FOLDER [SERVICE/NAME…] | record.sh manifest FOLDER'
    exit 2
    ;;
  esac
}

main "$@"
