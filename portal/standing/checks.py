"""What the doctor's lines are told from, gathered from the rows. Asks Google nothing: compare.py does."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from flask import current_app

from portal.config import Config
from portal.connection import choosing, current
from portal.extensions import db
from portal.feed import addresses, readers
from portal.google.oauth import CALENDAR_SCOPES
from portal.models import (
    Appointment,
    Checkup,
    Connection,
    EventLink,
    GoogleCalendar,
    GoogleEvent,
    LinkState,
    Provider,
    PushChannel,
)
from portal.rows import event_links, google_events
from portal.standing import duplicates, facts
from portal.sync import health, recurrence
from portal.sync.checkup import Checks, Line, examine
from portal.sync.health import ConnectionFacts, Story

FEED_READ_LATELY = dt.timedelta(days=2)
MOST_UNSENT = 8


def examine_provider(
    provider: Provider, *, now: dt.datetime
) -> tuple[ConnectionFacts, Story, Checks, tuple[Line, ...]]:
    """Everything the doctor's page and the support report say about one provider's sync."""
    known = facts.gather_facts(provider, now=now)
    story = health.tell(known, now=now)
    checks = gather(provider, current.live_connection(provider), now=now)
    return known, story, checks, examine(known, story, checks, now=now)


def gather(provider: Provider, connection: Connection | None, *, now: dt.datetime) -> Checks:
    """Count what the lines ask for."""
    old_reader = readers.old_feed_reader(provider, now=now)
    live_feed = addresses.live_feed(provider)
    reads = len(readers.reads_since(live_feed, now - FEED_READ_LATELY)) if live_feed else 0
    is_unreadable = live_feed is not None and not live_feed.token
    if connection is None:
        return Checks(feed_reads=reads, feed_unreadable=is_unreadable, old_feed_reads=1 if old_reader else 0)
    checkup = db.session.get(Checkup, connection.id)
    calendars = choosing.calendars(connection)
    chosen = [row for row in calendars if row.is_chosen]
    return Checks(
        missing_scopes=sum(scope not in connection.scopes.split() for scope in CALENDAR_SCOPES),
        chosen=len(chosen),
        stale=sum(row.stale_since is not None for row in chosen),
        lost=sum(row.why_not is not None or row.missing_since is not None for row in chosen),
        channels=live_channels(connection, now=now),
        watchable=sum(
            (row.is_chosen or row.is_app_calendar) and not row.is_poll_only and row.stale_since is None
            for row in calendars
        ),
        can_push=_can_push(),
        feed_reads=reads,
        feed_unreadable=is_unreadable,
        old_feed_reads=1 if old_reader else 0,
        own_feed_entries=sum(
            row.why_not == "own-feed" and row.listed_at == connection.calendars_listed_at for row in calendars
        ),
        duplicates=duplicates.find(connection, now=now),
        odd_zones=len(oddly_zoned(connection)),
        unsent=count_unsent(connection, now=now),
        compared_at=checkup.at if checkup else None,
        compare_error=checkup.error if checkup else None,
        differences=len(checkup.differences) if checkup else 0,
        with_guests=event_links.count_with_guests(connection.id),
        showing_old_names=count_old_names(connection),
    )


def live_channels(connection: Connection | None, *, now: dt.datetime) -> int:
    """How many calendars Google tells us about at the moment."""
    if connection is None:
        return 0
    return _number(
        sa.select(sa.func.count(sa.distinct(PushChannel.google_calendar_id))).where(
            PushChannel.connection_id == connection.id,
            PushChannel.stopped_at.is_(None),
            PushChannel.resource_id.is_not(None),
            PushChannel.expires_at > now,
        )
    )


def count_old_names(connection: Connection) -> int:
    """After stricter names: how many events in Google may still show the earlier ones."""
    if connection.tightened_at is None:
        return 0
    return _number(
        sa.select(sa.func.count(EventLink.id))
        .join(Appointment, Appointment.id == EventLink.appointment_id)
        .where(
            EventLink.connection_id == connection.id,
            EventLink.state == LinkState.LIVE,
            EventLink.settled != Appointment.revision,
        )
    )


def oddly_zoned(connection: Connection) -> list[GoogleEvent]:
    """Series with a left-out or extra date under a zone name that nobody knows, read as in their own zone."""
    masters = db.session.scalars(
        sa.select(GoogleEvent)
        .join(GoogleCalendar, GoogleCalendar.id == GoogleEvent.google_calendar_id)
        .where(
            GoogleCalendar.connection_id == connection.id,
            GoogleEvent.status != "cancelled",
            GoogleEvent.quarantine.is_(None),
            sa.cast(GoogleEvent.recurrence, sa.Text).icontains("TZID="),
        )
        .order_by(GoogleEvent.id)
    )
    return [row for row in masters if recurrence.odd_zones(google_events.event_value(row))]


def count_unsent(connection: Connection, *, now: dt.datetime) -> dict[str, int]:
    """Live appointments of the window that are not in Google as they should be, by reason."""
    rows = db.session.execute(
        sa.select(_REASON, sa.func.count(Appointment.id))
        .select_from(Appointment)
        .outerjoin(EventLink, EventLink.appointment_id == Appointment.id)
        .where(*event_links.going_out(connection, now=now), _IS_UNSENT)
        .group_by(_REASON)
    )
    return {reason: number for reason, number in rows}  # noqa: C416 (rows are not pairs to mypy)


def unsent(connection: Connection, *, now: dt.datetime) -> list[tuple[Appointment, str]]:
    """The next few of them, with the reason of each."""
    rows = db.session.execute(
        sa.select(Appointment, _REASON)
        .outerjoin(EventLink, EventLink.appointment_id == Appointment.id)
        .where(*event_links.going_out(connection, now=now), _IS_UNSENT)
        .order_by(_REASON, Appointment.starts_at)
        .limit(MOST_UNSENT)
    )
    return [(row[0], row[1]) for row in rows]


def _can_push() -> bool:
    config: Config = current_app.extensions["config"]
    return config.is_https or config.google_webhook_allow_http


def _number(query: sa.Select[int]) -> int:
    return db.session.scalar(query) or 0


_IS_UNSENT = sa.or_(
    EventLink.id.is_(None),
    EventLink.state != LinkState.LIVE,
    EventLink.held.is_not(None),
    event_links.refused(),
)
_REASON = sa.case(
    (EventLink.state == LinkState.HELD, "deleted-there"),
    (EventLink.held.is_not(None), "held"),
    (event_links.refused(), "refused"),
    else_="waiting",
)
