"""A process that dies at any step, and what the next run makes of it."""

from __future__ import annotations

import pytest

from portal.connection import switching
from portal.engine import connection_run, lease
from portal.engine.connection_run import Outcome
from portal.extensions import db
from portal.models import ChangeCard, Connection, ConnectionPhase, SyncMode
from sandbox.client import Json
from tests.engine.conftest import EMAIL, Office
from tests.engine.test_machine import Crash, Frail
from tests.engine.test_pull import timed
from tests.engine.test_push import starts_at

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def dies(office: Office, step: int, connection: Connection | None = None) -> bool:
    """Run until the clock is read for the nth time, which kills it. False: it was over before."""
    connection = connection or office.connection
    connection.next_check_at = office.clock()
    db.session.commit()
    died = False
    try:
        connection_run.run_connection(connection.id, clock=Frail(office, step), trigger="test", poll=60)
    except Crash:
        died = True
    db.session.rollback()
    db.session.expire_all()
    office.clock.advance(seconds=lease.LEASE_SECONDS + 1)
    return died


def by_tag(office: Office) -> dict[str, list[Json]]:
    """The app calendar's events, by appointment."""
    found: dict[str, list[Json]] = {}
    for event in office.app_events():
        found.setdefault(event["extendedProperties"]["private"]["lockstepAppointment"], []).append(event)
    return found


def test_killed_at_any_step_nothing_is_doubled_and_nothing_is_lost(office: Office) -> None:
    """Failures 4 and 17: insert, patch and delete outward, new, changed and gone inward."""
    moved, canceled = office.book(days=2), None
    office.connect_and_rest()
    kept, gone = [], None
    step, died = 2, True
    while died:
        step += 1
        booked = office.book(days=3 + step % 20, hour=8 + step % 9)
        office.move(moved, hours=1 if step % 2 else -1)
        if canceled is not None:
            office.cancel(canceled)
        summary = f"Errand {step}"
        added = office.google.add_event(EMAIL, summary=summary, **timed(office, days=1 + step % 20))
        if gone is not None:
            office.google.delete_event(EMAIL, "primary", gone["id"])
            kept.remove(gone["summary"])
        kept.append(summary)
        died = dies(office, step)
        office.rest()
        events = by_tag(office)
        db.session.expire_all()
        assert [starts_at(event) for event in events.pop(moved.public_id)] == [moved.starts_at]
        assert [starts_at(event) for event in events.pop(booked.public_id)] == [booked.starts_at]
        assert events == {}
        assert sorted(office.shown()) == sorted(kept)
        canceled, gone = booked, added
    assert step > 15, "the run was too short to have been killed anywhere of interest"
    assert len(office.app_calendars()) == 1
    assert db.session.scalars(db.select(ChangeCard)).all() == []


def test_killed_at_any_step_of_the_first_sync_there_is_one_calendar(office: Office) -> None:
    """Failure 4: `calendars.insert` is the one write that no id makes idempotent."""
    booked = office.book(days=2)
    step, died = 1, True
    while died:
        step += 2
        connection = office.connect()
        died = dies(office, step, connection)
        office.rest()
        assert len(office.app_calendars()) == 1
        assert {tag: len(events) for tag, events in by_tag(office).items()} == {booked.public_id: 1}
        switching.choose_mode(office.provider, SyncMode.OFF, now=office.clock())
        db.session.commit()
        assert office.run() is Outcome.DONE
        assert office.app_calendars() == []
    assert step > 8


def test_killed_at_any_step_of_the_removal_it_is_gone_on_with(office: Office) -> None:
    """Failure 25: ours goes, what is the provider's own stays, and the receipt counts once."""
    office.book(days=2)
    step, died = 2, True
    while died:
        step += 1
        office.connect_and_rest()
        office.google.add_event(EMAIL, office.app_calendar_id, summary="By hand", **timed(office))
        office.rest()
        calendar_id, connection = office.app_calendar_id, office.connection
        switching.choose_mode(office.provider, SyncMode.OFF, now=office.clock())
        db.session.commit()
        died = dies(office, step, connection)
        if died and connection.ended_at is None:
            assert office.run() is Outcome.DONE
        db.session.expire_all()
        assert connection.phase is ConnectionPhase.ENDED
        assert [event["summary"] for event in office.google.events(EMAIL, calendar_id)] == ["By hand"]
        assert connection.removal is not None
        assert connection.removal["found"] == 1
        assert connection.refresh_token is None
        office.google.delete_calendar(EMAIL, calendar_id)
    assert step > 6


def test_a_removal_under_a_rate_limit_waits_and_ends(office: Office) -> None:
    """Failure 25: refused half-way, it keeps its grant until everything is drained."""
    for days in (1, 2, 3):
        office.book(days=days)
    office.connect_and_rest()
    office.google.add_event(EMAIL, office.app_calendar_id, summary="By hand", **timed(office))
    office.rest()
    calendar_id, connection = office.app_calendar_id, office.connection
    switching.choose_mode(office.provider, SyncMode.OFF, now=office.clock())
    db.session.commit()
    office.google.add_fault("rate_limit", method="calendar.events.delete", skip=1, times=2)
    assert office.run_once_only() is Outcome.FAILED
    assert connection.refresh_token is not None
    assert connection.phase is ConnectionPhase.REMOVING
    office.google.clear_faults()
    assert office.run() is Outcome.DONE
    assert [event["summary"] for event in office.google.events(EMAIL, calendar_id)] == ["By hand"]


@pytest.mark.parametrize("method", ["calendar.events.insert", "calendar.events.*"])
def test_a_late_insert_of_a_canceled_appointment_is_removed_and_never_imported(
    office: Office, method: str
) -> None:
    """Failure 52: the answer to the insert was lost, and the appointment canceled before the next run."""
    office.connect_and_rest()
    appointment = office.book(days=3)
    office.google.add_fault("lost_answer", method=method, times=1)
    assert office.run_once_only() is Outcome.FAILED
    assert len(office.app_events()) == 1
    office.cancel(appointment)
    office.rest()
    assert office.app_events() == []
    assert office.shown() == []
    assert db.session.scalars(db.select(ChangeCard)).all() == []
