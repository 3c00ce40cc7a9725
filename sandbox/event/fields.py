"""What an event may contain: checks, and the quiet corrections Google makes (facts §6, §8)."""

from __future__ import annotations

import re
from datetime import date, timedelta

from sandbox.calls.access import Call
from sandbox.calls.discovery import without_nulls
from sandbox.event import recurrence
from sandbox.ground import times
from sandbox.ground.errors import Json, calendar_refusal, invalid, required
from sandbox.ground.model import Calendar

ID = re.compile(r"[a-v0-9]{5,1024}")  # base32hex, lower case
READ_ONLY = (
    "kind", "etag", "htmlLink", "created", "updated", "creator", "hangoutLink", "locked",
    "recurringEventId", "originalStartTime", "attendeesOmitted",
)  # fmt: skip
CHOICES = {
    "status": ("confirmed", "tentative", "cancelled"),
    "transparency": ("opaque", "transparent"),
    "visibility": ("default", "public", "private", "confidential"),
    "eventType": ("birthday", "default", "focusTime", "fromGmail", "outOfOffice", "workingLocation"),
}
RESPONSES = ("needsAction", "declined", "tentative", "accepted")
# Google leaves these out of an event when they say what is true anyway.
UNSAID = {"transparency": "opaque", "visibility": "default"}
MAX_KEY, MAX_VALUE, MAX_PROPERTIES = 44, 1024, 300
MAX_REMINDERS, MAX_REMINDER_MINUTES = 5, 40320
PRIMARY_ONLY = ("focusTime", "outOfOffice", "workingLocation")


def check_id(event_id: str) -> None:
    """Raises 400 for an id outside base32hex."""
    if not ID.fullmatch(event_id):
        raise invalid("Invalid resource id value.", "id")


def without_read_only(body: Json) -> Json:
    """The body without fields that only Google writes; sending them is not an error."""
    return {name: value for name, value in body.items() if name not in READ_ONLY}


def merge(old: Json, changes: Json) -> Json:
    """A patch: objects merge, `null` removes, arrays are replaced whole (facts §8)."""
    merged = dict(old)
    for name, value in changes.items():
        if value is None:
            merged.pop(name, None)
        elif isinstance(value, dict) and isinstance(merged.get(name), dict):
            merged[name] = merge(merged[name], value)
        else:
            merged[name] = without_nulls(value)
    return merged


def clean(call: Call, calendar: Calendar, body: Json, old: Json | None) -> None:
    """Check a whole event before it is stored, and correct it in place as Google does. Raises 400 or 403."""
    _check_choices(body)
    times.normalise(body, calendar.time_zone)
    recurrence.check(body)
    _check_sequence(body, old)
    _clean_properties(body)
    _check_reminders(body)
    _check_attendees(body)
    _clean_conference(call, body, old)
    _clean_attachments(call, body, old)
    _check_event_type(calendar, body, old)


def _check_choices(body: Json) -> None:
    for name, allowed in CHOICES.items():
        if name in body and body[name] not in allowed:
            raise invalid(f"Invalid value for: {name}", name)
    for name, value in UNSAID.items():
        if body.get(name) == value:
            del body[name]
    if "colorId" in body and body["colorId"] not in {str(number) for number in range(1, 12)}:
        raise invalid("Invalid colorId.", "colorId")


def _check_sequence(body: Json, old: Json | None) -> None:
    """A sequence below the stored one is refused; leave it out or echo it (facts §8)."""
    stored = old.get("sequence", 0) if old else 0
    body.setdefault("sequence", stored)
    if body["sequence"] < stored:
        raise invalid(
            "Invalid sequence value. The specified sequence number is below the current sequence number of"
            " the resource. Re-fetch the resource and use its sequence number on the following request.",
            "sequence",
        )
    moved = old is not None and any(
        old.get(name) != body.get(name) for name in ("start", "end", "recurrence")
    )
    if moved and body["sequence"] == stored:
        body["sequence"] = stored + 1


def _clean_properties(body: Json) -> None:
    """Too long a name: dropped without a word. Too long a value: cut (facts §6)."""
    properties = body.get("extendedProperties")
    if properties is None:
        return
    kept = {
        kind: {
            name: str(value)[:MAX_VALUE] for name, value in properties[kind].items() if len(name) <= MAX_KEY
        }
        for kind in ("private", "shared")
        if properties.get(kind)
    }
    if sum(len(table) for table in kept.values()) > MAX_PROPERTIES:
        raise invalid("Too many extended properties.", "extendedProperties")
    body["extendedProperties"] = {kind: table for kind, table in kept.items() if table}
    if not body["extendedProperties"]:
        del body["extendedProperties"]


def _check_reminders(body: Json) -> None:
    reminders = body.setdefault("reminders", {"useDefault": True})
    overrides = reminders.get("overrides", [])
    if overrides and reminders.get("useDefault"):
        raise calendar_refusal("cannotUseDefaultRemindersAndSpecifyOverride", "Choose one.", 400)
    if len(overrides) > MAX_REMINDERS:
        raise invalid("Too many reminders.", "reminders.overrides")
    for one in overrides:
        if one.get("method") not in ("email", "popup"):
            raise invalid("Invalid reminder method.", "reminders.overrides.method")
        if not 0 <= one.get("minutes", -1) <= MAX_REMINDER_MINUTES:
            raise invalid("Invalid reminder time.", "reminders.overrides.minutes")


def _check_attendees(body: Json) -> None:
    for attendee in body.get("attendees", []):
        if "@" not in attendee.get("email", ""):
            raise required("attendees.email")
        if attendee.setdefault("responseStatus", "needsAction") not in RESPONSES:
            raise invalid("Invalid value for: responseStatus", "attendees.responseStatus")
        for computed in ("self", "organizer"):
            attendee.pop(computed, None)


def _clean_conference(call: Call, body: Json, old: Json | None) -> None:
    """Without conferenceDataVersion=1 the field is ignored: 200, no conference, no word (facts §6)."""
    if call.param("conferenceDataVersion", 0) == 1:
        return
    body.pop("conferenceData", None)
    if old and "conferenceData" in old:
        body["conferenceData"] = old["conferenceData"]


def _clean_attachments(call: Call, body: Json, old: Json | None) -> None:
    """Without supportsAttachments=true they stay as they were."""
    if len(body.get("attachments", [])) > 25:
        raise invalid("Too many attachments.", "attachments")
    if not call.param("supportsAttachments"):
        body.pop("attachments", None)
        if old and "attachments" in old:
            body["attachments"] = old["attachments"]


def _check_event_type(calendar: Calendar, body: Json, old: Json | None) -> None:
    kind = body.setdefault("eventType", "default")
    if old and kind != old.get("eventType", "default"):
        raise calendar_refusal("eventTypeRestriction", "The event type cannot be changed.", 400)
    if old is None and kind == "fromGmail":
        raise calendar_refusal("eventTypeRestriction", "Events from Gmail cannot be created.", 400)
    if kind in PRIMARY_ONLY and calendar.kind != "primary":
        raise calendar_refusal("eventTypeRestriction", "Only primary calendars have such events.", 400)
    if kind == "workingLocation":
        _check_working_location(body)
    if kind == "birthday":
        _check_birthday(body)


def _check_working_location(body: Json) -> None:
    whole_day = times.is_all_day(body) and _days(body) == 1
    if times.is_all_day(body) and not whole_day:
        raise calendar_refusal("malformedWorkingLocationEvent", "An all-day one lasts exactly one day.", 400)


def _check_birthday(body: Json) -> None:
    yearly = any("FREQ=YEARLY" in line.upper() for line in body.get("recurrence", []))
    is_instance = "recurringEventId" in body
    if not times.is_all_day(body) or _days(body) != 1 or not (yearly or is_instance):
        raise invalid("A birthday is an all-day event of one day that recurs yearly.", "eventType")


def _days(body: Json) -> int:
    length: timedelta = date.fromisoformat(body["end"]["date"]) - date.fromisoformat(body["start"]["date"])
    return length.days
