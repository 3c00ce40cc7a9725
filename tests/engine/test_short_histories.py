"""What tests/explorer found in the shell around the core, with the real engine and the sandbox's Google."""

from __future__ import annotations

import datetime as dt

import pytest

from portal.engine.connection_run import Outcome
from portal.extensions import db
from portal.models import Appointment, CardKind, ChangeCard, EventLink, LinkState
from portal.practice import appointments
from tests.engine.conftest import EMAIL, Office
from tests.engine.test_pull import timed
from tests.engine.test_push import starts_at

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def open_cards() -> list[ChangeCard]:
    db.session.expire_all()
    return list(db.session.scalars(db.select(ChangeCard).where(ChangeCard.closed_at.is_(None))))


def move_there(office: Office, event_id: str, *, days: int, hour: int = 15) -> dt.datetime:
    moved = timed(office, days=days, hour=hour, minutes=50)
    office.google.change_event(EMAIL, office.app_calendar_id, event_id, **moved)
    return dt.datetime.fromisoformat(moved["start"]["dateTime"])


def booked(office: Office) -> tuple[Appointment, str]:
    """An appointment in step, and its event."""
    appointment = office.book(days=3)
    office.connect_and_rest()
    return appointment, office.event_of(appointment)["id"]


@pytest.mark.parametrize("is_moved_first", [True, False])
def test_an_event_that_was_moved_and_is_back_from_the_bin_is_followed(
    office: Office, is_moved_first: bool
) -> None:
    """It was taken back at its old time, and the move was gone without a word."""
    appointment, event_id = booked(office)
    if is_moved_first:
        moved = move_there(office, event_id, days=5)
    office.google.delete_event(EMAIL, office.app_calendar_id, event_id)
    office.rest()
    office.google.act_on_event(EMAIL, office.app_calendar_id, event_id, "restore")
    if not is_moved_first:
        moved = move_there(office, event_id, days=5)
    office.rest()
    (card,) = open_cards()
    assert (card.kind, card.detail["taken_over"]) == (CardKind.MOVED, True)
    assert appointment.starts_at == moved == starts_at(office.event_of(appointment))
    assert office.google.writes() == 0
    office.assert_it_still_writes()


def test_after_both_sides_were_moved_to_the_same_time_a_move_there_is_followed(office: Office) -> None:
    """It was refused, as if the appointment had been changed here since the last agreement."""
    appointment, event_id = booked(office)
    office.move(appointment, hours=24)
    move_there(office, event_id, days=4, hour=10)
    assert starts_at(office.event_of(appointment)) == appointment.starts_at
    office.rest()
    assert open_cards() == []
    moved = move_there(office, event_id, days=6)
    office.rest()
    (card,) = open_cards()
    assert card.detail.get("taken_over") is True
    assert appointment.starts_at == moved


@pytest.mark.parametrize("is_moved_here", [False, True])
def test_a_move_there_of_one_that_is_archived_and_reinstated_before_its_event_went_is_told(
    office: Office, is_moved_here: bool
) -> None:
    """Read while it was archived, it was written over in silence after the reinstatement."""
    appointment, event_id = booked(office)
    begins = appointment.starts_at
    hold_back(office)
    appointments.archive(appointment, now=office.clock(), actor=office.provider, source="web")
    db.session.commit()
    moved = move_there(office, event_id, days=5)
    office.rest()
    assert open_cards() == []
    office.reinstate(appointment)
    if is_moved_here:
        office.move(appointment, hours=2)
    office.clock.advance(minutes=16)
    office.rest()
    (card,) = open_cards()
    assert (card.kind, bool(card.detail.get("taken_over"))) == (CardKind.MOVED, not is_moved_here)
    assert appointment.starts_at == (begins + dt.timedelta(hours=2) if is_moved_here else moved)
    assert starts_at(office.event_of(appointment)) == appointment.starts_at


def hold_back(office: Office) -> None:
    """As after a refused write: what changes here waits a while before it goes out."""
    link = db.session.scalars(db.select(EventLink)).one()
    link.retry_at = office.clock() + dt.timedelta(minutes=10)
    db.session.commit()


def test_a_question_about_a_deletion_ends_when_its_event_is_back_though_the_answer_was_lost(
    office: Office,
) -> None:
    """Put back since it was moved here; the second try met a taken id, and the card went on asking."""
    appointment, event_id = booked(office)
    office.google.delete_event(EMAIL, office.app_calendar_id, event_id)
    office.rest()
    office.move(appointment, hours=1)
    office.google.add_fault("lost_answer", method="calendar.events.*", times=1)
    office.connection.next_check_at = office.clock() + dt.timedelta(hours=1)
    db.session.commit()
    assert office.run_without_a_look(seconds=0) is Outcome.FAILED
    office.clock.advance(minutes=1)
    office.rest()
    assert starts_at(office.event_of(appointment)) == appointment.starts_at
    assert db.session.scalars(db.select(EventLink)).one().state is LinkState.LIVE
    assert [card for card in open_cards() if card.needs_answer] == []


def test_our_own_insert_that_nobody_here_knew_of_is_no_return_from_the_bin(office: Office) -> None:
    """Its answer was lost and Google did not show it at once; meanwhile the appointment was archived."""
    booked(office)
    late = office.book(days=8)
    office.google.add_fault("lost_answer", method="calendar.events.insert", times=1)
    office.run_without_a_look(seconds=0)
    assert office.event_of(late)
    office.clock.advance(minutes=1)
    office.google.add_fault("not_found", method="calendar.events.get", times=1)
    office.run_without_a_look(seconds=0)
    link = db.session.scalars(db.select(EventLink).filter_by(appointment_id=late.id)).one()
    assert (link.state, link.revision, link.retry_at is not None) == (LinkState.GONE, 0, True)
    appointments.archive(late, now=office.clock(), actor=office.provider, source="web")
    db.session.commit()
    office.clock.advance(minutes=16)
    office.rest()
    assert len(office.app_events()) == 1
    assert db.session.scalars(db.select(ChangeCard)).all() == []


def test_an_appointment_whose_first_write_is_refused_waits_and_is_counted(office: Office) -> None:
    """The run crashed: its row was new, and had no number of tries to add to."""
    booked(office)
    refused = office.book(days=8)
    office.google.add_fault("duplicate", method="calendar.events.insert", times=1)
    assert office.run() is Outcome.DONE
    link = db.session.scalars(db.select(EventLink).filter_by(appointment_id=refused.id)).one()
    assert (link.state, link.tries) == (LinkState.GONE, 1)
    office.clock.advance(minutes=16)
    office.rest()
    assert starts_at(office.event_of(refused)) == refused.starts_at


def test_what_was_moved_there_just_before_our_delete_goes_in_the_version_seen_last(office: Office) -> None:
    """A list that lagged behind the delete alone showed a version never seen here, as if it had come back."""
    appointment, event_id = booked(office)
    appointments.archive(appointment, now=office.clock(), actor=office.provider, source="web")
    db.session.commit()
    move_there(office, event_id, days=5)
    last_seen = dt.datetime.fromisoformat(office.event_of(appointment)["updated"])
    assert office.run_without_a_look() is Outcome.DONE
    assert office.app_events() == []
    link = db.session.scalars(db.select(EventLink)).one()
    assert (link.state, link.remote_updated) == (LinkState.GONE, last_seen)
