"""The verbs of an appointment: what they allow, what goes out again, what history keeps."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest

from portal.errors import InvalidInput, Refused, StaleRevision
from portal.extensions import db
from portal.models import Appointment, AppointmentHistory, AppointmentKind, AppointmentStatus
from portal.practice import appointments, clients, spans
from portal.practice.spans import AllDay, Timed
from tests.office import MONDAY, NOW, VERB, ZONE, Office, at

LATER = NOW + dt.timedelta(minutes=5)


def history(appointment: Appointment) -> list[AppointmentHistory]:
    query = db.select(AppointmentHistory).where(AppointmentHistory.appointment_id == appointment.id)
    return list(db.session.scalars(query.order_by(AppointmentHistory.id)))


def test_booking_derives_the_instants_from_the_local_time(office: Office) -> None:
    booked = office.book(at(2, "09:00"))
    assert booked.starts_at == dt.datetime(2026, 11, 18, 15, tzinfo=dt.UTC)
    assert booked.ends_at - booked.starts_at == dt.timedelta(minutes=50)
    assert (booked.revision, booked.status) == (1, AppointmentStatus.SCHEDULED)


def test_an_appointment_across_a_clock_change_keeps_its_length(office: Office) -> None:
    night = Timed(dt.date(2026, 11, 1), dt.time(0, 30), ZONE, 120)
    booked = office.book(night)
    assert booked.ends_at - booked.starts_at == dt.timedelta(hours=2)
    assert Timed.from_instants(booked.starts_at, booked.ends_at, ZONE) == night


def test_an_all_day_entry_lies_between_the_midnights_of_its_zone(office: Office) -> None:
    days = AllDay(dt.date(2026, 3, 8), dt.date(2026, 3, 9), ZONE)  # 23 hours long
    booked = office.book(days, title="Notes day")
    assert booked.ends_at - booked.starts_at == dt.timedelta(hours=23)
    assert spans.when_of(booked) == days


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"client": None}, "client"),
        ({"kind": AppointmentKind.OTHER, "title": " "}, "title"),
        ({"when": at(2, "09:00", minutes=0)}, "duration"),
        ({"when": at(2, "09:00", minutes=1441)}, "duration"),
        ({"when": AllDay(MONDAY, MONDAY + dt.timedelta(days=1), ZONE)}, "all_day"),
        ({"when": Timed(dt.date(2199, 1, 1), dt.time(9), ZONE, 50)}, "date"),
        ({"location": "x" * 201}, "location"),
    ],
)
def test_what_cannot_be_booked_is_refused_with_the_field(
    office: Office, changes: dict[str, Any], field: str
) -> None:
    details = replace(office.details(at(2, "09:00")), **changes)
    with pytest.raises(InvalidInput) as caught:
        appointments.book(office.provider, details, actor=None, **VERB)
    assert set(caught.value.problems) == {field}


def test_nobody_books_another_providers_client(office: Office) -> None:
    theirs = clients.add_client(office.other, "Somebody Else", now=NOW)
    with pytest.raises(InvalidInput):
        office.book(client=theirs)


def test_an_archived_client_keeps_appointments_but_gets_no_new_ones(office: Office) -> None:
    booked = office.book()
    clients.archive(office.client, now=NOW)
    with pytest.raises(InvalidInput):
        office.book(at(3, "09:00"))
    moved = office.details(at(3, "09:00"))
    appointments.change(booked, moved, revision=1, actor=office.provider, **VERB)
    assert booked.start_date == MONDAY + dt.timedelta(days=3)


def test_a_change_of_what_goes_out_raises_the_revision(office: Office) -> None:
    booked = office.book()
    appointments.reschedule(booked, at(2, "10:00"), actor=office.provider, **VERB)
    assert booked.revision == 2


def test_a_location_stays_here_so_the_revision_stays(office: Office) -> None:
    booked = office.book()
    details = office.details(at(2, "09:00"), location="Maple Room")
    appointments.change(booked, details, revision=1, actor=office.provider, **VERB)
    assert (booked.location, booked.revision) == ("Maple Room", 1)


def test_every_new_status_is_a_new_revision_for_a_card_may_wait_for_it(office: Office) -> None:
    booked = office.book()
    appointments.mark_completed(booked, actor=office.provider, **VERB)
    assert (booked.revision, booked.is_live) == (2, True)
    appointments.reinstate(booked, actor=office.provider, **VERB)
    appointments.cancel(booked, late=True, reason=" ill ", actor=office.provider, **VERB)
    assert (booked.revision, booked.status) == (4, AppointmentStatus.LATE_CANCELED)
    assert (booked.status_reason, booked.is_live) == ("ill", False)


def test_reinstating_brings_it_back_outside(office: Office) -> None:
    booked = office.book()
    appointments.mark_no_show(booked, actor=office.provider, **VERB)
    appointments.reinstate(booked, actor=office.provider, **VERB)
    assert (booked.status, booked.status_reason, booked.revision) == (AppointmentStatus.SCHEDULED, None, 3)


def test_reinstating_an_archived_one_keeps_what_it_was(office: Office) -> None:
    booked = office.book()
    appointments.cancel(booked, late=False, reason="", actor=office.provider, **VERB)
    appointments.archive(booked, actor=office.provider, **VERB)
    appointments.reinstate(booked, actor=office.provider, **VERB)
    assert (booked.archived_at, booked.status) == (None, AppointmentStatus.CANCELED)


def test_a_form_from_an_older_revision_saves_nothing(office: Office) -> None:
    booked = office.book()
    appointments.reschedule(booked, at(2, "10:00"), actor=None, now=LATER, source="google")
    with pytest.raises(StaleRevision):
        appointments.change(booked, office.details(at(2, "11:00")), revision=1, actor=office.provider, **VERB)
    assert booked.start_time == dt.time(10)


@pytest.mark.parametrize("verb", [appointments.mark_no_show, appointments.mark_completed])
def test_only_a_scheduled_one_can_take_place_or_be_missed(office: Office, verb: Any) -> None:
    booked = office.book()
    appointments.cancel(booked, late=False, reason="", actor=office.provider, **VERB)
    with pytest.raises(Refused, match="not-scheduled"):
        verb(booked, actor=office.provider, **VERB)


def test_an_archived_one_is_left_alone(office: Office) -> None:
    booked = office.book()
    appointments.archive(booked, actor=office.provider, **VERB)
    with pytest.raises(Refused, match="archived"):
        appointments.reschedule(booked, at(2, "10:00"), actor=office.provider, **VERB)
    with pytest.raises(Refused, match="archived"):
        appointments.archive(booked, actor=office.provider, **VERB)


def test_history_tells_who_when_and_the_times_before_and_after(office: Office) -> None:
    booked = office.book()
    appointments.reschedule(booked, at(3, "10:30"), now=LATER, actor=None, source="google")
    line = history(booked)[-1]
    assert (line.verb, line.source, line.provider_id, line.at) == ("rescheduled", "google", None, LATER)
    assert line.before == {"start_date": "2026-11-18", "start_time": "09:00"}
    assert line.after == {"start_date": "2026-11-19", "start_time": "10:30"}


def test_history_holds_no_title_no_place_and_no_name(office: Office) -> None:
    booked = office.book(title="Canary title", location="Canary place")
    details = office.details(at(2, "09:00"), title="Canary two", location="Canary three")
    appointments.change(booked, details, revision=1, actor=office.provider, **VERB)
    told = str([(line.before, line.after) for line in history(booked)])
    assert "Canary" not in told
    assert history(booked)[-1].after["title"] is True


def test_nothing_changed_is_no_history(office: Office) -> None:
    booked = office.book()
    appointments.change(booked, office.details(at(2, "09:00")), revision=1, actor=office.provider, **VERB)
    assert [line.verb for line in history(booked)] == ["booked"]


def test_what_goes_out_marks_the_providers_connection(office: Office) -> None:
    connection = office.connection()
    before = connection.requested
    booked = office.book()
    appointments.mark_completed(booked, actor=office.provider, **VERB)
    db.session.refresh(connection)
    assert connection.requested == before + 2
