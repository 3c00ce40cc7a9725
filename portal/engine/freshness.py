"""When a connection looks at Google next, and when it reads everything anew."""

from __future__ import annotations

import datetime as dt
import hashlib
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from portal.columns import UTCDateTime
from portal.engine import channels, own_events
from portal.engine.pull import begin_generation
from portal.engine.run import Run
from portal.extensions import db
from portal.models import Connection, GoogleCalendar, Provider
from portal.sync.trouble import poll_seconds

WATCHED_AFTER_CHANGE = dt.timedelta(minutes=10)
WATCHED_WHILE_OPEN = dt.timedelta(minutes=2)
# Everything is read anew in the small hours of the provider's zone, never for all of them at once
NIGHT_BEGINS_MINUTE = 60
NIGHT_MINUTES = 300


def plan_next_check(run: Run, *, poll: int) -> None:
    """After a pull: say when to look again. What was asked for meanwhile is kept, and wants a look at once.

    One statement, judged on the row as it is when it is written: a message may be taken at this very moment.
    """
    connection, now = run.connection, run.now
    wait = poll_seconds(
        poll=poll,
        is_watched=is_watched(connection, now=now),
        is_push_proven=channels.are_proven(connection, now=now),
    )
    later = sa.literal(now + dt.timedelta(seconds=wait), UTCDateTime)
    at_once = sa.literal(now, UTCDateTime)
    db.session.execute(
        sa.update(Connection)
        .where(Connection.id == run.connection_id)
        .values(next_check_at=sa.case((Connection.requested > run.lease.requested, at_once), else_=later))
        .execution_options(synchronize_session=False)
    )


def is_watched(connection: Connection, *, now: dt.datetime) -> bool:
    """Whether somebody has a page open, or something changed lately on either side."""
    seen, changed = connection.provider.page_seen_at, connection.changed_at
    return bool(
        (seen and now - seen < WATCHED_WHILE_OPEN) or (changed and now - changed < WATCHED_AFTER_CHANGE)
    )


def hasten_watched(*, now: dt.datetime, poll: int) -> None:
    """Bring forward the next look of those who have begun to be watched since the last one."""
    has_page_open = Connection.provider_id.in_(
        sa.select(Provider.id).where(Provider.page_seen_at > now - WATCHED_WHILE_OPEN)
    )
    db.session.execute(
        sa.update(Connection)
        .where(
            Connection.next_check_at > now,
            Connection.last_pulled_at <= now - dt.timedelta(seconds=poll),
            sa.or_(has_page_open, Connection.changed_at > now - WATCHED_AFTER_CHANGE),
        )
        .values(next_check_at=now)
        .execution_options(synchronize_session=False)
    )


def begin_verification(run: Run) -> None:
    """Once a night, begin every calendar anew, all in one transaction; runs go on from wherever they were.

    What was agreed on our own events is held against the rows here too, since no list tells of that. Asked
    before each pull, so that a missed or a doubled tick makes no difference.
    """
    connection, now = run.connection, run.now
    minute = verification_minute(run.practice.installation, connection.id)
    due_at = latest_at(minute, zone=connection.provider.zone, now=now)
    if connection.verified_at is not None and connection.verified_at >= due_at:
        return
    if connection.last_pulled_at is not None:  # the first sync reads everything anyway
        is_read = sa.or_(GoogleCalendar.is_chosen, GoogleCalendar.is_app_calendar)
        where = (GoogleCalendar.connection_id == connection.id, is_read)
        for calendar in db.session.scalars(sa.select(GoogleCalendar).where(*where)):
            begin_generation(calendar)
        own_events.mark_drift(run)
        run.counts["verified"] += 1
    connection.verified_at = now
    run.commit()


def verification_minute(installation: str, connection_id: int) -> int:
    """The connection's own minute of the day: at random, and always the same."""
    digest = hashlib.sha256(f"verify {installation} {connection_id}".encode()).digest()
    return NIGHT_BEGINS_MINUTE + int.from_bytes(digest[:4]) % NIGHT_MINUTES


def latest_at(minute: int, *, zone: ZoneInfo, now: dt.datetime) -> dt.datetime:
    """The last time at or before `now` that clocks in `zone` showed this minute of the day."""
    today = now.astimezone(zone).date()
    wall = dt.time(minute // 60, minute % 60)
    for date in (today, today - dt.timedelta(days=1)):
        at = dt.datetime.combine(date, wall, zone).astimezone(dt.UTC)
        if at <= now:
            return at
    return at
