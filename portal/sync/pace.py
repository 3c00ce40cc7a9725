"""Staying under Google's 600 units a minute and person: a log of what was spent in the last minute. Pure.

A patch counts three units, anything else one, each part of a batch by itself (facts §12).
"""

from __future__ import annotations

from collections.abc import Sequence

WINDOW_SECONDS = 60.0
MOST_UNITS = 590  # a little below, since Google's clock and ours need not agree
UNITS = {"patch": 3}

Spent = Sequence[Sequence[float]]  # pairs of a moment, in seconds, and units


def cost(verbs: Sequence[str]) -> int:
    """The units of these calls."""
    return sum(UNITS.get(verb, 1) for verb in verbs)


def recent(spent: Spent, *, now: float) -> list[list[float]]:
    """What still counts."""
    return [[at, units] for at, units in spent if at > now - WINDOW_SECONDS]


def wait_seconds(spent: Spent, units: int, *, now: float) -> float:
    """How long to wait before spending `units`; 0 when there is room at once."""
    still = recent(spent, now=now)
    total = sum(amount for _, amount in still) + units
    for at, amount in still:
        if total <= MOST_UNITS:
            return 0.0
        total -= amount
        if total <= MOST_UNITS:
            return max(0.0, at + WINDOW_SECONDS - now)
    return 0.0
