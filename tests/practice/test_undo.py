"""Taking changes back: everything is as before, through verbs that leave their history."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
import sqlalchemy as sa

from portal.errors import Refused
from portal.extensions import db
from portal.models import Appointment, AppointmentHistory, AppointmentStatus, SeriesFrequency, UndoStep
from portal.practice import appointments, clients, series, undo
from portal.practice.series import Rule, Scope
from portal.practice.spans import AllDay, Timed
from portal.practice.undo import Memory
from tests.office import NOW, VERB, ZONE, Office, at

LATER = NOW + dt.timedelta(minutes=9)
NEXT_WEEK = Timed(dt.date(2026, 11, 25), dt.time(9), ZONE, 50)
IGNORED = ("revision", "updated_at")


def verb(office: Office) -> dict[str, Any]:
    return {**VERB, "actor": office.provider}


def rows() -> list[dict[str, Any]]:
    """Every appointment as it is stored, but for its stamps."""
    db.session.flush()
    db.session.expire_all()
    found = db.session.execute(sa.select(Appointment.__table__).order_by(Appointment.id)).mappings()
    return [{name: value for name, value in row.items() if name not in IGNORED} for row in found]


def keep(office: Office, memory: Memory, **values: Any) -> UndoStep:
    step = memory.keep(office.provider, "Done.", now=NOW, **values)
    db.session.flush()
    return step


def take_back(office: Office, step: UndoStep, now: dt.datetime = LATER) -> None:
    undo.take_back(step, now=now, actor=office.provider)
    db.session.flush()


def book_weekly(office: Office, weeks: int = 6) -> Appointment:
    rule = Rule(SeriesFrequency.WEEKLY, occurrences=weeks)
    return series.book_series(office.provider, office.details(NEXT_WEEK), rule, **verb(office))


@pytest.mark.parametrize(
    "change",
    [
        lambda row, v: appointments.reschedule(row, at(4, "16:00", minutes=80), **v),
        lambda row, v: appointments.cancel(row, late=True, reason="ill", **v),
        lambda row, v: appointments.mark_no_show(row, **v),
        lambda row, v: appointments.mark_completed(row, **v),
        lambda row, v: appointments.archive(row, **v),
    ],
    ids=["moved", "canceled", "no-show", "completed", "archived"],
)
def test_a_change_taken_back_leaves_the_row_as_it_was(office: Office, change: Any) -> None:
    booked = office.book()
    before, memory = rows(), Memory([booked])
    change(booked, verb(office))
    step = keep(office, memory)
    assert rows() != before
    take_back(office, step)
    assert rows() == before


def test_a_reinstated_appointment_gets_its_status_and_reason_again(office: Office) -> None:
    booked = office.book()
    appointments.cancel(booked, late=True, reason="ill", **verb(office))
    before, memory = rows(), Memory([booked])
    appointments.reinstate(booked, **verb(office))
    take_back(office, keep(office, memory))
    assert rows() == before
    assert booked.status is AppointmentStatus.LATE_CANCELED


def test_all_of_an_events_texts_come_back(office: Office) -> None:
    booked = office.book(AllDay(dt.date(2026, 11, 18), dt.date(2026, 11, 20), ZONE), title="Training")
    before, memory = rows(), Memory([booked])
    changed = office.details(at(2, "09:00"), title="Other", location="Video", is_free=True)
    appointments.change(booked, changed, revision=booked.revision, **verb(office))
    take_back(office, keep(office, memory))
    assert rows() == before


def test_one_change_after_another_is_taken_back(office: Office) -> None:
    booked = office.book()
    before, first_memory = rows(), Memory([booked])
    appointments.reschedule(booked, at(4, "16:00"), **verb(office))
    first = keep(office, first_memory)
    second_memory = Memory([booked])
    later = {**verb(office), "now": NOW + dt.timedelta(minutes=1)}
    appointments.mark_no_show(booked, **later)
    take_back(office, keep(office, second_memory))
    assert undo.offered(office.provider, now=LATER) is first
    take_back(office, first, NOW + dt.timedelta(minutes=9, seconds=30))
    assert rows() == before


def test_a_booking_taken_back_is_archived_and_its_series_ends(office: Office) -> None:
    first = book_weekly(office)
    made = series.instances(first)
    take_back(office, keep(office, Memory(), made=made))
    assert len(made) == 6
    assert all(row.archived_at for row in made)
    assert first.series is not None
    assert first.series.until == first.series.start_date


@pytest.mark.parametrize("scope", [Scope.FOLLOWING, Scope.ALL])
def test_a_canceled_series_goes_on_as_before(office: Office, scope: Scope) -> None:
    first = book_weekly(office)
    third = series.instances(first)[2]
    before, memory = rows(), Memory(series.affected(third, scope, now=NOW))
    series.cancel(third, scope, late=False, reason="", **verb(office))
    take_back(office, keep(office, memory))
    assert rows() == before
    assert first.series is not None
    assert (first.series.until, first.series.occurrences) == (None, 6)


@pytest.mark.parametrize("scope", [Scope.FOLLOWING, Scope.ALL])
@pytest.mark.parametrize("days", [-1, 7])
def test_a_series_moved_to_another_day_moves_back(office: Office, scope: Scope, days: int) -> None:
    third = series.instances(book_weekly(office))[2]
    before, memory = rows(), Memory(series.affected(third, scope, now=NOW))
    moved = Timed(third.start_date + dt.timedelta(days=days), dt.time(14), ZONE, 50)
    series.change(third, office.details(moved), scope, revision=third.revision, **verb(office))
    take_back(office, keep(office, memory))
    assert rows() == before


def test_a_single_appointment_that_was_made_to_repeat_is_single_again(office: Office) -> None:
    booked = office.book(NEXT_WEEK)
    before, memory = rows(), Memory([booked])
    series.repeat(booked, Rule(SeriesFrequency.WEEKLY, occurrences=3), **verb(office))
    made = [row for row in series.instances(booked) if row is not booked]
    take_back(office, keep(office, memory, made=made))
    assert rows()[:1] == before
    assert all(row["archived_at"] for row in rows()[1:])


def test_history_tells_of_the_change_and_of_taking_it_back(office: Office) -> None:
    booked = office.book()
    memory = Memory([booked])
    appointments.reschedule(booked, at(4, "16:00"), **verb(office))
    take_back(office, keep(office, memory))
    verbs = db.session.scalars(sa.select(AppointmentHistory.verb).order_by(AppointmentHistory.id)).all()
    assert verbs == ["booked", "rescheduled", "undone"]


def test_what_goes_out_rises_with_taking_back(office: Office) -> None:
    booked = office.book()
    memory = Memory([booked])
    appointments.reschedule(booked, at(4, "16:00"), **verb(office))
    step = keep(office, memory)
    moved = booked.revision
    take_back(office, step)
    assert booked.revision == moved + 1


def test_nothing_is_taken_back_from_what_was_changed_again(office: Office) -> None:
    booked = office.book()
    memory = Memory([booked])
    appointments.mark_no_show(booked, **verb(office))
    step = keep(office, memory)
    appointments.reinstate(booked, now=LATER, actor=office.provider, source="web")
    with pytest.raises(Refused, match="changed-since"):
        take_back(office, step)


def test_after_ten_minutes_it_is_neither_offered_nor_possible(office: Office) -> None:
    booked = office.book()
    memory = Memory([booked])
    appointments.mark_no_show(booked, **verb(office))
    step = keep(office, memory)
    too_late = NOW + undo.KEPT
    assert undo.offered(office.provider, now=LATER) is step
    assert undo.offered(office.provider, now=too_late) is None
    with pytest.raises(Refused, match="too-late"):
        take_back(office, step, now=too_late)
    undo.forget_all_old(now=too_late)
    assert db.session.scalars(sa.select(UndoStep)).all() == []


def test_what_stood_before_is_not_readable_in_the_database(office: Office) -> None:
    booked = office.book(at(2, "09:00"), title="Call about Rosa")
    memory = Memory([booked])
    appointments.archive(booked, **verb(office))
    keep(office, memory)
    raw = db.session.execute(sa.text("SELECT before FROM undo_step")).scalar_one()
    assert "Rosa" not in raw


def test_a_client_gets_their_name_back_and_leaves_the_archive(office: Office) -> None:
    memory = Memory(client=office.client)
    clients.rename(office.client, "Rosa Other", now=NOW)
    clients.archive(office.client, now=NOW)
    take_back(office, keep(office, memory))
    assert (office.client.name, office.client.archived_at) == ("Rosa Tellan", None)
