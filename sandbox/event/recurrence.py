"""Series: which dates RRULE, RDATE and EXDATE lines give, in the event's own IANA zone (facts §7).

Rules are followed on the wall clock and then turned into instants: a weekly 9:00 stays 9:00 across DST.
The first date is one of the series even where its rule passes it by; COUNT then counts the others.
"""

from __future__ import annotations

import contextlib
import copy
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from sandbox.event import rules
from sandbox.ground.errors import GoogleError, Json, invalid
from sandbox.ground.model import Calendar, Stored
from sandbox.ground.times import instants, is_all_day, parse_instant, show, zone

Occurrence = tuple[Json, datetime, datetime]  # the instance, its start and end as UTC instants
DAY = timedelta(days=1)
LINE = re.compile(r"(RRULE|EXRULE|RDATE|EXDATE)((?:;.+)?):([^:]+)", re.IGNORECASE)
LENGTH = re.compile(r"P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?")
# An endless series asked for without timeMax stops here. Google stops somewhere too; where is not published.
HORIZON = timedelta(days=3 * 366)


def check(body: Json) -> None:
    """Raises 400 for recurrence lines that cannot be read, DTSTART and DTEND among them."""
    lines = body.get("recurrence")
    if not lines:
        body.pop("recurrence", None)
        return
    try:
        start = _local_start(body)
        _dates(body, start, start + DAY)
    except (ValueError, TypeError, OverflowError):
        raise invalid("Invalid recurrence rule.", "recurrence") from None


def occurrences(calendar: Calendar, master: Stored, low: datetime, high: datetime) -> Iterator[Occurrence]:
    """The live instances of a series that overlap the window: computed ones and exceptions."""
    exceptions = calendar.exceptions.get(master.id, {})
    for body, start, end in _computed(calendar, master, low, high):
        if body["id"] not in exceptions:
            yield body, start, end
    for stored in exceptions.values():
        if not stored.deleted and stored.end_at > low and stored.start_at < high:
            yield stored.body, stored.start_at, stored.end_at


def touches(calendar: Calendar, master: Stored, low: datetime | None, high: datetime | None) -> bool:
    """Whether any computed instance overlaps a window that may be open on either side."""
    low = low or master.start_at - DAY
    high = high or max(low, master.start_at) + HORIZON
    return next(_computed(calendar, master, low, high), None) is not None


def instance(calendar: Calendar, instance_id: str) -> Json | None:
    """The computed instance with this id, e.g. `abc_20261123T150000Z`, or None where the series has none."""
    master_id, _, moment = instance_id.rpartition("_")
    master = calendar.events.get(master_id)
    if (
        master is None
        or master.deleted
        or not master.is_master
        or not re.fullmatch(r"\d{8}(T\d{6}Z)?", moment)
    ):
        return None
    middle = datetime.strptime(moment[:8], "%Y%m%d").replace(tzinfo=UTC)
    found = _computed(calendar, master, middle - 2 * DAY, middle + 3 * DAY)
    return next((body for body, _, _ in found if body["id"] == instance_id), None)


def still_occurs(calendar: Calendar, exception: Stored) -> bool:
    """Whether the date that this exception replaces is still one of the series."""
    return instance(calendar, exception.id) is not None


def _computed(calendar: Calendar, master: Stored, low: datetime, high: datetime) -> Iterator[Occurrence]:
    tz, length = zone(_zone_name(master.body)), master.end_at - master.start_at
    first = low.astimezone(tz).replace(tzinfo=None) - length - DAY
    last = high.astimezone(tz).replace(tzinfo=None) + DAY
    for local, period in sorted(_dates(master.body, first, last).items()):
        body = _instance_at(calendar, master.body, local, period)
        start, end = instants(body, zone(calendar.time_zone))
        if end > low and start < high:
            yield body, start, end


def _dates(master: Json, first: datetime, last: datetime) -> dict[datetime, timedelta | None]:
    """The wall times of a series between two others, each with its length where that is its own; and every
    RDATE, for a period may be long. Raises ValueError for unreadable lines."""
    start, zone_name = _local_start(master), _zone_name(master)
    found: dict[datetime, timedelta | None] = {start: None}
    excluded: set[datetime] = set()
    for line in master["recurrence"]:
        match = LINE.fullmatch(line.strip())
        if match is None:
            raise ValueError("not a recurrence line")
        kind, options, value = match[1].upper(), match[2], match[3]
        if kind in ("RRULE", "EXRULE"):
            rule = rules.read(value, start, zone_name, is_all_day=is_all_day(master))
            named: dict[datetime, timedelta | None] = dict.fromkeys(rule.moments(first, last))
        else:
            named = dict(_listed(options, value, zone_name, start))
        if kind in ("EXRULE", "EXDATE"):
            excluded |= named.keys()
        else:
            found |= {moment: length for moment, length in named.items() if length or moment not in found}
    return {moment: length for moment, length in found.items() if moment not in excluded}


def _instance_at(calendar: Calendar, master: Json, local: datetime, period: timedelta | None) -> Json:
    body = {name: value for name, value in master.items() if name != "recurrence"}
    if is_all_day(master):
        body |= _all_day_parts(master, local.date())
    else:
        body |= _timed_parts(calendar, master, local, period)
    body["recurringEventId"] = master["id"]
    return body


def _all_day_parts(master: Json, day: date) -> Json:
    length = date.fromisoformat(master["end"]["date"]) - date.fromisoformat(master["start"]["date"])
    return {
        "id": f"{master['id']}_{day:%Y%m%d}",
        "start": {"date": day.isoformat()},
        "end": {"date": (day + length).isoformat()},
        "originalStartTime": {"date": day.isoformat()},
    }


def _timed_parts(calendar: Calendar, master: Json, local: datetime, period: timedelta | None) -> Json:
    name, shown_in = _zone_name(master), zone(calendar.time_zone)
    # A skipped local time takes the offset before the gap, a doubled one the first: fold=0 says both.
    start = local.replace(tzinfo=zone(name)).astimezone(UTC)
    regular = parse_instant(master["end"]["dateTime"]) - parse_instant(master["start"]["dateTime"])
    length = regular if period is None else period
    end_zone = master["end"].get("timeZone", name)
    return {
        "id": f"{master['id']}_{start:%Y%m%dT%H%M%SZ}",
        "start": {"dateTime": show(start, shown_in), "timeZone": name},
        "end": {"dateTime": show(start + length, shown_in), "timeZone": end_zone},
        "originalStartTime": {"dateTime": show(start, shown_in), "timeZone": name},
    }


def _zone_name(body: Json) -> str:
    return "UTC" if is_all_day(body) else str(body["start"]["timeZone"])


def _local_start(body: Json) -> datetime:
    if is_all_day(body):
        return datetime.fromisoformat(body["start"]["date"])
    tz = zone(_zone_name(body))
    return parse_instant(body["start"]["dateTime"]).astimezone(tz).replace(tzinfo=None)


def _listed(
    options: str, values: str, zone_name: str, start: datetime
) -> Iterator[tuple[datetime, timedelta | None]]:
    """The values of an RDATE or EXDATE line on the series' wall clock, with the lengths of periods.

    A zone that nobody knows counts as the series' own, for what other systems put into Google's calendars.
    """
    named = re.search(r'TZID="?([^;"]+)', options, re.IGNORECASE)
    there = zone(zone_name)
    if named:
        with contextlib.suppress(GoogleError):
            there = zone(named[1])
    for text in values.upper().split(","):
        begins, _, ends = text.strip().partition("/")
        if "T" not in begins:
            day = datetime.strptime(begins, "%Y%m%d")  # noqa: DTZ007 - wall clock on purpose
            yield day.replace(hour=start.hour, minute=start.minute, second=start.second), None
            continue
        moment = _moment(begins, there)
        length = _length(ends, moment, there) if ends else None
        yield moment.astimezone(zone(zone_name)).replace(tzinfo=None), length


def _moment(text: str, there: ZoneInfo) -> datetime:
    local = datetime.strptime(text.removesuffix("Z"), "%Y%m%dT%H%M%S")  # noqa: DTZ007
    return local.replace(tzinfo=UTC if text.endswith("Z") else there)


def _length(ends: str, start: datetime, there: ZoneInfo) -> timedelta:
    """Of a period. Its days are those of a wall clock, its hours exact."""
    if not ends.startswith("P"):
        return _moment(ends, there).astimezone(UTC) - start.astimezone(UTC)
    match = LENGTH.fullmatch(ends)
    if match is None:
        raise ValueError("not a length")
    weeks, days, hours, minutes, seconds = (int(number or 0) for number in match.groups())
    last = start + timedelta(weeks=weeks, days=days)
    exact = timedelta(hours=hours, minutes=minutes, seconds=seconds)
    return last.astimezone(UTC) - start.astimezone(UTC) + exact


def detached(body: Json) -> Json:
    """A copy that may be changed without touching the series it came from."""
    return copy.deepcopy(body)
