"""What a failed run means for the next one: which problem to show, and how long to wait. One table, pure."""

from __future__ import annotations

from dataclasses import dataclass

from portal.errors import AuthorizationExpired, CalendarError, QuotaExceeded, RateLimited, ScopeMissing

FIRST_RETRY_SECONDS = 2.0  # with full jitter still within the 5 seconds that are promised
LONGEST_RETRY_SECONDS = 15 * 60.0
QUOTA_RETRY_SECONDS = 3600.0
LONGEST_POLL_SECONDS = 15 * 60  # push is a hint, however well it works
DELAYED_AFTER_FAILURES = 3  # one lost answer is no news; three in a row are


@dataclass(frozen=True, slots=True)
class Trouble:
    """`problem`: what to tell the provider, or None. `retry_seconds`: None means that a person is needed."""

    problem: str | None
    retry_seconds: float | None


def judge(error: CalendarError, *, failures: int, jitter: float) -> Trouble:
    """`failures`: runs in a row that failed, this one included. `jitter`: a random number in [0, 1)."""
    match error:
        case AuthorizationExpired():
            return Trouble("reconnect-required", None)
        case ScopeMissing():
            return Trouble("scope-missing", None)
        case QuotaExceeded():
            return Trouble("quota", max(QUOTA_RETRY_SECONDS, error.retry_after_seconds or 0.0))
        case _:
            wait = back_off(failures, jitter)
            if error.retry_after_seconds is not None:
                wait = max(wait, min(error.retry_after_seconds, LONGEST_RETRY_SECONDS))
            is_rate = isinstance(error, RateLimited)
            return Trouble("delayed" if failures >= DELAYED_AFTER_FAILURES or is_rate else None, wait)


def back_off(failures: int, jitter: float) -> float:
    """Truncated exponential, half of it random, so that many connections don't come back at once."""
    full = min(FIRST_RETRY_SECONDS * 2.0 ** min(failures - 1, 20), LONGEST_RETRY_SECONDS)
    return full / 2 + jitter * full / 2


def poll_seconds(*, poll: int, is_watched: bool, is_push_proven: bool = False) -> int:
    """How long until Google is asked again. `poll`: SYNC_POLL_SECONDS.

    Often while somebody looks or something moves, else seldom; very seldom where push is proven to tell.
    """
    if is_watched:
        return poll
    return min(poll * 10, LONGEST_POLL_SECONDS) if is_push_proven else poll * 5
