# shellcheck shell=bash
# The services with their clients, as containers: starting, stopping, reading. Sourced.
#
# The engine is the one that DOCKER_HOST names. All containers' names begin with $PREFIX-, and a
# service's containers share a network in which they have their plain names.

REAL_LOGS=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
SERVICES=(postgres redis nginx rabbitmq)
IMAGE=sentinel-test/services:1
# What a container's part is named, in the order in which they are started.
declare -A ROLES=([postgres]='db shop bench' [redis]='cache replica sessions'
  [nginx]='api web visitors' [rabbitmq]='broker orders billing')
declare -A COMMANDS=(
  [db]='/srv/postgres.sh' [shop]='python3 -u /srv/shop.py' [bench]='/srv/bench.sh'
  [cache]='/srv/redis.sh' [replica]='/srv/redis.sh --replicaof cache 6379'
  [sessions]='python3 -u /srv/sessions.py'
  [api]='/srv/api.sh' [web]='/srv/nginx.sh' [visitors]='python3 -u /srv/visitors.py'
  [broker]='/srv/rabbitmq.sh' [orders]='python3 -u /srv/orders.py'
  [billing]='python3 -u /srv/orders.py consume')

say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }

# ensure_image: builds and imports the services' image if the engine does not have it.
ensure_image() {
  local tar=${REAL_LOGS_TAR:-${TMPDIR:-/tmp}/sentinel-services.tar}
  docker image inspect "$IMAGE" >/dev/null 2>&1 && return
  [[ -e $tar ]] || "$REAL_LOGS/image.sh" "$tar"
  docker import "$tar" "$IMAGE" >/dev/null
}

# run_role SERVICE ROLE NAME [RUN OPTION…] -- [ARGUMENT…]: one container with one part of a service.
run_role() {
  local service=$1 role=$2 name=$3 options=()
  shift 3
  while [[ ${1:---} != -- ]]; do
    options+=("$1")
    shift
  done
  (($# == 0)) || shift
  # shellcheck disable=SC2086 # a command is words
  docker run --detach --name "$PREFIX-$name" --hostname "$name" \
    --network "$PREFIX-$service" --network-alias "$name" --stop-timeout 5 \
    --volume "$REAL_LOGS/srv:/srv:ro" "${options[@]}" "$IMAGE" ${COMMANDS[$role]} "$@" >/dev/null
}

# start_service SERVICE [DB OPTIONS…]: all containers of a service. OPTIONS[role] are options of
# `docker run`, ARGUMENTS[role] arguments of the command; both may be unset.
start_service() {
  local service=$1 role
  docker network create "$PREFIX-$service" >/dev/null
  for role in ${ROLES[$service]}; do
    # shellcheck disable=SC2086 # options are words
    run_role "$service" "$role" "$role" ${OPTIONS[$role]:-} -- ${ARGUMENTS[$role]:-}
    if [[ $role == broker ]]; then
      wait_for 300 broker_ready
    fi
  done
}

# shellcheck disable=SC2317 # called by wait_for
broker_ready() { in_log broker 'Server startup complete'; }

# stop_service SERVICE: removes its containers and network.
stop_service() {
  local names
  mapfile -t names < <(docker ps --all --quiet --filter "network=$PREFIX-$1")
  ((${#names[@]} == 0)) || docker rm --force --volumes "${names[@]}" >/dev/null
  docker rm --force --volumes "$PREFIX-second" >/dev/null 2>&1 || true
  docker volume rm "$PREFIX-second" >/dev/null 2>&1 || true
  docker network rm "$PREFIX-$1" >/dev/null 2>&1 || true
}

# wait_for SECONDS COMMAND…: tries until it succeeds.
wait_for() {
  local deadline=$((SECONDS + $1))
  shift
  until "$@"; do
    ((SECONDS < deadline)) || {
      say "waited in vain: $*"
      return 1
    }
    sleep 0.2
  done
}

# in_log NAME REGEX: whether a container has said it, in its present run.
in_log() {
  local since
  since=$(docker inspect --format '{{.State.StartedAt}}' "$PREFIX-$1") || return 1
  docker logs --since "$since" "$PREFIX-$1" 2>&1 | grep -qE -- "$2"
}

# inside NAME COMMAND…: a command in a container, as root.
inside() {
  local name=$1
  shift
  docker exec "$PREFIX-$name" "$@"
}

# crash NAME: the container's first process dies as if by itself. Not `docker kill`: that would be
# somebody's wish.
crash() { kill -KILL "$(docker inspect --format '{{.State.Pid}}' "$PREFIX-$1")"; }

# watch_events FILE: keeps what the engine tells of the containers' lives, as lines
# `NAME NANOSECONDS WHAT`, until the process $events is ended. (Asked later, the engine would
# remember no more than 256 events.)
watch_events() {
  docker events --filter type=container \
    --filter=event={create,start,die,kill,oom,stop,restart,pause,unpause,destroy} --format \
    '{{.Actor.Attributes.name}} {{.TimeNano}} {{.Action}}{{with .Actor.Attributes.exitCode}} exitCode={{.}}{{end}}{{with .Actor.Attributes.signal}} signal={{.}}{{end}}' \
    >"$1" &
  events=$!
}

# recording NAME EVENTS: all that a container has said and what the engine told of it (in the file
# that watch_events wrote), in order: lines `TIMESTAMP STREAM TEXT`, with the streams stdout,
# stderr and event.
recording() {
  local name=$PREFIX-$1
  {
    docker logs --timestamps "$name" 2>/dev/null | stream_of stdout
    docker logs --timestamps "$name" 2>&1 >/dev/null | stream_of stderr
    sed -n "s/^$name //p" "$2" | event_times
  } | LC_ALL=C sort --stable --key=1,1
}

# A last line may have no end of its own.
stream_of() { awk -v stream="$1" '{ at = $1; sub(/^[^ ]+ ?/, ""); print at, stream, $0 }'; }

# Nanoseconds since 1970 to the form that log lines have.
event_times() {
  local nanoseconds rest
  while read -r nanoseconds rest; do
    printf '%s.%sZ event %s\n' \
      "$(date --utc --date "@${nanoseconds:0:-9}" +%Y-%m-%dT%H:%M:%S)" "${nanoseconds: -9}" "$rest"
  done
}
