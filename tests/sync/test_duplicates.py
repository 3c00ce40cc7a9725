"""What stands in Google twice, judged from dates alone: every kind, and what only looks like one."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest

from portal.sync.duplicates import Date, Duplicate, Kind, find_subscribed_twice, find_twice

NOW = dt.datetime(2026, 11, 18, 17, 20, tzinfo=dt.UTC)
NOON = dt.datetime(2026, 11, 20, 18, 0, tzinfo=dt.UTC)
WORK, FAMILY = 1, 2
A_WEEK = dt.timedelta(days=7)


def google(series: str, *, starts_at: dt.datetime = NOON, minutes: int = 50, **values: Any) -> Date:
    """A date of a Google event, of a single one unless more is said."""
    plain = {"record": hash(series) % 1000, "calendar": WORK, "summary": "Gym"}
    ends_at = starts_at + dt.timedelta(minutes=minutes)
    return Date(**{**plain, **values}, series=series, starts_at=starts_at, ends_at=ends_at)


def ours(number: int = 7, **values: Any) -> Date:
    return replace(google(f"ours{number}"), record=number, calendar=0, is_ours=True, **values)


def weekly(series: str, count: int, *, every: int = 1, **values: Any) -> list[Date]:
    """The dates of a series on Fridays at noon."""
    starts = [NOON + each * every * A_WEEK for each in range(count)]
    return [
        google(series, starts_at=start, dates=count, original_start=f"{start:%Y%m%dT%H%M%SZ}", **values)
        for start in starts
    ]


def found(*dates: Date) -> list[Duplicate]:
    return find_twice(dates, now=NOW)


def kinds(*dates: Date) -> list[Kind]:
    return [each.kind for each in found(*dates)]


# What is there twice


def test_a_copy_of_ours_is_told_with_the_appointment_its_place_its_time_and_its_link() -> None:
    copy = google("copy", calendar=FAMILY, html_link="https://calendar.google.com/event?eid=1")
    assert found(copy, ours()) == [
        Duplicate(
            kind=Kind.COPY,
            calendar=FAMILY,
            summary="Gym",
            first_calendar=0,
            appointment=7,
            starts_at=NOON,
            ends_at=NOON + dt.timedelta(minutes=50),
            html_link="https://calendar.google.com/event?eid=1",
        )
    ]


def test_each_copy_is_told_and_ours_never() -> None:
    told = found(google("one"), google("two", calendar=FAMILY), ours())
    assert [(each.kind, each.calendar) for each in told] == [(Kind.COPY, WORK), (Kind.COPY, FAMILY)]


def test_the_same_time_and_text_is_a_double_in_one_calendar_and_in_two() -> None:
    assert kinds(google("one"), google("two")) == [Kind.ONE_CALENDAR]
    assert kinds(google("one"), google("two", calendar=FAMILY)) == [Kind.TWO_CALENDARS]
    assert kinds(google("one"), google("two", summary=" Gym  ")) == [Kind.ONE_CALENDAR]


def test_one_uid_in_two_calendars_is_one_event_whatever_became_of_its_time_and_text() -> None:
    here = google("one", ical_uid="a@example.com")
    there = google("one", calendar=FAMILY, ical_uid="a@example.com", summary="Sport", minutes=30)
    assert kinds(here, there) == [Kind.TWO_CALENDARS]


def test_a_date_of_a_series_that_stands_alone_in_another_calendar_is_that_date() -> None:
    """Somebody invited to one date only has an override without its master."""
    series = weekly("series", 5, ical_uid="a@example.com")
    alone = replace(series[2], calendar=FAMILY, summary="Gym, just this once", dates=1)
    (told,) = found(*series, alone)
    assert (told.kind, told.calendar, told.starts_at) == (Kind.TWO_CALENDARS, FAMILY, series[2].starts_at)


def test_a_series_there_twice_is_told_once_with_its_next_date_and_how_many_there_are() -> None:
    (told,) = found(*weekly("one", 6), *weekly("two", 6, calendar=FAMILY))
    assert (told.kind, told.dates, told.starts_at) == (Kind.TWO_CALENDARS, 6, NOON)


def test_a_copy_of_ours_that_was_made_to_recur_is_told_once() -> None:
    sessions = [
        replace(ours(number), starts_at=date.starts_at, ends_at=date.ends_at)
        for number, date in enumerate(weekly("x", 4))
    ]
    (told,) = found(*sessions, *weekly("copy", 9))
    assert (told.kind, told.appointment, told.dates) == (Kind.COPY, 0, 4)


def test_a_date_of_a_series_copied_by_hand_is_told() -> None:
    series = weekly("series", 8)
    (told,) = found(*series, google("copy", starts_at=series[3].starts_at))
    assert (told.kind, told.dates) == (Kind.ONE_CALENDAR, 1)


def test_the_next_one_comes_first_and_what_is_over_last() -> None:
    days = [dt.timedelta(days=number) for number in (-3, 9, 4)]
    dates = [google(f"{n}{copy}", starts_at=NOON + day) for n, day in enumerate(days) for copy in "ab"]
    assert [each.starts_at for each in found(*dates)] == [NOON + days[2], NOON + days[1], NOON + days[0]]


# What only looks like it


MISSES: dict[str, list[Date]] = {
    "another text": [ours(), google("other", summary="Choir")],
    "no text at all": [google("one", summary=""), google("two", summary=" ")],
    "another end": [ours(), google("other", minutes=30)],
    "another day": [ours(), google("other", starts_at=NOON + A_WEEK)],
    "all day and timed": [
        google("one", minutes=1440, all_day=True),
        google("two", minutes=1440),
    ],
    "ours alone": [ours()],
    "two of ours": [ours(1), ours(2)],
    "two series that meet once": [*weekly("one", 8), *weekly("two", 1), *weekly("three", 3, every=5)[1:]],
    "a series whose moved date falls on another of its own": [
        google("series", original_start="20261120T180000Z"),
        google("series", original_start="20261121T180000Z"),
    ],
    "one UID in one calendar": [
        google("one", ical_uid="a@example.com"),
        google("two", ical_uid="a@example.com", summary="Choir"),
    ],
    "one UID and other dates": [
        google("one", ical_uid="a@example.com", original_start="20261120T180000Z"),
        google("one", calendar=FAMILY, ical_uid="a@example.com", original_start="20261127", summary="Sport"),
    ],
    "no UID": [google("one"), google("two", calendar=FAMILY, summary="Choir")],
}


@pytest.mark.parametrize("dates", MISSES.values(), ids=MISSES.keys())
def test_what_only_looks_like_a_double_is_none(dates: list[Date]) -> None:
    assert found(*dates) == []


@pytest.mark.parametrize(("meetings", "number"), [(1, 0), (3, 0), (4, 1), (8, 1)])
def test_two_series_of_one_name_are_one_from_half_of_the_dates_on(meetings: int, number: int) -> None:
    elsewhere = [
        replace(date, starts_at=date.starts_at + dt.timedelta(hours=4), ends_at=date.ends_at + A_WEEK)
        for date in weekly("two", 8)
    ]
    assert len(found(*weekly("one", 8), *weekly("two", 8)[:meetings], *elsewhere[meetings:])) == number


# Subscriptions


def test_a_calendar_subscribed_twice_is_told_by_its_name() -> None:
    names = {1: "Lake levels", 2: "Moon", 3: "Lake  levels", 4: "", 5: ""}
    assert find_subscribed_twice(names) == [
        Duplicate(kind=Kind.SUBSCRIPTION, calendar=3, summary="Lake  levels", first_calendar=1)
    ]


def test_no_title_stands_in_what_a_program_would_print() -> None:
    (told,) = found(google("one", summary="Canary"), google("two", summary="Canary"))
    assert "Canary" not in repr(told) + repr(google("one", summary="Canary"))
