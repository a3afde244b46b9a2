#!/usr/bin/env bash
# engine.sh start|restart|kill|stop DIR: a further Docker engine for one test, in DIR.
#
#   start    makes the engine's namespaces if need be, starts dockerd, prints its DOCKER_HOST;
#            loads $SENTINEL_TEST_IMAGE_TAR if that is set
#   restart  ends dockerd as a service manager would (SIGTERM) and starts it again on the same
#            folder; the engine's own containerd restarts with it
#   kill     ends dockerd with SIGKILL; its containers go on. `start` brings it back
#   stop     removes the containers, ends everything, and removes what was made in DIR
#
# The engine has namespaces of its own (network, mounts, processes): it may use its default bridge,
# and nothing of it outlives them. Its containers reach each other but no other network. Needs root.
set -euo pipefail
shopt -s nullglob

SCRIPTS=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib/engine.bash
source "$SCRIPTS/lib/engine.bash"

# An engine that needs longer to start or to end has failed.
PATIENCE=60

fail() {
  say "$*"
  exit 1
}

# The process that holds the namespaces, if it lives and is ours.
holder() {
  local pid
  [[ -r $dir/engine.holder ]] && pid=$(<"$dir/engine.holder") && ! gone "$pid" &&
    [[ $(tr '\0' ' ' <"/proc/$pid/cmdline") == unshare*" holder $dir "* ]] && printf '%s' "$pid"
}

# inside COMMAND…: runs a command in the engine's namespaces.
inside() {
  local pid
  pid=$(holder) || return 1
  # The holder itself stayed in our process namespace; only its children are in the new one.
  nsenter --net="/proc/$pid/ns/net" --mount="/proc/$pid/ns/mnt" \
    --pid="/proc/$pid/ns/pid_for_children" "$@"
}

# Makes the namespaces. Their first process adopts and buries whatever loses its parent.
hold() {
  rm -f "$dir/holder.ready"
  # shellcheck disable=SC2016 # the inner shell expands
  SCRIPTS=$SCRIPTS setsid unshare --net --mount --pid --fork --kill-child --mount-proc \
    --propagation private -- bash -c '
      set -e
      source "$SCRIPTS/lib/engine.bash"
      ip link set lo up
      hide_shared_folders
      : >"$1/holder.ready"
      while :; do
        sleep 3600 &
        wait "$!"
      done' holder "$dir" "" </dev/null >"$dir/holder.log" 2>&1 &
  printf '%s\n' "$!" >"$dir/engine.holder"
  if ! wait_until 10 holder_settled "$!" || [[ ! -e $dir/holder.ready ]]; then
    fail "cannot make namespaces: $(tail -n 1 "$dir/holder.log")"
  fi
}

# shellcheck disable=SC2317 # called by wait_until
holder_settled() { [[ -e $dir/holder.ready ]] || gone "$1"; }

# dockerd's id among its own processes, if it runs.
dockerd_pid() {
  local pid
  [[ -r $dir/docker.pid ]] && pid=$(<"$dir/docker.pid") &&
    inside grep -qs '^State:[[:space:]]*[^Z]' "/proc/$pid/status" && printf '%s' "$pid"
}

# shellcheck disable=SC2317 # called by wait_until
dockerd_gone() { ! dockerd_pid >/dev/null; }

# end_dockerd SIGNAL: returns once it has ended.
end_dockerd() {
  local pid
  pid=$(dockerd_pid) || return 0
  # shellcheck disable=SC2016 # the inner shell expands
  inside sh -c 'kill -s "$1" "$2"' sh "$1" "$pid"
  wait_until "$PATIENCE" dockerd_gone || fail "dockerd in $dir did not end within $PATIENCE s"
  # A stale one would keep the next dockerd from starting.
  rm -f "$dir/docker.pid"
}

start_dockerd() {
  local nsenter_pid
  engine_command "$dir"
  rm -f "$dir/docker.pid" "$dir/docker.sock"
  inside setsid "${ENGINE_COMMAND[@]}" </dev/null >>"$dir/engine.log" 2>&1 &
  nsenter_pid=$!
  wait_until "$PATIENCE" engine_settled "$nsenter_pid" || fail "dockerd in $dir does not answer"
  if gone "$nsenter_pid"; then
    fail "dockerd in $dir ended: $(grep -iE 'failed|error' "$dir/engine.log" | tail -n 1)"
  fi
}

# shellcheck disable=SC2317 # called by wait_until
engine_settled() { answers "$socket" || gone "$1"; }

start() {
  mkdir -p "$dir"
  holder >/dev/null || hold
  if dockerd_pid >/dev/null; then fail "an engine runs in $dir already"; fi
  start_dockerd
  if [[ -n ${SENTINEL_TEST_IMAGE_TAR:-} ]]; then
    api "$socket" POST /images/load --header 'Content-Type: application/x-tar' \
      --upload-file "$SENTINEL_TEST_IMAGE_TAR" >/dev/null ||
      fail "the engine in $dir did not take $SENTINEL_TEST_IMAGE_TAR"
  fi
}

stop() {
  local pid
  if answers "$socket"; then remove_containers "$socket"; fi
  if pid=$(holder); then
    end_dockerd TERM
    # The first process of the namespaces goes with its parent, and everything with it.
    kill -KILL "$pid"
    wait_until "$PATIENCE" gone "$pid" || fail "the namespaces of $dir did not end"
    wait_until "$PATIENCE" no_processes || fail "processes of the engine in $dir did not end"
  fi
  sweep_engine "$dir"
  rm -rf --one-file-system "$dir/data" "$dir/exec"
  rm -f "$dir"/{docker.sock,docker.pid,daemon.json,engine.log,engine.holder,holder.log,holder.ready}
}

# shellcheck disable=SC2317 # called by wait_until
no_processes() { [[ -z $(engine_processes "$dir") ]]; }

main() {
  local dir socket
  if (($# != 2)); then
    say 'usage: engine.sh start|restart|kill|stop DIR'
    exit 2
  fi
  if ((EUID != 0)); then fail 'an engine of its own needs root'; fi
  dir=$(realpath -m "$2")
  socket=$dir/docker.sock
  # The longest socket inside must fit into the 108 bytes that the kernel allows.
  if ((${#dir} > 70)); then fail "the folder's path is too long for the engine's sockets: $dir"; fi
  case $1 in
  restart | kill) holder >/dev/null || fail "no engine is in $dir; run: engine.sh start $dir" ;;
  esac
  case $1 in
  start) start ;;
  restart)
    end_dockerd TERM
    start_dockerd
    ;;
  kill)
    end_dockerd KILL
    return
    ;;
  stop)
    stop
    return
    ;;
  *)
    say "unknown: $1; use start, restart, kill or stop"
    exit 2
    ;;
  esac
  printf 'unix://%s\n' "$socket"
}

main "$@"
