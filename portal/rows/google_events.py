"""Google's events as rows, and their dates: found, stored, replaced, removed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from portal.extensions import db
from portal.models import GoogleCalendar, GoogleEvent, GoogleOccurrence
from portal.rows.parts import in_parts
from portal.sync.event import Event, EventTime
from portal.sync.recurrence import Occurrence
from portal.sync.shown import HIDDEN_BY, oldest

# For inserts by the thousand, which need no objects
EVENT_TABLE = cast("sa.Table", GoogleEvent.__table__)
OCCURRENCE_TABLE = cast("sa.Table", GoogleOccurrence.__table__)


def is_shown() -> list[sa.ColumnElement[bool]]:
    """As `shown.why_not` has it, but for age, which goes by the date: the conditions on an event's row."""
    return [
        GoogleEvent.quarantine.is_(None),
        *(getattr(GoogleEvent, name).is_distinct_from(value) for name, value, _ in HIDDEN_BY),
    ]


def count_units(calendar: GoogleCalendar, *, now: dt.datetime) -> tuple[int, int, int]:
    """Of masters, single events and dates without a series: how many with a future date the last pass missed.

    The second number is how many there are. The third is how many events of any kind the pass did name.
    """
    master = aliased(GoogleEvent)
    has_series = sa.exists().where(
        master.google_calendar_id == calendar.id, master.event_id == GoogleEvent.recurring_event_id
    )
    unit = sa.select(sa.func.count(sa.distinct(GoogleEvent.id))).where(
        GoogleEvent.google_calendar_id == calendar.id,
        sa.or_(GoogleEvent.recurring_event_id.is_(None), ~has_series),
    )
    future = unit.join(GoogleOccurrence, GoogleOccurrence.google_event_id == GoogleEvent.id).where(
        GoogleOccurrence.ends_at > now
    )
    named = unit.where(GoogleEvent.generation == calendar.generation)
    missing = future.where(GoogleEvent.generation != calendar.generation)
    missing_count, total, named_count = (db.session.scalar(query) or 0 for query in (missing, future, named))
    return missing_count, total, named_count


def google_events_by_id(calendar: GoogleCalendar, event_ids: Iterable[str]) -> dict[str, GoogleEvent]:
    found: dict[str, GoogleEvent] = {}
    for some in in_parts(list(event_ids)):
        rows = db.session.scalars(
            sa.select(GoogleEvent).where(
                GoogleEvent.google_calendar_id == calendar.id, GoogleEvent.event_id.in_(some)
            )
        )
        found |= {row.event_id: row for row in rows}
    return found


def series_rows(calendar: GoogleCalendar, event_ids: Iterable[str]) -> dict[str, list[GoogleEvent]]:
    """The resources of each series or single event, by the master's or its own id; its own row first."""
    found: dict[str, list[GoogleEvent]] = {event_id: [] for event_id in event_ids}
    for some in in_parts(list(found)):
        own = GoogleEvent.event_id.in_(some)
        rows = db.session.scalars(
            sa.select(GoogleEvent)
            .where(
                GoogleEvent.google_calendar_id == calendar.id,
                sa.or_(own, GoogleEvent.recurring_event_id.in_(some)),
            )
            .order_by(GoogleEvent.recurring_event_id.is_not(None), GoogleEvent.id)
        )
        for row in rows:
            found[row.recurring_event_id or row.event_id].append(row)
    return found


def put_event(row: GoogleEvent, event: Event, *, generation: int) -> None:
    """Copy what is kept of an event into its row."""
    for name, value in _columns(event, generation).items():
        setattr(row, name, value)


def insert_events(
    calendar: GoogleCalendar, events: Sequence[Event], *, expanded_until: dt.datetime | None
) -> dict[str, int]:
    """Rows for events that have none, in one statement; gives back their ids by event id."""
    if not events:
        return {}
    expansion = {"google_calendar_id": calendar.id, "expanded_until": expanded_until}
    rows = [
        {"event_id": event.event_id, **expansion, **_columns(event, calendar.generation)} for event in events
    ]
    db.session.execute(sa.insert(EVENT_TABLE), rows)
    ids: dict[str, int] = {}
    for some in in_parts([event.event_id for event in events]):
        made = sa.select(GoogleEvent.event_id, GoogleEvent.id).where(
            GoogleEvent.google_calendar_id == calendar.id, GoogleEvent.event_id.in_(some)
        )
        ids |= {row.event_id: row.id for row in db.session.execute(made)}
    return ids


def _columns(event: Event, generation: int) -> dict[str, Any]:
    return {
        "ical_uid": event.ical_uid,
        "etag": event.etag,
        "updated": event.updated,
        "generation": generation,
        "quarantine": None,
        "status": event.status,
        "summary": event.summary,
        "transparency": event.transparency,
        "visibility": event.visibility,
        "event_type": event.event_type,
        "self_response": event.self_response,
        "html_link": event.html_link,
        "start": event.start.to_json() if event.start else None,
        "end": event.end.to_json() if event.end else None,
        "recurrence": list(event.recurrence),
        "recurring_event_id": event.recurring_event_id,
        "original_start": event.original_start.to_json() if event.original_start else None,
    }


def event_value(row: GoogleEvent) -> Event:
    """A stored event as a value again."""
    return Event(
        event_id=row.event_id,
        ical_uid=row.ical_uid,
        etag=row.etag,
        updated=row.updated,
        status=row.status,
        summary=row.summary,
        start=EventTime.from_json(row.start) if row.start else None,
        end=EventTime.from_json(row.end) if row.end else None,
        transparency=row.transparency,
        visibility=row.visibility,
        event_type=row.event_type,
        self_response=row.self_response,
        html_link=row.html_link,
        recurrence=tuple(row.recurrence),
        recurring_event_id=row.recurring_event_id,
        original_start=EventTime.from_json(row.original_start) if row.original_start else None,
    )


def replace_occurrences(
    provider_id: int, rows: Sequence[GoogleEvent], occurrences: Sequence[tuple[GoogleEvent, Occurrence]]
) -> None:
    """Let these be the only occurrences of these events."""
    for some in in_parts([row.id for row in rows]):
        db.session.execute(
            sa.delete(GoogleOccurrence)
            .where(GoogleOccurrence.google_event_id.in_(some))
            .execution_options(synchronize_session=False)
        )
    add_occurrences(provider_id, [(row.id, occurrence) for row, occurrence in occurrences])


def add_occurrences(provider_id: int, occurrences: Sequence[tuple[int, Occurrence]]) -> None:
    """Rows for the dates of events, given by the ids of their rows, in one statement."""
    if occurrences:
        db.session.execute(
            sa.insert(OCCURRENCE_TABLE),
            [_occurrence_row(provider_id, row_id, occurrence) for row_id, occurrence in occurrences],
        )


def delete_events(rows: Iterable[GoogleEvent]) -> None:
    """Remove events with their occurrences."""
    for some in in_parts([row.id for row in rows]):
        for statement in (
            sa.delete(GoogleOccurrence).where(GoogleOccurrence.google_event_id.in_(some)),
            sa.delete(GoogleEvent).where(GoogleEvent.id.in_(some)),
        ):
            db.session.execute(statement.execution_options(synchronize_session="fetch"))


def delete_unlisted(calendar: GoogleCalendar) -> None:
    """Remove the events that the calendar's last full pass did not name."""
    delete_events(
        db.session.scalars(
            sa.select(GoogleEvent).where(
                GoogleEvent.google_calendar_id == calendar.id,
                GoogleEvent.generation != calendar.generation,
            )
        ).all()
    )


def count_shown(calendar_ids: Sequence[int], *, now: dt.datetime) -> int:
    """How many events of these calendars pages show, a series counted once."""
    series = sa.func.coalesce(GoogleEvent.recurring_event_id, GoogleEvent.event_id)
    named = (
        sa.select(GoogleEvent.google_calendar_id, series)
        .join(GoogleOccurrence, GoogleOccurrence.google_event_id == GoogleEvent.id)
        .where(
            GoogleEvent.google_calendar_id.in_(calendar_ids),
            *is_shown(),
            GoogleOccurrence.ends_at > oldest(now),
        )
        .distinct()
        .subquery()
    )
    return db.session.scalar(sa.select(sa.func.count()).select_from(named)) or 0


def delete_calendar_events(calendar_id: int) -> None:
    """Remove every stored event of one calendar."""
    of_calendar = GoogleEvent.google_calendar_id == calendar_id
    ids = sa.select(GoogleEvent.id).where(of_calendar)
    for statement in (
        sa.delete(GoogleOccurrence).where(GoogleOccurrence.google_event_id.in_(ids)),
        sa.delete(GoogleEvent).where(of_calendar),
    ):
        db.session.execute(statement, execution_options={"synchronize_session": False})


def _occurrence_row(provider_id: int, row_id: int, occurrence: Occurrence) -> dict[str, Any]:
    start, end = occurrence.start, occurrence.end
    return {
        "google_event_id": row_id,
        "provider_id": provider_id,
        "occurrence_key": occurrence.key,
        "all_day": start.is_all_day,
        "start_date": start.date,
        "end_date": end.date,
        "starts_at": start.instant,
        "ends_at": end.instant,
    }
