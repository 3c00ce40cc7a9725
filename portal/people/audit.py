"""Writing the audit log. Entries hold ids and codes, never a name, an address or a title."""

from __future__ import annotations

import datetime as dt

from portal.extensions import db
from portal.models import AuditEntry


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
