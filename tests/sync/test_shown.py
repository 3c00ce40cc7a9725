"""Whether an event is shown, and its dates: of a series, of a single event, of a date without its series."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace
from pathlib import Path

import pytest

from portal.google.codec import from_google
from portal.sync.event import Event, EventTime
from portal.sync.shown import KEPT_BEFORE, REASONS, dates_of, why_not

CASES = json.loads((Path(__file__).parents[1] / "cases" / "inward.json").read_text())
LISTED = next(case["listed"] for case in CASES if "listed" in case)
NOW = dt.datetime(2027, 1, 1, tzinfo=dt.UTC)
AFTER, BEFORE = NOW - KEPT_BEFORE, NOW + dt.timedelta(days=400)
DATE = from_google(LISTED)


def at(day: int, hour: int = 16) -> EventTime:
    return EventTime(datetime=dt.datetime(2027, 1, day, hour, tzinfo=dt.UTC), tzid="America/Chicago")


def master(*, count: int = 3, start: EventTime | None = None) -> Event:
    start = start or at(5)
    assert start.datetime is not None
    end = replace(start, datetime=start.datetime + dt.timedelta(hours=1))
    rule = f"RRULE:FREQ=DAILY;COUNT={count}"
    return Event(event_id="0notmine", start=start, end=end, recurrence=(rule,), summary="Series")


def starts(*events: Event) -> list[tuple[str, EventTime]]:
    found = dates_of(events, after=AFTER, before=BEFORE).occurrences
    return [(occurrence.event_id, occurrence.start) for occurrence in found]


def test_a_date_without_its_series_is_an_event_of_its_own() -> None:
    (date,) = dates_of([DATE], after=AFTER, before=BEFORE).occurrences
    assert date.event_id == LISTED["id"]
    assert date.start.instant == dt.datetime.fromisoformat(LISTED["start"]["dateTime"])
    assert date.end.instant == dt.datetime.fromisoformat(LISTED["end"]["dateTime"])
    assert why_not(DATE, date.end, now=NOW) is None


def test_its_name_stays_when_the_series_comes() -> None:
    (alone,) = dates_of([DATE], after=AFTER, before=BEFORE).occurrences
    with_series = dates_of([DATE, master()], after=AFTER, before=BEFORE).occurrences
    assert alone in with_series
    assert [(each.event_id, each.start) for each in with_series] == [
        (DATE.event_id, at(5)),
        ("0notmine", at(6)),
        ("0notmine", at(7)),
    ]


def test_a_moved_date_stands_at_its_own_time_with_its_series_or_without() -> None:
    moved = replace(DATE, start=at(9), end=at(9, 17))
    assert starts(moved) == [(DATE.event_id, at(9))]
    assert starts(master(), moved) == [("0notmine", at(6)), ("0notmine", at(7)), (DATE.event_id, at(9))]


def test_a_cancelled_date_without_its_series_is_nothing() -> None:
    bare = Event(event_id="x", status="cancelled", recurring_event_id="0notmine", original_start=at(6))
    assert starts(bare) == []
    assert starts(bare, master()) == [("0notmine", at(5)), ("0notmine", at(7))]


@pytest.mark.parametrize(
    "series",
    [
        replace(master(), recurrence=("RRULE:FREQ=NEVER",)),
        Event(event_id="0notmine"),  # as an odd one is kept
        Event(event_id="0notmine", status="cancelled"),
    ],
    ids=["rules that make no sense", "set aside", "deleted"],
)
def test_a_date_of_a_series_that_cannot_be_followed_stands_by_itself(series: Event) -> None:
    assert starts(series, DATE) == [(DATE.event_id, at(5))]


def test_rules_that_cannot_be_followed_are_told() -> None:
    odd = replace(master(), recurrence=("RRULE:FREQ=NEVER",))
    assert dates_of([odd], after=AFTER, before=BEFORE).odd == "recurrence-rule"
    assert dates_of([master()], after=AFTER, before=BEFORE).odd is None


def test_dates_that_are_left_of_a_series_made_single_stay() -> None:
    single = replace(master(), recurrence=(), start=at(20), end=at(20, 17))
    assert starts(single, DATE) == [("0notmine", at(20)), (DATE.event_id, at(5))]


def test_a_date_outside_the_window_is_not_given() -> None:
    for day in (NOW - KEPT_BEFORE - dt.timedelta(days=1), NOW + dt.timedelta(days=401)):
        start = EventTime(datetime=day)
        far = replace(DATE, start=start, end=replace(start, datetime=day + dt.timedelta(hours=1)))
        assert starts(far) == []
    edge = EventTime(datetime=AFTER)
    assert starts(replace(DATE, start=edge, end=edge)) == [(DATE.event_id, edge)]


SHOWN = Event(event_id="e", start=at(5), end=at(5, 17))


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        (SHOWN, None),
        (replace(SHOWN, transparency="transparent"), None),
        (replace(SHOWN, visibility="private"), None),
        (replace(SHOWN, status="tentative"), None),
        (replace(SHOWN, event_type="outOfOffice"), None),
        (replace(SHOWN, event_type="focusTime"), None),
        (replace(SHOWN, event_type="something-new"), None),
        (replace(SHOWN, self_response="needsAction"), None),
        (replace(SHOWN, status="cancelled"), "cancelled"),
        (replace(SHOWN, self_response="declined"), "declined"),
        (replace(SHOWN, event_type="birthday"), "birthday"),
        (replace(SHOWN, event_type="workingLocation"), "working-location"),
    ],
)
def test_why_an_event_is_not_shown(event: Event, reason: str | None) -> None:
    assert why_not(event, event.end, now=NOW) == reason
    assert reason is None or reason in REASONS


def test_what_ended_ninety_days_ago_is_not_shown() -> None:
    moment = EventTime(datetime=NOW - KEPT_BEFORE)
    later = EventTime(datetime=NOW - KEPT_BEFORE + dt.timedelta(seconds=1))
    assert why_not(SHOWN, moment, now=NOW) == "too-old"
    assert why_not(SHOWN, later, now=NOW) is None


def test_what_was_set_aside_is_told_as_that() -> None:
    assert why_not(SHOWN, None, now=NOW, is_understood=False) == "not-understood"
