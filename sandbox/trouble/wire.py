"""Troubles of the wire: late answers, none at all, resets, half a document.

A view cannot break its own connection, so it answers with a mark and `BreakableConnections` does the rest.
"""

from __future__ import annotations

import os
import socket
import struct
import time
from collections.abc import Callable, Iterable
from typing import Any

from flask import Response

from sandbox.ground.errors import GoogleError
from sandbox.trouble.faults import Fault, refusal_of

MARK = "X-Sandbox-Break"
HANG_SECONDS = 120.0
BREAKS = ("hang", "reset", "close")


def act_out(faults: list[Fault]) -> Response | None:
    """Wait if a fault says so; an answer when the request must go no further. Not under the lock."""
    for fault in faults:
        if fault.kind == "latency":
            time.sleep(fault.seconds or 1.0)
        if fault.kind == "hang":
            time.sleep(fault.seconds or HANG_SECONDS)
        if fault.kind in BREAKS:
            return broken("close" if fault.kind == "hang" else fault.kind)
    refusal = refusal_of(faults)
    return None if refusal is None else _refused(refusal)


def broken(how: str) -> Response:
    """An answer that turns into a broken connection: `reset` or `close`."""
    return Response(status=500, headers={MARK: how})


def _refused(refusal: GoogleError) -> Response:
    response = Response(status=refusal.status, headers=refusal.headers, content_type="application/json")
    response.set_data(f'{{"error":"{refusal.reason}","error_description":"{refusal.message}"}}')
    return response


class BreakableConnections:
    """WSGI wrapper that breaks the connection where an answer carries the mark."""

    def __init__(self, app: Callable[..., Iterable[bytes]]) -> None:
        self.app = app

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        seen: list[str] = []

        def watch(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
            seen.extend(value for name, value in headers if name == MARK)
            return None if seen else start_response(status, headers, *more)

        body = self.app(environ, watch)
        if seen:
            _break(environ.get("werkzeug.socket"), seen[0])
            raise ConnectionResetError("a fault broke this connection")
        return body


def _break(connection: socket.socket | None, how: str) -> None:
    if connection is None:
        return
    if how == "reset":  # linger of zero seconds: RST instead of FIN
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        os.close(connection.detach())  # `close` alone would wait for the handler's files on it
    else:
        connection.shutdown(socket.SHUT_RDWR)
