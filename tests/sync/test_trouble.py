"""What a failure means for the next run: the error table, and the waits."""

from __future__ import annotations

import datetime as dt
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal import errors
from portal.errors import CalendarError
from portal.sync import health
from portal.sync.trouble import (
    DELAYED_AFTER_FAILURES,
    HEAL_DAYS,
    LONGEST_RETRY_SECONDS,
    PROGRESS,
    Trouble,
    back_off,
    concerns_all,
    count_failures,
    heal_seconds,
    is_refused_for_long,
    judge,
    pause_before_again,
    poll_seconds,
    problem_after,
    worst,
)

FIRST, SECOND, THIRD = 1.0, 2.0, 4.0  # waits without jitter
# The problem and the wait at the first failure and at the third, without jitter.
TABLE: dict[type[CalendarError], tuple[Trouble, Trouble]] = {
    errors.AuthorizationExpired: (Trouble("reconnect-required", None),) * 2,
    errors.AccessRefused: (Trouble(None, FIRST), Trouble("access-refused", THIRD)),
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


# While somebody waits


@given(st.integers(1, 10_000), JITTER)
def test_while_something_a_person_did_waits_the_next_try_is_a_minute_away_at_most(
    failures: int, jitter: float
) -> None:
    error = errors.CalendarUnavailable("503")
    waited_for = judge(error, failures=failures, jitter=jitter, is_waited_for=True)
    assert waited_for.retry_seconds is not None
    assert 0 < waited_for.retry_seconds <= 60
    otherwise = judge(error, failures=failures, jitter=jitter).retry_seconds
    assert waited_for.retry_seconds == min(otherwise or 0, 60)


def test_only_google_itself_names_a_longer_time_than_that() -> None:
    def wait(asked: float | None) -> float | None:
        error = errors.RateLimited("rateLimitExceeded", retry_after_seconds=asked)
        return judge(error, failures=20, jitter=0.0, is_waited_for=True).retry_seconds

    assert [wait(asked) for asked in (None, 5.0, 200.0, 5_000.0)] == [60, 60, 200, 900]
    quota = errors.QuotaExceeded("quotaExceeded")
    assert judge(quota, failures=1, jitter=0.0, is_waited_for=True).retry_seconds == 3600


# Progress


@pytest.mark.parametrize("kind", sorted(PROGRESS))
def test_a_run_that_moved_something_along_begins_the_ladder_anew(kind: str) -> None:
    assert count_failures(7, {kind: 1, "postponed": 3}) == 1


@pytest.mark.parametrize("counts", [{}, {"postponed": 4, "tried_again": 2}, {"inserted": 0}])
def test_a_run_that_moved_nothing_climbs_it(counts: dict[str, int]) -> None:
    assert [count_failures(before, counts) for before in (0, 1, 7)] == [1, 2, 8]


# The same call again


@pytest.mark.parametrize("kind", TABLE, ids=lambda kind: kind.__name__)
def test_a_call_is_sent_again_in_the_run_for_a_passing_reason_only(kind: type[CalendarError]) -> None:
    is_again = pause_before_again(kind("code"), failed=1, jitter=0.5) is not None
    assert is_again == (kind in (errors.RateLimited, errors.CalendarUnavailable))


@given(JITTER)
def test_it_is_sent_again_twice_at_most_after_short_pauses(jitter: float) -> None:
    error = errors.CalendarUnavailable("503")
    first, second, third = (pause_before_again(error, failed=n, jitter=jitter) for n in (1, 2, 3))
    assert first is not None
    assert second is not None
    assert 0.25 <= first <= 0.5
    assert 0.75 <= second <= 1.5
    assert third is None


@pytest.mark.parametrize(("asked", "pause"), [(0.0, 0.25), (2.0, 2.0), (3.0, 3.0), (3.1, None), (60.0, None)])
def test_what_google_asks_for_is_waited_out_if_it_is_short_and_ends_the_run_if_it_is_not(
    asked: float, pause: float | None
) -> None:
    error = errors.RateLimited("rateLimitExceeded", retry_after_seconds=asked)
    assert pause_before_again(error, failed=1, jitter=0.0) == pause


@pytest.mark.parametrize("code", [errors.TIMED_OUT, errors.TOOK_TOO_LONG])
def test_what_was_waited_out_once_is_not_waited_for_again(code: str) -> None:
    """The other connections of the same job want their turn."""
    assert pause_before_again(errors.CalendarUnavailable(code), failed=1, jitter=0.0) is None


def test_of_a_batch_the_part_decides_that_does_not_pass_or_lasts_longest() -> None:
    short, long = errors.CalendarUnavailable("503"), errors.RateLimited("429", retry_after_seconds=2.0)
    final = errors.QuotaExceeded("quotaExceeded")
    assert worst([short, long, final]) is final
    assert worst([short, long]) is long
    assert worst([short]) is short


# Forbidden writes


@pytest.mark.parametrize(
    ("refused", "written", "is_all"),
    [(0, 0, False), (1, 0, False), (2, 0, True), (2, 1, True), (2, 2, False), (5, 45, False)],
)
def test_a_forbidden_write_concerns_its_appointment_unless_it_repeats_for_others(
    refused: int, written: int, is_all: bool
) -> None:
    assert concerns_all(refused=refused, written=written) is is_all


# Without access

NOW = dt.datetime(2026, 11, 18, 12, tzinfo=dt.UTC)
HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)


def test_refused_access_stands_until_something_else_is_known() -> None:
    assert problem_after("access-refused", "delayed") == "access-refused"
    assert problem_after("access-refused", None) == "access-refused"
    assert problem_after("access-refused", "reconnect-required") == "reconnect-required"
    assert problem_after("delayed", "access-refused") == "access-refused"
    assert problem_after(None, "delayed") == "delayed"


def test_refused_access_is_told_after_a_day_of_it() -> None:
    assert not is_refused_for_long("access-refused", NOW, NOW + DAY - dt.timedelta(seconds=1))
    assert is_refused_for_long("access-refused", NOW, NOW + DAY)
    assert not is_refused_for_long("delayed", NOW, NOW + 9 * DAY)
    assert not is_refused_for_long("access-refused", None, NOW)


def test_a_lost_grant_is_tried_every_hour_of_the_first_day_and_then_once_a_day_for_a_month() -> None:
    tries, age = 0, dt.timedelta()
    ages = []
    while (wait := heal_seconds(age)) is not None and tries < 100:
        age += dt.timedelta(seconds=wait)
        ages.append(age)
        tries += 1
    assert ages[:24] == [hours * HOUR for hours in range(1, 25)]
    assert ages[24:] == [days * DAY for days in range(2, 31)]
    assert heal_seconds(30 * DAY) is None


def test_a_lost_grant_is_tried_for_as_long_as_imported_events_are_kept() -> None:
    assert health.IMPORTS_KEPT_DAYS == HEAL_DAYS == 30
