#!/bin/sh
# redis.sh [OPTION…]: Redis on its standard output. A first start takes the settings; a restart
# keeps what a fault has made of them.
set -eu
mkdir -p /data
[ -e /data/redis.conf ] || cp /srv/redis.conf /data/redis.conf
chown -R redis:redis /data
cd /data
exec setpriv --reuid=redis --regid=redis --init-groups redis-server /data/redis.conf "$@"
