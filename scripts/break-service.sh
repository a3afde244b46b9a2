#!/usr/bin/env bash
# break-service.sh [crash|oom|hang|dependency-down|bad-config|error-burst]: breaks the running demo
# stack (`sentinel-tui demo --keep`) from the inside, as the demo's own menu does. Without an
# argument it asks. It needs the `docker` command, and touches nothing but the demo's containers.
set -euo pipefail

SCRIPTS=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib/engine.bash
source "$SCRIPTS/lib/engine.bash"

FAULTS=(crash oom hang dependency-down bad-config error-burst)

fail() {
  say "$*"
  exit 1
}

words() {
  case $1 in
  crash) echo "demo-api's process ends with an error" ;;
  oom) echo 'demo-worker uses more memory than its limit' ;;
  hang) echo 'demo-api stops answering its health check' ;;
  dependency-down) echo 'demo-data dies under the others' ;;
  bad-config) echo 'demo-worker is deployed without a setting' ;;
  error-burst) echo 'demo-api fails most requests' ;;
  *) return 1 ;;
  esac
}

usage() {
  local fault
  printf 'usage: break-service.sh FAULT\n\n'
  for fault in "${FAULTS[@]}"; do
    printf '  %-16s %s\n' "$fault" "$(words "$fault")"
  done
}

# belongs CONTAINER: stops unless it is there and the demo's own.
belongs() {
  local label
  label=$(docker inspect --type container --format '{{index .Config.Labels "sentinel-demo"}}' "$1" \
    2>/dev/null) ||
    fail "the demo is not running: there is no $1; start it with: sentinel-tui demo --keep"
  [[ $label == true ]] || fail "$1 does not belong to the demo: it is left alone"
}

# ask CONTAINER PATH: asks a service from inside its own container.
ask() {
  local state
  belongs "$1"
  state=$(docker inspect --type container --format '{{.State.Status}}' "$1")
  [[ $state == running ]] || fail "$1 is $state: approve its fix, or: docker start $1"
  # The answer may be cut off by the very fault that was asked for.
  docker exec "$1" /sentinel-tui demo-service probe "$2" >/dev/null 2>&1 || true
}

# request METHOD PATH [BODY]: the docker command cannot give a container a health check without a
# shell, so this one call speaks to the engine itself.
request() {
  local method=$1 path=$2 host body=(--data "${3:-}" --header 'Content-Type: application/json')
  host=${DOCKER_HOST:-$(docker context inspect --format '{{.Endpoints.docker.Host}}')}
  case $host in
  unix://*) api "${host#unix://}" "$method" "$path" "${body[@]}" ;;
  tcp://*) curl --silent --show-error --fail --request "$method" "${body[@]}" \
    "http://${host#tcp://}$path" ;;
  *) fail "bad-config needs a unix:// or plain tcp:// engine, and this one is $host" ;;
  esac
}

# Recreates the worker without PEER_URL: a bad deploy. The same as in src/demo/stack.rs.
misconfigure_worker() {
  local image
  belongs demo-worker
  command -v curl >/dev/null || fail 'bad-config needs curl'
  image=$(docker inspect --type container --format '{{.Config.Image}}' demo-worker)
  docker rm --force demo-worker >/dev/null
  request POST '/containers/create?name=demo-worker' '{
    "Image": "'"$image"'",
    "Cmd": ["/sentinel-tui", "demo-service", "worker"],
    "Labels": {
      "sentinel-demo": "true",
      "sre-sentinel.monitor": "true",
      "sre-sentinel.service": "worker",
      "sre-sentinel.depends-on": "api,data"
    },
    "Healthcheck": {
      "Test": ["CMD", "/sentinel-tui", "demo-service", "probe"],
      "Interval": 1000000000, "Timeout": 1000000000, "StartPeriod": 1000000000, "Retries": 2
    },
    "HostConfig": {
      "Memory": 67108864,
      "MemorySwap": 67108864,
      "NetworkMode": "sentinel-demo",
      "RestartPolicy": {"Name": "on-failure", "MaximumRetryCount": 5}
    },
    "NetworkingConfig": {"EndpointsConfig": {"sentinel-demo": {"Aliases": ["worker"]}}}
  }' >/dev/null || fail 'the engine did not create demo-worker again; restart the demo'
  docker start demo-worker >/dev/null
}

# inject FAULT
inject() {
  case $1 in
  crash) ask demo-api /fault/crash ;;
  oom) ask demo-worker /fault/oom ;;
  hang) ask demo-api /fault/hang ;;
  dependency-down) ask demo-data /fault/crash ;;
  bad-config) misconfigure_worker ;;
  error-burst) ask demo-api /fault/errors ;;
  esac
  printf 'done: %s\n' "$(words "$1")"
}

main() {
  local fault
  if [[ ${1:-} == -h || ${1:-} == --help ]]; then
    usage
    return
  fi
  command -v docker >/dev/null || fail 'the docker command is not installed'
  if (($# == 0)); then
    [[ -t 0 ]] || {
      usage >&2
      exit 2
    }
    PS3='Which fault? '
    select fault in "${FAULTS[@]}"; do
      if [[ -n $fault ]]; then
        inject "$fault"
        return
      fi
    done
    return
  fi
  if ! words "$1" >/dev/null; then
    usage >&2
    exit 2
  fi
  inject "$1"
}

main "$@"
