"""What stands in a stretch of a calendar: appointments and Google's occurrences, as entries in one zone."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from portal.calendar import occurrences
from portal.calendar.occurrences import Found
from portal.extensions import db
from portal.localtime import ONE_DAY, start_of_day
from portal.models import (
    Appointment,
    AppointmentKind,
    AppointmentStatus,
    Client,
    GoogleEvent,
    GoogleOccurrence,
    Location,
    Provider,
)
from portal.practice import letters
from portal.practice.spans import LONGEST_DAYS

MISSED = ("canceled", "late-canceled", "no-show")
BUSY = "Busy"
MOST_FOUND = 100  # by a search
LONGEST = dt.timedelta(days=LONGEST_DAYS + 1)  # of any appointment
WIDEST_OFFSET = dt.timedelta(hours=14)  # all-day entries are kept by the midnights of another zone


@dataclass(frozen=True, slots=True)
class Filters:
    """Which entries to leave in. Archived ones are out until asked for."""

    sessions: bool = True
    other: bool = True
    google: bool = True
    completed: bool = True
    missed: bool = True
    archived: bool = False
    locations: frozenset[str] | None = None  # names; "" stands for every other place, None for no choice


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a calendar, in the zone of the person who looks.

    Timed: `starts_at` and `ends_at` carry that zone. All day: `first_day` to `end_day`, which is exclusive.
    """

    origin: str  # appointment, google
    data_id: str  # unique per occurrence, the same on every load
    record_id: int  # of an appointment, or of a Google event
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
    revision: int = 0
    occurrence_key: str = ""
    is_masked: bool = False  # privacy mode: neither title nor code is here
    clashes_with: str | None = field(default=None)  # appointment, google

    @property
    def is_missed(self) -> bool:
        return self.status in MISSED

    @property
    def takes_time(self) -> bool:
        """Whether somebody is busy because of it."""
        return not (self.is_missed or self.is_free or self.is_archived)


def gather(
    viewer: Provider,
    first: dt.date,
    end: dt.date,
    *,
    filters: Filters,
    now: dt.datetime,
    provider_ids: Sequence[int] = (),
) -> list[Entry]:
    """Entries that touch the days from `first` up to, not including, `end`; earliest first.

    `provider_ids`: whose; the viewer's own without any. Only the practice's owner is shown anybody else's.
    In privacy mode names and Google's titles are left out here, so that no page can hold them.
    """
    ids = [number for number in provider_ids if viewer.is_owner or number == viewer.id] or [viewer.id]
    window = _Window(viewer.zone, first, end)
    entries = [_from_appointment(row, viewer) for row in _appointments(ids, window, filters)]
    if filters.google:
        found = occurrences.between(ids, window.starts_at, window.ends_at, now=now)
        entries += [_from_occurrence(each, viewer) for each in found]
    inside = [entry for entry in entries if entry.first_day < end and entry.end_day > first]
    inside.sort(key=lambda entry: (_instant(entry.starts_at), -_instant(entry.ends_at), entry.data_id))
    return [_masked(entry, viewer) for entry in mark_clashes(inside)]


def overlapping(
    provider: Provider,
    spans: Sequence[tuple[dt.datetime, dt.datetime]],
    *,
    now: dt.datetime,
    but_ids: Collection[int] = (),
) -> list[list[Entry]]:
    """For each span of instants, what of the provider's own takes time in it.

    `but_ids`: the appointments that are to be moved there.
    """
    if not spans:
        return []
    first = min(starts_at for starts_at, _ in spans).astimezone(provider.zone).date()
    end = max(ends_at for _, ends_at in spans).astimezone(provider.zone).date() + ONE_DAY
    left_out = {f"appointment-{number}" for number in but_ids}
    busy = [
        entry
        for entry in gather(provider, first, end, filters=Filters(), now=now)
        if entry.takes_time and entry.data_id not in left_out
    ]
    return [[entry for entry in busy if _overlaps(entry, *span)] for span in spans]


def count_by_day(viewer: Provider, first: dt.date, end: dt.date) -> dict[dt.date, int]:
    """How many live appointments of the viewer's own begin on each day, in the zone they were booked in."""
    rows = db.session.execute(
        sa.select(Appointment.start_date, sa.func.count())
        .where(
            Appointment.provider_id == viewer.id,
            Appointment.archived_at.is_(None),
            Appointment.status.in_((AppointmentStatus.SCHEDULED, AppointmentStatus.COMPLETED)),
            Appointment.start_date >= first,
            Appointment.start_date < end,
            # by the index, which goes by instants
            Appointment.starts_at > start_of_day(first, viewer.timezone) - WIDEST_OFFSET - ONE_DAY,
            Appointment.starts_at < start_of_day(end, viewer.timezone) + WIDEST_OFFSET + ONE_DAY,
        )
        .group_by(Appointment.start_date)
    )
    return {row[0]: row[1] for row in rows}


def search(viewer: Provider, text: str, *, now: dt.datetime) -> list[Entry]:
    """The viewer's own entries that hold `text` in a name, an ID, a title or a place; latest first."""
    wanted = letters.folded(text)
    if not wanted:
        return []
    own = (
        sa.select(Appointment.id, Client.name, Client.internal_id, Appointment.title, Appointment.location)
        .outerjoin(Client, Appointment.client_id == Client.id)
        .where(Appointment.provider_id == viewer.id)
    )
    rows = db.session.scalars(
        sa.select(Appointment)
        .options(joinedload(Appointment.client), joinedload(Appointment.provider))
        .where(Appointment.id.in_(_holding(wanted, own.order_by(Appointment.starts_at.desc()))))
    ).all()
    theirs = occurrences.query([viewer.id], now=now)
    texts = theirs.with_only_columns(GoogleOccurrence.id, GoogleEvent.summary)
    latest_first = texts.order_by(GoogleOccurrence.starts_at.desc())
    events = db.session.execute(theirs.where(GoogleOccurrence.id.in_(_holding(wanted, latest_first)))).all()
    found = [_from_appointment(row, viewer) for row in rows]
    later_ids = _holding(wanted, occurrences.later_titles(viewer.id))
    later = occurrences.first_dates_later(viewer.id, later_ids, now=now)
    found += [_from_occurrence(each, viewer) for each in [*((*row,) for row in events), *later]]
    found.sort(key=lambda entry: (-_instant(entry.starts_at), entry.data_id))
    return [_masked(entry, viewer) for entry in found[:MOST_FOUND]]


def _holding(wanted: str, rows: sa.Select[*tuple[Any, ...]]) -> list[int]:
    """The ids, which come first, of the first rows that hold `wanted` in one of their texts.

    Read and folded here: neither database folds letters as the other does. Most texts come again and again.
    """
    holds: dict[str, bool] = {}
    found: list[int] = []
    for number, *texts in db.session.execute(rows):
        for text in texts:
            if text and text not in holds:
                holds[text] = wanted in letters.folded(text)
        if any(holds[text] for text in texts if text):
            found.append(number)
            if len(found) == MOST_FOUND:
                break
    return found


def _overlaps(entry: Entry, starts_at: dt.datetime, ends_at: dt.datetime) -> bool:
    return _instant(entry.starts_at) < _instant(ends_at) and _instant(entry.ends_at) > _instant(starts_at)


def find_occurrence(viewer: Provider, event_id: int, key: str, *, now: dt.datetime) -> Entry | None:
    """One occurrence of a Google event of the viewer's own account, by the event's row and its key."""
    found = occurrences.find(viewer.id, event_id, key, now=now)
    return _masked(_from_occurrence(found, viewer), viewer) if found else None


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
            # what began before this is over: without it the index would be read from a provider's first day
            Appointment.starts_at > window.starts_at - LONGEST,
        )
    )
    if not filters.archived:
        query = query.where(Appointment.archived_at.is_(None))
    if not filters.sessions:
        query = query.where(Appointment.kind == AppointmentKind.OTHER)
    if not filters.completed:
        query = query.where(Appointment.status != AppointmentStatus.COMPLETED)
    if filters.locations is not None:
        query = query.where(_is_at(filters.locations))
    if not filters.other:
        query = query.where(Appointment.kind != AppointmentKind.OTHER)
    if not filters.missed:
        query = query.where(
            Appointment.status.in_((AppointmentStatus.SCHEDULED, AppointmentStatus.COMPLETED))
        )
    return db.session.scalars(query).all()


def _is_at(names: frozenset[str]) -> sa.ColumnElement[bool]:
    """In one of these places; "" takes in whatever is none of the practice's."""
    known = Appointment.location.in_(names - {""})
    if "" not in names:
        return known
    listed = sa.select(Location.name).where(Location.archived_at.is_(None))
    return sa.or_(known, Appointment.location.is_(None), Appointment.location.not_in(listed))


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
        revision=row.revision,
    )


def _from_occurrence(found: Found, viewer: Provider) -> Entry:
    """Somebody else's Google events are no more than busy time, to the practice's owner as well."""
    row, event, stale_since, provider = found
    starts_at, ends_at = (at.astimezone(viewer.zone) for at in _instants_of(row, provider))
    first_day, end_day = _days(row.all_day, row.start_date, row.end_date, starts_at, ends_at)
    is_own = row.provider_id == viewer.id
    return Entry(
        origin="google",
        data_id=f"google-{event.id}-{row.occurrence_key}".rstrip("-"),
        record_id=event.id,
        occurrence_key=row.occurrence_key,
        provider_id=row.provider_id,
        provider_name=provider.name,
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


def _instants_of(row: GoogleOccurrence, provider: Provider) -> tuple[dt.datetime, dt.datetime]:
    """From when to when it takes time: whole days go by the midnights of its provider's zone."""
    if row.all_day and row.start_date and row.end_date:
        end_date = max(row.end_date, row.start_date + ONE_DAY)
        return start_of_day(row.start_date, provider.timezone), start_of_day(end_date, provider.timezone)
    return row.starts_at, row.ends_at


def _masked(entry: Entry, viewer: Provider) -> Entry:
    """Privacy mode: without the client's name and ID, and without what stands in the provider's Google."""
    is_named = entry.code is not None or (entry.origin == "google" and entry.is_own)
    if not (viewer.hides_names and is_named):
        return entry
    return replace(entry, title="", code=None, is_masked=True)


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
