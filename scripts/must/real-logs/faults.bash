# shellcheck shell=bash
# What is done for each fault of faults.txt. Sourced, after stage.bash.
#
# `SERVICE_NAME` does it and calls `begun` at the instant from which it can be seen; the optional
# `before_SERVICE_NAME` runs before the service starts and may fill OPTIONS and ARGUMENTS, the
# optional `quiet_SERVICE_NAME` runs while all is still well.

# Seconds of ordinary load before a fault, and of watching after it.
LEAD=${REAL_LOGS_LEAD:-40} AFTER=${REAL_LOGS_AFTER:-25}

# expectations SERVICE/NAME: the lines of faults.txt, as CONTAINER, RIGHT, WORDS and WHAT by tabs.
# A bar inside WORDS has no space before it.
expectations() {
  grep -E "^$1 \|" "$REAL_LOGS/faults.txt" | sed -E 's/ \| /\t/g' | cut -f2-
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

# play THEN SERVICE/NAME: one fault from a fresh start. THEN (words of a command) is called with the
# fault's name while its containers are still there; `at` is the instant of the fault, told_events
# the file with what the engine told of the containers.
play() {
  local then=$1 service=${2%/*} call=${2/\//_} at='' told_events events=''
  OPTIONS=() ARGUMENTS=()
  told_events=$(mktemp)
  watch_events "$told_events"
  if declare -F "before_$call" >/dev/null; then "before_$call"; fi
  start_service "$service"
  if declare -F "quiet_$call" >/dev/null; then sleep 10 && "quiet_$call"; fi
  sleep "$LEAD"
  "$call"
  # A slow machine starts a service slowly: it goes on until all is said.
  wait_for 120 all_told "$2" || true
  sleep "$AFTER"
  $then "$2"
  kill "$events"
  rm "$told_events"
}

# lane THEN FAULT…: faults of one service, one after another.
lane() {
  local then=$1 each
  shift
  (($#)) || return 0
  # Services do not meet in the names of containers either.
  PREFIX=$PREFIX-${1%/*}
  for each in "$@"; do
    play "$then" "$each" || say "$each failed"
    stop_service "${each%/*}"
  done
}

# play_all THEN [SERVICE/NAME…]: these faults, or all; the services beside each other.
play_all() {
  local then=$1 service wanted lanes=()
  shift
  mapfile -t wanted < <(if (($#)); then printf '%s\n' "$@"; else
    grep -oE '^[a-z]+/[a-z_]+' "$REAL_LOGS/faults.txt" | uniq
  fi)
  for service in "${SERVICES[@]}"; do
    # shellcheck disable=SC2046 # names are words
    lane "$then" $(printf '%s\n' "${wanted[@]}" | grep "^$service/") &
    lanes+=("$!")
  done
  wait "${lanes[@]}"
}

# The instant of the fault, by the machine's clock, which is the engine's.
begun() { at=$(date --utc +%Y-%m-%dT%H:%M:%S.%NZ); }

# restart NAME: a restart that a fault has prepared; it begins with the new process.
restart() {
  docker restart --time 5 "$PREFIX-$1" >/dev/null
  at=$(docker inspect --format '{{.State.StartedAt}}' "$PREFIX-$1")
}

# fill NAME FOLDER: nothing more can be written to the file system of FOLDER.
fill() {
  inside "$1" sh -c 'dd if=/dev/zero of="$1/ballast" bs=64k 2>/dev/null
    dd if=/dev/zero of="$1/ballast-2" bs=1k 2>/dev/null; true' sh "$2"
  begun
}

# second ROLE [RUN OPTION…]: the same service once more in the network namespace of the first.
second() {
  local role=$1
  shift
  # shellcheck disable=SC2086 # a command is words
  docker run --detach --name "$PREFIX-second" --network "container:$PREFIX-$role" \
    --volume "$REAL_LOGS/srv:/srv:ro" "$@" "$IMAGE" ${COMMANDS[$role]} >/dev/null
  at=$(docker inspect --format '{{.State.StartedAt}}' "$PREFIX-second")
}

# intruder SERVICE ROLE RUN-OPTION…: one more client, with a wrong password.
intruder() {
  local service=$1 role=$2
  shift 2
  run_role "$service" "$role" audit "$@"
  at=$(docker inspect --format '{{.State.StartedAt}}' "$PREFIX-audit")
}

# idle SERVICE ARGUMENT…: a container with idle connections.
idle() {
  local service=$1
  shift
  docker run --detach --name "$PREFIX-idle" --network "$PREFIX-$service" \
    --volume "$REAL_LOGS/srv:/srv:ro" "$IMAGE" python3 -u /srv/idle.py "$@" >/dev/null
}

sql() { inside db /usr/lib/postgresql/15/bin/psql --quiet --host=/tmp --user=shop shop "$@" >/dev/null 2>&1; }

# --- PostgreSQL ---------------------------------------------------------------------------------

quiet_postgres_backend_killed() { idle postgres postgres 1; }
postgres_backend_killed() {
  begun
  inside db sh -c 'kill -KILL $(pgrep -f "postgres: shop shop .* idle$" | head -n 1)'
}

before_postgres_disk_full() { OPTIONS[db]='--tmpfs /var/lib/postgresql:size=160m'; }
postgres_disk_full() { fill db /var/lib/postgresql; }

before_postgres_connections_used_up() { ARGUMENTS[db]='-c max_connections=12'; }
postgres_connections_used_up() {
  begun
  idle postgres postgres 12
}

postgres_wrong_password() { intruder postgres shop --env DB_PASSWORD=wrong; }

postgres_bad_config() {
  inside db sh -c 'echo "max_connections = plenty" >>/var/lib/postgresql/15/main/postgresql.conf'
  restart db
}

postgres_bad_permissions() {
  inside db chmod 777 /var/lib/postgresql/15/main
  restart db
}

# Its data is made before.
quiet_postgres_port_in_use() {
  docker run --rm --volume "$REAL_LOGS/srv:/srv:ro" \
    --volume "$PREFIX-second:/var/lib/postgresql" "$IMAGE" /srv/postgres.sh -C port >/dev/null
}
postgres_port_in_use() { second db --volume "$PREFIX-second:/var/lib/postgresql"; }

postgres_server_killed() {
  begun
  crash db
}

postgres_statement_timeout() {
  local i
  begun
  for i in {1..8}; do
    sql --command "set statement_timeout = '300ms'; select pg_sleep(5), $i" || true
  done
}

postgres_deadlock() {
  local i
  sql --command 'create table stock (id integer primary key, left_over integer)
    ; insert into stock select i, 100 from generate_series(1, 10) i'
  begun
  for i in {1..3}; do
    sql --command 'begin; update stock set left_over = 1 where id = 1; select pg_sleep(0.3)
      ; update stock set left_over = 1 where id = 2; commit' &
    sql --command 'begin; update stock set left_over = 1 where id = 2; select pg_sleep(0.3)
      ; update stock set left_over = 1 where id = 1; commit' || true
    wait "$!" || true
  done
}

postgres_missing_table() {
  local i
  begun
  for i in {1..10}; do
    sql --command "select total from invoices where id = $i" || true
    sleep 0.5
  done
}

# --- Redis --------------------------------------------------------------------------------------

redis_memory_full() {
  inside cache redis-cli config set maxmemory-policy noeviction >/dev/null
  begun
  inside cache redis-cli config set maxmemory 1mb >/dev/null
}

before_redis_disk_full() { OPTIONS[cache]='--tmpfs /data:size=16m'; }
redis_disk_full() {
  fill cache /data
  inside cache redis-cli bgsave >/dev/null
}

redis_password_required() {
  begun
  inside cache redis-cli config set requirepass sesame >/dev/null
  inside cache redis-cli --no-auth-warning -a sesame client kill type normal >/dev/null
  inside cache redis-cli --no-auth-warning -a sesame client kill type replica >/dev/null
}

quiet_redis_wrong_password() {
  inside cache redis-cli acl setuser default resetpass '>sesame' >/dev/null
}
redis_wrong_password() { intruder redis sessions --env CACHE_PASSWORD=wrong; }

quiet_redis_clients_used_up() { idle redis cache 6379 30; }
redis_clients_used_up() {
  begun
  # In one connection: another one would be refused.
  inside cache sh -c '
    client=$(redis-cli client list | sed -nE "s/.* addr=([^ ]*) .* cmd=(get|set) .*/\1/p")
    printf "config set maxclients 12\nclient kill addr %s\n" "$client" | redis-cli' >/dev/null
}

redis_bad_config() {
  inside cache sh -c 'echo "maxmemory plenty" >>/data/redis.conf'
  restart cache
}

redis_broken_file() {
  inside cache sh -c 'for file in /data/appendonlydir/*.base.rdb; do echo garbage >"$file"; done'
  restart cache
}

redis_port_in_use() { second cache; }

redis_server_killed() {
  begun
  crash cache
}

# --- nginx --------------------------------------------------------------------------------------

nginx_upstream_gone() {
  begun
  inside api pkill -KILL -f api.py
}

nginx_upstream_host_gone() {
  begun
  crash api
}

nginx_upstream_hangs() {
  begun
  inside api pkill -STOP -f api.py
}

nginx_bad_config() {
  inside web sh -c 'echo "servre { listen 81; }" >>/etc/site/nginx.conf'
  restart web
}

before_nginx_disk_full() { OPTIONS[web]='--tmpfs /var/cache/site:size=1m'; }
nginx_disk_full() { fill web /var/cache/site; }

nginx_worker_killed() {
  begun
  inside web sh -c 'kill -KILL $(pgrep -f "[n]ginx: worker" | head -n 1)'
}

quiet_nginx_connections_used_up() { set_nginx 's/worker_connections 512/worker_connections 24/'; }
nginx_connections_used_up() {
  begun
  idle nginx web 80 60
}

quiet_nginx_files_used_up() { set_nginx 's/rlimit_nofile 1024/rlimit_nofile 24/'; }
nginx_files_used_up() {
  begun
  idle nginx web 80 60
}

# set_nginx EXPRESSION: changes the settings and has them read again.
set_nginx() {
  inside web sed -i -e "$1" -e 's/worker_processes 2/worker_processes 1/' /etc/site/nginx.conf
  inside web kill -HUP 1
}

nginx_certificate_missing() {
  inside web rm /etc/site/web.crt
  restart web
}

nginx_permission_denied() {
  begun
  inside web chmod 700 /var/www/site
}

nginx_upstream_unknown() {
  docker stop --time 1 "$PREFIX-api" >/dev/null
  restart web
}

nginx_port_in_use() { second web; }

# --- RabbitMQ -----------------------------------------------------------------------------------

rabbitmq_disk_alarm() {
  begun
  inside broker rabbitmqctl --quiet set_disk_free_limit 900000000000000 >/dev/null
}

rabbitmq_memory_alarm() {
  begun
  inside broker rabbitmqctl --quiet set_vm_memory_high_watermark absolute 20MB >/dev/null
}

rabbitmq_wrong_password() { intruder rabbitmq orders --env BROKER_PASSWORD=wrong; }

rabbitmq_bad_config() {
  inside broker sh -c 'echo "listeners.tcp.default = plenty" >>/etc/rabbitmq/rabbitmq.conf'
  restart broker
}

rabbitmq_bad_cookie() {
  inside broker chmod 644 /var/lib/rabbitmq/.erlang.cookie
  restart broker
}

rabbitmq_client_gone() {
  begun
  crash billing
}

before_rabbitmq_client_hangs() { OPTIONS[billing]='--env HEARTBEAT=2'; }
rabbitmq_client_hangs() {
  begun
  kill -STOP "$(docker inspect --format '{{.State.Pid}}' "$PREFIX-billing")"
}

rabbitmq_queue_gone() {
  begun
  inside broker rabbitmqctl --quiet delete_queue orders >/dev/null
}

rabbitmq_port_in_use() { second broker --env RABBITMQ_NODENAME=second@broker; }

rabbitmq_server_killed() {
  begun
  crash broker
}
