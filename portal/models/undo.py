"""What can still be taken back. A row holds earlier texts, so it is encrypted, and gone after its time."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from portal.columns import EncryptedText, UTCDateTime
from portal.extensions import Base


class UndoStep(Base):
    """One change of one provider, with everything it altered as it was before."""

    __tablename__ = "undo_step"

    id: Mapped[int] = mapped_column(primary_key=True)
    provider_id: Mapped[int] = mapped_column(sa.ForeignKey("provider.id"), index=True)
    at: Mapped[dt.datetime] = mapped_column(UTCDateTime)
    words: Mapped[str] = mapped_column(sa.String(300))  # what was done, without a name or a title
    tone: Mapped[str] = mapped_column(sa.String(10))  # good, warn
    before: Mapped[str | None] = mapped_column(EncryptedText, nullable=False)  # JSON; see practice/undo.py
