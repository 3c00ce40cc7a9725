"""Which connection a provider has, and how far it is."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa

from portal.extensions import db
from portal.models import Connection, ConnectionPhase, Provider
from portal.sync.modes import Link
from portal.sync.trouble import READABLE_AGAIN, RECONNECT, UNREADABLE

OFFERED_PHASES = frozenset({ConnectionPhase.CHOOSING, ConnectionPhase.PREVIEW})
RUNNING_PHASES = frozenset({ConnectionPhase.FIRST_SYNC, ConnectionPhase.ACTIVE})


def live_connection(provider: Provider) -> Connection | None:
    """The provider's connection, unless it has ended."""
    return db.session.scalar(
        sa.select(Connection).where(Connection.provider_id == provider.id, Connection.ended_at.is_(None))
    )


def last_ended(provider: Provider) -> Connection | None:
    """The connection that ended last; its `removal` is the receipt."""
    return db.session.scalar(
        sa.select(Connection)
        .where(Connection.provider_id == provider.id, Connection.ended_at.is_not(None))
        .order_by(Connection.ended_at.desc(), Connection.id.desc())
        .limit(1)
    )


def link_of(connection: Connection | None) -> Link:
    """How far the connection is, as modes see it."""
    if connection is None or connection.phase is ConnectionPhase.ENDED:
        return Link.NONE
    if connection.phase in OFFERED_PHASES:
        return Link.OFFERED
    return Link.REMOVING if connection.phase is ConnectionPhase.REMOVING else Link.RUNNING


def problem_of(connection: Connection) -> tuple[str | None, dt.datetime | None]:
    """What ails the connection as it is read now, and since when, if that is known.

    Without a readable grant nothing else matters. One that can be read here and could not in the last run is
    told as such until the next: the key is back, or the worker has other keys than this process.
    """
    was_unreadable = connection.problem_detail == UNREADABLE
    if connection.refresh_token is None:
        return UNREADABLE, connection.problem_since if was_unreadable else None
    return READABLE_AGAIN if was_unreadable else connection.problem, connection.problem_since


def hasten_readable(*, now: dt.datetime) -> int:
    """Let those be tried at once whose grant no key opened and this process can read. How many there are."""
    waiting = db.session.scalars(
        sa.select(Connection).where(
            Connection.ended_at.is_(None),
            Connection.problem == RECONNECT,
            Connection.problem_detail == UNREADABLE,
        )
    )
    readable = [connection for connection in waiting if connection.refresh_token is not None]
    for connection in readable:
        connection.retry_at = None
        connection.next_check_at = now
    return len(readable)


def clear_problem(connection: Connection) -> None:
    connection.problem = connection.problem_since = connection.problem_detail = None
    connection.failures = 0
    connection.retry_at = None
