"""What the portal knows of a provider's Google account: the grant, calendars, events, links and runs."""

from __future__ import annotations

import datetime as dt
import enum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.columns import EncryptedText, UTCDateTime, enum_column
from portal.extensions import Base
from portal.models.appointments import Appointment
from portal.models.people import Provider


class ConnectionPhase(enum.StrEnum):
    """How far a connection has come. What ails it is told apart, by `Connection.problem`."""

    CHOOSING = "choosing"
    PREVIEW = "preview"
    FIRST_SYNC = "first-sync"
    ACTIVE = "active"
    REMOVING = "removing"
    ENDED = "ended"


class LinkState(enum.StrEnum):
    """What both sides last agreed on for one appointment."""

    LIVE = "live"  # the event is there
    DELETING = "deleting"  # its delete was begun; a tombstone is ours
    GONE = "gone"  # its delete was confirmed; that revival is used up
    HELD = "held"  # the provider deleted it in Google; a card waits for their word


class CardKind(enum.StrEnum):
    """What was done in Google to one of our events, or to many at once."""

    MOVED = "moved"
    DELETED = "deleted"
    EDITED = "edited"
    GROUPED = "grouped"


class Connection(Base):
    """A provider's link to one Google account. Ended ones stay: their calendars are never imported."""

    __tablename__ = "connection"

    id: Mapped[int] = mapped_column(primary_key=True)
    provider_id: Mapped[int] = mapped_column(sa.ForeignKey("provider.id"))
    phase: Mapped[ConnectionPhase] = mapped_column(
        enum_column(ConnectionPhase), default=ConnectionPhase.CHOOSING
    )
    created_at: Mapped[dt.datetime] = mapped_column(UTCDateTime)
    ended_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)

    # The grant
    google_sub: Mapped[str] = mapped_column(sa.String(255))
    email: Mapped[str] = mapped_column(sa.String(254))
    hosted_domain: Mapped[str | None] = mapped_column(sa.String(255))  # `hd`; None is a consumer account
    scopes: Mapped[str] = mapped_column(sa.Text)  # as granted, separated by spaces
    refresh_token: Mapped[str | None] = mapped_column(EncryptedText)
    access_token: Mapped[str | None] = mapped_column(EncryptedText)
    access_token_expires_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)
    granted_at: Mapped[dt.datetime] = mapped_column(UTCDateTime)

    # The app calendar
    nonce: Mapped[str | None] = mapped_column(sa.String(32))  # committed before the calendar is made
    app_calendar_id: Mapped[str | None] = mapped_column(sa.String(255))
    app_calendar_made_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)
    window_starts_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)  # outward; never slides

    # Health: judged by sync/health.py
    problem: Mapped[str | None] = mapped_column(sa.String(64))
    problem_since: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)
    problem_detail: Mapped[str | None] = mapped_column(sa.String(64))  # Google's reason, never its text
    failures: Mapped[int] = mapped_column(default=0)  # runs in a row that failed
    retry_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)

    # Schedule. A request is handled when `handled` reaches the `requested` read before the run.
    requested: Mapped[int] = mapped_column(default=0)
    handled: Mapped[int] = mapped_column(default=0)
    queued_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)
    next_check_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)
    changed_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)  # last time either side had news
    last_pushed_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)
    last_pulled_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)
    calendars_listed_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)
    verified_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)  # when all was last begun anew

    unwanted: Mapped[list[str]] = mapped_column(sa.JSON, default=list)  # our events that are to be deleted
    spent: Mapped[list[list[float]]] = mapped_column(sa.JSON, default=list)  # quota units, see sync/pace.py
    tightened_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)  # stricter names are on their way

    # The lease
    lease_owner: Mapped[str | None] = mapped_column(sa.String(64))
    lease_expires_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)
    fencing: Mapped[int] = mapped_column(default=0)

    # First sync and tear-down, as numbers for the page and as steps to resume
    progress_done: Mapped[int] = mapped_column(default=0)
    progress_total: Mapped[int] = mapped_column(default=0)
    removal: Mapped[dict[str, Any] | None] = mapped_column(sa.JSON)

    provider: Mapped[Provider] = relationship()

    __table_args__ = (
        sa.Index(
            "uq_connection_live_provider",
            "provider_id",
            unique=True,
            sqlite_where=sa.text("ended_at IS NULL"),
            postgresql_where=sa.text("ended_at IS NULL"),
        ),
        sa.Index(
            "uq_connection_live_sub",
            "google_sub",
            unique=True,
            sqlite_where=sa.text("ended_at IS NULL"),
            postgresql_where=sa.text("ended_at IS NULL"),
        ),
        sa.Index("ix_connection_due", "next_check_at"),
    )


class GoogleCalendar(Base):
    """A calendar of the connected account, chosen for import or not, and how far it was read."""

    __tablename__ = "google_calendar"

    id: Mapped[int] = mapped_column(primary_key=True)
    connection_id: Mapped[int] = mapped_column(sa.ForeignKey("connection.id"))
    calendar_id: Mapped[str] = mapped_column(sa.String(255))  # "primary" for the primary one
    summary: Mapped[str] = mapped_column(sa.String(500))
    access_role: Mapped[str] = mapped_column(sa.String(40))
    is_primary: Mapped[bool] = mapped_column(default=False)
    is_app_calendar: Mapped[bool] = mapped_column(default=False)
    is_chosen: Mapped[bool] = mapped_column(default=False)
    why_not: Mapped[str | None] = mapped_column(sa.String(40))  # a code; None means it can be ticked
    listed_at: Mapped[dt.datetime] = mapped_column(UTCDateTime)  # last seen in calendarList
    missing_since: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)
    stale_since: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)
    # How many entries of it would be shown, as of the last offer (connection/choosing.py)
    entries: Mapped[int | None]

    hidden_since: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)  # gone from two listings: not drawn
    absent_since: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)  # a full pass missed very many

    # Push. A channel is opened unless Google cannot watch this calendar, or refused lately.
    is_poll_only: Mapped[bool] = mapped_column(default=False)
    watch_retry_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)

    # Reading. The token is valid only for the query whose signature stands beside it.
    sync_token: Mapped[str | None] = mapped_column(sa.Text)
    page_token: Mapped[str | None] = mapped_column(sa.Text)
    query_signature: Mapped[str | None] = mapped_column(sa.String(64))
    generation: Mapped[int] = mapped_column(default=0)
    is_full_pass: Mapped[bool] = mapped_column(default=True)  # the pass under way re-reads everything
    last_pulled_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)

    connection: Mapped[Connection] = relationship()

    __table_args__ = (
        sa.UniqueConstraint("connection_id", "calendar_id"),
        sa.Index(
            "uq_google_calendar_app",
            "connection_id",
            unique=True,
            sqlite_where=sa.text("is_app_calendar"),
            postgresql_where=sa.text("is_app_calendar"),
        ),
    )


class GoogleEvent(Base):
    """A master, an override or a single event, as Google keeps it. Nothing but what pages need is stored."""

    __tablename__ = "google_event"

    id: Mapped[int] = mapped_column(primary_key=True)
    google_calendar_id: Mapped[int] = mapped_column(sa.ForeignKey("google_calendar.id"))
    event_id: Mapped[str] = mapped_column(sa.String(1024))
    ical_uid: Mapped[str | None] = mapped_column(sa.String(1024))  # None also: not read since it is asked for
    etag: Mapped[str] = mapped_column(sa.String(100))
    updated: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)
    generation: Mapped[int]
    quarantine: Mapped[str | None] = mapped_column(sa.String(64))  # why it could not be understood

    status: Mapped[str] = mapped_column(sa.String(20))
    summary: Mapped[str] = mapped_column(sa.Text, default="")
    transparency: Mapped[str] = mapped_column(sa.String(20), default="opaque")
    visibility: Mapped[str] = mapped_column(sa.String(20), default="default")
    event_type: Mapped[str] = mapped_column(sa.String(40), default="default")
    self_response: Mapped[str | None] = mapped_column(sa.String(20))
    html_link: Mapped[str | None] = mapped_column(sa.Text)

    # Start and end as sync.event.EventTime keeps them; NULL in a bare cancelled override
    start: Mapped[dict[str, str] | None] = mapped_column(sa.JSON(none_as_null=True))
    end: Mapped[dict[str, str] | None] = mapped_column(sa.JSON(none_as_null=True))
    recurrence: Mapped[list[str]] = mapped_column(sa.JSON, default=list)
    recurring_event_id: Mapped[str | None] = mapped_column(sa.String(1024))
    original_start: Mapped[dict[str, str] | None] = mapped_column(sa.JSON(none_as_null=True))
    expanded_until: Mapped[dt.datetime | None] = mapped_column(
        UTCDateTime
    )  # masters: occurrences exist so far

    __table_args__ = (
        sa.UniqueConstraint("google_calendar_id", "event_id"),
        sa.Index("ix_google_event_series", "google_calendar_id", "recurring_event_id"),
        sa.Index("ix_google_event_ical_uid", "google_calendar_id", "ical_uid"),
    )


class GoogleOccurrence(Base):
    """One visible date of a Google event, ready for a page."""

    __tablename__ = "google_occurrence"

    id: Mapped[int] = mapped_column(primary_key=True)
    google_event_id: Mapped[int] = mapped_column(
        sa.ForeignKey("google_event.id", ondelete="CASCADE"), index=True
    )
    provider_id: Mapped[int] = mapped_column(sa.ForeignKey("provider.id"))
    # Which occurrence: the original start in UTC, or its date; "" for a single event
    occurrence_key: Mapped[str] = mapped_column(sa.String(32))
    all_day: Mapped[bool]
    start_date: Mapped[dt.date | None]  # all-day only
    end_date: Mapped[dt.date | None]  # exclusive; all-day only
    # Timed: the instants. All-day: midnights of UTC, widened by pages to their own zone's.
    starts_at: Mapped[dt.datetime] = mapped_column(UTCDateTime)
    ends_at: Mapped[dt.datetime] = mapped_column(UTCDateTime)

    event: Mapped[GoogleEvent] = relationship()

    __table_args__ = (
        sa.UniqueConstraint("google_event_id", "occurrence_key"),
        sa.Index("ix_google_occurrence_provider_starts", "provider_id", "starts_at"),
        sa.Index("ix_google_occurrence_provider_ends", "provider_id", "ends_at"),
    )


class EventLink(Base):
    """What both sides last agreed on for one appointment."""

    __tablename__ = "event_link"

    id: Mapped[int] = mapped_column(primary_key=True)
    appointment_id: Mapped[int] = mapped_column(sa.ForeignKey("appointment.id"), unique=True)
    connection_id: Mapped[int] = mapped_column(sa.ForeignKey("connection.id"))
    event_id: Mapped[str] = mapped_column(sa.String(1024))
    revival: Mapped[int] = mapped_column(default=0)
    state: Mapped[LinkState] = mapped_column(enum_column(LinkState))
    etag: Mapped[str | None] = mapped_column(sa.String(100))
    remote_updated: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)
    content_hash: Mapped[str | None] = mapped_column(sa.String(64))  # of what Google holds; None: unknown
    times_hash: Mapped[str | None] = mapped_column(sa.String(64))  # of start and end, as agreed
    revision: Mapped[int]  # the appointment's revision that Google's copy carries in its tag
    settled: Mapped[int] = mapped_column(default=0)  # the revision last judged; any other one is behind
    agreed_at: Mapped[dt.datetime] = mapped_column(UTCDateTime)
    needs_write: Mapped[bool] = mapped_column(default=False)  # our fields differ in Google: write them back
    held: Mapped[dict[str, Any] | None] = mapped_column(
        sa.JSON(none_as_null=True)
    )  # a move to be asked about
    generation: Mapped[int] = mapped_column(default=0)  # of the app calendar's pass that listed it last
    error: Mapped[str | None] = mapped_column(sa.String(64))  # why the last write failed, as a code
    tries: Mapped[int] = mapped_column(default=0)  # failed writes in a row
    retry_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)
    missing_since: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)  # Google answered 404 for it
    has_guests: Mapped[bool] = mapped_column(default=False, server_default=sa.false())

    appointment: Mapped[Appointment] = relationship()

    __table_args__ = (
        sa.UniqueConstraint("connection_id", "event_id"),
        sa.Index("ix_event_link_state", "connection_id", "state"),
    )


class ChangeCard(Base):
    """A change made in Google to one of our events, told to the provider, perhaps with a question."""

    __tablename__ = "change_card"

    id: Mapped[int] = mapped_column(primary_key=True)
    provider_id: Mapped[int] = mapped_column(sa.ForeignKey("provider.id"))
    connection_id: Mapped[int] = mapped_column(sa.ForeignKey("connection.id"))
    appointment_id: Mapped[int | None] = mapped_column(sa.ForeignKey("appointment.id"), index=True)
    kind: Mapped[CardKind] = mapped_column(enum_column(CardKind))
    needs_answer: Mapped[bool]
    created_at: Mapped[dt.datetime] = mapped_column(UTCDateTime)
    closed_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)
    outcome: Mapped[str | None] = mapped_column(sa.String(40))
    detail: Mapped[dict[str, Any]] = mapped_column(sa.JSON, default=dict)  # times and codes, never a name

    __table_args__ = (sa.Index("ix_change_card_open", "provider_id", "closed_at"),)


class PushChannel(Base):
    """A channel on which Google tells of changes. Its row outlives it, so that a late one can be stopped."""

    __tablename__ = "push_channel"

    id: Mapped[int] = mapped_column(primary_key=True)
    connection_id: Mapped[int] = mapped_column(sa.ForeignKey("connection.id"), index=True)
    google_calendar_id: Mapped[int] = mapped_column(sa.ForeignKey("google_calendar.id"), index=True)
    channel_id: Mapped[str] = mapped_column(sa.String(64), unique=True)
    secret_hash: Mapped[str] = mapped_column(sa.String(64))
    resource_id: Mapped[str | None] = mapped_column(sa.String(255))
    created_at: Mapped[dt.datetime] = mapped_column(UTCDateTime)
    expires_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)
    last_message_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)
    stopped_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)


class SyncRun(Base):
    """One run for one connection: when, what it did in numbers, how it ended."""

    __tablename__ = "sync_run"

    id: Mapped[int] = mapped_column(primary_key=True)
    connection_id: Mapped[int] = mapped_column(sa.ForeignKey("connection.id"))
    trigger: Mapped[str] = mapped_column(sa.String(20))  # change, schedule, push, command, page
    started_at: Mapped[dt.datetime] = mapped_column(UTCDateTime)
    ended_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)
    outcome: Mapped[str | None] = mapped_column(sa.String(20))  # done, handed-on, failed, asked, lost
    error: Mapped[str | None] = mapped_column(sa.String(64))  # a code
    counts: Mapped[dict[str, int]] = mapped_column(sa.JSON, default=dict)

    __table_args__ = (sa.Index("ix_sync_run_connection", "connection_id", "started_at"),)
