"""Many providers with an account each, edited on both sides at random while real workers sync them.

Edits here are the portal's own verbs in this process, edits there the sandbox's control calls; who syncs are
workers in processes of their own, on the same database and queue.
"""

from __future__ import annotations

import datetime as dt
import random
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from bench.ground import connect_primary
from demo.processes import Portal, wait_until
from portal import create_app
from portal.clock import utcnow
from portal.config import load_config
from portal.connection import current
from portal.extensions import begin_reading, begin_writing, db
from portal.models import (
    Appointment,
    AppointmentHistory,
    AppointmentKind,
    ChangeCard,
    Connection,
    EventLink,
    GoogleCalendar,
    GoogleOccurrence,
    LinkState,
    Provider,
    SyncRun,
)
from portal.people import accounts
from portal.practice import appointments, clients
from portal.practice.appointments import AppointmentDetails
from portal.practice.spans import Timed
from portal.rows import event_links
from sandbox.client import ControlRefused, Json, SandboxClient
from tests.google_dates import google_shows, promised, start_of

ZONE = "America/Chicago"
DAYS, HOURS = range(2, 40), range(7, 21)
RULES = (None, None, None, "RRULE:FREQ=DAILY;COUNT=6", "RRULE:FREQ=WEEKLY")
FAULTS = ("backend_error", "rate_limit", "reset", "lost_answer", "malformed_json")


@dataclass
class Person:
    """A provider here, an account there."""

    email: str
    provider_id: int = 0
    client_id: int = 0
    personal: list[str] = field(default_factory=list)
    app_calendar: str = ""  # once it is known

    @property
    def provider(self) -> Provider:
        return db.session.get_one(Provider, self.provider_id)

    @property
    def connection(self) -> Connection:
        found = current.live_connection(self.provider)
        assert found is not None
        return found

    def appointments(self) -> list[Appointment]:
        query = sa.select(Appointment).where(Appointment.provider_id == self.provider_id)
        return list(db.session.scalars(query.order_by(Appointment.id)))


class Crowd:
    """All of them, with one source of chance."""

    def __init__(self, google: SandboxClient, *, people: int, booked: int, seed: int) -> None:
        self.google, self.random, self.tally = google, random.Random(seed), Counter[str]()
        self.people = [Person(f"provider{number}@example.com") for number in range(people)]
        for person in self.people:
            self._settle_in(person, booked)

    def _settle_in(self, person: Person, booked: int) -> None:
        self.google.add_account(person.email, hd="example.com", time_zone=ZONE)
        for _ in range(booked // 2):
            self._add_personal(person)
        provider = accounts.add_provider(
            email=person.email, name="Dr. Wren Hale", timezone=ZONE, password="a long phrase",
            is_owner=False, now=utcnow(),
        )  # fmt: skip
        client = clients.add_client(provider, "Canary Birdsong", now=utcnow())
        db.session.flush()
        person.provider_id, person.client_id = provider.id, client.id
        for _ in range(booked):
            self._book(person)
        db.session.commit()
        connect_primary(person.provider, self.google)

    def plan_faults(self, share: float) -> None:
        """Let so many of all calls to the Calendar API meet trouble, each kind as often as the others."""
        for number, kind in enumerate(FAULTS):
            self.google.add_fault(
                kind, method="calendar.*", times=None, probability=share / len(FAULTS), seed=number
            )

    # At random

    def edit(self) -> None:
        """One change by one person, on either side."""
        person = self.random.choice(self.people)
        name = self.random.choice(HERE + THERE)
        try:
            getattr(self, f"_{name}")(person)
        except ControlRefused:
            name = "nothing there"
        db.session.commit()
        self.tally[name] += 1

    def _book(self, person: Person) -> None:
        date = utcnow().date() + dt.timedelta(days=self.random.choice(DAYS))
        when = Timed(date, dt.time(self.random.choice(HOURS)), ZONE, 50)
        client = db.session.get_one(clients.Client, person.client_id)
        details = AppointmentDetails(AppointmentKind.SESSION, when, client=client)
        appointments.book(person.provider, details, now=utcnow(), actor=person.provider, source="web")

    def _move(self, person: Person) -> None:
        appointment = self._one(person)
        if appointment is not None and appointment.archived_at is None:
            by = dt.timedelta(hours=self.random.choice((-2, -1, 1, 24)))
            when = Timed.from_instants(appointment.starts_at + by, appointment.ends_at + by, ZONE)
            appointments.reschedule(appointment, when, now=utcnow(), actor=person.provider, source="web")

    def _cancel_or_reinstate(self, person: Person) -> None:
        appointment = self._one(person)
        if appointment is None:
            return
        if appointment.is_live:
            appointments.cancel(
                appointment, late=False, reason="", now=utcnow(), actor=person.provider, source="web"
            )
        else:
            appointments.reinstate(appointment, now=utcnow(), actor=person.provider, source="web")

    def _move_there(self, person: Person) -> None:
        self._change_there(person, self._times())

    def _retitle_there(self, person: Person) -> None:
        self._change_there(person, {"summary": "Renamed"})

    def _annotate_there(self, person: Person) -> None:
        self._change_there(person, {"description": "Bring the form", "colorId": "3"})

    def _delete_there(self, person: Person) -> None:
        event = self._event_there(person)
        if event is not None:
            self.google.delete_event(person.email, self._app_calendar(person), event["id"])

    def _copy_there(self, person: Person) -> None:
        event = self._event_there(person)
        if event is not None:
            self.google.act_on_event(person.email, self._app_calendar(person), event["id"], "duplicate")

    def _add_personal(self, person: Person) -> None:
        rule = self.random.choice(RULES)
        recurrence = {"recurrence": [rule]} if rule else {}
        event = self.google.add_event(person.email, summary="Personal", **self._times(), **recurrence)
        person.personal.append(event["id"])

    def _move_personal(self, person: Person) -> None:
        if person.personal:
            event_id = self.random.choice(person.personal)
            self.google.change_event(person.email, "primary", event_id, **self._times())

    def _delete_personal(self, person: Person) -> None:
        if person.personal:
            event_id = person.personal.pop(self.random.randrange(len(person.personal)))
            self.google.delete_event(person.email, "primary", event_id)

    def _change_there(self, person: Person, changes: Json) -> None:
        event = self._event_there(person)
        if event is not None:
            self.google.change_event(person.email, self._app_calendar(person), event["id"], **changes)

    def _one(self, person: Person) -> Appointment | None:
        found = person.appointments()
        return self.random.choice(found) if found else None

    def _event_there(self, person: Person) -> Json | None:
        calendar_id = self._app_calendar(person)
        events = self.google.events(person.email, calendar_id) if calendar_id else []
        return self.random.choice(events) if events else None

    def _app_calendar(self, person: Person) -> str:
        """Its id. No transaction stays open: on SQLite it would keep the workers out meanwhile."""
        if not person.app_calendar:
            db.session.rollback()
            db.session.expire_all()
            person.app_calendar = person.connection.app_calendar_id or ""
            db.session.rollback()
        return person.app_calendar

    def _times(self) -> Json:
        start = utcnow().replace(hour=0, minute=0, second=0, microsecond=0)
        start += dt.timedelta(days=self.random.choice(DAYS), hours=self.random.choice(HOURS))
        end = start + dt.timedelta(minutes=50)
        return {
            "start": {"dateTime": start.isoformat(), "timeZone": ZONE},
            "end": {"dateTime": end.isoformat(), "timeZone": ZONE},
        }

    # At rest

    def come_to_rest(self, portal: Portal, *, seconds: float = 600) -> None:
        """No more trouble; wait until all is written and looked at, and read everything once more.

        An event that was deleted in Google before the first list of our calendar was read to its end stands
        in no later one: it is looked for by itself, five minutes after it was agreed.
        """
        self.google.clear_faults()
        db.session.commit()
        begin_reading()  # from here on this process only looks
        wait_until(self._is_settled, seconds=seconds, what="everything to be written", every_seconds=1)
        answer = portal.flask("sync", "now")
        assert answer.exit_code == 0, f"{answer}\n{portal.printed()[-4000:]}"

    def _is_settled(self) -> bool:
        db.session.rollback()
        db.session.expire_all()
        connections = [person.connection for person in self.people]
        is_settled = all(
            connection.problem is None
            and connection.requested == connection.handled
            and event_links.count_behind(connection) == 0
            and _is_listed(connection)
            for connection in connections
        )
        db.session.rollback()
        return is_settled

    def check_the_law(self, portal: Portal) -> None:
        """For everybody; and a second run, reading everything anew, writes nothing."""
        for person in self.people:
            self._check_outward(person)
            self._check_inward(person)
        self.google.reset_requests()
        db.session.rollback()
        answer = portal.flask("sync", "now", "--full")
        assert answer.exit_code == 0, answer
        assert self.google.writes() == 0

    def _check_outward(self, person: Person) -> None:
        db.session.rollback()
        db.session.expire_all()
        by_appointment: dict[str, list[Json]] = {}
        for event in self.google.events(person.email, self._app_calendar(person)):
            private = event.get("extendedProperties", {}).get("private", {})
            if private.get("lockstepEvent") == event["id"]:
                by_appointment.setdefault(private["lockstepAppointment"], []).append(event)
        for appointment in person.appointments():
            events = by_appointment.pop(appointment.public_id, [])
            link = db.session.scalar(sa.select(EventLink).where(EventLink.appointment_id == appointment.id))
            waits = link is not None and link.state is LinkState.HELD
            wanted = [appointment.starts_at] if appointment.is_live and not waits else []
            assert [start_of(event) for event in events] == wanted, self._story(person, appointment, events)
        assert by_appointment == {}, by_appointment

    def _story(self, person: Person, appointment: Appointment, events: list[Json]) -> str:
        """All that is known of one appointment whose Google side is wrong: rows, events, writes, runs."""
        link = db.session.scalar(sa.select(EventLink).where(EventLink.appointment_id == appointment.id))
        rows = [_row(appointment), _row(link)]
        for table in (AppointmentHistory, ChangeCard):
            query = sa.select(table).where(table.appointment_id == appointment.id).order_by(table.id)
            rows += [_row(row) for row in db.session.scalars(query)]
        log = self.google.requests(account=person.email)["requests"]
        ids = {event["id"] for event in events} | ({link.event_id} if link else set())
        writes = [entry for entry in log if any(event_id in str(entry) for event_id in ids)]
        return "\n".join(map(str, [*rows, *events, *writes[-40:]]))

    def _check_inward(self, person: Person) -> None:
        db.session.rollback()
        rows = db.session.scalars(
            sa.select(GoogleOccurrence).where(GoogleOccurrence.provider_id == person.provider_id)
        ).unique()
        now = utcnow()
        here = promised((row.starts_at for row in rows if row.event.summary == "Personal"), now=now)
        assert here == google_shows(self.google, person.email, now=now)

    def figures(self) -> dict[str, Any]:
        """Numbers for the record."""
        db.session.rollback()
        outcomes = db.session.execute(
            sa.select(SyncRun.outcome, sa.func.count(SyncRun.id)).group_by(SyncRun.outcome)
        ).all()
        return {
            "edits": dict(sorted(self.tally.items())),
            "runs": {str(outcome): count for outcome, count in outcomes},
            "appointments": db.session.scalar(sa.select(sa.func.count(Appointment.id))),
            "occurrences": db.session.scalar(sa.select(sa.func.count(GoogleOccurrence.id))),
        }


HERE = ("book", "move", "move", "cancel_or_reinstate")
THERE = ("move_there", "retitle_there", "annotate_there", "delete_there", "copy_there")
THERE += ("add_personal", "move_personal", "delete_personal")


def _is_listed(connection: Connection) -> bool:
    """Whether a list, or a look, has named every event of ours."""
    unlisted = (
        sa.exists()
        .where(EventLink.connection_id == connection.id, EventLink.state == LinkState.LIVE)
        .where(GoogleCalendar.connection_id == connection.id, GoogleCalendar.is_app_calendar)
        .where(EventLink.generation != GoogleCalendar.generation)
    )
    return not db.session.scalar(sa.select(unlisted))


def _row(row: Any) -> dict[str, Any]:
    return {} if row is None else {column.key: getattr(row, column.key) for column in row.__table__.columns}


@contextmanager
def in_portal(portal: Portal) -> Iterator[None]:
    """The portal's verbs in this process, on the same database and queue as its workers."""
    app = create_app(load_config(portal.environment), TESTING=True)
    with app.app_context():
        yield
        begin_writing()
        db.session.remove()
        db.engine.dispose()
