"""What Google shows of our own events: judged by the core, applied to links and appointments. No commit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from portal.connection import cards
from portal.engine.run import Run
from portal.extensions import db
from portal.models import Appointment, AppointmentStatus, CardKind, EventLink, LinkState
from portal.practice import appointments, clients
from portal.practice.spans import AllDay, Timed, When
from portal.rows import event_links
from portal.sync import breaker
from portal.sync.event import Event, EventTime
from portal.sync.inbound import (
    AdoptWrite,
    AskDeleted,
    ConfirmGone,
    HoldWrites,
    Ignore,
    OwnEventAction,
    Readopt,
    Redelete,
    RefreshEtag,
    Reschedule,
    Restore,
    SetAside,
    carries_our_tag,
    decide_own,
)
from portal.sync.outbound import LocalAppointment

FROM_GOOGLE = "google"


def is_as_agreed(run: Run, link: EventLink, event: Event) -> bool:
    """The common case by far: nothing happened to it, and that costs no query."""
    return _has_agreed_etag(link, event) and not _has_lost_its_tag(run, link, event)


def _has_agreed_etag(link: EventLink, event: Event) -> bool:
    return link.state is LinkState.LIVE and link.etag == event.etag and not event.is_cancelled


def _has_lost_its_tag(run: Run, link: EventLink, event: Event) -> bool:
    """Whether our private properties were changed or removed in Google. What is held waits for an answer."""
    if link.state is not LinkState.LIVE or link.held is not None or event.is_cancelled:
        return False
    appointment = link.appointment or db.session.get_one(Appointment, link.appointment_id)
    return not carries_our_tag(
        event,
        event_links.link_value(link),
        public_id=appointment.public_id,
        installation=run.practice.installation,
    )


def settle(run: Run, link: EventLink, event: Event, local: LocalAppointment | None = None) -> None:  # noqa: C901, PLR0912 (a branch an action)
    """Bring an event that has a link and what was agreed on it into line."""
    if _has_agreed_etag(link, event):
        _restore_tag(run, link, event)
        return
    appointment = link.appointment or db.session.get_one(Appointment, link.appointment_id)
    local = local or local_value(run, appointment)
    action = _decide(run, link, event, local)
    match action:
        case Ignore():
            return
        case RefreshEtag():
            note_remote(link, event)
            _let_go(run, link, appointment, outcome="moved-back")
        case AdoptWrite(revision):
            _adopt_write(link, event, local, revision)
        case Reschedule() if link.held is not None or _is_a_move_too_many(run):
            _hold(link, event)
            cards.ask_about_moves(run.connection, appointment.id, now=run.now)
        case Reschedule() if not _is_as_read(appointment):
            settle(run, link, event)
        case Reschedule(start, end):
            _follow(run, link, event, appointment, start, end)
        case Restore(card, why):
            _restore(run, link, event, appointment, local, card, why)
        case SetAside():
            link.content_hash, link.needs_write = None, True  # the etag stays: a patch of it is refused
        case Readopt():
            _readopt(run, link, event, appointment)
        case Redelete(is_told):
            _redelete(run, link, event, appointment, is_told=is_told)
        case ConfirmGone():
            link.state = LinkState.GONE
            note_tombstone(link, event)
        case AskDeleted():
            _ask_deleted(run, link, event, appointment)
        case HoldWrites():
            _hold(link, event)
            cards.ask_about_older_database(run.connection, appointment.id, now=run.now)
        case _:
            assert_never(action)
    _restore_tag(run, link, event)


def settle_page(run: Run, changed: list[tuple[EventLink, Event]]) -> None:
    """Settle all of a page's events that have a link; judge first whether their moves can be believed."""
    appointments = [link.appointment for link, _ in changed]
    locals_ = local_values(run, appointments)
    moves = sum(
        isinstance(_decide(run, link, event, locals_[link.appointment_id]), Reschedule)
        for link, event in changed
    )
    run.holds_moves = _is_a_move_too_many(run, moves)
    for link, event in changed:
        settle(run, link, event, locals_[link.appointment_id])
    group_deletions(run)


def group_deletions(run: Run) -> None:
    """More deletions in one pass than anybody answers one by one, however they were found: one card."""
    if len(run.deleted_there) > breaker.MOST_DELETION_CARDS:
        db.session.flush()
        cards.group_deletions(run.connection, run.deleted_there, now=run.now)


def _is_a_move_too_many(run: Run, more: int = 1) -> bool:
    """Whether this run would follow very many moves, those that it has followed included."""
    moves = run.counts["moved_here"] + more
    if run.holds_moves or moves <= breaker.ALWAYS_FINE:
        return run.holds_moves
    return breaker.is_suspicious(moves, event_links.count_live_links(run.connection_id))


def _is_as_read(appointment: Appointment) -> bool:
    """Whether nobody saved it since it was read. From here to the commit nobody else can (sync-law §2)."""
    revision = appointment.revision
    db.session.refresh(appointment, with_for_update=True)
    return appointment.revision == revision


def _decide(run: Run, link: EventLink, event: Event, local: LocalAppointment) -> OwnEventAction:
    return decide_own(
        event,
        event_links.link_value(link),
        local,
        is_scheduled=link.appointment.status is AppointmentStatus.SCHEDULED,
        now=run.now,
    )


def local_value(run: Run, appointment: Appointment) -> LocalAppointment:
    """The appointment as Google should see it now."""
    return local_values(run, [appointment])[appointment.id]


def local_values(run: Run, appointments: Sequence[Appointment]) -> dict[int, LocalAppointment]:
    """Appointments as Google should see them now, by id, in a few queries."""
    connection = run.connection
    titles = clients.titles_outside(connection.provider, appointments)
    return {
        appointment.id: event_links.local_appointment(
            appointment, titles[appointment.id], connection.window_starts_at
        )
        for appointment in appointments
    }


def mark_drift(run: Run) -> None:
    """Whatever was agreed that is not what the rows here want, with nothing that says so: write it again."""
    links = db.session.scalars(
        sa.select(EventLink)
        .options(joinedload(EventLink.appointment))
        .where(
            EventLink.connection_id == run.connection_id,
            EventLink.state == LinkState.LIVE,
            EventLink.held.is_(None),
            EventLink.needs_write.is_(False),
        )
    ).all()
    wanted = local_values(run, [link.appointment for link in links])
    for link in links:
        local = wanted[link.appointment_id]
        if local.is_live and local.content.content_hash() != link.content_hash:
            link.needs_write = True
            run.counts["drifted"] += 1


def _hold(link: EventLink, event: Event) -> None:
    """Keep what Google shows until the provider has answered; nothing is written to this event meanwhile."""
    assert event.start is not None
    assert event.end is not None
    link.state = LinkState.LIVE
    link.held = {
        "start": event.start.to_json(),
        "end": event.end.to_json(),
        "etag": event.etag,
        "updated": event.updated.isoformat() if event.updated else None,
        "revision": event.tag.revision if event.tag else 0,
    }


def _let_go(run: Run, link: EventLink, appointment: Appointment, *, outcome: str) -> None:
    """What was held is no longer so in Google: nobody needs to be asked about it."""
    if link.held is not None:
        link.held = None
        cards.close(appointment, outcome=outcome, now=run.now)


def note_remote(link: EventLink, event: Event) -> None:
    """The version of the event that was seen last. A tag newer than what was agreed is a write of ours."""
    link.etag, link.remote_updated, link.has_guests = event.etag, event.updated, event.has_guests
    tag = event.tag
    if tag is not None and tag.event_id == event.event_id and tag.revision > link.revision:
        link.revision, link.times_hash = tag.revision, tag.times_hash  # a write whose answer was lost


def note_tombstone(link: EventLink, event: Event) -> None:
    """What a list that lags still shows from before the deletion is older. Lists may leave the time out."""
    link.remote_updated = event.updated or link.remote_updated


def _note_content(link: EventLink, event: Event) -> None:
    remote = event.content
    assert remote is not None
    link.content_hash, link.times_hash = remote.content_hash(), remote.times_hash()


def _adopt_write(link: EventLink, event: Event, local: LocalAppointment, revision: int) -> None:
    note_remote(link, event)
    _note_content(link, event)
    link.revision = revision
    link.needs_write = link.content_hash != local.content.content_hash()


def _follow(
    run: Run, link: EventLink, event: Event, appointment: Appointment, start: EventTime, end: EventTime
) -> None:
    """A safe move in Google: the appointment moves too; the card can undo it."""
    before = _times_of(appointment)
    when = _when(start, end, appointment.timezone)
    appointments.reschedule(appointment, when, now=run.now, actor=None, source=FROM_GOOGLE)
    db.session.flush()
    note_remote(link, event)
    _note_content(link, event)
    link.settled, link.agreed_at = appointment.revision, run.now
    link.needs_write = link.content_hash != local_value(run, appointment).content.content_hash()
    run.counts["moved_here"] += 1
    cards.put(
        appointment,
        CardKind.MOVED,
        connection_id=run.connection_id,
        needs_answer=False,
        detail={"before": before, "after": _times_of(appointment), "taken_over": True},
        now=run.now,
    )


def _restore(
    run: Run,
    link: EventLink,
    event: Event,
    appointment: Appointment,
    local: LocalAppointment,
    card: str | None,
    why: str | None,
) -> None:
    """Remember what Google holds, so that push sees the difference and writes ours back."""
    remote = event.content
    assert remote is not None
    note_remote(link, event)
    link.content_hash = remote.content_hash()
    link.needs_write = link.content_hash != local.content.content_hash()
    if remote.same_times(local.content):
        link.times_hash = remote.times_hash()  # both sides have come to the same: from there it may move on
    if card is not None:
        _tell(run, appointment, CardKind(card), event, needs_answer=False, reason="put-back", why=why)


def _restore_tag(run: Run, link: EventLink, event: Event) -> None:
    """Our private properties are ours: written back with everything else that is, and no card."""
    if _has_lost_its_tag(run, link, event):
        link.content_hash, link.needs_write = None, True


def _readopt(run: Run, link: EventLink, event: Event, appointment: Appointment) -> None:
    """It is the appointment's event again; whatever else was done to it is judged like any other change."""
    link.state, link.etag, link.needs_write = LinkState.LIVE, None, True
    cards.close(appointment, outcome="restored-in-google", now=run.now)
    settle(run, link, event)


def _redelete(run: Run, link: EventLink, event: Event, appointment: Appointment, *, is_told: bool) -> None:
    link.state = LinkState.DELETING
    note_remote(link, event)
    if is_told:
        _tell_of_return(run, event, appointment)


def _ask_deleted(run: Run, link: EventLink, event: Event, appointment: Appointment) -> None:
    """The provider deleted it. An appointment that is over here has nothing left to ask about."""
    note_tombstone(link, event)
    _let_go(run, link, appointment, outcome="deleted-in-google")
    if not appointment.is_live:
        link.state = LinkState.GONE
        return
    link.state = LinkState.HELD
    run.deleted_there.append(appointment.id)
    run.counts["deleted_there"] += 1
    _tell(run, appointment, CardKind.DELETED, event, needs_answer=True, reason="deleted-in-google")


def _tell_of_return(run: Run, event: Event, appointment: Appointment) -> None:
    """It came back from Google's bin, but the appointment is over: nothing is left to ask, only to tell."""
    cards.close(appointment, outcome="over-here", now=run.now)
    _tell(run, appointment, CardKind.DELETED, event, needs_answer=False, reason="restored-in-google")


def _tell(
    run: Run,
    appointment: Appointment,
    kind: CardKind,
    event: Event,
    *,
    needs_answer: bool,
    reason: str,
    why: str | None = None,
) -> None:
    detail: dict[str, object] = {"here": _times_of(appointment), "reason": reason}
    if why is not None:
        detail["why"] = why
    if event.start is not None and event.end is not None:
        detail["there"] = [event.start.to_json(), event.end.to_json()]
    cards.put(
        appointment,
        kind,
        connection_id=run.connection_id,
        needs_answer=needs_answer,
        detail=detail,
        now=run.now,
    )


def _when(start: EventTime, end: EventTime, timezone: str) -> When:
    if start.date is not None:
        assert end.date is not None
        return AllDay(start.date, end.date, timezone)
    return Timed.from_instants(start.instant, end.instant, timezone)


def _times_of(appointment: Appointment) -> list[str]:
    return [appointment.starts_at.isoformat(), appointment.ends_at.isoformat()]
