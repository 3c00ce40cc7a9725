"""What somebody had typed when their sign-in ended. A row holds names and titles, so it is encrypted."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from portal.columns import EncryptedText, UTCDateTime
from portal.extensions import Base


class Draft(Base):
    """The fields of one form of one provider. `path` is where the form is sent: an address with ids only."""

    __tablename__ = "draft"

    id: Mapped[int] = mapped_column(primary_key=True)
    provider_id: Mapped[int] = mapped_column(sa.ForeignKey("provider.id"))
    path: Mapped[str] = mapped_column(sa.String(200))
    at: Mapped[dt.datetime] = mapped_column(UTCDateTime)
    fields: Mapped[str | None] = mapped_column(EncryptedText, nullable=False)  # JSON, an object of texts

    __table_args__ = (sa.UniqueConstraint("provider_id", "path"),)
