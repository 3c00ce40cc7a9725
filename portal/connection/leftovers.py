"""What of ours stays in an account after leaving, and what of the provider's own is in our calendar."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from portal.connection.marks import end_of
from portal.extensions import db
from portal.models import Connection, GoogleCalendar, GoogleEvent, Provider


@dataclass(frozen=True, slots=True)
class LeftBehind:
    """A calendar of ours that is still in the account `email`; its description ends in `mark`, if known."""

    connection_id: int
    email: str
    mark: str


def count_own_events(connection: Connection) -> int:
    """Events in our calendar that the provider put there, as far as was read."""
    query = (
        sa.select(sa.func.count(GoogleEvent.id))
        .join(GoogleCalendar, GoogleCalendar.id == GoogleEvent.google_calendar_id)
        .where(
            GoogleCalendar.connection_id == connection.id,
            GoogleCalendar.is_app_calendar,
            GoogleEvent.recurring_event_id.is_(None),
        )
    )
    return db.session.scalar(query) or 0


def leave_behind(connection: Connection, *, nonce: str | None = None) -> None:
    """A calendar of ours stays in the account; the provider is told until they say it is gone.

    `nonce`: that of its mark, where it is not the connection's own.
    """
    removal = connection.removal or {}
    mark = end_of(nonce or connection.nonce)
    left = [*(each for each in removal.get("left_behind", []) if each != mark), mark]
    connection.removal = {**removal, "left_behind": left}


def left_behind(provider: Provider) -> list[LeftBehind]:
    """The calendars of ours that are still in an account and that only the provider can delete there."""
    rows = db.session.scalars(
        sa.select(Connection).where(Connection.provider_id == provider.id).order_by(Connection.id)
    )
    return [LeftBehind(row.id, row.email, mark) for row in rows for mark in _marks_left(row)]


def left_is_gone(provider: Provider, *, now: dt.datetime) -> bool:
    """The provider deleted in Google what we could not: no page reminds of it now. False: none did."""
    ids = {left.connection_id for left in left_behind(provider)}
    for row in db.session.scalars(sa.select(Connection).where(Connection.id.in_(ids))):
        gone: dict[str, Any] = {"left_behind": [], "leftover": None, "leftover_gone_at": now.isoformat()}
        row.removal = {**(row.removal or {}), **gone}
    return bool(ids)


def _marks_left(connection: Connection) -> list[str]:
    removal = connection.removal or {}
    return [*removal.get("left_behind", []), *([end_of(connection.nonce)] if removal.get("leftover") else [])]


def remember_own(connection: Connection) -> None:
    """The old calendar stays known as ours, so that it can never be chosen for import."""
    db.session.execute(
        sa.update(GoogleCalendar)
        .where(GoogleCalendar.connection_id == connection.id, GoogleCalendar.is_app_calendar)
        .values(is_app_calendar=False, is_chosen=False, why_not="app-calendar")
        .execution_options(synchronize_session="fetch")
    )
