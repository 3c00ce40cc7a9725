"""What stands in Google twice, gathered for `sync/duplicates.py`: only dates that could have a double."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import load_only

from portal.calendar import occurrences
from portal.connection import choosing
from portal.extensions import db
from portal.models import (
    Appointment,
    Connection,
    EventLink,
    GoogleCalendar,
    GoogleEvent,
    GoogleOccurrence,
    LinkState,
)
from portal.practice import clients
from portal.rows import event_links
from portal.rows.parts import in_parts
from portal.sync.duplicates import Date, Duplicate, find_subscribed_twice, find_twice
from portal.sync.shown import READY_AHEAD

LOOKED_BACK = dt.timedelta(days=7)
LOOKED_AHEAD = READY_AHEAD
SERIES = sa.func.coalesce(GoogleEvent.recurring_event_id, GoogleEvent.event_id)
NEEDED = (  # of an appointment: what it is called outside, and when it is
    Appointment.kind,
    Appointment.client_id,
    Appointment.title,
    Appointment.is_free,
    Appointment.all_day,
    Appointment.start_date,
    Appointment.end_date,
    Appointment.timezone,
    Appointment.starts_at,
    Appointment.ends_at,
)


def find(connection: Connection, *, now: dt.datetime) -> tuple[Duplicate, ...]:
    """Everything of this account that is there twice, from the last week on, the next date first."""
    ours = _ours(connection, now=now)
    googles = _googles(connection, now=now, beside_ours=bool(ours))
    return (*find_twice([*ours, *googles], now=now), *_subscriptions(connection))


def _subscriptions(connection: Connection) -> list[Duplicate]:
    listed = choosing.offered_calendars(connection)
    return find_subscribed_twice({row.id: row.summary for row in listed if row.why_not == "subscription"})


def _ours(connection: Connection, *, now: dt.datetime) -> list[Date]:
    """Live events of ours at whose times something of Google's stands; of whole days every one."""
    is_met = sa.exists().where(
        GoogleOccurrence.provider_id == connection.provider_id,
        GoogleOccurrence.starts_at == Appointment.starts_at,
        GoogleOccurrence.ends_at == Appointment.ends_at,
    )
    rows = db.session.execute(
        sa.select(Appointment, EventLink.event_id)
        .options(load_only(*NEEDED))
        .join(EventLink, EventLink.appointment_id == Appointment.id)
        .where(
            *_live(connection, now=now),
            EventLink.connection_id == connection.id,
            EventLink.state == LinkState.LIVE,
            sa.or_(Appointment.all_day, is_met),
        )
    ).all()
    if not rows:
        return []
    titles = clients.titles_outside(connection.provider, [row[0] for row in rows])
    return [_our_date(row[0], row[1], titles[row[0].id]) for row in rows]


def _live(connection: Connection, *, now: dt.datetime) -> tuple[sa.ColumnElement[bool], ...]:
    """The appointments of the stretch that belong in Google."""
    return (
        *event_links.going_out(connection, now=now),
        Appointment.ends_at > now - LOOKED_BACK,
        Appointment.starts_at < now + LOOKED_AHEAD,
    )


def _our_date(appointment: Appointment, event_id: str, title: str) -> Date:
    start, end = appointment.starts_at, appointment.ends_at
    if appointment.all_day:
        content = event_links.content_of(appointment, title)
        start, end = content.start.instant, content.end.instant  # midnights of UTC, as Google's
    return Date(
        record=appointment.id,
        calendar=0,
        starts_at=start,
        ends_at=end,
        all_day=appointment.all_day,
        summary=title,
        is_ours=True,
        series=event_id,
    )


def _googles(connection: Connection, *, now: dt.datetime, beside_ours: bool) -> list[Date]:
    """Dates of Google's that take time and begin with another or with ours, or stand in two calendars."""
    shown = _shown(connection, now=now)
    begins = GoogleOccurrence.starts_at
    candidates = [
        GoogleOccurrence.all_day,
        begins.in_(_repeated_starts(shown)),
        GoogleEvent.ical_uid.in_(_shared_uids(connection)),
    ]
    if beside_ours:
        candidates.append(begins.in_(_our_starts(connection, now=now)))
    rows = db.session.execute(
        _of_google(
            GoogleEvent.id.label("record"),
            GoogleEvent.google_calendar_id.label("calendar"),
            begins,
            GoogleOccurrence.ends_at,
            GoogleOccurrence.all_day,
            GoogleEvent.summary,
            SERIES.label("series"),
            GoogleOccurrence.occurrence_key.label("original_start"),
            GoogleEvent.ical_uid,
            GoogleEvent.html_link,
        ).where(*shown, sa.or_(*candidates))
    ).mappings()
    dates = [Date(**row) for row in rows]
    counts = _count_dates({date.series for date in dates if not date.is_single}, shown)
    return [replace(date, dates=counts.get(date.unit, 1)) for date in dates]


def _shown(connection: Connection, *, now: dt.datetime) -> tuple[sa.ColumnElement[bool], ...]:
    """What pages show of the stretch, and what takes time."""
    return (
        GoogleCalendar.connection_id == connection.id,
        GoogleOccurrence.provider_id == connection.provider_id,
        GoogleOccurrence.ends_at > now - LOOKED_BACK,
        GoogleOccurrence.starts_at < now + LOOKED_AHEAD,
        GoogleEvent.transparency != "transparent",
        *occurrences.is_shown(),
    )


def _of_google(*columns: Any) -> Any:
    return (
        sa.select(*columns)
        .select_from(GoogleOccurrence)
        .join(GoogleEvent, GoogleEvent.id == GoogleOccurrence.google_event_id)
        .join(GoogleCalendar, GoogleCalendar.id == GoogleEvent.google_calendar_id)
        .join(Connection, Connection.id == GoogleCalendar.connection_id)
    )


def _repeated_starts(shown: Iterable[sa.ColumnElement[bool]]) -> Any:
    """When two begin that are alike but for blanks; whether they say the same is judged later."""
    text = sa.func.replace(GoogleEvent.summary, " ", "")
    alike = (GoogleOccurrence.starts_at, GoogleOccurrence.ends_at, text)
    return (
        _of_google(GoogleOccurrence.starts_at)
        .where(*shown)
        .group_by(*alike)
        .having(sa.func.count(GoogleOccurrence.id) > 1)
    )


def _our_starts(connection: Connection, *, now: dt.datetime) -> sa.Select[dt.datetime]:
    return sa.select(Appointment.starts_at).where(*_live(connection, now=now))


def _count_dates(
    series: Iterable[str], shown: Iterable[sa.ColumnElement[bool]]
) -> dict[tuple[int, str], int]:
    """How many dates each of these series has in the stretch, by its calendar and its id."""
    counts: dict[tuple[int, str], int] = {}
    for some in in_parts(sorted(series)):
        calendar = GoogleEvent.google_calendar_id
        is_of_these = sa.or_(GoogleEvent.event_id.in_(some), GoogleEvent.recurring_event_id.in_(some))
        rows = db.session.execute(
            _of_google(calendar, SERIES, sa.func.count())
            .where(*shown, is_of_these)
            .group_by(calendar, SERIES)
        )
        counts |= {(row[0], row[1]): row[2] for row in rows}
    return counts


def _shared_uids(connection: Connection) -> sa.Select[str | None]:
    """UIDs that stand in more than one calendar of the account."""
    return (
        sa.select(GoogleEvent.ical_uid)
        .join(GoogleCalendar, GoogleCalendar.id == GoogleEvent.google_calendar_id)
        .where(GoogleCalendar.connection_id == connection.id, GoogleEvent.ical_uid.is_not(None))
        .group_by(GoogleEvent.ical_uid)
        .having(sa.func.count(sa.distinct(GoogleEvent.google_calendar_id)) > 1)
    )
