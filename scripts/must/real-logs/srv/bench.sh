#!/bin/sh
# bench.sh: pgbench against the database, two connections, a few transactions a second.
export PGHOST=db PGUSER=shop PGPASSWORD=shop PGDATABASE=shop
bin=/usr/lib/postgresql/15/bin
until "$bin/pg_isready" --quiet; do sleep 1; done
"$bin/pgbench" --initialize --scale=1 --quiet
while :; do
  "$bin/pgbench" --no-vacuum --client=2 --rate=2 --time=60 --progress=20 --connect || sleep 1
done
