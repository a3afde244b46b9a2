#!/bin/sh
# rabbitmq.sh: RabbitMQ on its standard output. A first start takes the settings; a restart keeps
# what a fault has made of them.
set -eu
if [ ! -e /etc/rabbitmq/definitions.json ]; then
  mkdir -p /etc/rabbitmq /var/lib/rabbitmq /var/log/rabbitmq
  cp /srv/rabbitmq.conf /srv/definitions.json /etc/rabbitmq/
  chown -R rabbitmq:rabbitmq /etc/rabbitmq /var/lib/rabbitmq /var/log/rabbitmq
fi
# One scheduler that sleeps when idle: a broker for a few messages a second.
export RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS='+S 1:1 +sbwt none +sbwtdcpu none +sbwtdio none'
export HOME=/var/lib/rabbitmq RABBITMQ_NODENAME="${RABBITMQ_NODENAME:-rabbit@$(hostname)}"
exec setpriv --reuid=rabbitmq --regid=rabbitmq --init-groups /usr/lib/rabbitmq/bin/rabbitmq-server
