"""The breaker: what is too much at once, and when it is believed after all."""

from __future__ import annotations

import datetime as dt

import pytest

from portal.sync.breaker import Absence, is_suspicious, judge_absence

NOW = dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC)
LONG_AGO = NOW - dt.timedelta(minutes=10)


@pytest.mark.parametrize(
    ("count", "total", "suspicious"),
    [(10, 10, False), (11, 11, True), (20, 100, False), (21, 100, True), (11, 1000, False)],
)
def test_more_than_ten_and_more_than_a_fifth_is_suspicious(count: int, total: int, suspicious: bool) -> None:
    assert is_suspicious(count, total) is suspicious


@pytest.mark.parametrize(
    ("missing", "named", "absent_since", "judged"),
    [
        (10, 0, None, Absence.REMOVE),
        (30, 70, None, Absence.WAIT),
        (30, 70, NOW, Absence.WAIT),
        (30, 70, LONG_AGO, Absence.REMOVE),
        (100, 0, None, Absence.WAIT),
        (100, 0, LONG_AGO, Absence.ASK),
    ],
)
def test_very_many_absences_wait_for_a_second_pass_and_an_empty_calendar_asks(
    missing: int, named: int, absent_since: dt.datetime | None, judged: Absence
) -> None:
    assert (
        judge_absence(missing=missing, total=100, named=named, absent_since=absent_since, now=NOW) is judged
    )
