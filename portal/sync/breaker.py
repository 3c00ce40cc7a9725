"""When a change is too large to be believed at once. It holds deletions and moves, and nothing else. Pure."""

from __future__ import annotations

import datetime as dt
import enum

ALWAYS_FINE = 10
SHARE = 0.2
MOST_DELETION_CARDS = 5  # more deletions in one pass make one grouped card
SECOND_PASS_AFTER = dt.timedelta(minutes=10)


class Absence(enum.StrEnum):
    """What to do about events of a provider's calendar that a full pass did not name."""

    REMOVE = "remove"
    WAIT = "wait"  # for a second complete pass
    ASK = "ask"  # twice absent, and the calendar came back empty


def is_suspicious(count: int, total: int) -> bool:
    """More than ten, and more than a fifth of all."""
    return count > max(ALWAYS_FINE, SHARE * total)


def judge_absence(
    *, missing: int, total: int, named: int, absent_since: dt.datetime | None, now: dt.datetime
) -> Absence:
    """`missing` of `total` units were not named by a full pass that named `named` events.

    Units are masters and single events that have a future occurrence. `absent_since`: when a pass first
    missed very many.
    """
    if not is_suspicious(missing, total):
        return Absence.REMOVE
    if absent_since is None or now - absent_since < SECOND_PASS_AFTER:
        return Absence.WAIT
    return Absence.ASK if named == 0 else Absence.REMOVE
