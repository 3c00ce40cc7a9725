"""One short text that changes whenever a calendar page would: what open pages ask for every few seconds."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import sqlalchemy as sa

from portal.extensions import db
from portal.models import Appointment, Connection, GoogleCalendar, GoogleEvent, GoogleOccurrence


def version_of(provider_ids: Sequence[int]) -> str:
    """Of the calendars of these providers, in one statement. It tells nothing but that something changed."""
    google = (
        sa.select()
        .select_from(GoogleEvent)
        .join(GoogleCalendar, GoogleEvent.google_calendar_id == GoogleCalendar.id)
        .join(Connection, GoogleCalendar.connection_id == Connection.id)
        .where(Connection.provider_id.in_(provider_ids), Connection.ended_at.is_(None))
    )
    booked = sa.select().where(Appointment.provider_id.in_(provider_ids))
    occurring = sa.select().where(GoogleOccurrence.provider_id.in_(provider_ids))
    parts = (
        booked.with_only_columns(sa.func.count(Appointment.id)),
        booked.with_only_columns(sa.func.max(Appointment.updated_at)),
        occurring.with_only_columns(sa.func.count(GoogleOccurrence.id)),
        occurring.with_only_columns(sa.func.max(GoogleOccurrence.id)),
        google.with_only_columns(sa.func.max(GoogleEvent.updated)),
        google.with_only_columns(sa.func.count(GoogleCalendar.stale_since)),
        google.with_only_columns(sa.func.count(GoogleCalendar.hidden_since)),
    )
    row = db.session.execute(sa.select(*(part.scalar_subquery() for part in parts))).one()
    return hashlib.sha256("\x1f".join(map(str, row)).encode()).hexdigest()[:16]
