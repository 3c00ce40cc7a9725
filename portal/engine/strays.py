"""Events with a tag of ours and no link here: adopted, deleted, kept for a question, or a copy."""

from __future__ import annotations

from functools import partial
from typing import assert_never

import sqlalchemy as sa

from portal.connection import cards
from portal.engine.own_events import _tell_of_return, local_value, settle
from portal.engine.run import Run
from portal.errors import CalendarError, EventNotFound, InvalidCalendarData
from portal.extensions import db
from portal.google.client import Write, attempt
from portal.google.codec import from_google
from portal.models import Appointment, EventLink, LinkState
from portal.rows import event_links
from portal.sync.event import Event
from portal.sync.inbound import Adopt, DeleteStray, Ignore, Import, KeepAndAsk, StrayAction, decide_stray
from portal.sync.outbound import event_id

MOST_REVIVALS = 100  # far more deletions and returns than one appointment sees


def settle_stray(run: Run, event: Event) -> bool:
    """Deal with an event of the app calendar without a link. True if it is to be imported like any other."""
    appointment = _tagged_appointment(run, event)
    link = _link_of(appointment)
    action: StrayAction = decide_stray(
        event,
        installation=run.practice.installation,
        appointment=local_value(run, appointment) if appointment else None,
        link=event_links.link_value(link) if link else None,
    )
    match action:
        case Import():
            return True
        case Ignore():
            return False
        case Adopt():
            assert appointment is not None
            _adopt(run, link, event, appointment)
        case DeleteStray():
            assert appointment is not None
            _delete_stray(run, link, event, appointment)
        case KeepAndAsk():
            provider_id = run.connection.provider_id
            cards.put_unknown(provider_id, event.event_id, connection_id=run.connection_id, now=run.now)
        case _:
            assert_never(action)
    return False


def delete_unwanted(run: Run, calendar_id: str) -> bool:
    """Remove events of ours that nothing here wants: older revivals that came back, or as answered.

    There are few of them, and each is looked at again first. False when time or quota was used up.
    """
    while unwanted := run.connection.unwanted:
        if run.is_out_of_time or not run.may_spend(["get", "delete"]):
            run.commit()
            return False
        event_id = unwanted[0]
        run.commit()
        if not _is_wanted_again(run, calendar_id, event_id):
            attempt(partial(_delete, run, calendar_id, event_id), run.try_again)
        run.connection.unwanted = [each for each in run.connection.unwanted if each != event_id]
        run.commit()
    return True


def _delete(run: Run, calendar_id: str, event_id: str) -> None:
    (outcome,) = run.google.write_events(calendar_id, [Write(verb="delete", event_id=event_id)])
    if isinstance(outcome, CalendarError) and not isinstance(outcome, EventNotFound):
        raise outcome


def _is_wanted_again(run: Run, calendar_id: str, event_id: str) -> bool:
    try:
        event = from_google(run.google.get_event(calendar_id, event_id))
    except (EventNotFound, InvalidCalendarData):
        return False
    is_wanted = adopt_if_wanted(run, event)
    run.commit()
    return is_wanted


def adopt_if_wanted(run: Run, event: Event) -> bool:
    """Look at a stray again before it goes: its appointment may have lost its other event. True: it stays."""
    appointment = _tagged_appointment(run, event)
    link = _link_of(appointment)
    if appointment is None or event.is_cancelled:
        return False
    if link is not None and link.event_id == event.event_id:
        return link.state is LinkState.LIVE
    action = decide_stray(
        event,
        installation=run.practice.installation,
        appointment=local_value(run, appointment),
        link=event_links.link_value(link) if link else None,
    )
    if isinstance(action, Adopt):
        _adopt(run, link, event, appointment)
    return isinstance(action, Adopt)


def _tagged_appointment(run: Run, event: Event) -> Appointment | None:
    if event.tag is None:
        return None
    return db.session.scalar(
        sa.select(Appointment).where(
            Appointment.public_id == event.tag.appointment,
            Appointment.provider_id == run.connection.provider_id,
        )
    )


def _link_of(appointment: Appointment | None) -> EventLink | None:
    if appointment is None:
        return None
    return db.session.scalar(sa.select(EventLink).where(EventLink.appointment_id == appointment.id))


def _adopt(run: Run, link: EventLink | None, event: Event, appointment: Appointment) -> None:
    """Ours, with no live event here: linked, and then judged like any unsettled write of ours."""
    revival = _revival_of(run, event, appointment)  # asks the database, so before there is half a row
    if link is None:
        link = EventLink(appointment_id=appointment.id, connection_id=run.connection_id, revival=0)
        db.session.add(link)
    if link.state is LinkState.HELD:
        cards.close(appointment, outcome="restored-in-google", now=run.now)
    link.event_id, link.state = event.event_id, LinkState.LIVE
    link.etag, link.content_hash, link.remote_updated = None, None, None
    link.revision, link.times_hash = 0, None  # its tag tells, and may be newer than this database
    link.revival = max(link.revival, revival)
    link.agreed_at = run.now
    link.appointment = appointment
    db.session.flush()
    settle(run, link, event)
    run.counts["adopted"] += 1


def _delete_stray(run: Run, link: EventLink | None, event: Event, appointment: Appointment) -> None:
    """Ours, but not wanted: push deletes it by its link, unless that one has another live event."""
    revival = _revival_of(run, event, appointment)
    if link is not None and link.state in (LinkState.LIVE, LinkState.DELETING):
        link.revival = max(link.revival, revival)  # its id is not used again
        if event.event_id not in run.connection.unwanted:
            run.connection.unwanted = [*run.connection.unwanted, event.event_id]
        return
    if link is None:
        link = EventLink(
            appointment_id=appointment.id, connection_id=run.connection_id, revival=0, revision=0
        )
        db.session.add(link)
    elif revival < link.revival:
        _tell_of_return(run, event, appointment)
    elif link.state is LinkState.HELD:
        cards.close(appointment, outcome="over-here", now=run.now)
    link.event_id, link.state, link.agreed_at = event.event_id, LinkState.DELETING, run.now
    link.etag, link.remote_updated = event.etag, event.updated
    link.revival = max(link.revival, revival)


def _revival_of(run: Run, event: Event, appointment: Appointment) -> int:
    """Which revival this event is; 0 when it was made under an earlier nonce."""
    for revival in range(MOST_REVIVALS):
        candidate = event_id(
            installation=run.practice.installation,
            nonce=run.connection.nonce or "",
            public_id=appointment.public_id,
            revival=revival,
        )
        if candidate == event.event_id:
            return revival
    return 0
