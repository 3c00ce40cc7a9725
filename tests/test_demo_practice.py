"""The demo's weeks are believable on whatever day it is started."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from demo.practice import (
    CLIENTS,
    LOCATIONS,
    PROVIDERS,
    TIMEZONE,
    TYPES,
    WEEKS,
    WREN,
    OtherEvent,
    Outcome,
    Planned,
    Session,
    plan,
)

MONDAY = dt.datetime(2026, 3, 2, 7, 0, tzinfo=ZoneInfo(TIMEZONE))  # the week after it, clocks change
EVERY_DAY = [MONDAY + dt.timedelta(days=n, hours=n) for n in range(14)]


def start_of(planned: Planned) -> dt.datetime:
    return dt.datetime.combine(planned.date, planned.entry.start or dt.time(0), ZoneInfo(TIMEZONE))


def this_week(planned: list[Planned], now: dt.datetime) -> list[Planned]:
    monday = now.date() - dt.timedelta(days=now.weekday())
    return [entry for entry in planned if monday <= entry.date < monday + dt.timedelta(weeks=1)]


@pytest.mark.parametrize("now", EVERY_DAY)
def test_the_current_week_is_full(now: dt.datetime) -> None:
    entries = this_week(plan(WREN, now), now)
    assert len(entries) == len(WEEKS[WREN])
    assert {entry.date.weekday() for entry in entries} == {0, 1, 2, 3, 4}


@pytest.mark.parametrize("now", EVERY_DAY)
def test_only_what_is_over_was_kept_or_missed(now: dt.datetime) -> None:
    for entry in plan(WREN, now):
        if entry.outcome in (Outcome.KEPT, Outcome.NO_SHOW):
            assert start_of(entry) < now
        elif isinstance(entry.entry, Session) and entry.outcome is None:
            assert start_of(entry) + dt.timedelta(minutes=entry.entry.minutes) > now


@pytest.mark.parametrize("now", EVERY_DAY)
def test_every_kind_of_outcome_can_be_seen_on_any_day(now: dt.datetime) -> None:
    assert {entry.outcome for entry in plan(WREN, now)} == {None, *Outcome}


def test_every_session_is_of_a_type_and_at_a_place_the_practice_offers() -> None:
    sessions = [entry for person in PROVIDERS for entry in WEEKS[person] if isinstance(entry, Session)]
    assert {session.type for session in sessions} == set(TYPES)
    assert {session.location for session in sessions} == set(LOCATIONS)


def test_every_session_is_with_a_client_of_that_provider() -> None:
    for person in PROVIDERS:
        sessions = [entry for entry in WEEKS[person] if isinstance(entry, Session)]
        assert {session.client for session in sessions} <= set(CLIENTS[person])


def test_there_is_an_all_day_event_and_a_timed_one() -> None:
    others = [entry for entry in WEEKS[WREN] if isinstance(entry, OtherEvent)]
    assert sorted((entry.title, entry.start is None) for entry in others) == [
        ("Letters", False),
        ("Notes day", True),
    ]
