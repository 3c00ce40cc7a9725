"""What a change seen in Google means for one of our own events. Other people's events need no decision."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace

from portal.sync.event import Content, Event, EventTime, Tag
from portal.sync.outbound import Link, LinkPhase, LocalAppointment

SHORTEST_SECONDS = 5 * 60
LONGEST_SECONDS = 24 * 3600


@dataclass(frozen=True, slots=True)
class Ignore:
    """Nothing new, or older than what was agreed."""


@dataclass(frozen=True, slots=True)
class RefreshEtag:
    """Only fields of the provider's own changed (notes, guests, colour)."""


@dataclass(frozen=True, slots=True)
class AdoptWrite:
    """Our own write, whose answer was lost: it is agreed at that revision."""

    revision: int


@dataclass(frozen=True, slots=True)
class Reschedule:
    """A safe move in Google: the appointment follows, with a card that can undo it."""

    start: EventTime
    end: EventTime


@dataclass(frozen=True, slots=True)
class Restore:
    """Our fields were changed: ours are written back. `card` says what the provider is told, if anything."""

    card: str | None  # "moved", "edited" or None
    why: str | None = None  # why the change could not be followed, as a code; see `why_kept`


@dataclass(frozen=True, slots=True)
class SetAside:
    """Changed there, but over here: push deletes it. If it is reinstated before that, it is judged then."""


@dataclass(frozen=True, slots=True)
class Readopt:
    """Restored from Google's bin, and wanted here: the appointment's event again, and judged as such."""


@dataclass(frozen=True, slots=True)
class Redelete:
    """Live in Google, but the appointment is over here: it goes again.

        `is_told`: it was restored from Google's bin, so a card tells why. Otherwise it is our own write whose
    answer was lost: nothing was ever agreed that anybody could restore.
    """

    is_told: bool


@dataclass(frozen=True, slots=True)
class ConfirmGone:
    """The tombstone of our own delete."""


@dataclass(frozen=True, slots=True)
class AskDeleted:
    """The provider deleted it in Google. The appointment is untouched, and a card asks."""


@dataclass(frozen=True, slots=True)
class HoldWrites:
    """Google holds a newer revision than this database: a backup was restored. Nothing is written; ask."""


OwnEventAction = (
    Ignore
    | RefreshEtag
    | AdoptWrite
    | Reschedule
    | Restore
    | SetAside
    | Readopt
    | Redelete
    | ConfirmGone
    | AskDeleted
    | HoldWrites
)


@dataclass(frozen=True, slots=True)
class Import:
    """Not ours: an event like any other, locked here."""


@dataclass(frozen=True, slots=True)
class Adopt:
    """Ours, and its appointment has no event, or none as new: link it."""


@dataclass(frozen=True, slots=True)
class DeleteStray:
    """Ours, but its appointment is over or has another event: remove it from Google."""


@dataclass(frozen=True, slots=True)
class KeepAndAsk:
    """Ours by its tag, but the appointment is unknown here: never delete, never import; ask."""


StrayAction = Import | Adopt | DeleteStray | KeepAndAsk | Ignore


def decide_own(
    event: Event, link: Link, appointment: LocalAppointment, *, is_scheduled: bool, now: dt.datetime
) -> OwnEventAction:
    """Judge a listed event that has a link. `is_scheduled`: the appointment's status is *scheduled*."""
    if _is_old_news(event, link):
        return Ignore()
    if event.is_cancelled:
        return _cancelled(link)
    remote = event.content
    if remote is None:
        return Ignore()
    unsettled = _unsettled_write(event, link)
    if unsettled is not None and unsettled.revision > appointment.revision:
        return Ignore() if link.phase is LinkPhase.DELETING else HoldWrites()
    if link.phase is not LinkPhase.LIVE:
        return _restored(link, appointment)
    if unsettled is not None:
        if remote.times_hash() == unsettled.times_hash and not remote.recurrence:  # we never make a series
            return AdoptWrite(unsettled.revision)
        # the provider changed our write: what we sent then is what both sides last knew
        link = replace(link, times_hash=unsettled.times_hash, content_hash=None)
    if remote.content_hash() == link.content_hash:
        return RefreshEtag()
    return _changed(remote, link, appointment, is_scheduled=is_scheduled, now=now)


def _is_old_news(event: Event, link: Link) -> bool:
    """Agreed already, or a copy from before the agreement: Google's lists may lag behind its answers."""
    if link.phase is LinkPhase.LIVE and event.etag == link.etag and not event.is_cancelled:
        return True
    if event.updated is None or link.remote_updated is None:
        return False
    if link.phase in (LinkPhase.DELETING, LinkPhase.GONE) and not event.is_cancelled:
        return event.updated <= link.remote_updated  # as it was before our delete
    return event.updated < link.remote_updated


def _restored(link: Link, appointment: LocalAppointment) -> OwnEventAction:
    """Live in Google although its link says deleted."""
    if link.phase is LinkPhase.DELETING:
        return Ignore()  # push finishes the delete first
    return Readopt() if appointment.is_live else Redelete(is_told=link.revision > 0)


def _unsettled_write(event: Event, link: Link) -> Tag | None:
    """Whose write was it? The tag of a write of ours that is newer than what was agreed."""
    tag = event.tag
    return tag if tag and tag.event_id == event.event_id and tag.revision > link.revision else None


def _cancelled(link: Link) -> OwnEventAction:
    match link.phase:
        case LinkPhase.LIVE:
            return AskDeleted()
        case LinkPhase.DELETING:
            return ConfirmGone()
        case LinkPhase.GONE | LinkPhase.HELD:
            return Ignore()


def _changed(
    remote: Content, link: Link, appointment: LocalAppointment, *, is_scheduled: bool, now: dt.datetime
) -> OwnEventAction:
    if not appointment.is_live:
        return SetAside()
    if remote.recurrence:
        return Restore(card="edited", why="made-recurring")
    if remote.times_hash() == link.times_hash:
        return Restore(card=None)
    local = appointment.content
    if remote.same_times(local):
        return Restore(card=None)
    is_unchanged_here = local.times_hash() == link.times_hash
    why = why_kept(local, remote, is_scheduled=is_scheduled, is_unchanged_here=is_unchanged_here, now=now)
    return Reschedule(remote.start, remote.end) if why is None else Restore(card="moved", why=why)


def why_kept(
    local: Content, remote: Content, *, is_scheduled: bool, is_unchanged_here: bool, now: dt.datetime
) -> str | None:
    """Why the appointment cannot follow a move in Google, as a code; None when it can."""
    if not is_scheduled:
        return "not-scheduled"
    if not is_unchanged_here:
        return "changed-here"
    return why_unsafe(local, remote, now=now)


def why_unsafe(local: Content, remote: Content, *, now: dt.datetime) -> str | None:
    """Safe: both starts lie ahead, it stays timed or all-day as it was, and its length makes sense."""
    if local.start.is_all_day != remote.start.is_all_day or remote.start.is_all_day != remote.end.is_all_day:
        return "made-timed" if local.start.is_all_day else "made-all-day"
    if local.start.instant <= now:
        return "begun"
    if remote.start.instant <= now:
        return "moved-to-past"
    seconds = (remote.end.instant - remote.start.instant).total_seconds()
    if remote.start.is_all_day:
        return None if seconds > 0 else "too-short"
    if seconds < SHORTEST_SECONDS:
        return "too-short"
    if seconds > LONGEST_SECONDS:
        return "too-long"
    return "odd-length" if seconds % 60 else None


# Every answer of `why_kept`, and that of an event made recurring
WHY_KEPT = frozenset(
    {"not-scheduled", "changed-here", "made-timed", "made-all-day", "begun", "moved-to-past", "too-short"}
    | {"too-long", "odd-length", "made-recurring"}
)


def carries_our_tag(event: Event, link: Link, *, public_id: str, installation: str) -> bool:
    """Whether the private properties are as we wrote them. Without them an event whose link is lost would be
    a stranger's, so they are ours like the title.

    The hash of the times is known only until a move in Google is followed, which writes nothing.
    """
    tag = event.tag
    if tag is None:
        return False
    expected = (installation, public_id, event.event_id, link.revision)
    if (tag.installation, tag.appointment, tag.event_id, tag.revision) != expected:
        return False
    is_as_written = link.settled == link.revision and link.times_hash is not None
    return not is_as_written or tag.times_hash == link.times_hash


def decide_stray(
    event: Event,
    *,
    installation: str,
    appointment: LocalAppointment | None,
    link: Link | None,
) -> StrayAction:
    """Judge an event of the app calendar without a link. `link` is its appointment's, to another event."""
    tag = event.tag
    if tag is None or tag.installation != installation or tag.event_id != event.event_id:
        return Import()
    if event.is_cancelled:
        return Ignore()
    if appointment is None:
        return KeepAndAsk()
    if tag.revision > appointment.revision:
        return Adopt()  # and judged as a revision that this database has never had
    has_other_event = link is not None and link.phase in (LinkPhase.LIVE, LinkPhase.DELETING)
    if not appointment.is_live or has_other_event:
        return DeleteStray()
    return Adopt()
