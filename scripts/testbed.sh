#!/usr/bin/env bash
# testbed.sh COMMAND [ARGUMENT…]: runs a command beside a Docker engine and a Redis of its own.
#
# Both are private to this run: own folder, own sockets, own bridge; several runs and other engines
# on the machine do not meet. Everything is stopped and removed at the end, however the command
# ends; the exit status is the command's. What a killed run left behind, the next one removes.
#
# The command sees:
#   SENTINEL_TEST_DOCKER_HOST, DOCKER_HOST   the engine
#   SENTINEL_TEST_IMAGE                      an image with busybox, made without a registry
#   SENTINEL_TEST_IMAGE_TAR                  the same image as a file, for further engines
#   SENTINEL_TEST_ENGINE                     scripts/engine.sh: further engines for one test
#   SENTINEL_TEST_NO_ENGINE                  instead of all that: why no engine runs here
#   SENTINEL_TEST_REDIS_URL                  the Redis
#
# For Debian and Ubuntu. As root it installs what is missing; otherwise it says what is missing.
set -euo pipefail
shopt -s nullglob

SCRIPTS=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib/engine.bash
source "$SCRIPTS/lib/engine.bash"

IMAGE=sentinel-test/busybox:1
# What tests may rely on in the image; every other applet that busybox has is there, too.
APPLETS=(sh sleep cat echo kill true false wget nc httpd ls env dd head tail seq printf date yes
  touch mkdir rm id ps chmod awk grep)
# An engine that needs longer to start does not start.
ENGINE_PATIENCE=60

bed='' bridge='' engine_pid='' redis_pid='' command_pid=''

# --- what is missing ----------------------------------------------------------------------------

# Installs packages without letting them start services: only our own engine and Redis run.
install_packages() {
  local policy=/usr/sbin/policy-rc.d ours=no status=0
  say "installing with apt-get: $*"
  if [[ ! -e $policy ]]; then
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
    ours=yes
  fi
  {
    apt-get update -qq &&
      DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@"
  } </dev/null >"$bed/apt.log" 2>&1 || status=$?
  if [[ $ours == yes ]]; then rm -f "$policy"; fi
  if ((status != 0)); then
    tail -n 5 "$bed/apt.log" >&2
    say "apt-get could not install: $*"
  fi
}

install_missing() {
  local -A package=([dockerd]=docker.io [busybox]=busybox-static [redis-server]=redis-server
    [ip]=iproute2 [curl]=curl [iptables]=iptables)
  local tool missing=()
  for tool in "${!package[@]}"; do
    command -v "$tool" >/dev/null || missing+=("${package[$tool]}")
  done
  if ((${#missing[@]} == 0)); then return; fi
  if ((EUID != 0)) || ! command -v apt-get >/dev/null; then
    say "not installed here: ${missing[*]}"
    return
  fi
  # One apt-get at a time, also over several test beds.
  exec 8>"${TMPDIR:-/tmp}/sentinel-bed.apt"
  flock 8
  install_packages "${missing[@]}"
  exec 8>&-
}

# --- the engine ---------------------------------------------------------------------------------

# Whether no address of A.B.C.0/24 is reachable by anything but the default route.
is_free() {
  local routes
  routes=$(ip -4 route show match "$1.1"; ip -4 route show root "$1.0/24")
  ! grep -qv '^default' <<<"${routes:-default}"
}

# Makes a bridge with a name and a subnet that nothing else uses. The kernel gives a name only
# once, so that two runs at the same time take different ones.
make_bridge() {
  local number net error=''
  for number in {10..249}; do
    for net in "10.$number.0" "192.168.$number"; do
      is_free "$net" || continue
      # Exists already: another run has just taken it.
      error=$(ip link add "sbr$number" type bridge 2>&1) || break
      bridge=sbr$number
      printf '%s\n' "$bridge" >"$bed/bridge"
      ip addr add "$net.1/24" dev "$bridge" && ip link set "$bridge" up
      return
    done
    # Without the right to do so, no other name will do either.
    if [[ -n $error && ! -e /sys/class/net/sbr$number ]]; then break; fi
  done
  why="no network bridge can be made (${error:-no free subnet in 10.10–249.0.0/24})"
  return 1
}

# A file system with busybox, and nothing else, as an image.
make_image() {
  local root=$bed/rootfs applet changes='CMD%20%5B%22sh%22%5D'
  mkdir -p "$root"/{bin,etc,proc,sys,dev,root,var/run}
  mkdir -m 1777 "$root/tmp"
  cp -L "$(command -v busybox)" "$root/bin/busybox"
  # Links must not be absolute: they are read in the image.
  for applet in $("$root/bin/busybox" --list); do
    [[ $applet == busybox ]] || ln -s busybox "$root/bin/$applet"
  done
  for applet in "${APPLETS[@]}"; do
    [[ -e $root/bin/$applet ]] || {
      why="this machine's busybox has no $applet"
      return 1
    }
  done
  # Debian's busybox has no printenv.
  if [[ ! -e $root/bin/printenv ]]; then
    cat >"$root/bin/printenv" <<'SCRIPT'
#!/bin/sh
[ $# -gt 0 ] || exec env
eval "[ -n \"\${$1+set}\" ]" || exit 1
eval "printf '%s\n' \"\$$1\""
SCRIPT
    chmod 755 "$root/bin/printenv"
  fi
  printf 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n' \
    >"$root/etc/passwd"
  printf 'root:x:0:\nnogroup:x:65534:\n' >"$root/etc/group"
  tar --create --file "$bed/rootfs.tar" --owner=0 --group=0 --numeric-owner -C "$root" .
  if ! api "$socket" POST \
    "/images/create?fromSrc=-&repo=${IMAGE%:*}&tag=${IMAGE##*:}&changes=$changes" \
    --header 'Content-Type: application/x-tar' --upload-file "$bed/rootfs.tar" >/dev/null ||
    ! api "$socket" GET "/images/$IMAGE/get" --output "$bed/image.tar"; then
    why='the engine did not take the test image'
    return 1
  fi
}

# Starts the engine with the image in it; 1 with the reason in `why`.
start_engine() {
  local tool
  socket=$bed/engine/docker.sock
  if ((EUID != 0)); then
    why='not root'
    return 1
  fi
  for tool in dockerd busybox ip curl unshare; do
    command -v "$tool" >/dev/null || {
      why="$tool is not installed"
      return 1
    }
  done
  make_bridge || return 1
  engine_command "$bed/engine" --bridge "$bridge"
  # A mount namespace of its own: nothing stays mounted, whatever happens to it. A session of its
  # own: Ctrl-C is for the command.
  # shellcheck disable=SC2016 # the inner shell expands
  SCRIPTS=$SCRIPTS setsid unshare --mount --propagation private -- bash -c '
    set -e
    source "$SCRIPTS/lib/engine.bash"
    hide_shared_folders
    exec "$@"' engine "${ENGINE_COMMAND[@]}" \
    </dev/null >"$bed/engine.log" 2>&1 9>&- &
  engine_pid=$!
  wait_until "$ENGINE_PATIENCE" engine_settled || {
    why="dockerd did not answer within $ENGINE_PATIENCE s"
    return 1
  }
  if gone "$engine_pid"; then
    why="dockerd ended: $(grep -iE 'failed|error|not permitted' "$bed/engine.log" | tail -n 1 |
      cut -c 1-300)"
    return 1
  fi
  make_image
}

# It answers, or it never will.
# shellcheck disable=SC2317 # called by wait_until
engine_settled() { answers "$socket" || gone "$engine_pid"; }

# --- Redis --------------------------------------------------------------------------------------

# It is our Redis that answers on the port, not another run's; or it never will.
# shellcheck disable=SC2317 # called by wait_until
redis_answers() {
  gone "$redis_pid" && return 0
  redis-cli -h 127.0.0.1 -p "$redis_port" info server 2>/dev/null |
    grep -q "^process_id:${redis_pid}[[:space:]]*\$"
}

start_redis() {
  local attempt
  if ! command -v redis-server >/dev/null || ! command -v redis-cli >/dev/null; then
    say 'no Redis: redis-server is not installed'
    return
  fi
  mkdir -p "$bed/redis"
  # A port is free only once it is taken: try, and look who answers.
  for attempt in {1..20}; do
    redis_port=$((20000 + (RANDOM % 12000)))
    setsid redis-server --bind 127.0.0.1 --port "$redis_port" --dir "$bed/redis" \
      --save '' --appendonly no --daemonize no </dev/null >"$bed/redis.log" 2>&1 9>&- &
    redis_pid=$!
    if wait_until 20 redis_answers && ! gone "$redis_pid"; then
      export SENTINEL_TEST_REDIS_URL="redis://127.0.0.1:$redis_port/0"
      return
    fi
    end_process "$redis_pid" 2 || true
  done
  redis_pid=''
  say "no Redis: redis-server did not start in $attempt attempts; $(tail -n 1 "$bed/redis.log")"
}

# --- the end ------------------------------------------------------------------------------------

# clear_rules BRIDGE: removes the packet filter's rules that name a bridge; the chains that they
# stand in are shared with other engines.
clear_rules() {
  local table rule
  command -v iptables >/dev/null || return 0
  for table in filter nat; do
    while read -r rule; do
      # shellcheck disable=SC2086 # a rule is words
      iptables --wait 10 --table "$table" ${rule/#-A/-D} 2>/dev/null || true
    done < <(iptables --wait 10 --table "$table" --list-rules 2>/dev/null |
      grep -E -- "^-A .*-[io] $1( |$)")
  done
}

# clear_bed FOLDER: removes everything that a run made, from its folder and from the machine.
clear_bed() {
  local folder=$1 name
  # Further engines that a test could not stop any more.
  while read -r name; do
    "$SCRIPTS/engine.sh" stop "$(dirname "$name")" >/dev/null 2>&1 ||
      say "cannot stop the engine in $(dirname "$name")"
  done < <(find "$folder/tmp" -name engine.holder -type f 2>/dev/null)
  sweep_engine "$folder/engine"
  if [[ -r $folder/redis.pid ]] && name=$(<"$folder/redis.pid") &&
    tr '\0' ' ' 2>/dev/null <"/proc/$name/cmdline" | grep -q '^redis-server '; then
    end_process "$name" 5 || true
  fi
  # Bridges of networks that the engine had no time to remove carry its networks' ids.
  for name in $(cat "$folder/bridge" 2>/dev/null) \
    $(grep -aohE 'br-[0-9a-f]{12}' "$folder"/engine/data/network/files/* 2>/dev/null | sort -u); do
    clear_rules "$name"
    [[ -e /sys/class/net/$name/bridge ]] || continue
    ip link delete "$name" || say "cannot remove the bridge $name"
  done
  rm -rf --one-file-system "$folder"
}

# shellcheck disable=SC2317 # called by the trap
clean_up() {
  # Nothing may stop the end; a second Ctrl-C neither.
  trap '' INT TERM HUP
  set +e
  if [[ -n $command_pid ]]; then
    end_group "$command_pid"
  fi
  if [[ -n $engine_pid ]]; then
    answers "$socket" && remove_containers "$socket"
    end_process "$engine_pid" 30 || say 'dockerd did not end'
  fi
  end_process "$redis_pid" 10
  if [[ -n $bed ]]; then clear_bed "$bed"; fi
}

# end_group PID: ends a command's process group: SIGTERM, ten seconds, SIGKILL.
# shellcheck disable=SC2317 # called by the trap
end_group() {
  kill -TERM -- "-$1" 2>/dev/null || return 0
  wait_until 10 group_gone "$1" && return 0
  kill -KILL -- "-$1" 2>/dev/null
}

# shellcheck disable=SC2317 # called by the trap
group_gone() { ! kill -0 -- "-$1" 2>/dev/null || gone "$1"; }

# A folder of our own, locked as long as we live: a folder that nobody has locked is left over.
# The lock is there before its name is, so that nobody can take the folder away in between.
make_bed() {
  local parent=${TMPDIR:-/tmp} old
  # Socket paths are short: a deep folder would not do.
  if ((${#parent} > 40)); then parent=/tmp; fi
  bed=$(mktemp -d "$parent/sentinel-bed.XXXXXX")
  exec 9>"$bed/lock.new"
  flock 9
  mv "$bed/lock.new" "$bed/lock"
  mkdir "$bed/tmp" "$bed/xdg"
  for old in "$parent"/sentinel-bed.*/lock; do
    if [[ $old != "$bed/lock" ]] && flock --nonblock "$old" true 2>/dev/null; then
      say "removing what an earlier run left behind: ${old%/lock}"
      clear_bed "${old%/lock}"
    fi
  done
}

# --- the run ------------------------------------------------------------------------------------

# The command's environment: the bed, and nothing of this machine that would change a test.
set_environment() {
  local name
  for name in "${!DOCKER_@}" "${!SENTINEL_@}" AUTO_HEAL_ENABLED API_HOST API_PORT REDIS_HOST \
    REDIS_PORT REDIS_URL MCP_GATEWAY_URL MCP_GATEWAY_AUTH_TOKEN CEREBRAS_API_KEY \
    CEREBRAS_API_BASE CEREBRAS_MODEL LLAMA_API_KEY LLAMA_API_BASE LLAMA_MODEL \
    OPENROUTER_API_KEY; do
    unset "$name"
  done
  # Temporary folders are ours, so that what a killed test leaves behind goes, too.
  export TMPDIR="$bed/tmp" XDG_CONFIG_HOME="$bed/xdg/config" XDG_STATE_HOME="$bed/xdg/state"
}

main() {
  local why='' socket='' redis_port='' status=0
  if (($# == 0)); then
    say 'which command? e.g. scripts/testbed.sh cargo test'
    exit 2
  fi
  trap clean_up EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  trap 'exit 129' HUP
  make_bed
  install_missing
  set_environment
  if start_engine; then
    export SENTINEL_TEST_DOCKER_HOST="unix://$socket" DOCKER_HOST="unix://$socket"
    export SENTINEL_TEST_IMAGE=$IMAGE SENTINEL_TEST_IMAGE_TAR="$bed/image.tar"
    export SENTINEL_TEST_ENGINE="$SCRIPTS/engine.sh"
  else
    say "no Docker engine can run here: $why"
    # No test may reach another engine of this machine by mistake.
    export SENTINEL_TEST_NO_ENGINE=$why DOCKER_HOST="unix://$bed/no-engine.sock"
  fi
  start_redis
  if [[ -n $redis_pid ]]; then printf '%s\n' "$redis_pid" >"$bed/redis.pid"; fi

  if [[ -t 0 ]]; then
    # The command has the keyboard, and Ctrl-C reaches it from the terminal.
    "$@" 9>&- || status=$?
  else
    # In the background our traps stay quick; in a process group of its own the command keeps
    # its default signals, and can be ended with everything that it started.
    set -m
    "$@" <&0 9>&- &
    command_pid=$!
    set +m
    wait "$command_pid" || status=$?
    command_pid=''
  fi
  exit "$status"
}

main "$@"
