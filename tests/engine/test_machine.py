"""The law under everything at once: a state machine drives the real engine against the sandbox.

Random changes on both sides, random faults, crashes at any reading of the clock. At rest, the law.
"""

from __future__ import annotations

import datetime as dt
import os
from collections import Counter
from typing import Any, ClassVar

import hypothesis.strategies as st
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from portal.engine import connection_run, lease
from portal.engine.connection_run import Outcome
from portal.extensions import db
from portal.models import Appointment, EventLink, LinkState, NameDisplay
from portal.practice import appointments, clients
from portal.rows import event_links
from sandbox.client import ControlRefused, SandboxClient
from tests.engine.conftest import EMAIL, ZONE, Office
from tests.engine.test_pull import timed
from tests.engine.test_push import starts_at
from tests.google_dates import google_shows, promised

EXAMPLES = int(os.environ.get("MACHINE_EXAMPLES", "50"))
STEPS = int(os.environ.get("MACHINE_STEPS", "18"))
FAULTS = ("lost_answer", "reset", "backend_error", "rate_limit", "malformed_json", "condition_not_met")
METHODS = (
    "calendar.events.insert",
    "calendar.events.patch",
    "calendar.events.delete",
    "calendar.events.list",
    "calendar.events.get",
    "calendar.calendars.insert",
    "calendar.calendarList.list",
    "oauth.token",
)
# Faults that make no sense elsewhere
ONLY_FOR = {"condition_not_met": {"calendar.events.patch"}}
# The last one passes its first date by on most days
RULES = (None, "RRULE:FREQ=DAILY;COUNT=4", "RRULE:FREQ=WEEKLY", "RRULE:FREQ=WEEKLY;BYDAY=MO,TH;COUNT=3")
days = st.integers(min_value=1, max_value=20)
hours = st.integers(min_value=7, max_value=20)


class Crash(BaseException):
    """The process dies here: nothing after it runs, the lease stays taken."""


class Frail:
    """A clock whose reading may be the last thing a process does."""

    def __init__(self, office: Office, readings: int) -> None:
        self.clock, self.left = office.clock, readings

    def __call__(self) -> dt.datetime:
        self.left -= 1
        if self.left <= 0:
            raise Crash
        return self.clock()


class TwoSides(RuleBasedStateMachine):
    """One provider, one Google account. `office` is set by the test that runs this."""

    make_office: Any
    tally: ClassVar[Counter[str]] = Counter()

    @initialize(booked=st.integers(min_value=0, max_value=4))
    def begin(self, booked: int) -> None:
        self.office: Office = type(self).make_office()
        self.tally["examples"] += 1
        self.appointments = [self.office.book(days=2 + number) for number in range(booked)]
        self.personal: list[str] = []
        self.ever_deleted: list[str] = []
        self.office.connect()

    # Here

    @rule(day=days, hour=hours)
    def book(self, day: int, hour: int) -> None:
        self.appointments.append(self.office.book(days=day, hour=hour))

    @precondition(lambda self: self.appointments)
    @rule(data=st.data(), by=st.sampled_from([-3, -1, 1, 24]))
    def move(self, data: st.DataObject, by: int) -> None:
        appointment = self._one(data)
        if appointment.archived_at is None:
            self.office.move(appointment, hours=by)

    @precondition(lambda self: self.appointments)
    @rule(data=st.data())
    def cancel_or_reinstate(self, data: st.DataObject) -> None:
        appointment = self._one(data)
        if appointment.is_live:
            self.office.cancel(appointment)
        else:
            self.office.reinstate(appointment)

    @precondition(lambda self: self.appointments)
    @rule(data=st.data())
    def archive(self, data: st.DataObject) -> None:
        appointment = self._one(data)
        if appointment.archived_at is None:
            office = self.office
            appointments.archive(appointment, now=office.clock(), actor=office.provider, source="web")
            db.session.commit()

    @rule(display=st.sampled_from(list(NameDisplay)))
    def show_names(self, display: NameDisplay) -> None:
        office = self.office
        db.session.expire_all()
        clients.change_display(
            office.provider, display, confirmed=True, sends_other_titles=False, now=office.clock()
        )
        db.session.commit()

    # There

    @rule(data=st.data(), day=days, hour=hours)
    def move_there(self, data: st.DataObject, day: int, hour: int) -> None:
        self._change_there(data, timed(self.office, days=day, hour=hour, minutes=50))

    @rule(data=st.data(), text=st.sampled_from(["Renamed", "", "1042"]))
    def retitle_there(self, data: st.DataObject, text: str) -> None:
        self._change_there(data, {"summary": text})

    @rule(data=st.data())
    def annotate_there(self, data: st.DataObject) -> None:
        self._change_there(data, {"description": "Bring the form", "colorId": "3"})

    @rule(data=st.data())
    def repeat_there(self, data: st.DataObject) -> None:
        self._change_there(data, {"recurrence": ["RRULE:FREQ=WEEKLY;COUNT=3"]})

    @rule(data=st.data())
    def delete_there(self, data: st.DataObject) -> None:
        event = self._event_there(data)
        if event is not None:
            self.office.google.delete_event(EMAIL, self.office.app_calendar_id, event["id"])
            self.ever_deleted.append(event["id"])

    @precondition(lambda self: self.ever_deleted)
    @rule(data=st.data())
    def restore_there(self, data: st.DataObject) -> None:
        event_id = data.draw(st.sampled_from(self.ever_deleted))
        live = {event["id"] for event in self.office.app_events()}
        if event_id not in live:
            self.office.google.act_on_event(EMAIL, self.office.app_calendar_id, event_id, "restore")

    @rule(data=st.data())
    def copy_there(self, data: st.DataObject) -> None:
        event = self._event_there(data)
        if event is not None:
            self.office.google.act_on_event(EMAIL, self.office.app_calendar_id, event["id"], "duplicate")

    @rule(day=days, hour=hours, rule_line=st.sampled_from(RULES))
    def add_personal(self, day: int, hour: int, rule_line: str | None) -> None:
        recurrence = {"recurrence": [rule_line]} if rule_line else {}
        event = self.office.google.add_event(
            EMAIL, summary="Personal", **timed(self.office, days=day, hour=hour), **recurrence
        )
        self.personal.append(event["id"])

    @precondition(lambda self: self.personal)
    @rule(data=st.data(), day=days, hour=hours)
    def move_personal(self, data: st.DataObject, day: int, hour: int) -> None:
        event_id = data.draw(st.sampled_from(self.personal))
        self.office.google.change_event(EMAIL, "primary", event_id, **timed(self.office, days=day, hour=hour))

    @precondition(lambda self: self.personal)
    @rule(data=st.data())
    def delete_personal(self, data: st.DataObject) -> None:
        event_id = data.draw(st.sampled_from(self.personal))
        self.personal.remove(event_id)
        self.office.google.delete_event(EMAIL, "primary", event_id)

    @precondition(lambda self: self.personal)
    @rule(data=st.data(), delete=st.booleans(), hour=hours)
    def change_one_date(self, data: st.DataObject, delete: bool, hour: int) -> None:
        """Move or delete the first date of a series that is shown, as Google's own page would."""
        shown = [each for each in self.office.occurrences() if each.occurrence_key]
        if not shown:
            return
        occurrence = data.draw(st.sampled_from(shown))
        master = occurrence.event.recurring_event_id or occurrence.event.event_id
        instance = f"{master}_{occurrence.occurrence_key}"
        path = f"/accounts/{EMAIL}/calendars/primary/events/{instance}"
        method = "DELETE" if delete else "PATCH"
        body = None if delete else timed(self.office, days=3, hour=hour)
        self._if_google_still_has_it(method, path, body)

    # Between

    @rule(
        kind=st.sampled_from(FAULTS),
        method=st.sampled_from(METHODS),
        times=st.integers(1, 4),
        skip=st.integers(0, 2),
    )
    def run_into_trouble(self, kind: str, method: str, times: int, skip: int) -> None:
        if method not in ONLY_FOR.get(kind, {method}) or (kind == "malformed_json" and "oauth" in method):
            return
        if "oauth" in method:
            self.office.google.control("POST", "/access-tokens/expire", {})
        self.office.google.add_fault(kind, method=method, times=times, skip=skip)
        self.tally[kind] += 1
        self.run_once(full=False)

    @rule(data=st.data(), day=days, hour=hours, by=st.sampled_from([-1, 1]))
    def move_on_both_sides_at_once(self, data: st.DataObject, day: int, hour: int, by: int) -> None:
        if self.appointments:
            self.move_there(data, day, hour)
            self.move(data, by)
            self.run_once(full=False)

    @rule()
    def expire_tokens(self) -> None:
        self.office.google.control("POST", "/sync-tokens/expire", {})

    @rule(full=st.booleans())
    def run_once(self, full: bool) -> None:
        self.office.clock.advance(minutes=1)
        self.tally[self.office.run(full=full).value] += 1

    run_once_more = rule(full=st.just(False))(lambda self, full: self.run_once(full))
    and_again = rule(full=st.just(False))(lambda self, full: self.run_once(full))

    @rule(readings=st.integers(min_value=3, max_value=60))
    def crash(self, readings: int) -> None:
        """A run that dies; whoever comes next must wait for its lease to end."""
        office, connection = self.office, self.office.connection
        connection.next_check_at = office.clock()
        db.session.commit()
        try:
            connection_run.run_connection(
                connection.id,
                clock=Frail(office, readings),
                trigger="test",
                poll=60,
                pause=office.clock.pause,
            )
        except Crash:
            self.tally["crashes"] += 1
        db.session.rollback()
        db.session.expire_all()
        office.clock.advance(seconds=lease.LEASE_SECONDS + 1)

    # At rest

    def teardown(self) -> None:
        if hasattr(self, "appointments"):
            self._come_to_rest()
            self._check_the_law()

    def _come_to_rest(self) -> None:
        office = self.office
        office.google.clear_faults()
        for _ in range(12):
            office.clock.advance(minutes=16)
            if office.run() is Outcome.DONE and not self._is_behind():
                return
        raise AssertionError(f"it never comes to rest: {office.connection.problem}")

    def _is_behind(self) -> bool:
        return event_links.count_behind(self.office.connection) > 0

    def _check_the_law(self) -> None:
        office = self.office
        office.google.reset_requests()
        assert office.run() is Outcome.DONE
        assert office.run(full=True) is Outcome.DONE
        assert office.google.writes() == 0, "a run at rest wrote to Google"
        self._check_outward()
        self._check_inward()
        self.tally["checked"] += 1

    def _check_outward(self) -> None:
        """Each live appointment has its one event, unless a card waits; nobody else has any."""
        office = self.office
        by_appointment: dict[str, list[dict[str, Any]]] = {}
        for event in office.app_events():
            private = event.get("extendedProperties", {}).get("private", {})
            if private.get("lockstepEvent") == event["id"]:
                by_appointment.setdefault(private["lockstepAppointment"], []).append(event)
        titles = clients.titles_outside(office.provider, self.appointments)
        db.session.expire_all()
        for appointment in self.appointments:
            events = by_appointment.pop(appointment.public_id, [])
            link = db.session.scalar(sa.select(EventLink).where(EventLink.appointment_id == appointment.id))
            if link is not None and link.state is LinkState.HELD:
                assert events == []
            elif appointment.is_live:
                assert [event["summary"] for event in events] == [titles[appointment.id]]
                assert [starts_at(event) for event in events] == [appointment.starts_at]
                assert not events[0].get("recurrence")
            else:
                assert events == []
        assert by_appointment == {}

    def _check_inward(self) -> None:
        """What is here of the personal calendar is what Google itself shows, date by date."""
        office, now = self.office, self.office.clock()
        shown = [each.starts_at for each in office.occurrences() if each.event.summary == "Personal"]
        assert promised(shown, now=now) == google_shows(office.google, EMAIL, now=now)

    # Small steps

    def _one(self, data: st.DataObject) -> Appointment:
        db.session.expire_all()
        index = data.draw(st.integers(0, len(self.appointments) - 1))
        return self.appointments[index]

    def _event_there(self, data: st.DataObject) -> dict[str, Any] | None:
        connection = self.office.connection
        if connection.app_calendar_id is None:
            return None
        events = self.office.app_events()
        return data.draw(st.sampled_from(events)) if events else None

    def _change_there(self, data: st.DataObject, changes: dict[str, Any]) -> None:
        event = self._event_there(data)
        if event is None:
            return
        path = f"/accounts/{EMAIL}/calendars/{self.office.app_calendar_id}/events/{event['id']}"
        self._if_google_still_has_it("PATCH", path, changes)

    def _if_google_still_has_it(self, method: str, path: str, body: dict[str, Any] | None) -> None:
        """What is shown here may be gone there already; then the person finds nothing to change."""
        try:
            self.office.google.control(method, path, body)
        except ControlRefused:
            self.tally["nothing there"] += 1


def empty_everything(google: SandboxClient) -> None:
    """A new world in the same processes: both sides as on the first day."""
    db.session.rollback()
    for table in reversed(db.metadata.sorted_tables):
        if table.name not in ("practice", "audit_entry"):
            db.session.execute(sa.delete(table))
    db.session.commit()
    db.session.expunge_all()
    google.reset()
    google.add_account(EMAIL, hd="example.com", time_zone=ZONE)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_law_holds_at_rest_after_any_history(app: Any, google: SandboxClient) -> None:
    def make_office() -> Office:
        empty_everything(google)
        return Office(app, google)

    machine = type("Machine", (TwoSides,), {"make_office": staticmethod(make_office), "tally": Counter()})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            database=None,
            phases=(Phase.generate, Phase.shrink),
            suppress_health_check=list(HealthCheck),
            print_blob=True,
        ),
    )
    print(f"state machine over engine and sandbox: {dict(machine.tally)}")  # noqa: T201 (figures to keep)
    assert machine.tally["checked"] >= EXAMPLES
