"""Cards of *Changes from Google*: what was done there to our events, and what is asked of it. No commit."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from portal.extensions import db
from portal.models import Appointment, CardKind, ChangeCard, Connection

IS_BACK = "changed-here"  # the reason on the card of a deletion that a change here has overruled


def put(
    appointment: Appointment,
    kind: CardKind,
    *,
    connection_id: int,
    needs_answer: bool,
    detail: dict[str, Any],
    now: dt.datetime,
) -> None:
    """Tell the provider. One card is one event in time: what an earlier one offers stays with it.

    Only an open question of the same kind is brought up to date, since nobody answers it twice.
    """
    card = _open_question(appointment, kind) if needs_answer else None
    if card is None:
        card = ChangeCard(
            provider_id=appointment.provider_id,
            connection_id=connection_id,
            appointment_id=appointment.id,
            kind=kind,
            needs_answer=needs_answer,
            created_at=now,
        )
        db.session.add(card)
    card.detail = detail


def tell_it_is_back(
    appointment: Appointment, *, connection_id: int, detail: dict[str, Any], now: dt.datetime
) -> None:
    """Deleted in Google, changed here, and put back: the question has answered itself and stays to be read.

    One that was asked in a group gets a card of its own.
    """
    card = _open_question(appointment, CardKind.DELETED)
    close(appointment, outcome="changed-here", now=now)
    if card is None:
        put(
            appointment,
            CardKind.DELETED,
            connection_id=connection_id,
            needs_answer=False,
            detail={**detail, "reason": IS_BACK},
            now=now,
        )
        return
    card.closed_at = card.outcome = None
    card.needs_answer, card.detail = False, {**card.detail, "reason": IS_BACK}


def _open_question(appointment: Appointment, kind: CardKind) -> ChangeCard | None:
    return db.session.scalar(
        sa.select(ChangeCard)
        .where(
            ChangeCard.appointment_id == appointment.id,
            ChangeCard.kind == kind,
            ChangeCard.needs_answer,
            ChangeCard.closed_at.is_(None),
        )
        .order_by(ChangeCard.id.desc())
        .limit(1)
    )


def put_unknown(provider_id: int, event_id: str, *, connection_id: int, now: dt.datetime) -> None:
    """An event that is ours by its tag, but of an appointment that this database doesn't know: ask, once."""
    known = db.session.scalars(
        sa.select(ChangeCard).where(
            ChangeCard.connection_id == connection_id,
            ChangeCard.appointment_id.is_(None),
            ChangeCard.closed_at.is_(None),
        )
    )
    if any(card.detail.get("event_id") == event_id for card in known):
        return
    db.session.add(
        ChangeCard(
            provider_id=provider_id,
            connection_id=connection_id,
            kind=CardKind.GROUPED,
            needs_answer=True,
            created_at=now,
            detail={"event_id": event_id, "reason": "unknown-appointment"},
        )
    )


def group_deletions(connection: Connection, appointment_ids: list[int], *, now: dt.datetime) -> None:
    """More deletions in one pass than anybody answers one by one: one card for all of them."""
    single = db.session.scalars(
        sa.select(ChangeCard).where(
            ChangeCard.appointment_id.in_(appointment_ids),
            ChangeCard.kind == CardKind.DELETED,
            ChangeCard.needs_answer,
            ChangeCard.closed_at.is_(None),
        )
    )
    for card in single:
        card.closed_at, card.outcome = now, "grouped"
    _ask(connection, "many-deleted", appointment_ids, now=now)


def ask_about_moves(connection: Connection, appointment_id: int, *, now: dt.datetime) -> None:
    """So many moves in one pass that the provider is asked first; each is held on its link."""
    _ask(connection, "many-moved", [appointment_id], now=now)


def ask_about_older_database(connection: Connection, appointment_id: int, *, now: dt.datetime) -> None:
    """Google holds newer revisions than this database: hold every write, and ask which side holds."""
    _stop_for_question(connection, "older-database", now=now)
    _ask(connection, "older-database", [appointment_id], now=now)


def ask_about_deletes(connection: Connection, appointment_ids: list[int], *, now: dt.datetime) -> None:
    """Many events would be deleted for no reason that the history knows: hold every write, and ask."""
    _stop_for_question(connection, "many-deletes", now=now)
    _ask(connection, "many-deletes", appointment_ids, now=now)


def ask_about_empty_calendar(connection: Connection, calendar_id: int, *, now: dt.datetime) -> None:
    """A calendar that was full came back empty, twice: its events stay until somebody says that it is so."""
    _ask(connection, "calendar-empty", [], now=now, calendar_id=calendar_id)


def ask_about_unknown_calendar(
    connection: Connection, found: Sequence[tuple[str, str, str]], *, now: dt.datetime
) -> None:
    """Calendars of this installation (id, nonce, name) that this database doesn't know: write nothing, ask.

    The question is about the first of them; the others are told of with the answer.
    """
    _stop_for_question(connection, "unknown-calendar", now=now)
    card = unknown_calendar_card(connection)
    if card is None:
        card = ChangeCard(
            provider_id=connection.provider_id,
            connection_id=connection.id,
            kind=CardKind.GROUPED,
            needs_answer=True,
            created_at=now,
        )
        db.session.add(card)
    (calendar_id, nonce, name), *others = found
    card.detail = {
        "reason": "unknown-calendar",
        "appointments": [],
        "google_id": calendar_id,
        "nonce": nonce,
        "name": name[:500],
        "others": [other for _, other, _ in others],
    }
    db.session.flush()


def unknown_calendar_card(connection: Connection) -> ChangeCard | None:
    """The open question about a calendar of ours that this database doesn't know, if there is one."""
    for card in _open_groups(connection.provider_id):
        if card.connection_id == connection.id and card.detail.get("reason") == "unknown-calendar":
            return card
    return None


def close_about_calendar(connection: Connection, calendar_id: int, *, now: dt.datetime) -> None:
    """Its events are listed again, or most of them: the question whether they are gone has settled itself."""
    for card in _open_groups(connection.provider_id):
        if card.detail.get("reason") == "calendar-empty" and card.detail.get("calendar_id") == calendar_id:
            card.closed_at, card.outcome = now, "came-back"


def close_all(connection: Connection, *, now: dt.datetime) -> None:
    """What they ask or tell of has ended with the calendar that it was about."""
    db.session.execute(
        sa.update(ChangeCard)
        .where(ChangeCard.connection_id == connection.id, ChangeCard.closed_at.is_(None))
        .values(closed_at=now, outcome="sync-ended")
        .execution_options(synchronize_session=False)
    )


def _stop_for_question(connection: Connection, reason: str, *, now: dt.datetime) -> None:
    connection.problem, connection.problem_detail = "question", reason
    connection.problem_since = connection.problem_since or now


def _ask(
    connection: Connection,
    reason: str,
    appointment_ids: list[int],
    *,
    now: dt.datetime,
    calendar_id: int | None = None,
) -> None:
    """One open question of each kind: more of the same joins it."""
    for card in _open_groups(connection.provider_id):
        if card.detail.get("reason") == reason and card.detail.get("calendar_id") == calendar_id:
            known = card.detail.get("appointments", [])
            card.detail = {**card.detail, "appointments": sorted({*known, *appointment_ids})}
            return
    db.session.add(
        ChangeCard(
            provider_id=connection.provider_id,
            connection_id=connection.id,
            kind=CardKind.GROUPED,
            needs_answer=True,
            created_at=now,
            detail={"reason": reason, "appointments": sorted(appointment_ids), "calendar_id": calendar_id},
        )
    )
    db.session.flush()


def close(appointment: Appointment, *, outcome: str, now: dt.datetime) -> None:
    """Close the appointment's open questions; `outcome` says how they were settled."""
    open_cards = db.session.scalars(
        sa.select(ChangeCard).where(
            ChangeCard.appointment_id == appointment.id,
            ChangeCard.needs_answer,
            ChangeCard.closed_at.is_(None),
        )
    )
    for card in open_cards:
        card.closed_at, card.outcome = now, outcome
    for group in _open_groups(appointment.provider_id):
        _leave_group(group, appointment.id, outcome=outcome, now=now)


def _leave_group(card: ChangeCard, appointment_id: int, *, outcome: str, now: dt.datetime) -> None:
    """The last one to be settled closes the card."""
    ids = card.detail.get("appointments", [])
    if appointment_id in ids:
        left = [other for other in ids if other != appointment_id]
        card.detail = {**card.detail, "appointments": left}
        if not left:
            card.closed_at, card.outcome = now, outcome


def _open_groups(provider_id: int) -> list[ChangeCard]:
    return list(
        db.session.scalars(
            sa.select(ChangeCard).where(
                ChangeCard.provider_id == provider_id,
                ChangeCard.kind == CardKind.GROUPED,
                ChangeCard.closed_at.is_(None),
            )
        )
    )
