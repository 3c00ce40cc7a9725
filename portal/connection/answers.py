"""What a provider answers to a card of *Changes from Google*. Each answer closes its card. No commit."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import sqlalchemy as sa

from portal.connection.leftovers import leave_behind
from portal.errors import Refused
from portal.extensions import db
from portal.models import (
    Appointment,
    AppointmentStatus,
    CardKind,
    ChangeCard,
    Connection,
    EventLink,
    GoogleCalendar,
    GoogleEvent,
    LinkState,
    Provider,
)
from portal.practice import appointments
from portal.practice.spans import AllDay, Timed, When
from portal.rows import google_events, outbox
from portal.sync.event import EventTime

DELETED_THERE = "Deleted in Google"
UNDO_WITHIN = dt.timedelta(days=30)


def open_cards(provider: Provider) -> list[ChangeCard]:
    """Cards of this provider that are not closed: questions first, then what was done, the newest first."""
    return list(
        db.session.scalars(
            sa.select(ChangeCard)
            .where(ChangeCard.provider_id == provider.id, ChangeCard.closed_at.is_(None))
            .order_by(ChangeCard.needs_answer.desc(), ChangeCard.created_at.desc(), ChangeCard.id.desc())
        )
    )


def choices(card: ChangeCard, *, now: dt.datetime) -> tuple[str, ...]:
    """The answers a card takes, the most likely first. A closed one takes none."""
    if card.closed_at is not None:
        return ()
    reason = card.detail.get("reason")
    match card.kind:
        case CardKind.MOVED if card.detail.get("taken_over"):
            return ("undo", "keep") if now - card.created_at <= UNDO_WITHIN else ("keep",)
        case CardKind.MOVED:
            return ("keep", "use-theirs") if _theirs(card, now=now) else ("keep",)
        case CardKind.EDITED:
            return ("keep",)
        case CardKind.DELETED if card.needs_answer:
            return ("completed", "no-show", "cancel") if _has_begun(card, now=now) else ("cancel", "put-back")
        case CardKind.DELETED:
            return ("reinstate", "keep") if reason == "restored-in-google" else ("put-away",)
        case CardKind.GROUPED:
            return GROUPED_CHOICES.get(str(reason), ("keep",))


def moved_to(card: ChangeCard) -> str:
    """The calendar of the account in which the deleted event lives on, where it was moved; "" if in none."""
    query = (
        sa.select(GoogleCalendar.summary)
        .join(GoogleEvent, GoogleEvent.google_calendar_id == GoogleCalendar.id)
        .join(EventLink, EventLink.event_id == GoogleEvent.event_id)
        .where(
            EventLink.appointment_id == card.appointment_id,
            GoogleCalendar.connection_id == card.connection_id,
            GoogleCalendar.is_app_calendar.is_(False),
            GoogleEvent.status != "cancelled",
        )
    )
    is_deleted = card.kind is CardKind.DELETED and card.appointment_id is not None
    return (db.session.scalar(query.limit(1)) or "") if is_deleted else ""


GROUPED_CHOICES: dict[str, tuple[str, ...]] = {
    "many-deleted": ("put-back", "cancel"),
    "many-moved": ("take-over", "keep"),
    "older-database": ("take-over", "keep"),
    "many-deletes": ("delete", "keep"),
    "calendar-empty": ("delete", "keep"),
    "unknown-appointment": ("keep", "delete"),
    "unknown-calendar": ("use-calendar", "leave-calendar"),
}


def answer(card: ChangeCard, choice: str, *, actor: Provider, now: dt.datetime) -> None:
    """Do what was answered and close the card. Raises Refused("not-a-choice" | codes of the verbs)."""
    if choice not in choices(card, now=now):
        raise Refused("not-a-choice")
    reason = str(card.detail.get("reason"))
    grouped = {
        ("take-over", "many-moved"): _take_over,
        ("take-over", "older-database"): _take_over,
        ("keep", "many-moved"): _write_ours,
        ("keep", "older-database"): _write_ours,
        ("delete", "many-deletes"): _let_delete,
        ("keep", "many-deletes"): _let_stay,
        ("delete", "calendar-empty"): _believe_empty,
        ("keep", "calendar-empty"): _doubt_empty,
        ("delete", "unknown-appointment"): _delete_unknown,
        ("use-calendar", "unknown-calendar"): _use_calendar,
        ("leave-calendar", "unknown-calendar"): _leave_calendar,
    }
    act: Callable[[ChangeCard, Provider, dt.datetime], None] | None = {
        "cancel": _cancel,
        "put-back": _put_back,
        "undo": _undo,
        "use-theirs": _use_theirs,
        "completed": _complete,
        "no-show": _miss,
        "reinstate": _reinstate,
    }.get(choice) or grouped.get((choice, reason))
    if act is not None:
        act(card, actor, now)
    card.closed_at, card.outcome = now, choice
    _end_question(card, reason)
    outbox.note_change(card.provider_id, now=now)


def _appointments(card: ChangeCard) -> list[Appointment]:
    ids = [card.appointment_id] if card.appointment_id else card.detail.get("appointments", [])
    rows = db.session.scalars(sa.select(Appointment).where(Appointment.id.in_(ids)).order_by(Appointment.id))
    return list(rows)


def _has_begun(card: ChangeCard, *, now: dt.datetime) -> bool:
    """Then nobody asks whether it should take place any more, but whether it did."""
    found = _appointments(card)
    return bool(found) and found[0].starts_at <= now and found[0].status is AppointmentStatus.SCHEDULED


def _theirs(card: ChangeCard, *, now: dt.datetime) -> tuple[EventTime, EventTime] | None:
    """The times that Google showed, if the appointment could take them over."""
    found, there = _appointments(card), card.detail.get("there")
    if not found or not there:
        return None
    start, end = (EventTime.from_json(text) for text in there)
    fits = start.is_all_day == end.is_all_day == found[0].all_day and now < start.instant < end.instant
    is_open = found[0].status is AppointmentStatus.SCHEDULED and found[0].archived_at is None
    return (start, end) if fits and is_open else None


def _links(card: ChangeCard) -> list[tuple[EventLink, Appointment]]:
    found = []
    for appointment in _appointments(card):
        link = db.session.scalar(sa.select(EventLink).where(EventLink.appointment_id == appointment.id))
        if link is not None and link.connection_id == card.connection_id:
            found.append((link, appointment))
    return found


def _cancel(card: ChangeCard, actor: Provider, now: dt.datetime) -> None:
    """Those that are still to come are canceled; one that is over already is left as it is."""
    for appointment in _appointments(card):
        if appointment.status is AppointmentStatus.SCHEDULED and appointment.archived_at is None:
            appointments.cancel(
                appointment, late=False, reason=DELETED_THERE, now=now, actor=actor, source="web"
            )


def _put_back(card: ChangeCard, actor: Provider, now: dt.datetime) -> None:
    """The next push makes the event anew, as the next revival."""
    for link, _ in _links(card):
        if link.state is LinkState.HELD:
            link.state, link.settled = LinkState.GONE, 0


def _undo(card: ChangeCard, actor: Provider, now: dt.datetime) -> None:
    """Back to where it was before the move in Google: a new revision of ours, which goes out again."""
    if now - card.created_at > UNDO_WITHIN:
        raise Refused("too-late")
    before = [dt.datetime.fromisoformat(text) for text in card.detail["before"]]
    for appointment in _appointments(card):
        when = _when(appointment, before[0], before[1])
        appointments.reschedule(appointment, when, now=now, actor=actor, source="web")


def _use_theirs(card: ChangeCard, actor: Provider, now: dt.datetime) -> None:
    """Ours was written back; now the time that Google had shown is wanted after all."""
    theirs = _theirs(card, now=now)
    assert theirs is not None
    start, end = theirs
    for appointment in _appointments(card):
        when = _when(appointment, start.instant, end.instant, start=start, end=end)
        appointments.reschedule(appointment, when, now=now, actor=actor, source="web")


def _complete(card: ChangeCard, actor: Provider, now: dt.datetime) -> None:
    """It took place, so it belongs in Google like any other that did."""
    for appointment in _appointments(card):
        appointments.mark_completed(appointment, now=now, actor=actor, source="web")
    _put_back(card, actor, now)


def _miss(card: ChangeCard, actor: Provider, now: dt.datetime) -> None:
    for appointment in _appointments(card):
        appointments.mark_no_show(appointment, now=now, actor=actor, source="web")


def _reinstate(card: ChangeCard, actor: Provider, now: dt.datetime) -> None:
    for appointment in _appointments(card):
        appointments.reinstate(appointment, now=now, actor=actor, source="web")


def _take_over(card: ChangeCard, actor: Provider, now: dt.datetime) -> None:
    """What Google shows holds: the appointments follow."""
    for link, appointment in _links(card):
        if link.held is None:
            continue
        start, end = EventTime.from_json(link.held["start"]), EventTime.from_json(link.held["end"])
        when = _when(appointment, start.instant, end.instant, start=start, end=end)
        while not appointment.is_live:  # archived, or over, or both; in Google it takes place
            appointments.reinstate(appointment, now=now, actor=actor, source="google")
        appointment.revision = max(appointment.revision, int(link.held["revision"]))
        appointments.reschedule(appointment, when, now=now, actor=actor, source="google")
        _release(link, appointment)


def _write_ours(card: ChangeCard, actor: Provider, now: dt.datetime) -> None:
    """What is here holds: it is written over what Google shows, under a newer revision than either had."""
    for link, appointment in _links(card):
        if link.held is None:
            continue
        appointment.revision = max(appointment.revision, int(link.held["revision"])) + 1
        _release(link, appointment)


def _release(link: EventLink, appointment: Appointment) -> None:
    """The held state becomes what Google is known to hold; whatever differs is written by the next push."""
    assert link.held is not None
    link.etag = link.held["etag"]
    updated = link.held["updated"]
    link.remote_updated = dt.datetime.fromisoformat(updated) if updated else None
    link.revision = max(link.revision, int(link.held["revision"]))
    link.content_hash, link.needs_write, link.held = None, True, None


def _let_delete(card: ChangeCard, actor: Provider, now: dt.datetime) -> None:
    for link, _ in _links(card):
        if link.state is LinkState.LIVE:
            link.state = LinkState.DELETING


def _let_stay(card: ChangeCard, actor: Provider, now: dt.datetime) -> None:
    """Their events stay in Google until the appointments change again."""
    for link, appointment in _links(card):
        link.settled = appointment.revision


def _believe_empty(card: ChangeCard, actor: Provider, now: dt.datetime) -> None:
    calendar = db.session.get_one(GoogleCalendar, card.detail["calendar_id"])
    google_events.delete_unlisted(calendar)
    calendar.absent_since = None


def _doubt_empty(card: ChangeCard, actor: Provider, now: dt.datetime) -> None:
    """Read it anew at the next look; what is here stays until then."""
    calendar = db.session.get_one(GoogleCalendar, card.detail["calendar_id"])
    calendar.absent_since = now
    calendar.query_signature = None


def _delete_unknown(card: ChangeCard, actor: Provider, now: dt.datetime) -> None:
    """Remove from Google an event of ours whose appointment this database doesn't know: by the worker."""
    connection = db.session.get_one(Connection, card.connection_id)
    connection.unwanted = [*connection.unwanted, card.detail["event_id"]]


def _use_calendar(card: ChangeCard, actor: Provider, now: dt.datetime) -> None:
    """The calendar is ours again: the next run finds its events by their tags. Others of its kind stay."""
    connection = db.session.get_one(Connection, card.connection_id)
    connection.nonce, connection.app_calendar_id = card.detail["nonce"], card.detail["google_id"]
    for nonce in card.detail["others"]:
        leave_behind(connection, nonce=nonce)
    _look_at_once(connection, now)


def _leave_calendar(card: ChangeCard, actor: Provider, now: dt.datetime) -> None:
    """It stays in Google with all that is in it, known as ours from now on: never asked about, never read."""
    connection, calendar_id = db.session.get_one(Connection, card.connection_id), card.detail["google_id"]
    row = db.session.scalar(
        sa.select(GoogleCalendar).where(
            GoogleCalendar.connection_id == connection.id, GoogleCalendar.calendar_id == calendar_id
        )
    )
    if row is None:
        row = GoogleCalendar(connection_id=connection.id, calendar_id=calendar_id, access_role="owner")
        row.summary, row.listed_at = card.detail["name"], now
        db.session.add(row)
    row.is_chosen, row.why_not = False, "app-calendar"
    leave_behind(connection, nonce=card.detail["nonce"])
    _look_at_once(connection, now)


def _look_at_once(connection: Connection, now: dt.datetime) -> None:
    connection.next_check_at, connection.retry_at = now, None
    connection.fencing += 1
    db.session.flush()


def _end_question(card: ChangeCard, reason: str) -> None:
    """The answer lets the connection write again."""
    connection = db.session.get_one(Connection, card.connection_id)
    if connection.problem == "question" and connection.problem_detail == reason:
        connection.problem = connection.problem_detail = connection.problem_since = None


def _when(
    appointment: Appointment,
    starts_at: dt.datetime,
    ends_at: dt.datetime,
    *,
    start: EventTime | None = None,
    end: EventTime | None = None,
) -> When:
    """Times as the appointment keeps them: in its own zone, or as whole days."""
    if start is not None and end is not None and start.date is not None and end.date is not None:
        return AllDay(start.date, end.date, appointment.timezone)
    if appointment.all_day:
        first, last = (at.astimezone(appointment.provider.zone).date() for at in (starts_at, ends_at))
        return AllDay(first, last, appointment.timezone)
    return Timed.from_instants(starts_at, ends_at, appointment.timezone)
