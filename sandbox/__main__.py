"""`python -m sandbox --port N`: serve the stand-in until interrupted."""

from __future__ import annotations

import argparse
import contextlib
import signal

from sandbox.server import DEFAULT_CLIENT, make_sandbox
from sandbox.state.grants import Client


def main() -> None:
    """Read the command line and serve."""
    options = _parser().parse_args()
    clients = [DEFAULT_CLIENT]
    if options.client_id:
        uris = tuple(options.redirect_uri or DEFAULT_CLIENT.redirect_uris)
        clients = [Client(options.client_id, options.client_secret, uris)]
    sandbox = make_sandbox(
        host=options.host,
        port=options.port,
        clients=clients,
        seed=options.seed,
        public_url=options.public_url,
    )
    sandbox.state.switches.quota = options.quota
    print(f"Sandbox Google at {sandbox.url}", flush=True)
    for number in (signal.SIGINT, signal.SIGTERM):  # a shell's background jobs are started deaf to the first
        signal.signal(number, signal.default_int_handler)
    with contextlib.suppress(KeyboardInterrupt):
        sandbox.run()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m sandbox", description="A stand-in for Google Calendar.")
    parser.add_argument("--port", type=int, default=8900)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--public-url", help="address seen from outside, e.g. behind a container's port")
    parser.add_argument("--seed", help="'demo', or a JSON file (see README.md)")
    parser.add_argument("--client-id")
    parser.add_argument("--client-secret", default="")
    parser.add_argument("--redirect-uri", action="append", help="may be repeated; * stands for any port")
    parser.add_argument("--quota", action="store_true", help="enforce 600 units a minute per person")
    return parser


if __name__ == "__main__":
    main()
