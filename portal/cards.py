"""Cards of *Changes from Google*: what was done there to our events, and what is asked of it. No commit."""

from __future__ import annotations

import datetime as dt
from typing import Any

import sqlalchemy as sa

from portal.extensions import db
from portal.models import Appointment, CardKind, ChangeCard


def put(
    appointment: Appointment,
    kind: CardKind,
    *,
    connection_id: int,
    needs_answer: bool,
    detail: dict[str, Any],
    now: dt.datetime,
) -> None:
    """Tell the provider once: an open card of the same kind is brought up to date instead of doubled."""
    card = db.session.scalar(
        sa.select(ChangeCard).where(
            ChangeCard.appointment_id == appointment.id,
            ChangeCard.kind == kind,
            ChangeCard.closed_at.is_(None),
        )
    )
    if card is None:
        card = ChangeCard(
            provider_id=appointment.provider_id,
            connection_id=connection_id,
            appointment_id=appointment.id,
            kind=kind,
            created_at=now,
        )
        db.session.add(card)
    card.needs_answer = needs_answer
    card.detail = detail


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
