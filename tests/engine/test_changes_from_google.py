"""What is done in Google to our own events: moves are followed, deletions asked about, the rest mended."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from portal.connection import answers
from portal.engine.connection_run import Outcome
from portal.extensions import db
from portal.models import AppointmentHistory, AppointmentStatus, CardKind, ChangeCard, EventLink
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
    (card,) = cards()
    assert (card.needs_answer, card.closed_at, card.detail["reason"]) == (False, None, "changed-here")
    assert answers.choices(card, now=office.clock()) == ("put-away",)


def test_each_of_many_deleted_events_that_goes_back_has_a_card_of_its_own(office: Office) -> None:
    """Failure 19: asked about in a group, told one by one."""
    booked = [office.book(days=3 + number) for number in range(6)]
    office.connect_and_rest()
    for appointment in booked:
        office.google.delete_event(EMAIL, office.app_calendar_id, office.event_of(appointment)["id"])
    office.rest()
    office.move(booked[0], hours=1)
    office.rest()
    told = [card for card in cards() if card.closed_at is None]
    assert [(card.kind, card.needs_answer, card.appointment_id) for card in told] == [
        (CardKind.GROUPED, True, None),
        (CardKind.DELETED, False, booked[0].id),
    ]
    assert booked[0].id not in told[0].detail["appointments"]


def test_one_deleted_again_after_it_came_back_asks_anew(office: Office) -> None:
    appointment = office.book(days=3)
    office.connect_and_rest()
    for _ in range(2):
        office.google.delete_event(EMAIL, office.app_calendar_id, office.event_of(appointment)["id"])
        office.rest()
        office.move(appointment, hours=1)
        office.rest()
    office.google.delete_event(EMAIL, office.app_calendar_id, office.event_of(appointment)["id"])
    office.rest()
    assert [card.needs_answer for card in cards()] == [False, False, True]


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
    assert [(card.needs_answer, card.detail["reason"]) for card in cards()] == [(False, "changed-here")]


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


def test_a_refused_move_leaves_the_undo_of_an_accepted_one(office: Office) -> None:
    appointment = office.book(days=3)
    office.connect_and_rest()
    original, event_id = appointment.starts_at, office.event_of(appointment)["id"]
    office.google.change_event(EMAIL, office.app_calendar_id, event_id, **timed(office, days=4))
    office.rest()
    office.google.change_event(EMAIL, office.app_calendar_id, event_id, **timed(office, days=-1))
    office.rest()
    accepted, refused = cards()
    assert answers.choices(accepted, now=office.clock()) == ("undo", "keep")
    assert (refused.kind, refused.detail["why"]) == (CardKind.MOVED, "moved-to-past")
    answers.answer(accepted, "undo", actor=office.provider, now=office.clock())
    db.session.commit()
    office.rest()
    assert starts_at(office.event_of(appointment)) == original
    assert refused.closed_at is None


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"days": -2}, "moved-to-past"),
        ({"minutes": 2}, "too-short"),
        ({"minutes": 1500}, "too-long"),
        ({"all_day": True}, "made-all-day"),
        ({"recurrence": ["RRULE:FREQ=DAILY;COUNT=2"]}, "made-recurring"),
    ],
)
def test_a_change_that_cannot_follow_says_the_true_cause(
    office: Office, fields: dict[str, Any], why: str
) -> None:
    appointment = office.book(days=3)
    office.connect_and_rest()
    original, event_id = appointment.starts_at, office.event_of(appointment)["id"]
    day = (office.clock() + dt.timedelta(days=4)).date()
    if "all_day" in fields:
        dates = {"date": f"{day}", "dateTime": None, "timeZone": None}
        end = {**dates, "date": f"{day + dt.timedelta(days=1)}"}
        fields = {"start": dates, "end": end}
    elif "recurrence" not in fields:
        fields = timed(office, **{"days": 4, **fields})
    office.google.change_event(EMAIL, office.app_calendar_id, event_id, **fields)
    office.rest()
    (card,) = cards()
    assert card.detail["why"] == why
    assert starts_at(office.event_of(appointment)) == original


TAG = ("lockstepInstallation", "lockstepAppointment", "lockstepEvent", "r", "h")


@pytest.mark.parametrize("name", [*TAG, "all of them"])
@pytest.mark.parametrize("value", [None, "0"], ids=["removed", "changed"])
def test_our_private_properties_are_written_back_without_a_card(
    office: Office, name: str, value: str | None
) -> None:
    """They are ours like the title: an event without them is a stranger once its link is lost."""
    appointment = office.book(days=3)
    office.connect_and_rest()
    event = office.event_of(appointment)
    names = TAG if name == "all of them" else (name,)
    spoilt = {"private": dict.fromkeys(names, value)}
    office.google.change_event(EMAIL, office.app_calendar_id, event["id"], extendedProperties=spoilt)
    office.rest()
    assert office.event_of(appointment)["extendedProperties"] == event["extendedProperties"]
    assert office.google.writes() == 1
    assert cards() == []
    office.rest(full=True)
    assert office.google.writes() == 1


def test_a_full_pass_writes_back_a_tag_whose_loss_was_believed_once(office: Office) -> None:
    appointment = office.book(days=3)
    office.connect_and_rest()
    event = office.event_of(appointment)
    spoilt = {"private": dict.fromkeys(TAG)}
    changed = office.google.change_event(
        EMAIL, office.app_calendar_id, event["id"], extendedProperties=spoilt
    )
    link = db.session.scalars(db.select(EventLink)).one()
    link.etag = changed["etag"]  # as an earlier version took it
    db.session.commit()
    office.rest(full=True)
    assert office.event_of(appointment)["extendedProperties"] == event["extendedProperties"]


def test_a_move_in_google_that_takes_our_properties_along_is_followed_and_they_come_back(
    office: Office,
) -> None:
    appointment = office.book(days=3)
    office.connect_and_rest()
    event_id = office.event_of(appointment)["id"]
    spoilt = {"private": dict.fromkeys(TAG)}
    moved = timed(office, days=4, minutes=50)
    office.google.change_event(EMAIL, office.app_calendar_id, event_id, extendedProperties=spoilt, **moved)
    office.rest()
    event = office.event_of(appointment)
    assert starts_at(event) == appointment.starts_at == dt.datetime.fromisoformat(moved["start"]["dateTime"])
    assert [card.detail["taken_over"] for card in cards()] == [True]


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
