"""Instants, dates and time zones as Google reads and writes them (RFC 3339, IANA names)."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from sandbox.ground.errors import Json, invalid, required, time_range_empty

RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?", re.IGNORECASE)


@lru_cache(maxsize=1024)
def zone(name: str) -> ZoneInfo:
    """The IANA zone. Raises 400 `invalid` for an unknown name."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise invalid(f"Invalid time zone: {name}", "timeZone") from None


def parse_instant(text: str) -> datetime:
    """An RFC 3339 time with its mandatory offset; milliseconds are dropped. Raises ValueError."""
    moment = _parse(text)
    if moment.tzinfo is None:
        raise ValueError("an offset is needed")
    return moment.astimezone(UTC)


def _parse(text: str) -> datetime:
    if not RFC3339.fullmatch(text):
        raise ValueError("not RFC 3339")
    return datetime.fromisoformat(text.upper()).replace(microsecond=0)


def show(moment: datetime, tz: ZoneInfo) -> str:
    """RFC 3339 in a zone, `Z` for UTC."""
    text = moment.astimezone(tz).isoformat(timespec="seconds")
    return text[:-6] + "Z" if tz.key == "UTC" else text


def midnight(day: str, tz: ZoneInfo) -> datetime:
    """The instant at which a date begins in a zone."""
    return datetime.combine(date.fromisoformat(day), datetime.min.time(), tz).astimezone(UTC)


def is_all_day(body: Json) -> bool:
    """Whether an event has dates instead of times."""
    return "date" in body["start"]


def instants(body: Json, tz: ZoneInfo) -> tuple[datetime, datetime]:
    """Start and end of a normalised event as UTC instants; dates begin at midnight in the zone given."""
    if is_all_day(body):
        return midnight(body["start"]["date"], tz), midnight(body["end"]["date"], tz)
    return parse_instant(body["start"]["dateTime"]), parse_instant(body["end"]["dateTime"])


def normalise(body: Json, calendar_zone: str) -> None:
    """Check start and end and write them as Google does: times in the calendar's zone, each with a zone name.

    Raises 400: `required`, `invalid` (mixed kinds, no offset and no zone) or `timeRangeEmpty`.
    """
    for side in ("start", "end"):
        if not body.get(side):
            raise required(side)
    kinds = {_kind(body[side], side) for side in ("start", "end")}
    if len(kinds) > 1:
        raise invalid("Start and end times must either both be date or both be dateTime.", "start")
    _require_zone_of_series(body, kinds)
    for side in ("start", "end"):
        body[side] = _side(body[side], side, calendar_zone)
    start, end = instants(body, zone(calendar_zone))
    # A timed event may last no time at all; a day ends with the next date.
    if end < start or (end == start and kinds == {"date"}):
        raise time_range_empty()


def _kind(value: Json, side: str) -> str:
    present = [kind for kind in ("date", "dateTime") if value.get(kind)]
    if len(present) != 1:
        raise invalid(f"Invalid {side} time.", side)
    return present[0]


def _require_zone_of_series(body: Json, kinds: set[str]) -> None:
    if body.get("recurrence") and kinds == {"dateTime"} and not body["start"].get("timeZone"):
        raise invalid("Missing time zone definition for start time.", "start.timeZone")


def _side(value: Json, side: str, calendar_zone: str) -> Json:
    if value.get("date"):
        return {"date": value["date"]}
    name = value.get("timeZone") or calendar_zone
    try:
        moment = _parse(value["dateTime"])
    except ValueError:
        raise invalid(f"Invalid value for: {side}.dateTime", side) from None
    if moment.tzinfo is None:
        if not value.get("timeZone"):
            raise invalid(f"Missing time zone definition for {side} time.", side)
        moment = moment.replace(tzinfo=zone(name))
    zone(name)
    return {"dateTime": show(moment.astimezone(UTC), zone(calendar_zone)), "timeZone": name}


def shift(body: Json, seconds: float, calendar_zone: str) -> None:
    """Move a normalised event by a number of seconds (whole days for an all-day one)."""
    for side in ("start", "end"):
        value = body[side]
        if "date" in value:
            value["date"] = (date.fromisoformat(value["date"]) + timedelta(seconds=seconds)).isoformat()
        else:
            moved = parse_instant(value["dateTime"]) + timedelta(seconds=seconds)
            value["dateTime"] = show(moved, zone(calendar_zone))
