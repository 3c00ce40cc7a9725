"""A backup from before our calendar, put back: the calendar that is there is asked about, never doubled."""

from __future__ import annotations

import datetime as dt

import pytest

from portal.connection import answers, choosing, leftovers, switching
from portal.connection.marks import read_mark
from portal.engine.connection_run import Outcome
from portal.extensions import db
from portal.models import Appointment, ConnectionPhase, GoogleCalendar, SyncMode
from sandbox.client import Json
from tests.engine.conftest import EMAIL, Office
from tests.engine.test_push import starts_at
from tests.engine.test_rows_backup import Backup, back_up, restore

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def connect_and_back_up(office: Office) -> Backup:
    """Two-Way is chosen, and the first sync has not run yet."""
    office.connect()
    backup = back_up()
    office.rest()
    return backup


def move_in_google(office: Office, appointment: Appointment, *, hours: int) -> None:
    event = office.event_of(appointment)
    times = {
        end: {
            "dateTime": (
                dt.datetime.fromisoformat(event[end]["dateTime"]) + dt.timedelta(hours=hours)
            ).isoformat()
        }
        for end in ("start", "end")
    }
    office.google.change_event(EMAIL, office.app_calendar_id, event["id"], **times)


def answer(office: Office, choice: str) -> None:
    (card,) = [
        each
        for each in answers.open_cards(office.provider)
        if each.detail.get("reason") == "unknown-calendar"
    ]
    answers.answer(card, choice, actor=office.provider, now=office.clock())
    db.session.commit()


def come_to_rest(office: Office) -> None:
    office.rest()
    office.google.reset_requests()
    office.rest(full=True)
    assert office.google.writes() == 0


def tagged(events: list[Json]) -> list[str]:
    return sorted(event["extendedProperties"]["private"]["lockstepAppointment"] for event in events)


def test_the_mark_names_the_installation_and_the_connection(office: Office) -> None:
    connection = office.connect_and_rest()
    (entry,) = office.app_calendars()
    mark = read_mark(entry["description"])
    assert mark is not None
    assert mark.nonce == connection.nonce
    assert mark.installation == choosing.own_calendars(connection).installation


def test_a_backup_older_than_our_calendar_asks_and_writes_nothing(office: Office) -> None:
    """Failure 67."""
    office.book(days=2)
    backup = connect_and_back_up(office)
    restore(backup)
    office.google.reset_requests()
    for full in (True, False, True):
        assert office.run(full=full) is Outcome.ASKED
    assert office.google.writes() == 0
    assert len(office.app_calendars()) == 1
    connection = office.connection
    assert (connection.problem, connection.problem_detail) == ("question", "unknown-calendar")
    assert len(answers.open_cards(office.provider)) == 1
    answer(office, "use-calendar")
    office.rest()
    office.assert_it_still_writes()


def test_used_again_the_calendar_gives_back_the_times_that_google_shows(office: Office) -> None:
    """Failure 67: ten were moved in Google meanwhile; each appointment has its one event, and its time."""
    booked = [office.book(days=2 + number) for number in range(12)]
    backup = connect_and_back_up(office)
    before = {appointment.public_id: appointment.starts_at for appointment in booked}
    for appointment in booked[:10]:
        move_in_google(office, appointment, hours=2)
    office.rest()
    restore(backup)
    assert office.run() is Outcome.ASKED
    office.google.reset_requests()
    answer(office, "use-calendar")
    come_to_rest(office)
    assert len(office.app_calendars()) == 1
    rows = db.session.scalars(db.select(Appointment).order_by(Appointment.starts_at)).all()
    moved = {each.public_id for each in booked[:10]}
    for row in rows:
        hours = 2 if row.public_id in moved else 0
        assert row.starts_at == before[row.public_id] + dt.timedelta(hours=hours)
        assert starts_at(office.event_of(row)) == row.starts_at
    assert tagged(office.app_events()) == sorted(row.public_id for row in rows)
    assert office.connection.phase is ConnectionPhase.ACTIVE
    assert office.shown() == []


def test_used_again_an_appointment_moved_here_before_is_asked_about(office: Office) -> None:
    """What was moved here after the backup has a newer revision in Google: which side holds is asked."""
    appointment = office.book(days=4)
    backup = connect_and_back_up(office)
    before = appointment.starts_at
    office.move(appointment, hours=3)
    office.rest()
    restore(backup)
    office.run()
    answer(office, "use-calendar")
    assert office.run() is Outcome.ASKED
    (card,) = answers.open_cards(office.provider)
    assert card.detail["reason"] == "older-database"
    answers.answer(card, "take-over", actor=office.provider, now=office.clock())
    db.session.commit()
    come_to_rest(office)
    row = db.session.scalars(db.select(Appointment)).one()
    assert row.starts_at == before + dt.timedelta(hours=3)
    assert starts_at(office.event_of(row)) == row.starts_at


def test_left_it_stays_as_it_is_beside_a_new_one_and_is_never_read(office: Office) -> None:
    """Failure 67."""
    booked = [office.book(days=2 + number) for number in range(3)]
    backup = connect_and_back_up(office)
    old = office.app_calendar_id
    move_in_google(office, booked[0], hours=2)
    restore(backup)
    office.run()
    there = office.google.events(EMAIL, old)
    answer(office, "leave-calendar")
    come_to_rest(office)
    assert office.app_calendar_id != old
    assert len(office.app_calendars()) == 2
    assert office.google.events(EMAIL, old) == there
    assert tagged(office.app_events()) == sorted(
        row.public_id for row in db.session.scalars(db.select(Appointment))
    )
    assert office.shown() == []
    row = db.session.scalars(db.select(GoogleCalendar).filter_by(calendar_id=old)).one()
    assert (row.is_chosen, row.why_not) == (False, "app-calendar")
    (left,) = leftovers.left_behind(office.provider)
    (entry,) = [each for each in office.app_calendars() if each["id"] == old]
    assert entry["description"].endswith(left.mark)


def test_left_it_is_not_asked_about_again_after_starting_over(office: Office) -> None:
    office.book(days=2)
    restore(connect_and_back_up(office))
    office.run()
    answer(office, "leave-calendar")
    office.rest()
    switching.start_over(office.provider, now=office.clock())
    db.session.commit()
    office.rest()
    office.connect()
    office.rest()
    assert len(office.app_calendars()) == 2
    assert [each for each in answers.open_cards(office.provider) if each.needs_answer] == []


def test_two_of_them_are_asked_about_one_after_the_other(office: Office) -> None:
    office.book(days=2)
    backup = connect_and_back_up(office)
    restore(backup)
    office.run()
    answer(office, "leave-calendar")
    office.rest()
    restore(backup)
    office.google.reset_requests()
    assert office.run() is Outcome.ASKED
    answer(office, "leave-calendar")
    assert office.run() is Outcome.ASKED
    assert office.google.writes() == 0
    answer(office, "use-calendar")
    come_to_rest(office)
    assert len(office.app_calendars()) == 2
    assert len(leftovers.left_behind(office.provider)) == 1


def test_one_from_before_marks_told_the_installation_is_known_by_its_events(office: Office) -> None:
    office.book(days=2)
    backup = connect_and_back_up(office)
    nonce = office.connection.nonce
    office.google.change_calendar(EMAIL, office.app_calendar_id, description=f"lockstep:{nonce}")
    restore(backup)
    office.google.reset_requests()
    assert office.run() is Outcome.ASKED
    assert office.google.writes() == 0
    answer(office, "use-calendar")
    office.rest()
    office.assert_it_still_writes()


def test_that_of_another_installation_is_none_of_ours(office: Office) -> None:
    office.google.add_calendar(EMAIL, "Elsewhere", description=f"lockstep:{'a' * 32}/{'b' * 32}")
    office.google.add_calendar(EMAIL, "Elsewhere long ago", description=f"lockstep:{'c' * 32}")
    office.book(days=2)
    office.connect_and_rest()
    assert len(office.app_events()) == 1


def test_turned_off_while_asked_the_calendar_is_told_of(office: Office) -> None:
    office.book(days=2)
    restore(connect_and_back_up(office))
    office.run()
    switching.choose_mode(office.provider, SyncMode.OFF, now=office.clock())
    db.session.commit()
    office.rest()
    (left,) = leftovers.left_behind(office.provider)
    (entry,) = office.app_calendars()
    assert entry["description"].endswith(left.mark)


@pytest.mark.parametrize("choice", ["use-calendar", "leave-calendar"])
def test_deleted_in_google_while_asked_there_is_one_new_calendar(office: Office, choice: str) -> None:
    office.book(days=2)
    backup = connect_and_back_up(office)
    old = office.app_calendar_id
    restore(backup)
    office.run()
    office.google.delete_calendar(EMAIL, old)
    answer(office, choice)
    come_to_rest(office)
    assert len(office.app_calendars()) == 1
    assert len(office.app_events()) == 1
