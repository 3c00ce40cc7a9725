"""What stands in Google twice, gathered for `sync/duplicates.py`: only dates that could have a double."""

from __future__ import annotations

import datetime as dt
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
from portal.sync.duplicates import Date, Duplicate, find_subscribed_twice, find_twice
from portal.sync.shown import READY_AHEAD

LOOKED_BACK = dt.timedelta(days=7)
LOOKED_AHEAD = READY_AHEAD
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
    dates = [*_ours(connection, now=now), *_googles(connection, now=now)]
    return (*find_twice(dates, now=now), *_subscriptions(connection))


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
            *event_links.going_out(connection, now=now),
            EventLink.connection_id == connection.id,
            EventLink.state == LinkState.LIVE,
            Appointment.ends_at > now - LOOKED_BACK,
            Appointment.starts_at < now + LOOKED_AHEAD,
            sa.or_(Appointment.all_day, is_met),
        )
    ).all()
    if not rows:
        return []
    titles = clients.titles_outside(connection.provider, [row[0] for row in rows])
    return [_our_date(row[0], row[1], titles[row[0].id]) for row in rows]


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


def _googles(connection: Connection, *, now: dt.datetime) -> list[Date]:
    """Dates of Google's that take time and meet another, or one of ours, or stand in two calendars."""
    standing = _standing(connection, now=now).subquery()
    own = sa.exists().where(
        Appointment.provider_id == connection.provider_id,
        Appointment.starts_at == standing.c.starts_at,
        Appointment.ends_at == standing.c.ends_at,
    )
    rows = db.session.execute(
        sa.select(standing).where(
            sa.or_(
                standing.c.at_once > 1,
                standing.c.all_day,
                standing.c.ical_uid.in_(_shared_uids(connection)),
                own,
            )
        )
    ).mappings()
    return [Date(**{name: value for name, value in row.items() if name != "at_once"}) for row in rows]


def _standing(connection: Connection, *, now: dt.datetime) -> sa.Select[*tuple[Any, ...]]:
    """Every date of the stretch that is shown and takes time, as the columns of a `Date`."""
    series = sa.func.coalesce(GoogleEvent.recurring_event_id, GoogleEvent.event_id)
    text = sa.func.replace(
        GoogleEvent.summary, " ", ""
    )  # takes more for alike than is: what is, is judged later
    at_once = sa.func.count().over(partition_by=[GoogleOccurrence.starts_at, GoogleOccurrence.ends_at, text])
    return (
        sa.select(
            GoogleEvent.id.label("record"),
            GoogleEvent.google_calendar_id.label("calendar"),
            GoogleOccurrence.starts_at,
            GoogleOccurrence.ends_at,
            GoogleOccurrence.all_day,
            GoogleEvent.summary,
            series.label("series"),
            sa.func.count().over(partition_by=[GoogleEvent.google_calendar_id, series]).label("dates"),
            GoogleOccurrence.occurrence_key.label("original_start"),
            GoogleEvent.ical_uid,
            GoogleEvent.html_link,
            at_once.label("at_once"),
        )
        .join(GoogleEvent, GoogleEvent.id == GoogleOccurrence.google_event_id)
        .join(GoogleCalendar, GoogleCalendar.id == GoogleEvent.google_calendar_id)
        .join(Connection, Connection.id == GoogleCalendar.connection_id)
        .where(
            GoogleCalendar.connection_id == connection.id,
            GoogleOccurrence.provider_id == connection.provider_id,
            GoogleOccurrence.ends_at > now - LOOKED_BACK,
            GoogleOccurrence.starts_at < now + LOOKED_AHEAD,
            GoogleEvent.transparency != "transparent",
            *occurrences.is_shown(),
        )
    )


def _shared_uids(connection: Connection) -> sa.Select[str | None]:
    """UIDs that stand in more than one calendar of the account."""
    return (
        sa.select(GoogleEvent.ical_uid)
        .join(GoogleCalendar, GoogleCalendar.id == GoogleEvent.google_calendar_id)
        .where(GoogleCalendar.connection_id == connection.id, GoogleEvent.ical_uid.is_not(None))
        .group_by(GoogleEvent.ical_uid)
        .having(sa.func.count(sa.distinct(GoogleEvent.google_calendar_id)) > 1)
    )
