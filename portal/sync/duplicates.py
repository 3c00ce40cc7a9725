"""What stands in Google twice, judged from values: copies of ours, events in two calendars, subscriptions.

A date is one entry as a page would draw it; the dates of a series, its moved ones too, are told together.
"""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

# Two series of one name that meet now and then are two. From this share of the shorter one's dates on, one
SAME_SERIES_SHARE = 0.5
SAME_SERIES_DATES = 2  # and at least so many


class Kind(enum.StrEnum):
    """What is there twice, and so what is to be done about it."""

    COPY = "copy"  # an appointment of ours, and beside it an event made by hand
    TWO_CALENDARS = "two-calendars"
    ONE_CALENDAR = "one-calendar"
    SUBSCRIPTION = "subscription"  # a whole calendar, subscribed in Google twice


@dataclass(frozen=True, slots=True, kw_only=True)
class Date:
    """One date of an event that takes time, or of an appointment's own event, in Google now."""

    record: int  # our row of the event, or of the appointment
    calendar: int  # our row of the calendar it stands in
    starts_at: dt.datetime  # all-day: midnights of UTC
    ends_at: dt.datetime
    all_day: bool = False
    summary: str = field(default="", repr=False)
    is_ours: bool = False
    series: str = ""  # the id of the single event or of the master
    dates: int = 1  # of the series, in the stretch that is looked at
    original_start: str = ""  # which date of the series: `EventTime.key`; "" for a single event
    ical_uid: str | None = None
    html_link: str | None = None

    @property
    def is_single(self) -> bool:
        return not self.original_start

    @property
    def unit(self) -> tuple[int, str]:
        """The single event or the series that this is a date of."""
        return self.calendar, self.series

    @property
    def rank(self) -> tuple[bool, int, int]:
        """Of two that are the same the lower one counts as the first: ours, then as the rows came."""
        return not self.is_ours, self.calendar, self.record


@dataclass(frozen=True, slots=True, kw_only=True)
class Duplicate:
    """Something that is there once too often, and what it stands beside."""

    kind: Kind
    calendar: int
    summary: str = field(repr=False)  # the event's title, or the calendar's name
    first_calendar: int | None = None  # where the other one stands
    appointment: int | None = None  # the one that was copied
    starts_at: dt.datetime | None = None  # the next date; of a subscription none is known
    ends_at: dt.datetime | None = None
    all_day: bool = False
    dates: int = 1
    html_link: str | None = None


def find_twice(dates: Iterable[Date], *, now: dt.datetime) -> list[Duplicate]:
    """Every event or series that stands beside another of the same time and text, or of the same UID.

    Two dates are the same if both begin and end alike and say the same, or if they stand in two calendars
    with one UID (RFC 5545 §3.8.4.7) and one original start. Of each group the first is kept, and the others
    are told, the earliest date that is not over first. Ours beside ours is no matter of Google's.
    """
    met: dict[tuple[int, str], dict[tuple[int, str], dict[dt.datetime, tuple[Date, Date]]]] = {}
    for group in _groups(dates):
        first, *others = sorted(group, key=lambda date: date.rank)
        for other in others:
            if not other.is_ours and other.unit != first.unit:
                meetings = met.setdefault(other.unit, {}).setdefault(_side(first), {})
                meetings.setdefault(other.starts_at, (first, other))
    found = [each for sides in met.values() if (each := _told(sides, now=now)) is not None]
    return sorted(found, key=lambda each: (each.ends_at is not None and each.ends_at <= now, _start(each)))


def find_subscribed_twice(calendars: Mapping[int, str]) -> list[Duplicate]:
    """Subscriptions of one name, by our rows. Their events cannot be read, so the name is all there is."""
    first: dict[str, int] = {}
    found = []
    for number, name in calendars.items():
        text = _text(name)
        if text and text in first:
            kept = first[text]
            found.append(
                Duplicate(kind=Kind.SUBSCRIPTION, calendar=number, summary=name, first_calendar=kept)
            )
        elif text:
            first[text] = number
    return found


def _groups(dates: Iterable[Date]) -> list[list[Date]]:
    """Dates that are the same as the others of their group; one date may be in two."""
    groups: dict[tuple[object, ...], list[Date]] = {}
    by_uid: dict[tuple[object, ...], dict[int, Date]] = {}
    for date in dates:
        if text := _text(date.summary):
            groups.setdefault((date.starts_at, date.ends_at, date.all_day, text), []).append(date)
        if date.ical_uid:
            by_uid.setdefault((date.ical_uid, date.original_start), {}).setdefault(date.calendar, date)
    return [*groups.values(), *(list(each.values()) for each in by_uid.values())]


def _side(first: Date) -> tuple[int, str]:
    """What others stand beside: all of our appointments count as one."""
    return (0, "") if first.is_ours else first.unit


def _told(
    sides: Mapping[tuple[int, str], Mapping[dt.datetime, tuple[Date, Date]]], *, now: dt.datetime
) -> Duplicate | None:
    """One event or series, told once: beside ours before beside others, by its next date."""
    pairs = [pair for meetings in sides.values() if _is_same(meetings) for pair in meetings.values()]
    if not pairs:
        return None
    first, other = min(pairs, key=lambda pair: _nearness(*pair, now=now))
    return Duplicate(
        kind=_kind(first, other),
        calendar=other.calendar,
        summary=other.summary,
        first_calendar=first.calendar,
        appointment=first.record if first.is_ours else None,
        starts_at=other.starts_at,
        ends_at=other.ends_at,
        all_day=other.all_day,
        dates=len({other.starts_at for _, other in pairs}),
        html_link=other.html_link,
    )


def _is_same(meetings: Mapping[dt.datetime, tuple[Date, Date]]) -> bool:
    """Whether what met so often is one thing twice. Two series may meet by chance; a UID is never one."""
    first, other = next(iter(meetings.values()))
    is_one_event = first.ical_uid is not None and first.ical_uid == other.ical_uid
    if first.is_ours or first.is_single or other.is_single or is_one_event:
        return True
    return len(meetings) >= max(SAME_SERIES_DATES, SAME_SERIES_SHARE * min(first.dates, other.dates))


def _nearness(first: Date, other: Date, *, now: dt.datetime) -> tuple[bool, bool, dt.datetime]:
    return other.ends_at <= now, not first.is_ours, other.starts_at


def _kind(first: Date, other: Date) -> Kind:
    if first.is_ours:
        return Kind.COPY
    return Kind.ONE_CALENDAR if first.calendar == other.calendar else Kind.TWO_CALENDARS


def _start(each: Duplicate) -> dt.datetime:
    return each.starts_at or dt.datetime.max.replace(tzinfo=dt.UTC)


def _text(words: str) -> str:
    """Told apart as both sides of the sync do (`Content.content_hash`): blanks don't count."""
    return " ".join(words.split())
