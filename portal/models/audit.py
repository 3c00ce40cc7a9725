"""The audit log: append-only, and without a word about a person."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from portal.columns import UTCDateTime
from portal.extensions import Base


class AuditEntry(Base):
    """Who did what to which object, when, from where. Triggers refuse UPDATE, and DELETE of a young one."""

    __tablename__ = "audit_entry"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[dt.datetime] = mapped_column(UTCDateTime, index=True)
    provider_id: Mapped[int | None] = mapped_column(sa.ForeignKey("provider.id"))
    action: Mapped[str] = mapped_column(sa.String(64))  # "client.read", "sync.connected", ...
    object_kind: Mapped[str | None] = mapped_column(sa.String(32))
    object_id: Mapped[int | None]
    outcome: Mapped[str] = mapped_column(sa.String(16), default="done")
    address: Mapped[str | None] = mapped_column(sa.String(45))  # the client's IP address


class AuditRule(Base):
    """How long entries are kept, exactly one row. The trigger reads it here; never less than a year."""

    __tablename__ = "audit_rule"

    id: Mapped[int] = mapped_column(primary_key=True)
    keep_days: Mapped[int]

    __table_args__ = (
        sa.CheckConstraint("id = 1", name="only_one"),
        sa.CheckConstraint("keep_days BETWEEN 365 AND 36500", name="years"),
    )
