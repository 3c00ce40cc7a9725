"""Google events come here once each, follow what is done to them there, and go when they go."""

from __future__ import annotations

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from portal.engine.connection_run import Outcome
from portal.extensions import db
from portal.models import GoogleEvent
from tests.engine.conftest import EMAIL, ZONE, Office


def timed(office: Office, *, days: int = 1, hour: int = 12, minutes: int = 60) -> dict[str, Any]:
    """Start and end of an event `days` from today, at `hour` in the provider's zone."""
    day = (office.clock() + dt.timedelta(days=days)).date()
    start = dt.datetime.combine(day, dt.time(hour), ZoneInfo(ZONE))
    end = start + dt.timedelta(minutes=minutes)
    return {
        "start": {"dateTime": start.isoformat(), "timeZone": ZONE},
        "end": {"dateTime": end.isoformat(), "timeZone": ZONE},
    }


def test_a_personal_event_is_here_once_and_follows_its_changes(office: Office) -> None:
    event = office.google.add_event(EMAIL, summary="Lunch", **timed(office))
    office.connect_and_rest()
    (occurrence,) = office.occurrences()
    assert occurrence.event.summary == "Lunch"
    office.google.change_event(EMAIL, "primary", event["id"], summary="Late lunch", **timed(office, hour=14))
    office.rest()
    (occurrence,) = office.occurrences()
    assert occurrence.event.summary == "Late lunch"
    assert occurrence.starts_at.astimezone(ZoneInfo(ZONE)).hour == 14
    office.google.delete_event(EMAIL, "primary", event["id"])
    office.rest()
    assert office.occurrences() == []
    assert office.google.writes() == 0
    office.assert_it_still_writes()


def test_a_series_is_expanded_with_its_moved_and_its_cancelled_dates(office: Office) -> None:
    master = office.google.add_event(
        EMAIL, summary="Gym", recurrence=["RRULE:FREQ=DAILY;COUNT=5"], **timed(office, hour=7)
    )
    office.connect_and_rest()
    first, second, third, *others = [occurrence.occurrence_key for occurrence in office.occurrences()]
    assert len(others) == 2
    office.google.delete_event(EMAIL, "primary", f"{master['id']}_{second}")
    moved = timed(office, days=30, hour=9)
    office.google.change_event(EMAIL, "primary", f"{master['id']}_{third}", **moved)
    office.rest()
    keys = [occurrence.occurrence_key for occurrence in office.occurrences()]
    assert second not in keys
    assert keys[0] == first
    assert keys[-1] == third
    assert len(keys) == 4
    office.google.delete_event(EMAIL, "primary", master["id"])
    office.rest()
    assert office.occurrences() == []
    assert db.session.scalars(db.select(GoogleEvent)).all() == []


def test_an_all_day_event_keeps_its_dates(office: Office) -> None:
    day = (office.clock() + dt.timedelta(days=3)).date()
    end = day + dt.timedelta(days=2)
    office.google.add_event(
        EMAIL, summary="Visit", start={"date": day.isoformat()}, end={"date": end.isoformat()}
    )
    office.connect_and_rest()
    (occurrence,) = office.occurrences()
    assert (occurrence.all_day, occurrence.start_date, occurrence.end_date) == (True, day, end)


def test_our_own_events_are_not_imported_and_one_made_by_hand_in_the_app_calendar_is(office: Office) -> None:
    office.book()
    office.connect_and_rest()
    office.rest()
    assert office.occurrences() == []
    office.google.add_event(EMAIL, office.app_calendar_id, summary="By hand", **timed(office))
    office.rest()
    assert office.shown() == ["By hand"]
    assert office.google.writes() == 0
    office.assert_it_still_writes()


def test_a_copy_of_our_event_is_a_google_event_like_any_other(office: Office) -> None:
    """Failure 3: the copy carries a tag that names another event."""
    appointment = office.book()
    office.connect_and_rest()
    event = office.event_of(appointment)
    office.google.act_on_event(EMAIL, office.app_calendar_id, event["id"], "duplicate")
    office.rest()
    assert len(office.shown()) == 1
    assert len(office.app_events()) == 2
    assert office.google.writes() == 0
    office.assert_it_still_writes()


@pytest.mark.parametrize("answer", ["full_sync_required", "invalid_sync_token"])
def test_a_refused_sync_token_brings_a_full_pass_that_also_finds_what_was_deleted(
    office: Office, answer: str
) -> None:
    """Failures 14, 15 and 16."""
    gone = office.google.add_event(EMAIL, summary="Gone in the gap", **timed(office, days=2))
    office.google.add_event(EMAIL, summary="Stays", **timed(office, days=3))
    office.connect_and_rest()
    office.google.delete_event(EMAIL, "primary", gone["id"])
    office.google.add_event(EMAIL, summary="New in the gap", **timed(office, days=4))
    office.google.add_fault(answer, method="calendar.events.list", params=["syncToken"], times=2)
    office.rest()
    assert sorted(office.shown()) == ["New in the gap", "Stays"]


def test_an_empty_page_is_not_the_end(office: Office) -> None:
    """Failure 13."""
    office.google.add_event(EMAIL, summary="Behind an empty page", **timed(office))
    office.connect()
    office.google.add_fault("empty_page", method="calendar.events.list", calendar="primary", times=1)
    office.rest()
    assert office.shown() == ["Behind an empty page"]


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "backend_error"},
        {"kind": "backend_error", "status": 500},
        {"kind": "rate_limit"},
        {"kind": "quota_exceeded"},
        {"kind": "forbidden"},
        {"kind": "not_found"},
        {"kind": "insufficient_permissions"},
        {"kind": "malformed_json"},
        {"kind": "reset"},
    ],
    ids=lambda fault: "-".join(map(str, fault.values())),
)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_no_failing_read_takes_anything_away(office: Office, fault: dict[str, Any]) -> None:
    """Failures 11 and 12: an error is not a deletion."""
    appointment = office.book()
    office.google.add_event(EMAIL, summary="Lunch", **timed(office))
    office.connect_and_rest()
    office.google.add_fault(**fault, method="calendar.*.list", times=None)
    office.google.add_fault(**fault, method="calendar.*.get", times=None)
    for full in (False, True):
        office.run(full=full)
    db.session.expire_all()
    assert appointment.is_live
    assert office.shown() == ["Lunch"]
    office.google.clear_faults()
    assert len(office.app_events()) == 1


def test_a_hand_over_between_pages_goes_on_where_it_stopped(office: Office) -> None:
    office.google.add_event(EMAIL, summary="Lunch", **timed(office))
    office.connect()
    office.google.add_fault("empty_page", method="calendar.events.list", calendar="primary", times=1)
    assert office.run(seconds=0) is Outcome.MORE
    assert office.occurrences() == []
    office.rest()
    assert office.shown() == ["Lunch"]


def test_an_odd_event_is_set_aside_and_the_rest_goes_on(office: Office) -> None:
    """Failure 40."""
    office.google.add_event(
        EMAIL, summary="Odd", recurrence=["RRULE:FREQ=MINUTELY"], **timed(office, minutes=1)
    )
    office.google.add_event(EMAIL, summary="Plain", **timed(office, days=2))
    office.connect_and_rest()
    assert office.shown() == ["Plain"]
    (row,) = db.session.scalars(db.select(GoogleEvent).where(GoogleEvent.quarantine.is_not(None)))
    assert row.quarantine == "too-many-occurrences"
