"""The law (docs/sync.md), for one appointment and its event, at rest."""

from __future__ import annotations

from portal.sync.outbound import LinkPhase
from tests.explorer import decisions, google, inward
from tests.explorer.canonical import canonical
from tests.explorer.google import Event
from tests.explorer.moves import World, come_to_rest
from tests.explorer.portal_side import ASKS_DELETED, Broken


def check_rest(world: World) -> None:
    """Of a world in which a quiet run has just changed nothing. Raises Broken."""
    _check_whole_list(world)
    _check_outward(world)
    _check_inward(world)
    _check_question(world)


def _check_whole_list(world: World) -> None:
    """Reading everything anew writes nothing and changes nothing either."""
    anew = world._replace(portal=inward.begin_generation(world.portal))
    after, writes = come_to_rest(anew)
    if writes:
        raise Broken("at rest, a run that reads the whole list writes to Google")
    if _settled(after) != _settled(world):
        raise Broken("at rest, a run that reads the whole list changes something here")


def _settled(world: World) -> World:
    """Without what a look at Google leaves behind even if there was nothing to see."""
    portal, calendar = world.portal, world.calendar
    link = portal.link and portal.link._replace(is_listed=True)
    portal = portal._replace(link=link, token=0, reads_whole=False)
    return canonical(world._replace(portal=portal, calendar=calendar._replace(overwritten=())))


def _check_outward(world: World) -> None:
    """A live appointment has exactly one event, and any other none."""
    appointment, link = world.portal.appointment, world.portal.link
    live = [
        event for event in world.calendar.events if not event.is_deleted and event.event_id != google.COPY
    ]
    is_held = link is not None and link.phase is LinkPhase.HELD
    if appointment is None or not appointment.is_live or is_held:
        if live:
            raise Broken("an appointment that is not live, or is asked about, has an event in Google")
        return
    if len(live) != 1:
        raise Broken(f"a live appointment has {len(live)} events in Google")
    if live[0].content != decisions.wanted(appointment):
        raise Broken("the event in Google is not as the appointment here")
    if link is None or link.event_id != live[0].event_id or link.phase is not LinkPhase.LIVE:
        raise Broken("the link does not name the live event")


def _check_inward(world: World) -> None:
    """What a person copied is here once, as it is there; our own events are not imported."""
    copies = {event.event_id: event.version for event in world.calendar.events if _is_foreign(event)}
    if dict(world.portal.imported) != copies:
        raise Broken("what is shown from Google is not what a person made there")


def _is_foreign(event: Event) -> bool:
    return event.event_id == google.COPY and not event.is_deleted


def _check_question(world: World) -> None:
    """A question stands exactly as long as its appointment waits for the answer."""
    link = world.portal.link
    is_held = link is not None and link.phase is LinkPhase.HELD
    asks = ASKS_DELETED in world.portal.cards
    if is_held and not asks:
        raise Broken("an appointment waits for an answer, and no card asks")
    if asks and not is_held:
        raise Broken("a card asks about a deletion that is settled")
    if is_held and _is_changed_since(world):
        raise Broken("an event deleted in Google stays away although its appointment was changed here")


def _is_changed_since(world: World) -> bool:
    """Time or status of an appointment that is asked about (sync-law §5)."""
    appointment, link, portal = world.portal.appointment, world.portal.link, world.portal
    assert appointment is not None
    assert link is not None
    deleted = world.calendar.find(link.event_id)
    assert deleted is not None
    assert deleted.content is not None
    known = (deleted.content.time, deleted.by_person_from, portal.heard, link.time)
    return appointment.time not in known or appointment.status_at > portal.asked_at
