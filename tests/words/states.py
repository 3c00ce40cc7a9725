"""Every state that a provider's sync can be in, as far as its story and its lines tell states apart."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterator

from portal.models import ConnectionPhase, SyncMode
from portal.sync import health
from portal.sync.checkup import Checks
from portal.sync.duplicates import Duplicate, Kind
from portal.sync.health import ConnectionFacts, Counts

NOW = dt.datetime(2027, 11, 18, 14, 0, tzinfo=dt.UTC)
MINUTE = dt.timedelta(minutes=1)
LATELY, LONG_AGO, DAYS_AGO = NOW - MINUTE, NOW - 90 * MINUTE, NOW - dt.timedelta(days=2)
PROBLEMS = sorted(set(health._TELLERS) - {"silent"})  # `silent` is concluded, never stored


def every_facts() -> Iterator[ConnectionFacts]:
    """Each mode and phase, with each problem, with and without work, fresh and old."""
    for mode, phase, problem, behind, pushed, pulled, due, failures in itertools.product(
        [mode.value for mode in SyncMode],
        [None, *(phase.value for phase in ConnectionPhase)],
        [None, *PROBLEMS],
        (0, 2),
        (None, LATELY, LONG_AGO),
        (None, LATELY, LONG_AGO),
        (None, LONG_AGO, NOW + MINUTE),
        (0, 3),
    ):
        yield ConnectionFacts(
            mode=mode,
            phase=phase,
            email="" if failures else "robin@example.org",
            problem=problem,
            problem_since=DAYS_AGO if problem else None,
            failures=failures,
            last_pushed_at=pushed,
            last_pulled_at=pulled,
            next_check_at=due,
            counts=Counts(behind=behind, cards=behind, quarantined=behind),
        )
    yield from (ConnectionFacts(mode=mode.value, is_paused=True) for mode in SyncMode)


EVERY_CHECKS = (
    Checks(),
    Checks(missing_scopes=1),
    Checks(chosen=1),
    Checks(chosen=1, stale=1),
    Checks(chosen=1, lost=1),
    Checks(can_push=True, watchable=2, channels=2),
    Checks(can_push=True, watchable=2, channels=1),
    Checks(feed_reads=1),
    Checks(feed_unreadable=True),
    Checks(old_feed_reads=1),
    Checks(own_feed_entries=1),
    Checks(odd_zones=1),
    Checks(duplicates=(Duplicate(kind=Kind.COPY, calendar=1, summary="Gym"),)),
    Checks(duplicates=(Duplicate(kind=Kind.SUBSCRIPTION, calendar=1, summary="Lake levels"),)),
    *(Checks(unsent={reason: 1}) for reason in ("deleted-there", "held", "refused", "waiting")),
    Checks(compared_at=LATELY),
    Checks(compared_at=LATELY, compare_error="given-up"),
    Checks(compared_at=LATELY, differences=1),
    Checks(with_guests=1),
    Checks(showing_old_names=1),
)
