"""Appointments, their series and their history. Sync never deletes a row of these."""

from __future__ import annotations

import datetime as dt
import enum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.columns import UTCDateTime, enum_column
from portal.extensions import Base
from portal.models.offers import AppointmentType
from portal.models.people import Client, Provider


class AppointmentKind(enum.StrEnum):
    """What an appointment is about; only OTHER has no client."""

    SESSION = "session"
    CONTACT = "contact"
    OTHER = "other"


class AppointmentStatus(enum.StrEnum):
    """Archived is not a status: it lies on top of any of these."""

    SCHEDULED = "scheduled"
    COMPLETED = "completed"
    CANCELED = "canceled"
    LATE_CANCELED = "late-canceled"
    NO_SHOW = "no-show"


LIVE_STATUSES = (AppointmentStatus.SCHEDULED, AppointmentStatus.COMPLETED)


class SeriesFrequency(enum.StrEnum):
    """How a series recurs."""

    WEEKLY = "weekly"
    MONTHLY = "monthly"


class AppointmentSeries(Base):
    """A recurring rule. Its instances are appointments, made on a rolling twelve-month horizon."""

    __tablename__ = "appointment_series"

    id: Mapped[int] = mapped_column(primary_key=True)
    provider_id: Mapped[int] = mapped_column(sa.ForeignKey("provider.id"), index=True)
    frequency: Mapped[SeriesFrequency] = mapped_column(enum_column(SeriesFrequency))
    every: Mapped[int] = mapped_column(default=1)  # each N weeks or months
    by_weekday: Mapped[bool] = mapped_column(default=False)  # monthly: "second Tuesday", not "the 10th"
    until: Mapped[dt.date | None]  # last date it may fall on
    occurrences: Mapped[int | None]  # how many in all
    start_date: Mapped[dt.date]  # the rule counts from here
    extended_until: Mapped[dt.date | None]  # instances exist up to and including this date
    created_at: Mapped[dt.datetime] = mapped_column(UTCDateTime)

    __table_args__ = (
        sa.CheckConstraint('"every" >= 1', name="every"),
        sa.CheckConstraint("until IS NULL OR occurrences IS NULL", name="one_end"),
    )


class Appointment(Base):
    """An entry that belongs to the portal.

    Truth is local: `start_date`, `start_time` and `timezone`. `starts_at` and `ends_at` are derived from them
    and indexed; those of an all-day entry are its zone's midnights, for look-up only.
    `revision` rises with everything that alters what goes out.
    """

    __tablename__ = "appointment"

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(sa.String(32), unique=True)  # opaque; the only id that leaves
    provider_id: Mapped[int] = mapped_column(sa.ForeignKey("provider.id"))
    client_id: Mapped[int | None] = mapped_column(sa.ForeignKey("client.id"), index=True)
    kind: Mapped[AppointmentKind] = mapped_column(enum_column(AppointmentKind))
    title: Mapped[str | None] = mapped_column(sa.String(200))  # of an OTHER event
    location: Mapped[str | None] = mapped_column(sa.String(200))
    is_free: Mapped[bool] = mapped_column(default=False)  # drawn and sent as not busy
    type_id: Mapped[int | None] = mapped_column(sa.ForeignKey("appointment_type.id"))

    all_day: Mapped[bool] = mapped_column(default=False)
    start_date: Mapped[dt.date]
    start_time: Mapped[dt.time | None]  # None when all-day
    duration_minutes: Mapped[int | None]  # None when all-day
    end_date: Mapped[dt.date | None]  # exclusive; all-day only
    timezone: Mapped[str] = mapped_column(sa.String(64))
    starts_at: Mapped[dt.datetime] = mapped_column(UTCDateTime)
    ends_at: Mapped[dt.datetime] = mapped_column(UTCDateTime)

    status: Mapped[AppointmentStatus] = mapped_column(
        enum_column(AppointmentStatus), default=AppointmentStatus.SCHEDULED
    )
    status_reason: Mapped[str | None] = mapped_column(sa.String(500))
    archived_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)
    revision: Mapped[int] = mapped_column(default=1)

    series_id: Mapped[int | None] = mapped_column(sa.ForeignKey("appointment_series.id"))
    original_date: Mapped[dt.date | None]  # which date of the series this instance is
    created_at: Mapped[dt.datetime] = mapped_column(UTCDateTime)
    updated_at: Mapped[dt.datetime] = mapped_column(UTCDateTime)

    provider: Mapped[Provider] = relationship()
    client: Mapped[Client | None] = relationship()
    series: Mapped[AppointmentSeries | None] = relationship()
    type: Mapped[AppointmentType | None] = relationship()

    __table_args__ = (
        sa.UniqueConstraint("series_id", "original_date"),
        sa.Index("ix_appointment_provider_starts", "provider_id", "starts_at"),
        sa.Index("ix_appointment_provider_ends", "provider_id", "ends_at"),
        sa.CheckConstraint("ends_at > starts_at", name="ends_after_start"),
        sa.CheckConstraint("(kind = 'other') = (client_id IS NULL)", name="client_by_kind"),
        sa.CheckConstraint(
            "(all_day AND start_time IS NULL AND duration_minutes IS NULL AND end_date > start_date)"
            " OR (NOT all_day AND start_time IS NOT NULL AND duration_minutes > 0 AND end_date IS NULL)",
            name="timed_or_all_day",
        ),
    )

    @property
    def is_live(self) -> bool:
        """Scheduled or completed, and not archived: it belongs in Google and in the feed."""
        return self.archived_at is None and self.status in LIVE_STATUSES


class AppointmentHistory(Base):
    """One change of one appointment: who, when, from where, and what it was before."""

    __tablename__ = "appointment_history"

    id: Mapped[int] = mapped_column(primary_key=True)
    appointment_id: Mapped[int] = mapped_column(sa.ForeignKey("appointment.id"), index=True)
    revision: Mapped[int]  # the revision this change made
    at: Mapped[dt.datetime] = mapped_column(UTCDateTime)
    provider_id: Mapped[int | None] = mapped_column(sa.ForeignKey("provider.id"))  # None: not a person here
    source: Mapped[str] = mapped_column(sa.String(16))  # web, google, command, system
    verb: Mapped[str] = mapped_column(sa.String(32))  # booked, rescheduled, canceled, ...
    before: Mapped[dict[str, Any]] = mapped_column(sa.JSON, default=dict)
    after: Mapped[dict[str, Any]] = mapped_column(sa.JSON, default=dict)

    provider: Mapped[Provider | None] = relationship()
