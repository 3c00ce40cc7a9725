"""Local times to instants, where clocks change and where they do not."""

from __future__ import annotations

import datetime as dt

import pytest

from portal.localtime import start_of_day, to_instant, to_local

CASES = [
    ("an ordinary winter time", "America/Chicago", "2026-11-18T09:00", "2026-11-18T15:00"),
    ("an ordinary summer time", "America/Chicago", "2026-07-01T09:00", "2026-07-01T14:00"),
    # 2026-03-08 02:00 does not exist in Chicago; UTC-6 held before the gap
    ("a skipped time takes the offset before", "America/Chicago", "2026-03-08T02:30", "2026-03-08T08:30"),
    # 2026-11-01 01:30 happens twice in Chicago; the first is UTC-5
    ("a doubled time is the first", "America/Chicago", "2026-11-01T01:30", "2026-11-01T06:30"),
    ("half an hour's change in Lord Howe", "Australia/Lord_Howe", "2026-10-04T02:15", "2026-10-03T15:45"),
    ("a doubled time in Berlin is the first", "Europe/Berlin", "2026-10-25T02:30", "2026-10-25T00:30"),
]


@pytest.mark.parametrize(
    ("timezone", "local", "utc"), [case[1:] for case in CASES], ids=[c[0] for c in CASES]
)
def test_a_local_time_becomes_the_instant_the_standard_says(timezone: str, local: str, utc: str) -> None:
    wall = dt.datetime.fromisoformat(local)
    assert to_instant(wall.date(), wall.time(), timezone) == dt.datetime.fromisoformat(utc).replace(
        tzinfo=dt.UTC
    )


def test_a_day_begins_when_its_midnight_is_skipped() -> None:
    # Beirut skipped 00:00 to 01:00 on 2026-03-29; UTC+2 held before
    begins = start_of_day(dt.date(2026, 3, 29), "Asia/Beirut")
    assert begins == dt.datetime(2026, 3, 28, 22, tzinfo=dt.UTC)


def test_the_wall_clock_carries_the_offset_of_that_moment() -> None:
    local = to_local(dt.datetime(2026, 11, 1, 7, 30, tzinfo=dt.UTC), "America/Chicago")
    assert local.isoformat() == "2026-11-01T01:30:00-06:00"
