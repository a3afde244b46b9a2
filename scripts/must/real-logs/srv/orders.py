"""Publishes orders, or (`orders.py consume`) takes them; a new connection now and then."""

import logging
import os
import random
import sys
import time

import pika
import pika.exceptions

from waves import pause

logging.basicConfig(
    stream=sys.stdout, level=logging.INFO, format="[%(asctime)s] [%(process)d] [%(levelname)s] %(name)s - %(message)s"
)
# pika tells every step of a connection at this level; a service would not keep that.
logging.getLogger("pika").setLevel(logging.WARNING)
log = logging.getLogger("orders")
chance = random.Random(23)


def connect():
    return pika.BlockingConnection(
        pika.ConnectionParameters(
            host="broker",
            credentials=pika.PlainCredentials("orders", os.environ.get("BROKER_PASSWORD", "orders")),
            heartbeat=int(os.environ.get("HEARTBEAT", "10")),
            blocked_connection_timeout=5,
            socket_timeout=3,
            client_properties={"connection_name": "billing" if sys.argv[1:] else "orders"},
        )
    )


def publish():
    connection = connect()
    channel = connection.channel()
    channel.confirm_delivery()
    log.info("connected to the broker")
    for number in range(chance.randrange(20, 60)):
        channel.basic_publish("", "orders", b"x" * chance.randrange(20, 400))
        log.info("order %d published", chance.randrange(100000))
        pause(2)
        connection.process_data_events()
    connection.close()


def consume():
    connection = connect()
    channel = connection.channel()
    channel.basic_qos(prefetch_count=5)
    log.info("waiting for orders")
    until = time.monotonic() + chance.uniform(20, 60)
    for method, _, body in channel.consume("orders", inactivity_timeout=1):
        if method:
            time.sleep(chance.uniform(0.001, 0.05))
            channel.basic_ack(method.delivery_tag)
            log.info("order of %d bytes shipped", len(body))
        if time.monotonic() > until:
            break
    channel.cancel()
    connection.close()


def main():
    act = consume if sys.argv[1:] == ["consume"] else publish
    while True:
        try:
            act()
        except (pika.exceptions.AMQPError, OSError):
            log.exception("the connection to the broker failed")
            time.sleep(1)
        pause(1)


main()
