"""Large changes are held and asked about: nothing vanishes because something else went wrong."""

from __future__ import annotations

import datetime as dt

import pytest
import sqlalchemy as sa

from portal.connection import answers
from portal.engine.connection_run import Outcome
from portal.extensions import db
from portal.models import Appointment, AppointmentHistory, AppointmentStatus, CardKind, ChangeCard
from tests.engine.conftest import EMAIL, Office
from tests.engine.test_pull import timed
from tests.engine.test_push import starts_at


def open_cards(office: Office) -> list[ChangeCard]:
    db.session.expire_all()
    return answers.open_cards(office.provider)


def forget(office: Office, event_id: str) -> None:
    """Deleted and gone from the bin: no list will ever name it again."""
    office.google.delete_event(EMAIL, "primary", event_id)
    office.google.act_on_event(EMAIL, "primary", event_id, "purge")


def answer(office: Office, choice: str) -> None:
    (card,) = open_cards(office)
    answers.answer(card, choice, actor=office.provider, now=office.clock())
    db.session.commit()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_calendar_that_comes_back_empty_keeps_its_events_until_somebody_says_so(office: Office) -> None:
    """Failure 12."""
    for hour in range(12):
        office.google.add_event(EMAIL, summary=f"Event {hour}", **timed(office, days=2, hour=8 + hour))
    office.connect_and_rest()
    for event in office.google.events(EMAIL):
        forget(office, event["id"])
    office.rest(full=True)
    assert len(office.shown()) == 12
    office.clock.advance(minutes=11)
    office.rest()
    assert len(office.shown()) == 12
    (card,) = open_cards(office)
    assert card.detail["reason"] == "calendar-empty"
    answer(office, "delete")
    office.rest()
    assert office.shown() == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_many_absences_in_a_calendar_that_still_has_events_go_after_a_second_pass(office: Office) -> None:
    for hour in range(14):
        office.google.add_event(EMAIL, summary=f"Event {hour}", **timed(office, days=2, hour=6 + hour))
    office.connect_and_rest()
    for event in office.google.events(EMAIL)[:12]:
        forget(office, event["id"])
    office.rest(full=True)
    assert len(office.shown()) == 14
    office.clock.advance(minutes=11)
    office.rest()
    assert len(office.shown()) == 2
    assert open_cards(office) == []


def test_more_than_five_deletions_in_one_pass_make_one_card_and_cancel_nothing(office: Office) -> None:
    booked = [office.book(days=2, hour=8 + hour) for hour in range(7)]
    office.connect_and_rest()
    for event in office.app_events():
        office.google.delete_event(EMAIL, office.app_calendar_id, event["id"])
    office.rest()
    (card,) = open_cards(office)
    assert card.kind is CardKind.GROUPED
    assert card.detail["appointments"] == sorted(appointment.id for appointment in booked)
    assert all(appointment.is_live for appointment in booked)
    assert office.google.writes() == 0
    answer(office, "put-back")
    office.rest()
    assert len(office.app_events()) == 7


@pytest.mark.parametrize(("choice", "hour"), [("take-over", 1), ("keep", 0)])
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_very_many_moves_in_one_pass_are_one_question(office: Office, choice: str, hour: int) -> None:
    booked = [office.book(days=2 + number, hour=10) for number in range(12)]
    originals = [appointment.starts_at for appointment in booked]
    office.connect_and_rest()
    for number, appointment in enumerate(booked):
        event = office.event_of(appointment)
        moved = timed(office, days=2 + number, hour=11, minutes=50)
        office.google.change_event(EMAIL, office.app_calendar_id, event["id"], **moved)
    office.rest()
    db.session.expire_all()
    assert [appointment.starts_at for appointment in booked] == originals
    assert office.google.writes() == 0
    answer(office, choice)
    office.rest()
    db.session.expire_all()
    expected = [original + dt.timedelta(hours=hour) for original in originals]
    assert [appointment.starts_at for appointment in booked] == expected
    assert [starts_at(office.event_of(appointment)) for appointment in booked] == expected


@pytest.mark.parametrize(("choice", "left"), [("delete", 0), ("keep", 11)])
def test_many_deletions_outward_that_no_history_explains_stop_and_ask(
    office: Office, choice: str, left: int
) -> None:
    """Failure 12, outward: a table put back wrongly must not empty the provider's calendar."""
    for number in range(11):
        office.book(days=2 + number)
    office.connect_and_rest()
    db.session.execute(
        sa.update(Appointment).values(status=AppointmentStatus.CANCELED, revision=Appointment.revision + 1)
    )
    db.session.commit()
    assert office.run() is Outcome.ASKED
    assert office.connection.problem == "question"
    assert len(office.app_events()) == 11
    assert office.google.writes() == 0
    answer(office, choice)
    office.rest()
    assert len(office.app_events()) == left


@pytest.mark.parametrize(("choice", "hours"), [("take-over", 2), ("keep", 0)])
def test_a_restored_backup_holds_its_writes_and_asks_which_side_holds(
    office: Office, choice: str, hours: int
) -> None:
    """Failure 53: this database is a day older than Google."""
    appointment = office.book(days=3)
    office.connect_and_rest()
    original, revision = appointment.starts_at, appointment.revision
    saved = db.session.execute(sa.select(Appointment.__table__)).mappings().one()
    link_table = db.metadata.tables["event_link"]
    link = db.session.execute(sa.select(link_table)).mappings().one()
    calendars = db.metadata.tables["google_calendar"]
    tokens = db.session.execute(sa.select(calendars.c.id, calendars.c.sync_token)).all()
    office.move(appointment, hours=2)
    office.rest()
    db.session.execute(sa.update(Appointment.__table__).values(**saved))
    db.session.execute(sa.update(link_table).values(**link))
    for calendar_id, token in tokens:
        db.session.execute(sa.update(calendars).where(calendars.c.id == calendar_id).values(sync_token=token))
    db.session.execute(sa.delete(AppointmentHistory).where(AppointmentHistory.revision > revision))
    db.session.commit()
    office.google.reset_requests()
    assert office.run() is Outcome.ASKED
    assert office.google.writes() == 0
    answer(office, choice)
    office.rest()
    db.session.expire_all()
    expected = original + dt.timedelta(hours=hours)
    assert appointment.starts_at == expected
    assert starts_at(office.event_of(appointment)) == expected


def test_an_event_of_an_appointment_unknown_here_is_kept_and_asked_about(office: Office) -> None:
    """Failure 53: never deleted, never imported as a stranger's."""
    appointment = office.book(days=3)
    office.connect_and_rest()
    event_id = office.event_of(appointment)["id"]
    for table in ("event_link", "appointment_history", "appointment"):
        db.session.execute(sa.delete(db.metadata.tables[table]))
    db.session.commit()
    office.rest(full=True)
    assert [event["id"] for event in office.app_events()] == [event_id]
    assert office.shown() == []
    assert office.google.writes() == 0
    answer(office, "delete")
    office.rest()
    assert office.app_events() == []


def test_the_quota_is_kept_by_pausing_not_by_refusals(office: Office) -> None:
    office.google.switch(quota=True)
    for number in range(40):
        office.book(days=2 + number, hour=10)
    office.connect()
    connection = office.connection
    connection.spent = [[office.clock().timestamp(), 560.0]]
    db.session.commit()
    assert office.run() is Outcome.PACED
    assert office.connection.retry_at is not None
    assert office.connection.problem is None
    office.clock.advance(seconds=61)
    office.rest()
    assert len(office.app_events()) == 40
    assert "403" not in office.google.requests()["counters"]["by_status"]
