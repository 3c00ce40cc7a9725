"""A practice in a database of its own, for tests that need no other process: two providers and a client."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import flask_migrate
from cryptography.fernet import Fernet
from flask import Flask
from flask.testing import FlaskClient

from portal import create_app
from portal.config import load_config
from portal.extensions import db
from portal.models import (
    Appointment,
    AppointmentKind,
    Client,
    Connection,
    ConnectionPhase,
    GoogleCalendar,
    GoogleEvent,
    GoogleOccurrence,
    Provider,
)
from portal.people import accounts
from portal.practice import appointments, clients
from portal.practice.appointments import AppointmentDetails
from portal.practice.spans import Timed, When
from tests.forms import Element, read_page

ZONE = "America/Chicago"
NOW = dt.datetime(2026, 11, 18, 17, 20, tzinfo=dt.UTC)  # Wednesday, 11:20 in Chicago
MONDAY = dt.date(2026, 11, 16)
PASSWORD = "a long phrase"
VERB: dict[str, Any] = {"now": NOW, "source": "web"}
KEY = Fernet.generate_key().decode()


def make_app(database: Path, **settings: Any) -> Flask:
    """The portal on a fresh SQLite file with the practice in it; forms need no token."""
    shutil.copy(_practice_database(), database)
    return _app(database, WTF_CSRF_ENABLED=False, **settings)


@cache
def _practice_database() -> Path:
    """Made once, upgraded as an operator would: hashing passwords and migrating take their time."""
    path = Path(mkdtemp(prefix="lockstep-tests-")) / "template.db"
    app = _app(path)
    with app.app_context():
        flask_migrate.upgrade()
        owner = _add_provider("wren.hale@example.com", "Dr. Wren Hale", is_owner=True)
        _add_provider("sol.ortiz@example.com", "Sol Ortiz", is_owner=False)
        clients.add_client(owner, "Rosa Tellan", now=NOW)
        db.session.commit()
        db.session.remove()
        db.engine.dispose()
    return path


def _app(database: Path, **settings: Any) -> Flask:
    config = load_config(
        {
            "SECRET_KEY": "tests-only-0123456789",
            "TOKEN_ENCRYPTION_KEYS": KEY,
            "DATABASE_URL": f"sqlite:///{database}",
        }
    )
    return create_app(config, TESTING=True, **settings)


def _add_provider(email: str, name: str, *, is_owner: bool) -> Provider:
    return accounts.add_provider(
        email=email, name=name, timezone=ZONE, password=PASSWORD, is_owner=is_owner, now=NOW
    )


class Office:
    """The practice, inside an app context: an owner with one client, and somebody else."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.provider, self.other = db.session.scalars(db.select(Provider).order_by(Provider.id))
        self.client = db.session.scalars(db.select(Client)).one()

    def details(self, when: When, **values: Any) -> AppointmentDetails:
        """A client session; with a title, another event."""
        if "title" in values:
            return AppointmentDetails(kind=AppointmentKind.OTHER, when=when, **values)
        values.setdefault("client", self.client)
        return AppointmentDetails(kind=values.pop("kind", AppointmentKind.SESSION), when=when, **values)

    def book(self, when: When | None = None, **values: Any) -> Appointment:
        when = when or at(2, "09:00")
        provider = values.pop("provider", self.provider)
        made = appointments.book(provider, self.details(when, **values), actor=provider, **VERB)
        db.session.commit()
        return made

    def add_google_event(
        self,
        starts_at: dt.datetime,
        minutes: int,
        summary: str,
        *,
        provider: Provider | None = None,
        days: int = 0,
        **values: Any,
    ) -> GoogleOccurrence:
        """As if it had been pulled; `days` makes it all-day from that date."""
        provider = provider or self.provider
        calendar = self._google_calendar(provider)
        event = GoogleEvent(
            google_calendar_id=calendar.id,
            event_id=f"event{summary}",
            etag='"1"',
            generation=1,
            summary=summary,
            **{"status": "confirmed", "html_link": "https://calendar.google.com/event?eid=1", **values},
        )
        db.session.add(event)
        db.session.flush()
        first = starts_at.date()
        occurrence = GoogleOccurrence(
            google_event_id=event.id,
            provider_id=provider.id,
            occurrence_key="",
            all_day=bool(days),
            start_date=first if days else None,
            end_date=first + dt.timedelta(days=days) if days else None,
            starts_at=starts_at,
            ends_at=starts_at + dt.timedelta(days=days, minutes=minutes),
        )
        db.session.add(occurrence)
        db.session.commit()
        return occurrence

    def _google_calendar(self, provider: Provider) -> GoogleCalendar:
        found = db.session.scalar(
            db.select(GoogleCalendar)
            .join(Connection, GoogleCalendar.connection_id == Connection.id)
            .where(Connection.provider_id == provider.id)
        )
        if found:
            return found
        connection = Connection(
            provider_id=provider.id,
            phase=ConnectionPhase.ACTIVE,
            created_at=NOW,
            google_sub=f"sub-{provider.id}",
            email=provider.email,
            scopes="",
            refresh_token="1//of-the-office",
            granted_at=NOW,
        )
        db.session.add(connection)
        db.session.flush()
        calendar = GoogleCalendar(
            connection_id=connection.id,
            calendar_id="primary",
            summary="Personal",
            access_role="owner",
            is_chosen=True,
            listed_at=NOW,
        )
        db.session.add(calendar)
        db.session.flush()
        return calendar

    def connection(self, provider: Provider | None = None) -> Connection:
        """The provider's connection; made when there is none."""
        calendar = self._google_calendar(provider or self.provider)
        db.session.commit()
        found = db.session.get(Connection, calendar.connection_id)
        assert found is not None
        return found

    def sign_in(self, provider: Provider | None = None) -> FlaskClient:
        browser = self.app.test_client()
        email = (provider or self.provider).email
        answer = browser.post("/login", data={"email": email, "password": PASSWORD})
        assert answer.status_code == 303
        return browser


def at(day: int, time: str, minutes: int = 50, timezone: str = ZONE) -> Timed:
    """A time in the week of `MONDAY`: day 0 is Monday."""
    return Timed(MONDAY + dt.timedelta(days=day), dt.time.fromisoformat(time), timezone, minutes)


def get(browser: FlaskClient, address: str, status: int = 200) -> Element:
    answer = browser.get(address)
    assert answer.status_code == status, address
    return read_page(answer.get_data(as_text=True))


def entries(page: Element) -> list[Element]:
    return [element for element in page.everything() if "data-entry" in element]


def one_entry(page: Element, text: str) -> Element:
    found = [entry for entry in entries(page) if text in entry.text]
    assert len(found) == 1, [entry.text for entry in entries(page)]
    return found[0]


__all__ = [
    "MONDAY",
    "NOW",
    "PASSWORD",
    "VERB",
    "ZONE",
    "Client",
    "Office",
    "at",
    "entries",
    "get",
    "make_app",
]


@contextmanager
def open_office(folder: Path) -> Iterator[Office]:
    """An office in a database in this folder, within its app's context."""
    app = make_app(folder / "portal.db")
    with app.app_context():
        yield Office(app)
        db.session.remove()
        db.engine.dispose()
