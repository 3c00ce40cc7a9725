"""Every operation of the Calendar API that is built, by its method id."""

from __future__ import annotations

from collections.abc import Callable

from sandbox.calls.access import Call, require_scope
from sandbox.ground.errors import Json
from sandbox.resources import acl, calendar_list, calendars, events, freebusy, listing, settings, watch

Operation = Callable[[Call], Json | None]

OPERATIONS: dict[str, Operation] = {
    "calendar.calendarList.list": calendar_list.list_entries,
    "calendar.calendarList.get": calendar_list.get,
    "calendar.calendarList.insert": calendar_list.insert,
    "calendar.calendarList.patch": calendar_list.patch,
    "calendar.calendarList.update": calendar_list.update,
    "calendar.calendarList.delete": calendar_list.delete,
    "calendar.calendarList.watch": watch.watch_calendar_list,
    "calendar.calendars.insert": calendars.insert,
    "calendar.calendars.get": calendars.get,
    "calendar.calendars.patch": calendars.patch,
    "calendar.calendars.update": calendars.update,
    "calendar.calendars.delete": calendars.delete,
    "calendar.calendars.clear": calendars.clear,
    "calendar.events.list": listing.list_events,
    "calendar.events.instances": listing.list_instances,
    "calendar.events.get": events.get,
    "calendar.events.insert": events.insert,
    "calendar.events.import": events.import_event,
    "calendar.events.patch": events.patch,
    "calendar.events.update": events.update,
    "calendar.events.delete": events.delete,
    "calendar.events.move": events.move,
    "calendar.events.quickAdd": events.quick_add,
    "calendar.events.watch": watch.watch_events,
    "calendar.channels.stop": watch.stop,
    "calendar.acl.list": acl.list_rules,
    "calendar.acl.get": acl.get,
    "calendar.acl.insert": acl.insert,
    "calendar.acl.patch": acl.change,
    "calendar.acl.update": acl.change,
    "calendar.acl.delete": acl.delete,
    "calendar.colors.get": settings.colors,
    "calendar.settings.list": settings.list_settings,
    "calendar.settings.get": settings.get_setting,
    "calendar.freebusy.query": freebusy.query,
}


def perform(call: Call) -> Json | None:
    """Do what a call asks, past the checks of the wire. Raises GoogleError."""
    require_scope(call)
    return OPERATIONS[call.method.id](call)
