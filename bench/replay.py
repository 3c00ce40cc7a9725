"""A proxy before the stand-in for Google that gives each list of the primary calendar from memory.

`python -m bench.replay URL PORT`. What a client asks for the first time is passed on and kept; every later
client that asks the same gets the same bytes at once. So a reader is measured, and not who answers it.
"""

from __future__ import annotations

import sys
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

NOT_PASSED_ON = {"host", "connection", "content-length", "transfer-encoding", "accept-encoding"}
kept: dict[str, tuple[int, bytes]] = {}


class Replay(BaseHTTPRequestHandler):
    """One request: from memory, or from the server behind."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    behind = ""

    def do_GET(self) -> None:
        self._answer()

    do_POST = do_PATCH = do_DELETE = do_GET  # noqa: N815 (the names that http.server looks for)

    def log_message(self, format: str, *args: object) -> None:
        """No log: paths hold addresses."""

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        is_list = self.command == "GET" and "/calendars/primary/events?" in self.path
        status, payload = kept.get(self.path) or self._ask(body)
        if is_list and status == 200:
            kept[self.path] = status, payload
        self.send_response(status)
        self.send_header("Content-Type", self.content_type)
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)

    content_type = "application/json; charset=UTF-8"

    def _ask(self, body: bytes) -> tuple[int, bytes]:
        connection = HTTPConnection(urlsplit(self.behind).netloc, timeout=60)
        headers = {name: value for name, value in self.headers.items() if name.lower() not in NOT_PASSED_ON}
        connection.request(self.command, self.path, body, headers)
        answer = connection.getresponse()
        payload = answer.read()
        self.content_type = answer.headers.get("Content-Type", self.content_type)
        connection.close()
        return answer.status, payload


def main(url: str, port: str) -> None:
    Replay.behind = url
    ThreadingHTTPServer(("127.0.0.1", int(port)), Replay).serve_forever()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
