"""The doctor's lines, told from values alone."""

from __future__ import annotations

import datetime as dt

import pytest

from portal.sync import health
from portal.sync.checkup import Checks, examine, pick
from portal.sync.duplicates import Duplicate, Kind
from portal.sync.health import ConnectionFacts

NOW = dt.datetime(2026, 11, 18, 17, 20, tzinfo=dt.UTC)


def code(line: str, facts: ConnectionFacts, checks: Checks) -> str:
    (found,) = pick(examine(facts, health.tell(facts, now=NOW), checks, now=NOW), line)
    return f"{found.level.name.lower()} {found.full_code}"


@pytest.mark.parametrize(
    ("phase", "channels", "said"),
    [
        ("first-sync", 0, "good begins"),
        ("first-sync", 2, "good alive"),
        ("active", 0, "warn not-alive-2"),
        ("active", 1, "warn not-alive-1"),
        ("active", 2, "good alive"),
    ],
)
def test_a_channel_that_cannot_be_there_yet_is_no_trouble(phase: str, channels: int, said: str) -> None:
    facts = ConnectionFacts(mode="two-way", phase=phase, email="wren.hale@example.com")
    assert code("channel", facts, Checks(can_push=True, watchable=2, channels=channels)) == said


EVENT = Duplicate(kind=Kind.COPY, calendar=1, summary="Gym")
CALENDAR = Duplicate(kind=Kind.SUBSCRIPTION, calendar=1, summary="Lake levels")


@pytest.mark.parametrize(
    ("checks", "said"),
    [
        (Checks(), "good none"),
        (Checks(duplicates=(EVENT, EVENT)), "warn twice-2"),
        (Checks(duplicates=(EVENT, CALENDAR)), "warn twice-1"),
        (Checks(duplicates=(CALENDAR,)), "warn subscribed-1"),
        (Checks(duplicates=(EVENT,), own_feed_entries=1), "warn own-feed-1"),
    ],
)
def test_what_is_there_twice_is_counted_events_before_calendars(checks: Checks, said: str) -> None:
    facts = ConnectionFacts(mode="two-way", phase="active", email="wren.hale@example.com")
    assert code("duplicates", facts, checks) == said
