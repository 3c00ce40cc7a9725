"""Rows to sync values and back, and the marks that a connection has work to do. Nothing is decided here."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any, cast

import sqlalchemy as sa

from portal.extensions import db
from portal.models import (
    Appointment,
    AppointmentHistory,
    Connection,
    EventLink,
    GoogleCalendar,
    GoogleEvent,
    GoogleOccurrence,
    LinkState,
)
from portal.models.appointments import LIVE_STATUSES
from portal.sync.event import Content, Event, EventTime
from portal.sync.outbound import Link, LinkPhase, LocalAppointment
from portal.sync.recurrence import Occurrence

BEHIND = "connections_behind"  # in Session.info; jobs.py queues them after the commit
ENDING_VERBS = ("canceled", "late-canceled", "no-show", "archived")  # of an appointment's history
MOST_IDS_IN_A_QUERY = 500  # SQLite bounds the number of parameters
# For inserts by the thousand, which need no objects
EVENT_TABLE = cast("sa.Table", GoogleEvent.__table__)
OCCURRENCE_TABLE = cast("sa.Table", GoogleOccurrence.__table__)


def note_change(provider_id: int, *, now: dt.datetime) -> None:
    """Something that goes out has changed: mark the provider's connection, if any, in this transaction.

    The job is queued only after the commit (jobs.py); if the queue loses it, the sweep finds the mark.
    """
    connection_id = db.session.scalar(
        sa.update(Connection)
        .where(Connection.provider_id == provider_id, Connection.ended_at.is_(None))
        .values(requested=Connection.requested + 1, changed_at=now)
        .returning(Connection.id)
        .execution_options(synchronize_session="fetch")
    )
    if connection_id is not None:
        db.session.info.setdefault(BEHIND, set()).add(connection_id)


def ask_for_pull(connection: Connection, *, now: dt.datetime) -> None:
    """Google may have news: look there in the next run, and begin that run soon."""
    connection.requested = Connection.requested + 1
    connection.next_check_at = now
    db.session.info.setdefault(BEHIND, set()).add(connection.id)


# Outward


def content_of(appointment: Appointment, title: str) -> Content:
    """What Google should hold for this appointment."""
    if appointment.all_day:
        start = EventTime(date=appointment.start_date)
        end = EventTime(date=appointment.end_date)
    else:
        start = EventTime(datetime=appointment.starts_at, tzid=appointment.timezone)
        end = EventTime(datetime=appointment.ends_at, tzid=appointment.timezone)
    return Content(
        summary=title,
        start=start,
        end=end,
        transparency="transparent" if appointment.is_free else "opaque",
    )


def local_appointment(
    appointment: Appointment, title: str, window_starts_at: dt.datetime | None
) -> LocalAppointment:
    return LocalAppointment(
        public_id=appointment.public_id,
        revision=appointment.revision,
        is_live=appointment.is_live,
        is_in_window=window_starts_at is None or appointment.ends_at > window_starts_at,
        content=content_of(appointment, title),
    )


def has_new_status(appointment: Appointment, link: EventLink) -> bool:
    """Whether the history knows a change of status since the revision that was last judged."""
    query = sa.select(AppointmentHistory.id).where(
        AppointmentHistory.appointment_id == appointment.id,
        AppointmentHistory.verb.in_(("completed", "reinstated", *ENDING_VERBS)),
        AppointmentHistory.revision > link.settled,
    )
    return db.session.scalar(query.limit(1)) is not None


def link_value(row: EventLink) -> Link:
    return Link(
        event_id=row.event_id,
        revival=row.revival,
        phase=LinkPhase(row.state.value),
        etag=row.etag,
        content_hash=row.content_hash,
        times_hash=row.times_hash,
        revision=row.revision,
        settled=row.settled,
        needs_write=row.needs_write,
        remote_updated=row.remote_updated,
    )


def behind(
    connection: Connection, *, now: dt.datetime, most: int
) -> list[tuple[Appointment, EventLink | None]]:
    """Up to `most` appointments whose Google side may need work, with links: the nearest dates first."""
    is_past = sa.case((Appointment.ends_at >= now, 0), else_=1)
    shows_too_much = sa.case((EventLink.state == LinkState.LIVE, 0), else_=1)
    coming = sa.case((Appointment.ends_at >= now, Appointment.starts_at))  # and NULL, which is as near as any
    order = [is_past, coming, Appointment.starts_at.desc(), Appointment.id]
    if connection.tightened_at is not None:
        order.insert(0, shows_too_much)
    statement = (
        _behind(connection, sa.select(Appointment, EventLink))
        .where(sa.or_(EventLink.retry_at.is_(None), EventLink.retry_at <= now))
        .order_by(*order)
        .limit(most)
        .execution_options(populate_existing=True)
    )
    return [(row[0], row[1]) for row in db.session.execute(statement)]


def count_behind(connection: Connection) -> int:
    """How many appointments wait to be written to Google, those that wait for a retry included."""
    return db.session.scalar(_behind(connection, sa.select(sa.func.count(Appointment.id)))) or 0


def _behind(connection: Connection, select: Any) -> Any:
    is_live = sa.and_(Appointment.archived_at.is_(None), Appointment.status.in_(LIVE_STATUSES))
    in_window = (
        Appointment.ends_at > connection.window_starts_at if connection.window_starts_at else sa.true()
    )
    return select.outerjoin(EventLink, EventLink.appointment_id == Appointment.id).where(
        Appointment.provider_id == connection.provider_id,
        EventLink.held.is_(None),
        sa.or_(
            sa.and_(EventLink.id.is_(None), is_live, in_window),
            sa.and_(EventLink.state == LinkState.GONE, is_live, in_window),
            EventLink.state == LinkState.DELETING,
            EventLink.settled != Appointment.revision,
            EventLink.needs_write,
        ),
    )


def count_live_links(connection_id: int) -> int:
    """How many appointments have an event, as far as we know."""
    return (
        db.session.scalar(
            sa.select(sa.func.count(EventLink.id)).where(
                EventLink.connection_id == connection_id, EventLink.state == LinkState.LIVE
            )
        )
        or 0
    )


def count_with_guests(connection_id: int) -> int:
    """How many of our events have guests in Google, as far as was read."""
    query = sa.select(sa.func.count(EventLink.id)).where(
        EventLink.connection_id == connection_id, EventLink.state == LinkState.LIVE, EventLink.has_guests
    )
    return db.session.scalar(query) or 0


def have_guests(appointments: Iterable[Appointment]) -> bool:
    """Whether somebody was invited in Google to one of these: we never write to guests."""
    ids = [appointment.id for appointment in appointments]
    query = sa.select(EventLink.id).where(
        EventLink.appointment_id.in_(ids), EventLink.state == LinkState.LIVE, EventLink.has_guests
    )
    return db.session.scalar(query.limit(1)) is not None


def has_invisible(connection_id: int) -> bool:
    """Whether an event was refused as a duplicate and then not found: Google needs a moment (facts §10)."""
    query = sa.select(EventLink.id).where(
        EventLink.connection_id == connection_id, EventLink.error == "duplicate"
    )
    return db.session.scalar(query.limit(1)) is not None


def unexplained_deletes(connection: Connection) -> list[EventLink]:
    """Links whose event would be deleted although no change of status in the history says why."""
    explained = sa.exists().where(
        AppointmentHistory.appointment_id == Appointment.id,
        AppointmentHistory.verb.in_(ENDING_VERBS),
        AppointmentHistory.revision > EventLink.revision,
    )
    is_over = sa.or_(Appointment.archived_at.is_not(None), Appointment.status.not_in(LIVE_STATUSES))
    return list(
        db.session.scalars(
            sa.select(EventLink)
            .join(Appointment, Appointment.id == EventLink.appointment_id)
            .where(
                EventLink.connection_id == connection.id,
                EventLink.state == LinkState.LIVE,
                EventLink.settled != Appointment.revision,
                is_over,
                ~explained,
            )
        )
    )


def links_by_event(connection_id: int, event_ids: Iterable[str]) -> dict[str, EventLink]:
    """The links of these events, by event id."""
    found: dict[str, EventLink] = {}
    for some in _in_parts(list(event_ids)):
        rows = db.session.scalars(
            sa.select(EventLink)
            .where(EventLink.connection_id == connection_id, EventLink.event_id.in_(some))
            .options(sa.orm.joinedload(EventLink.appointment))
        )
        found |= {row.event_id: row for row in rows}
    return found


# Inward


def count_units(calendar: GoogleCalendar, *, now: dt.datetime) -> tuple[int, int, int]:
    """Of masters and single events with a future date: how many the last pass missed, and how many there are.

    The third number is how many events of any kind the pass did name.
    """
    unit = sa.select(sa.func.count(sa.distinct(GoogleEvent.id))).where(
        GoogleEvent.google_calendar_id == calendar.id, GoogleEvent.recurring_event_id.is_(None)
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
    for some in _in_parts(list(event_ids)):
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
    for some in _in_parts(list(found)):
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
    for some in _in_parts([event.event_id for event in events]):
        made = sa.select(GoogleEvent.event_id, GoogleEvent.id).where(
            GoogleEvent.google_calendar_id == calendar.id, GoogleEvent.event_id.in_(some)
        )
        ids |= {row.event_id: row.id for row in db.session.execute(made)}
    return ids


def _columns(event: Event, generation: int) -> dict[str, Any]:
    return {
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
    for some in _in_parts([row.id for row in rows]):
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
    for some in _in_parts([row.id for row in rows]):
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


def delete_calendar_events(calendar_id: int) -> int:
    """Remove every stored event of one calendar; returns how many of them pages could show."""
    of_calendar = GoogleEvent.google_calendar_id == calendar_id
    query = sa.select(sa.func.count(GoogleEvent.id)).where(of_calendar, GoogleEvent.status != "cancelled")
    shown = db.session.scalar(query) or 0
    ids = sa.select(GoogleEvent.id).where(of_calendar)
    for statement in (
        sa.delete(GoogleOccurrence).where(GoogleOccurrence.google_event_id.in_(ids)),
        sa.delete(GoogleEvent).where(of_calendar),
    ):
        db.session.execute(statement, execution_options={"synchronize_session": False})
    return shown


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


def _in_parts(items: Sequence[Any]) -> Iterable[Sequence[Any]]:
    for begin in range(0, len(items), MOST_IDS_IN_A_QUERY):
        yield items[begin : begin + MOST_IDS_IN_A_QUERY]
