"""What is so with a provider's sync, gathered from the rows: what every surface tells its story from."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa

from portal.connection import current
from portal.extensions import db
from portal.models import (
    Appointment,
    ChangeCard,
    Connection,
    EventLink,
    GoogleCalendar,
    GoogleEvent,
    LinkState,
    Practice,
    Provider,
)
from portal.rows import event_links, google_events, pausing
from portal.sync.health import ConnectionFacts, Counts


def gather_facts(provider: Provider, *, now: dt.datetime, with_counts: bool = True) -> ConnectionFacts:
    """Everything the story of this provider's sync is told from; without counts it is one query."""
    is_theirs = sa.and_(Connection.provider_id == provider.id, Connection.ended_at.is_(None))
    found = db.session.execute(
        sa.select(Connection, *pausing.STANDING).select_from(Practice).outerjoin(Connection, is_theirs)
    ).one()
    connection, is_paused = found[0], pausing.judge(found) is not None
    if connection is None:
        return ConnectionFacts(mode=provider.sync_mode.value, is_paused=is_paused)
    problem, since = current.problem_of(connection)
    return ConnectionFacts(
        mode=provider.sync_mode.value,
        is_paused=is_paused,
        phase=connection.phase.value,
        email=connection.email,
        problem=problem,
        problem_detail=connection.problem_detail,
        problem_since=since,
        retry_at=connection.retry_at,
        failures=connection.failures,
        last_pushed_at=connection.last_pushed_at,
        last_pulled_at=connection.last_pulled_at,
        next_check_at=connection.next_check_at,
        progress_done=connection.progress_done,
        progress_total=connection.progress_total,
        counts=count(connection, now=now) if with_counts else Counts(),
    )


def count(connection: Connection, *, now: dt.datetime) -> Counts:
    """The numbers of a connection, each by its own query."""
    return Counts(
        live=_number(
            sa.select(sa.func.count(Appointment.id)).where(*event_links.going_out(connection, now=now))
        ),
        linked=_number(_links(connection).where(EventLink.state == LinkState.LIVE)),
        behind=event_links.count_behind(connection),
        google_events=google_events.count_shown(_calendar_ids(connection), now=now),
        quarantined=_number(_events(connection).where(GoogleEvent.quarantine.is_not(None))),
        held=_number(_links(connection).where(EventLink.state == LinkState.HELD)),
        cards=_number(
            sa.select(sa.func.count(ChangeCard.id)).where(
                ChangeCard.connection_id == connection.id,
                ChangeCard.closed_at.is_(None),
                ChangeCard.needs_answer,
            )
        ),
    )


def _links(connection: Connection) -> sa.Select[int]:
    return sa.select(sa.func.count(EventLink.id)).where(EventLink.connection_id == connection.id)


def _events(connection: Connection) -> sa.Select[int]:
    return (
        sa.select(sa.func.count(GoogleEvent.id))
        .join(GoogleCalendar, GoogleCalendar.id == GoogleEvent.google_calendar_id)
        .where(GoogleCalendar.connection_id == connection.id)
    )


def _calendar_ids(connection: Connection) -> list[int]:
    rows = db.session.scalars(
        sa.select(GoogleCalendar.id).where(
            GoogleCalendar.connection_id == connection.id, GoogleCalendar.hidden_since.is_(None)
        )
    )
    return list(rows)


def _number(query: sa.Select[int]) -> int:
    return db.session.scalar(query) or 0
