"""Series: which dates RRULE, RDATE and EXDATE lines give, in the event's own IANA zone (facts §7).

Rules are computed on the wall clock and then turned into instants: a weekly 9:00 stays 9:00 across DST.
The first date is one of the series even where its rule passes it by; COUNT then counts the others.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any

from dateutil.rrule import rruleset, rrulestr

from sandbox.ground.errors import Json, invalid
from sandbox.ground.model import Calendar, Stored
from sandbox.ground.times import instants, is_all_day, parse_instant, show, zone

Occurrence = tuple[Json, datetime, datetime]  # the instance, its start and end as UTC instants
DAY = timedelta(days=1)
LINE = re.compile(r"(RRULE|EXRULE|RDATE|EXDATE)((?:;[^:]+)?):(.+)", re.IGNORECASE)
# An endless series asked for without timeMax stops here. Google stops somewhere too; where is not published.
HORIZON = timedelta(days=3 * 366)


def check(body: Json) -> None:
    """Raises 400 for recurrence lines that cannot be read, DTSTART and DTEND among them."""
    lines = body.get("recurrence")
    if not lines:
        body.pop("recurrence", None)
        return
    try:
        rules_of(body)
    except (ValueError, TypeError):
        raise invalid("Invalid recurrence rule.", "recurrence") from None


def rules_of(body: Json) -> rruleset:
    """The rule set of a master, on its own wall clock. Raises ValueError for unreadable lines."""
    return _rules(_local_start(body), tuple(body["recurrence"]), _zone_name(body))


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
    for local in rules_of(master.body).xafter(first, inc=True):
        if local > last:
            return
        body = _instance_at(calendar, master.body, local)
        start, end = instants(body, zone(calendar.time_zone))
        if end > low and start < high:
            yield body, start, end


def _instance_at(calendar: Calendar, master: Json, local: datetime) -> Json:
    body = {name: value for name, value in master.items() if name != "recurrence"}
    if is_all_day(master):
        body |= _all_day_parts(master, local.date())
    else:
        body |= _timed_parts(calendar, master, local)
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


def _timed_parts(calendar: Calendar, master: Json, local: datetime) -> Json:
    name, shown_in = _zone_name(master), zone(calendar.time_zone)
    # A skipped local time takes the offset before the gap, a doubled one the first: fold=0 says both.
    start = local.replace(tzinfo=zone(name)).astimezone(UTC)
    length = parse_instant(master["end"]["dateTime"]) - parse_instant(master["start"]["dateTime"])
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


@lru_cache(maxsize=4096)
def _rules(start: datetime, lines: tuple[str, ...], zone_name: str) -> rruleset:
    rules = rruleset(cache=False)
    rules.rdate(start)
    for line in lines:
        match = LINE.fullmatch(line.strip())
        if match is None:
            raise ValueError("not a recurrence line")
        kind, options, value = match[1].upper(), match[2], match[3]
        if kind in ("RRULE", "EXRULE"):
            rule: Any = rrulestr(_with_local_until(value, zone_name), dtstart=start)
            (rules.rrule if kind == "RRULE" else rules.exrule)(rule)
        else:
            for moment in _local_dates(options, value, zone_name, start):
                (rules.rdate if kind == "RDATE" else rules.exdate)(moment)
    return rules


def _with_local_until(rule: str, zone_name: str) -> str:
    """UNTIL of a timed series is UTC; the rule is computed on the wall clock, so UNTIL goes there too."""
    if re.search(r"\bCOUNT=", rule, re.IGNORECASE) and re.search(r"\bUNTIL=", rule, re.IGNORECASE):
        raise ValueError("COUNT and UNTIL exclude each other")

    def local(match: re.Match[str]) -> str:
        moment = datetime.strptime(match[1].upper(), "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        return f"UNTIL={moment.astimezone(zone(zone_name)):%Y%m%dT%H%M%S}"

    return re.sub(r"UNTIL=(\d{8}T\d{6}Z)", local, rule, flags=re.IGNORECASE)


def _local_dates(options: str, values: str, zone_name: str, start: datetime) -> Iterator[datetime]:
    named = re.search(r"TZID=([^;]+)", options, re.IGNORECASE)
    for text in values.split(","):
        if len(text) == len("20261123"):
            day = datetime.strptime(text, "%Y%m%d")  # noqa: DTZ007 - wall clock on purpose
            yield day.replace(hour=start.hour, minute=start.minute, second=start.second)
            continue
        moment = datetime.strptime(text.upper().removesuffix("Z"), "%Y%m%dT%H%M%S")  # noqa: DTZ007
        if text.upper().endswith("Z"):
            moment = moment.replace(tzinfo=UTC).astimezone(zone(zone_name)).replace(tzinfo=None)
        elif named and named[1] != zone_name:
            moment = moment.replace(tzinfo=zone(named[1])).astimezone(zone(zone_name)).replace(tzinfo=None)
        yield moment


def detached(body: Json) -> Json:
    """A copy that may be changed without touching the series it came from."""
    return copy.deepcopy(body)
