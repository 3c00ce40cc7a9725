"""How a stored event looks to the person asking: tombstones, free/busy, own attendee row, time zone."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from zoneinfo import ZoneInfo

from sandbox.calls.access import Call, sees_only_busy, sees_private
from sandbox.ground.errors import Json
from sandbox.ground.model import Calendar
from sandbox.ground.times import parse_instant, zone
from sandbox.ground.times import show as show_time

BUSY_FIELDS = (
    "kind",
    "etag",
    "id",
    "status",
    "start",
    "end",
    "transparency",
    "iCalUID",
    "eventType",
    "updated",
)
SERIES_FIELDS = ("recurringEventId", "originalStartTime", "recurrence")
# What is left of a deleted event: nothing else is guaranteed (facts §6).
TOMBSTONE_FIELDS = ("kind", "etag", "id", "status", "recurringEventId", "originalStartTime")


class Viewer:
    """One request's view of one calendar; made once per list, used for each event."""

    def __init__(self, call: Call, calendar: Calendar) -> None:
        self.calendar = calendar
        self.only_busy = sees_only_busy(call, calendar)
        self.sees_private = sees_private(call, calendar)
        self.keep_details = call.world.switches.tombstones_keep_details
        self.marks_self = calendar.kind == "primary" or call.world.switches.self_on_secondary_calendars
        self.address = call.account.email
        self.max_attendees = call.param("maxAttendees")
        self.link = f"{call.world.base_url}/calendar/event?eid="
        self.tz = self._other_zone(call)

    def _other_zone(self, call: Call) -> ZoneInfo | None:
        """Events are stored in the calendar's zone; only another one needs work."""
        name = call.param("timeZone")
        return zone(name) if name and name != self.calendar.time_zone else None

    def show(self, body: Json) -> Json:
        """The Event resource as this person gets it."""
        if body["status"] == "cancelled" and not self.keep_details:
            return {name: body[name] for name in TOMBSTONE_FIELDS if name in body}
        if self.only_busy or (
            body.get("visibility") in ("private", "confidential") and not self.sees_private
        ):
            shown = {name: body[name] for name in (*BUSY_FIELDS, *SERIES_FIELDS) if name in body}
            shown["visibility"] = "private"
        else:
            shown = dict(body)
            self._personal(shown)
        shown["htmlLink"] = self.link + _eid(body["id"], self.calendar.id)
        if self.tz:
            _in_zone(shown, self.tz)
        return shown

    def _personal(self, shown: Json) -> None:
        for who in ("organizer", "creator"):
            if shown.get(who, {}).get("email") in (self.address, self.calendar.id):
                shown[who] = shown[who] | {"self": True}
        if "attendees" in shown:
            shown["attendees"] = [self._attendee(shown, one) for one in shown["attendees"]]
            self._truncate(shown)

    def _attendee(self, shown: Json, attendee: Json) -> Json:
        marks: Json = {}
        if attendee["email"] == self.address and self.marks_self:
            marks["self"] = True
        if attendee["email"] == shown.get("organizer", {}).get("email"):
            marks["organizer"] = True
        return attendee | marks

    def _truncate(self, shown: Json) -> None:
        """`maxAttendees`: beyond it only the person's own row is left. Never PUT that back (facts §6)."""
        if self.max_attendees and len(shown["attendees"]) > self.max_attendees:
            shown["attendees"] = [one for one in shown["attendees"] if one.get("self")]
            shown["attendeesOmitted"] = True


def _eid(event_id: str, calendar_id: str) -> str:
    return urlsafe_b64encode(f"{event_id} {calendar_id}".encode()).decode().rstrip("=")


def _in_zone(shown: Json, tz: ZoneInfo) -> None:
    for name in ("start", "end", "originalStartTime"):
        if "dateTime" in shown.get(name, {}):
            moment = parse_instant(shown[name]["dateTime"])
            shown[name] = shown[name] | {"dateTime": show_time(moment, tz)}
