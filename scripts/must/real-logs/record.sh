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

PREFIX=${REAL_LOGS_PREFIX:-real-logs}
declare -A OPTIONS=() ARGUMENTS=()

# keep NAME FILE: compressed without name and time, so that equal logs are equal files.
keep() {
  mkdir -p "$(dirname "$2")"
  recording "$1" "$told_events" | gzip --best --no-name >"$2"
}

healthy() {
  local minutes=$1 folder=$2 service role told_events events='' starts=()
  told_events=$(mktemp)
  watch_events "$told_events"
  for service in "${SERVICES[@]}"; do
    start_service "$service" &
    starts+=("$!")
  done
  wait "${starts[@]}"
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

# keep_fault FOLDER SERVICE/NAME: the recordings of a fault, and its time.
keep_fault() {
  local folder=$1 service=${2%/*} name=${2#*/} container
  rm -f "$folder/$service/$name".*.log.gz
  while IFS=$'\t' read -r container _; do
    keep "$container" "$folder/$service/$name.$container.log.gz"
  done < <(expectations "$2")
  sed -i "/^$name /d" "$folder/$service/times.txt" 2>/dev/null || true
  printf '%s %s\n' "$name" "$at" >>"$folder/$service/times.txt"
}

# manifest FOLDER: what the recordings are, from faults.txt and the times of the faults.
manifest() {
  local folder=$1 service name at container right words what file told
  {
    printf '# What was done when, and what tells it: written by scripts/must/real-logs/record.sh.\n'
    printf '# told_at is when the first line (or event) came that matches words.\n'
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

faults() {
  local folder=$1
  shift
  play_all "keep_fault $folder" "$@"
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
