"""Recurring appointments: dates, horizon, and changes for this one, the following, or all."""

from __future__ import annotations

import datetime as dt
from itertools import islice

import pytest

from portal.errors import InvalidInput, StaleRevision
from portal.extensions import db
from portal.models import Appointment, AppointmentStatus, SeriesFrequency
from portal.practice import appointments, series
from portal.practice.series import Rule, Scope
from portal.views.page.wording import repeats
from tests.office import MONDAY, NOW, VERB, Office, at

WEEKLY = Rule(SeriesFrequency.WEEKLY)
SIX_WEEKS = Rule(SeriesFrequency.WEEKLY, occurrences=6)
NEXT_MONDAY = MONDAY + dt.timedelta(days=7)


def book(office: Office, rule: Rule = SIX_WEEKS) -> list[Appointment]:
    """From next Monday, 9:00."""
    series.book_series(office.provider, office.details(at(7, "09:00")), rule, actor=office.provider, **VERB)
    return instances()


def instances() -> list[Appointment]:
    db.session.flush()
    query = db.select(Appointment).where(Appointment.series_id.is_not(None))
    return list(db.session.scalars(query.order_by(Appointment.starts_at)))


def change(office: Office, one: Appointment, scope: Scope, when: str, day: int = 7, **values: str) -> int:
    weeks = (one.start_date - NEXT_MONDAY).days
    details = office.details(at(day + weeks, when), **values)
    return series.change(one, details, scope, revision=one.revision, actor=office.provider, **VERB)


def times(found: list[Appointment]) -> list[str]:
    return [f"{each.start_date:%m-%d} {each.start_time:%H:%M}" for each in found]


def test_every_two_weeks_until_a_date() -> None:
    rule = Rule(SeriesFrequency.WEEKLY, every=2, until=dt.date(2026, 12, 14))
    assert list(rule.dates(MONDAY)) == [
        dt.date(2026, 11, 16), dt.date(2026, 11, 30), dt.date(2026, 12, 14),
    ]  # fmt: skip


def test_a_month_without_the_day_is_left_out() -> None:
    dates = islice(Rule(SeriesFrequency.MONTHLY).dates(dt.date(2026, 1, 31)), 4)
    assert [date.month for date in dates] == [1, 3, 5, 7]


def test_a_series_without_an_end_reaches_twelve_months_ahead(office: Office) -> None:
    found = book(office, WEEKLY)
    assert len(found) == 52
    assert found[-1].start_date == dt.date(2027, 11, 15)


def test_the_horizon_rolls_and_the_clock_time_stays_over_clock_changes(office: Office) -> None:
    book(office, WEEKLY)
    assert series.extend_all(now=NOW + dt.timedelta(days=28)) == 4
    assert series.extend_all(now=NOW + dt.timedelta(days=28)) == 0
    assert {each.start_time for each in instances()} == {dt.time(9)}


def test_what_follows_looks_like_the_latest_without_a_change_of_its_own(office: Office) -> None:
    found = book(office, WEEKLY)
    appointments.reschedule(found[-1], at(7, "17:00"), actor=office.provider, **VERB)
    series.extend_all(now=NOW + dt.timedelta(days=14))
    assert instances()[-1].start_time == dt.time(9)


def test_this_one_alone(office: Office) -> None:
    found = book(office)
    assert change(office, found[1], Scope.THIS, "10:00") == 1
    assert [each.start_time.hour for each in instances() if each.start_time] == [9, 10, 9, 9, 9, 9]


def test_this_and_following_change_the_time(office: Office) -> None:
    found = book(office)
    assert change(office, found[2], Scope.FOLLOWING, "10:00") == 4
    assert [each.start_time.hour for each in instances() if each.start_time] == [9, 9, 10, 10, 10, 10]


def test_all_move_to_another_day_and_keep_their_number(office: Office) -> None:
    found = book(office)
    assert change(office, found[3], Scope.ALL, "09:00", day=8) == 6
    assert times(instances()) == [
        "11-24 09:00", "12-01 09:00", "12-08 09:00", "12-15 09:00", "12-22 09:00", "12-29 09:00",
    ]  # fmt: skip
    assert [each.original_date for each in instances()] == [each.start_date for each in instances()]


def test_following_on_another_day_become_a_series_of_their_own(office: Office) -> None:
    found = book(office)
    change(office, found[4], Scope.FOLLOWING, "09:00", day=9)
    old, new = found[0].series, found[4].series
    assert old and new and old.id != new.id
    assert (old.until, new.occurrences, new.start_date) == (
        dt.date(2026, 12, 20), 2, dt.date(2026, 12, 23),
    )  # fmt: skip


def test_an_exception_is_kept_unless_the_time_changes(office: Office) -> None:
    found = book(office)
    appointments.reschedule(found[3], at(7 + 22, "15:00"), actor=office.provider, **VERB)
    change(office, found[0], Scope.ALL, "09:00", location="Maple Room")
    assert times(instances())[3] == "12-15 15:00"
    assert {each.location for each in instances()} == {"Maple Room"}
    change(office, found[0], Scope.ALL, "11:00", location="Maple Room")
    assert times(instances())[3] == "12-14 11:00"


def test_what_was_canceled_or_took_place_is_not_rewritten(office: Office) -> None:
    found = book(office)
    appointments.cancel(found[1], late=False, reason="", actor=office.provider, **VERB)
    appointments.mark_completed(found[2], actor=office.provider, **VERB)
    assert change(office, found[0], Scope.ALL, "11:00") == 4
    assert [each.start_time.hour for each in instances() if each.start_time] == [11, 9, 9, 11, 11, 11]


def test_canceling_the_following_ends_the_series(office: Office) -> None:
    found = book(office, WEEKLY)
    count = series.cancel(found[2], Scope.FOLLOWING, late=True, reason="", actor=office.provider, **VERB)
    statuses = [each.status for each in instances()]
    assert count == 50
    assert statuses[:4] == [
        AppointmentStatus.SCHEDULED, AppointmentStatus.SCHEDULED,
        AppointmentStatus.LATE_CANCELED, AppointmentStatus.CANCELED,
    ]  # fmt: skip
    assert series.extend_all(now=NOW + dt.timedelta(days=60)) == 0


def test_a_stale_form_changes_none_of_them(office: Office) -> None:
    found = book(office)
    details = office.details(at(7, "11:00"))
    with pytest.raises(StaleRevision):
        series.change(found[0], details, Scope.ALL, revision=7, actor=office.provider, **VERB)
    assert {each.start_time for each in instances()} == {dt.time(9)}


@pytest.mark.parametrize(
    ("rule", "field"),
    [
        (Rule(SeriesFrequency.WEEKLY, every=0), "every"),
        (Rule(SeriesFrequency.WEEKLY, until=MONDAY), "until"),
        (Rule(SeriesFrequency.MONTHLY, occurrences=0), "occurrences"),
    ],
)
def test_a_rule_that_cannot_be_is_refused_with_the_field(office: Office, rule: Rule, field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        book(office, rule)
    assert set(caught.value.problems) == {field}


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        ("2026-11-18", ["2026-11-18", "2026-12-16", "2027-01-20", "2027-02-17"]),  # third Wednesdays
        ("2026-11-02", ["2026-11-02", "2026-12-07", "2027-01-04", "2027-02-01"]),  # first Mondays
        ("2026-11-30", ["2026-11-30", "2026-12-28", "2027-01-25", "2027-02-22"]),  # a fifth is the last
        ("2026-11-26", ["2026-11-26", "2026-12-24", "2027-01-28", "2027-02-25"]),  # fourth Thursdays
    ],
)
def test_monthly_by_weekday_keeps_the_week_of_the_month(start: str, expected: list[str]) -> None:
    rule = Rule(SeriesFrequency.MONTHLY, occurrences=4, by_weekday=True)
    assert [str(date) for date in rule.dates(dt.date.fromisoformat(start))] == expected


def test_a_series_remembers_that_it_goes_by_the_weekday(office: Office) -> None:
    rule = Rule(SeriesFrequency.MONTHLY, occurrences=3, by_weekday=True)
    first = series.book_series(office.provider, office.details(at(2, "09:00")), rule, **VERB, actor=None)
    dates = [str(row.start_date) for row in series.instances(first)]
    assert dates == ["2026-11-18", "2026-12-16", "2027-01-20"]
    assert first.series is not None
    assert repeats(first.series) == "Every month, on the third Wednesday, 3 times"


# How much one form may write


def test_a_series_begins_a_year_ago_at_the_earliest(office: Office) -> None:
    with pytest.raises(InvalidInput) as refused:
        series.book_series(
            office.provider, office.details(at(-367, "09:00")), WEEKLY, actor=office.provider, **VERB
        )
    assert set(refused.value.problems) == {"date"}
    db.session.rollback()
    series.book_series(
        office.provider, office.details(at(-360, "09:00")), WEEKLY, actor=office.provider, **VERB
    )
    assert len(instances()) == 105


def test_an_appointment_of_long_ago_cannot_become_a_series(office: Office) -> None:
    one = appointments.book(office.provider, office.details(at(-400, "09:00")), actor=office.provider, **VERB)
    with pytest.raises(InvalidInput, match="date"):
        series.repeat(one, WEEKLY, actor=office.provider, **VERB)


def test_the_longest_series_is_booked_at_once(office: Office) -> None:
    """Nobody else writes to SQLite meanwhile: two inserts a date, and no question in between."""
    told: list[str] = []

    def tell(*execution: object) -> None:
        told.append(str(execution[2]).split(maxsplit=1)[0])

    db.session.flush()
    db.event.listen(db.engine, "before_cursor_execute", tell)
    try:
        series.book_series(
            office.provider, office.details(at(-360, "09:00")), WEEKLY, actor=office.provider, **VERB
        )
        db.session.flush()
    finally:
        db.event.remove(db.engine, "before_cursor_execute", tell)
    assert told.count("INSERT") <= 2 * len(instances()) + 1
    assert len(told) - told.count("INSERT") < 15
