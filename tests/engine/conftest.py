"""A provider's office on one side, the sandbox's Google on the other, and the real engine between them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import flask_migrate
import pytest
from cryptography.fernet import Fernet
from flask import Flask

from portal import create_app
from portal.config import load_config
from portal.connection import choosing, current, grants, switching
from portal.engine import connection_run
from portal.engine.connection_run import Outcome
from portal.engine.run import open_client
from portal.extensions import db
from portal.google.oauth import CALENDAR_SCOPES, Grant
from portal.models import (
    Appointment,
    AppointmentKind,
    Client,
    Connection,
    GoogleCalendar,
    GoogleOccurrence,
    Provider,
)
from portal.people import accounts
from portal.practice import appointments, clients
from portal.practice.appointments import AppointmentDetails
from portal.practice.spans import AllDay, Timed
from sandbox import serve
from sandbox.client import Json, SandboxClient

EMAIL = "wren.hale@example.com"
ZONE = "America/Chicago"
CLIENT_ID, CLIENT_SECRET = "lockstep-sandbox-client", "lockstep-sandbox-secret"


class Clock:
    """The real time, which tests can set forward."""

    def __init__(self) -> None:
        self.ahead = dt.timedelta()

    def __call__(self) -> dt.datetime:
        return dt.datetime.now(dt.UTC) + self.ahead

    def advance(self, **by: float) -> None:
        self.ahead += dt.timedelta(**by)

    def pause(self, seconds: float) -> None:
        """For whoever would sleep: the time is gone at once."""
        self.advance(seconds=seconds)


class Office:
    """One provider with a client, a Google account, and verbs to act on both sides."""

    def __init__(self, app: Flask, google: SandboxClient) -> None:
        self.app, self.google, self.clock = app, google, Clock()
        self.provider = accounts.add_provider(
            email=EMAIL, name="Dr. Wren Hale", timezone=ZONE, password="a long phrase", is_owner=True,
            now=self.clock(),
        )  # fmt: skip
        self.client = clients.add_client(self.provider, "Canary Birdsong", now=self.clock())
        db.session.commit()

    # Here

    def book(
        self, *, days: float = 1, hour: int = 10, minutes: int = 50, client: Client | None = None
    ) -> Appointment:
        """A client session `days` from today."""
        date = (self.clock() + dt.timedelta(days=days)).date()
        details = AppointmentDetails(
            kind=AppointmentKind.SESSION,
            when=Timed(date, dt.time(hour), ZONE, minutes),
            client=client or self.client,
        )
        appointment = appointments.book(
            self.provider, details, now=self.clock(), actor=self.provider, source="web"
        )
        db.session.commit()
        return appointment

    def book_all_day(self, *, days: int = 1, length: int = 1) -> Appointment:
        date = (self.clock() + dt.timedelta(days=days)).date()
        details = AppointmentDetails(
            kind=AppointmentKind.OTHER,
            when=AllDay(date, date + dt.timedelta(days=length), ZONE),
            title="Notes day",
        )
        appointment = appointments.book(
            self.provider, details, now=self.clock(), actor=self.provider, source="web"
        )
        db.session.commit()
        return appointment

    def move(self, appointment: Appointment, *, hours: float) -> None:
        start = appointment.starts_at + dt.timedelta(hours=hours)
        end = appointment.ends_at + dt.timedelta(hours=hours)
        when = Timed.from_instants(start, end, appointment.timezone)
        appointments.reschedule(appointment, when, now=self.clock(), actor=self.provider, source="web")
        db.session.commit()

    def cancel(self, appointment: Appointment) -> None:
        appointments.cancel(
            appointment, late=False, reason="", now=self.clock(), actor=self.provider, source="web"
        )
        db.session.commit()

    def reinstate(self, appointment: Appointment) -> None:
        appointments.reinstate(appointment, now=self.clock(), actor=self.provider, source="web")
        db.session.commit()

    # Between

    def connect(self) -> Connection:
        """Consent, choose every calendar that can be chosen, and begin; the first sync is still to run."""
        token = self.google.authorize(EMAIL, "openid", "email", *CALENDAR_SCOPES, client_id=CLIENT_ID)
        accounts_there = self.google.control("GET", "/accounts")["items"]
        account = next(each for each in accounts_there if each["email"] == EMAIL)
        grant = Grant(
            sub=account["sub"],
            email=EMAIL,
            hosted_domain=account.get("hd"),
            scopes=frozenset(CALENDAR_SCOPES),
            refresh_token=token["refresh_token"],
            access_token=token["access_token"],
            expires_at=self.clock() + dt.timedelta(hours=1),
        )
        connection = grants.accept_grant(self.provider, grant, now=self.clock())
        db.session.commit()
        if connection.phase.value in ("first-sync", "active"):
            return connection
        with open_client(connection) as client:
            choosing.offer_calendars(connection, client, now=self.clock())
        choosable = [row.id for row in choosing.offered_calendars(connection) if row.why_not is None]
        choosing.choose(connection, choosable, now=self.clock())
        switching.begin_first_sync(connection, now=self.clock())
        db.session.commit()
        return connection

    def run(self, *, full: bool = False, seconds: float = 45) -> Outcome:
        """One run, with a look at Google."""
        connection = self.connection
        connection.next_check_at = self.clock()
        db.session.commit()
        return connection_run.run_connection(
            connection.id,
            clock=self.clock,
            trigger="test",
            poll=60,
            full=full,
            seconds=seconds,
            pause=self.clock.pause,
        )

    def run_once_only(self) -> Outcome:
        """One run that has no time to send anything a second time."""
        return self.run(seconds=0)

    def run_without_a_look(self, *, seconds: float = 45) -> Outcome:
        """One run that has nothing to ask of Google, as after a change here that needs no write.

        `seconds`: how long it may go on; 0 to send nothing a second time.
        """
        connection = self.connection
        connection.next_check_at = self.clock() + dt.timedelta(hours=1)
        db.session.commit()
        return connection_run.run_connection(
            connection.id,
            clock=self.clock,
            trigger="test",
            poll=60,
            pause=self.clock.pause,
            seconds=seconds,
        )

    def rest(self, *, full: bool = False) -> None:
        """Run until nothing is behind."""
        for _ in range(20):
            outcome = self.run(full=full)
            full = False
            if outcome is not Outcome.MORE:
                assert outcome is Outcome.DONE, outcome
                return
        raise AssertionError("it never comes to rest")

    def connect_and_rest(self) -> Connection:
        connection = self.connect()
        self.rest()
        self.google.reset_requests()
        return connection

    def assert_it_still_writes(self) -> None:
        """The control of a test in which nothing is written: one event altered behind our back is mended."""
        event = self.event_of_a_new_one()
        self.google.reset_requests()
        self.google.change_event(EMAIL, self.app_calendar_id, event["id"], summary="Altered")
        self.rest()
        assert self.google.writes() == 1

    def event_of_a_new_one(self) -> Json:
        """Book an appointment, let it go out, and give back its event."""
        appointment = self.book(days=25)
        self.rest()
        return self.event_of(appointment)

    @property
    def connection(self) -> Connection:
        db.session.expire_all()
        connection = current.live_connection(self.provider)
        assert connection is not None
        return connection

    # There

    @property
    def app_calendar_id(self) -> str:
        calendar_id = self.connection.app_calendar_id
        assert calendar_id is not None
        return calendar_id

    def app_events(self) -> list[Json]:
        """Live events in the app calendar."""
        return self.google.events(EMAIL, self.app_calendar_id)

    def event_of(self, appointment: Appointment) -> Json:
        """The one live event in the app calendar that is this appointment's."""
        found = [
            event
            for event in self.app_events()
            if event.get("extendedProperties", {}).get("private", {}).get("lockstepAppointment")
            == appointment.public_id
        ]
        assert len(found) == 1, found
        return found[0]

    def app_calendars(self) -> list[Json]:
        return [
            entry for entry in self.google.calendars(EMAIL) if "lockstep:" in entry.get("description", "")
        ]

    # Shown here

    def occurrences(self) -> list[GoogleOccurrence]:
        db.session.expire_all()
        return list(
            db.session.scalars(db.select(GoogleOccurrence).order_by(GoogleOccurrence.starts_at)).unique()
        )

    def shown(self) -> list[str]:
        """Summaries of the Google events that are here, one an occurrence."""
        return [occurrence.event.summary for occurrence in self.occurrences()]

    def calendar_row(self, summary: str) -> GoogleCalendar:
        db.session.expire_all()
        return db.session.scalars(db.select(GoogleCalendar).filter_by(summary=summary)).one()

    def refreshed(self, provider: Provider | None = None) -> Provider:
        db.session.expire_all()
        return provider or self.provider


@pytest.fixture
def google() -> Iterator[SandboxClient]:
    with serve() as sandbox:
        sandbox.add_account(EMAIL, hd="example.com", time_zone=ZONE)
        yield sandbox


@pytest.fixture
def app(database_url: str, google: SandboxClient, tmp_path: Path) -> Iterator[Flask]:
    yield from open_portal(database_url, google.url, google.metadata_url)


def open_portal(database_url: str, google_url: str, metadata_url: str, **more: str) -> Iterator[Flask]:
    """The portal over an empty database, with this Google; `more` settings beside it."""
    config = load_config(
        {
            "SECRET_KEY": "a test secret that is long enough",
            "TOKEN_ENCRYPTION_KEYS": Fernet.generate_key().decode(),
            "DATABASE_URL": database_url,
            "GOOGLE_CLIENT_ID": CLIENT_ID,
            "GOOGLE_CLIENT_SECRET": CLIENT_SECRET,
            "GOOGLE_OIDC_METADATA_URL": metadata_url,
            "GOOGLE_API_ENDPOINT": google_url,
            **more,
        }
    )
    app = create_app(config, TESTING=True)
    with app.app_context():
        flask_migrate.upgrade(directory="migrations")
        yield app
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def office(app: Flask, google: SandboxClient) -> Office:
    return Office(app, google)
