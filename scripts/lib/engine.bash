# shellcheck shell=bash
# What scripts/testbed.sh and scripts/engine.sh share: starting a Docker engine of their own, and
# talking to it. Sourced, never run. It needs no `docker` command: curl speaks the Engine API.

# The folders that an engine must not share with another one on this machine: sockets of a system
# containerd, of foreign plugins and of shims, and the key that an engine takes its identity from.
PRIVATE_FOLDERS=(/run/containerd /run/docker /etc/docker)

# A word to the person who started the script; stdout belongs to what the script runs.
say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }

# wait_until SECONDS COMMAND…: tries until it succeeds; 1 once the time is over.
wait_until() {
  local deadline=$((SECONDS + $1))
  shift
  until "$@"; do
    ((SECONDS < deadline)) || return 1
    # A poll's pause, not a wait for luck: the condition decides.
    sleep 0.05
  done
}

# api SOCKET METHOD PATH [CURL OPTION…]: one request to an engine; the body on stdout.
api() {
  local socket=$1 method=$2 path=$3
  shift 3
  curl --silent --show-error --fail --noproxy '*' --max-time 60 \
    --unix-socket "$socket" --request "$method" "$@" "http://engine$path"
}

# Whether the engine behind SOCKET answers.
answers() { [[ -S $1 ]] && api "$1" GET /_ping --max-time 2 >/dev/null 2>&1; }

# Whether a process that we started has ended (a zombie has).
gone() {
  local state
  state=$(sed -n 's/^State:[[:space:]]*\(.\).*/\1/p' "/proc/$1/status" 2>/dev/null) || return 0
  [[ -z $state || $state == Z ]]
}

# end_process PID SECONDS: SIGTERM, then SIGKILL once the time is over.
end_process() {
  [[ -n ${1:-} ]] || return 0
  gone "$1" && return 0
  kill -TERM "$1" 2>/dev/null || return 0
  wait_until "$2" gone "$1" && return 0
  kill -KILL "$1" 2>/dev/null || return 0
  wait_until 5 gone "$1"
}

# engine_command DIR [DOCKERD OPTION…]: fills the array ENGINE_COMMAND with what runs dockerd in
# DIR. Its containerd is its own child, because the system's socket is out of its sight.
engine_command() {
  local dir=$1
  shift
  mkdir -p "$dir"
  # Without a file of its own, dockerd would read the machine's.
  printf '{}\n' >"$dir/daemon.json"
  # shellcheck disable=SC2034 # read by the scripts that source this file
  ENGINE_COMMAND=(
    dockerd --config-file "$dir/daemon.json" --data-root "$dir/data" --exec-root "$dir/exec"
    --pidfile "$dir/docker.pid" --host "unix://$dir/docker.sock" "$@"
  )
}

# Hides the folders that must not be shared. Only inside a mount namespace of one's own.
hide_shared_folders() {
  local folder
  for folder in "${PRIVATE_FOLDERS[@]}"; do
    mkdir -p "$folder"
    mount -t tmpfs -o mode=0700 none "$folder"
  done
}

# Names in a JSON array of objects, by key; enough for the Engine API's own answers.
json_strings() { grep -oE "\"$1\":\"[^\"]*\"" | cut -d'"' -f4; }

# remove_containers SOCKET: all containers and their anonymous volumes, then all networks that
# are not the engine's own. Best effort: what is left goes with the engine's folder.
remove_containers() {
  local socket=$1 id
  for id in $(api "$socket" GET '/containers/json?all=1' | json_strings Id); do
    api "$socket" DELETE "/containers/$id?force=1&v=1" >/dev/null 2>&1 ||
      say "container ${id:0:12} could not be removed through the engine"
  done
  for id in $(api "$socket" GET '/networks?filters=%7B%22type%22%3A%5B%22custom%22%5D%7D' |
    json_strings Id); do
    api "$socket" DELETE "/networks/$id" >/dev/null 2>&1 ||
      say "network ${id:0:12} could not be removed through the engine"
  done
}

# engine_processes DIR: ids of processes that belong to the engine in DIR. The whole path of DIR
# stands in their command lines, and only their programs are looked at.
engine_processes() {
  local entry program line
  for entry in /proc/[0-9]*; do
    program=$(readlink "$entry/exe" 2>/dev/null) || continue
    case ${program##*/} in
    dockerd* | containerd* | docker-proxy* | runc* | docker-init*) ;;
    *) continue ;;
    esac
    line=$(tr '\0' ' ' <"$entry/cmdline" 2>/dev/null) || continue
    [[ $line == *"$1/"* ]] && printf '%s\n' "${entry##*/}"
  done
  return 0
}

# sweep_engine DIR: whatever an engine that did not end well left behind outside of DIR. Its mounts
# went with its mount namespace.
sweep_engine() {
  local dir=$1 pid id
  for pid in $(engine_processes "$dir"); do
    kill -KILL "$pid" 2>/dev/null || true
  done
  for id in "$dir"/data/containers/*; do
    [[ -d $id ]] || continue
    # A killed container's cgroup stays until somebody removes it.
    find /sys/fs/cgroup -depth -type d -path "*/${id##*/}*" -exec rmdir {} + 2>/dev/null || true
  done
}
