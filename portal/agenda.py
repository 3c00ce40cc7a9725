"""What stands in a stretch of a calendar: appointments and Google's occurrences, as entries in one zone."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from portal.extensions import db
from portal.localtime import ONE_DAY, start_of_day
from portal.models import (
    Appointment,
    AppointmentKind,
    AppointmentStatus,
    Connection,
    GoogleCalendar,
    GoogleEvent,
    GoogleOccurrence,
    Provider,
)

NOT_SHOWN_TYPES = ("birthday", "workingLocation")
MISSED = ("canceled", "late-canceled", "no-show")
BUSY = "Busy"
WIDEST_OFFSET = dt.timedelta(hours=14)  # all-day entries are kept by the midnights of another zone


@dataclass(frozen=True, slots=True)
class Filters:
    """Which entries to leave in. Archived ones are out until asked for."""

    sessions: bool = True
    other: bool = True
    google: bool = True
    missed: bool = True
    archived: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a calendar, in the zone of the person who looks.

    Timed: `starts_at` and `ends_at` carry that zone. All day: `first_day` to `end_day`, which is exclusive.
    """

    origin: str  # appointment, google
    data_id: str  # unique per occurrence, the same on every load
    record_id: int
    provider_id: int
    provider_name: str
    is_own: bool
    kind: str  # session, contact, other, google
    title: str
    code: str | None  # a client's internal ID
    status: str
    all_day: bool
    starts_at: dt.datetime
    ends_at: dt.datetime
    first_day: dt.date
    end_day: dt.date
    location: str | None = None
    is_archived: bool = False
    is_free: bool = False
    is_stale: bool = False
    repeats: bool = False
    clashes_with: str | None = field(default=None)  # appointment, google

    @property
    def is_missed(self) -> bool:
        return self.status in MISSED

    @property
    def takes_time(self) -> bool:
        """Whether somebody is busy because of it."""
        return not (self.is_missed or self.is_free or self.is_archived or self.all_day)


def gather(
    viewer: Provider, first: dt.date, end: dt.date, *, filters: Filters, provider_ids: Sequence[int] = ()
) -> list[Entry]:
    """Entries that touch the days from `first` up to, not including, `end`; earliest first.

    `provider_ids`: whose; the viewer's own without any. Only the practice's owner is shown anybody else's.
    """
    ids = [number for number in provider_ids if viewer.is_owner or number == viewer.id] or [viewer.id]
    window = _Window(viewer.zone, first, end)
    entries = [_from_appointment(row, viewer) for row in _appointments(ids, window, filters)]
    if filters.google:
        entries += [_from_occurrence((*found,), viewer) for found in _occurrences(ids, window)]
    inside = [entry for entry in entries if entry.first_day < end and entry.end_day > first]
    inside.sort(key=lambda entry: (_instant(entry.starts_at), -_instant(entry.ends_at), entry.data_id))
    return list(mark_clashes(inside))


def find_occurrence(viewer: Provider, occurrence_id: int) -> Entry | None:
    """One occurrence of a Google event of the viewer's own account."""
    row = db.session.execute(
        _occurrence_query([viewer.id]).where(GoogleOccurrence.id == occurrence_id)
    ).one_or_none()
    return _from_occurrence((*row,), viewer) if row else None


def mark_clashes(entries: Iterable[Entry]) -> Iterator[Entry]:
    """Tell each live appointment that overlaps something else of its provider's. Wants order of start."""
    entries = list(entries)
    clashes: dict[str, str] = {}
    open_ones: list[Entry] = []
    for entry in entries:
        if not entry.takes_time:
            continue
        open_ones = [other for other in open_ones if _instant(other.ends_at) > _instant(entry.starts_at)]
        for other in open_ones:
            if other.provider_id == entry.provider_id:
                clashes.setdefault(entry.data_id, other.origin)
                clashes.setdefault(other.data_id, entry.origin)
        open_ones.append(entry)
    for entry in entries:
        clash = clashes.get(entry.data_id) if entry.origin == "appointment" else None
        yield replace(entry, clashes_with=clash) if clash else entry


class _Window:
    """The instants of a stretch of days in a zone, widened for entries kept by other midnights."""

    def __init__(self, zone: ZoneInfo, first: dt.date, end: dt.date) -> None:
        self.starts_at = start_of_day(first, zone.key) - WIDEST_OFFSET
        self.ends_at = start_of_day(end, zone.key) + WIDEST_OFFSET


def _appointments(ids: Sequence[int], window: _Window, filters: Filters) -> Sequence[Appointment]:
    query = (
        sa.select(Appointment)
        .options(joinedload(Appointment.client), joinedload(Appointment.provider))
        .where(
            Appointment.provider_id.in_(ids),
            Appointment.starts_at < window.ends_at,
            Appointment.ends_at > window.starts_at,
        )
    )
    if not filters.archived:
        query = query.where(Appointment.archived_at.is_(None))
    if not filters.sessions:
        query = query.where(Appointment.kind == AppointmentKind.OTHER)
    if not filters.other:
        query = query.where(Appointment.kind != AppointmentKind.OTHER)
    if not filters.missed:
        query = query.where(
            Appointment.status.in_((AppointmentStatus.SCHEDULED, AppointmentStatus.COMPLETED))
        )
    return db.session.scalars(query).all()


def _occurrence_query(
    ids: Sequence[int],
) -> sa.Select[GoogleOccurrence, GoogleEvent, dt.datetime | None, str]:
    return (
        sa.select(GoogleOccurrence, GoogleEvent, GoogleCalendar.stale_since, Provider.name)
        .join(GoogleEvent, GoogleOccurrence.google_event_id == GoogleEvent.id)
        .join(GoogleCalendar, GoogleEvent.google_calendar_id == GoogleCalendar.id)
        .join(Connection, GoogleCalendar.connection_id == Connection.id)
        .join(Provider, GoogleOccurrence.provider_id == Provider.id)
        .where(
            GoogleOccurrence.provider_id.in_(ids),
            Connection.ended_at.is_(None),
            GoogleCalendar.hidden_since.is_(None),
            GoogleEvent.quarantine.is_(None),
            GoogleEvent.status != "cancelled",
            GoogleEvent.event_type.not_in(NOT_SHOWN_TYPES),
            sa.or_(GoogleEvent.self_response.is_(None), GoogleEvent.self_response != "declined"),
        )
    )


def _occurrences(
    ids: Sequence[int], window: _Window
) -> Sequence[sa.Row[GoogleOccurrence, GoogleEvent, dt.datetime | None, str]]:
    return db.session.execute(
        _occurrence_query(ids).where(
            GoogleOccurrence.starts_at < window.ends_at, GoogleOccurrence.ends_at > window.starts_at
        )
    ).all()


def _from_appointment(row: Appointment, viewer: Provider) -> Entry:
    starts_at, ends_at = row.starts_at.astimezone(viewer.zone), row.ends_at.astimezone(viewer.zone)
    first_day, end_day = _days(row.all_day, row.start_date, row.end_date, starts_at, ends_at)
    return Entry(
        origin="appointment",
        data_id=f"appointment-{row.id}",
        record_id=row.id,
        provider_id=row.provider_id,
        provider_name=row.provider.name,
        is_own=row.provider_id == viewer.id,
        kind=row.kind.value,
        title=row.client.name if row.client else row.title or "",
        code=row.client.internal_id if row.client else None,
        status=row.status.value,
        all_day=row.all_day,
        starts_at=starts_at,
        ends_at=ends_at,
        first_day=first_day,
        end_day=end_day,
        location=row.location,
        is_archived=row.archived_at is not None,
        is_free=row.is_free,
        repeats=row.series_id is not None,
    )


def _from_occurrence(
    found: tuple[GoogleOccurrence, GoogleEvent, dt.datetime | None, str], viewer: Provider
) -> Entry:
    """Somebody else's Google events are no more than busy time, to the practice's owner as well."""
    row, event, stale_since, provider_name = found
    starts_at, ends_at = row.starts_at.astimezone(viewer.zone), row.ends_at.astimezone(viewer.zone)
    first_day, end_day = _days(row.all_day, row.start_date, row.end_date, starts_at, ends_at)
    is_own = row.provider_id == viewer.id
    return Entry(
        origin="google",
        data_id=f"google-{event.id}-{row.occurrence_key}".rstrip("-"),
        record_id=row.id,
        provider_id=row.provider_id,
        provider_name=provider_name,
        is_own=is_own,
        kind="google",
        title=(event.summary.strip() or "(No title)") if is_own else BUSY,
        code=None,
        status="tentative" if event.status == "tentative" else "confirmed",
        all_day=row.all_day,
        starts_at=starts_at,
        ends_at=ends_at,
        first_day=first_day,
        end_day=end_day,
        is_free=event.transparency == "transparent",
        is_stale=stale_since is not None,
        repeats=event.recurring_event_id is not None or bool(event.recurrence),
    )


def _instant(moment: dt.datetime) -> float:
    """For comparing: Python compares two times of one zone by their wall clocks, blind to a clock change."""
    return moment.timestamp()


def _days(
    all_day: bool,
    start_date: dt.date | None,
    end_date: dt.date | None,
    starts_at: dt.datetime,
    ends_at: dt.datetime,
) -> tuple[dt.date, dt.date]:
    """The days an entry touches; one that ends at midnight does not touch the next."""
    if all_day and start_date and end_date:
        return start_date, max(end_date, start_date + ONE_DAY)
    last = ends_at - dt.timedelta(microseconds=1) if ends_at > starts_at else ends_at
    return starts_at.date(), last.date() + ONE_DAY
