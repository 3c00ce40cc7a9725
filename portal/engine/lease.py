"""One run per connection: a lease row taken by compare-and-set, with a fencing number that only rises.

Whoever changes what a run relies on (mode, display, chosen calendars) raises the fencing number too; the run
then finds at its next commit that it may not go on.
"""

from __future__ import annotations

import datetime as dt
import secrets
from dataclasses import dataclass

import sqlalchemy as sa

from portal.errors import LeaseLost
from portal.extensions import db
from portal.models import Connection
from portal.rows import pausing

LEASE_SECONDS = 36  # after a kill another run writes within 45 s: the lease, a tick, a worker that begins
RENEW_BELOW_SECONDS = 30  # a request that begins now is over 5 s before the lease, and its commit too


@dataclass(slots=True)
class Lease:
    """Held by one run. `owner` is random, so that nobody mistakes another's lease for its own."""

    connection_id: int
    owner: str
    fencing: int
    expires_at: dt.datetime
    requested: int  # what was asked for until then; whatever comes later needs another look


def acquire(connection_id: int, *, now: dt.datetime) -> Lease | None:
    """Take the lease if it is free or has run out, and commit. None: it is held, or sync is paused."""
    owner = secrets.token_hex(16)
    expires_at = now + dt.timedelta(seconds=LEASE_SECONDS)
    taken = db.session.execute(
        sa.update(Connection)
        .where(
            Connection.id == connection_id,
            Connection.ended_at.is_(None),
            sa.or_(Connection.lease_owner.is_(None), Connection.lease_expires_at <= now),
            pausing.at_home(),
        )
        .values(
            lease_owner=owner, lease_expires_at=expires_at, fencing=Connection.fencing + 1, queued_at=None
        )
        .returning(Connection.fencing, Connection.requested)
        .execution_options(synchronize_session=False)
    ).one_or_none()
    db.session.commit()
    return None if taken is None else Lease(connection_id, owner, taken[0], expires_at, taken[1])


def renew(lease: Lease, *, now: dt.datetime) -> None:
    """Before every request: prolong and commit when less than 30 s remain. Raises LeaseLost."""
    if (lease.expires_at - now).total_seconds() >= RENEW_BELOW_SECONDS:
        return
    lease.expires_at = now + dt.timedelta(seconds=LEASE_SECONDS)
    _touch(lease)
    db.session.commit()


def guard(lease: Lease) -> None:
    """In each transaction of a run, just before its commit. Raises LeaseLost; then nothing is kept."""
    _touch(lease)


def release(lease: Lease) -> None:
    """Let the next run in, whether or not this one was fenced off, and commit."""
    db.session.execute(
        sa.update(Connection)
        .where(Connection.id == lease.connection_id, Connection.lease_owner == lease.owner)
        .values(lease_owner=None, lease_expires_at=None)
        .execution_options(synchronize_session=False)
    )
    db.session.commit()


def _touch(lease: Lease) -> None:
    """Write the lease's end where owner and fencing number match; the row stays locked to the commit."""
    touched = db.session.execute(
        sa.update(Connection)
        .where(
            Connection.id == lease.connection_id,
            Connection.lease_owner == lease.owner,
            Connection.fencing == lease.fencing,
        )
        .values(lease_expires_at=lease.expires_at)
        .execution_options(synchronize_session=False)
    )
    if touched.rowcount != 1:  # type: ignore[attr-defined]
        db.session.rollback()
        raise LeaseLost
