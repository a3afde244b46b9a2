"""Holds connections and does nothing with them: `idle.py postgres COUNT` or `idle.py HOST PORT COUNT`."""

import socket
import sys
import time

import psycopg2


def main():
    count = int(sys.argv[-1])
    held = []
    while len(held) < count:
        try:
            if sys.argv[1] == "postgres":
                held.append(psycopg2.connect(host="db", dbname="shop", user="shop", password="shop"))
            else:
                held.append(socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=3))
        except (psycopg2.OperationalError, OSError):
            time.sleep(0.2)
    time.sleep(86400)


main()
