"""Google's occurrences for a page: those that stand ready, and those that have to be expanded for it.

What is shown of them, `portal/sync/shown.py` says.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa

from portal.errors import InvalidCalendarData
from portal.extensions import db
from portal.google.codec import from_google
from portal.localtime import ONE_DAY
from portal.models import Connection, GoogleCalendar, GoogleEvent, GoogleOccurrence, Provider
from portal.rows import google_events
from portal.sync.event import EventTime
from portal.sync.recurrence import Occurrence, expand
from portal.sync.shown import EXPANDED_AHEAD, KEPT_BEFORE, READY_AHEAD, dates_of, oldest, why_not

YEARS_DRAWN = range(1990, 2102)  # what no page draws needs not be found
_SHOWN_CALENDARS = (Connection.ended_at.is_(None), GoogleCalendar.hidden_since.is_(None))
# With its event, since when its calendar could not be read, and its provider
Found = tuple[GoogleOccurrence, GoogleEvent, dt.datetime | None, Provider]


def is_shown() -> tuple[sa.ColumnElement[bool], ...]:
    """Events that pages may show, whatever their dates, in calendars that they show."""
    return (*_SHOWN_CALENDARS, *google_events.is_shown())


def between(
    provider_ids: Sequence[int], starts_at: dt.datetime, ends_at: dt.datetime, *, now: dt.datetime
) -> list[Found]:
    """What touches a stretch of time in these providers' calendars, each occurrence once."""
    found = {_key(row): row for row in _ready(provider_ids, starts_at, ends_at, now=now)}
    if ends_at > now + READY_AHEAD:
        for later in _expanded(provider_ids, starts_at, ends_at, _ends_before(ends_at), now=now):
            found.setdefault(_key(later), later)
    return list(found.values())


def find(provider_id: int, event_id: int, key: str, *, now: dt.datetime) -> Found | None:
    """One occurrence in a provider's calendars, by the event's row and its own key."""
    wanted = query([provider_id], now=now).where(
        GoogleEvent.id == event_id, GoogleOccurrence.occurrence_key == key
    )
    row = db.session.execute(wanted).one_or_none()
    if row is not None:
        return (*row,)
    event = db.session.get(GoogleEvent, event_id)
    if event is None:
        return None
    moment = _moment_of(key) if event.recurrence else _start_of(event)
    if moment is None:
        return None
    found = _expanded([provider_id], moment - ONE_DAY, moment + 2 * ONE_DAY, _of_series(event), now=now)
    return next((later for later in found if _key(later) == (event_id, key)), None)


def later_titles(provider_id: int) -> sa.Select[int, str]:
    """Id and title of each shown event that has no date ready: it begins later, or is over."""
    return (
        sa.select(GoogleEvent.id, GoogleEvent.summary)
        .join(GoogleCalendar, GoogleEvent.google_calendar_id == GoogleCalendar.id)
        .join(Connection, GoogleCalendar.connection_id == Connection.id)
        .where(
            Connection.provider_id == provider_id,
            *is_shown(),
            ~sa.exists().where(GoogleOccurrence.google_event_id == GoogleEvent.id),
        )
        .order_by(GoogleEvent.id)
    )


def first_dates_later(provider_id: int, event_ids: Sequence[int], *, now: dt.datetime) -> list[Found]:
    """The first date of each of these events that begins later than what stands ready."""
    found = []
    for row in db.session.scalars(sa.select(GoogleEvent).where(GoogleEvent.id.in_(event_ids))):
        start = _start_of(row)
        if start is not None and start > now:
            dates = _expanded([provider_id], start, start + EXPANDED_AHEAD, _of_series(row), now=now)
            found += [later for later in dates if later[1].id == row.id][:1]
    return found


def count_shown(resources: Iterable[Any], *, now: dt.datetime) -> int:
    """How many entries a first pull at `now` would have pages show.

    `resources` as events.list gives them with singleEvents=true: each date of a series by itself. What cannot
    be understood is set aside by the pull and not counted.
    """
    after, before = now - KEPT_BEFORE, now + EXPANDED_AHEAD
    count = 0
    for resource in resources:
        try:
            event = from_google(resource)
            dates = expand(event, (), after=after, before=before)
        except InvalidCalendarData:
            continue
        if why_not(event, event.end, now=now) is None:
            count += len(dates)
    return count


def query(
    provider_ids: Sequence[int], *, now: dt.datetime
) -> sa.Select[GoogleOccurrence, GoogleEvent, dt.datetime | None, Provider]:
    """Everything that stands ready and is shown; callers narrow it."""
    return (
        sa.select(GoogleOccurrence, GoogleEvent, GoogleCalendar.stale_since, Provider)
        .join(GoogleEvent, GoogleOccurrence.google_event_id == GoogleEvent.id)
        .join(GoogleCalendar, GoogleEvent.google_calendar_id == GoogleCalendar.id)
        .join(Connection, GoogleCalendar.connection_id == Connection.id)
        .join(Provider, GoogleOccurrence.provider_id == Provider.id)
        .where(
            GoogleOccurrence.provider_id.in_(provider_ids),
            *is_shown(),
            GoogleOccurrence.ends_at > oldest(now),
        )
    )


def _ready(
    provider_ids: Sequence[int], starts_at: dt.datetime, ends_at: dt.datetime, *, now: dt.datetime
) -> list[Found]:
    rows = db.session.execute(
        query(provider_ids, now=now).where(
            GoogleOccurrence.starts_at < ends_at, GoogleOccurrence.ends_at > starts_at
        )
    )
    return [(*row,) for row in rows]


def _key(found: Found) -> tuple[int, str]:
    return found[1].id, found[0].occurrence_key


def _ends_before(moment: dt.datetime) -> sa.ColumnElement[bool]:
    """Events whose dates stand ready up to an earlier moment than this."""
    return sa.or_(GoogleEvent.expanded_until.is_(None), GoogleEvent.expanded_until < moment)


def _of_series(event: GoogleEvent) -> sa.ColumnElement[bool]:
    """The resources of one series or single event."""
    name = event.recurring_event_id or event.event_id
    is_in_calendar = GoogleEvent.google_calendar_id == event.google_calendar_id
    return sa.and_(
        is_in_calendar, sa.or_(GoogleEvent.event_id == name, GoogleEvent.recurring_event_id == name)
    )


def _expanded(
    ids: Sequence[int],
    starts_at: dt.datetime,
    ends_at: dt.datetime,
    which: sa.ColumnElement[bool],
    *,
    now: dt.datetime,
) -> list[Found]:
    """Occurrences between two instants, expanded now from the rules Google sent; nothing is stored.

    `which`: of these events, and of the dates of any series that are here.
    """
    rows = db.session.execute(
        sa.select(GoogleEvent, GoogleCalendar.stale_since, Provider)
        .join(GoogleCalendar, GoogleEvent.google_calendar_id == GoogleCalendar.id)
        .join(Connection, GoogleCalendar.connection_id == Connection.id)
        .join(Provider, Connection.provider_id == Provider.id)
        .where(Provider.id.in_(ids), *_SHOWN_CALENDARS)
        .where(sa.or_(which, GoogleEvent.recurring_event_id.is_not(None)))
    ).all()
    series: dict[tuple[int, str], list[tuple[GoogleEvent, dt.datetime | None, Provider]]] = {}
    for row in rows:
        event = row[0]
        name = event.recurring_event_id or event.event_id
        series.setdefault((event.google_calendar_id, name), []).append((*row,))
    found: list[Found] = []
    for resources in series.values():
        by_id = {event.event_id: (event, stale_since, owner) for event, stale_since, owner in resources}
        events = [google_events.event_value(event) for event, _, _ in resources]
        # what cannot be followed, the next pull finds as well, and tells the doctor
        for occurrence in dates_of(events, after=starts_at, before=ends_at).occurrences:
            event, stale_since, owner = by_id[occurrence.event_id]
            if why_not(event, occurrence.end, now=now, is_understood=event.quarantine is None) is None:
                found.append((_transient(event, occurrence, owner.id), event, stale_since, owner))
    return found


def _transient(event: GoogleEvent, occurrence: Occurrence, provider_id: int) -> GoogleOccurrence:
    """A row for this page alone; it joins no session."""
    start, end = occurrence.start, occurrence.end
    return GoogleOccurrence(
        google_event_id=event.id,
        provider_id=provider_id,
        occurrence_key=occurrence.key,
        all_day=start.is_all_day,
        start_date=start.date,
        end_date=end.date,
        starts_at=start.instant,
        ends_at=end.instant,
    )


def _start_of(event: GoogleEvent) -> dt.datetime | None:
    return EventTime.from_json(event.start).instant if event.start else None


def _moment_of(key: str) -> dt.datetime | None:
    """The instant that an occurrence's key names; see `EventTime.key`."""
    for pattern in ("%Y%m%dT%H%M%SZ", "%Y%m%d"):
        try:
            moment = dt.datetime.strptime(key, pattern).replace(tzinfo=dt.UTC)
        except ValueError:
            continue
        return moment if moment.year in YEARS_DRAWN else None
    return None
