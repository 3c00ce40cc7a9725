"""Our own events against the appointments: on both sides the same, different, missing, or a stranger's."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa

from portal.extensions import db
from portal.models import Appointment, Connection, EventLink, GoogleCalendar, LinkState
from portal.practice import clients
from portal.rows import event_links
from portal.standing.stretch import Found, Item, Stretch, is_in
from portal.sync.event import Event
from portal.sync.outbound import LocalAppointment


def judge_own(
    calendar: GoogleCalendar, found: dict[str, Found], stretch: Stretch, *, now: dt.datetime
) -> list[Item]:
    connection = calendar.connection
    rows = _appointments(connection, stretch)
    titles = clients.titles_outside(connection.provider, [appointment for appointment, _ in rows])
    items = []
    for appointment, link in rows:
        local = event_links.local_appointment(
            appointment, titles[appointment.id], connection.window_starts_at
        )
        item = own_item(calendar.id, appointment, link, local, found)
        if item is not None and stretch.holds(item.start, item.end):
            items.append(item)
    known = {link.event_id for _, link in rows if link is not None}
    known |= set(event_links.links_by_event(connection.id, found))
    strays = [each for key, each in found.items() if key not in known]
    return items + [item for each in strays if (item := stray(calendar, each)) and is_in(item, stretch)]


def _appointments(connection: Connection, stretch: Stretch) -> list[tuple[Appointment, EventLink | None]]:
    after, before = stretch.widened
    rows = db.session.execute(
        sa.select(Appointment, EventLink)
        .outerjoin(EventLink, EventLink.appointment_id == Appointment.id)
        .where(
            Appointment.provider_id == connection.provider_id,
            Appointment.starts_at < before,
            Appointment.ends_at > after,
        )
    )
    return [(row[0], row[1]) for row in rows]


def expected_events(calendar: GoogleCalendar, stretch: Stretch) -> list[str]:
    """Ids of the events that the appointments of these days have."""
    rows = _appointments(calendar.connection, stretch)
    return [link.event_id for _, link in rows if link is not None and link.state is LinkState.LIVE]


def own_item(
    calendar_id: int,
    appointment: Appointment,
    link: EventLink | None,
    local: LocalAppointment,
    found: dict[str, Found],
) -> Item | None:
    there = found.get(link.event_id) if link is not None else None
    if there is not None and there.event.is_cancelled:
        there = None
    verdict = _judge_appointment(local, link, there.event if there else None)
    if verdict is None:
        return None
    return Item(
        verdict=verdict,
        start=local.content.start,
        end=local.content.end,
        summary=there.event.summary if there else local.content.summary,
        calendar=calendar_id,
        appointment_id=appointment.id,
        html_link=there.event.html_link if there else None,
        has_guests=there.has_guests if there else False,
    )


def _judge_appointment(local: LocalAppointment, link: EventLink | None, event: Event | None) -> str | None:
    """What is to be said of an appointment and its event; None when neither side wants one there."""
    has_event = link is not None and link.state is LinkState.LIVE
    is_wanted = local.is_live and (local.is_in_window or has_event)
    if link is not None and (link.state is LinkState.HELD or link.held is not None):
        return "asked"
    is_on_its_way = link is None or link.needs_write or link.settled != local.revision
    if event is None:
        if not is_wanted:
            return None
        return (
            "waiting" if is_on_its_way or link is None or link.state is not LinkState.LIVE else "gone-there"
        )
    if not is_wanted:
        is_going = link is not None and link.state is LinkState.DELETING
        return "waiting" if is_on_its_way or is_going else "still-there"
    content = event.content
    if content is not None and content.content_hash() == local.content.content_hash():
        return "in-step"
    return "waiting" if is_on_its_way else "differs"


def stray(calendar: GoogleCalendar, found: Found) -> Item | None:
    """An event of ours that no appointment here has."""
    event = found.event
    if event.is_cancelled or event.start is None or event.end is None:
        return None
    return Item(
        verdict="unknown-here",
        start=event.start,
        end=event.end,
        summary=event.summary,
        calendar=calendar.id,
        html_link=event.html_link,
    )
