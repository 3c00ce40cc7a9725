"""Event times and content hashes: equal exactly when both sides mean the same."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.sync.event import Content, Event, EventTime, zone

CHICAGO = "America/Chicago"
NOON = dt.datetime(2026, 7, 1, 17, 0, tzinfo=dt.UTC)
ZONES = st.sampled_from([CHICAGO, "Europe/Berlin", "Australia/Lord_Howe", "UTC", "+05:45", "-03:30"])
INSTANTS = st.integers(0, 2_800_000_000).map(lambda seconds: dt.datetime.fromtimestamp(seconds, dt.UTC))
TIMES = st.one_of(
    st.dates().map(lambda date: EventTime(date=date)),
    st.builds(EventTime, datetime=INSTANTS, tzid=ZONES),
)
TEXT = st.text(max_size=30)


def content(**changes: Any) -> Content:
    values: dict[str, Any] = {
        "summary": "1042",
        "start": EventTime(datetime=NOON, tzid=CHICAGO),
        "end": EventTime(datetime=NOON + dt.timedelta(minutes=50), tzid=CHICAGO),
    }
    return Content(**{**values, **changes})


@given(TIMES)
def test_a_time_comes_back_from_json_as_it_went(time: EventTime) -> None:
    assert EventTime.from_json(json.loads(json.dumps(time.to_json()))) == time


@pytest.mark.parametrize("values", [{}, {"date": dt.date(2026, 7, 1), "datetime": NOON}])
def test_a_time_is_either_a_date_or_an_instant(values: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="either"):
        EventTime(**values)


@given(INSTANTS, ZONES)
def test_the_wall_time_is_the_instant_in_the_events_own_zone(instant: dt.datetime, tzid: str) -> None:
    time = EventTime(datetime=instant.astimezone(ZoneInfo("Asia/Tokyo")), tzid=tzid)
    assert time.datetime == instant
    assert time.datetime.tzinfo is dt.UTC
    assert time.wall == instant.astimezone(zone(tzid)).replace(tzinfo=None)


def test_a_date_has_a_midnight_of_its_own_and_no_zone() -> None:
    """Failure 43: a date is never the midnight of somebody's zone."""
    time = EventTime(date=dt.date(2026, 7, 1))
    assert time.is_all_day
    assert time.wall == dt.datetime.combine(dt.date(2026, 7, 1), dt.time())
    assert time.key == "20260701"
    assert time.to_json() == {"date": "2026-07-01"}


def test_a_key_is_what_google_puts_after_the_masters_id() -> None:
    """Facts §7: the original start in UTC, or the date."""
    assert EventTime(datetime=NOON, tzid=CHICAGO).key == "20260701T170000Z"


@pytest.mark.parametrize(
    ("tzid", "offset"), [("+02:00", 120), ("-03:30", -210), ("+00:00", 0), ("-00:30", -30)]
)
def test_an_offset_serves_as_a_zone(tzid: str, offset: int) -> None:
    assert zone(tzid).utcoffset(None) == dt.timedelta(minutes=offset)


@given(ZONES, ZONES)
def test_the_wording_of_a_zone_does_not_count(one: str, other: str) -> None:
    """Failure 7: Google answers in zones and offsets of its own choice."""
    end = NOON + dt.timedelta(minutes=50)
    first, second = (
        content(start=EventTime(datetime=NOON, tzid=tzid), end=EventTime(datetime=end, tzid=tzid))
        for tzid in (one, other)
    )
    assert first.content_hash() == second.content_hash()
    assert first.same_times(second)


@given(st.lists(st.text(alphabet="abcäß漢🙂", min_size=1, max_size=5), max_size=4), st.data())
def test_white_space_in_a_title_does_not_count(words: list[str], data: st.DataObject) -> None:
    spaces = st.sampled_from([" ", "  ", "\n", "\t", " \r\n ", "\u00a0"])
    padded = data.draw(spaces) + "".join(word + data.draw(spaces) for word in words)
    assert content(summary=padded).content_hash() == content(summary=" ".join(words)).content_hash()


DIFFERENT: list[dict[str, Any]] = [
    {"summary": "1043"},
    {"summary": "10 42"},
    {"start": EventTime(datetime=NOON - dt.timedelta(minutes=1), tzid=CHICAGO)},
    {"end": EventTime(datetime=NOON + dt.timedelta(minutes=51), tzid=CHICAGO)},
    {"start": EventTime(date=NOON.date()), "end": EventTime(date=NOON.date() + dt.timedelta(days=1))},
    {"transparency": "transparent"},
    {"visibility": "default"},
    {"status": "tentative"},
    {"recurrence": ("RRULE:FREQ=WEEKLY",)},
]


def test_every_other_difference_counts() -> None:
    hashes = [content(**change).content_hash() for change in ({}, *DIFFERENT)]
    assert len(set(hashes)) == len(hashes)


def test_only_start_and_end_count_as_times() -> None:
    same = [change for change in DIFFERENT if content(**change).same_times(content())]
    assert same == [change for change in DIFFERENT if not {"start", "end"} & change.keys()]


@given(TEXT, TEXT, TIMES, TIMES)
def test_a_hash_tells_no_text_and_no_field_flows_into_the_next(
    one: str, other: str, start: EventTime, end: EventTime
) -> None:
    made = content(summary=one, start=start, end=end, visibility=other)
    swapped = replace(made, summary=other, visibility=one)
    assert len(made.content_hash()) == 64
    assert len(made.times_hash()) == 32
    if " ".join(one.split()) != " ".join(other.split()):
        assert made.content_hash() != swapped.content_hash()


def test_a_tombstone_without_times_has_no_content() -> None:
    assert Event(event_id="e0", status="cancelled").content is None


def test_an_events_content_is_what_is_ours_on_it() -> None:
    made = content(summary="1042", visibility="private")
    seen = Event(
        event_id="e0",
        summary="1042",
        start=made.start,
        end=made.end,
        visibility="private",
        html_link="https://calendar.google.com/event?eid=1",
        self_response="accepted",
        event_type="focusTime",
    )
    assert seen.content == made
