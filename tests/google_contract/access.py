"""Which Google to talk to, and as whom: from the environment, or the sandbox."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from portal.google.oauth import CALENDAR_SCOPES
from sandbox import Sandbox, serve

PREFIX = "GOOGLE_CONTRACT_"
ENDPOINT = PREFIX + "ENDPOINT"
NEEDED = ("OIDC_METADATA_URL", "CLIENT_ID", "CLIENT_SECRET", "REFRESH_TOKEN", "ACCOUNT")
PUSH_ADDRESS = PREFIX + "PUSH_ADDRESS"
PACE = PREFIX + "PACE_SECONDS"
PACE_SECONDS = 0.2  # 300 calls a minute; a person may send 600 units, and a patch counts three (facts §12)
SANDBOX_ACCOUNT = "contract@example.com"
SANDBOX_CLIENT = {"client_id": "lockstep-sandbox-client", "client_secret": "lockstep-sandbox-secret"}


@dataclass(frozen=True, kw_only=True)
class Access:
    """An account, the tokens for it, and the addresses of the Google that knows it."""

    endpoint: str
    metadata_url: str
    client_id: str
    client_secret: str = field(repr=False)  # a failing test prints what it held
    refresh_token: str = field(repr=False)
    address: str  # the account's own: the id of its primary calendar
    push_address: str | None  # an https address that Google may send to; None: channels are not tried
    pace_seconds: float  # between two calls; 0: as fast as it goes
    is_sandbox: bool

    def metadata(self) -> dict[str, str]:
        """The OpenID Connect document."""
        with urllib.request.urlopen(self.metadata_url, timeout=30) as answer:
            return dict(json.load(answer))


def from_environment(environ: Mapping[str, str]) -> Access | None:
    """The Google that the environment names; None when it names none. Raises ValueError for half a set."""
    if not environ.get(ENDPOINT):
        return None
    missing = [PREFIX + name for name in NEEDED if not environ.get(PREFIX + name)]
    if missing:
        raise ValueError(f"{ENDPOINT} is set, so these are needed too: {', '.join(missing)}")
    return Access(
        endpoint=environ[ENDPOINT].rstrip("/").removesuffix("/calendar/v3"),
        metadata_url=environ[PREFIX + "OIDC_METADATA_URL"],
        client_id=environ[PREFIX + "CLIENT_ID"],
        client_secret=environ[PREFIX + "CLIENT_SECRET"],
        refresh_token=environ[PREFIX + "REFRESH_TOKEN"],
        address=environ[PREFIX + "ACCOUNT"],
        push_address=environ.get(PUSH_ADDRESS) or None,
        pace_seconds=float(environ.get(PACE) or PACE_SECONDS),
        is_sandbox=False,
    )


def grant_on(sandbox: Sandbox) -> Access:
    """A fresh grant of our three scopes on a sandbox that has the contract's account."""
    tokens = sandbox.authorize(
        SANDBOX_ACCOUNT, "openid", "email", *CALENDAR_SCOPES, client_id=SANDBOX_CLIENT["client_id"]
    )
    return Access(
        endpoint=sandbox.url,
        metadata_url=sandbox.metadata_url,
        refresh_token=tokens["refresh_token"],
        address=SANDBOX_ACCOUNT,
        push_address="http://127.0.0.1:9/nobody-listens",
        pace_seconds=0.0,
        is_sandbox=True,
        **SANDBOX_CLIENT,
    )


@contextmanager
def fresh_sandbox() -> Iterator[Sandbox]:
    """A sandbox of one's own with the contract's account and nothing else."""
    with serve() as sandbox:
        sandbox.add_account(SANDBOX_ACCOUNT, time_zone="America/Chicago")
        yield sandbox
