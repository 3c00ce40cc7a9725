"""Control: the events of a calendar, as a person at Google's pages sees and changes them."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, Response, jsonify, request

from sandbox.control.asking import calendar_named, json_body
from sandbox.ground.errors import Json
from sandbox.ground.model import Account, Calendar
from sandbox.people import person
from sandbox.state.here import world_here
from sandbox.state.world import World

events = Blueprint("events", __name__)


@events.get("/accounts/<email>/calendars/<calendar_id>/events")
def list_events(email: str, calendar_id: str) -> Response:
    """Every stored event with every field, private properties included; `?deleted=true` adds tombstones."""
    with world_here().lock:
        _, calendar = calendar_named(email, calendar_id)
        deleted = request.args.get("deleted") == "true"
        return jsonify(items=person.everything(calendar, deleted=deleted))


@events.post("/accounts/<email>/calendars/<calendar_id>/events")
def add_event(email: str, calendar_id: str) -> Response:
    """An event as the person (or whoever shares the calendar) adds it."""
    world = world_here()
    with world.lock:
        account, calendar = calendar_named(email, calendar_id)
        return jsonify(person.force_event(world, account, calendar, person.checked_event(json_body())))


@events.get("/accounts/<email>/calendars/<calendar_id>/events/<event_id>")
def get_event(email: str, calendar_id: str, event_id: str) -> Response:
    """One event, exception or computed instance, with every field."""
    with world_here().lock:
        _, calendar = calendar_named(email, calendar_id)
        return jsonify(person.find_event(calendar, event_id))


@events.patch("/accounts/<email>/calendars/<calendar_id>/events/<event_id>")
def change_event(email: str, calendar_id: str, event_id: str) -> Response:
    """Edit an event, a series or one date of it (by instance id)."""
    world = world_here()
    with world.lock:
        account, calendar = calendar_named(email, calendar_id)
        changes = person.checked_event(json_body(), "patch")
        return jsonify(person.change_event(world, account, calendar, event_id, changes))


@events.delete("/accounts/<email>/calendars/<calendar_id>/events/<event_id>")
def delete_event(email: str, calendar_id: str, event_id: str) -> Response:
    """Delete an event, a series or one date of it."""
    world = world_here()
    with world.lock:
        _, calendar = calendar_named(email, calendar_id)
        person.delete_event(world, calendar, event_id)
        return jsonify(deleted=event_id)


@events.post(
    "/accounts/<email>/calendars/<calendar_id>/events/<event_id>/<any(move,duplicate,restore,hide,purge,distort):deed>"
)
def act_on_event(email: str, calendar_id: str, event_id: str, deed: str) -> Response:
    """What is neither an edit nor a plain deletion; `_deeds` says what each does."""
    world = world_here()
    with world.lock:
        account, calendar = calendar_named(email, calendar_id)
        return jsonify(_deeds(world, account, calendar, event_id)[deed]())


def _deeds(
    world: World, account: Account, calendar: Calendar, event_id: str
) -> dict[str, Callable[[], Json]]:
    body = json_body()
    return {
        "move": lambda: person.move_event(world, account, calendar, event_id, body["destination"]),
        "duplicate": lambda: person.duplicate_event(world, account, calendar, event_id),
        "restore": lambda: person.restore_event(world, calendar, event_id),
        "hide": lambda: person.hide_event(world, calendar, event_id, float(body["seconds"])),
        "distort": lambda: person.distort_event(world, calendar, event_id, body),
        "purge": lambda: person.forget_tombstone(calendar, event_id),
    }
