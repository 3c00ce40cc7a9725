"""Expanding a series in a window: RRULE, RDATE and EXDATE in the event's own zone, and its overrides.

RFC 5545 §3.8.5; a wall time that a zone skips takes the offset before the gap, a doubled one is the first.
"""

from __future__ import annotations

import datetime as dt
import itertools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from dateutil.rrule import rrulestr

from portal.errors import InvalidCalendarData
from portal.sync.event import Event, EventTime, zone

MOST_OCCURRENCES = 5_000  # of one series in one window; more is a mistake or an attack, and is quarantined
MOST_STEPS = 100_000  # from a series' first date to the window's end: 270 years of days, 11 of hours
STEP_SECONDS = {
    "SECONDLY": 1, "MINUTELY": 60, "HOURLY": 3_600, "DAILY": 86_400,
    "WEEKLY": 7 * 86_400, "MONTHLY": 28 * 86_400, "YEARLY": 365 * 86_400,
}  # fmt: skip
MOST_RULES = 20  # in one series; people need one
CYCLE_YEARS = 400  # the Gregorian calendar repeats: 146,097 days, a whole number of weeks
LAST_YEAR = 9998  # dateutil follows a rule to the year 9999, and one that never matches all the way there
DAY = dt.timedelta(days=1)
UNTIL = re.compile(r"(\d{8})(?:T(\d{6})(Z?))?", re.IGNORECASE)
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


def _regular(master: Event, after: dt.datetime, before: dt.datetime) -> Iterator[Occurrence]:
    """The dates of the rules, with the master's length: exact when timed, whole days when all-day."""
    assert master.start is not None
    assert master.end is not None
    length = master.end.instant - master.start.instant
    starts = _starts(master, after - length - DAY, before + DAY)
    for count, start in enumerate(starts):
        if count >= MOST_OCCURRENCES:
            raise InvalidCalendarData("too-many-occurrences")
        yield Occurrence(master.event_id, start.key, start, _plus(start, length))


def _starts(master: Event, after: dt.datetime, before: dt.datetime) -> list[EventTime]:
    first = master.start
    assert first is not None
    lines = [_parse_line(line) for line in master.recurrence]
    if sum(name in ("RRULE", "EXRULE") for name, _, _ in lines) > MOST_RULES:
        raise InvalidCalendarData("too-many-rules")
    excluded: set[str] = set()
    # DTSTART counts even where the rule would pass it by, and COUNT then counts the others (facts §7)
    found = {first.key: first}
    for name, params, value in lines:
        is_rule = name in ("RRULE", "EXRULE")
        times = _ruled(value, first, after, before) if is_rule else _dates(params, value, first)
        if name in ("RRULE", "RDATE"):
            found.update({time.key: time for time in times})
        else:
            excluded |= {time.key for time in times}
    return [start for key, start in found.items() if key not in excluded and after <= start.instant < before]


def _parse_line(line: str) -> tuple[str, str, str]:
    match = LINE.fullmatch(line.strip())
    if match is None:
        raise InvalidCalendarData("recurrence-line")
    return match[1].upper(), match[2], match[3]


def _ruled(value: str, first: EventTime, after: dt.datetime, before: dt.datetime) -> list[EventTime]:
    """The dates of an RRULE or EXRULE. UNTIL and COUNT are judged here: dateutil knows UNTIL as a wall time
    only, and would follow a rule beyond the window."""
    parts = dict(_part(part) for part in value.rstrip(";").split(";"))
    until = _until(parts.pop("UNTIL", None), first)
    count = _number(parts.pop("COUNT", None))
    high = before + DAY  # the walls of other zones are less than a day from UTC's
    _check_steps(parts, first, high)
    rule = ";".join(f"{name}={text}" for name, text in parts.items())
    walls = _walls(rule, first.wall, count, low=_naive(after - DAY), high=_naive(high))
    starts = [_at_wall(wall, first) for wall in walls]
    return [start for start in starts if until is None or not _is_past(start, until)]


def _part(part: str) -> tuple[str, str]:
    name, _, text = part.partition("=")
    return name.strip().upper(), text.strip()


def _number(text: str | None) -> int | None:
    """COUNT or INTERVAL: at least 1 (RFC 5545 §3.3.10)."""
    if text is None:
        return None
    if re.fullmatch(r"0*[1-9][0-9]{0,8}", text) is None:
        raise InvalidCalendarData("recurrence-rule")
    return int(text)


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


def _check_steps(parts: dict[str, str], first: EventTime, high: dt.datetime) -> None:
    """Refuse a rule that would have to be followed for very long before it is known what it holds."""
    step = STEP_SECONDS.get(parts.get("FREQ", "").upper())
    if step is None:
        raise InvalidCalendarData("recurrence-rule")
    interval = _number(parts.get("INTERVAL")) or 1
    if (high - first.instant).total_seconds() > step * interval * MOST_STEPS:
        raise InvalidCalendarData("too-many-occurrences")


def _walls(
    rule: str, first: dt.datetime, count: int | None, *, low: dt.datetime, high: dt.datetime
) -> list[dt.datetime]:
    """The first `count` wall times of a rule up to `high`, without those before `low`.

    They are looked for as many whole cycles of the calendar later as there is room for, where dates are the
    same: dateutil gives up a rule that matches nothing (30 February) only at the end of its years.
    """
    years = max(0, (LAST_YEAR - max(first.year, high.year)) // CYCLE_YEARS * CYCLE_YEARS)
    found: list[dt.datetime] = []
    try:
        dates = rrulestr(f"{rule};UNTIL={_later(high, years):%Y%m%dT%H%M%S}", dtstart=_later(first, years))
        for number, date in enumerate(itertools.islice(dates, count)):
            if number >= MOST_STEPS or len(found) > MOST_OCCURRENCES:
                raise InvalidCalendarData("too-many-occurrences")
            wall = _later(date, -years)
            if wall >= low:
                found.append(wall)
    except (ValueError, TypeError, KeyError, IndexError, AttributeError) as error:
        # dateutil has no error of its own: each of these is how it says that a rule makes no sense
        raise InvalidCalendarData("recurrence-rule") from error
    return found


def _later(wall: dt.datetime, years: int) -> dt.datetime:
    """So many whole cycles later: the same month, day and day of the week, 29 February included."""
    return wall.replace(year=wall.year + years)


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
