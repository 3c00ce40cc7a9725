"""What the practice offers: the places it works in, and the kinds of appointment with their usual length."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from portal.columns import UTCDateTime
from portal.extensions import Base


class Location(Base):
    """A place to choose in the form and to filter by. An appointment keeps its place as text."""

    __tablename__ = "location"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(200), unique=True)
    archived_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)


class AppointmentType(Base):
    """A name and a usual length, such as "Intake, 80 minutes"."""

    __tablename__ = "appointment_type"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(100), unique=True)
    minutes: Mapped[int]
    archived_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)

    __table_args__ = (sa.CheckConstraint("minutes BETWEEN 1 AND 1440", name="minutes"),)
