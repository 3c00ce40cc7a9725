"""calendars.*: the calendar as all its readers share it; one person's view is in `calendar_list.py`."""

from __future__ import annotations

import secrets

from sandbox.calls.access import Call, open_calendar
from sandbox.calls.preconditions import check_etag
from sandbox.ground.errors import Json, bad_request, calendar_refusal, invalid, quota_exceeded, required
from sandbox.ground.model import Calendar
from sandbox.ground.times import zone
from sandbox.resources.events import wipe

EDITABLE = ("summary", "description", "location", "timeZone")


def show(call: Call, calendar: Calendar) -> Json:
    """The Calendar resource."""
    resource: Json = {"kind": "calendar#calendar", "etag": calendar.etag, "id": calendar.id}
    resource |= {"summary": calendar.summary, "timeZone": calendar.time_zone}
    resource |= {
        name: value
        for name, value in (("description", calendar.description), ("location", calendar.location))
        if value
    }
    if owner := data_owner_email(call, calendar):
        resource["dataOwner"] = owner
    return resource


def data_owner_email(call: Call, calendar: Calendar) -> str | None:
    """The address of the one person who may delete a secondary calendar (facts §4)."""
    if calendar.kind != "secondary" or calendar.data_owner is None:
        return None
    return call.world.accounts[calendar.data_owner].email


def insert(call: Call) -> Json:
    """Make a secondary calendar, shown in the creator's list. Raises `quotaExceeded` at the limit."""
    if not call.body.get("summary"):
        raise required("summary")
    if call.account.calendars_ever_created >= call.world.switches.max_calendars:
        raise quota_exceeded()
    zone(call.body.get("timeZone") or "UTC")
    calendar_id = f"c_{secrets.token_hex(32)}@group.calendar.google.com"
    calendar = call.world.add_calendar(
        call.account, calendar_id, kind="secondary", summary=call.body["summary"]
    )
    call.account.calendars_ever_created += 1
    calendar.time_zone = call.body.get("timeZone") or "UTC"
    _assign(calendar, call.body)
    if call.caller.project:  # an app, not a person at the sandbox's own pages
        calendar.created_by = (call.caller.project, call.caller.grant_serial)
    return show(call, calendar)


def get(call: Call) -> Json:
    """One calendar's own properties."""
    return show(call, open_calendar(call, "freeBusyReader"))


def patch(call: Call) -> Json:
    """Change some properties. Identical values leave the etag alone, as seen live (facts §8)."""
    calendar = open_calendar(call, "owner")
    check_etag(call, calendar.etag)
    if "summary" in call.body and not call.body["summary"]:
        raise invalid("Invalid value for: summary", "summary")
    return _change(call, calendar)


def update(call: Call) -> Json:
    """Replace the properties."""
    calendar = open_calendar(call, "owner")
    check_etag(call, calendar.etag)
    if not call.body.get("summary"):
        raise required("summary")
    calendar.description = calendar.location = None
    return _change(call, calendar)


def _change(call: Call, calendar: Calendar) -> Json:
    before = show(call, calendar)
    zone(call.body.get("timeZone") or calendar.time_zone)
    _assign(calendar, call.body)
    if show(call, calendar) != before:
        calendar.etag = call.world.next_etag()
        calendar.updated = call.world.now_stamp()
    return show(call, calendar)


def _assign(calendar: Calendar, body: Json) -> None:
    for name in EDITABLE:
        if name in body:
            _set(calendar, name, body[name])


def _set(calendar: Calendar, name: str, value: str | None) -> None:
    """Clearing the time zone leaves it as it is."""
    if name != "timeZone":
        setattr(calendar, name, value)
    elif value:
        calendar.time_zone = value


def delete(call: Call) -> None:
    """Delete a secondary calendar for everybody; only its data owner may (facts §4)."""
    calendar = open_calendar(call, "owner")
    check_etag(call, calendar.etag)
    if calendar.kind == "primary":
        raise calendar_refusal("cannotDeletePrimaryCalendar", "A primary calendar cannot be deleted.")
    if calendar.data_owner != call.account.sub:
        raise calendar_refusal("forbidden", "Only the data owner of a calendar can delete it.")
    call.world.delete_calendar(calendar)


def clear(call: Call) -> None:
    """Delete every event of the primary calendar; on any other a 400, as seen live (facts §4)."""
    calendar = open_calendar(call, "owner")
    if calendar.kind != "primary":
        raise bad_request("Only primary calendars can be cleared.")
    wipe(call.world, calendar)
