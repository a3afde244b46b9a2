"""A web shop's worker on PostgreSQL: a connection per order, some slow reports."""

import base64
import logging
import os
import random
import sys
import time

import psycopg2
import psycopg2.errors

from waves import pause

logging.basicConfig(
    stream=sys.stdout,
    level=logging.INFO,
    format="%(asctime)s %(levelname)s %(name)s: %(message)s",
)
log = logging.getLogger("shop.orders")
PASSWORD = os.environ.get("DB_PASSWORD", "shop")
chance = random.Random(11)


def connect():
    return psycopg2.connect(
        host="db", dbname="shop", user="shop", password=PASSWORD, connect_timeout=3
    )


def prepare():
    for _ in range(60):
        try:
            with connect() as db, db.cursor() as cursor:
                cursor.execute(
                    "create table if not exists orders"
                    " (id serial primary key, code integer unique, note text)"
                )
            db.close()
            return
        except psycopg2.OperationalError:
            time.sleep(1)
    sys.exit("the database did not answer within a minute")


def order(number):
    began = time.monotonic()
    db = connect()
    try:
        with db, db.cursor() as cursor:
            note = base64.b64encode(os.urandom(1200)).decode()
            # One in forty comes twice: the second is refused, as it should be.
            code = number - 1 if number % 40 == 0 else number
            try:
                cursor.execute(
                    "insert into orders (code, note) values (%s, %s)", (code, note)
                )
            except psycopg2.errors.UniqueViolation:
                log.warning("order %d was placed already", code)
                return
        with db, db.cursor() as cursor:
            cursor.execute("select count(*) from orders where code %% 7 = %s", (number % 7,))
            cursor.fetchone()
            if number % 25 == 0:
                cursor.execute("select count(*), pg_sleep(%s) from orders", (chance.uniform(0.1, 0.4),))
                log.info("report written in %d ms", (time.monotonic() - began) * 1000)
        log.info("order %d placed for customer %d in %d ms", number, chance.randrange(500),
                 (time.monotonic() - began) * 1000)
    finally:
        db.close()


def main():
    if "DB_PASSWORD" not in os.environ:
        prepare()
    number = int(time.time()) % 1000000 * 100
    while True:
        number += 1
        try:
            order(number)
        except psycopg2.Error:
            log.exception("order %d failed", number)
            time.sleep(1)
        pause(1.5)


main()
