"""What must be written to Google for one appointment: what is desired against what was last agreed."""

from __future__ import annotations

import base64
import datetime as dt
import enum
import hashlib
from dataclasses import dataclass

from portal.sync.event import Content

UNSEEN = '"unseen"'  # the etag of no event: Google refuses the write, and the event is looked at first
WINDOW_BEFORE = dt.timedelta(days=30)  # before the app calendar was first made; it never slides


class LinkPhase(enum.StrEnum):
    """The same words as models.LinkState; the core imports no tables."""

    LIVE = "live"
    DELETING = "deleting"
    GONE = "gone"
    HELD = "held"


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalAppointment:
    """An appointment as far as Google is concerned."""

    public_id: str
    revision: int
    is_live: bool
    is_in_window: bool
    content: Content
    has_new_status: bool = False  # since it was last judged; asked for only while a card waits


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """What both sides last agreed on."""

    event_id: str
    revival: int
    phase: LinkPhase
    etag: str | None
    content_hash: str | None
    times_hash: str | None
    revision: int  # in the tag of what Google holds, as far as we know
    settled: int  # the appointment's revision last judged
    needs_write: bool = False
    remote_updated: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class Insert:
    """Make the event, under the id of this revival."""

    revival: int


@dataclass(frozen=True, slots=True)
class Patch:
    """Write our fields, if the event is still as agreed (If-Match)."""

    event_id: str
    etag: str


@dataclass(frozen=True, slots=True)
class Delete:
    """Remove the event, if it is as it was last seen (If-Match): what a list still shows then is old.

    The link is committed as *deleting* first, so that its tombstone is known as ours.
    """

    event_id: str
    etag: str


@dataclass(frozen=True, slots=True)
class Settle:
    """Google holds what we want already: only note the revision."""


@dataclass(frozen=True, slots=True)
class CloseCard:
    """The provider deleted the event in Google, and the appointment is over here too: nothing left to ask."""


@dataclass(frozen=True, slots=True)
class PutBack:
    """Deleted in Google, but changed here since: it goes back, and the card says so."""

    revival: int


Action = Insert | Patch | Delete | Settle | CloseCard | PutBack


def event_id(*, installation: str, nonce: str, public_id: str, revival: int) -> str:
    """The id of an appointment's event: the same on every try, base32hex as Google asks (a-v, 0-9)."""
    text = "\n".join((installation, nonce, public_id, str(revival)))
    return base64.b32hexencode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=").lower()


def decide(appointment: LocalAppointment, link: Link | None) -> Action | None:
    """The one write that brings Google nearer to what is desired, or None when nothing is to do."""
    if link is None:
        return Insert(revival=0) if appointment.is_live and appointment.is_in_window else None
    match link.phase:
        case LinkPhase.DELETING:
            return _delete(link)  # finish it; a reinstated one follows as the next revival
        case LinkPhase.GONE:
            wanted = appointment.is_live and appointment.is_in_window
            return Insert(revival=link.revival + 1) if wanted else _settled(appointment, link)
        case LinkPhase.HELD:
            return _held(appointment, link)
        case LinkPhase.LIVE:
            return _linked(appointment, link)


def _linked(appointment: LocalAppointment, link: Link) -> Action | None:
    if not appointment.is_live:
        return _delete(link)
    if appointment.content.content_hash() != link.content_hash:
        return Patch(link.event_id, link.etag or UNSEEN)
    return _settled(appointment, link)


def _delete(link: Link) -> Delete:
    return Delete(link.event_id, link.etag or UNSEEN)


def _held(appointment: LocalAppointment, link: Link) -> Action | None:
    """A card waits. A change of time or status here answers it; a change of display does not."""
    if not appointment.is_live:
        return CloseCard()
    if appointment.has_new_status or appointment.content.times_hash() != link.times_hash:
        return PutBack(revival=link.revival + 1)
    return _settled(appointment, link)


def _settled(appointment: LocalAppointment, link: Link) -> Settle | None:
    is_behind = link.needs_write or appointment.revision != link.settled
    return Settle() if is_behind else None
