"""How requests leave us for Google: each within a deadline, however slowly its answer trickles in.

A time-out of the socket bounds one read and begins anew with the next; a lease is bounded as a whole, and so
must a request be. Looking up a host's address is left to the system; nothing is sent once the time is over.
"""

from __future__ import annotations

import http.client
import io
import math
import socket
import time
from typing import Any, BinaryIO, cast
from urllib.parse import urlsplit

import httplib2
import requests
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict

STEP_SECONDS = 15.0  # one connect, one send, one read
WHOLE_SECONDS = 25.0  # all of them together, a refreshed token and what the library repeats included
PIECE_BYTES = 64 * 1024  # what is sent under one time-out


class Deadline:
    """By when the request under way must be over."""

    def __init__(self, whole_seconds: float = WHOLE_SECONDS, step_seconds: float = STEP_SECONDS) -> None:
        self.whole_seconds, self.step_seconds = whole_seconds, step_seconds
        self._ends_at = math.inf

    def begin(self) -> None:
        """A request begins now."""
        self._ends_at = time.monotonic() + self.whole_seconds

    def step(self) -> float:
        """How long the next wait may be, in seconds. Raises TimeoutError when the time is over."""
        left = self._ends_at - time.monotonic()
        if left <= 0:
            raise TimeoutError("deadline")
        return min(left, self.step_seconds)


class BoundedHttp(httplib2.Http):
    """httplib2 within a deadline. Redirects are not followed: a token goes to Google and nowhere else."""

    def __init__(self, deadline: Deadline) -> None:
        super().__init__(timeout=deadline.step_seconds)
        self.follow_redirects = False
        self.deadline = deadline

    def request(self, uri: str, *arguments: Any, **options: Any) -> tuple[httplib2.Response, bytes]:
        """As httplib2's, over connections of ours. `deadline.begin()` is the caller's to call."""
        options["connection_type"] = CONNECTIONS.get(urlsplit(uri).scheme)
        return cast("tuple[httplib2.Response, bytes]", super().request(uri, *arguments, **options))

    def _conn_request(self, conn: Any, *arguments: Any) -> Any:
        conn.deadline = self.deadline
        return super()._conn_request(conn, *arguments)  # type: ignore[misc]  # unknown to its stubs


class _Bounded:
    """What is bounded about a connection: connecting, sending and reading. For http.client's classes."""

    deadline = Deadline()
    sock: socket.socket | None

    @property
    def timeout(self) -> float:
        """Asked anew by each address of a host that is tried."""
        return self.deadline.step()

    @timeout.setter
    def timeout(self, _: float | None) -> None:
        """The deadline says, not whoever makes the connection."""

    def send(self, data: bytes) -> None:
        for begin in range(0, len(data), PIECE_BYTES):
            if self.sock is not None:
                self.sock.settimeout(self.deadline.step())
            super().send(data[begin : begin + PIECE_BYTES])  # type: ignore[misc]

    def response_class(
        self, sock: socket.socket, *arguments: Any, **options: Any
    ) -> http.client.HTTPResponse:
        source = cast("socket.socket", _Source(sock, self.deadline))
        return http.client.HTTPResponse(source, *arguments, **options)


class _PlainConnection(_Bounded, httplib2.HTTPConnectionWithTimeout):  # type: ignore[misc]
    pass


class _SecureConnection(_Bounded, httplib2.HTTPSConnectionWithTimeout):  # type: ignore[misc]
    pass


CONNECTIONS = {"http": _PlainConnection, "https": _SecureConnection}


class _Source:
    """All that http.client wants of a socket when it reads."""

    def __init__(self, sock: socket.socket, deadline: Deadline) -> None:
        self._sock, self._deadline = sock, deadline

    def makefile(self, _: str) -> BinaryIO:
        return io.BufferedReader(_Reads(self._sock, self._deadline))


class _Reads(io.RawIOBase):
    """Reads of a socket, each within what is left."""

    def __init__(self, sock: socket.socket, deadline: Deadline) -> None:
        self._sock, self._deadline = sock, deadline
        self._file = sock.makefile("rb", buffering=0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._sock.settimeout(self._deadline.step())
        return self._file.readinto(buffer)

    def close(self) -> None:
        self._file.close()
        super().close()


def bound(session: requests.Session) -> requests.Session:
    """Have a session of `requests` send through BoundedHttp, each request within a deadline of its own."""
    for scheme in CONNECTIONS:
        session.mount(f"{scheme}://", _Adapter())
    session.max_redirects = 0  # a redirect raises: what is sent is meant for the address that was asked
    return session


class _Adapter(BaseAdapter):
    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        """Raises requests.ConnectionError whatever happened on the way."""
        deadline = Deadline()
        deadline.begin()
        transport = BoundedHttp(deadline)
        headers = {name: value for name, value in request.headers.items() if name != "Accept-Encoding"}
        try:
            answer, body = transport.request(
                str(request.url), str(request.method), body=request.body, headers=headers
            )
        except (httplib2.HttpLib2Error, http.client.HTTPException, OSError) as error:
            raise requests.ConnectionError(type(error).__name__, request=request) from error
        finally:
            transport.close()
        response = requests.Response()
        response.request, response.url = request, str(request.url)
        response.status_code, response.reason = answer.status, answer.reason
        response.headers = CaseInsensitiveDict(answer)
        response.raw = io.BytesIO(body)
        return response

    def close(self) -> None:
        """Each request has closed its own."""
