"""events.*: one event at a time. Lists are in `listing.py`, allowed contents in `event/fields.py`."""

from __future__ import annotations

import secrets
from datetime import timedelta

from sandbox.calls.access import Call, open_calendar
from sandbox.calls.preconditions import check_etag
from sandbox.event import changes, fields, recurrence
from sandbox.event.view import Viewer
from sandbox.ground.errors import (
    Json,
    already_deleted,
    calendar_refusal,
    duplicate,
    forbidden,
    invalid,
    not_found,
    required,
)
from sandbox.ground.model import Calendar, Stored
from sandbox.ground.times import instants, show, zone
from sandbox.state.world import World

BASE32HEX = "0123456789abcdefghijklmnopqrstuv"
KEPT_BY_UPDATE = (
    "kind", "id", "iCalUID", "created", "creator", "organizer", "eventType", "recurringEventId",
    "originalStartTime", "sequence", "conferenceData",
)  # fmt: skip
SHARED_FIELDS = ("summary", "description", "location", "start", "end", "recurrence")


def get(call: Call) -> Json:
    """One event; a deleted one answers 200 with status cancelled, not 404 (facts §6)."""
    calendar = open_calendar(call, "freeBusyReader")
    return Viewer(call, calendar).show(find(calendar, call.params["eventId"]))


def find(calendar: Calendar, event_id: str) -> Json:
    """The event, exception or computed instance with this id. Raises 404."""
    if stored := calendar.events.get(event_id):
        return stored.body
    computed = recurrence.instance(calendar, event_id)
    if computed is None:
        raise not_found()
    return computed


def insert(call: Call) -> Json:
    """A new event. Raises 409 for an id or iCalUID that was ever used on this calendar."""
    calendar = open_calendar(call, "writer")
    body = fields.without_read_only(call.body)
    body.pop("organizer", None)
    if "id" in body and "iCalUID" in body:
        raise invalid("Supply either an id or an iCalUID, not both.", "id")
    return _create(call, calendar, body)


def import_event(call: Call) -> Json:
    """A private copy of an event that lives elsewhere. Again: 409 or an update, by the switch."""
    calendar = open_calendar(call, "writer")
    if not call.body.get("iCalUID"):
        raise required("iCalUID")
    body = fields.without_read_only(call.body)
    body["eventType"] = "default"
    known = calendar.events.get(calendar.ical_uids.get(body["iCalUID"], ""))
    if known and not known.deleted and call.world.switches.reimport_updates:
        kept = {name: known.body[name] for name in KEPT_BY_UPDATE if name in known.body}
        merged = {"status": "confirmed"} | body | kept
        return Viewer(call, calendar).show(store(call, calendar, merged, known.body).body)
    return _create(call, calendar, body)


def quick_add(call: Call) -> Json:
    """An event from a line of text. The sandbox reads no dates: it begins at the next full hour."""
    calendar = open_calendar(call, "writer")
    start = call.world.clock.now().replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    tz = zone(calendar.time_zone)
    body = {"summary": call.params["text"], "start": {"dateTime": show(start, tz)}}
    body["end"] = {"dateTime": show(start + timedelta(hours=1), tz)}
    return _create(call, calendar, body)


def patch(call: Call) -> Json:
    """Change what is named; leave the rest."""
    calendar, old = _open_for_writing(call)
    merged = fields.merge(recurrence.detached(old), fields.without_read_only(call.body))
    return _write(call, calendar, {"status": "confirmed"} | merged | _identity(old), old)


def update(call: Call) -> Json:
    """Replace the event: what is not named is cleared."""
    calendar, old = _open_for_writing(call)
    body = fields.without_read_only(call.body)
    kept = {name: old[name] for name in KEPT_BY_UPDATE if name in old}
    return _write(call, calendar, kept | {"status": "confirmed"} | body | _identity(old), old)


def _identity(old: Json) -> Json:
    """What no write changes, whatever it says."""
    return {name: old[name] for name in ("id", "iCalUID", "organizer") if name in old}


def delete(call: Call) -> None:
    """Delete an event, a whole series, or one date of a series. Raises 410 the second time."""
    calendar = open_calendar(call, "writer")
    old = find(calendar, call.params["eventId"])
    check_etag(call, old["etag"])
    if old["status"] == "cancelled":
        raise already_deleted()
    cancel(call.world, calendar, old)


def move(call: Call) -> Json:
    """Take an event to another calendar, whose address becomes the organizer."""
    source = open_calendar(call, "writer")
    target = open_calendar(call, "writer", call.params["destination"])
    old = find(source, call.params["eventId"])
    check_etag(call, old["etag"])
    if old["status"] == "cancelled":
        raise forbidden()
    if "recurringEventId" in old:
        raise calendar_refusal("cannotChangeOrganizerOfInstance", "Move the whole series instead.", 400)
    if old.get("eventType", "default") != "default":
        raise calendar_refusal("eventTypeRestriction", "Only default events can be moved.", 400)
    if old["id"] in target.events and not target.events[old["id"]].deleted:
        raise duplicate()
    moved = _carry(call, source, target, old)
    if call.world.switches.move_answers_cancelled:  # seen live, though all is well at the destination
        return moved | {"status": "cancelled"}
    return moved


def _carry(call: Call, source: Calendar, target: Calendar, old: Json) -> Json:
    exceptions = list(source.exceptions.get(old["id"], {}).values())
    organizer = {"email": target.id}
    stored = store(call, target, recurrence.detached(old) | {"organizer": organizer}, None)
    for exception in exceptions:
        store(call, target, recurrence.detached(exception.body) | {"organizer": organizer}, None)
    cancel(call.world, source, old)
    return Viewer(call, target).show(stored.body)


def _create(call: Call, calendar: Calendar, body: Json) -> Json:
    if "id" in body:
        fields.check_id(body["id"])
    if body.get("id") in calendar.events or body.get("id") in calendar.forgotten:
        raise duplicate()
    if body.get("iCalUID") in calendar.ical_uids:
        raise duplicate()
    if body.get("status") == "cancelled":
        raise invalid("Invalid value for: status", "status")
    if "id" not in body:
        body["id"] = "".join(secrets.choice(BASE32HEX) for _ in range(26))
    body.setdefault("iCalUID", f"{body['id']}@google.com")
    body.setdefault("status", "confirmed")
    body.setdefault("organizer", {"email": calendar.id})
    body |= {"kind": "calendar#event", "creator": {"email": call.account.email}}
    body["created"] = call.world.now_stamp()
    stored = store(call, calendar, body, None)
    if call.listed_after_seconds is not None:
        changes.keep_out_of_lists(calendar, stored, call.world.clock.now(), call.listed_after_seconds)
    return Viewer(call, calendar).show(stored.body)


def _open_for_writing(call: Call) -> tuple[Calendar, Json]:
    calendar = open_calendar(call, "writer")
    old = find(calendar, call.params["eventId"])
    check_etag(call, old["etag"])
    is_tombstone = old["status"] == "cancelled" and "recurringEventId" not in old
    if is_tombstone and not call.world.switches.undelete_by_update:
        raise forbidden()  # not a missing scope, though it looks like one (facts §8)
    return calendar, old


def _write(call: Call, calendar: Calendar, body: Json, old: Json) -> Json:
    if body["status"] == "cancelled":
        if old["status"] != "cancelled":
            cancel(call.world, calendar, old)
        return Viewer(call, calendar).show(find(calendar, old["id"]))
    if (
        old["status"] == "cancelled" and "start" not in body
    ):  # a cancelled date comes back as the series has it
        computed = recurrence.instance(calendar, old["id"]) or {}
        body = computed | body
    if "recurringEventId" in old:
        body.pop("recurrence", None)
    _require_organizer(call, calendar, body, old)
    return Viewer(call, calendar).show(store(call, calendar, body, old).body)


def _require_organizer(call: Call, calendar: Calendar, body: Json, old: Json) -> None:
    """A guest may answer and colour their copy, but not change what all guests share (facts §11)."""
    organizer = old.get("organizer", {}).get("email")
    if organizer in (None, calendar.id, call.account.email) or old.get("guestsCanModify"):
        return
    if any(old.get(name) != body.get(name) for name in SHARED_FIELDS):
        message = "Shared properties can only be changed by the organizer of the event."
        raise calendar_refusal("forbiddenForNonOrganizer", message)


def store(call: Call, calendar: Calendar, body: Json, old: Json | None) -> Stored:
    """Check an event, write it into the calendar and its change log, tell the watchers."""
    world = call.world
    if body["status"] != "cancelled":
        fields.clean(call, calendar, body, old)
        if old and world.switches.identical_writes_keep_etag and _same(body, old):
            return calendar.events.get(old["id"]) or _stored(calendar, body)
    if old is None or not _only_reminders_changed(body, old):
        body["updated"] = world.now_stamp()
    if old is None or world.switches.reminders_change_etag or not _only_reminders_changed(body, old):
        body["etag"] = world.next_etag()
    stored = _stored(calendar, body)
    changes.record(calendar, stored)
    if stored.is_master or (old and old.get("recurrence")):
        _drop_stray_exceptions(world, calendar, stored)
    announce(world, calendar)
    return stored


def _stored(calendar: Calendar, body: Json) -> Stored:
    cancelled = body["status"] == "cancelled"
    times_of = body if "start" in body else dict.fromkeys(("start", "end"), body["originalStartTime"])
    start, end = instants(times_of, zone(calendar.time_zone))
    return Stored(body, 0, start, end, deleted=cancelled)


def _same(body: Json, old: Json, but: tuple[str, ...] = ()) -> bool:
    ignored = {"etag", "updated", "sequence", *but}
    return {k: v for k, v in body.items() if k not in ignored} == {
        k: v for k, v in old.items() if k not in ignored
    }


def _only_reminders_changed(body: Json, old: Json) -> bool:
    return body.get("reminders") != old.get("reminders") and _same(body, old, ("reminders",))


def cancel(world: World, calendar: Calendar, old: Json) -> None:
    """Leave a tombstone. A cancelled date of a series is an exception of it, kept as long as the series."""
    body = recurrence.detached(old) | {"status": "cancelled", "etag": world.next_etag()}
    body["updated"] = world.now_stamp()
    stored = _stored(calendar, body)
    changes.record(calendar, stored)
    for exception in list(calendar.exceptions.get(stored.id, {}).values()):
        if not exception.deleted:
            _retire(world, calendar, exception)
    announce(world, calendar)


def wipe(world: World, calendar: Calendar) -> None:
    """Delete every live event."""
    for stored in [one for one in calendar.events.values() if not one.deleted and not one.master_id]:
        cancel(world, calendar, stored.body)


def _drop_stray_exceptions(world: World, calendar: Calendar, master: Stored) -> None:
    """When a series moves or is cut short, exceptions of dates it no longer has go (facts §7)."""
    for exception in list(calendar.exceptions.get(master.id, {}).values()):
        if not master.is_master or not recurrence.still_occurs(calendar, exception):
            if not exception.deleted:
                _retire(world, calendar, exception)
            calendar.exceptions[master.id].pop(exception.id, None)


def _retire(world: World, calendar: Calendar, exception: Stored) -> None:
    exception.deleted = True
    exception.body |= {"status": "cancelled", "etag": world.next_etag(), "updated": world.now_stamp()}
    changes.record(calendar, exception)


def announce(world: World, calendar: Calendar) -> None:
    """Note the change on the calendar and tell its watchers."""
    calendar.updated = world.now_stamp()
    world.channels.events_changed(calendar)


def restore(world: World, calendar: Calendar, event_id: str) -> Json:
    """Bring an event back from the bin, as a person can for about 30 days. Raises 404."""
    stored = calendar.events.get(event_id)
    if stored is None or not stored.deleted or "start" not in stored.body:
        raise not_found()
    stored.deleted = False
    stored.body |= {"status": "confirmed", "etag": world.next_etag(), "updated": world.now_stamp()}
    changes.record(calendar, stored)
    announce(world, calendar)
    return stored.body


def forget_tombstone(calendar: Calendar, event_id: str) -> None:
    """Let a tombstone vanish, as Google's do some day: no list and no get knows it, its id stays taken."""
    stored = calendar.events.get(event_id)
    if stored is None or not stored.deleted:
        raise not_found()
    del calendar.events[event_id]
    calendar.forgotten.add(event_id)
