"""What a failure means for the next run: the error table, and the waits."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal import errors
from portal.errors import CalendarError
from portal.sync.trouble import (
    DELAYED_AFTER_FAILURES,
    LONGEST_RETRY_SECONDS,
    Trouble,
    back_off,
    judge,
    poll_seconds,
)

FIRST, SECOND, THIRD = 1.0, 2.0, 4.0  # waits without jitter
# The problem and the wait at the first failure and at the third, without jitter.
TABLE: dict[type[CalendarError], tuple[Trouble, Trouble]] = {
    errors.AuthorizationExpired: (Trouble("reconnect-required", None),) * 2,
    errors.ScopeMissing: (Trouble("scope-missing", None),) * 2,
    errors.QuotaExceeded: (Trouble("quota", 3600.0),) * 2,
    errors.RateLimited: (Trouble("delayed", FIRST), Trouble("delayed", THIRD)),
    errors.CalendarUnavailable: (Trouble(None, FIRST), Trouble("delayed", THIRD)),
    errors.PermissionDenied: (Trouble(None, FIRST), Trouble("delayed", THIRD)),
    errors.SyncTokenExpired: (Trouble(None, FIRST), Trouble("delayed", THIRD)),
    errors.EtagMismatch: (Trouble(None, FIRST), Trouble("delayed", THIRD)),
    errors.Conflict: (Trouble(None, FIRST), Trouble("delayed", THIRD)),
    errors.EventNotFound: (Trouble(None, FIRST), Trouble("delayed", THIRD)),
    errors.InvalidRequest: (Trouble(None, FIRST), Trouble("delayed", THIRD)),
}


@pytest.mark.parametrize("kind", TABLE, ids=lambda kind: kind.__name__)
def test_the_error_table(kind: type[CalendarError]) -> None:
    first, third = TABLE[kind]
    assert judge(kind("code"), failures=1, jitter=0.0) == first
    assert judge(kind("code"), failures=DELAYED_AFTER_FAILURES, jitter=0.0) == third


def test_the_table_names_every_calendar_error() -> None:
    assert set(TABLE) == set(CalendarError.__subclasses__())


def test_only_what_a_person_can_mend_stops_trying() -> None:
    stopped = {kind for kind in TABLE if judge(kind("code"), failures=1, jitter=0.5).retry_seconds is None}
    assert stopped == {errors.AuthorizationExpired, errors.ScopeMissing}


@pytest.mark.parametrize(
    ("retry_after", "expected"),
    [(None, FIRST), (0.0, FIRST), (30.0, 30.0), (86_400.0, LONGEST_RETRY_SECONDS)],
)
def test_retry_after_is_honoured_up_to_a_quarter_of_an_hour(
    retry_after: float | None, expected: float
) -> None:
    error = errors.RateLimited("rateLimitExceeded", retry_after_seconds=retry_after)
    assert judge(error, failures=1, jitter=0.0).retry_seconds == expected


def test_a_quota_waits_for_an_hour_or_as_long_as_google_says() -> None:
    short, long = (errors.QuotaExceeded("quotaExceeded", retry_after_seconds=s) for s in (5.0, 9000.0))
    assert judge(short, failures=1, jitter=0.0).retry_seconds == 3600.0
    assert judge(long, failures=1, jitter=0.0).retry_seconds == 9000.0


JITTER = st.floats(0, 1, exclude_max=True)


@given(st.integers(1, 10_000), JITTER)
def test_the_first_retry_comes_within_five_seconds_and_later_ones_within_a_quarter_of_an_hour(
    failures: int, jitter: float
) -> None:
    assert 0 < back_off(1, jitter) <= 5
    wait = back_off(failures, jitter)
    assert math.isfinite(wait)
    assert 0 < wait <= LONGEST_RETRY_SECONDS
    assert wait <= back_off(failures + 1, 0.0) * 2, "no wait is more than doubled by its jitter"


@given(st.integers(1, 30))
def test_waits_never_shrink_and_two_connections_seldom_wait_alike(failures: int) -> None:
    assert back_off(failures + 1, 0.0) >= back_off(failures, 0.0)
    assert back_off(failures, 0.9) - back_off(failures, 0.1) > 0.3 * back_off(failures, 1.0)


def test_google_is_asked_often_while_somebody_looks_and_seldom_otherwise() -> None:
    assert poll_seconds(poll=60, is_watched=True) == 60
    assert poll_seconds(poll=60, is_watched=False) == 300
