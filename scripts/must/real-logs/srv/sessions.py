"""Sessions in Redis; logs JSON lines."""

import json
import os
import random
import sys
import time
import traceback

import redis

from waves import pause

chance = random.Random(13)


def log(level, message, **fields):
    now = time.time()
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now)) + f".{int(now % 1 * 1000):03d}Z"
    line = {"time": stamp, "level": level, "logger": "sessions", "msg": message, **fields}
    print(json.dumps(line), flush=True)


def connect():
    return redis.Redis(
        host="cache", socket_timeout=2, socket_connect_timeout=2,
        password=os.environ.get("CACHE_PASSWORD"),
    )


def main():
    cache = connect()
    handled = 0
    while True:
        handled += 1
        user = chance.randrange(2000)
        began = time.monotonic()
        try:
            # A new connection now and then, as a pool that is recycled makes them.
            if handled % 50 == 0:
                cache.close()
                cache = connect()
            known = cache.get(f"session:{user}")
            if known is None:
                cache.set(f"session:{user}", "x" * chance.randrange(200, 4000), ex=300)
            elapsed = round((time.monotonic() - began) * 1000, 2)
            word = "session found" if known else "session created"
            log("info", word, user=user, duration_ms=elapsed)
            if not known and chance.random() < 0.02:
                log("warn", "session expired early", user=user)
        except redis.RedisError as error:
            log("error", "session store failed", user=user, error=str(error),
                stack=traceback.format_exc())
            time.sleep(0.5)
        pause(5)


if __name__ == "__main__":
    sys.exit(main())
