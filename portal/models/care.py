"""Looking after a sync: what a comparison with Google found, and the mails that were sent about it."""

from __future__ import annotations

import datetime as dt
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.columns import UTCDateTime
from portal.extensions import Base
from portal.models.people import Provider


class Checkup(Base):
    """The last whole comparison of a connection with Google. Dates, ids and codes; never a title."""

    __tablename__ = "checkup"

    connection_id: Mapped[int] = mapped_column(
        sa.ForeignKey("connection.id"), primary_key=True, autoincrement=False
    )
    at: Mapped[dt.datetime] = mapped_column(UTCDateTime)
    error: Mapped[str | None] = mapped_column(sa.String(64))  # why Google could not be read, as a code
    # By date: how many entries there are, and how many differ
    days: Mapped[dict[str, list[int]]] = mapped_column(sa.JSON, default=dict)
    differences: Mapped[list[dict[str, Any]]] = mapped_column(sa.JSON, default=list)
    with_guests: Mapped[int] = mapped_column(default=0)  # events of ours that have guests in Google


class CheckRequest(Base):
    """A whole comparison that was asked for, until its outcome is a `Checkup`. Counts, ids and codes."""

    __tablename__ = "check_request"

    connection_id: Mapped[int] = mapped_column(
        sa.ForeignKey("connection.id"), primary_key=True, autoincrement=False
    )
    asked_at: Mapped[dt.datetime] = mapped_column(UTCDateTime)
    queued_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)
    runner: Mapped[str | None] = mapped_column(sa.String(32))  # the job at work on it
    alive_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)  # its last sign of life
    tries: Mapped[int] = mapped_column(default=0)  # jobs that took it up
    total: Mapped[int] = mapped_column(default=0)  # calendars
    done: Mapped[list[int]] = mapped_column(sa.JSON, default=list)  # of these, our rows' ids
    # What was found so far, as in a Checkup: a job that ends early is gone on with, not begun anew
    days: Mapped[dict[str, list[int]]] = mapped_column(sa.JSON, default=dict)
    differences: Mapped[list[dict[str, Any]]] = mapped_column(sa.JSON, default=list)
    with_guests: Mapped[int] = mapped_column(default=0)


class Mail(Base):
    """One mail to a provider about their sync, sent once. Without SMTP_URL the owner reads it in the app."""

    __tablename__ = "mail"

    id: Mapped[int] = mapped_column(primary_key=True)
    provider_id: Mapped[int] = mapped_column(sa.ForeignKey("provider.id"))
    reason: Mapped[str] = mapped_column(sa.String(40))
    since: Mapped[dt.datetime] = mapped_column(UTCDateTime)  # when the trouble began that it tells of
    day: Mapped[int]  # of that trouble: 0, 3, 7, 14
    created_at: Mapped[dt.datetime] = mapped_column(UTCDateTime)
    recipient: Mapped[str] = mapped_column(sa.String(254))
    subject: Mapped[str] = mapped_column(sa.String(200))
    body: Mapped[str] = mapped_column(sa.Text)
    sent_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)
    error: Mapped[str | None] = mapped_column(sa.String(64))
    tries: Mapped[int] = mapped_column(default=0)

    provider: Mapped[Provider] = relationship()

    __table_args__ = (sa.UniqueConstraint("provider_id", "reason", "since", "day"),)
