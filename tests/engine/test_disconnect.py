"""Leaving Google: ours goes, theirs stays, and the receipt tells what was verified."""

from __future__ import annotations

import pytest

from portal.connection import choosing, leftovers, switching
from portal.engine import connection_run
from portal.engine.connection_run import Outcome
from portal.extensions import db
from portal.models import Connection, ConnectionPhase, EventLink, GoogleEvent, SyncMode
from tests.engine.conftest import EMAIL, Office
from tests.engine.test_pull import timed


def turn_off(office: Office) -> int:
    connection_id = office.connection.id
    switching.choose_mode(office.provider, SyncMode.OFF, now=office.clock())
    db.session.commit()
    return connection_id


def walk_the_wizard_again(office: Office) -> None:
    """Only our calendar, and none of theirs."""
    connection = office.connection
    choosing.choose(connection, [], now=office.clock())
    switching.begin_first_sync(connection, now=office.clock())
    db.session.commit()
    office.rest()


def ended(connection_id: int) -> Connection:
    db.session.expire_all()
    return db.session.get_one(Connection, connection_id)


def test_turning_off_deletes_the_app_calendar_and_nothing_else(office: Office) -> None:
    appointments = [office.book(days=days) for days in (1, 2)]
    office.google.add_event(EMAIL, summary="Lunch", **timed(office))
    office.connect_and_rest()
    connection_id = turn_off(office)
    assert office.run() is Outcome.DONE
    connection = ended(connection_id)
    assert connection.phase is ConnectionPhase.ENDED
    assert office.provider.sync_mode is SyncMode.OFF
    assert office.app_calendars() == []
    assert [event["summary"] for event in office.google.events(EMAIL)] == ["Lunch"]
    assert db.session.scalars(db.select(EventLink)).all() == []
    assert db.session.scalars(db.select(GoogleEvent)).all() == []
    assert all(appointment.is_live for appointment in appointments)
    assert connection.removal is not None
    assert (connection.removal["found"], connection.removal["left"]) == (2, 0)
    assert office.google.control("GET", "/grants")["items"] == []
    assert connection.refresh_token is None


def test_events_made_by_hand_in_the_app_calendar_are_kept_with_it(office: Office) -> None:
    office.book()
    office.connect_and_rest()
    office.google.add_event(EMAIL, office.app_calendar_id, summary="By hand", **timed(office))
    office.rest()
    calendar_id = office.app_calendar_id
    connection_id = turn_off(office)
    office.run()
    assert [event["summary"] for event in office.google.events(EMAIL, calendar_id)] == ["By hand"]
    removal = ended(connection_id).removal
    assert removal is not None
    assert (removal["calendar"], removal["own_kept"], removal["left"]) == ("kept", 1, 0)


def test_turning_off_with_a_dead_grant_ends_here_and_tells_what_stays_there(office: Office) -> None:
    office.book()
    office.connect_and_rest()
    calendar_id = office.app_calendar_id
    office.google.control("POST", "/grants/revoke", {"account": EMAIL})
    connection_id = turn_off(office)
    assert office.run() is Outcome.DONE
    connection = ended(connection_id)
    assert connection.phase is ConnectionPhase.ENDED
    assert connection.removal is not None
    assert connection.removal["leftover"] == calendar_id


@pytest.mark.parametrize(
    "method", ["calendar.calendars.delete", "calendar.calendarList.list", "oauth.revoke"]
)
def test_turning_off_goes_on_after_each_interruption(office: Office, method: str) -> None:
    office.book()
    office.connect_and_rest()
    connection_id = turn_off(office)
    office.google.add_fault("lost_answer", method=method, times=1)
    assert office.run_once_only() is Outcome.FAILED
    assert office.run() is Outcome.DONE
    assert ended(connection_id).phase is ConnectionPhase.ENDED
    assert office.app_calendars() == []


def test_turning_off_and_on_five_times_never_leaves_two_calendars(office: Office) -> None:
    """Failure 1."""
    for days in (1, 2, 3):
        office.book(days=days)
    for _ in range(5):
        office.connect_and_rest()
        assert len(office.app_calendars()) == 1
        assert len(office.app_events()) == 3
        turn_off(office)
        assert office.run() is Outcome.DONE


def test_reconnecting_five_times_keeps_one_calendar_and_writes_nothing(office: Office) -> None:
    """Failure 1."""
    for days in (1, 2, 3):
        office.book(days=days)
    office.connect_and_rest()
    for _ in range(5):
        office.google.control("POST", "/grants/revoke", {"account": EMAIL})
        assert office.run() is Outcome.ASKED
        assert office.connection.problem == "reconnect-required"
        office.connect()
        office.rest()
    assert office.google.writes() == 0
    assert len(office.app_calendars()) == 1
    assert len(office.app_events()) == 3
    office.assert_it_still_writes()


def test_start_over_empties_the_calendar_and_uses_it_again(office: Office) -> None:
    appointment = office.book()
    office.connect_and_rest()
    calendar_id, event_id = office.app_calendar_id, office.event_of(appointment)["id"]
    switching.start_over(office.provider, now=office.clock())
    db.session.commit()
    assert office.run() is Outcome.DONE
    assert office.connection.phase is ConnectionPhase.CHOOSING
    assert office.google.events(EMAIL, calendar_id) == []
    walk_the_wizard_again(office)
    assert office.app_calendar_id == calendar_id
    assert office.event_of(appointment)["id"] != event_id


def as_scheduled(office: Office) -> None:
    """One run as a worker begins it: with a look at Google only if one is due."""
    connection_run.run_connection(office.connection.id, clock=office.clock, trigger="test", poll=60)


def test_after_create_again_the_first_run_ends_the_first_sync(office: Office) -> None:
    """Not the next poll, minutes later: until then the page would go on about a first sync."""
    office.book()
    office.connect_and_rest()
    office.google.delete_calendar(EMAIL, office.app_calendar_id)
    assert office.run() is Outcome.ASKED
    office.run_without_a_look()
    switching.create_again(office.connection, now=office.clock())
    db.session.commit()
    as_scheduled(office)
    assert office.connection.phase is ConnectionPhase.ACTIVE


def test_after_reconnecting_the_first_run_looks_at_google(office: Office) -> None:
    office.connect_and_rest()
    office.google.add_event(EMAIL, summary="Dentist", **timed(office))
    office.run_without_a_look()
    assert office.shown() == []
    office.connect()
    as_scheduled(office)
    assert office.shown() == ["Dentist"]


def test_a_deleted_app_calendar_asks_and_cancels_nothing(office: Office) -> None:
    """Failure 41."""
    appointment = office.book()
    office.connect_and_rest()
    office.google.delete_calendar(EMAIL, office.app_calendar_id)
    office.move(appointment, hours=1)
    assert office.run() is Outcome.ASKED
    assert office.connection.problem == "calendar-missing"
    office.run_without_a_look()
    assert office.connection.problem == "calendar-missing"
    db.session.expire_all()
    assert appointment.is_live
    switching.create_again(office.connection, now=office.clock())
    db.session.commit()
    office.rest()
    assert len(office.app_calendars()) == 1
    assert len(office.app_events()) == 1


# Out of reach: still in the account, but it no longer opens


def lock_out(office: Office) -> str:
    """With one appointment in Google, it lists our calendar and answers 404 about its events. Its id."""
    office.book()
    office.connect_and_rest()
    calendar_id = office.app_calendar_id
    office.google.add_fault("not_found", method="calendar.events.*", calendar=calendar_id, times=None)
    return calendar_id


def wait_until_it_is_sure(office: Office) -> None:
    assert [office.run() for _ in range(3)] == [Outcome.FAILED, Outcome.FAILED, Outcome.ASKED]
    assert office.connection.problem == "calendar-out-of-reach"


def test_turning_off_never_calls_a_calendar_gone_that_only_does_not_open(office: Office) -> None:
    lock_out(office)
    mark = (office.connection.nonce or "")[-4:]
    wait_until_it_is_sure(office)
    connection_id = turn_off(office)
    assert office.run() is Outcome.DONE, "what was known before need not be tried again"
    connection = ended(connection_id)
    assert connection.removal is not None
    assert connection.removal["calendar"] == "out-of-reach"
    assert leftovers.left_behind(office.provider) == [leftovers.LeftBehind(connection_id, EMAIL, mark)]
    assert office.google.control("GET", "/grants")["items"] == [], "the permission is given back all the same"


def test_a_calendar_that_does_not_open_for_a_moment_is_still_cleared(office: Office) -> None:
    lock_out(office)
    connection_id = turn_off(office)
    assert office.run() is Outcome.FAILED
    office.google.clear_faults()
    assert office.run() is Outcome.DONE
    removal = ended(connection_id).removal
    assert removal is not None
    assert (removal["calendar"], removal["found"], removal["left"]) == ("deleted", 1, 0)
    assert leftovers.left_behind(office.provider) == []


def test_turning_off_gives_up_on_a_calendar_that_stays_closed(office: Office) -> None:
    lock_out(office)
    connection_id = turn_off(office)
    assert [office.run() for _ in range(3)] == [Outcome.FAILED, Outcome.FAILED, Outcome.DONE]
    assert ended(connection_id).phase is ConnectionPhase.ENDED
    assert len(leftovers.left_behind(office.provider)) == 1


def test_after_create_again_the_closed_calendar_is_remembered_until_it_is_said_to_be_gone(
    office: Office,
) -> None:
    closed = lock_out(office)
    wait_until_it_is_sure(office)
    switching.create_again(office.connection, now=office.clock())
    db.session.commit()
    office.rest()
    assert office.app_calendar_id != closed
    assert len(leftovers.left_behind(office.provider)) == 1
    turn_off(office)
    assert office.run() is Outcome.DONE
    assert len(leftovers.left_behind(office.provider)) == 1, "turning off deletes the newer one only"
    assert leftovers.left_is_gone(office.provider, now=office.clock())
    assert leftovers.left_behind(office.provider) == []
    assert not leftovers.left_is_gone(office.provider, now=office.clock())


def test_starting_over_with_a_closed_calendar_makes_a_new_one(office: Office) -> None:
    closed = lock_out(office)
    wait_until_it_is_sure(office)
    switching.start_over(office.provider, now=office.clock())
    db.session.commit()
    assert office.run() is Outcome.DONE
    assert office.connection.phase is ConnectionPhase.CHOOSING
    walk_the_wizard_again(office)
    assert office.app_calendar_id != closed
    assert len(office.app_events()) == 1
    assert len(leftovers.left_behind(office.provider)) == 1
