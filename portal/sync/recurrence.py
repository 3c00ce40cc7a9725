"""Expanding a series in a window: RRULE, RDATE and EXDATE in the event's own zone, and its overrides.

RFC 5545 §3.8.5; a wall time that a zone skips takes the offset before the gap, a doubled one is the first.
"""

from __future__ import annotations

import datetime as dt
import itertools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from portal.errors import InvalidCalendarData
from portal.sync import rules
from portal.sync.event import Event, EventTime, zone

MOST_OCCURRENCES = 5_000  # of one series in one window; more is a mistake or an attack, and is quarantined
MOST_STEPS = 100_000  # dates that are counted up to COUNT
MOST_DAYS = 150_000  # looked at for one rule: a whole cycle of the calendar is 146,097
MOST_RULES = 20  # in one series; people need one
DAY = dt.timedelta(days=1)
RULES = ("RRULE", "EXRULE")
UNTIL = re.compile(r"(\d{8})(?:T(\d{6})(Z?))?", re.IGNORECASE)
LINE = re.compile(r"(RRULE|EXRULE|RDATE|EXDATE)((?:;.*)?):([^:]+)", re.IGNORECASE)
TZID = re.compile(r";TZID=(?:\"([^\"]*)\"|([^;]*))", re.IGNORECASE)
DURATION = re.compile(r"\+?P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?")
_Dates = Iterable[tuple[EventTime, EventTime | None]]  # starts, and the ends that are told with them


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
    Raises InvalidCalendarData when a rule cannot be read, or would take for ever to follow.
    """
    try:
        return _expand(event, overrides, after, before)
    except OverflowError as error:  # a date before the year 1 or after 9999
        raise InvalidCalendarData("out-of-range") from error


def _expand(
    event: Event, overrides: Iterable[Event], after: dt.datetime, before: dt.datetime
) -> list[Occurrence]:
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


def _regular(master: Event, after: dt.datetime, before: dt.datetime) -> list[Occurrence]:
    """The dates of the lines that touch the window, as long as the master: exactly, or so many whole days."""
    assert master.start is not None
    assert master.end is not None
    first, length = master.start, master.end.instant - master.start.instant
    lines = [_parse_line(line) for line in master.recurrence]
    if sum(name in RULES for name, _, _ in lines) > MOST_RULES:
        raise InvalidCalendarData("too-many-rules")
    excluded: set[str] = set()
    # DTSTART counts even where the rule would pass it by, and COUNT then counts the others (facts §7)
    found = {first.key: Occurrence(master.event_id, first.key, first, master.end)}
    for name, params, value in lines:
        if name in RULES:
            dates: _Dates = (
                (start, None) for start in _ruled(value, first, after - length - DAY, before + DAY)
            )
        else:
            dates = _dates(params, value, first)
        for start, end in dates:
            key = start.key
            if name in ("EXRULE", "EXDATE"):
                excluded.add(key)
            elif end or key not in found:  # a period's own length is the one that counts (§3.8.5.3)
                found[key] = Occurrence(master.event_id, key, start, end or _plus(start, length))
    shown = [each for key, each in found.items() if key not in excluded and _touches(each, after, before)]
    if len(shown) > MOST_OCCURRENCES:
        raise InvalidCalendarData("too-many-occurrences")
    return shown


def _parse_line(line: str) -> tuple[str, str, str]:
    match = LINE.fullmatch(line.strip())
    if match is None:
        raise InvalidCalendarData("recurrence-line")
    return match[1].upper(), match[2], match[3]


def _ruled(value: str, first: EventTime, after: dt.datetime, before: dt.datetime) -> Iterator[EventTime]:
    """The dates of a rule between two instants, and a few around. UNTIL and COUNT are judged here."""
    parts = dict(_part(part) for part in value.rstrip(";").split(";"))
    until = _until(parts.pop("UNTIL", None), first)
    count_text = parts.pop("COUNT", None)
    try:
        count = None if count_text is None else rules.positive(count_text)
        rule = rules.read(parts, first.wall, is_all_day=first.is_all_day)
    except ValueError as error:
        raise InvalidCalendarData("recurrence-rule") from error
    # the walls of other zones are less than a day from UTC's
    for wall in _walls(rule, count, low=_naive(after - DAY), high=_naive(before + DAY)):
        start = _at_wall(wall, first)
        if until is None or not _is_past(start, until):
            yield start


def _walls(
    rule: rules.Rule, count: int | None, *, low: dt.datetime, high: dt.datetime
) -> Iterator[dt.datetime]:
    """The wall times of a rule from `low` to `high`, if they are among its first `count`.

    Refuses a rule that would have to be followed for very long before it is known what it holds.
    """
    begin = low if count is None else rule.first
    if len(rule.intervals(begin, high)) * rules.DAYS[rule.freq] > MOST_DAYS:
        raise InvalidCalendarData("too-many-occurrences")
    found = 0
    for number, wall in enumerate(itertools.islice(rule.walls(begin, high), count)):
        if number >= MOST_STEPS or found > MOST_OCCURRENCES:
            raise InvalidCalendarData("too-many-occurrences")
        if wall >= low:
            found += 1
            yield wall


def _part(part: str) -> tuple[str, str]:
    name, _, text = part.partition("=")
    return name.strip().upper(), text.strip()


def _until(text: str | None, first: EventTime) -> dt.datetime | None:
    """The last moment of a rule: aware when it is given in UTC, else on the event's wall clock."""
    if text is None:
        return None
    match = UNTIL.fullmatch(text)
    if match is None:
        raise InvalidCalendarData("recurrence-rule")
    try:
        until = dt.datetime.strptime(match[1] + (match[2] or "235959"), "%Y%m%d%H%M%S")  # noqa: DTZ007
    except ValueError as error:
        raise InvalidCalendarData("recurrence-rule") from error
    return until.replace(tzinfo=dt.UTC) if match[3] and not first.is_all_day else until


def _is_past(start: EventTime, until: dt.datetime) -> bool:
    return start.instant > until if until.tzinfo else start.wall > until


def odd_zones(event: Event) -> set[str]:
    """The names in EXDATE and RDATE that no zone has. Their times are read in the event's own zone."""
    lines = [match for line in event.recurrence if (match := LINE.fullmatch(line.strip()))]
    names = {tzid for match in lines if (tzid := _tzid(match[2])) is not None}
    return {name for name in names if _zone_or_none(name) is None}


def _tzid(params: str) -> str | None:
    match = TZID.search(params)
    return (match[1] or match[2]) if match else None


def _zone_or_none(tzid: str) -> dt.tzinfo | None:
    try:
        return zone(tzid)
    except (ValueError, KeyError):
        return None


def _dates(params: str, value: str, first: EventTime) -> _Dates:
    """The values of an EXDATE or RDATE line (RFC 5545 §3.8.5.1, §3.8.5.2), and the ends of its periods."""
    tzid = _tzid(params)
    place = (tzid and _zone_or_none(tzid)) or zone(first.tzid)
    for text in value.upper().split(","):
        begins, _, ends = text.strip().partition("/")
        try:
            start = _date(begins, place, first)
            yield start, _end(ends, start, place, first) if ends and not first.is_all_day else None
        except ValueError as error:
            raise InvalidCalendarData("recurrence-date") from error


def _date(text: str, place: dt.tzinfo, first: EventTime) -> EventTime:
    """One value: a date of a timed series means that day's regular wall time."""
    if "T" not in text:
        day = dt.datetime.strptime(text, "%Y%m%d").date()  # noqa: DTZ007 (a date has no zone)
        return (
            EventTime(date=day)
            if first.is_all_day
            else _at_wall(dt.datetime.combine(day, first.wall.time()), first)
        )
    wall = dt.datetime.strptime(text.removesuffix("Z"), "%Y%m%dT%H%M%S")  # noqa: DTZ007 (wall time on purpose)
    if first.is_all_day:
        return EventTime(date=wall.date())
    return EventTime(datetime=wall.replace(tzinfo=dt.UTC if text[-1] == "Z" else place), tzid=first.tzid)


def _end(text: str, start: EventTime, place: dt.tzinfo, first: EventTime) -> EventTime:
    """Of a period: a time, or a length whose weeks and days are those of the calendar (§3.3.6, §3.3.9)."""
    if not text.startswith(("P", "+P")):
        end = _date(text, place, first)
    else:
        match = DURATION.fullmatch(text)
        if match is None or not any(match.groups()):
            raise ValueError("not a length")
        weeks, days, hours, minutes, seconds = (int(number or 0) for number in match.groups())
        last = _at_wall(start.wall + dt.timedelta(weeks=weeks, days=days), first) if weeks or days else start
        end = _plus(last, dt.timedelta(hours=hours, minutes=minutes, seconds=seconds))
    if end.instant < start.instant:
        raise ValueError("ends before it begins")
    return end


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
