#!/bin/sh
# api.sh: the service as a child of the container's first process: when it dies, its port is closed
# but the container stays.
python3 /srv/api.py &
wait $!
echo "api: the server ended with status $?" >&2
exec sleep 86400
