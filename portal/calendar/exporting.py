"""A stretch of a provider's appointments as an iCalendar file, with clients named as they are outside."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa

from portal.extensions import db
from portal.ical.feed import FeedEntry, render_feed
from portal.localtime import start_of_day
from portal.models import Appointment, Provider
from portal.models.appointments import LIVE_STATUSES
from portal.practice import clients


def as_file(provider: Provider, first: dt.date, end: dt.date) -> bytes:
    """The live appointments that touch the days from `first` up to, not including, `end`."""
    rows = db.session.scalars(
        sa.select(Appointment)
        .where(
            Appointment.provider_id == provider.id,
            Appointment.archived_at.is_(None),
            Appointment.status.in_(LIVE_STATUSES),
            Appointment.starts_at < start_of_day(end, provider.timezone),
            Appointment.ends_at > start_of_day(first, provider.timezone),
        )
        .order_by(Appointment.starts_at, Appointment.id)
    ).all()
    titles = clients.titles_outside(provider, rows)
    return render_feed("Appointments", [_entry(row, titles[row.id]) for row in rows])


def _entry(row: Appointment, title: str) -> FeedEntry:
    return FeedEntry(
        uid=f"{row.public_id}-export",
        sequence=row.revision,
        updated_at=row.updated_at,
        summary=title,
        start=row.start_date if row.all_day else row.starts_at,
        end=row.end_date if row.all_day and row.end_date else row.ends_at,
        is_free=row.is_free,
    )
