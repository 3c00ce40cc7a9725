"""Google's occurrences for a page: those that stand ready, and those that have to be expanded for it.

What is shown of them, and how many a calendar would bring, is decided here too.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import sqlalchemy as sa

from portal.errors import InvalidCalendarData
from portal.extensions import db
from portal.google.codec import from_google
from portal.localtime import ONE_DAY
from portal.models import Connection, GoogleCalendar, GoogleEvent, GoogleOccurrence, Provider
from portal.rows import google_events
from portal.sync.event import Event
from portal.sync.recurrence import Occurrence, expand

HIDDEN_TYPES = {"birthday": "birthday", "workingLocation": "working-location"}
# What pull.py keeps ready: Google's occurrences of these days around the present. It makes them so far ahead,
# and anew when fewer than READY_AHEAD are left. Later ones are expanded when a page asks for them; earlier
# ones are gone.
READY_AHEAD = dt.timedelta(days=370)
KEPT_BEFORE = dt.timedelta(days=90)
EXPANDED_AHEAD = dt.timedelta(days=400)
_SHOWN_CALENDARS = (Connection.ended_at.is_(None), GoogleCalendar.hidden_since.is_(None))
_SHOWN_EVENTS = (  # as `why_hidden` has it
    GoogleEvent.quarantine.is_(None),
    GoogleEvent.status != "cancelled",
    GoogleEvent.event_type.not_in(tuple(HIDDEN_TYPES)),
    sa.or_(GoogleEvent.self_response.is_(None), GoogleEvent.self_response != "declined"),
)
IS_SHOWN = (*_SHOWN_CALENDARS, *_SHOWN_EVENTS)

# With its event, since when its calendar could not be read, and its provider's name
Found = tuple[GoogleOccurrence, GoogleEvent, dt.datetime | None, str]


def between(
    provider_ids: Sequence[int], starts_at: dt.datetime, ends_at: dt.datetime, *, now: dt.datetime
) -> list[Found]:
    """What touches a stretch of time in these providers' calendars, each occurrence once."""
    found = {_key(row): row for row in _ready(provider_ids, starts_at, ends_at)}
    if ends_at > now + READY_AHEAD:
        is_due = sa.or_(GoogleEvent.expanded_until.is_(None), GoogleEvent.expanded_until < ends_at)
        for later in _expanded(provider_ids, starts_at, ends_at, is_due):
            found.setdefault(_key(later), later)
    return list(found.values())


def find(provider_id: int, event_id: int, key: str) -> Found | None:
    """One occurrence in a provider's calendars, by the event's row and its own key."""
    wanted = query([provider_id]).where(GoogleEvent.id == event_id, GoogleOccurrence.occurrence_key == key)
    row = db.session.execute(wanted).one_or_none()
    if row is not None:
        return (*row,)
    moment = _moment_of(key)
    if moment is None:
        return None
    found = _expanded([provider_id], moment - ONE_DAY, moment + 2 * ONE_DAY, sa.true())
    return next((later for later in found if _key(later) == (event_id, key)), None)


def why_hidden(event: Event | GoogleEvent) -> str | None:
    """Why no page shows an event, as a code; None of one that is shown."""
    if event.status == "cancelled":
        return "cancelled"
    if event.self_response == "declined":
        return "declined"
    return HIDDEN_TYPES.get(event.event_type)


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
        except InvalidCalendarData:
            continue
        if why_hidden(event) is None:
            count += len(expand(event, (), after=after, before=before))
    return count


def query(
    provider_ids: Sequence[int],
) -> sa.Select[GoogleOccurrence, GoogleEvent, dt.datetime | None, str]:
    """Everything that stands ready and may be shown, as `why_hidden` has it; callers narrow it."""
    return (
        sa.select(GoogleOccurrence, GoogleEvent, GoogleCalendar.stale_since, Provider.name)
        .join(GoogleEvent, GoogleOccurrence.google_event_id == GoogleEvent.id)
        .join(GoogleCalendar, GoogleEvent.google_calendar_id == GoogleCalendar.id)
        .join(Connection, GoogleCalendar.connection_id == Connection.id)
        .join(Provider, GoogleOccurrence.provider_id == Provider.id)
        .where(
            GoogleOccurrence.provider_id.in_(provider_ids),
            *IS_SHOWN,
        )
    )


def _ready(provider_ids: Sequence[int], starts_at: dt.datetime, ends_at: dt.datetime) -> list[Found]:
    rows = db.session.execute(
        query(provider_ids).where(GoogleOccurrence.starts_at < ends_at, GoogleOccurrence.ends_at > starts_at)
    )
    return [(*row,) for row in rows]


def _key(found: Found) -> tuple[int, str]:
    return found[1].id, found[0].occurrence_key


def _expanded(
    ids: Sequence[int], starts_at: dt.datetime, ends_at: dt.datetime, which: sa.ColumnElement[bool]
) -> list[Found]:
    """Occurrences between two instants, expanded now from the rules Google sent; nothing is stored."""
    rows = db.session.execute(
        sa.select(GoogleEvent, GoogleCalendar.stale_since, Provider.id, Provider.name)
        .join(GoogleCalendar, GoogleEvent.google_calendar_id == GoogleCalendar.id)
        .join(Connection, GoogleCalendar.connection_id == Connection.id)
        .join(Provider, Connection.provider_id == Provider.id)
        .where(Provider.id.in_(ids), *_SHOWN_CALENDARS, which, GoogleEvent.recurring_event_id.is_(None))
        .where(GoogleEvent.quarantine.is_(None), GoogleEvent.status != "cancelled")
    ).all()
    overrides: dict[tuple[int, str | None], list[GoogleEvent]] = {}
    for row in _overrides({event.google_calendar_id for event, *_ in rows}):
        overrides.setdefault((row.google_calendar_id, row.recurring_event_id), []).append(row)
    found: list[Found] = []
    for event, stale_since, provider_id, name in rows:
        series = [event, *overrides.get((event.google_calendar_id, event.event_id), ())]
        for shown, occurrence in _expand_series(series, starts_at, ends_at):
            found.append((_transient(shown, occurrence, provider_id), shown, stale_since, name))
    return found


def _overrides(calendar_ids: Iterable[int]) -> Sequence[GoogleEvent]:
    return db.session.scalars(
        sa.select(GoogleEvent).where(
            GoogleEvent.google_calendar_id.in_(calendar_ids), GoogleEvent.recurring_event_id.is_not(None)
        )
    ).all()


def _expand_series(
    series: Sequence[GoogleEvent], starts_at: dt.datetime, ends_at: dt.datetime
) -> Iterator[tuple[GoogleEvent, Occurrence]]:
    by_id = {row.event_id: row for row in series}
    first, *overrides = [google_events.event_value(row) for row in series]
    try:
        found = expand(first, overrides, after=starts_at, before=ends_at)
    except InvalidCalendarData:  # the next pull finds it as well, and tells the doctor
        return
    for occurrence in found:
        row = by_id[occurrence.event_id]
        if why_hidden(row) is None:
            yield row, occurrence


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


def _moment_of(key: str) -> dt.datetime | None:
    """The instant that an occurrence's key names; see `EventTime.key`."""
    for pattern in ("%Y%m%dT%H%M%SZ", "%Y%m%d"):
        try:
            return dt.datetime.strptime(key, pattern).replace(tzinfo=dt.UTC)
        except ValueError:
            continue
    return None
