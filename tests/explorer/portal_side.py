"""Our side of the world: its rows, what a person does here, and a table of what mirrors what.

Nothing is decided here: every decision is `outbound.decide`, `inbound.decide_own` or `inbound.decide_stray`
(decisions.py). What is done with it mirrors, line by line, what the shell does with rows:

| here | there |
|---|---|
| `outward.is_behind` | `event_links._behind` |
| `outward.gather`, `_plan` | `push._gather`, `_settle`, `_plan`, `_mark_deletes` |
| `outward.keep`, `_agree`, `postpone` | `push._keep`, `_agree`, `_link_row`, `_postpone` |
| `outward.settle_refusal`, `_taken` | `push._look_again`, `_taken`, `_still_there` |
| `outward.is_wanted_again` | `push._is_wanted_again`, `own_events.adopt_if_wanted` |
| `inward.take` | `pull._take_page`, `_without_own`, `_store_events`, `_finish_full_pass` |
| `inward.is_missed`, `looked_up` | `pull._unlisted_links`, `_look_for` |
| `inward.settle` and what follows it | `own_events.settle`, `_follow`, `_restore`, `_readopt` … |
| `inward.settle_stray`, `adopt`, `_delete_stray` | the same names in `own_events` |
| `put_card`, `close_cards` | `cards.put`, `cards.close` |
| `book` … `reinstate` | the verbs of `practice.appointments`, as far as `_apply` raises revisions |

Left out, since one appointment never comes to it: quotas, breakers, held moves, grouped cards, several pages,
404. The database is one value: whatever is done between two steps is a transaction.
"""

from __future__ import annotations

from typing import NamedTuple

from portal.sync.outbound import LinkPhase
from tests.explorer import google


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
    asked_at: int = 0  # truth for the law: the appointment's revision when a deletion was asked about
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


def put_card(portal: Portal, card: str) -> Portal:
    """cards.put: an open card of the same kind is brought up to date instead of doubled."""
    others = (each for each in portal.cards if KIND[each] != KIND[card])
    return portal._replace(cards=tuple(sorted((*others, card))))


def close_cards(portal: Portal) -> Portal:
    """cards.close: what asks is closed, what tells stays."""
    return portal._replace(cards=tuple(card for card in portal.cards if card != ASKS_DELETED), asked_at=0)


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


def pass_time(portal: Portal) -> Portal:
    """Minutes go by: what waited for a retry waits no more, what was agreed just now is older."""
    link = portal.link
    return portal if link is None else portal._replace(link=link._replace(is_young=False, waits=False))
