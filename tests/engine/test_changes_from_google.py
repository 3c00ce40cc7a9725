"""What is done in Google to our own events: moves are followed, deletions asked about, the rest mended."""

from __future__ import annotations

from portal.engine.connection_run import Outcome
from portal.extensions import db
from portal.models import AppointmentHistory, AppointmentStatus, CardKind, ChangeCard
from portal.practice import appointments, clients
from tests.engine.conftest import EMAIL, Office
from tests.engine.test_pull import timed
from tests.engine.test_push import starts_at


def cards() -> list[ChangeCard]:
    db.session.expire_all()
    return list(db.session.scalars(db.select(ChangeCard)))


def test_a_safe_move_in_google_is_taken_over_with_history_and_a_card(office: Office) -> None:
    appointment = office.book(days=3)
    office.connect_and_rest()
    event = office.event_of(appointment)
    office.google.change_event(
        EMAIL, office.app_calendar_id, event["id"], **timed(office, days=4, hour=15, minutes=45)
    )
    office.rest()
    db.session.expire_all()
    assert appointment.starts_at == starts_at(office.event_of(appointment))
    assert appointment.duration_minutes == 45
    history = db.session.scalars(db.select(AppointmentHistory).order_by(AppointmentHistory.id.desc())).first()
    assert history is not None
    assert history.source == "google"
    (card,) = cards()
    assert (card.kind, card.needs_answer) == (CardKind.MOVED, False)
    assert office.google.writes() == 0
    office.assert_it_still_writes()


def test_a_completed_appointment_that_is_moved_in_google_is_put_back(office: Office) -> None:
    appointment = office.book(days=3)
    appointment.status = AppointmentStatus.COMPLETED
    db.session.commit()
    office.connect_and_rest()
    original = appointment.starts_at
    event = office.event_of(appointment)
    office.google.change_event(EMAIL, office.app_calendar_id, event["id"], **timed(office, days=4))
    office.rest()
    assert starts_at(office.event_of(appointment)) == original
    (card,) = cards()
    assert card.kind is CardKind.MOVED


def test_a_deletion_in_google_leaves_the_appointment_and_asks(office: Office) -> None:
    appointment = office.book(days=3)
    office.connect_and_rest()
    event = office.event_of(appointment)
    office.google.delete_event(EMAIL, office.app_calendar_id, event["id"])
    office.rest()
    office.rest(full=True)
    db.session.expire_all()
    assert appointment.is_live
    (card,) = cards()
    assert (card.kind, card.needs_answer, card.closed_at) == (CardKind.DELETED, True, None)
    assert office.google.writes() == 0
    assert office.app_events() == []
    office.assert_it_still_writes()


def test_a_deleted_event_whose_appointment_is_moved_here_goes_back(office: Office) -> None:
    """Failure 19: a change of time here beats a deletion there."""
    appointment = office.book(days=3)
    office.connect_and_rest()
    office.google.delete_event(EMAIL, office.app_calendar_id, office.event_of(appointment)["id"])
    office.rest()
    office.move(appointment, hours=1)
    office.rest()
    assert starts_at(office.event_of(appointment)) == appointment.starts_at
    assert cards()[0].closed_at is not None


def test_a_deleted_event_whose_appointment_was_completed_here_goes_back(office: Office) -> None:
    """Failure 19: a change of status here beats a deletion there; a new title does not."""
    appointment = office.book(days=3)
    office.connect_and_rest()
    office.google.delete_event(EMAIL, office.app_calendar_id, office.event_of(appointment)["id"])
    office.rest()
    appointment.revision += 1  # as a change of display does
    db.session.commit()
    office.rest()
    assert office.app_events() == []
    appointments.mark_completed(appointment, now=office.clock(), actor=office.provider, source="web")
    db.session.commit()
    office.rest()
    assert starts_at(office.event_of(appointment)) == appointment.starts_at
    assert cards()[0].outcome == "changed-here"


def test_a_deleted_event_restored_from_the_bin_is_adopted_and_its_card_closes(office: Office) -> None:
    appointment = office.book(days=3)
    office.connect_and_rest()
    event = office.event_of(appointment)
    office.google.delete_event(EMAIL, office.app_calendar_id, event["id"])
    office.rest()
    office.google.act_on_event(EMAIL, office.app_calendar_id, event["id"], "restore")
    office.rest()
    assert office.event_of(appointment)["id"] == event["id"]
    assert cards()[0].outcome == "restored-in-google"


def test_notes_colour_and_guests_added_in_google_are_left_alone(office: Office) -> None:
    """Failure 22."""
    appointment = office.book(days=3)
    office.connect_and_rest()
    event = office.event_of(appointment)
    office.google.change_event(
        EMAIL, office.app_calendar_id, event["id"], description="Bring the form", colorId="5"
    )
    office.rest()
    assert office.google.writes() == 0
    office.move(appointment, hours=1)
    office.rest()
    event = office.event_of(appointment)
    assert (event["description"], event["colorId"]) == ("Bring the form", "5")
    assert cards() == []
    office.assert_it_still_writes()


def test_our_event_made_recurring_in_google_becomes_single_again(office: Office) -> None:
    appointment = office.book(days=3)
    office.connect_and_rest()
    event = office.event_of(appointment)
    office.google.change_event(
        EMAIL, office.app_calendar_id, event["id"], recurrence=["RRULE:FREQ=WEEKLY;COUNT=4"]
    )
    office.rest()
    assert not office.event_of(appointment).get("recurrence")
    assert cards()[0].kind is CardKind.EDITED


def test_both_sides_moved_at_once_ends_with_ours_and_a_card(office: Office) -> None:
    """Failure 21: If-Match refuses the blind write, and the conflict is settled at once."""
    appointment = office.book(days=3)
    office.connect_and_rest()
    event = office.event_of(appointment)
    office.google.change_event(EMAIL, office.app_calendar_id, event["id"], **timed(office, days=5))
    office.move(appointment, hours=2)
    office.rest()
    db.session.expire_all()
    assert starts_at(office.event_of(appointment)) == appointment.starts_at
    (card,) = cards()
    assert card.kind is CardKind.MOVED


def test_a_clients_rename_is_not_seen_outside_under_internal_ids(office: Office) -> None:
    office.book(days=3)
    office.connect_and_rest()
    clients.rename(office.client, "Canary Nightjar", now=office.clock())
    db.session.commit()
    office.rest()
    assert office.google.writes() == 0
    office.assert_it_still_writes()


def test_a_deletion_before_the_first_whole_list_has_ended_is_asked_about_all_the_same(office: Office) -> None:
    """A whole list names no tombstones: what it left out is looked up when it is no longer fresh."""
    booked = [office.book(days=3), office.book(days=4)]
    office.connect()
    assert office.run(seconds=0) is Outcome.MORE
    office.google.delete_event(EMAIL, office.app_calendar_id, office.event_of(booked[0])["id"])
    office.rest()
    office.clock.advance(minutes=6)
    office.rest()
    (card,) = cards()
    assert (card.kind, card.appointment_id, card.needs_answer) == (CardKind.DELETED, booked[0].id, True)
    office.google.reset_requests()
    office.clock.advance(minutes=6)
    office.rest()
    looked_up = office.google.requests(method="calendar.events.get")["requests"]
    assert looked_up == [], "what was looked up once is not looked up for ever"
    assert office.google.writes() == 0
    office.assert_it_still_writes()
