"""How long ago and how soon, in words. Pure."""

from __future__ import annotations

import datetime as dt

NEARLY_SECONDS = 2  # so near, or past: no number to count down from


def ago(then: dt.datetime, now: dt.datetime) -> str:
    """How long ago, in words: "just now", "2 min ago", "3 h ago", "5 days ago"."""
    seconds = (now - then).total_seconds()
    return "just now" if seconds < 60 else f"{_span(seconds)} ago"


def until(then: dt.datetime, now: dt.datetime) -> str:
    """How long from now, in words: "in 48 s", "in 3 min"; "any moment" when it is due or nearly."""
    seconds = (then - now).total_seconds()
    if seconds < NEARLY_SECONDS:
        return "any moment"
    return f"in {seconds:.0f} s" if seconds < 60 else f"in {_span(seconds)}"


def _span(seconds: float) -> str:
    if seconds < 3600:
        return f"{seconds / 60:.0f} min"
    if seconds < 48 * 3600:
        return f"{seconds / 3600:.0f} h"
    return f"{seconds / 86400:.0f} days"
