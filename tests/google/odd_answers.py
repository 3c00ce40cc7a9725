"""Answers that make no sense, and a gate before the stand-in for Google that gives them."""

from __future__ import annotations

import json
import random
import re
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import hypothesis.strategies as st

# What leaves us: "METHOD path" by name
REQUESTS = {
    "metadata": r"GET /\.well-known/.*",
    "keys": r"GET /oauth2/v3/certs.*",
    "token": r"POST /token",
    "revoke": r"POST /revoke",
    "events.list": r"GET /calendar/v3/calendars/[^/]+/events(\?.*)?",
    "events.get": r"GET /calendar/v3/calendars/[^/]+/events/[^/]+",
    "events.watch": r"POST /calendar/v3/calendars/[^/]+/events/watch.*",
    "channels.stop": r"POST /calendar/v3/channels/stop.*",
    "batch": r"POST /batch/.*",
    "calendarList": r"[A-Z]+ /calendar/v3/users/me/calendarList.*",
    "calendars": r"(POST|PATCH|DELETE) /calendar/v3/calendars(/[^/]+)?(\?.*)?",
}
SCALARS = st.sampled_from(
    [
        None,
        True,
        0,
        -1,
        7,
        10**30,
        0.5,
        "",
        "x",
        "\x00",
        "\ud800",
        "a\r\nb: c",
        "é" * 40,
        "x" * 5000,
        "2026-13-45",
    ]
)
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["id", "error", "errors", "items", "keys", "reason", "message"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=6,
)
STATUSES = [200] * 8 + [
    204,
    206,
    301,
    302,
    304,
    308,
    400,
    401,
    403,
    404,
    408,
    409,
    410,
    412,
    418,
    429,
    500,
    503,
    599,
    999,
]
HEADERS = {
    "Content-Type": [
        "application/json",
        "text/html",
        "multipart/mixed",
        "multipart/mixed; boundary=b",
        "",
        "é",
    ],
    "Content-Encoding": ["gzip", "deflate", "br", "nothing"],
    "Transfer-Encoding": ["chunked"],
    "Content-Length": ["0", "7", "100000", "-1", "x"],
    "Retry-After": ["0", "1", "-1", "86400", "999999999999", "soon", "Wed, 99 Oct 99999 07:28:00 GMT"],
    "Location": ["/", "http://[", "http://127.0.0.1:1/", "é"],
    "WWW-Authenticate": ["Bearer", "Basic realm=", "Digest", ",,=", 'Bearer realm="x'],
    "ETag": ['"1"', ""],
}


HALF = b'{"access_token": "a", "expires_in": 3'


@dataclass(frozen=True)
class Odd:
    """One answer. `how`: "body" is these bytes, "mutate" the true answer spoilt, "cut" half of it."""

    status: int
    headers: dict[str, str]
    how: str
    body: bytes
    seed: int


def odd_answers() -> st.SearchStrategy[Odd]:
    bodies = st.one_of(
        st.binary(max_size=40),
        ANYTHING.map(lambda value: json.dumps(value).encode()),
        st.sampled_from([b"", b"<html>", b"[" * 50_000, HALF, b"--b--", b"\xff"]),
    )
    headers = st.fixed_dictionaries(
        {}, optional={name: st.sampled_from(values) for name, values in HEADERS.items()}
    )
    return st.builds(
        Odd,
        status=st.sampled_from(STATUSES),
        headers=headers,
        how=st.sampled_from(["body", "mutate", "mutate", "mutate", "cut"]),
        body=bodies,
        seed=st.integers(0, 2**16),
    )


ODD_VALUES: list[Any] = [
    None, True, 0, -1, 10**30, 1e308, "", "x", "\x00", "\ud800", "a\r\nb", "x" * 5000, [], {}, [[]], {"x": 1},
    "9999-12-31T23:59:59Z", "0001-01-01", "Mars/Olympus", ["RRULE:FREQ=SECONDLY"],
    ["RRULE:FREQ=YEARLY;COUNT=x"],
]  # fmt: skip


def mutate(body: bytes, seed: int) -> bytes:
    """The same document with one of its values replaced, or one left out; whatever is no JSON is cut."""
    dice = random.Random(seed)
    begin = body.find(b"{")
    try:
        document = json.loads(body)
    except ValueError:
        return body[: dice.randrange(len(body) + 1)] if begin else body
    place = document
    while isinstance(place, dict | list) and place:
        key: Any = dice.choice(list(place) if isinstance(place, dict) else range(len(place)))
        if not isinstance(place[key], dict | list) or not place[key] or dice.random() < 0.25:
            if dice.random() < 0.2:
                del place[key]
            else:
                place[key] = dice.choice(ODD_VALUES)
            break
        place = place[key]
    return json.dumps(document).encode()


@dataclass
class Gate:
    """Stands before the sandbox, lets requests through, and spoils the answers to some."""

    sandbox_url: str
    url: str = ""
    wanted: str | None = None  # a name of REQUESTS
    odd: Odd | None = None
    times: int = 0
    always: dict[str, Odd] = field(default_factory=dict)  # in the sandbox's place, by name
    spoilt: Counter[str] = field(default_factory=Counter)

    def spoil(self, wanted: str, odd: Odd, *, times: int) -> None:
        self.wanted, self.odd, self.times = wanted, odd, times

    def rest(self) -> None:
        self.wanted, self.odd, self.times = None, None, 0

    def instead_of(self, line: str) -> Odd | None:
        """What is always answered to this request, if not what the sandbox says."""
        return next((odd for name, odd in self.always.items() if re.fullmatch(REQUESTS[name], line)), None)

    def hits(self, line: str) -> bool:
        """Whether the answer to this request is to be spoilt; counts down."""
        if self.wanted is None or self.times < 1 or not re.fullmatch(REQUESTS[self.wanted], line):
            return False
        self.times -= 1
        self.spoilt[self.wanted] += 1
        return True


class _Handler(BaseHTTPRequestHandler):
    gate: Gate

    def _pass_on(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        status, headers, body = self._ask(self.rfile.read(length))
        line = f"{self.command} {self.path}"
        odd = self.gate.odd if self.gate.hits(line) else self.gate.instead_of(line)
        if odd is None:
            self._say(status, {"Content-Length": str(len(body)), **headers}, body)
            return
        if odd.how == "body":
            status, headers, body = odd.status, {}, odd.body
        elif odd.how == "cut":
            body = body[: len(body) // 2]
        else:
            body = mutate(body, odd.seed)
        self._say(status, {"Content-Length": str(len(body)), **headers, **odd.headers}, body)

    def _ask(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
        there = HTTPConnection(urlsplit(self.gate.sandbox_url).netloc, timeout=30)
        try:
            headers = {
                name: value for name, value in self.headers.items() if name.lower() != "accept-encoding"
            }
            there.request(self.command, self.path, body or None, headers)
            answer = there.getresponse()
            text = answer.read()
        finally:
            there.close()
        if self.path.startswith("/.well-known/"):
            document = json.loads(text)
            for name, value in document.items():
                if name.endswith(("_endpoint", "_uri")):
                    document[name] = value.replace(self.gate.sandbox_url, self.gate.url)
            text = json.dumps(document).encode()
        kept = {
            name: value
            for name, value in answer.getheaders()
            if name.lower() in ("content-type", "retry-after")
        }
        return answer.status, kept, text

    def _say(self, status: int, headers: dict[str, str], body: bytes) -> None:
        lines = [
            f"HTTP/1.1 {status} Odd",
            *(f"{name}: {value}" for name, value in headers.items()),
            "Connection: close",
        ]
        self.wfile.write("\r\n".join([*lines, "", ""]).encode() + body)
        self.close_connection = True

    do_GET = do_POST = do_PATCH = do_DELETE = do_PUT = _pass_on  # noqa: N815 (the names that the server looks for)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@contextmanager
def gate_before(sandbox_url: str) -> Iterator[Gate]:
    """A gate that listens."""
    gate = Gate(sandbox_url.rstrip("/"))
    handler = type("Handler", (_Handler,), {"gate": gate})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        gate.url = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield gate
        server.shutdown()
