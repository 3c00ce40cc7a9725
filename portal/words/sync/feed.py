"""The one-way feed in words: who reads it, how often, and when a change shows there."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

READERS: Mapping[str, str] = {
    "google": "Google Calendar",
    "apple": "Apple Calendar",
    "outlook": "Outlook",
    "other": "Another reader",
}

# In place of an address that no key opens
NOT_SHOWN = "The link cannot be shown"
WHY_NOT_SHOWN = (
    "The key that locks the link was changed or lost. Apps that have the link go on reading it; New feed URL "
    "makes one that can be shown."
)


def reader(family: str) -> str:
    """What a family of readers is called."""
    return READERS[family]


def soonest(family: str, *, next_read: str, last_read: str) -> str:
    """When the next read is expected; without an expectation, when the last one was."""
    if next_read:
        return f"A change you make now shows in {reader(family)} around {next_read}"
    return f"{reader(family)} has read your feed once, {last_read}"


def how_often(interval: dt.timedelta | None) -> str:
    """ "About every 1.5 h", "About every 15 min", "Once" """
    if interval is None:
        return "Once"
    seconds = interval.total_seconds()
    if seconds >= 3600:
        return f"About every {round(seconds / 3600, 1)} h"
    return f"About every {round(seconds / 60)} min"


def got(status: int) -> str:
    """What the last answer gave; `status` as in HTTP."""
    return "Unchanged" if status == 304 else "The whole feed"
