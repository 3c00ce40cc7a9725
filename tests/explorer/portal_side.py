"""Our side of the world: the decisions of portal.sync, and the shell around them as plainly as it can be said.

Nothing is decided here: every decision is `outbound.decide`, `inbound.decide_own` or `inbound.decide_stray`.
What is done with it mirrors, line by line, what the shell does with rows:

| here | there |
|---|---|
| `is_behind` | `store._behind` |
| `gather`, `_plan` | `push._gather`, `push._settle`, `push._plan`, `push._mark_deletes` |
| `keep`, `_agree`, `postpone` | `push._keep`, `push._agree`, `push._link_row`, `push._postpone` |
| `settle_refusal`, `_taken` | `push._look_again`, `push._not_there`, `push._taken`, `push._still_there` |
| `is_wanted_again` | `push._is_wanted_again`, `own_events.adopt_if_wanted` |
| `take` | `pull._take_page`, `pull._without_own`, `pull._store_events`, `pull._finish_full_pass` |
| `looked_up` | `pull._unlisted_links`, `pull._look_for` |
| `settle` and what follows it | `own_events.settle`, `_follow`, `_restore`, `_readopt`, `_ask_deleted` … |
| `settle_stray`, `_adopt`, `_delete_stray` | the same names in `own_events` |
| `book` … `archive` | `appointments.create` … `appointments.archive`, as far as `_apply` raises revisions |

Left out, for one appointment never reaches it: quotas, breakers, held moves, grouped cards, several pages, 404s.
The database is one value: whatever is done between two steps is a transaction.
"""

from __future__ import annotations

import datetime as dt
from functools import lru_cache
from typing import NamedTuple

from portal.sync import inbound, outbound
from portal.sync.event import Content, Event, EventTime, Tag
from portal.sync.outbound import LinkPhase, LocalAppointment
from tests.explorer import google

INSTALLATION, NONCE, PUBLIC_ID = "installation", "nonce", "appointment"
NOW = dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC)
MOST_REVIVALS = 100


class Broken(Exception):
    """The law does not hold. Says how."""


class Appointment(NamedTuple):
    """A row of `appointment`, and at which revisions a person here last moved it or changed its status."""

    time: int = 0
    revision: int = 1
    is_canceled: bool = False
    is_archived: bool = False
    moved_at: int = 1
    status_at: int = 0

    @property
    def touched_at(self) -> int:
        """The revision of the last change made by a person here."""
        return max(self.moved_at, self.status_at)

    @property
    def is_live(self) -> bool:
        return not (self.is_canceled or self.is_archived)


class Link(NamedTuple):
    """A row of `event_link`. Contents and times stand for their hashes, versions for etags and `updated`."""

    event_id: str
    revival: int
    phase: LinkPhase
    etag: int | None = None
    content: google.Content | None = None
    time: int | None = None
    revision: int = 0
    settled: int = 0
    needs_write: bool = False
    updated: int | None = None
    is_listed: bool = False  # link.generation is the calendar's
    is_young: bool = True  # agreed less than pull.JUST_AGREED ago
    waits: bool = False  # retry_at lies ahead


class Portal(NamedTuple):
    """The database, as far as one appointment and one calendar go."""

    appointment: Appointment | None = None
    link: Link | None = None
    cards: tuple[str, ...] = ()  # open ones
    imported: tuple[tuple[str, int], ...] = ()  # ids and versions of events shown like any other
    unwanted: tuple[str, ...] = ()
    token: int = 0
    reads_whole: bool = True  # the whole list is to be read: there is no sync token, or it was refused
    heard: int | None = None  # truth for the law: the time of the last move in Google that was told of here
    met: int | None = None  # truth for the law: the time to which both sides had come by themselves
    known: int = -1  # truth for the law: the latest revival that was ever agreed on here


class Plan(NamedTuple):
    """push.Plan: what was read when it was decided, and what is sent."""

    verb: str
    event_id: str
    revival: int
    content: google.Content
    properties: google.Properties
    if_match: int | None = None
    is_put_back: bool = False


# Cards, by what they say. Only one asks.
ASKS_DELETED, TELLS_RETURN, TELLS_EDITED = "deleted, asks", "deleted, tells of a return", "edited"
TOOK_OVER, PUT_BACK_MOVE = "moved, taken over", "moved, put back"
KIND = {
    ASKS_DELETED: "deleted",
    TELLS_RETURN: "deleted",
    TELLS_EDITED: "edited",
    TOOK_OVER: "moved",
    PUT_BACK_MOVE: "moved",
}


def _put_card(portal: Portal, card: str) -> Portal:
    """cards.put: an open card of the same kind is brought up to date instead of doubled."""
    others = (each for each in portal.cards if KIND[each] != KIND[card])
    return portal._replace(cards=tuple(sorted((*others, card))))


def _close_cards(portal: Portal) -> Portal:
    """cards.close: what asks is closed, what tells stays."""
    return portal._replace(cards=tuple(card for card in portal.cards if card != ASKS_DELETED))


# The core's values


@lru_cache(maxsize=None)
def event_id(revival: int) -> str:
    return outbound.event_id(installation=INSTALLATION, nonce=NONCE, public_id=PUBLIC_ID, revival=revival)


@lru_cache(maxsize=None)
def _content(content: google.Content) -> Content:
    start = NOW + dt.timedelta(days=1 + content.time)
    return Content(
        summary="Renamed" if content.is_retitled else "1042",
        start=EventTime(datetime=start),
        end=EventTime(datetime=start + dt.timedelta(minutes=50)),
        recurrence=("RRULE:FREQ=WEEKLY",) if content.is_recurring else (),
    )


@lru_cache(maxsize=None)
def _content_hash(content: google.Content) -> str:
    return _content(content).content_hash()


@lru_cache(maxsize=None)
def _times_hash(time: int) -> str:
    return _content(google.Content(time)).times_hash()


@lru_cache(maxsize=None)
def _time_of(start: EventTime) -> int:
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
        content_hash=None if link.content is None else _content_hash(link.content),
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


@lru_cache(maxsize=None)
def _decide(appointment: Appointment, link: Link | None) -> outbound.Action | None:
    is_held = link is not None and link.phase is LinkPhase.HELD
    has_new_status = is_held and link is not None and appointment.status_at > link.settled
    return outbound.decide(_local(appointment, has_new_status=has_new_status), link and _link(link))


@lru_cache(maxsize=None)
def _decide_own(event: google.Event, link: Link, appointment: Appointment) -> inbound.OwnEventAction:
    is_scheduled = not appointment.is_canceled
    return inbound.decide_own(
        _event(event), _link(link), _local(appointment), is_scheduled=is_scheduled, now=NOW
    )


@lru_cache(maxsize=None)
def _decide_stray(
    event: google.Event, link: Link | None, appointment: Appointment | None
) -> inbound.StrayAction:
    return inbound.decide_stray(
        _event(event),
        installation=INSTALLATION,
        appointment=appointment and _local(appointment),
        link=link and _link(link),
    )


# What a person does here


def book(portal: Portal) -> Portal:
    return portal._replace(appointment=Appointment())


def move(portal: Portal, appointment: Appointment) -> Portal:
    """Forwards through the times. An archived one is refused."""
    revision = appointment.revision + 1
    time = (appointment.time + 1) % google.TIMES
    moved = appointment._replace(time=time, revision=revision, moved_at=revision)
    return portal._replace(appointment=moved)


def cancel(portal: Portal, appointment: Appointment) -> Portal:
    return _change_status(portal, appointment, is_canceled=True)


def archive(portal: Portal, appointment: Appointment) -> Portal:
    return _change_status(portal, appointment, is_archived=True)


def reinstate(portal: Portal, appointment: Appointment) -> Portal:
    """Undo the last of archive and cancel."""
    if appointment.is_archived:
        return _change_status(portal, appointment, is_archived=False)
    return _change_status(portal, appointment, is_canceled=False)


def _change_status(portal: Portal, appointment: Appointment, **changes: bool) -> Portal:
    """The revision rises only when something that goes out is different; history is written all the same."""
    changed = appointment._replace(**changes)
    is_outside = (changed.is_canceled, changed.is_live) != (appointment.is_canceled, appointment.is_live)
    revision = appointment.revision + is_outside
    return portal._replace(appointment=changed._replace(revision=revision, status_at=revision))


# Outward


def is_behind(portal: Portal) -> bool:
    appointment, link = portal.appointment, portal.link
    if appointment is None:
        return False
    if link is None:
        return appointment.is_live
    if link.waits:
        return False
    is_due = link.phase is LinkPhase.DELETING or (link.phase is LinkPhase.GONE and appointment.is_live)
    return is_due or link.settled != appointment.revision or link.needs_write


def gather(portal: Portal) -> tuple[Portal, Plan | None]:
    """Decide; what needs no request is settled, and a delete is marked before it is sent. One transaction."""
    appointment, link = portal.appointment, portal.link
    assert appointment is not None
    action = _decide(appointment, link)
    match action:
        case None:
            return portal, None
        case outbound.Settle() | outbound.CloseCard():
            assert link is not None
            link = link._replace(settled=appointment.revision, needs_write=False)
            if isinstance(action, outbound.Settle):
                return portal._replace(link=link), None
            return _close_cards(portal)._replace(link=link._replace(phase=LinkPhase.GONE)), None
        case outbound.Delete():
            assert link is not None
            portal = portal._replace(link=link._replace(phase=LinkPhase.DELETING))
    return portal, _plan(appointment, link, action)


def _plan(appointment: Appointment, link: Link | None, action: outbound.Action) -> Plan:
    match action:
        case outbound.Insert(revival) | outbound.PutBack(revival):
            verb, target = "insert", event_id(revival)
        case outbound.Patch(target, _):
            assert link is not None
            verb, revival = "patch", link.revival
        case outbound.Delete(target):
            assert link is not None
            verb, revival = "delete", link.revival
        case _:
            raise AssertionError(action)
    return Plan(
        verb=verb,
        event_id=target,
        revival=revival,
        content=wanted(appointment),
        properties=google.Properties(target, appointment.revision, appointment.time),
        if_match=_if_match(action),
        is_put_back=isinstance(action, outbound.PutBack),
    )


def _if_match(action: outbound.Action) -> int | None:
    """0 is the version of no event; None stands for `*`."""
    if not isinstance(action, outbound.Patch) or action.etag == "*":
        return None
    return 0 if action.etag == outbound.UNSEEN else int(action.etag)


def keep(portal: Portal, plan: Plan, answer: google.Answer) -> Portal | None:
    """Note what was agreed. None where a refusal has to be looked into."""
    return _agree(portal, plan, answer) if isinstance(answer, google.Event) else None


def _agree(portal: Portal, plan: Plan, event: google.Event | None) -> Portal:
    """Google did it: the revision that was *sent* is noted. Only a delete answers without an event."""
    revision = plan.properties.revision
    link = _link_row(portal, plan)._replace(
        revision=revision, settled=revision, is_young=True, waits=False, needs_write=False
    )
    if plan.verb == "delete":
        return portal._replace(link=link._replace(phase=LinkPhase.GONE))
    assert event is not None
    link = link._replace(
        phase=LinkPhase.LIVE,
        event_id=plan.event_id,
        revival=plan.revival,
        etag=event.version,
        content=plan.content,
        time=plan.content.time,
        updated=event.version,
    )
    portal = portal._replace(link=link, heard=None, met=None, known=max(portal.known, link.revival))
    return _close_cards(portal) if plan.is_put_back else portal


def _link_row(portal: Portal, plan: Plan) -> Link:
    return portal.link or Link(plan.event_id, plan.revival - 1, LinkPhase.GONE)


def postpone(portal: Portal, plan: Plan) -> Portal:
    return portal._replace(link=_link_row(portal, plan)._replace(waits=True))


def settle_refusal(portal: Portal, plan: Plan, event: google.Event) -> Portal:
    """What `events.get` shows after 409, 410, 412, or 403 on a deleted event."""
    if plan.verb == "insert":
        return _taken(portal, plan, event)
    if plan.verb == "patch":
        return settle(portal, event)
    return _agree(portal, plan, None) if event.is_deleted else postpone(portal, plan)


def _taken(portal: Portal, plan: Plan, event: google.Event) -> Portal:
    """Our own earlier try, judged by the tag it carries, or a deleted one's tombstone."""
    link = _link_row(portal, plan)._replace(
        revival=plan.revival, event_id=plan.event_id, is_young=True, waits=False
    )
    portal = _close_cards(portal) if plan.is_put_back else portal
    if event.is_deleted:
        return portal._replace(link=link._replace(phase=LinkPhase.GONE))
    link = link._replace(phase=LinkPhase.LIVE, etag=None, content=None, updated=None, revision=0, time=None)
    return settle(portal._replace(link=link, known=max(portal.known, link.revival)), event)


def is_wanted_again(portal: Portal, event: google.Event) -> tuple[Portal, bool]:
    """Another look at a stray before it goes."""
    appointment, link = _tagged_appointment(portal, event), portal.link
    if appointment is None or event.is_deleted:
        return portal, False
    if link is not None and link.event_id == event.event_id:
        return portal, link.phase is LinkPhase.LIVE
    action = _decide_stray(event, link, appointment)
    if isinstance(action, inbound.Adopt):
        return _adopt(portal, event), True
    return portal, False


# Inward


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
    match _decide_own(event, link, appointment):
        case inbound.Ignore():
            return portal
        case inbound.RefreshEtag():
            return portal._replace(link=_note_remote(link, event))
        case inbound.AdoptWrite(revision):
            link = _note_content(_note_remote(link, event), event)._replace(revision=revision)
            return portal._replace(link=_mark_difference(link, appointment))
        case inbound.Reschedule(start, _):
            return _follow(portal, event, link, appointment, _time_of(start))
        case inbound.Restore(card):
            return _restore(portal, event, link, appointment, card)
        case inbound.SetAside():
            return portal._replace(link=link._replace(content=None, needs_write=True))
        case inbound.Readopt():
            link = link._replace(phase=LinkPhase.LIVE, etag=None, needs_write=True)
            return settle(_close_cards(portal._replace(link=link)), event)
        case inbound.Redelete(is_told):
            portal = portal._replace(link=link._replace(phase=LinkPhase.DELETING))
            return _tell_of_return(portal, event) if is_told else portal
        case inbound.ConfirmGone():
            return portal._replace(link=link._replace(phase=LinkPhase.GONE))
        case inbound.AskDeleted():
            return _ask_deleted(portal, event, link, appointment)
        case inbound.HoldWrites():
            raise Broken("every write is held, as if this database were older than Google")


def _note_remote(link: Link, event: google.Event) -> Link:
    link = link._replace(etag=event.version, updated=event.version)
    tag = event.properties
    if tag is not None and tag.event_id == event.event_id and tag.revision > link.revision:
        link = link._replace(revision=tag.revision, time=tag.time)
    return link


def _note_content(link: Link, event: google.Event) -> Link:
    assert event.content is not None
    return link._replace(content=event.content, time=event.content.time)


def _mark_difference(link: Link, appointment: Appointment) -> Link:
    assert link.content is not None
    is_different = _content_hash(link.content) != _content_hash(wanted(appointment))
    return link._replace(needs_write=is_different)


def _follow(portal: Portal, event: google.Event, link: Link, appointment: Appointment, time: int) -> Portal:
    if event.by_person_from is None:
        raise Broken("our own write comes back as a move made in Google")
    tag, known = event.properties, (event.by_person_from, portal.heard)
    if tag is not None and tag.revision < appointment.moved_at and appointment.time not in known:
        raise Broken("a move made here is overwritten by one in Google that had not seen it")
    followed = appointment._replace(time=time, revision=appointment.revision + 1)
    link = _note_content(_note_remote(link, event), event)
    link = link._replace(settled=followed.revision, is_young=True)
    portal = portal._replace(
        appointment=followed, link=_mark_difference(link, followed), heard=time, met=None
    )
    return _put_card(portal, TOOK_OVER)


def _restore(
    portal: Portal, event: google.Event, link: Link, appointment: Appointment, card: str | None
) -> Portal:
    assert event.content is not None
    if card == "moved" and event.by_person_from is None:
        raise Broken("a card tells of a move in Google that was our own write")
    if card == "moved" and appointment.time == portal.met == event.by_person_last_from:
        raise Broken("a move in Google is refused although both sides had come to the same time before")
    link = _note_remote(link, event)._replace(content=event.content)
    is_same = event.content.time == appointment.time
    if is_same:
        link = link._replace(time=event.content.time)
    portal = portal._replace(link=_mark_difference(link, appointment))
    if is_same or card is not None:
        portal = portal._replace(heard=event.content.time, met=event.content.time if is_same else None)
    if card is None:
        return portal
    return _put_card(portal, TELLS_EDITED if card == "edited" else PUT_BACK_MOVE)


def _ask_deleted(portal: Portal, event: google.Event, link: Link, appointment: Appointment) -> Portal:
    if not appointment.is_live:
        return portal._replace(link=link._replace(phase=LinkPhase.GONE))
    if not event.by_person_status:
        raise Broken("a card asks about a deletion that was our own")
    return _put_card(portal._replace(link=link._replace(phase=LinkPhase.HELD)), ASKS_DELETED)


def _tell_of_return(portal: Portal, event: google.Event) -> Portal:
    if not event.by_person_status:
        raise Broken("a card tells that an event came back from the bin, and nobody had restored it")
    return _put_card(_close_cards(portal), TELLS_RETURN)


def settle_stray(portal: Portal, event: google.Event) -> tuple[Portal, bool]:
    """An event without a link. True where it is to be imported like any other."""
    match _decide_stray(event, portal.link, _tagged_appointment(portal, event)):
        case inbound.Import():
            return portal, True
        case inbound.Ignore():
            return portal, False
        case inbound.Adopt():
            return _adopt(portal, event), False
        case inbound.DeleteStray():
            return _delete_stray(portal, event), False
        case inbound.KeepAndAsk():
            raise Broken("an event of ours is asked about as if its appointment were unknown")


def _tagged_appointment(portal: Portal, event: google.Event) -> Appointment | None:
    return None if event.properties is None else portal.appointment


def _adopt(portal: Portal, event: google.Event) -> Portal:
    link = portal.link or Link(event.event_id, 0, LinkPhase.LIVE)
    if link.phase is LinkPhase.HELD:
        portal = _close_cards(portal)
    link = link._replace(
        event_id=event.event_id,
        phase=LinkPhase.LIVE,
        etag=None,
        content=None,
        updated=None,
        revision=0,
        time=None,
        revival=max(link.revival, revival_of(event)),
        is_young=True,
    )
    return settle(portal._replace(link=link, known=max(portal.known, link.revival)), event)


def _delete_stray(portal: Portal, event: google.Event) -> Portal:
    link, revival = portal.link, revival_of(event)
    if link is not None and link.phase in (LinkPhase.LIVE, LinkPhase.DELETING):
        unwanted = tuple(sorted({*portal.unwanted, event.event_id}))
        return portal._replace(link=link._replace(revival=max(link.revival, revival)), unwanted=unwanted)
    if link is None:
        link = Link(event.event_id, 0, LinkPhase.DELETING)
    elif revival < link.revival:
        portal = _tell_of_return(portal, event)
    elif link.phase is LinkPhase.HELD:
        portal = _close_cards(portal)
    link = link._replace(
        event_id=event.event_id,
        phase=LinkPhase.DELETING,
        is_young=True,
        revival=max(link.revival, revival),
    )
    return portal._replace(link=link)


def revival_of(event: google.Event) -> int:
    known = (revival for revival in range(MOST_REVIVALS) if event_id(revival) == event.event_id)
    return next(known, 0)


def pass_time(portal: Portal) -> Portal:
    """Minutes go by: what waited for a retry waits no more, what was agreed just now was agreed a while ago."""
    link = portal.link
    return portal if link is None else portal._replace(link=link._replace(is_young=False, waits=False))
