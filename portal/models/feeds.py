"""The one-way feed: its address, and who reads it."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.columns import EncryptedText, UTCDateTime
from portal.extensions import Base
from portal.models.people import Provider


class Feed(Base):
    """One feed URL. Looked up by the token's SHA-256; the token is kept encrypted, to be shown again."""

    __tablename__ = "feed"

    id: Mapped[int] = mapped_column(primary_key=True)
    provider_id: Mapped[int] = mapped_column(sa.ForeignKey("provider.id"))
    token_hash: Mapped[str] = mapped_column(sa.String(64), unique=True)
    token: Mapped[str | None] = mapped_column(EncryptedText, nullable=False)  # None: no key opens it
    mark: Mapped[str] = mapped_column(sa.String(4))  # stands in the calendar's name, to know it again
    created_at: Mapped[dt.datetime] = mapped_column(UTCDateTime)
    replaced_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)  # from then on it is empty

    provider: Mapped[Provider] = relationship()

    __table_args__ = (
        sa.Index(
            "uq_feed_live_provider",
            "provider_id",
            unique=True,
            sqlite_where=sa.text("replaced_at IS NULL"),
            postgresql_where=sa.text("replaced_at IS NULL"),
        ),
    )


class FeedRead(Base):
    """One fetch of a feed: when, by which kind of reader, and what it got."""

    __tablename__ = "feed_read"

    id: Mapped[int] = mapped_column(primary_key=True)
    feed_id: Mapped[int] = mapped_column(sa.ForeignKey("feed.id"))
    at: Mapped[dt.datetime] = mapped_column(UTCDateTime)
    reader: Mapped[str] = mapped_column(sa.String(40))  # a family: google, apple, outlook, other
    status: Mapped[int]

    __table_args__ = (sa.Index("ix_feed_read_feed", "feed_id", "at"),)
