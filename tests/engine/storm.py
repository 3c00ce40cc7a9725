"""Ten minutes in which one call in ten fails while both sides go on editing, in simulated time."""

from __future__ import annotations

import datetime as dt
import random
from collections import Counter

import sqlalchemy as sa

from portal import jobs
from portal.engine import connection_run
from portal.engine.connection_run import Outcome
from portal.extensions import db
from portal.models import Appointment, EventLink, LinkState, SyncRun
from portal.rows import event_links
from portal.standing import facts
from portal.sync.health import tell
from sandbox.client import ControlRefused
from tests.engine.conftest import EMAIL, Office
from tests.engine.test_pull import timed
from tests.engine.test_push import starts_at

KINDS = ("backend_error", "rate_limit", "reset", "lost_answer", "malformed_json")
SHARE = 0.1
STEP_SECONDS = 2.0
POLL_SECONDS = 30
REST_WITHIN_SECONDS = 60.0
MOST_AHEAD_SECONDS = 60.0


class Storm:
    """One provider's office, its edits, and what was seen of the runs."""

    def __init__(self, office: Office, seed: int) -> None:
        self.office, self.random, self.seed = office, random.Random(seed), seed
        self.appointments = [office.book(days=2 + number) for number in range(8)]
        self.figures: Counter[str] = Counter()
        self.furthest = 0.0  # seconds that a run was planned ahead while something waited
        office.connect_and_rest()

    def blow(self, minutes: float, *, edit_every_seconds: float) -> None:
        """Fail one call in ten, and edit on both sides meanwhile."""
        google, clock = self.office.google, self.office.clock
        for number, kind in enumerate(KINDS):
            method = "calendar.*" if number % 2 else "*"  # every other kind meets the token endpoint as well
            google.add_fault(
                kind, method=method, times=None, probability=SHARE / len(KINDS), seed=self.seed * 10 + number
            )
        ends_at, next_edit = clock() + dt.timedelta(minutes=minutes), clock()
        while clock() < ends_at:
            if clock() >= next_edit:
                self.edit()
                next_edit = clock() + dt.timedelta(seconds=self.random.uniform(0.5, 1.5) * edit_every_seconds)
            self.tick()
        google.clear_faults()

    def calm_down(self) -> float:
        """How many seconds after the trouble's end everything is at rest."""
        clock = self.office.clock
        ended_at = clock()
        while not self.is_at_rest(since=ended_at):
            assert clock() - ended_at < dt.timedelta(minutes=20), "it never comes to rest"
            self.tick()
        return (clock() - ended_at).total_seconds()

    def tick(self) -> None:
        """What the ticker and a worker do in these seconds."""
        office = self.office
        if jobs.sweep(office.clock()):
            while self._run() is Outcome.MORE:
                continue
            self._look_ahead()
        office.clock.advance(seconds=STEP_SECONDS)

    def _run(self) -> Outcome:
        clock = self.office.clock
        outcome = connection_run.run_connection(
            self.office.connection.id, clock=clock, trigger="test", poll=POLL_SECONDS, pause=clock.pause
        )
        self.figures[f"runs {outcome.value}"] += 1
        return outcome

    def _look_ahead(self) -> None:
        connection, now = self.office.connection, self.office.clock()
        is_asked = connection.requested > connection.handled
        if not is_asked and not event_links.count_behind(connection):
            return
        next_at = now if is_asked else connection.next_check_at or now
        planned = max(next_at, connection.retry_at or now)
        self.furthest = max(self.furthest, (planned - now).total_seconds())

    def is_at_rest(self, *, since: dt.datetime) -> bool:
        """Nothing behind, nothing asked for, looked at Google since, and no trouble told."""
        office = self.office
        connection, now = office.connection, office.clock()
        if connection.requested > connection.handled or event_links.count_behind(connection):
            return False
        is_seen = connection.last_pulled_at is not None and connection.last_pulled_at >= since
        return is_seen and tell(facts.gather_facts(office.provider, now=now), now=now).state == "active"

    # Edits

    def edit(self) -> None:
        """One change, on either side."""
        db.session.expire_all()
        act = self.random.choice(
            (self._book, self._move, self._end_or_reinstate, self._add_there, self._move_there)
        )
        self.figures[act.__name__.strip("_").replace("_", " ")] += 1
        act()

    def _one(self) -> Appointment:
        return self.random.choice(self.appointments)

    def _book(self) -> None:
        self.appointments.append(
            self.office.book(days=self.random.randint(2, 25), hour=self.random.randint(7, 20))
        )

    def _move(self) -> None:
        self.office.move(self._one(), hours=self.random.choice((-2, 1, 24)))

    def _end_or_reinstate(self) -> None:
        appointment = self._one()
        (self.office.cancel if appointment.is_live else self.office.reinstate)(appointment)

    def _add_there(self) -> None:
        self.office.google.add_event(
            EMAIL, summary="Personal", **timed(self.office, days=self.random.randint(2, 25))
        )

    def _move_there(self) -> None:
        events = self.office.app_events()
        if not events:
            return
        event = self.random.choice(events)
        times = timed(
            self.office, days=self.random.randint(2, 25), hour=self.random.randint(7, 20), minutes=50
        )
        try:
            self.office.google.change_event(EMAIL, self.office.app_calendar_id, event["id"], **times)
        except ControlRefused:
            self.figures["gone meanwhile"] += 1

    # The law

    def check_the_law(self) -> None:
        """One event for each live appointment, at its time, and no write by a run that reads everything."""
        office = self.office
        office.google.reset_requests()
        office.rest(full=True)
        assert office.google.writes() == 0
        db.session.expire_all()
        wanted = Counter(
            appointment.starts_at
            for appointment in self.appointments
            if appointment.is_live and not _is_held(appointment)
        )
        assert Counter(starts_at(event) for event in office.app_events()) == wanted
        personal = len([event for event in office.google.events(EMAIL) if event["summary"] == "Personal"])
        assert office.shown().count("Personal") == personal
        office.assert_it_still_writes()

    def failed_in_a_row(self) -> int:
        """The most runs that failed one after the other."""
        most = row = 0
        for outcome in db.session.scalars(sa.select(SyncRun.outcome).order_by(SyncRun.id)):
            row = row + 1 if outcome == Outcome.FAILED else 0
            most = max(most, row)
        return most


def _is_held(appointment: Appointment) -> bool:
    link = db.session.scalar(sa.select(EventLink).where(EventLink.appointment_id == appointment.id))
    return link is not None and link.state is LinkState.HELD
