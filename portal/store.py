"""Rows to sync values and back, and the marks that say that a connection has work to do."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa

from portal.extensions import db
from portal.models import Connection

BEHIND = "connections_behind"  # in Session.info; jobs.py queues them after the commit


def note_change(provider_id: int, *, now: dt.datetime) -> None:
    """Something that goes out has changed: mark the provider's connection, if there is one, in this transaction.

    The job is queued only after the commit (jobs.py); if the queue loses it, the sweep finds the mark.
    """
    connection_id = db.session.scalar(
        sa.update(Connection)
        .where(Connection.provider_id == provider_id, Connection.ended_at.is_(None))
        .values(requested=Connection.requested + 1, changed_at=now)
        .returning(Connection.id)
        .execution_options(synchronize_session=False)
    )
    if connection_id is not None:
        db.session.info.setdefault(BEHIND, set()).add(connection_id)
