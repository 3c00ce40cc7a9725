"""What the pages show of a person's calendars: a week's rows, one event, its form."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sandbox.calls.access import Call
from sandbox.calls.discovery import methods
from sandbox.event.view import Viewer
from sandbox.ground.errors import Json
from sandbox.ground.model import Account, Calendar
from sandbox.ground.times import is_all_day, midnight, parse_instant
from sandbox.people import person
from sandbox.resources.listing import occurrences_between
from sandbox.state.world import World


def calendars_of(world: World, account: Account) -> list[Calendar]:
    """The person's calendars: their own first, hidden ones left out."""
    found = [
        world.calendars[entry.calendar_id]
        for entry in account.entries.values()
        if not entry.deleted and not entry.hidden and entry.calendar_id in world.calendars
    ]
    return sorted(found, key=lambda calendar: (calendar.id != account.email, calendar.summary))


def name_of(account: Account, calendar: Calendar) -> str:
    """What the person calls the calendar."""
    return account.entries[calendar.id].summary_override or calendar.summary


def can_write(account: Account, calendar: Calendar) -> bool:
    """Whether the person may change the calendar's events."""
    return calendar.roles[account.sub] in ("owner", "writer")


def writable(world: World, account: Account) -> list[Calendar]:
    """Those of the person's calendars that take another event."""
    return [one for one in calendars_of(world, account) if can_write(account, one)]


def week_rows(world: World, account: Account, monday: date, tz: ZoneInfo) -> list[Json]:
    """Every occurrence of the seven days, all-day ones first, then by start."""
    low = midnight(monday.isoformat(), tz)
    high = midnight((monday + timedelta(days=7)).isoformat(), tz)
    rows = [
        _row(world, account, calendar, body, tz)
        for calendar in calendars_of(world, account)
        for body, _, _ in occurrences_between(calendar, low, high)
    ]
    return sorted(rows, key=lambda row: (not row["all_day"], row["start"], row["summary"]))


def _row(world: World, account: Account, calendar: Calendar, body: Json, tz: ZoneInfo) -> Json:
    shown = details(world, account, calendar, body)
    start, end, all_day = _ends(shown, tz)
    own = [one for one in shown.get("attendees", []) if one["email"] == account.email]
    return {
        "id": shown["id"],
        "calendar": calendar,
        "calendar_name": name_of(account, calendar),
        "summary": shown.get("summary", "Busy" if "summary" not in shown else ""),
        "all_day": all_day,
        "start": start.isoformat(),
        "end": end.isoformat(),
        "clock": "all day" if all_day else f"{start:%H:%M}–{end:%H:%M}",
        "first": start if all_day else _day(start),
        "last": _last_day(start, end),
        "free": shown.get("transparency") == "transparent",
        "declined": any(one.get("responseStatus") == "declined" for one in own),
        "recurring": "recurringEventId" in shown,
        "type": shown.get("eventType", "default"),
    }


def details(world: World, account: Account, calendar: Calendar, body: Json) -> Json:
    """The event as this person sees it."""
    method = methods()["calendar.events.list"]
    call = Call(world, person.caller(account), method, {"calendarId": calendar.id}, {})
    return Viewer(call, calendar).show(body)


def form_fields(body: Json, tz: ZoneInfo) -> Json:
    """Days and times as the form shows them, in the person's zone; an all-day event names its last day."""
    if "start" not in body:
        return {}
    start, end, all_day = _ends(body, tz)
    if all_day:
        dates = {"start_date": start.isoformat(), "end_date": _last_day(start, end).isoformat()}
        return dates | {"all_day": True, "start_time": "09:00", "end_time": "10:00"}
    return {
        "all_day": False,
        "start_date": start.date().isoformat(),
        "end_date": end.date().isoformat(),
        "start_time": f"{start:%H:%M}",
        "end_time": f"{end:%H:%M}",
    }


def _ends(shown: Json, tz: ZoneInfo) -> tuple[Any, Any, bool]:
    """Start and end as dates or as times in the person's zone, and which of the two."""
    if is_all_day(shown):
        return date.fromisoformat(shown["start"]["date"]), date.fromisoformat(shown["end"]["date"]), True
    start, end = (parse_instant(shown[side]["dateTime"]).astimezone(tz) for side in ("start", "end"))
    return start, end, False


def _day(moment: Any) -> date:
    return moment.date() if isinstance(moment, datetime) else moment


def _last_day(start: Any, end: Any) -> date:
    """The last day an event shows on: ends are exclusive."""
    if isinstance(end, datetime):
        return max(_day(start), _day(end - timedelta(seconds=1)))
    return end - timedelta(days=1)
