"""Changing one's time zone: clock times or moments are kept, by choice, and it can be taken back."""

from __future__ import annotations

import datetime as dt

import pytest
import sqlalchemy as sa

from portal.calendar import overlaps
from portal.errors import InvalidInput, Refused
from portal.extensions import db
from portal.models import Appointment, AppointmentHistory, SeriesFrequency
from portal.practice import appointments, series, spans, undo, zones
from portal.practice.series import Rule, Scope
from portal.practice.spans import AllDay, Timed
from portal.practice.zones import Kept
from tests.office import NOW, VERB, ZONE, Office, at

LATER = NOW + dt.timedelta(minutes=9)
BERLIN, KIRITIMATI = "Europe/Berlin", "Pacific/Kiritimati"


def rows() -> list[Appointment]:
    db.session.flush()
    return list(db.session.scalars(sa.select(Appointment).order_by(Appointment.starts_at)).all())


def moments() -> list[tuple[dt.datetime, dt.datetime]]:
    return [(row.starts_at, row.ends_at) for row in rows()]


def clocks() -> list[tuple[dt.date, dt.time | None]]:
    return [(row.start_date, row.start_time) for row in rows()]


def stored() -> list[dict[str, object]]:
    """Everything but the stamps."""
    db.session.flush()
    db.session.expire_all()
    found = db.session.execute(sa.select(Appointment.__table__).order_by(Appointment.id)).mappings()
    return [{key: row[key] for key in row if key not in ("revision", "updated_at")} for row in found]


def weekly(office: Office, time: str = "09:00", count: int = 30) -> Appointment:
    rule = Rule(SeriesFrequency.WEEKLY, occurrences=count)
    details = office.details(at(3, time))
    return series.book_series(office.provider, details, rule, actor=office.provider, **VERB)


def move(office: Office, timezone: str, kept: Kept | None) -> tuple[int, undo.Memory]:
    return zones.move(office.provider, timezone, kept, now=NOW, actor=office.provider)


@pytest.mark.parametrize("timezone", [BERLIN, KIRITIMATI, "Asia/Kathmandu", "Australia/Sydney"])
@pytest.mark.parametrize("time", ["09:00", "23:30", "00:15"])
def test_moments_kept_stay_the_same_instants_on_new_clocks(office: Office, time: str, timezone: str) -> None:
    weekly(office, time)  # reaches over changes of the clocks in both zones
    before = moments()
    assert move(office, timezone, Kept.MOMENT)[0] == 30
    assert moments() == before
    assert {row.timezone for row in rows()} == {timezone}


@pytest.mark.parametrize("timezone", [BERLIN, KIRITIMATI, "Asia/Kathmandu", "Australia/Sydney"])
def test_clock_times_kept_are_the_same_clock_times_in_the_new_zone(office: Office, timezone: str) -> None:
    weekly(office)
    before = clocks()
    assert move(office, timezone, Kept.CLOCK)[0] == 30
    assert clocks() == before
    assert [row.starts_at for row in rows()] == [
        spans.when_of(row).starts_at for row in rows() if row.timezone == timezone
    ]


def test_nothing_is_kept_silently(office: Office) -> None:
    weekly(office)
    with pytest.raises(InvalidInput) as refused:
        move(office, BERLIN, None)
    assert set(refused.value.problems) == {"keep"}
    assert office.provider.timezone == ZONE


def test_without_anything_ahead_there_is_nothing_to_ask(office: Office) -> None:
    office.book(at(1, "09:00"))
    assert move(office, BERLIN, None)[0] == 0
    assert office.provider.timezone == BERLIN


def test_what_is_over_and_what_is_archived_stay_as_they_were(office: Office) -> None:
    office.book(at(1, "09:00"))
    archived = office.book(at(4, "09:00"))
    appointments.archive(archived, actor=office.provider, **VERB)
    before = stored()
    move(office, BERLIN, Kept.CLOCK)
    assert stored() == before


@pytest.mark.parametrize("kept", Kept)
def test_all_day_entries_keep_their_dates(office: Office, kept: Kept) -> None:
    day = dt.date(2026, 12, 24)
    made = office.book(AllDay(day, day + dt.timedelta(days=2), ZONE), title="Off")
    move(office, KIRITIMATI, kept)
    assert spans.when_of(made) == AllDay(day, day + dt.timedelta(days=2), KIRITIMATI)


def test_a_moment_that_the_new_clock_names_twice_is_kept_all_the_same(office: Office) -> None:
    when = Timed(dt.date(2027, 10, 30), dt.time(19, 30), ZONE, 50)  # 2:30 in Berlin for the second time
    made = office.book(when)
    move(office, BERLIN, Kept.MOMENT)
    assert spans.when_of(made).starts_at == when.starts_at


@pytest.mark.parametrize("timezone", [BERLIN, KIRITIMATI, "Pacific/Pago_Pago"])
@pytest.mark.parametrize("kept", Kept)
@pytest.mark.parametrize("time", ["09:00", "23:30", "00:15"])
def test_a_change_of_zone_is_taken_back_whole(office: Office, kept: Kept, time: str, timezone: str) -> None:
    first = weekly(office, time)
    appointments.cancel(rows()[3], late=False, reason="Unwell", actor=office.provider, **VERB)
    before, series_before = stored(), (first.series.start_date, first.series.until) if first.series else None
    _, memory = move(office, timezone, kept)
    step = memory.keep(office.provider, "Done.", now=NOW)
    db.session.flush()
    undo.take_back(step, now=LATER, actor=office.provider)
    assert stored() == before
    assert office.provider.timezone == ZONE
    assert first.series
    assert (first.series.start_date, first.series.until) == series_before


def test_an_earlier_change_of_zone_is_not_taken_back_under_a_later_one(office: Office) -> None:
    _, memory = move(office, BERLIN, None)
    step = memory.keep(office.provider, "Done.", now=NOW)
    move(office, KIRITIMATI, None)
    with pytest.raises(Refused):
        undo.take_back(step, now=LATER, actor=office.provider)
    assert office.provider.timezone == KIRITIMATI


def test_a_series_goes_on_in_the_new_zone_and_is_no_exception(office: Office) -> None:
    rule = Rule(SeriesFrequency.WEEKLY)
    made = series.book_series(
        office.provider, office.details(at(3, "23:30")), rule, actor=office.provider, **VERB
    )
    move(office, BERLIN, Kept.MOMENT)
    verbs = set(db.session.scalars(sa.select(AppointmentHistory.verb)))
    assert verbs == {"booked", "zone-changed"}
    last = rows()[-1]
    series.extend_all(now=NOW + dt.timedelta(days=30))
    added = rows()[rows().index(last) + 1 :]
    assert len(added) == 4
    assert {row.timezone for row in added} == {BERLIN}
    assert {row.start_date - row.original_date for row in added if row.original_date} == {dt.timedelta()}
    assert {row.start_time for row in added} == {last.start_time}
    assert made.series


def test_changing_the_place_of_all_from_a_past_one_moves_none(office: Office) -> None:
    first = weekly(office)
    first.starts_at -= dt.timedelta(days=7)  # as if it were over
    first.ends_at -= dt.timedelta(days=7)
    first.start_date -= dt.timedelta(days=7)
    move(office, BERLIN, Kept.CLOCK)
    before = clocks()
    when = spans.in_zone(spans.when_of(first), BERLIN)
    details = office.details(when, location="Maple Room")
    series.change(first, details, Scope.ALL, revision=first.revision, actor=office.provider, **VERB)
    assert clocks() == before
    assert {row.location for row in rows()} == {"Maple Room"}


def test_overlaps_with_google_are_counted_before(office: Office) -> None:
    weekly(office, count=3)
    day = dt.datetime(2026, 11, 19, 8, 30, tzinfo=dt.UTC)  # 9:30 in Berlin
    office.add_google_event(day, 60, "Dentist")
    office.add_google_event(day + dt.timedelta(days=7, hours=4), 60, "Lunch")
    assert overlaps.count_in_the_way(office.provider, BERLIN, now=NOW) == 1
    assert overlaps.count_in_the_way(office.provider, ZONE, now=NOW) == 0
