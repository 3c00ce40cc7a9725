"""A practice on a scratch database and a stand-in for Google in a process of its own, for one measurement."""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import flask_migrate
import sqlalchemy as sa
from cryptography.fernet import Fernet
from flask import Flask

from demo.processes import ROOT, Sandbox, plain_environment
from portal import create_app
from portal.clock import utcnow
from portal.config import load_config
from portal.connection import choosing, grants, switching
from portal.engine import connection_run
from portal.engine.connection_run import Outcome
from portal.engine.run import open_client
from portal.extensions import db
from portal.google.oauth import CALENDAR_SCOPES, Grant
from portal.models import Connection, Provider
from portal.people import accounts
from sandbox.client import SandboxClient

EMAIL = "wren.hale@example.com"
ZONE = "America/Chicago"
PASSWORD = "a long phrase"  # noqa: S105 (of a practice that lives for a minute)
ENCRYPTION_KEY = Fernet.generate_key().decode()


def settings(database_url: str, google_url: str) -> dict[str, str]:
    """What the portal needs to run against this Google."""
    return {
        "SECRET_KEY": "a secret for measurements, long enough",
        "TOKEN_ENCRYPTION_KEYS": ENCRYPTION_KEY,
        "DATABASE_URL": database_url,
        "GOOGLE_CLIENT_ID": Sandbox.CLIENT_ID,
        "GOOGLE_CLIENT_SECRET": Sandbox.CLIENT_SECRET,
        "GOOGLE_OIDC_METADATA_URL": f"{google_url}/.well-known/openid-configuration",
        "GOOGLE_API_ENDPOINT": google_url,
    }


@contextmanager
def portal_app(folder: Path, google_url: str = "http://127.0.0.1:9") -> Iterator[Flask]:
    """The portal in this process, on an empty database; its context is open."""
    folder.mkdir(parents=True, exist_ok=True)
    app = create_app(load_config(settings(f"sqlite:///{folder / 'portal.db'}", google_url)), TESTING=True)
    with app.app_context():
        flask_migrate.upgrade(directory=str(ROOT / "migrations"))
        yield app
        db.session.remove()
        db.engine.dispose()


@contextmanager
def google(folder: Path, *arguments: str) -> Iterator[SandboxClient]:
    """The stand-in for Google."""
    sandbox = Sandbox(folder, *arguments).start()
    try:
        yield SandboxClient(sandbox.url)
    finally:
        sandbox.stop()


def add_provider(email: str = EMAIL) -> Provider:
    provider = accounts.add_provider(
        email=email,
        name="Dr. Wren Hale",
        timezone=ZONE,
        password=PASSWORD,
        is_owner=True,
        now=utcnow(),
    )
    db.session.commit()
    return provider


def connect_primary(provider: Provider, there: SandboxClient) -> Connection:
    """Through the wizard with the primary calendar ticked; the first sync is still to run."""
    token = there.authorize(provider.email, "openid", "email", *CALENDAR_SCOPES, client_id=Sandbox.CLIENT_ID)
    account = next(
        each for each in there.control("GET", "/accounts")["items"] if each["email"] == provider.email
    )
    grant = Grant(
        sub=account["sub"],
        email=provider.email,
        hosted_domain=account.get("hd"),
        scopes=frozenset(CALENDAR_SCOPES),
        refresh_token=token["refresh_token"],
        access_token=token["access_token"],
        expires_at=utcnow() + dt.timedelta(hours=1),
    )
    connection = grants.accept_grant(provider, grant, now=utcnow())
    db.session.commit()
    with open_client(connection) as client:
        choosing.offer_calendars(connection, client, now=utcnow())
    chosen = [row.id for row in choosing.offered_calendars(connection) if row.is_primary]
    choosing.choose(connection, chosen, now=utcnow())
    switching.begin_first_sync(connection, now=utcnow())
    db.session.commit()
    return connection


def run_once(connection_id: int, *, seconds: float = 600) -> Outcome:
    """One run, with a look at Google."""
    db.session.execute(
        sa.update(Connection).where(Connection.id == connection_id).values(next_check_at=utcnow())
    )
    db.session.commit()
    return connection_run.run_connection(
        connection_id, clock=utcnow, trigger="bench", poll=60, seconds=seconds
    )


def in_a_process(module: str, *arguments: str, python: str = sys.executable) -> dict[str, Any]:
    """Run a module of ours to its end; the last line it prints is JSON. Raises RuntimeError."""
    environment = {**plain_environment(), "PYTHONPATH": str(ROOT)}
    command = [python, "-m", module, *arguments]
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{module} failed:\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}")
    answer: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return answer


def peak_megabytes() -> float:
    """The most memory that this process ever had (Linux counts kilobytes)."""
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1024 if os.uname().sysname == "Linux" else peak / 1024**2
