"""The service behind nginx: a few paths, an access log as Python's own server writes it."""

import hashlib
import http.server
import random
import sys
import time

chance = random.Random(17)


class Api(http.server.BaseHTTPRequestHandler):
    """Answers /api/…; a product list has an ETag, so that a client may ask whether it changed."""

    protocol_version = "HTTP/1.1"

    def answer(self, status, body=b"", tag=None):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        if tag:
            self.send_header("ETag", tag)
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        time.sleep(chance.uniform(0.001, 0.03))
        if self.path.startswith("/api/products"):
            body = b'{"products": [' + b"1, " * 500 + b"1]}"
            tag = '"' + hashlib.sha1(body).hexdigest()[:16] + '"'
            if self.headers.get("If-None-Match") == tag:
                self.answer(304, tag=tag)
            else:
                self.answer(200, body, tag)
        elif self.path.startswith("/api/orders/"):
            number = int(self.path.rsplit("/", 1)[1])
            if number % 9 == 0:
                self.answer(404, b'{"error": "no such order"}')
            else:
                self.answer(200, b'{"order": %d}' % number)
        else:
            self.answer(404, b"{}")

    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        time.sleep(chance.uniform(0.005, 0.06))
        self.answer(201, b"{}")

    def log_message(self, format, *args):
        sys.stderr.write(
            "%s - - [%s] %s\n" % (self.address_string(), self.log_date_time_string(), format % args)
        )


http.server.ThreadingHTTPServer.request_queue_size = 64
http.server.ThreadingHTTPServer(("", 8000), Api).serve_forever()
