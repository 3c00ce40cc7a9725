"""freebusy.query: when calendars are busy, without saying why."""

from __future__ import annotations

from datetime import datetime

from sandbox.calls.access import Call, find_calendar
from sandbox.ground.errors import Json, invalid, required, time_range_empty
from sandbox.ground.model import Calendar
from sandbox.ground.times import parse_instant, show, zone
from sandbox.resources.listing import occurrences_between

Span = tuple[datetime, datetime]


def query(call: Call) -> Json:
    """Merged busy spans per calendar; an unknown calendar gets an error of its own, not the whole answer."""
    low, high = _moment(call, "timeMin"), _moment(call, "timeMax")
    if high <= low:
        raise time_range_empty()
    calendars = {
        item.get("id", ""): _busy(call, item.get("id", ""), low, high) for item in call.body.get("items", [])
    }
    return {
        "kind": "calendar#freeBusy",
        "timeMin": show(low, zone("UTC")),
        "timeMax": show(high, zone("UTC")),
        "calendars": calendars,
    }


def _moment(call: Call, name: str) -> datetime:
    if name not in call.body:
        raise required(name)
    try:
        return parse_instant(call.body[name])
    except ValueError:
        raise invalid("Bad Request", name) from None


def _busy(call: Call, calendar_id: str, low: datetime, high: datetime) -> Json:
    calendar = find_calendar(call, calendar_id)
    if calendar is None or call.account.sub not in calendar.roles:
        return {"errors": [{"domain": "global", "reason": "notFound"}], "busy": []}
    tz = zone(call.body.get("timeZone") or "UTC")
    spans = _merge(_opaque_spans(calendar, low, high))
    return {"busy": [{"start": show(start, tz), "end": show(end, tz)} for start, end in spans]}


def _opaque_spans(calendar: Calendar, low: datetime, high: datetime) -> list[Span]:
    found = occurrences_between(calendar, low, high)
    return sorted(
        (max(start, low), min(end, high))
        for body, start, end in found
        if body.get("transparency") != "transparent" and body.get("status") != "cancelled"
    )


def _merge(spans: list[Span]) -> list[Span]:
    merged: list[Span] = []
    for start, end in spans:
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged
