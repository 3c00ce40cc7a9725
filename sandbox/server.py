"""Serving the sandbox: a thread per request, as a program or inside a test."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from sandbox.app import create_app
from sandbox.client import SandboxClient
from sandbox.people.seed import plant
from sandbox.sign_in.signing import signing_key
from sandbox.state.grants import Client
from sandbox.state.world import World
from sandbox.trouble.wire import BreakableConnections

DEFAULT_CLIENT = Client(
    "lockstep-sandbox-client",
    "lockstep-sandbox-secret",
    (
        "http://127.0.0.1:*/calendar/sync/google/callback",
        "http://localhost:*/calendar/sync/google/callback",
    ),
)


class _QuietHandler(WSGIRequestHandler):
    """HTTP/1.1, no delay for small answers, no access log (paths hold addresses)."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def connection_dropped(self, error: BaseException, environ: dict[str, Any] | None = None) -> None:
        """A fault broke the connection: do not wait on it for another request."""
        self.close_connection = True

    def log(self, type: str, message: str, *args: Any) -> None:
        """Only the sandbox's own bugs are worth a line."""
        if type == "error":
            super().log(type, message, *args)


class Sandbox(SandboxClient):
    """A running sandbox: its address, its state, and the control calls of `SandboxClient`."""

    def __init__(self, server: BaseWSGIServer, world: World, host: str) -> None:
        shown = f"[{host}]" if ":" in host else host
        super().__init__(f"http://{shown}:{server.server_port}")
        self.server, self.state = server, world

    def run(self) -> None:
        """Serve until `stop` is called from another thread."""
        courier = threading.Thread(target=self.state.channels.run, name="sandbox-courier", daemon=True)
        courier.start()
        self.server.serve_forever(poll_interval=0.02)

    def stop(self) -> None:
        """End serving and delivering."""
        self.state.channels.stopping.set()
        self.server.shutdown()


def make_sandbox(
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    clients: list[Client] | None = None,
    seed: str | None = None,
    public_url: str | None = None,
) -> Sandbox:
    """A sandbox bound to a port (0: a free one), not yet serving.

    `public_url` is the address that browsers and the portal use, when it is not the one bound to.
    """
    world = World(clients or [DEFAULT_CLIENT])
    app = BreakableConnections(create_app(world))
    server = make_server(host, port, app, threaded=True, request_handler=_QuietHandler)
    sandbox = Sandbox(server, world, host)
    world.base_url = (public_url or sandbox.url).rstrip("/")
    signing_key()  # made now, not during somebody's first sign-in
    if seed:
        plant(world, seed)
    return sandbox


@contextmanager
def serve(
    *, port: int = 0, clients: list[Client] | None = None, seed: str | None = None
) -> Iterator[Sandbox]:
    """A sandbox on loopback for the length of a `with` block."""
    sandbox = make_sandbox(port=port, clients=clients, seed=seed)
    thread = threading.Thread(target=sandbox.run, name="sandbox", daemon=True)
    thread.start()
    try:
        yield sandbox
    finally:
        sandbox.stop()
        thread.join(timeout=5)
        sandbox.server.server_close()
