"""Whether an event from Google is shown, and why not. Every surface asks here: the count before the first
sync, the pages, the search, the doctor, *Why isn't it here?* and the comparison.

Marked free, private, tentative, out of office or all day: shown like any other. What begins later than what
stands ready is shown as soon as a page asks for its days.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from portal.errors import InvalidCalendarData
from portal.sync.event import Event, EventTime
from portal.sync.recurrence import Occurrence, expand

# What is kept ready: the dates of these days around the present. They are made so far ahead, and anew when
# fewer than READY_AHEAD are left. Later ones are expanded when a page asks for them; earlier ones are gone.
KEPT_BEFORE = dt.timedelta(days=90)
READY_AHEAD = dt.timedelta(days=370)
EXPANDED_AHEAD = dt.timedelta(days=400)

# Field, its value, and the reason that hides such an event. What reads rows makes its conditions of these.
HIDDEN_BY: tuple[tuple[str, str, str], ...] = (
    ("status", "cancelled", "cancelled"),
    ("self_response", "declined", "declined"),
    ("event_type", "birthday", "birthday"),
    ("event_type", "workingLocation", "working-location"),
)
NOT_UNDERSTOOD = "not-understood"
TOO_OLD = "too-old"
REASONS = frozenset({NOT_UNDERSTOOD, TOO_OLD, *(reason for _, _, reason in HIDDEN_BY)})


class Described(Protocol):
    """An event, or the row of one."""

    @property
    def status(self) -> str: ...
    @property
    def self_response(self) -> str | None: ...
    @property
    def event_type(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Dates:
    """The dates of a series, of a single event, or of what is left of either."""

    occurrences: list[Occurrence]
    odd: str | None = None  # why the rules could not be followed, as a code


def why_not(
    event: Described, end: EventTime | None, *, now: dt.datetime, is_understood: bool = True
) -> str | None:
    """Why no page shows an event's date that ends at `end`, as a code; None of one that is shown.

    `is_understood`: False when it was set aside, because Google's times or rules of it make no sense.
    """
    if not is_understood:
        return NOT_UNDERSTOOD
    for name, value, reason in HIDDEN_BY:
        if getattr(event, name) == value:
            return reason
    return TOO_OLD if end is not None and end.instant <= oldest(now) else None


def oldest(now: dt.datetime) -> dt.datetime:
    """What ended by then is not shown."""
    return now - KEPT_BEFORE


def dates_of(events: Iterable[Event], *, after: dt.datetime, before: dt.datetime) -> Dates:
    """The dates of one series or single event, from every resource of it that is here, in any order.

    A date whose series is not here, or is gone, or cannot be followed, is an event of its own: a guest may be
    invited to one date alone. It is named by its original start all the same, so that its address holds when
    the series comes. A cancelled one without a series is nothing.
    """
    known = list(events)
    master = next((event for event in known if not event.is_override and not event.is_cancelled), None)
    dates = [event for event in known if event.is_override]
    odd = None
    if master is not None:
        try:
            found = expand(master, dates, after=after, before=before)
        except InvalidCalendarData as error:
            odd = error.code
        else:
            if master.is_master:
                return Dates(found)
            return Dates(found + _alone(dates, after, before))
    return Dates(_alone(dates, after, before), odd)


def _alone(dates: Iterable[Event], after: dt.datetime, before: dt.datetime) -> list[Occurrence]:
    found = []
    for event in dates:
        start, end = event.start, event.end
        if event.is_cancelled or start is None or end is None or event.original_start is None:
            continue
        is_touched = end.instant > after or start.instant == end.instant >= after
        if start.instant < before and is_touched:
            found.append(Occurrence(event.event_id, event.original_start.key, start, end))
    return sorted(found, key=lambda occurrence: (occurrence.start.instant, occurrence.key))
