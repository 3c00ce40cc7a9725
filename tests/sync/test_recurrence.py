"""Expanding a series: rules and dates in the event's own zone, overrides, and limits.

The oracle at the end knows nothing of rules: it steps through dates and asks the zone for the instant.
"""

from __future__ import annotations

import calendar
import datetime as dt
import itertools
import json
import subprocess
import sys
import zoneinfo
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.errors import InvalidCalendarData
from portal.sync.event import Event, EventTime
from portal.sync.recurrence import Occurrence, expand, odd_zones

CHICAGO, BERLIN, LORD_HOWE = "America/Chicago", "Europe/Berlin", "Australia/Lord_Howe"
EVER = (dt.datetime(2020, 1, 1, tzinfo=dt.UTC), dt.datetime(2032, 1, 1, tzinfo=dt.UTC))


def at(text: str, tzid: str = CHICAGO) -> EventTime:
    """A wall time "2026-11-18 10:00", or a date."""
    moment = dt.datetime.fromisoformat(text)
    if len(text) == len("2026-11-18"):
        return EventTime(date=moment.date())
    return EventTime(datetime=moment.replace(tzinfo=ZoneInfo(tzid)), tzid=tzid)


def series(start: str, *recurrence: str, tzid: str = CHICAGO, minutes: int = 50, days: int = 1) -> Event:
    """A master, `minutes` long; an all-day one, `days` long."""
    first = at(start, tzid)
    if first.date is not None:
        end = EventTime(date=first.date + dt.timedelta(days=days))
    else:
        end = EventTime(datetime=first.instant + dt.timedelta(minutes=minutes), tzid=tzid)
    return Event(event_id="master", start=first, end=end, recurrence=recurrence)


def override(original: str, start: str | None = None, *, tzid: str = CHICAGO, minutes: int = 50) -> Event:
    """One changed date of the series; without a start it is cancelled."""
    time = at(original, tzid)
    made = Event(event_id=f"master_{time.key}", recurring_event_id="master", original_start=time)
    if start is None:
        return replace(made, status="cancelled")
    begins = at(start, tzid)
    ends = EventTime(datetime=begins.instant + dt.timedelta(minutes=minutes), tzid=tzid)
    return replace(made, start=begins, end=ends)


def walls(master: Event, overrides: Iterable[Event] = (), window: Any = EVER) -> list[str]:
    """The wall times, or dates, on which it is shown."""
    found = expand(master, overrides, after=window[0], before=window[1])
    return [shown(occurrence) for occurrence in found]


def shown(occurrence: Occurrence) -> str:
    start = occurrence.start
    return str(start.date) if start.date else f"{start.wall:%Y-%m-%d %H:%M}"


def window(first: str, last: str, tzid: str = CHICAGO) -> tuple[dt.datetime, dt.datetime]:
    return at(first, tzid).instant, at(last, tzid).instant


# Rules and dates


RULES: dict[str, tuple[Event, list[str]]] = {
    "COUNT counts from the first": (
        series("2026-11-18 10:00", "RRULE:FREQ=WEEKLY;COUNT=3"),
        ["2026-11-18 10:00", "2026-11-25 10:00", "2026-12-02 10:00"],
    ),
    "every other week on two days": (
        series("2026-11-17 10:00", "RRULE:FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,TH;COUNT=4"),
        ["2026-11-17 10:00", "2026-11-19 10:00", "2026-12-01 10:00", "2026-12-03 10:00"],
    ),
    "the 31st is left out of shorter months": (
        series("2026-01-31 10:00", "RRULE:FREQ=MONTHLY;COUNT=3"),
        ["2026-01-31 10:00", "2026-03-31 10:00", "2026-05-31 10:00"],
    ),
    "the last Friday of the month": (
        series("2026-10-30 10:00", "RRULE:FREQ=MONTHLY;BYDAY=-1FR;COUNT=2"),
        ["2026-10-30 10:00", "2026-11-27 10:00"],
    ),
    "the 29th of February": (
        series("2024-02-29 10:00", "RRULE:FREQ=YEARLY;COUNT=2"),
        ["2024-02-29 10:00", "2028-02-29 10:00"],
    ),
    "UNTIL in UTC includes its own moment": (
        series("2026-11-18 10:00", "RRULE:FREQ=DAILY;UNTIL=20261120T160000Z"),
        ["2026-11-18 10:00", "2026-11-19 10:00", "2026-11-20 10:00"],
    ),
    "UNTIL in UTC a second earlier leaves it out": (
        series("2026-11-18 10:00", "RRULE:FREQ=DAILY;UNTIL=20261120T155959Z"),
        ["2026-11-18 10:00", "2026-11-19 10:00"],
    ),
    "UNTIL in UTC may name the next day": (
        series("2026-11-18 20:00", "RRULE:FREQ=DAILY;UNTIL=20261120T020000Z"),
        ["2026-11-18 20:00", "2026-11-19 20:00"],
    ),
    "UNTIL in the second of two doubled hours includes all of the first": (
        series("2026-10-31 01:30", "RRULE:FREQ=DAILY;UNTIL=20261101T071000Z"),
        ["2026-10-31 01:30", "2026-11-01 01:30"],
    ),
    "UNTIL in local time": (
        series("2026-11-18 10:00", "RRULE:FREQ=DAILY;UNTIL=20261119T100000"),
        ["2026-11-18 10:00", "2026-11-19 10:00"],
    ),
    "UNTIL as a date includes that day": (
        series("2026-11-18 10:00", "RRULE:FREQ=DAILY;UNTIL=20261119"),
        ["2026-11-18 10:00", "2026-11-19 10:00"],
    ),
    "UNTIL before the first leaves the first": (
        series("2026-11-18 10:00", "RRULE:FREQ=DAILY;UNTIL=20260101T000000Z"),
        ["2026-11-18 10:00"],
    ),
    "UNTIL and COUNT at once, whichever is first": (
        series("2026-11-18 10:00", "RRULE:FREQ=DAILY;UNTIL=20261119;COUNT=9"),
        ["2026-11-18 10:00", "2026-11-19 10:00"],
    ),
    "an all-day UNTIL is a date": (
        series("2026-11-18", "RRULE:FREQ=DAILY;UNTIL=20261119"),
        ["2026-11-18", "2026-11-19"],
    ),
    "an all-day UNTIL with a time counts by its date": (
        series("2026-11-18", "RRULE:FREQ=DAILY;UNTIL=20261119T000000Z"),
        ["2026-11-18", "2026-11-19"],
    ),
    "an EXDATE with its zone": (
        series("2026-11-18 10:00", "RRULE:FREQ=DAILY;COUNT=3", f"EXDATE;TZID={CHICAGO}:20261119T100000"),
        ["2026-11-18 10:00", "2026-11-20 10:00"],
    ),
    "an EXDATE in UTC, two in a line": (
        series("2026-11-18 10:00", "RRULE:FREQ=DAILY;COUNT=3", "EXDATE:20261118T160000Z,20261120T160000Z"),
        ["2026-11-19 10:00"],
    ),
    "an EXDATE in another zone": (
        series("2026-11-18 10:00", "RRULE:FREQ=DAILY;COUNT=2", f"EXDATE;TZID={BERLIN}:20261119T170000"),
        ["2026-11-18 10:00"],
    ),
    "an EXDATE as a date takes that day's own": (
        series("2026-11-18 10:00", "RRULE:FREQ=DAILY;COUNT=2", "EXDATE;VALUE=DATE:20261119"),
        ["2026-11-18 10:00"],
    ),
    "an EXDATE that hits nothing": (
        series("2026-11-18 10:00", "RRULE:FREQ=DAILY;COUNT=2", "EXDATE:20261119T160001Z"),
        ["2026-11-18 10:00", "2026-11-19 10:00"],
    ),
    "an all-day EXDATE": (
        series("2026-11-18", "RRULE:FREQ=DAILY;COUNT=3", "EXDATE;VALUE=DATE:20261119"),
        ["2026-11-18", "2026-11-20"],
    ),
    "an RDATE beside the rule, and one twice": (
        series(
            "2026-11-18 10:00",
            "RRULE:FREQ=DAILY;COUNT=2",
            f"RDATE;TZID={CHICAGO}:20261121T150000,20261119T100000",
        ),
        ["2026-11-18 10:00", "2026-11-19 10:00", "2026-11-21 15:00"],
    ),
    "RDATE alone": (
        series("2026-11-18 10:00", "RDATE:20261121T160000Z"),
        ["2026-11-18 10:00", "2026-11-21 10:00"],
    ),
    "an EXDATE beats an RDATE": (
        series("2026-11-18 10:00", "RDATE:20261121T160000Z", "EXDATE:20261121T160000Z"),
        ["2026-11-18 10:00"],
    ),
    "an EXRULE": (
        series("2026-11-16 10:00", "RRULE:FREQ=DAILY;COUNT=7", "EXRULE:FREQ=WEEKLY;BYDAY=WE,SA,SU"),
        ["2026-11-16 10:00", "2026-11-17 10:00", "2026-11-19 10:00", "2026-11-20 10:00"],
    ),
    "two rules": (
        series("2026-11-18 10:00", "RRULE:FREQ=DAILY;COUNT=2", "RRULE:FREQ=WEEKLY;COUNT=2"),
        ["2026-11-18 10:00", "2026-11-19 10:00", "2026-11-25 10:00"],
    ),
    "a first date that the rule passes by counts too": (
        series("2026-11-18 10:00", "RRULE:FREQ=WEEKLY;BYDAY=MO;COUNT=2"),
        ["2026-11-18 10:00", "2026-11-23 10:00", "2026-11-30 10:00"],
    ),
    "numbered weekdays beside plain ones, from either end of the month": (
        series("2026-12-02 09:00", "RRULE:FREQ=MONTHLY;BYDAY=WE,-1FR;COUNT=7"),
        [f"2026-12-{day} 09:00" for day in ("02", "09", "16", "23", "25", "30")] + ["2027-01-06 09:00"],
    ),
    "numbered weekdays of the year beside plain ones": (
        series("2026-12-29 09:00", "RRULE:FREQ=YEARLY;BYDAY=2MO,-1TH,TU;COUNT=5"),
        [
            "2026-12-29 09:00",
            "2026-12-31 09:00",
            "2027-01-05 09:00",
            "2027-01-11 09:00",
            "2027-01-12 09:00",
        ],
    ),
    "numbered weekdays that must be a certain day of the month too": (
        series("2026-11-13 09:00", "RRULE:FREQ=MONTHLY;BYDAY=FR,1MO;BYMONTHDAY=13,2;COUNT=4"),
        ["2026-11-13 09:00", "2027-04-02 09:00", "2027-07-02 09:00", "2027-08-02 09:00"],
    ),
    "positions in a first week that is not whole": (
        series("2026-12-02 09:00", "RRULE:FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=1,3;COUNT=4"),
        ["2026-12-02 09:00", "2026-12-07 09:00", "2026-12-09 09:00", "2026-12-14 09:00"],
    ),
    "positions from the end of every other week that begins on a Sunday": (
        series(
            "2026-12-03 09:00", "RRULE:FREQ=WEEKLY;INTERVAL=2;WKST=SU;BYDAY=SU,TU,TH,SA;BYSETPOS=-2,1;COUNT=4"
        ),
        ["2026-12-03 09:00", "2026-12-13 09:00", "2026-12-17 09:00", "2026-12-27 09:00"],
    ),
    "positions among the times of a week": (
        series("2026-12-02 09:00", "RRULE:FREQ=WEEKLY;BYDAY=MO,WE;BYHOUR=9,17;BYSETPOS=3,-1;COUNT=4"),
        ["2026-12-02 09:00", "2026-12-02 17:00", "2026-12-09 09:00", "2026-12-09 17:00"],
    ),
    "hours of whole days": (
        series("2026-12-02", "RRULE:FREQ=DAILY;BYHOUR=9,17;COUNT=4"),
        ["2026-12-02", "2026-12-03", "2026-12-04", "2026-12-05"],
    ),
    "minutes and seconds of whole days that no clock has, and positions": (
        series(
            "2026-12-02",
            "RRULE:FREQ=WEEKLY;BYDAY=MO,WE,FR;BYHOUR=9,99;BYMINUTE=0,30;BYSECOND=61;BYSETPOS=2;COUNT=3",
        ),
        ["2026-12-02", "2026-12-09", "2026-12-16"],
    ),
    "every few hours of whole days": (
        series("2026-12-02", "RRULE:FREQ=HOURLY;INTERVAL=6;COUNT=3"),
        ["2026-12-02", "2026-12-03", "2026-12-04"],
    ),
    "a week's number takes the first date's weekday": (
        series("2026-05-13 09:00", "RRULE:FREQ=YEARLY;BYWEEKNO=20;COUNT=3"),
        ["2026-05-13 09:00", "2027-05-19 09:00", "2028-05-17 09:00"],
    ),
    "days from the end of the year": (
        series("2026-12-31 09:00", "RRULE:FREQ=YEARLY;BYYEARDAY=-1,-366;COUNT=4"),
        ["2026-12-31 09:00", "2027-12-31 09:00", "2028-01-01 09:00", "2028-12-31 09:00"],
    ),
    "a leap second is the one before": (
        series("2026-12-31 09:00:59", "RRULE:FREQ=DAILY;BYSECOND=60,59;COUNT=2"),
        ["2026-12-31 09:00", "2027-01-01 09:00"],
    ),
    "lower case and spaces around": (
        series("2026-11-18 10:00", " rrule:freq=daily;count=2; "),
        ["2026-11-18 10:00", "2026-11-19 10:00"],
    ),
}


@pytest.mark.parametrize(("master", "expected"), RULES.values(), ids=RULES.keys())
def test_rules_and_dates(master: Event, expected: list[str]) -> None:
    assert walls(master) == expected


def test_a_single_event_is_its_own_occurrence() -> None:
    single = replace(series("2026-11-18 10:00"), event_id="single")
    assert expand(single, [], after=EVER[0], before=EVER[1]) == [
        Occurrence("single", "", at("2026-11-18 10:00"), at("2026-11-18 10:50"))
    ]


def test_a_tombstone_is_shown_nowhere() -> None:
    assert expand(Event(event_id="gone", status="cancelled"), [], after=EVER[0], before=EVER[1]) == []


# Periods, and zone names that nobody knows


PERIODS: dict[str, tuple[str, str]] = {
    "a length": ("20261209T150000Z/PT3H", "2026-12-09 09:00 to 2026-12-09 12:00"),
    "an end": ("20261209T150000Z/20261209T171500Z", "2026-12-09 09:00 to 2026-12-09 11:15"),
    "weeks, days and minutes": ("20261209T150000Z/P1DT30M", "2026-12-09 09:00 to 2026-12-10 09:30"),
    "days of the calendar over a change of clocks": (
        "20270313T150000Z/P1DT1H",
        "2027-03-13 09:00 to 2027-03-14 10:00",
    ),
    "hours are exact over a change of clocks": (
        "20270313T150000Z/PT25H",
        "2027-03-13 09:00 to 2027-03-14 11:00",
    ),
    "on a date of the rule": ("20261202T150000Z/PT3H", "2026-12-02 09:00 to 2026-12-02 12:00"),
    "on the first date": ("20261125T150000Z/PT3H", "2026-11-25 09:00 to 2026-11-25 12:00"),
}


@pytest.mark.parametrize(("period", "expected"), PERIODS.values(), ids=PERIODS.keys())
def test_a_period_has_a_length_of_its_own(period: str, expected: str) -> None:
    """RFC 5545 §3.8.5.2, §3.8.5.3."""
    master = series("2026-11-25 09:00", "RRULE:FREQ=WEEKLY;COUNT=2", f"RDATE;VALUE=PERIOD:{period}")
    found = expand(master, [], after=EVER[0], before=EVER[1])
    shown_here = [f"{shown(each)} to {each.end.wall:%Y-%m-%d %H:%M}" for each in found]
    assert expected in shown_here
    assert len(shown_here) == len({shown(each) for each in found}) == 2 + (period[:8] > "20261203")


def test_a_long_period_is_in_a_window_that_begins_after_a_regular_one_would_have_ended() -> None:
    master = series("2026-11-25 09:00", "RDATE;VALUE=PERIOD:20261209T150000Z/P9D")
    assert walls(master, (), window("2026-12-17", "2026-12-18")) == ["2026-12-09 09:00"]


@pytest.mark.parametrize("kind", ["EXDATE", "RDATE"])
@pytest.mark.parametrize(
    "name",
    [
        "Central Standard Time",
        '"Central Standard Time"',
        "GMT+02:00",
        "GMT-0600",
        "America",
        "Mars/Olympus",
        "/citadel.org/20250101_1/America/Chicago",
        "",
        "../../etc/passwd",
    ],
)
def test_a_date_under_a_zone_name_that_nobody_knows_is_read_in_the_series_own_zone(
    kind: str, name: str
) -> None:
    """Failure 62: the series is not set aside for one line, and the doctor is told the name."""
    master = series(
        "2026-12-02 09:00", "RRULE:FREQ=WEEKLY;COUNT=2", f"{kind};X-NOTE=a;TZID={name}:20261209T090000"
    )
    assert walls(master) == ["2026-12-02 09:00", "2026-12-09 09:00"][: 1 if kind == "EXDATE" else 2]
    assert odd_zones(master) == {name.strip('"')}


def test_a_zone_name_that_somebody_knows_is_not_odd() -> None:
    master = series(
        "2026-12-02 09:00",
        "RRULE:FREQ=WEEKLY;COUNT=2",
        f'EXDATE;TZID="{BERLIN}":20261209T160000',
        "RDATE;TZID=UTC:20261210T150000",
        "RDATE:20261211T150000Z",
    )
    assert walls(master) == ["2026-12-02 09:00", "2026-12-10 09:00", "2026-12-11 09:00"]
    assert odd_zones(master) == set()


# Time zones: skipped and doubled hours


ZONES: dict[str, tuple[Event, list[str]]] = {
    "Chicago keeps the clock time across the change": (
        series("2026-10-31 10:00", "RRULE:FREQ=DAILY;COUNT=2"),
        ["2026-10-31 15:00", "2026-11-01 16:00"],
    ),
    "Chicago skips 2:30, and the offset before the gap holds": (
        series("2026-03-07 02:30", "RRULE:FREQ=DAILY;COUNT=3"),
        ["2026-03-07 08:30", "2026-03-08 08:30", "2026-03-09 07:30"],
    ),
    "Chicago doubles 1:30, and the first one holds": (
        series("2026-10-31 01:30", "RRULE:FREQ=DAILY;COUNT=3"),
        ["2026-10-31 06:30", "2026-11-01 06:30", "2026-11-02 07:30"],
    ),
    "Berlin skips 2:30": (
        series("2026-03-28 02:30", "RRULE:FREQ=DAILY;COUNT=3", tzid=BERLIN),
        ["2026-03-28 01:30", "2026-03-29 01:30", "2026-03-30 00:30"],
    ),
    "Berlin doubles 2:30": (
        series("2026-10-24 02:30", "RRULE:FREQ=DAILY;COUNT=3", tzid=BERLIN),
        ["2026-10-24 00:30", "2026-10-25 00:30", "2026-10-26 01:30"],
    ),
    "Lord Howe skips half an hour": (
        series("2026-10-03 02:15", "RRULE:FREQ=DAILY;COUNT=3", tzid=LORD_HOWE),
        ["2026-10-02 15:45", "2026-10-03 15:45", "2026-10-04 15:15"],
    ),
    "Lord Howe doubles half an hour": (
        series("2026-04-04 01:45", "RRULE:FREQ=DAILY;COUNT=3", tzid=LORD_HOWE),
        ["2026-04-03 14:45", "2026-04-04 14:45", "2026-04-05 15:15"],
    ),
    "a fixed offset never changes": (
        Event(
            event_id="master",
            start=EventTime(datetime=dt.datetime(2026, 3, 7, 8, 30, tzinfo=dt.UTC), tzid="-06:00"),
            end=EventTime(datetime=dt.datetime(2026, 3, 7, 9, 0, tzinfo=dt.UTC), tzid="-06:00"),
            recurrence=("RRULE:FREQ=DAILY;COUNT=2",),
        ),
        ["2026-03-07 08:30", "2026-03-08 08:30"],
    ),
}


@pytest.mark.parametrize(("master", "expected"), ZONES.values(), ids=ZONES.keys())
def test_the_instants_of_a_series_across_a_change_of_the_clocks(master: Event, expected: list[str]) -> None:
    """Failure 42."""
    found = expand(master, [], after=EVER[0], before=EVER[1])
    assert [f"{occurrence.start.instant:%Y-%m-%d %H:%M}" for occurrence in found] == expected


def test_an_occurrence_keeps_its_length_when_the_clocks_change() -> None:
    """RFC 5545 §3.8.5.3: an end given as a time stands for an exact length."""
    night = series("2026-10-30 23:00", "RRULE:FREQ=DAILY;COUNT=3", minutes=480)
    found = expand(night, [], after=EVER[0], before=EVER[1])
    assert {occurrence.end.instant - occurrence.start.instant for occurrence in found} == {
        dt.timedelta(hours=8)
    }
    assert [f"{occurrence.end.wall:%H:%M}" for occurrence in found] == ["07:00", "06:00", "07:00"]


@pytest.mark.parametrize("tzid", ["Pacific/Pago_Pago", "Pacific/Kiritimati", CHICAGO])
def test_an_all_day_series_keeps_its_dates_whatever_the_zone(tzid: str) -> None:
    """Failure 43."""
    days = series("2026-03-07", "RRULE:FREQ=DAILY;COUNT=3", tzid=tzid, days=2)
    found = expand(days, [], after=EVER[0], before=EVER[1])
    assert [(str(each.start.date), str(each.end.date)) for each in found] == [
        ("2026-03-07", "2026-03-09"),
        ("2026-03-08", "2026-03-10"),
        ("2026-03-09", "2026-03-11"),
    ]


def test_a_skipped_time_and_the_time_it_falls_on_are_one_occurrence() -> None:
    both = series("2026-03-07 02:30", "RRULE:FREQ=DAILY;BYHOUR=2,3;COUNT=6")
    assert walls(both) == [
        "2026-03-07 02:30", "2026-03-07 03:30", "2026-03-08 03:30", "2026-03-09 02:30", "2026-03-09 03:30",
    ]  # fmt: skip


# Overrides


WEEKLY = series("2026-11-04 10:00", "RRULE:FREQ=WEEKLY;COUNT=4")
ALL = ["2026-11-04 10:00", "2026-11-11 10:00", "2026-11-18 10:00", "2026-11-25 10:00"]


def test_a_moved_date_stands_at_its_own_time_and_names_the_override() -> None:
    """Failure 46."""
    found = expand(WEEKLY, [override("2026-11-11 10:00", "2026-11-12 15:00")], after=EVER[0], before=EVER[1])
    assert [shown(each) for each in found] == [ALL[0], "2026-11-12 15:00", *ALL[2:]]
    assert (found[1].event_id, found[1].key) == ("master_20261111T160000Z", "20261111T160000Z")


def test_a_cancelled_date_is_not_shown() -> None:
    assert walls(WEEKLY, [override("2026-11-11 10:00")]) == [ALL[0], *ALL[2:]]


def test_a_date_moved_before_the_first_comes_first() -> None:
    assert walls(WEEKLY, [override("2026-11-25 10:00", "2026-11-01 09:00")]) == ["2026-11-01 09:00", *ALL[:3]]


def test_a_date_moved_onto_another_leaves_both() -> None:
    moved = override("2026-11-11 10:00", "2026-11-18 10:00")
    assert walls(WEEKLY, [moved]) == [ALL[0], ALL[2], ALL[2], ALL[3]]


def test_an_override_worded_in_another_zone_replaces_the_same_date() -> None:
    moved = override("2026-11-11 17:00", "2026-11-12 20:00", tzid=BERLIN)
    assert len(walls(WEEKLY, [moved])) == len(ALL)


def test_an_override_without_times_that_is_not_cancelled_takes_its_date_away() -> None:
    bare = replace(override("2026-11-11 10:00"), status="confirmed")
    assert walls(WEEKLY, [bare]) == [ALL[0], *ALL[2:]]


def test_a_date_moved_out_of_the_window_leaves_it_and_one_moved_in_enters_it() -> None:
    """Failure 18."""
    november = window("2026-11-08", "2026-11-20")
    out = override("2026-11-11 10:00", "2026-12-24 10:00")
    into = override("2026-11-25 10:00", "2026-11-13 10:00")
    assert walls(WEEKLY, [], november) == ALL[1:3]
    assert walls(WEEKLY, [out, into], november) == ["2026-11-13 10:00", ALL[2]]
    assert walls(WEEKLY, [out], window("2026-12-20", "2026-12-31")) == ["2026-12-24 10:00"]


def test_an_all_day_date_that_became_timed_stands_at_its_time() -> None:
    days = series("2026-11-18", "RRULE:FREQ=DAILY;COUNT=3")
    timed = replace(
        override("2026-11-19"), status="confirmed", start=at("2026-11-19 10:00"), end=at("2026-11-19 11:00")
    )
    assert walls(days, [timed]) == ["2026-11-18", "2026-11-19 10:00", "2026-11-20"]


@pytest.mark.parametrize("first_of_the_new", ["2026-11-18 10:00", "2026-03-08 02:30", "2026-11-01 01:30"])
def test_this_and_following_are_two_series_without_a_gap_or_a_double(first_of_the_new: str) -> None:
    """Google trims the old series to a second before the new one's first date (facts §7)."""
    split = at(first_of_the_new)
    begin = split.wall - dt.timedelta(days=3)
    last = split.instant - dt.timedelta(seconds=1)
    clock = dt.datetime.fromisoformat(first_of_the_new)
    old = series(f"{begin.date()} {clock:%H:%M}", f"RRULE:FREQ=DAILY;UNTIL={last:%Y%m%dT%H%M%SZ}")
    new = series(first_of_the_new, "RRULE:FREQ=DAILY;COUNT=3")
    days = [line[:10] for line in walls(old) + walls(new)]
    assert days == [str(begin.date() + dt.timedelta(days=number)) for number in range(6)]


# The window


def test_the_window_is_half_open_on_both_sides() -> None:
    meeting = series("2026-11-18 10:00")
    assert walls(meeting, [], window("2026-11-18 10:49", "2026-11-19")) == ["2026-11-18 10:00"]
    assert walls(meeting, [], window("2026-11-18 10:50", "2026-11-19")) == []
    assert walls(meeting, [], window("2026-11-17", "2026-11-18 10:00")) == []
    assert walls(meeting, [], window("2026-11-17", "2026-11-18 10:01")) == ["2026-11-18 10:00"]


def test_an_event_of_no_length_counts_at_its_own_moment() -> None:
    """Failure 44."""
    reminder = series("2026-11-18 10:00", "RRULE:FREQ=DAILY;COUNT=2", minutes=0)
    assert walls(reminder, [], window("2026-11-18 10:00", "2026-11-19")) == ["2026-11-18 10:00"]
    assert walls(reminder, [], window("2026-11-17", "2026-11-18 10:00")) == []
    assert walls(reminder) == ["2026-11-18 10:00", "2026-11-19 10:00"]


def test_what_began_long_before_the_window_and_lasts_into_it_is_shown() -> None:
    leave = series("2026-10-01", "RRULE:FREQ=YEARLY", days=60)
    assert walls(leave, [], window("2026-11-20", "2026-11-21")) == ["2026-10-01"]


# Limits


ODD: dict[str, tuple[str, str]] = {
    "no rule at all": ("RRULE:", "recurrence-line"),
    "an unknown line": ("DTSTART:20261118T100000", "recurrence-line"),
    "no frequency": ("RRULE:COUNT=3", "recurrence-rule"),
    "an unknown frequency": ("RRULE:FREQ=FORTNIGHTLY", "recurrence-rule"),
    "an unknown part": ("RRULE:FREQ=DAILY;FOO=1", "recurrence-rule"),
    "an interval of nothing": ("RRULE:FREQ=DAILY;INTERVAL=0", "recurrence-rule"),
    "an interval backwards": ("RRULE:FREQ=MONTHLY;INTERVAL=-1", "recurrence-rule"),
    "a count of nothing": ("RRULE:FREQ=DAILY;COUNT=0", "recurrence-rule"),
    "an impossible end": ("RRULE:FREQ=DAILY;UNTIL=20261301T000000Z", "recurrence-rule"),
    "an end in words": ("RRULE:FREQ=DAILY;UNTIL=tomorrow", "recurrence-rule"),
    "an impossible hour": ("RRULE:FREQ=DAILY;BYHOUR=25", "recurrence-rule"),
    "an impossible day": ("RRULE:FREQ=WEEKLY;BYDAY=XX", "recurrence-rule"),
    "an impossible date": ("EXDATE:20261399T100000", "recurrence-date"),
    "a part for a machine": ("RRULE:FREQ=DAILY;BYEASTER=1", "recurrence-rule"),
    "a month that is none": ("RRULE:FREQ=YEARLY;BYMONTH=13", "recurrence-rule"),
    "the day before the first": ("RRULE:FREQ=MONTHLY;BYMONTHDAY=0", "recurrence-rule"),
    "a weekday of the sixtieth week": ("RRULE:FREQ=YEARLY;BYDAY=60MO", "recurrence-rule"),
    "a period that ends before it begins": (
        "RDATE;VALUE=PERIOD:20261118T160000Z/20261118T150000Z",
        "recurrence-date",
    ),
    "a period of no known length": ("RDATE;VALUE=PERIOD:20261118T160000Z/PT", "recurrence-date"),
    "every second": ("RRULE:FREQ=SECONDLY", "too-many-occurrences"),
    "every minute": ("RRULE:FREQ=MINUTELY", "too-many-occurrences"),
    "every hour": ("RRULE:FREQ=HOURLY", "too-many-occurrences"),
    "every second of every day": (
        "RRULE:FREQ=DAILY;BYHOUR=0,1,2,3;BYMINUTE=" + ",".join(map(str, range(60))),
        "too-many-occurrences",
    ),
}


@pytest.mark.parametrize(("line", "code"), ODD.values(), ids=ODD.keys())
def test_an_odd_rule_is_refused_at_once(line: str, code: str) -> None:
    """Failure 40: the caller quarantines this one event; the rest goes on."""
    with pytest.raises(InvalidCalendarData) as refused:
        walls(series("2026-11-18 10:00", line))
    assert refused.value.code == code


NEVER = {
    "every year": "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
    "every month": "FREQ=MONTHLY;BYDAY=6MO",
    "every week": "FREQ=WEEKLY;BYMONTH=2;BYMONTHDAY=30",
    "every day": "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30",
    "in a week that lies elsewhere": "FREQ=YEARLY;BYWEEKNO=53;BYMONTH=6",
}


@pytest.mark.parametrize("start", ["2026-11-18 10:00", "1990-01-02 10:00"])
@pytest.mark.parametrize("end", ["", ";COUNT=3", ";UNTIL=20991231T000000Z"])
@pytest.mark.parametrize("rule", NEVER.values(), ids=NEVER.keys())
def test_a_rule_that_never_matches_is_given_up_at_the_end_of_the_window(
    start: str, end: str, rule: str
) -> None:
    """Failure 40: no run is held up until the year 9999 has been looked at."""
    master = series(start, f"RRULE:{rule}{end}")
    shown_here: list[str] = []
    assert _calls(lambda: shown_here.extend(walls(master))) <= 146_097
    assert shown_here == ([start] if start > "2020" else [])


def _calls(work: Callable[[], None]) -> int:
    """How many functions were called, a measure of work that no clock and no other load can bend."""
    count = 0

    def note(frame: Any, event: str, argument: Any) -> None:
        nonlocal count
        count += event == "call"

    sys.setprofile(note)
    try:
        work()
    finally:
        sys.setprofile(None)
    return count


def test_a_rule_that_would_have_to_be_counted_for_centuries_is_refused() -> None:
    weekly = "RRULE:FREQ=DAILY;BYDAY=MO;COUNT=100"
    assert walls(series("1700-01-04 10:00", weekly)) == []
    with pytest.raises(InvalidCalendarData, match="too-many-occurrences"):
        walls(series("1500-01-01 10:00", weekly))


def test_a_series_of_more_rules_than_people_need_is_refused() -> None:
    rules = ["RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"]
    assert walls(series("2026-11-18 10:00", *rules * 20)) == ["2026-11-18 10:00"]
    with pytest.raises(InvalidCalendarData, match="too-many-rules"):
        walls(series("2026-11-18 10:00", *rules * 21))


def test_a_series_of_far_years_is_followed_there() -> None:
    """Where there is no room for another cycle of the calendar."""
    far = series("9700-02-28 10:00", "RRULE:FREQ=YEARLY", tzid="UTC")
    found = walls(far, (), window("9701-01-01", "9703-01-01", "UTC"))
    assert found == ["9701-02-28 10:00", "9702-02-28 10:00"]


def test_a_rule_that_runs_off_the_calendar_is_refused() -> None:
    dawn = EventTime(datetime=dt.datetime(1, 1, 1, tzinfo=dt.UTC), tzid=CHICAGO)
    early = replace(series("2026-11-18 10:00", "RRULE:FREQ=YEARLY"), start=dawn)
    with pytest.raises(InvalidCalendarData) as refused:
        expand(early, [], after=EVER[0], before=EVER[1])
    assert refused.value.code == "out-of-range"


def test_an_old_daily_series_is_no_trouble() -> None:
    assert (
        len(walls(series("1990-01-01 10:00", "RRULE:FREQ=DAILY"), [], window("2026-11-01", "2026-12-01")))
        == 30
    )


# Laws


FREQUENCIES = st.sampled_from(
    [
        "FREQ=DAILY", "FREQ=DAILY;INTERVAL=3", "FREQ=DAILY;COUNT=40", "FREQ=WEEKLY;BYDAY=MO,WE,FR",
        "FREQ=WEEKLY;INTERVAL=2", "FREQ=MONTHLY", "FREQ=MONTHLY;BYDAY=-1FR",
        "FREQ=DAILY;UNTIL=20261120T100000Z",
    ]
)  # fmt: skip
STARTS = st.sampled_from(
    ["2026-03-06 02:30", "2026-10-23 02:30", "2026-10-30 01:30", "2026-10-02 02:15", "2026-09-01 10:00"]
)
MASTERS = st.builds(
    lambda start, rule, tzid, minutes: series(start, f"RRULE:{rule}", tzid=tzid, minutes=minutes),
    STARTS,
    FREQUENCIES,
    st.sampled_from([CHICAGO, BERLIN, LORD_HOWE]),
    st.sampled_from([0, 50, 1440, 5000]),
) | st.builds(
    lambda rule, days: series("2026-09-01", f"RRULE:{rule}", days=days), FREQUENCIES, st.sampled_from([1, 3])
)
JANUARY = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
CUTS = st.lists(st.integers(0, 525_600), min_size=2, max_size=5, unique=True).map(
    lambda minutes: [JANUARY + dt.timedelta(minutes=each) for each in sorted(minutes)]
)


@st.composite
def overridden(draw: st.DrawFn) -> tuple[Event, list[Event]]:
    """A series, and some of its dates moved or cancelled."""
    master = draw(MASTERS)
    dates = expand(master, [], after=JANUARY, before=JANUARY + dt.timedelta(days=365))
    changed = draw(st.lists(st.sampled_from(dates), max_size=3, unique_by=lambda each: each.key))
    return master, [_changed(each, draw(st.integers(-200, 200)), draw(st.booleans())) for each in changed]


def _changed(occurrence: Occurrence, hours: int, is_cancelled: bool) -> Event:
    start = occurrence.start.instant + dt.timedelta(hours=hours)
    return Event(
        event_id=f"master_{occurrence.key}",
        recurring_event_id="master",
        original_start=occurrence.start,
        status="cancelled" if is_cancelled else "confirmed",
        start=EventTime(datetime=start, tzid="UTC"),
        end=EventTime(datetime=start + dt.timedelta(hours=1), tzid="UTC"),
    )


@settings(max_examples=25)
@given(overridden(), CUTS)
def test_a_window_cut_into_pieces_shows_the_same(made: tuple[Event, list[Event]], cuts: list[Any]) -> None:
    master, overrides = made
    whole = expand(master, overrides, after=cuts[0], before=cuts[-1])
    pieces = [
        occurrence
        for after, before in itertools.pairwise(cuts)
        for occurrence in expand(master, overrides, after=after, before=before)
    ]
    assert set(pieces) == set(whole)


@settings(max_examples=25)
@given(overridden(), CUTS)
def test_every_occurrence_touches_the_window_and_each_date_is_shown_at_most_once(
    made: tuple[Event, list[Event]], cuts: list[Any]
) -> None:
    master, overrides = made
    after, before = cuts[0], cuts[-1]
    found = expand(master, overrides, after=after, before=before)
    for each in found:
        assert each.start.instant < before
        assert each.end.instant > after or each.start == each.end
    keys = [each.key for each in found]
    assert len(keys) == len(set(keys))
    assert keys == [each.key for each in sorted(found, key=lambda each: (each.start.instant, each.key))]
    cancelled = {each.original_start.key for each in overrides if each.is_cancelled and each.original_start}
    assert not cancelled & set(keys)


# An oracle of its own


def instant_of(wall: dt.datetime, tzid: str) -> dt.datetime:
    """The instant at which the zone's clocks show this, tried with the offsets of the day before and after.

    Of a doubled time the first counts; a skipped one takes the offset before the gap.
    """
    place = ZoneInfo(tzid)
    guess = wall.replace(tzinfo=dt.UTC)
    offsets = [(guess + dt.timedelta(days=days)).astimezone(place).utcoffset() for days in (-1, 1)]
    moments = [guess - offset for offset in offsets if offset is not None]
    right = [moment for moment in moments if moment.astimezone(place).replace(tzinfo=None) == wall]
    return min(right, default=moments[0])


def weekly_walls(first: dt.datetime, number: int) -> list[dt.datetime]:
    return [first + dt.timedelta(weeks=week) for week in range(number)]


def monthly_walls(first: dt.datetime, number: int) -> list[dt.datetime]:
    """The same day of each month that has it."""
    months = (divmod(first.month - 1 + step, 12) for step in range(number))
    return [
        first.replace(year=first.year + years, month=month + 1)
        for years, month in months
        if first.day <= calendar.monthrange(first.year + years, month + 1)[1]
    ]


@pytest.mark.parametrize("clock", ["00:00", "01:45", "02:15", "23:45"])
@pytest.mark.parametrize(
    "tzid",
    [CHICAGO, BERLIN, LORD_HOWE, "America/St_Johns", "Africa/Casablanca", "Asia/Gaza", "America/Santiago"],
)
@pytest.mark.parametrize(("rule", "step"), [("WEEKLY", weekly_walls), ("MONTHLY", monthly_walls)])
def test_series_agree_with_plain_counting(
    tzid: str, clock: str, rule: str, step: Callable[[dt.datetime, int], list[dt.datetime]]
) -> None:
    first = dt.datetime.fromisoformat(f"2026-01-04 {clock}")
    if rule == "MONTHLY":
        first = first.replace(day=29)
    expected = [instant_of(wall, tzid) for wall in step(first, 60)]
    master = series(str(first), f"RRULE:FREQ={rule}", tzid=tzid)
    window_of = expected[0], expected[-1] + dt.timedelta(minutes=1)
    found = expand(master, [], after=window_of[0], before=window_of[1])
    assert [each.start.instant for each in found] == expected


# An independent implementation, in every zone (scripts/independent-recurrence)


def distinct_zones() -> list[str]:
    """One name for each different table of offsets from 2024 to 2030, found by looking at every half day."""
    moments = [dt.datetime(2024, 1, 1, tzinfo=dt.UTC) + dt.timedelta(hours=12 * step) for step in range(5114)]
    tables: dict[tuple[Any, ...], str] = {}
    for tzid in sorted(available_zones()):
        place = ZoneInfo(tzid)
        offsets = [(moment, moment.astimezone(place).utcoffset()) for moment in moments]
        changes = [
            (_turn(place, before, after), offset)
            for (before, old), (after, offset) in itertools.pairwise(offsets)
            if old != offset
        ]
        tables.setdefault((offsets[0][1], *changes), tzid)
    return sorted(tables.values())


def available_zones() -> set[str]:
    """Real places; `localtime` and the like differ from machine to machine."""
    names = zoneinfo.available_timezones()
    return {name for name in names if "/" in name and not name.startswith(("posix/", "right/"))}


def _turn(place: ZoneInfo, before: dt.datetime, after: dt.datetime) -> dt.datetime:
    """The minute in which the offset changes between two moments."""
    old = before.astimezone(place).utcoffset()
    while after - before > dt.timedelta(minutes=1):
        middle = before + (after - before) / 2
        if middle.astimezone(place).utcoffset() == old:
            before = middle
        else:
            after = middle
    return after.replace(second=0, microsecond=0)


@pytest.mark.long
def test_series_agree_with_an_independent_implementation_in_every_zone() -> None:
    zones = distinct_zones()
    assert len(zones) > 60
    cases = [
        {"tzid": tzid, "start": start, "rule": rule}
        for tzid in zones
        for start, rule in (
            ("20240107T001500", "FREQ=WEEKLY"),
            ("20240107T023000", "FREQ=WEEKLY;BYDAY=SU,TH,SA"),
            ("20240131T233000", "FREQ=MONTHLY"),
            ("20240128T014500", "FREQ=MONTHLY;BYDAY=-1SU"),
        )
    ]
    script = Path(__file__).resolve().parents[2] / "scripts" / "independent-recurrence"
    answer = subprocess.run([script], input=json.dumps(cases), capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr
    theirs = json.loads(answer.stdout)
    assert min(map(len, theirs)) > 45
    assert [case for case, starts in zip(cases, theirs, strict=True) if ours(**case) != starts] == []


def ours(tzid: str, start: str, rule: str) -> list[str]:
    """What the script answers for the same case."""
    first = dt.datetime.strptime(start, "%Y%m%dT%H%M%S")  # noqa: DTZ007 (wall time on purpose)
    master = series(str(first), f"RRULE:{rule}", tzid=tzid)
    years = dt.datetime(2024, 1, 1, tzinfo=dt.UTC), dt.datetime(2031, 1, 1, tzinfo=dt.UTC)
    return sorted(each.start.key for each in expand(master, [], after=years[0], before=years[1]))
