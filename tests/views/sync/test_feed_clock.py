"""The feed clock's drawing."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

from portal.views.sync.feed_clock import MOST_DOTS, draw

CHICAGO = ZoneInfo("America/Chicago")
NOON = dt.datetime(2026, 11, 18, 18, tzinfo=dt.UTC)  # 12 PM in Chicago


def test_noon_points_down_and_six_in_the_morning_to_the_right() -> None:
    dial = draw([NOON - dt.timedelta(hours=6)], now=NOON, zone=CHICAGO)
    assert dial.hand == (70.0, 114.0, 70.0, 128.0)
    assert dial.reads == ((122.0, 70.0),)


def test_the_clock_says_in_words_what_it_draws() -> None:
    assert draw([], now=NOON, zone=CHICAGO).words == "Feed clock: not read in the last 24 hours"
    dial = draw([NOON - dt.timedelta(hours=5, minutes=12)], now=NOON, zone=CHICAGO)
    assert (dial.since, dial.words) == ("5 h 12 m", "Feed clock: last read 5 h 12 m ago")


def test_an_eager_reader_does_not_fill_the_ring() -> None:
    reads = [NOON - dt.timedelta(minutes=5 * step) for step in range(200, 0, -1)]
    assert len(draw(reads, now=NOON, zone=CHICAGO).reads) == MOST_DOTS
