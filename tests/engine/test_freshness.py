"""How often Google is asked, and at which minute of the night everything is read anew."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from portal.engine import freshness
from portal.sync.trouble import poll_seconds


def test_with_push_proven_google_is_asked_ten_times_more_seldom_but_every_quarter_of_an_hour() -> None:
    assert poll_seconds(poll=1, is_watched=False, is_push_proven=True) == 10
    assert poll_seconds(poll=60, is_watched=False, is_push_proven=True) == 600
    assert poll_seconds(poll=120, is_watched=False, is_push_proven=True) == 900
    assert poll_seconds(poll=60, is_watched=True, is_push_proven=True) == 60


@given(st.text(max_size=20), st.integers(1, 10_000))
def test_every_connection_has_its_own_minute_of_the_night(installation: str, connection_id: int) -> None:
    minute = freshness.verification_minute(installation, connection_id)
    assert 60 <= minute < 360
    assert minute == freshness.verification_minute(installation, connection_id)


def test_the_minutes_of_a_hundred_connections_are_spread() -> None:
    assert len({freshness.verification_minute("here", number) for number in range(100)}) > 70


YEAR_BEGINS = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
NIGHT = st.integers(60, 359)
NOWS = st.integers(0, 366 * 86_400).map(lambda seconds: YEAR_BEGINS + dt.timedelta(seconds=seconds))


@given(NIGHT, NOWS, st.sampled_from(["America/Chicago", "Pacific/Apia", "Asia/Kathmandu", "UTC"]))
def test_the_last_night_lies_within_the_last_day(minute: int, now: dt.datetime, zone: str) -> None:
    at = freshness.latest_at(minute, zone=ZoneInfo(zone), now=now)
    assert dt.timedelta() <= now - at <= dt.timedelta(hours=25)
    local = at.astimezone(ZoneInfo(zone))
    is_gap = local.utcoffset() != (at - dt.timedelta(hours=1)).astimezone(ZoneInfo(zone)).utcoffset()
    assert local.hour * 60 + local.minute == minute or is_gap
