"""A small model of one Google calendar, of its own: it shares no code with the portal or with the sandbox.

What it knows is in docs/google-calendar-facts.md: §5 (lists and sync tokens), §6 (tombstones), §8 (writes,
ids, If-Match) and §10 (lists that lag). Everything is a frozen value; a change gives back another calendar.

One number, `version`, stands for an event's etag and for its `updated`: it rises with every change in the
calendar. What begins with `by_person` is not Google's: it is the truth that the law is checked against.
"""

from __future__ import annotations

from typing import NamedTuple

GONE_ALREADY, TAKEN, CHANGED_SINCE, FORBIDDEN, UNKNOWN = 410, 409, 412, 403, 404
COPY = "copy"  # the id that Google gives to a copy made by a person
TIMES = 3  # an event is at one of so many times, all of them in the future


class Content(NamedTuple):
    """The fields of an event that matter here, each as small as it can be."""

    time: int
    is_retitled: bool = False
    is_recurring: bool = False


class Properties(NamedTuple):
    """What our writes leave in the private properties of an event."""

    event_id: str
    revision: int
    time: int


class Event(NamedTuple):
    """One event, or its tombstone. `content` is None where a list shows a bare tombstone."""

    event_id: str
    version: int
    content: Content | None
    is_deleted: bool = False
    properties: Properties | None = None
    is_bare: bool = False  # a tombstone as lists show it: an id, a status and nothing else
    by_person_from: int | None = None  # a person has moved it since our last write, away from this time
    by_person_last_from: int | None = None  # the same for the last of such moves
    by_person_status: bool = False  # a person deleted or restored it last


class Calendar(NamedTuple):
    """All events by id, and what the newest change has overwritten, for lists that lag one change behind."""

    events: tuple[Event, ...] = ()
    overwritten: tuple[Event, ...] = ()

    @property
    def newest(self) -> int:
        return max((event.version for event in self.events), default=0)

    def find(self, event_id: str) -> Event | None:
        return next((event for event in self.events if event.event_id == event_id), None)


Answer = Event | int  # an int is the status of a refusal


class Page(NamedTuple):
    """What a list answers, in one page, and the token that goes on from there."""

    events: tuple[Event, ...]
    token: int
    is_whole: bool


def _put(calendar: Calendar, event: Event) -> tuple[Calendar, Event]:
    """Store a new version of an event, or a new event."""
    changed = event._replace(version=calendar.newest + 1)
    before = calendar.find(event.event_id)
    others = tuple(other for other in calendar.events if other.event_id != event.event_id)
    events = tuple(sorted((*others, changed)))
    return Calendar(events, (before,) if before else ()), changed


# What the API answers


def insert(
    calendar: Calendar, event_id: str, content: Content, properties: Properties
) -> tuple[Calendar, Answer]:
    """A deleted event's id stays taken (facts §8)."""
    if calendar.find(event_id) is not None:
        return calendar, TAKEN
    return _put(calendar, Event(event_id, 0, content, properties=properties))


def patch(
    calendar: Calendar, event_id: str, content: Content, properties: Properties, if_match: int | None
) -> tuple[Calendar, Answer]:
    """`if_match` None stands for `*`. A tombstone is told by 412 with an older etag, otherwise by 403."""
    event = calendar.find(event_id)
    if event is None:
        return calendar, UNKNOWN
    if if_match is not None and if_match != event.version:
        return calendar, CHANGED_SINCE
    if event.is_deleted:
        return calendar, FORBIDDEN
    written = event._replace(
        content=content, properties=properties, by_person_from=None, by_person_last_from=None
    )
    return _put(calendar, written)


def delete(calendar: Calendar, event_id: str, if_match: int | None = None) -> tuple[Calendar, Answer]:
    event = calendar.find(event_id)
    if event is None:
        return calendar, UNKNOWN
    if event.is_deleted:
        return calendar, GONE_ALREADY
    if if_match is not None and if_match != event.version:
        return calendar, CHANGED_SINCE
    return _put(calendar, event._replace(is_deleted=True, by_person_status=False))


def list_events(calendar: Calendar, token: int, *, is_whole: bool = False, is_old: bool = False) -> Page:
    """What changed after the token; or, as a whole list, every event that is not deleted.

    `is_old`: answered by a machine that has not heard of the newest change yet; the token goes on from there.
    Whatever lists have told already they never untell: `knows_less` says where that would be.
    """
    events = _without_newest(calendar) if is_old else calendar.events
    known = max((event.version for event in events), default=0)
    if is_whole:
        return Page(tuple(event for event in events if not event.is_deleted), known, is_whole=True)
    changed = tuple(_as_listed(event) for event in events if event.version > token)
    return Page(changed, max(known, token), is_whole=False)


def knows_less(calendar: Calendar, token: int) -> bool:
    """Whether an old list would lack what a list has told before: the newest change, or more."""
    return calendar.newest <= token


def _without_newest(calendar: Calendar) -> tuple[Event, ...]:
    newest = calendar.newest
    older = tuple(event for event in calendar.events if event.version != newest)
    return tuple(sorted((*older, *calendar.overwritten)))


def _as_listed(event: Event) -> Event:
    """Of a deleted event only id and status are promised (facts §6)."""
    return event._replace(content=None, properties=None, is_bare=True) if event.is_deleted else event


# What a person does in Google


def move(calendar: Calendar, event: Event) -> Calendar:
    """Backwards through the times, while the portal's person goes forwards: so they meet, and they miss."""
    assert event.content is not None
    content = event.content._replace(time=(event.content.time - 1) % TIMES)
    left = event.content.time if event.by_person_from is None else event.by_person_from
    moved = event._replace(content=content, by_person_from=left, by_person_last_from=event.content.time)
    return _put(calendar, moved)[0]


def retitle(calendar: Calendar, event: Event) -> Calendar:
    assert event.content is not None
    return _put(calendar, event._replace(content=event.content._replace(is_retitled=True)))[0]


def make_recurring(calendar: Calendar, event: Event) -> Calendar:
    assert event.content is not None
    return _put(calendar, event._replace(content=event.content._replace(is_recurring=True)))[0]


def throw_away(calendar: Calendar, event: Event) -> Calendar:
    return _put(calendar, event._replace(is_deleted=True, by_person_status=True))[0]


def restore(calendar: Calendar, event: Event) -> Calendar:
    """Out of the bin, as it was (facts §6: a cancelled event keeps its details for that)."""
    return _put(calendar, event._replace(is_deleted=False, by_person_status=True))[0]


def copy(calendar: Calendar, event: Event) -> Calendar:
    """A copy has an id of its own and every other field, our private properties among them."""
    copied = Event(COPY, 0, event.content, properties=event.properties)
    return _put(calendar, copied)[0]


def forget_properties(calendar: Calendar, event: Event) -> Calendar:
    """Another program removes our private properties."""
    return _put(calendar, event._replace(properties=None))[0]
