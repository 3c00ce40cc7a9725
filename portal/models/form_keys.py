"""The keys of forms that made something, so that a form sent twice makes one thing."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from portal.columns import UTCDateTime
from portal.extensions import Base


class FormKey(Base):
    """A key one provider's form was sent with, and where its answer led. The hashes tell nothing of it."""

    __tablename__ = "form_key"

    id: Mapped[int] = mapped_column(primary_key=True)
    provider_id: Mapped[int] = mapped_column(sa.ForeignKey("provider.id"))
    key: Mapped[str] = mapped_column(sa.String(64))  # SHA-256 of what stands in the form
    body_hash: Mapped[str] = mapped_column(sa.String(64))  # SHA-256 over key, address and fields
    answer: Mapped[str] = mapped_column(sa.Text)  # an address: ids and dates, no names
    said: Mapped[str] = mapped_column(sa.String(300))  # what the page that follows says, without a name
    created_at: Mapped[dt.datetime] = mapped_column(UTCDateTime, index=True)

    __table_args__ = (sa.UniqueConstraint("provider_id", "key", "body_hash"),)
