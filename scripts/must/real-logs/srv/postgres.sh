#!/bin/sh
# postgres.sh [OPTION…]: PostgreSQL on its standard error, as in a container; a first start makes the
# cluster. Options go to the server, so that a fault can shrink a limit.
set -eu
bin=/usr/lib/postgresql/15/bin
data=/var/lib/postgresql/15/main
as_postgres() { setpriv --reuid=postgres --regid=postgres --init-groups env -C / "$@"; }

if [ ! -e "$data/PG_VERSION" ]; then
  mkdir -p "$data"
  chown -R postgres:postgres /var/lib/postgresql
  chmod 700 "$data"
  as_postgres "$bin/initdb" --pgdata="$data" --encoding=UTF8 --no-locale --auth-local=trust \
    --auth-host=scram-sha-256 >/dev/null
  cat /srv/postgresql.conf >>"$data/postgresql.conf"
  printf 'host all all all scram-sha-256\n' >>"$data/pg_hba.conf"
  {
    printf "create role shop login password 'shop'\n"
    printf 'create database shop owner shop\n'
  } | as_postgres "$bin/postgres" --single -D "$data" postgres >/dev/null 2>&1
fi
exec setpriv --reuid=postgres --regid=postgres --init-groups "$bin/postgres" -D "$data" "$@"
