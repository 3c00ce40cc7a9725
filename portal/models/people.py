"""The practice, its providers and their sign-ins, and the clients they see."""

from __future__ import annotations

import datetime as dt
import enum
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.columns import UTCDateTime, enum_column
from portal.extensions import Base


class SyncMode(enum.StrEnum):
    """How a provider's calendar leaves the portal. Never two at once."""

    OFF = "off"
    ONE_WAY = "one-way"
    TWO_WAY = "two-way"


class NameDisplay(enum.StrEnum):
    """How a client's name appears outside, strictest first."""

    INTERNAL_ID = "internal-id"
    INITIALS = "initials"
    FIRST_NAME = "first-name"
    FULL_NAME = "full-name"


class Practice(Base):
    """The one practice of this installation; exactly one row, made by the first migration."""

    __tablename__ = "practice"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(200))
    installation: Mapped[str] = mapped_column(sa.String(32))  # random; tags our events in Google
    hipaa_does_not_apply: Mapped[bool] = mapped_column(default=False)
    next_internal_id: Mapped[int] = mapped_column(default=1001)
    # Whose database this is: where it was at home, and INSTALLATION_MARK there. See rows/pausing.py
    public_url: Mapped[str | None] = mapped_column(sa.Text)
    installation_mark: Mapped[str | None] = mapped_column(sa.String(100))

    __table_args__ = (sa.CheckConstraint("id = 1", name="only_one"),)


class Provider(Base):
    """A signed-in clinician. `is_owner`: administers the practice and sees every appointment."""

    __tablename__ = "provider"

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(sa.String(254), unique=True)  # kept in lower case
    name: Mapped[str] = mapped_column(sa.String(200))
    timezone: Mapped[str] = mapped_column(sa.String(64))
    password_hash: Mapped[str | None] = mapped_column(sa.String(255))
    is_owner: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[dt.datetime] = mapped_column(UTCDateTime)
    deactivated_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)

    sync_mode: Mapped[SyncMode] = mapped_column(enum_column(SyncMode), default=SyncMode.OFF)
    name_display: Mapped[NameDisplay] = mapped_column(
        enum_column(NameDisplay), default=NameDisplay.INTERNAL_ID
    )
    display_confirmed_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)  # the BAA tick
    sends_other_titles: Mapped[bool] = mapped_column(default=False)
    hides_names: Mapped[bool] = mapped_column(default=False)  # privacy mode: bars in place of names
    shortcuts_off: Mapped[bool] = mapped_column(default=False)  # WCAG 2.1.4: single keys do nothing
    page_seen_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)  # polling quickens while they look

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)


class OfficeHours(Base):
    """One stretch of a weekday in which the provider works, in the provider's own zone."""

    __tablename__ = "office_hours"

    id: Mapped[int] = mapped_column(primary_key=True)
    provider_id: Mapped[int] = mapped_column(sa.ForeignKey("provider.id"), index=True)
    weekday: Mapped[int]  # 0 is Monday
    opens: Mapped[dt.time]
    closes: Mapped[dt.time]

    __table_args__ = (
        sa.CheckConstraint("weekday BETWEEN 0 AND 6", name="weekday"),
        sa.CheckConstraint("closes > opens", name="closes_after_opening"),
    )


class LoginSession(Base):
    """One sign-in. The cookie holds a random token; only its SHA-256 is here: a copied row opens nothing."""

    __tablename__ = "login_session"

    id: Mapped[int] = mapped_column(primary_key=True)
    token_hash: Mapped[str] = mapped_column(sa.String(64), unique=True)
    provider_id: Mapped[int] = mapped_column(sa.ForeignKey("provider.id"), index=True)
    created_at: Mapped[dt.datetime] = mapped_column(UTCDateTime)
    seen_at: Mapped[dt.datetime] = mapped_column(UTCDateTime)
    authenticated_at: Mapped[dt.datetime] = mapped_column(UTCDateTime)
    ended_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)

    provider: Mapped[Provider] = relationship()


class Client(Base):
    """The person receiving care. Their name is protected health information; the internal ID is not."""

    __tablename__ = "client"

    id: Mapped[int] = mapped_column(primary_key=True)
    provider_id: Mapped[int] = mapped_column(sa.ForeignKey("provider.id"), index=True)
    name: Mapped[str] = mapped_column(sa.String(200))
    internal_id: Mapped[str] = mapped_column(sa.String(32), unique=True)
    created_at: Mapped[dt.datetime] = mapped_column(UTCDateTime)
    archived_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)

    provider: Mapped[Provider] = relationship()


class ClientDisplayNumber(Base):
    """Which of several clients with the same initials or first name this is. Once given, it never changes."""

    __tablename__ = "client_display_number"

    id: Mapped[int] = mapped_column(primary_key=True)
    provider_id: Mapped[int] = mapped_column(sa.ForeignKey("provider.id"))
    client_id: Mapped[int] = mapped_column(sa.ForeignKey("client.id"), index=True)
    display: Mapped[NameDisplay] = mapped_column(enum_column(NameDisplay))
    text: Mapped[str] = mapped_column(sa.String(200))
    number: Mapped[int]

    __table_args__ = (
        sa.UniqueConstraint("provider_id", "display", "text", "number"),
        sa.UniqueConstraint("client_id", "display", "text"),
    )
