"""A practice in a database of its own, for tests that act on verbs and pages within one process."""

from __future__ import annotations

import datetime as dt
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import flask_migrate
import sqlalchemy as sa
from argon2 import PasswordHasher
from cryptography.fernet import Fernet
from flask import Flask
from flask.testing import FlaskClient

from portal import create_app
from portal.clock import utcnow
from portal.config import load_config
from portal.extensions import db
from portal.google.oauth import CALENDAR_SCOPES, Grant
from portal.models import Appointment, AppointmentKind, Client, Provider
from portal.people import accounts

NOW = dt.datetime(2026, 11, 18, 17, 20, tzinfo=dt.UTC)
PASSWORD = "a phrase for tests only"
SETTINGS = {
    "SECRET_KEY": "kZ3v9-only-for-tests-81xq",
    "TOKEN_ENCRYPTION_KEYS": Fernet.generate_key().decode(),
    "GOOGLE_CLIENT_ID": "client",
    "GOOGLE_CLIENT_SECRET": "secret",
    "GOOGLE_OIDC_METADATA_URL": "http://127.0.0.1:9/nothing-listens-here",
}


@dataclass
class Browser:
    """A signed-in session without script, straight into the app."""

    client: FlaskClient

    def sign_in(self, email: str) -> Browser:
        """Open a session as the sign-in page would, without the work of checking a password."""
        with in_context(self.client.application):
            provider = accounts.find_provider(email)
            assert provider
            token = accounts.open_session(provider, now=utcnow())
            db.session.commit()
        with self.client.session_transaction() as session:
            session["_user_id"], session["_fresh"] = token, True
        return self


def make_app(folder: Path, **settings: str) -> Flask:
    """The portal on a migrated SQLite database in `folder`; forms need no token."""
    path = folder / "portal.db"
    if not path.exists():
        shutil.copy(_migrated(), path)
    config = load_config({**SETTINGS, "DATABASE_URL": f"sqlite:///{path}", **settings})
    return create_app(config, WTF_CSRF_ENABLED=False, TESTING=True)


def look_up(statement: sa.Select[int]) -> int:
    """The one number the database holds now. No transaction stays open: it would keep every writer out."""
    db.session.rollback()
    value = db.session.scalars(statement).one()
    db.session.rollback()
    return value


@cache
def _keep() -> TemporaryDirectory[str]:
    return TemporaryDirectory()


@cache
def _migrated() -> Path:
    """An empty migrated database, made once and copied for each test."""
    path = Path(_keep().name) / "empty.db"
    app = create_app(load_config({**SETTINGS, "DATABASE_URL": f"sqlite:///{path}"}))
    with app.app_context():
        flask_migrate.upgrade()
        db.engine.dispose()
    return path


@contextmanager
def in_context(app: Flask) -> Iterator[None]:
    """Inside the app, until the end of the block; connections are closed with it."""
    with app.app_context():
        yield
        db.session.rollback()
        db.session.remove()
        db.engine.dispose()


def add_provider(email: str = "wren.hale@example.com", *, name: str = "Dr. Wren Hale") -> Provider:
    """A provider with `PASSWORD`; hashing it is slow on purpose, so it is hashed once."""
    provider = Provider(
        email=email, name=name, timezone="America/Chicago", password_hash=_hash(), created_at=NOW
    )
    db.session.add(provider)
    db.session.commit()
    return provider


@cache
def _hash() -> str:
    return PasswordHasher().hash(PASSWORD)


def book(
    provider: Provider,
    client: Client | None = None,
    *,
    start: dt.datetime = NOW + dt.timedelta(days=1),
    minutes: int = 50,
    **columns: object,
) -> Appointment:
    """A row for one timed appointment; without a client it is another event."""
    local = start.astimezone(provider.zone)
    appointment = Appointment(
        public_id=secrets.token_hex(8),
        provider_id=provider.id,
        client_id=client.id if client else None,
        kind=AppointmentKind.SESSION if client else AppointmentKind.OTHER,
        start_date=local.date(),
        start_time=local.time().replace(tzinfo=None),
        duration_minutes=minutes,
        timezone=provider.timezone,
        starts_at=start,
        ends_at=start + dt.timedelta(minutes=minutes),
        created_at=NOW,
        updated_at=NOW,
    )
    for name, value in columns.items():
        setattr(appointment, name, value)
    db.session.add(appointment)
    db.session.commit()
    return appointment


def make_grant(sub: str = "sub-1", **changes: object) -> Grant:
    """What a full consent of a Workspace account brings."""
    values: dict[str, object] = {
        "sub": sub,
        "email": f"{sub}@example.com",
        "hosted_domain": "example.com",
        "scopes": frozenset({"openid", "email", *CALENDAR_SCOPES}),
        "refresh_token": "refresh",
        "access_token": "access",
        "expires_at": NOW + dt.timedelta(hours=1),
    }
    return Grant(**{**values, **changes})  # type: ignore[arg-type]
