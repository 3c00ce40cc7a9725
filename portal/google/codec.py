"""Google's event resources to Events and back. The only place that knows their dictionaries."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from portal.errors import InvalidCalendarData
from portal.sync.event import Content, Event, EventTime, Tag

KEY_INSTALLATION = "lockstepInstallation"
KEY_APPOINTMENT = "lockstepAppointment"
KEY_EVENT = "lockstepEvent"
KEY_REVISION = "r"
KEY_TIMES_HASH = "h"
REVISION = re.compile(r"[0-9]{1,9}")
LONGEST_WORD = (
    20  # status, transparency and so on; "focusTime", "workingLocation", "needsAction" are long ones
)
LONGEST_EVENT_ID = 1024
LONGEST_ETAG = 100

LONGEST_UID_BYTES = 1024  # RFC 5545 sets no bound; a database's index does

# What is asked of events.list and events.get: what isn't fetched can't leak.
EVENT_FIELDS = (
    "id,iCalUID,etag,status,updated,summary,start,end,transparency,visibility,eventType,recurrence,recurringEventId,"
    "originalStartTime,htmlLink,attendees(self,responseStatus),extendedProperties/private"
)


def from_google(resource: Any) -> Event:
    """Read one resource. Raises InvalidCalendarData with a code when it makes no sense as an event."""
    event_id = id_of(resource)
    if event_id is None:
        raise InvalidCalendarData("not-an-event")
    status = _word(resource, "status", "confirmed")
    is_cancelled = status == "cancelled"
    start, end = _times(resource, is_cancelled=is_cancelled)
    return Event(
        event_id=event_id,
        ical_uid=_uid(resource.get("iCalUID")),
        etag=_etag(resource.get("etag", "")),
        updated=_instant(resource.get("updated")),
        status=status,
        summary=_text(resource, "summary", ""),
        start=start,
        end=end,
        transparency=_word(resource, "transparency", "opaque"),
        visibility=_word(resource, "visibility", "default"),
        event_type=_word(resource, "eventType", "default"),
        self_response=_self_response(resource.get("attendees")),
        has_guests=has_guests(resource.get("attendees")),
        html_link=_text(resource, "htmlLink", "") or None,
        recurrence=_recurrence(resource.get("recurrence")),
        recurring_event_id=_text(resource, "recurringEventId", "") or None,
        original_start=_event_time(resource.get("originalStartTime")),
        tag=_tag(resource.get("extendedProperties")),
    )


def to_google(content: Content, tag: Tag) -> dict[str, Any]:
    """The body of an insert or a patch: our fields and our tag, nothing else. `null` removes a recurrence."""
    return {
        "summary": content.summary,
        "start": _to_google_time(content.start),
        "end": _to_google_time(content.end),
        "transparency": content.transparency,
        "visibility": content.visibility,
        "status": content.status,
        "recurrence": list(content.recurrence) or None,
        "extendedProperties": {
            "private": {
                KEY_INSTALLATION: tag.installation,
                KEY_APPOINTMENT: tag.appointment,
                KEY_EVENT: tag.event_id,
                KEY_REVISION: str(tag.revision),
                KEY_TIMES_HASH: tag.times_hash,
            }
        },
    }


def _to_google_time(time: EventTime) -> dict[str, str | None]:
    """Each shape nulls the other's keys: a patch that turns a timed event all-day must remove them."""
    if time.date is not None:
        return {"date": time.date.isoformat(), "dateTime": None, "timeZone": None}
    assert time.datetime is not None
    return {"date": None, "dateTime": time.datetime.isoformat().replace("+00:00", "Z"), "timeZone": time.tzid}


def without_nulls(body: dict[str, Any]) -> dict[str, Any]:
    """The body for an insert, where there is nothing to remove."""
    return {
        key: without_nulls(value) if isinstance(value, dict) else value
        for key, value in body.items()
        if value is not None
    }


def _times(resource: dict[str, Any], *, is_cancelled: bool) -> tuple[EventTime | None, EventTime | None]:
    start, end = _event_time(resource.get("start")), _event_time(resource.get("end"))
    if is_cancelled and (start is None or end is None):
        return None, None
    if start is None:
        raise InvalidCalendarData("no-start")
    if end is None:
        raise InvalidCalendarData("no-end")
    if start.is_all_day != end.is_all_day:
        raise InvalidCalendarData("mixed-times")
    if end.instant < start.instant:
        raise InvalidCalendarData("ends-before-start")
    return start, end


def _event_time(value: Any) -> EventTime | None:
    """`date`, or `dateTime` with an offset, or a bare `dateTime` in `timeZone`."""
    if not isinstance(value, dict):
        return None
    try:
        if isinstance(value.get("date"), str):
            return EventTime(date=dt.date.fromisoformat(value["date"]))
        if not isinstance(value.get("dateTime"), str):
            return None
        return _timed(dt.datetime.fromisoformat(value["dateTime"]), value.get("timeZone"))
    except (ValueError, OverflowError) as error:
        raise InvalidCalendarData("unreadable-time") from error


def _timed(moment: dt.datetime, name: Any) -> EventTime:
    """A zone that nobody knows ("GMT+02:00") becomes the offset that came with the moment."""
    tzid = name if isinstance(name, str) and _is_zone(name) else None
    if moment.tzinfo is None:
        if tzid is None:
            raise InvalidCalendarData("no-zone")
        moment = moment.replace(tzinfo=ZoneInfo(tzid))
    return EventTime(datetime=moment, tzid=tzid or _offset_name(moment))


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def _offset_name(moment: dt.datetime) -> str:
    offset = moment.utcoffset()
    assert offset is not None
    minutes = int(offset.total_seconds() // 60)
    if minutes == 0:
        return "UTC"
    sign = "-" if minutes < 0 else "+"
    return f"{sign}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"


def id_of(resource: Any) -> str | None:
    """A resource's id, whatever else is odd about it; None when there is none to remember it by."""
    value = resource.get("id") if isinstance(resource, dict) else None
    return str(value) if is_plain(value, most=LONGEST_EVENT_ID) else None


def is_plain(value: Any, *, most: int) -> bool:
    """Whether it is text for an address and a row: no control characters, no half of a letter."""
    return isinstance(value, str) and 0 < len(value) <= most and value.isprintable()


def is_etag(value: Any) -> bool:
    """Whether it can be sent back in a header."""
    return is_plain(value, most=LONGEST_ETAG) and value.isascii()


def _etag(value: Any) -> str:
    if value != "" and not is_etag(value):
        raise InvalidCalendarData("odd-etag")
    return str(value)


def _instant(value: Any) -> dt.datetime | None:
    if not isinstance(value, str):
        return None
    try:
        moment = dt.datetime.fromisoformat(value)
        return moment.replace(tzinfo=dt.UTC) if moment.tzinfo is None else moment.astimezone(dt.UTC)
    except (ValueError, OverflowError):
        return None


def _text(resource: dict[str, Any], key: str, default: str) -> str:
    value = resource.get(key, default)
    if not isinstance(value, str):
        raise InvalidCalendarData(f"odd-{key.lower()}")
    return clean(value)


def _uid(value: Any) -> str | None:
    """RFC 5545's UID. One that cannot be kept is as none: the event is still known by its time and text."""
    uid = clean(value) if isinstance(value, str) else ""
    return uid if 0 < len(uid.encode()) <= LONGEST_UID_BYTES else None


def _word(resource: dict[str, Any], key: str, default: str) -> str:
    """One of Google's own words; a new one is taken as it is."""
    word = _text(resource, key, default)
    if len(word) > LONGEST_WORD:
        raise InvalidCalendarData(f"odd-{key.lower()}")
    return word


def clean(text: str) -> str:
    """Text for a row: PostgreSQL keeps no NUL and no lone surrogate; nobody can see either."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode()


def _recurrence(value: Any) -> tuple[str, ...]:
    lines = value or []
    if not isinstance(lines, list) or not all(isinstance(line, str) for line in lines):
        raise InvalidCalendarData("odd-recurrence")
    return tuple(map(clean, lines))


def _self_response(attendees: Any) -> str | None:
    """The account's own answer to an invitation. On secondary calendars Google may leave `self` out."""
    for attendee in attendees if isinstance(attendees, list) else []:
        if isinstance(attendee, dict) and attendee.get("self") is True:
            response = attendee.get("responseStatus")
            return clean(response)[:LONGEST_WORD] if isinstance(response, str) else None
    return None


def has_guests(attendees: Any) -> bool:
    """Whether anybody but oneself is invited."""
    rows = attendees if isinstance(attendees, list) else []
    return any(isinstance(attendee, dict) and attendee.get("self") is not True for attendee in rows)


def _tag(extended: Any) -> Tag | None:
    """Our tag, if all of it is there and readable."""
    private = extended.get("private") if isinstance(extended, dict) else None
    if not isinstance(private, dict):
        return None
    names = (KEY_INSTALLATION, KEY_APPOINTMENT, KEY_EVENT, KEY_REVISION, KEY_TIMES_HASH)
    values = [private.get(name) for name in names]
    if not all(isinstance(value, str) for value in values):
        return None
    installation, appointment, event_id, revision, times_hash = (clean(str(value)) for value in values)
    if not REVISION.fullmatch(revision):
        return None
    return Tag(
        installation=installation,
        appointment=appointment,
        event_id=event_id,
        revision=int(revision),
        times_hash=times_hash,
    )
