"""A practice of three people with one of everything each, on either database; and what of it has changed.

For tests that go over every address: who gets in, and what a request leaves behind.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import flask_migrate
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from portal.clock import utcnow
from portal.extensions import db
from portal.feed import addresses
from portal.models import (
    AppointmentType,
    CardKind,
    ChangeCard,
    Client,
    Connection,
    ConnectionPhase,
    Draft,
    GoogleCalendar,
    GoogleEvent,
    GoogleOccurrence,
    Location,
    Provider,
    PushChannel,
    SeriesFrequency,
    SyncMode,
)
from portal.practice import appointments, clients, offers, series
from portal.practice.appointments import AppointmentDetails, AppointmentKind
from portal.practice.spans import Timed
from portal.practice.undo import Memory
from portal.rows import pausing
from tests.scratch_practice import Browser, add_provider, in_context, make_app

ROLES = ("provider", "colleague", "owner")
NOTES = frozenset({"audit_entry", "login_session"})  # what a request may leave that was refused
PRESENCE = frozenset({"page_seen_at"})

Row = dict[str, Any]


@dataclass
class Person:
    """Somebody of the practice, with the ids of what is theirs, by the names that addresses use."""

    role: str
    id: int
    email: str
    ids: dict[str, int] = field(default_factory=dict)
    feed_token: str = ""


@dataclass
class Practice:
    """The portal with its three people."""

    app: Flask
    people: dict[str, Person]
    shared: dict[str, int]  # ids of what belongs to the practice

    def sign_in(self, role: str) -> FlaskClient:
        return Browser(self.app.test_client()).sign_in(self.people[role].email).client

    def ids_of(self, role: str) -> dict[str, int]:
        return {**self.shared, **self.people[role].ids}


@contextmanager
def open_practice(folder: Path, database_url: str, **settings: str) -> Iterator[Practice]:
    """On a fresh database. An error is a page, as it is outside of tests."""
    is_sqlite = database_url.startswith("sqlite")
    app = (
        make_app(folder, **settings) if is_sqlite else make_app(folder, DATABASE_URL=database_url, **settings)
    )
    app.config["PROPAGATE_EXCEPTIONS"] = False
    with in_context(app):
        if not is_sqlite:
            flask_migrate.upgrade()
        pausing.stamp()  # the first page would
        practice = Practice(app, {}, _shared())
        for role in ROLES:
            practice.people[role] = _person(role)
    yield practice
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


def _shared() -> dict[str, int]:
    offers.add_location("Room 1")
    offers.add_type("Intake", "80")
    db.session.commit()
    return {
        "location_id": db.session.scalars(sa.select(Location.id)).one(),
        "type_id": db.session.scalars(sa.select(AppointmentType.id)).one(),
    }


def _person(role: str) -> Person:
    now = utcnow()
    provider = add_provider(f"{role}@example.com", name=f"{role.title()} Hale")
    provider.is_owner = role == "owner"
    provider.sync_mode = SyncMode.TWO_WAY
    person = Person(role, provider.id, provider.email)
    client = clients.add_client(provider, f"Rosa {role.title()}", now=now)
    verb: dict[str, Any] = {"now": now, "actor": provider, "source": "web"}
    tomorrow = now.date() + dt.timedelta(days=1)
    when = Timed(tomorrow, dt.time(9), provider.timezone, 50)
    booked = appointments.book(provider, AppointmentDetails(AppointmentKind.SESSION, when, client), **verb)
    again = Timed(tomorrow, dt.time(11), provider.timezone, 50)
    rule = series.Rule(SeriesFrequency.WEEKLY, occurrences=3)
    details = AppointmentDetails(AppointmentKind.OTHER, again, title="Supervision")
    series.book_series(provider, details, rule, **verb)
    step = Memory([booked]).keep(provider, "Booked.", now=now)
    feed = addresses.new_feed(provider, now=now)
    draft = Draft(provider_id=provider.id, path=f"/clients/{client.id}", at=now, fields='{"name": "Rosa"}')
    db.session.add(draft)
    db.session.flush()
    person.ids = {
        "client_id": client.id,
        "appointment_id": booked.id,
        "step_id": step.id,
        "draft_id": draft.id,
        **_google_side(provider, booked.id, now),
    }
    person.feed_token = feed.token
    db.session.commit()
    return person


def _google_side(provider: Provider, appointment_id: int, now: dt.datetime) -> dict[str, int]:
    connection = Connection(
        provider_id=provider.id,
        phase=ConnectionPhase.ACTIVE,
        created_at=now,
        google_sub=f"sub-{provider.id}",
        email=provider.email,
        scopes="",
        granted_at=now,
    )
    calendar = GoogleCalendar(
        calendar_id="primary",
        summary="Personal",
        access_role="owner",
        is_primary=True,
        is_chosen=True,
        listed_at=now,
        connection=connection,
    )
    db.session.add_all([connection, calendar])
    db.session.flush()
    event = GoogleEvent(
        google_calendar_id=calendar.id,
        event_id=f"event{provider.id}",
        etag='"1"',
        generation=0,
        status="confirmed",
        summary="Dentist",
        start={"datetime": now.isoformat(), "tzid": "America/Chicago"},
        end={"datetime": (now + dt.timedelta(hours=1)).isoformat(), "tzid": "America/Chicago"},
        html_link="https://calendar.google.com/event?eid=1",
    )
    db.session.add(event)
    db.session.flush()
    card = ChangeCard(
        provider_id=provider.id,
        connection_id=connection.id,
        appointment_id=appointment_id,
        kind=CardKind.DELETED,
        needs_answer=True,
        created_at=now,
    )
    occurrence = GoogleOccurrence(
        google_event_id=event.id,
        provider_id=provider.id,
        occurrence_key="",
        all_day=False,
        starts_at=now,
        ends_at=now + dt.timedelta(hours=1),
    )
    channel = PushChannel(
        connection_id=connection.id,
        google_calendar_id=calendar.id,
        channel_id=f"channel-{provider.id}",
        secret_hash=hashlib.sha256(b"secret").hexdigest(),
        created_at=now,
        expires_at=now + dt.timedelta(days=2),
    )
    db.session.add_all([card, occurrence, channel])
    db.session.flush()
    return {"event_id": event.id, "card_id": card.id, "calendar": calendar.id}


# What has changed


def digests(practice: Practice) -> dict[tuple[str, int | None], str]:
    """One for each table and whose rows they are (None: nobody's), without notes of presence or audit."""
    with in_context(practice.app), closing(db.engine.raw_connection()) as pooled:
        cursor = pooled.cursor()
        rows = {table: list(_rows(cursor, table)) for table in db.metadata.sorted_tables}
    belongs = _owners({table.name: found for table, found in rows.items()})
    texts: dict[tuple[str, int | None], list[str]] = {}
    for table, found in rows.items():
        if table.name not in NOTES:
            for row in found:
                text = str([value for name, value in row.items() if name not in PRESENCE])
                texts.setdefault((table.name, _whose(table, row, belongs)), []).append(text)
    return {key: hashlib.sha256("\n".join(sorted(each)).encode()).hexdigest() for key, each in texts.items()}


def changed(
    before: dict[tuple[str, int | None], str], after: dict[tuple[str, int | None], str]
) -> set[tuple[str, int | None]]:
    """Where rows came, went or changed."""
    return {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}


def _rows(cursor: Any, table: sa.Table) -> Iterator[Row]:
    """As they are stored, encrypted texts too."""
    names = [column.name for column in table.columns]
    cursor.execute("SELECT {} FROM {}".format(", ".join(f'"{name}"' for name in names), f'"{table.name}"'))
    return (dict(zip(names, values, strict=True)) for values in cursor.fetchall())


def _owners(rows: dict[str, list[Row]]) -> dict[str, dict[int, int]]:
    """Whose each row is that others point at."""

    def pairs(table: str, column: str) -> dict[int, int]:
        return {row["id"]: row[column] for row in rows[table]}

    connections = pairs("connection", "provider_id")
    calendars = {row: connections[each] for row, each in pairs("google_calendar", "connection_id").items()}
    events = pairs("google_event", "google_calendar_id")
    return {
        "appointment_id": pairs("appointment", "provider_id"),
        "connection_id": connections,
        "google_calendar_id": calendars,
        "google_event_id": {event: calendars[calendar] for event, calendar in events.items()},
        "feed_id": pairs("feed", "provider_id"),
    }


def _whose(table: sa.Table, row: Row, belongs: dict[str, dict[int, int]]) -> int | None:
    if table.name == "provider":
        return int(row["id"])
    if table.name == "appointment_history":  # its provider_id says who did it
        return belongs["appointment_id"].get(row["appointment_id"])
    if "provider_id" in row:
        whose = row["provider_id"]
        return None if whose is None else int(whose)
    return next((ids.get(row[name]) for name, ids in belongs.items() if name in row), None)


__all__ = ["NOTES", "ROLES", "Client", "Person", "Practice", "changed", "digests", "open_practice"]
