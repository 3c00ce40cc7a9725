"""The core's decisions about the explorer's small values: each is asked for once and remembered.

The values that the core takes are built here from portal_side's rows and google's events, as `event_links`
and `google.codec` build them from rows and resources.
"""

from __future__ import annotations

import datetime as dt
from functools import cache

from portal.sync import inbound, outbound
from portal.sync.event import Content, Event, EventTime, Tag
from portal.sync.outbound import LinkPhase, LocalAppointment
from tests.explorer import google
from tests.explorer.portal_side import Appointment, Link

INSTALLATION, NONCE, PUBLIC_ID = "installation", "nonce", "appointment"
NOW = dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC)
MOST_REVIVALS = 100


@cache
def event_id(revival: int) -> str:
    return outbound.event_id(installation=INSTALLATION, nonce=NONCE, public_id=PUBLIC_ID, revival=revival)


@cache
def _content(content: google.Content) -> Content:
    start = NOW + dt.timedelta(days=1 + content.time)
    return Content(
        summary="Renamed" if content.is_retitled else "1042",
        start=EventTime(datetime=start),
        end=EventTime(datetime=start + dt.timedelta(minutes=50)),
        recurrence=("RRULE:FREQ=WEEKLY",) if content.is_recurring else (),
    )


@cache
def content_hash(content: google.Content) -> str:
    return _content(content).content_hash()


@cache
def _times_hash(time: int) -> str:
    return _content(google.Content(time)).times_hash()


@cache
def time_of(start: EventTime) -> int:
    times = {_content(google.Content(time)).start.key: time for time in range(google.TIMES)}
    return times[start.key]


def wanted(appointment: Appointment) -> google.Content:
    """What Google should hold."""
    return google.Content(appointment.time)


def _local(appointment: Appointment, *, has_new_status: bool = False) -> LocalAppointment:
    return LocalAppointment(
        public_id=PUBLIC_ID,
        revision=appointment.revision,
        is_live=appointment.is_live,
        is_in_window=True,
        content=_content(wanted(appointment)),
        has_new_status=has_new_status,
    )


def _link(link: Link) -> outbound.Link:
    return outbound.Link(
        event_id=link.event_id,
        revival=link.revival,
        phase=link.phase,
        etag=None if link.etag is None else str(link.etag),
        content_hash=None if link.content is None else content_hash(link.content),
        times_hash=None if link.time is None else _times_hash(link.time),
        revision=link.revision,
        settled=link.settled,
        needs_write=link.needs_write,
        remote_updated=None if link.updated is None else _instant(link.updated),
    )


def _event(event: google.Event) -> Event:
    """codec.from_google."""
    content = None if event.content is None else _content(event.content)
    tag = event.properties
    return Event(
        event_id=event.event_id,
        etag=str(event.version),
        updated=None if event.is_bare else _instant(event.version),
        status="cancelled" if event.is_deleted else "confirmed",
        summary=content.summary if content else "",
        start=content.start if content else None,
        end=content.end if content else None,
        visibility="private",
        recurrence=content.recurrence if content else (),
        tag=tag
        and Tag(
            installation=INSTALLATION,
            appointment=PUBLIC_ID,
            event_id=tag.event_id,
            revision=tag.revision,
            times_hash=_times_hash(tag.time),
        ),
    )


def _instant(version: int) -> dt.datetime:
    return NOW - dt.timedelta(days=1) + dt.timedelta(seconds=version)


@cache
def decide(appointment: Appointment, link: Link | None) -> outbound.Action | None:
    is_held = link is not None and link.phase is LinkPhase.HELD
    has_new_status = is_held and link is not None and appointment.status_at > link.settled
    return outbound.decide(_local(appointment, has_new_status=has_new_status), link and _link(link))


@cache
def decide_own(event: google.Event, link: Link, appointment: Appointment) -> inbound.OwnEventAction:
    is_scheduled = not appointment.is_canceled
    return inbound.decide_own(
        _event(event), _link(link), _local(appointment), is_scheduled=is_scheduled, now=NOW
    )


@cache
def decide_stray(
    event: google.Event, link: Link | None, appointment: Appointment | None
) -> inbound.StrayAction:
    return inbound.decide_stray(
        _event(event),
        installation=INSTALLATION,
        appointment=appointment and _local(appointment),
        link=link and _link(link),
    )


def revival_of(event: google.Event) -> int:
    known = (revival for revival in range(MOST_REVIVALS) if event_id(revival) == event.event_id)
    return next(known, 0)
