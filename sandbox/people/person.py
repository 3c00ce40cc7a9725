"""What a person does at Google's own pages: the API's operations with all rights, no faults, no log."""

from __future__ import annotations

import json
import secrets

from sandbox.api.operations import perform
from sandbox.calls.access import EVERYTHING, Call, Caller
from sandbox.calls.discovery import check_body, methods
from sandbox.event import changes, recurrence
from sandbox.ground.errors import Json, calendar_refusal, not_found
from sandbox.ground.model import Account, Calendar, Stored
from sandbox.resources import events
from sandbox.state.world import World


def act(world: World, account: Account, method: str, params: Json, body: Json | None = None) -> Json:
    """Perform e.g. `events.insert` as the person. Raises GoogleError."""
    found = methods()[f"calendar.{method}"]
    return perform(Call(world, caller(account), found, params, body or {})) or {}


def caller(account: Account) -> Caller:
    """The person at Google's own pages: may do everything, and asks through no app."""
    return Caller(account, frozenset({EVERYTHING}), "", 0)


def calendar_of(world: World, account: Account, calendar_id: str) -> Calendar:
    """A calendar the person sees. Raises 404."""
    calendar = world.calendars.get(account.email if calendar_id == "primary" else calendar_id)
    if calendar is None or account.sub not in calendar.roles:
        raise not_found()
    return calendar


def force_event(world: World, account: Account, calendar: Calendar, body: Json) -> Json:
    """Add an event whatever the role, as the calendar's real owner would. Raises 400 or 409."""
    role = calendar.roles[account.sub]
    calendar.roles[account.sub] = "owner"
    try:
        return act(world, account, "events.insert", {"calendarId": calendar.id}, body)
    finally:
        calendar.roles[account.sub] = role


def change_event(world: World, account: Account, calendar: Calendar, event_id: str, changes: Json) -> Json:
    """Patch an event whatever the role."""
    role = calendar.roles[account.sub]
    calendar.roles[account.sub] = "owner"
    try:
        params = {"calendarId": calendar.id, "eventId": event_id}
        return act(world, account, "events.patch", params, changes)
    finally:
        calendar.roles[account.sub] = role


def delete_event(world: World, calendar: Calendar, event_id: str) -> None:
    """Delete an event whatever the role. Raises 404."""
    body = events.find(calendar, event_id)
    if body["status"] != "cancelled":
        events.cancel(world, calendar, body)


def duplicate_event(world: World, account: Account, calendar: Calendar, event_id: str) -> Json:
    """Copy an event as Google's *Duplicate* does: everything, private properties included, under a new id."""
    body = recurrence.detached(events.find(calendar, event_id))
    body["id"] = secrets.token_hex(13)
    for name in ("iCalUID", "etag", "recurringEventId", "originalStartTime", "sequence"):
        body.pop(name, None)
    return force_event(world, account, calendar, body)


def move_event(world: World, account: Account, calendar: Calendar, event_id: str, destination: str) -> Json:
    """Take an event to another calendar of the account."""
    params = {"calendarId": calendar.id, "eventId": event_id, "destination": destination}
    act(world, account, "events.move", params)
    return events.find(calendar_of(world, account, destination), event_id)


def drop_calendar(world: World, account: Account, calendar: Calendar) -> None:
    """Delete an own calendar for everybody, or leave one that is shared. Raises 403 for the primary one."""
    if calendar.kind == "primary":
        raise calendar_refusal("cannotDeletePrimaryCalendar", "A primary calendar cannot be deleted.")
    if calendar.data_owner == account.sub:
        world.delete_calendar(calendar)
    else:
        del calendar.roles[account.sub]
        world.remove_from_list(account, calendar.id)


def find_event(calendar: Calendar, event_id: str) -> Json:
    """One event, exception or computed instance with every field. Raises 404."""
    return events.find(calendar, event_id)


def restore_event(world: World, calendar: Calendar, event_id: str) -> Json:
    """Take an event back from the bin."""
    return events.restore(world, calendar, event_id)


def forget_tombstone(calendar: Calendar, event_id: str) -> Json:
    """Let the tombstone of a deleted event vanish. Raises 404."""
    events.forget_tombstone(calendar, event_id)
    return {"purged": event_id}


def distort_event(world: World, calendar: Calendar, event_id: str, fields: Json) -> Json:
    """Put fields into an event unchecked: Google hands out events that its own API would refuse to write.

    `null` removes a field, even `start`; with `updated` it becomes a copy of that time. Raises 404.
    """
    stored = calendar.events.get(event_id)
    if stored is None or stored.deleted:
        raise not_found()
    body = recurrence.detached(stored.body) | fields
    kept = {name: value for name, value in body.items() if value is not None}
    stored.body = kept | {"etag": world.next_etag(), "updated": fields.get("updated") or world.now_stamp()}
    stored.odd = True
    changes.record(calendar, stored)
    events.announce(world, calendar)
    return stored.body


def hide_event(world: World, calendar: Calendar, event_id: str, seconds: float) -> Json:
    """Let lists lose sight of a live event for a while, without a tombstone. Raises 404."""
    stored = calendar.events.get(event_id)
    if stored is None or stored.deleted:
        raise not_found()
    changes.keep_out_of_lists(calendar, stored, world.clock.now(), seconds)
    return stored.body


def everything(calendar: Calendar, *, deleted: bool) -> list[Json]:
    """Every stored event with every field; deleted ones on request."""
    rows: list[Stored] = [one for one in calendar.events.values() if deleted or not one.deleted]
    return [one.body for one in rows]


def checked_event(body: Json, method: str = "insert") -> Json:
    """A person's input, reduced to the fields an event has. Raises 400 for wrong types."""
    return check_body(methods()[f"calendar.events.{method}"], json.dumps(body).encode())
