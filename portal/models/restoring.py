"""What deploy/restore leaves in a database that it put back."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from portal.extensions import Base


class RestoreMark(Base):
    """A backup was put back. While a row stands here nothing is sent (rows/pausing.py).

    deploy/restore makes the table itself, whatever schema the backup has: plain texts, ISO 8601 in UTC.
    """

    __tablename__ = "restore_mark"

    restored_at: Mapped[str] = mapped_column(sa.String(32), primary_key=True)
    backup_made_at: Mapped[str] = mapped_column(sa.String(32))
