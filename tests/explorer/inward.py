"""Inward, as portal.engine.pull and own_events do it: take a list's page, and settle what it shows."""

from __future__ import annotations

from portal.sync import inbound
from portal.sync.outbound import LinkPhase
from tests.explorer import decisions, google
from tests.explorer.portal_side import (
    ASKS_DELETED,
    PUT_BACK_MOVE,
    TELLS_EDITED,
    TELLS_RETURN,
    TOOK_OVER,
    Appointment,
    Broken,
    Link,
    Portal,
    close_cards,
    put_card,
)


def begin_generation(portal: Portal) -> Portal:
    """The whole list is to be read anew."""
    link = portal.link and portal.link._replace(is_listed=False)
    return portal._replace(reads_whole=True, link=link)


def take(portal: Portal, page: google.Page) -> Portal:
    """A page's effects and the token after it, in one transaction."""
    strays = []
    for event in page.events:
        link = portal.link
        if link is None or link.event_id != event.event_id:
            strays.append(event)
            continue
        portal = settle(portal._replace(link=link._replace(is_listed=True)), event)
    for event in strays:
        portal, is_foreign = settle_stray(portal, event)
        portal = _import(portal, event) if is_foreign else portal
    if page.is_whole:
        named = {event.event_id for event in page.events}
        portal = portal._replace(imported=tuple(row for row in portal.imported if row[0] in named))
    return portal._replace(token=page.token, reads_whole=False)


def _import(portal: Portal, event: google.Event) -> Portal:
    rows = dict(portal.imported)
    if not event.is_bare and event.version < rows.get(event.event_id, 0):
        return portal
    if event.is_deleted:
        rows.pop(event.event_id, None)
    else:
        rows[event.event_id] = event.version
    return portal._replace(imported=tuple(sorted(rows.items())))


def is_missed(portal: Portal) -> bool:
    """Whether no list of this generation has named the event: then it is looked up by itself."""
    link = portal.link
    return link is not None and link.phase is LinkPhase.LIVE and not link.is_listed and not link.is_young


def looked_up(portal: Portal, event: google.Event) -> Portal:
    portal = settle(portal, event)
    assert portal.link is not None
    return portal._replace(link=portal.link._replace(is_listed=True))


def settle(portal: Portal, event: google.Event) -> Portal:  # noqa: PLR0911, PLR0912 (a branch an action)
    """Bring an event that has a link and what was agreed on it into line."""
    link, appointment = portal.link, portal.appointment
    assert link is not None
    assert appointment is not None
    if link.phase is LinkPhase.LIVE and link.etag == event.version and not event.is_deleted:
        return portal
    match decisions.decide_own(event, link, appointment):
        case inbound.Ignore():
            return portal
        case inbound.RefreshEtag():
            return portal._replace(link=note_remote(link, event))
        case inbound.AdoptWrite(revision):
            link = _note_content(note_remote(link, event), event)._replace(revision=revision)
            return portal._replace(link=_mark_difference(link, appointment))
        case inbound.Reschedule(start, _):
            return _follow(portal, event, link, appointment, decisions.time_of(start))
        case inbound.Restore(card):
            return _restore(portal, event, link, appointment, card)
        case inbound.SetAside():
            return portal._replace(link=link._replace(content=None, needs_write=True))
        case inbound.Readopt():
            link = link._replace(phase=LinkPhase.LIVE, etag=None, needs_write=True)
            return settle(close_cards(portal._replace(link=link)), event)
        case inbound.Redelete(is_told):
            portal = portal._replace(link=note_remote(link._replace(phase=LinkPhase.DELETING), event))
            return _tell_of_return(portal, event) if is_told else portal
        case inbound.ConfirmGone():
            return portal._replace(link=note_tombstone(link, event)._replace(phase=LinkPhase.GONE))
        case inbound.AskDeleted():
            return _ask_deleted(portal, event, link, appointment)
        case inbound.HoldWrites():
            raise Broken("every write is held, as if this database were older than Google")


def note_remote(link: Link, event: google.Event) -> Link:
    link = link._replace(etag=event.version, updated=event.version)
    tag = event.properties
    if tag is not None and tag.event_id == event.event_id and tag.revision > link.revision:
        link = link._replace(revision=tag.revision, time=tag.time)
    return link


def note_tombstone(link: Link, event: google.Event) -> Link:
    return link if event.is_bare else link._replace(updated=event.version)


def _note_content(link: Link, event: google.Event) -> Link:
    assert event.content is not None
    return link._replace(content=event.content, time=event.content.time)


def _mark_difference(link: Link, appointment: Appointment) -> Link:
    assert link.content is not None
    is_different = decisions.content_hash(link.content) != decisions.content_hash(
        decisions.wanted(appointment)
    )
    return link._replace(needs_write=is_different)


def _follow(portal: Portal, event: google.Event, link: Link, appointment: Appointment, time: int) -> Portal:
    if event.by_person_from is None:
        raise Broken("our own write comes back as a move made in Google")
    tag, known = event.properties, (event.by_person_from, portal.heard)
    if tag is not None and tag.revision < appointment.moved_at and appointment.time not in known:
        raise Broken("a move made here is overwritten by one in Google that had not seen it")
    followed = appointment._replace(time=time, revision=appointment.revision + 1)
    link = _note_content(note_remote(link, event), event)
    link = link._replace(settled=followed.revision, is_young=True)
    portal = portal._replace(
        appointment=followed, link=_mark_difference(link, followed), heard=time, met=None
    )
    return put_card(portal, TOOK_OVER)


def _restore(
    portal: Portal, event: google.Event, link: Link, appointment: Appointment, card: str | None
) -> Portal:
    assert event.content is not None
    if card == "moved" and event.by_person_from is None:
        raise Broken("a card tells of a move in Google that was our own write")
    if card == "moved" and appointment.time == portal.met == event.by_person_last_from:
        raise Broken("a move in Google is refused although both sides had come to the same time before")
    link = note_remote(link, event)._replace(content=event.content)
    is_same = event.content.time == appointment.time
    if is_same:
        link = link._replace(time=event.content.time)
    portal = portal._replace(link=_mark_difference(link, appointment))
    if is_same or card is not None:
        portal = portal._replace(heard=event.content.time, met=event.content.time if is_same else None)
    if card is None:
        return portal
    return put_card(portal, TELLS_EDITED if card == "edited" else PUT_BACK_MOVE)


def _ask_deleted(portal: Portal, event: google.Event, link: Link, appointment: Appointment) -> Portal:
    link = note_tombstone(link, event)
    if not appointment.is_live:
        return portal._replace(link=link._replace(phase=LinkPhase.GONE))
    if not event.by_person_status:
        raise Broken("a card asks about a deletion that was our own")
    held = portal._replace(link=link._replace(phase=LinkPhase.HELD), asked_at=appointment.revision)
    return put_card(held, ASKS_DELETED)


def _tell_of_return(portal: Portal, event: google.Event) -> Portal:
    if not event.by_person_status:
        raise Broken("a card tells that an event came back from the bin, and nobody had restored it")
    return put_card(close_cards(portal), TELLS_RETURN)


def settle_stray(portal: Portal, event: google.Event) -> tuple[Portal, bool]:
    """An event without a link. True where it is to be imported like any other."""
    match decisions.decide_stray(event, portal.link, tagged_appointment(portal, event)):
        case inbound.Import():
            return portal, True
        case inbound.Ignore():
            return portal, False
        case inbound.Adopt():
            return adopt(portal, event), False
        case inbound.DeleteStray():
            return _delete_stray(portal, event), False
        case inbound.KeepAndAsk():
            raise Broken("an event of ours is asked about as if its appointment were unknown")


def tagged_appointment(portal: Portal, event: google.Event) -> Appointment | None:
    return None if event.properties is None else portal.appointment


def adopt(portal: Portal, event: google.Event) -> Portal:
    link = portal.link or Link(event.event_id, 0, LinkPhase.LIVE)
    if link.phase is LinkPhase.HELD:
        portal = close_cards(portal)
    link = link._replace(
        event_id=event.event_id,
        phase=LinkPhase.LIVE,
        etag=None,
        content=None,
        updated=None,
        revision=0,
        time=None,
        revival=max(link.revival, decisions.revival_of(event)),
        is_young=True,
    )
    return settle(portal._replace(link=link, known=max(portal.known, link.revival)), event)


def _delete_stray(portal: Portal, event: google.Event) -> Portal:
    link, revival = portal.link, decisions.revival_of(event)
    if link is not None and link.phase in (LinkPhase.LIVE, LinkPhase.DELETING):
        unwanted = tuple(sorted({*portal.unwanted, event.event_id}))
        return portal._replace(link=link._replace(revival=max(link.revival, revival)), unwanted=unwanted)
    if link is None:
        link = Link(event.event_id, 0, LinkPhase.DELETING)
    elif revival < link.revival:
        portal = _tell_of_return(portal, event)
    elif link.phase is LinkPhase.HELD:
        portal = close_cards(portal)
    link = link._replace(
        event_id=event.event_id,
        phase=LinkPhase.DELETING,
        etag=event.version,
        updated=event.version,
        is_young=True,
        revival=max(link.revival, revival),
    )
    return portal._replace(link=link)
