"""The change log of a calendar, which is all that sync tokens need.

Every change gives an event the calendar's next sequence number and moves it to the end of `calendar.events`.
A full list is "everything after 0", a delta "everything after the number in the token"; a token is a promise
that nothing after its number has been told yet. So edits made while a client is paging are never lost.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from sandbox.ground.model import Calendar, Stored


def record(calendar: Calendar, stored: Stored) -> None:
    """Put a new or changed event at the end of the log."""
    calendar.seq += 1
    stored.seq = calendar.seq
    calendar.events.pop(stored.id, None)
    calendar.events[stored.id] = stored
    if stored.master_id:
        calendar.exceptions.setdefault(stored.master_id, {})[stored.id] = stored
    if uid := stored.body.get("iCalUID"):
        calendar.ical_uids.setdefault(uid, stored.master_id or stored.id)


def since(calendar: Calendar, seq: int, now: datetime) -> Iterator[Stored]:
    """Events changed after `seq`, oldest change first; cheap when little has changed."""
    _surface(calendar, now)
    if seq == 0:
        yield from [stored for stored in calendar.events.values() if stored.listed_at is None]
        return
    recent = []
    for stored in reversed(calendar.events.values()):
        if stored.seq <= seq:
            break
        if stored.listed_at is None:
            recent.append(stored)
    yield from reversed(recent)


def keep_out_of_lists(calendar: Calendar, stored: Stored, now: datetime, seconds: float) -> None:
    """Let lists lag behind: `events.get` knows the event, lists do not until then (facts §10)."""
    stored.listed_at = now + timedelta(seconds=seconds)
    calendar.lagging.append(stored)


def _surface(calendar: Calendar, now: datetime) -> None:
    """Let delayed events appear: as a change made now, since lists had not told of them yet (facts §10)."""
    due = [stored for stored in calendar.lagging if stored.listed_at and stored.listed_at <= now]
    for stored in due:
        calendar.lagging.remove(stored)
        stored.listed_at = None
        if calendar.events.get(stored.id) is stored:  # else it was written again, and listed, since
            record(calendar, stored)
