"""What a failure means: whether the call is tried again at once, what to show, and when the next run comes.

Judged on results: a run that moved something along begins the ladder of waits anew. Pure.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from portal.errors import (
    TIMED_OUT,
    TOOK_TOO_LONG,
    AccessRefused,
    AuthorizationExpired,
    CalendarError,
    CalendarUnavailable,
    QuotaExceeded,
    RateLimited,
    ScopeMissing,
)

FIRST_RETRY_SECONDS = 2.0  # with full jitter still within the 5 seconds that are promised
LONGEST_RETRY_SECONDS = 15 * 60.0
LONGEST_WAITED_FOR_SECONDS = 60.0  # while something that a person did waits
QUOTA_RETRY_SECONDS = 3600.0
LONGEST_QUOTA_SECONDS = 86_400.0  # however long Google names
LONGEST_POLL_SECONDS = 15 * 60  # push is a hint, however well it works
DELAYED_AFTER_FAILURES = 3  # one lost answer is no news; three in a row are

# Within a run: the same call, twice more at most. The pauses are short, as a job must not sleep for long.
PAUSES_SECONDS = (0.5, 1.5)
LONGEST_PAUSE_SECONDS = 3.0  # Google's own wish up to here is waited out; a longer one ends the run
PROGRESS = frozenset(  # what a run counts when it moves something along
    {"inserted", "patched", "deleted", "adopted", "imported", "removed_here", "calendars_made", "passes"}
)

# Without a working grant
HEAL_OFTEN = dt.timedelta(days=1)  # once an hour that long, then once a day
HEAL_OFTEN_SECONDS = 3600.0
HEAL_SELDOM_SECONDS = 86_400.0
HEAL_DAYS = 30  # as long as imported events are kept
REFUSED_TOLD_AFTER = dt.timedelta(hours=24)

RECONNECT = "reconnect-required"
UNREADABLE = "grant-unreadable"  # as the grant is read now; a run notes it as RECONNECT's detail
READABLE_AGAIN = "grant-readable-again"  # here; whoever syncs could not read it at their last try
KEY_WAITED_FOR = dt.timedelta(days=1)  # by a tear-down that would lose its way into Google
ACCESS_REFUSED = "access-refused"
NEEDS_A_PERSON = frozenset({RECONNECT, UNREADABLE, "scope-missing", "question"})
CALENDAR_TROUBLE = frozenset({"calendar-missing", "calendar-out-of-reach"})


@dataclass(frozen=True, slots=True)
class Trouble:
    """`problem`: what to tell the provider, or None. `retry_seconds`: None means that a person is needed."""

    problem: str | None
    retry_seconds: float | None


def judge(error: CalendarError, *, failures: int, jitter: float, is_waited_for: bool = False) -> Trouble:
    """`failures`: runs in a row that failed and moved nothing, this one included. `jitter`: in [0, 1).

    `is_waited_for`: whether something that a person did, here or there, has not arrived yet.
    """
    match error:
        case AuthorizationExpired():
            return Trouble(RECONNECT, None)
        case ScopeMissing():
            return Trouble("scope-missing", None)
        case QuotaExceeded():
            asked = min(error.retry_after_seconds or 0.0, LONGEST_QUOTA_SECONDS)
            return Trouble("quota", max(QUOTA_RETRY_SECONDS, asked))
    wait = back_off(failures, jitter)
    if is_waited_for:
        wait = min(wait, LONGEST_WAITED_FOR_SECONDS)
    if error.retry_after_seconds is not None:
        wait = max(wait, min(error.retry_after_seconds, LONGEST_RETRY_SECONDS))
    is_told = failures >= DELAYED_AFTER_FAILURES or isinstance(error, RateLimited)
    delayed = ACCESS_REFUSED if isinstance(error, AccessRefused) else "delayed"
    return Trouble(delayed if is_told else None, wait)


def back_off(failures: int, jitter: float) -> float:
    """Truncated exponential, half of it random, so that many connections don't come back at once."""
    full = min(FIRST_RETRY_SECONDS * 2.0 ** min(failures - 1, 20), LONGEST_RETRY_SECONDS)
    return full / 2 + jitter * full / 2


def count_failures(before: int, counts: Mapping[str, int]) -> int:
    """Failures in a row after a run that failed: it is the first anew if the run moved something along.

    `counts`: what the run has counted and committed.
    """
    return 1 if any(counts.get(each) for each in PROGRESS) else before + 1


def problem_after(before: str | None, told: str | None) -> str | None:
    """Which problem stands. Trouble that passes neither proves nor disproves that access is refused."""
    if told is None or (before == ACCESS_REFUSED and told == "delayed"):
        return before
    return told


def pause_before_again(error: CalendarError, *, failed: int, jitter: float) -> float | None:
    """How long to pause before the same call is sent again, in seconds; None to leave it to the next run.

    `failed`: how often it has failed in this run. What was waited out is not waited for again: the other
    connections of the job want their turn.
    """
    is_passing = isinstance(error, RateLimited | CalendarUnavailable)
    if not is_passing or error.code in (TOOK_TOO_LONG, TIMED_OUT) or failed > len(PAUSES_SECONDS):
        return None
    full = PAUSES_SECONDS[failed - 1]
    pause = max(full / 2 + jitter * full / 2, error.retry_after_seconds or 0.0)
    return pause if pause <= LONGEST_PAUSE_SECONDS else None


def worst(errors: Sequence[CalendarError]) -> CalendarError:
    """Of what a batch's parts met, the one that says what to do: what does not pass, or lasts longest."""
    return max(
        errors,
        key=lambda error: (
            pause_before_again(error, failed=1, jitter=0.0) is None,
            error.retry_after_seconds or 0.0,
        ),
    )


def concerns_all(*, refused: int, written: int) -> bool:
    """Whether writes that are forbidden are the connection's trouble, and not those appointments' own.

    `refused`: appointments that Google now forbids; `written`: what it took in the same run.
    """
    return refused > 1 and refused > written


def is_refused_for_long(problem: str | None, since: dt.datetime | None, now: dt.datetime) -> bool:
    """Whether Google has refused fresh tokens for so long that a new consent is worth a try."""
    return problem == ACCESS_REFUSED and since is not None and now - since >= REFUSED_TOLD_AFTER


def heal_seconds(age: dt.timedelta) -> float | None:
    """How long after a vain try with a lost grant the next one comes; None when there is none any more.

    `age`: how long a new consent has been asked for.
    """
    if age < HEAL_OFTEN:
        return HEAL_OFTEN_SECONDS
    return HEAL_SELDOM_SECONDS if age < dt.timedelta(days=HEAL_DAYS) else None


def poll_seconds(*, poll: int, is_watched: bool, is_push_proven: bool = False) -> int:
    """How long until Google is asked again. `poll`: SYNC_POLL_SECONDS.

    Often while somebody looks or something moves, else seldom; very seldom where push is proven to tell.
    """
    if is_watched:
        return poll
    return min(poll * 10, LONGEST_POLL_SECONDS) if is_push_proven else poll * 5
