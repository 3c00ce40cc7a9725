"""Google's quota is kept: never more than the limit in any minute, and no longer a wait than needed."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from portal.sync.pace import MOST_UNITS, WINDOW_SECONDS, cost, recent, wait_seconds


def test_a_patch_counts_three_and_anything_else_one() -> None:
    assert cost(["insert", "patch", "delete"]) == 5


def test_with_room_there_is_no_wait() -> None:
    assert wait_seconds([[0.0, MOST_UNITS - 1]], 1, now=1.0) == 0.0


def test_without_room_the_wait_ends_when_enough_has_left_the_minute() -> None:
    spent = [[0.0, 300.0], [10.0, MOST_UNITS - 300.0]]
    assert wait_seconds(spent, 1, now=20.0) == 40.0
    assert wait_seconds(spent, 301, now=20.0) == 50.0


# in fractions that floats add without rounding: which side of the minute a rounded one falls is no law
PAUSES = st.integers(0, 20 * 1024).map(lambda number: number / 1024)


@given(st.lists(st.tuples(PAUSES, st.integers(1, 150)), min_size=1, max_size=40))
def test_whoever_waits_as_told_never_exceeds_the_limit_in_any_minute(
    calls: list[tuple[float, int]],
) -> None:
    now, spent, log = 0.0, [], []
    for pause, units in calls:
        now += pause
        now += wait_seconds(spent, units, now=now)
        spent = [*recent(spent, now=now), [now, float(units)]]
        log.append((now, units))
    for start, _ in log:
        within = sum(units for at, units in log if start <= at < start + WINDOW_SECONDS)
        assert within <= MOST_UNITS
