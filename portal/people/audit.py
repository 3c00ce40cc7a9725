"""Writing the audit log, and trimming it. Entries hold ids and codes, never a name, an address or a title."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence

import sqlalchemy as sa

from portal.extensions import db
from portal.models import AuditEntry, AuditRule

PAGE = 1000  # entries that are read, or deleted, at once


def record(
    action: str,
    *,
    now: dt.datetime,
    provider_id: int | None,
    object_kind: str | None = None,
    object_id: int | None = None,
    outcome: str = "done",
    address: str | None = None,
) -> None:
    """Add one entry to the session; the edge commits it together with what it tells of."""
    db.session.add(
        AuditEntry(
            at=now,
            provider_id=provider_id,
            action=action,
            object_kind=object_kind,
            object_id=object_id,
            outcome=outcome,
            address=address,
        )
    )


def keep_for(days: int) -> None:
    """Tell the database's triggers how long entries are kept. Below a year it refuses."""
    rule = db.session.get(AuditRule, 1)
    if rule is None:
        db.session.add(AuditRule(id=1, keep_days=days))
    else:
        rule.keep_days = days


def entries_before(instant: dt.datetime) -> Iterator[AuditEntry]:
    """Every entry from before this instant, in the order in which they were written."""
    last = 0
    while page := db.session.scalars(
        sa.select(AuditEntry)
        .where(AuditEntry.at < instant, AuditEntry.id > last)
        .order_by(AuditEntry.id)
        .limit(PAGE)
    ).all():
        yield from page
        last = page[-1].id
        db.session.expunge_all()  # years of entries need not stand in memory together


def delete(ids: Sequence[int]) -> int:
    """Delete these entries, at most `PAGE`; how many were there. The trigger refuses a young one."""
    gone = db.session.execute(sa.delete(AuditEntry).where(AuditEntry.id.in_(ids)).returning(AuditEntry.id))
    return len(gone.all())
