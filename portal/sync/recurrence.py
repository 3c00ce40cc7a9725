"""Expanding a series in a window: RRULE, RDATE and EXDATE in the event's own zone, and its overrides.

RFC 5545 §3.8.5; a wall time that a zone skips takes the offset before the gap, a doubled one is the first.
"""

from __future__ import annotations

import datetime as dt
import itertools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from dateutil.rrule import rrulebase, rrulestr

from portal.errors import InvalidCalendarData
from portal.sync.event import Event, EventTime, zone

MOST_OCCURRENCES = 5_000  # of one series in one window; more is a mistake or an attack, and is quarantined
UNTIL = re.compile(r"UNTIL=(\d{8})(?:T(\d{6})(Z?))?", re.IGNORECASE)
LINE = re.compile(r"(RRULE|EXRULE|RDATE|EXDATE)((?:;[^:]*)?):(.+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One date of an event. `event_id` names what it shows: the master, an override or a single event."""

    event_id: str
    key: str  # the original start; "" of a single event
    start: EventTime
    end: EventTime


def expand(
    event: Event, overrides: Iterable[Event], *, after: dt.datetime, before: dt.datetime
) -> list[Occurrence]:
    """The occurrences of `event` that end after `after` and start before `before`.

    An override stands at its own time in place of its original start; a cancelled one removes it.
    Raises InvalidCalendarData when a rule cannot be read.
    """
    if event.start is None or event.end is None:
        return []
    if not event.is_master:
        single = Occurrence(event.event_id, "", event.start, event.end)
        return [single] if _touches(single, after, before) else []
    replaced = {override.original_start.key: override for override in overrides if override.original_start}
    found = [
        occurrence
        for occurrence in _regular(event, after, before)
        if occurrence.key not in replaced and _touches(occurrence, after, before)
    ]
    found += [moved for moved in map(_moved, replaced.values()) if moved and _touches(moved, after, before)]
    return sorted(found, key=lambda occurrence: (occurrence.start.instant, occurrence.key))


def _moved(override: Event) -> Occurrence | None:
    if override.is_cancelled or override.start is None or override.end is None:
        return None
    assert override.original_start is not None
    return Occurrence(override.event_id, override.original_start.key, override.start, override.end)


def _touches(occurrence: Occurrence, after: dt.datetime, before: dt.datetime) -> bool:
    """Zero-length events count at their own moment."""
    start, end = occurrence.start.instant, occurrence.end.instant
    return start < before and (end > after or start == end >= after)


def _regular(master: Event, after: dt.datetime, before: dt.datetime) -> Iterator[Occurrence]:
    """The dates of the rules, with the master's length: exact when timed, whole days when all-day."""
    assert master.start is not None
    assert master.end is not None
    length = master.end.instant - master.start.instant
    starts = _starts(master, after - length - dt.timedelta(days=1), before + dt.timedelta(days=1))
    for count, start in enumerate(starts):
        if count >= MOST_OCCURRENCES:
            raise InvalidCalendarData("too-many-occurrences")
        yield Occurrence(master.event_id, start.key, start, _plus(start, length))


def _starts(master: Event, after: dt.datetime, before: dt.datetime) -> list[EventTime]:
    first = master.start
    assert first is not None
    lines = [_parse_line(line) for line in master.recurrence]
    low, high = _naive(after), _naive(before)
    excluded = {
        time.key for name, params, value in lines if name == "EXDATE" for time in _dates(params, value, first)
    }
    rules = [value for name, _, value in lines if name == "RRULE"]
    found = {first.key: first}  # DTSTART counts even where the rule would pass it by (RFC 5545 §3.8.5.3)
    for value in rules:
        for wall in _between(_rule(value, first), low, high):
            start = _at_wall(wall, first)
            found[start.key] = start
    for name, params, value in lines:
        if name == "RDATE":
            found.update({time.key: time for time in _dates(params, value, first)})
        if name == "EXRULE":
            excluded |= {_at_wall(wall, first).key for wall in _between(_rule(value, first), low, high)}
    return [start for key, start in found.items() if key not in excluded and after <= start.instant < before]


def _parse_line(line: str) -> tuple[str, str, str]:
    match = LINE.fullmatch(line.strip())
    if match is None:
        raise InvalidCalendarData("recurrence-line")
    return match[1].upper(), match[2], match[3]


def _rule(value: str, first: EventTime) -> rrulebase:
    """The rule over naive wall times. UNTIL is brought to the same wall clock (RFC 5545 §3.3.10)."""
    try:
        return rrulestr(UNTIL.sub(lambda match: _local_until(match, first), value), dtstart=first.wall)
    except (ValueError, TypeError, KeyError, IndexError, AttributeError) as error:
        # dateutil has no error of its own: each of these is how it says that a rule makes no sense
        raise InvalidCalendarData("recurrence-rule") from error


def _local_until(match: re.Match[str], first: EventTime) -> str:
    date, time, utc = match[1], match[2], match[3]
    if time is None:
        return f"UNTIL={date}T235959"
    until = dt.datetime.strptime(date + time, "%Y%m%d%H%M%S")  # noqa: DTZ007 (wall time on purpose)
    if utc and not first.is_all_day:
        until = until.replace(tzinfo=dt.UTC).astimezone(zone(first.tzid)).replace(tzinfo=None)
    return f"UNTIL={until:%Y%m%dT%H%M%S}"


def _between(rule: rrulebase, low: dt.datetime, high: dt.datetime) -> list[dt.datetime]:
    """The rule's wall times in [low, high], a day of slack on both sides for the zone's offset."""
    walls = rule.xafter(low - dt.timedelta(days=1), inc=True)
    within = itertools.takewhile(lambda wall: wall <= high + dt.timedelta(days=1), walls)
    found = list(itertools.islice(within, MOST_OCCURRENCES + 1))
    if len(found) > MOST_OCCURRENCES:
        raise InvalidCalendarData("too-many-occurrences")
    return found


def _dates(params: str, value: str, first: EventTime) -> list[EventTime]:
    """The values of an EXDATE or RDATE line (RFC 5545 §3.8.5.1, §3.8.5.2)."""
    tzid = re.search(r"TZID=\"?([^;:\"]+)", params, re.IGNORECASE)
    return [_date(text.strip(), tzid[1] if tzid else first.tzid, first) for text in value.split(",")]


def _date(text: str, tzid: str, first: EventTime) -> EventTime:
    """One value: a date of a timed series means that day's regular wall time."""
    text = text.split("/")[0]  # a PERIOD counts by its start
    try:
        if "T" not in text:
            day = dt.datetime.strptime(text, "%Y%m%d").date()  # noqa: DTZ007 (a date has no zone)
            return (
                EventTime(date=day)
                if first.is_all_day
                else _at_wall(dt.datetime.combine(day, first.wall.time()), first)
            )
        wall = dt.datetime.strptime(text.rstrip("Zz"), "%Y%m%dT%H%M%S")  # noqa: DTZ007 (wall time on purpose)
        if first.is_all_day:
            return EventTime(date=wall.date())
        place = dt.UTC if text[-1] in "Zz" else zone(tzid)
        return EventTime(datetime=wall.replace(tzinfo=place), tzid=first.tzid)
    except (ValueError, KeyError) as error:
        raise InvalidCalendarData("recurrence-date") from error


def _at_wall(wall: dt.datetime, first: EventTime) -> EventTime:
    if first.is_all_day:
        return EventTime(date=wall.date())
    return EventTime(datetime=wall.replace(tzinfo=zone(first.tzid), fold=0), tzid=first.tzid)


def _plus(start: EventTime, length: dt.timedelta) -> EventTime:
    if start.date is not None:
        return EventTime(date=start.date + length)
    assert start.datetime is not None
    return EventTime(datetime=start.datetime + length, tzid=start.tzid)


def _naive(moment: dt.datetime) -> dt.datetime:
    return moment.astimezone(dt.UTC).replace(tzinfo=None)
