"""Keeping the account's list of calendars: roles lost, names changed, calendars gone and back again."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa

from portal.connection import choosing
from portal.engine.run import Run
from portal.extensions import db
from portal.google.answers import CalendarEntry
from portal.models import GoogleCalendar
from portal.rows import google_events

LISTED_EVERY = dt.timedelta(minutes=10)  # also the least distance of the two listings that must both miss it
RESTORED_WITHIN = dt.timedelta(days=30)


def refresh(run: Run) -> None:
    """List the calendars if that was not done lately. Raises CalendarError, and then nothing is concluded."""
    connection = run.connection
    if connection.calendars_listed_at and run.now - connection.calendars_listed_at < LISTED_EVERY:
        return
    entries = run.google.list_calendars()
    own = choosing.own_calendars(run.connection)
    rows = {row.calendar_id: row for row in choosing.calendars(run.connection)}
    now = run.now
    for entry in entries:
        address = choosing.address_of(entry)
        row = rows.pop(address, None)
        if row is None:
            row = GoogleCalendar(
                connection_id=run.connection_id, calendar_id=address, is_primary=entry.is_primary
            )
            db.session.add(row)
        _note_listed(row, entry, choosing.why_not(entry, own), now=now)
    for row in rows.values():
        _note_missing(row, now=now)
    run.connection.calendars_listed_at = now
    run.commit()


def readable(connection_id: int) -> list[GoogleCalendar]:
    """The calendars to read: ours first, since its news may concern appointments, then the chosen ones."""
    chosen = sa.and_(
        GoogleCalendar.is_chosen, GoogleCalendar.why_not.is_(None), GoogleCalendar.missing_since.is_(None)
    )
    return list(
        db.session.scalars(
            sa.select(GoogleCalendar)
            .where(
                GoogleCalendar.connection_id == connection_id,
                sa.or_(chosen, GoogleCalendar.is_app_calendar),
            )
            .order_by(GoogleCalendar.is_app_calendar.desc(), GoogleCalendar.id)
        )
    )


def _note_listed(row: GoogleCalendar, entry: CalendarEntry, why_not: str | None, *, now: dt.datetime) -> None:
    """There it is: under its name of today, with its role of today."""
    row.summary, row.access_role = entry.summary[:500], entry.access_role[:40]
    row.listed_at = now
    if row.missing_since is not None:
        row.missing_since = row.hidden_since = None
    if not row.is_app_calendar:
        row.why_not = why_not
    if row.is_chosen and why_not is not None:
        row.stale_since = row.stale_since or now


def _note_missing(row: GoogleCalendar, *, now: dt.datetime) -> None:
    """Not listed: stale at once, hidden when a second listing misses it too, forgotten after a month."""
    if row.is_app_calendar or not row.is_chosen:
        return
    row.stale_since = row.stale_since or now
    if row.missing_since is None:
        row.missing_since = now
    elif row.hidden_since is None and now - row.missing_since >= LISTED_EVERY:
        row.hidden_since = now
    elif row.hidden_since is not None and now - row.hidden_since > RESTORED_WITHIN:
        google_events.delete_calendar_events(row.id)
        row.is_chosen = False
