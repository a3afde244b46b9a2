"""Visitors of the site: pages, the API, uploads, scanners that look for what is not there."""

import http.client
import random
import sys
import time

from waves import pause

chance = random.Random(19)
BROWSERS = [
    "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
    "curl/7.88.1",
]
MISSING = ["/favicon.ico", "/wp-login.php", "/.env", "/robots.txt", "/admin/config.php"]


def ask(method, path, body=None, headers=None, give_up=None):
    """One request on a connection of its own; the status, or 0 when it was given up."""
    connection = http.client.HTTPConnection("web", timeout=give_up or 10)
    try:
        connection.request(method, path, body, {"User-Agent": chance.choice(BROWSERS), **(headers or {})})
        response = connection.getresponse()
        response.read()
        return response.status, response.headers.get("ETag")
    finally:
        connection.close()


def main():
    tag = None
    counts = {}
    told = time.monotonic()
    while True:
        kind = chance.random()
        try:
            if kind < 0.35:
                status, _ = ask("GET", chance.choice(["/", "/index.html", "/style.css"]))
            elif kind < 0.6:
                headers = {"If-None-Match": tag} if tag and chance.random() < 0.5 else {}
                status, new = ask("GET", f"/api/products?page={chance.randrange(30)}", headers=headers)
                tag = new or tag
            elif kind < 0.85:
                status, _ = ask("GET", f"/api/orders/{chance.randrange(10000)}")
            elif kind < 0.97:
                size = chance.choice([200, 2000, 60000])
                status, _ = ask("POST", "/api/orders", b"x" * size)
            else:
                status, _ = ask("GET", chance.choice(MISSING))
        except OSError as error:
            status = type(error).__name__
        counts[status] = counts.get(status, 0) + 1
        if time.monotonic() - told > 10:
            told = time.monotonic()
            words = " ".join(f"{status}={count}" for status, count in sorted(counts.items(), key=str))
            print(f"time={time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())} level=info msg=\"answers\" {words}", flush=True)
            counts = {}
        pause(8)


if __name__ == "__main__":
    sys.exit(main())
