"""The audit log: append-only, and without a word about a person."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from portal.columns import UTCDateTime
from portal.extensions import Base


class AuditEntry(Base):
    """Who did what to which object, when, from where. Triggers refuse UPDATE and DELETE."""

    __tablename__ = "audit_entry"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[dt.datetime] = mapped_column(UTCDateTime, index=True)
    provider_id: Mapped[int | None] = mapped_column(sa.ForeignKey("provider.id"))
    action: Mapped[str] = mapped_column(sa.String(64))  # "client.read", "sync.connected", ...
    object_kind: Mapped[str | None] = mapped_column(sa.String(32))
    object_id: Mapped[int | None]
    outcome: Mapped[str] = mapped_column(sa.String(16), default="done")
    address: Mapped[str | None] = mapped_column(sa.String(45))  # the client's IP address
