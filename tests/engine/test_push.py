"""Appointments reach Google: once each, by display alone, and whatever happens on the way."""

from __future__ import annotations

import datetime as dt

import pytest

from portal.engine.connection_run import Outcome
from portal.extensions import db
from portal.models import ChangeCard, EventLink, LinkState
from sandbox.client import Json
from tests.engine.conftest import EMAIL, Office


def test_every_live_appointment_has_one_event_titled_with_the_internal_id_alone(office: Office) -> None:
    booked = [office.book(days=days) for days in (1, 2, 3)]
    office.connect_and_rest()
    events = office.app_events()
    assert [event["summary"] for event in events] == [office.client.internal_id] * 3
    assert {starts_at(event) for event in events} == {appointment.starts_at for appointment in booked}
    assert {event["visibility"] for event in events} == {"private"}
    assert not any("attendees" in event or "description" in event for event in events)


def test_a_second_run_writes_nothing_and_one_altered_event_is_mended(office: Office) -> None:
    for days in range(1, 6):
        office.book(days=days)
    office.connect_and_rest()
    office.rest()
    office.rest(full=True)
    assert office.google.writes() == 0
    event = office.app_events()[0]
    office.google.change_event(EMAIL, office.app_calendar_id, event["id"], summary="Altered")
    office.rest()
    assert office.google.writes() == 1
    assert {event["summary"] for event in office.app_events()} == {office.client.internal_id}


def test_a_moved_appointment_moves_its_event(office: Office) -> None:
    appointment = office.book()
    office.connect_and_rest()
    event_id = office.event_of(appointment)["id"]
    office.move(appointment, hours=2)
    office.rest()
    event = office.event_of(appointment)
    assert event["id"] == event_id
    assert starts_at(event) == appointment.starts_at


def test_a_canceled_appointment_leaves_google_and_a_reinstated_one_returns_under_a_new_id(
    office: Office,
) -> None:
    appointment = office.book()
    office.connect_and_rest()
    first_id = office.event_of(appointment)["id"]
    office.cancel(appointment)
    office.rest()
    assert office.app_events() == []
    office.reinstate(appointment)
    office.rest()
    assert office.event_of(appointment)["id"] != first_id


def test_an_all_day_event_goes_out_as_dates_and_says_busy(office: Office) -> None:
    appointment = office.book_all_day(length=2)
    office.connect_and_rest()
    event = office.event_of(appointment)
    assert event["summary"] == "Busy"
    assert event["start"]["date"] == appointment.start_date.isoformat()
    assert event["end"]["date"] == (appointment.start_date + dt.timedelta(days=2)).isoformat()


def test_the_app_calendar_is_made_once_and_shown(office: Office) -> None:
    office.connect_and_rest()
    office.rest()
    (calendar,) = office.app_calendars()
    assert calendar["summary"] == "Lockstep"
    assert calendar["selected"]
    assert not calendar.get("hidden")


@pytest.mark.parametrize("kind", ["lost-answer", "503", "reset"])
def test_a_lost_answer_doubles_nothing(office: Office, kind: str) -> None:
    for days in range(1, 8):
        office.book(days=days)
    office.connect()
    fault = {"lost-answer": "lost_answer", "503": "backend_error", "reset": "reset"}[kind]
    for method in ("calendar.calendars.insert", "calendar.events.insert"):
        office.google.add_fault(fault, method=method, times=1)
    for _ in range(6):
        office.clock.advance(minutes=1)
        if office.run() is Outcome.DONE:
            break
    assert len(office.app_events()) == 7
    assert len(office.app_calendars()) == 1


def test_a_patch_whose_answer_was_lost_does_not_return_as_a_change_from_google(office: Office) -> None:
    """Failure 49: the provider puts the time back here meanwhile, and that is what stands on both sides."""
    appointment = office.book(days=3)
    office.connect_and_rest()
    original = appointment.starts_at
    office.move(appointment, hours=3)
    office.google.add_fault("lost_answer", method="calendar.events.*", times=1)
    assert office.run_once_only() is Outcome.FAILED
    assert starts_at(office.event_of(appointment)) != original
    office.move(appointment, hours=-3)
    office.rest()
    db.session.expire_all()
    assert appointment.starts_at == original
    assert starts_at(office.event_of(appointment)) == original


def test_a_delete_whose_answer_was_lost_is_known_as_ours(office: Office) -> None:
    """Failure 50: deleted, the answer lost, reinstated here: no card says that the provider deleted it."""
    appointment = office.book()
    office.connect_and_rest()
    event = office.event_of(appointment)
    office.cancel(appointment)
    office.google.add_fault("lost_answer", method="calendar.events.*", times=1)
    assert office.run_once_only() is Outcome.FAILED
    assert office.app_events() == []
    office.reinstate(appointment)
    office.rest()
    assert office.event_of(appointment)["id"] != event["id"]
    assert db.session.scalars(db.select(EventLink)).one().state is LinkState.LIVE
    assert db.session.scalars(db.select(ChangeCard)).all() == []


def starts_at(event: Json) -> dt.datetime:
    return dt.datetime.fromisoformat(event["start"]["dateTime"])
