"""tests/cases/recurrence.json through the engine: from Google's list to the rows, on both databases."""

from __future__ import annotations

import datetime as dt
from typing import Any

from portal.connection import current
from portal.extensions import db
from portal.models import GoogleEvent
from portal.standing import checks
from tests.engine.conftest import EMAIL, Office
from tests.recurrence_cases import CASES, ZONE, Case


def event_of(case: Case) -> dict[str, Any]:
    if case.is_all_day:
        day = case.first.date()
        times = {"start": {"date": f"{day}"}, "end": {"date": f"{day + dt.timedelta(days=1)}"}}
    else:
        end = case.first + dt.timedelta(hours=case.hours)
        times = {
            "start": {"dateTime": case.first.isoformat(), "timeZone": ZONE},
            "end": {"dateTime": end.isoformat(), "timeZone": ZONE},
        }
    return {"summary": case.kind, "recurrence": list(case.lines), **times}


def test_each_sample_is_stored_with_its_right_dates_and_none_is_set_aside(office: Office) -> None:
    """Failures 56, 57, 58 and 62."""
    office.clock.ahead = dt.datetime(2026, 12, 1, 12, tzinfo=dt.UTC) - dt.datetime.now(dt.UTC)
    for case in CASES:
        office.google.add_event(EMAIL, **event_of(case))
    office.connect_and_rest()
    shown: dict[str, list[Any]] = {}
    for occurrence in office.occurrences():
        shown.setdefault(occurrence.event.summary, []).append(occurrence)
    for case in CASES:
        dates = sorted(shown[case.kind], key=lambda each: each.starts_at)
        days = [str(each.start_date or each.starts_at.astimezone(case.first.tzinfo).date()) for each in dates]
        assert tuple(day for day in days if day <= case.last_day) == case.days, case.kind
        if not case.is_all_day:
            assert dates[-1].ends_at - dates[-1].starts_at == dt.timedelta(hours=case.last_hours)
    assert db.session.scalars(db.select(GoogleEvent.quarantine).distinct()).all() == [None]


def test_a_series_with_an_odd_zone_name_is_listed_by_the_doctor(office: Office) -> None:
    """Failure 62: shown whole, and told of; the others are not."""
    office.clock.ahead = dt.datetime(2026, 12, 1, 12, tzinfo=dt.UTC) - dt.datetime.now(dt.UTC)
    for case in CASES:
        office.google.add_event(EMAIL, **event_of(case))
    office.connect_and_rest()
    connection = current.live_connection(office.provider)
    assert connection is not None
    (odd,) = [case.kind for case in CASES if "Central Standard Time" in str(case.lines)]
    assert [row.summary for row in checks.oddly_zoned(connection)] == [odd]
    *_, lines = checks.examine_provider(office.provider, now=office.clock())
    assert [line.full_code for line in lines if line.id == "quarantine"] == ["odd-zone-1"]
