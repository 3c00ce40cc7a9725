"""The marks that a connection has work to do, left in the transaction that makes the work.

The queue reads them after the commit (jobs.py); if it loses one, the sweep finds the mark in the row.
"""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa

from portal.extensions import db
from portal.models import Connection

BEHIND = "connections_behind"  # in Session.info; jobs.py queues them after the commit


def note_change(provider_id: int, *, now: dt.datetime) -> None:
    """Something that goes out has changed: mark the provider's connection, if any, in this transaction.

    The job is queued only after the commit (jobs.py); if the queue loses it, the sweep finds the mark.
    """
    connection_id = db.session.scalar(
        sa.update(Connection)
        .where(Connection.provider_id == provider_id, Connection.ended_at.is_(None))
        .values(requested=Connection.requested + 1, changed_at=now)
        .returning(Connection.id)
        .execution_options(synchronize_session="fetch")
    )
    if connection_id is not None:
        db.session.info.setdefault(BEHIND, set()).add(connection_id)


def ask_for_pull(connection: Connection, *, now: dt.datetime) -> None:
    """Google may have news: look there in the next run, and begin that run soon."""
    connection.requested = Connection.requested + 1
    connection.next_check_at = now
    db.session.info.setdefault(BEHIND, set()).add(connection.id)
