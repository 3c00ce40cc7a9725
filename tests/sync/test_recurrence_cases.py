"""tests/cases/recurrence.json in the core: what public bug reports of other calendars got wrong."""

from __future__ import annotations

import datetime as dt

import pytest

from portal.sync.event import Event, EventTime
from portal.sync.recurrence import expand, odd_zones
from tests.recurrence_cases import CASES, ZONE, Case


def master_of(case: Case) -> Event:
    if case.is_all_day:
        start = EventTime(date=case.first.date())
        end = EventTime(date=case.first.date() + dt.timedelta(days=1))
    else:
        start = EventTime(datetime=case.first, tzid=ZONE)
        end = EventTime(datetime=case.first + dt.timedelta(hours=case.hours), tzid=ZONE)
    return Event(event_id="master", start=start, end=end, recurrence=case.lines)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.kind)
def test_each_sample_has_its_right_dates_and_lengths(case: Case) -> None:
    """Failures 56, 57, 58 and 62."""
    before = dt.datetime.fromisoformat(f"{case.last_day}T23:59:59Z")
    found = expand(master_of(case), (), after=case.first - dt.timedelta(days=1), before=before)
    assert tuple(f"{each.start.wall:%Y-%m-%d}" for each in found) == case.days
    if not case.is_all_day:
        assert found[-1].end.instant - found[-1].start.instant == dt.timedelta(hours=case.last_hours)


def test_an_odd_zone_name_is_told() -> None:
    odd = [case for case in CASES if odd_zones(master_of(case))]
    assert [odd_zones(master_of(case)) for case in odd] == [{"Central Standard Time"}]
