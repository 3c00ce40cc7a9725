"""Appointments and links as sync values: what goes out, what is behind, what was agreed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa

from portal.extensions import db
from portal.models import Appointment, AppointmentHistory, Connection, EventLink, LinkState
from portal.models.appointments import LIVE_STATUSES
from portal.rows.parts import in_parts
from portal.sync.event import Content, EventTime
from portal.sync.outbound import Link, LinkPhase, LocalAppointment

WINDOW_BACK_DAYS = 30  # outward: appointments that ended earlier are not sent (sync-law §1)
FORBIDDEN = "forbidden"  # an error: Google's last word about this write, however often it is tried
REFUSED_AFTER_TRIES = 3  # for any other error
ENDING_VERBS = ("canceled", "late-canceled", "no-show", "archived")  # of an appointment's history


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


def going_out(connection: Connection, *, now: dt.datetime) -> tuple[sa.ColumnElement[bool], ...]:
    """Live appointments of the window outward, which begins with the first app calendar and stays."""
    begins = connection.window_starts_at or now - dt.timedelta(days=WINDOW_BACK_DAYS)
    return (Appointment.provider_id == connection.provider_id, _is_live_after(begins))


def _is_live_after(begins: dt.datetime | None) -> sa.ColumnElement[bool]:
    """Live, and in a window that begins then; a connection without a window yet has no bound."""
    return sa.and_(
        Appointment.archived_at.is_(None),
        Appointment.status.in_(LIVE_STATUSES),
        Appointment.ends_at > begins if begins else sa.true(),
    )


def _behind(connection: Connection, select: Any) -> Any:
    is_going_out = _is_live_after(connection.window_starts_at)
    return select.outerjoin(EventLink, EventLink.appointment_id == Appointment.id).where(
        Appointment.provider_id == connection.provider_id,
        EventLink.held.is_(None),
        sa.or_(
            sa.and_(EventLink.id.is_(None), is_going_out),
            sa.and_(EventLink.state == LinkState.GONE, is_going_out),
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


def is_refused(link: EventLink) -> bool:
    """Whether Google will not take this write, as far as can be told."""
    return link.error is not None and (link.error == FORBIDDEN or link.tries >= REFUSED_AFTER_TRIES)


def refused() -> sa.ColumnElement[bool]:
    """The same as a condition on links."""
    is_final = sa.or_(EventLink.error == FORBIDDEN, EventLink.tries >= REFUSED_AFTER_TRIES)
    return sa.and_(EventLink.error.is_not(None), is_final)


def forbidden(connection_id: int) -> list[EventLink]:
    """Links whose last write Google forbade."""
    query = sa.select(EventLink).where(EventLink.connection_id == connection_id, EventLink.error == FORBIDDEN)
    return list(db.session.scalars(query))


def has_any(connection_id: int) -> bool:
    """Whether anything of this connection was ever sent or found."""
    query = sa.select(EventLink.id).where(EventLink.connection_id == connection_id)
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
    for some in in_parts(list(event_ids)):
        rows = db.session.scalars(
            sa.select(EventLink)
            .where(EventLink.connection_id == connection_id, EventLink.event_id.in_(some))
            .options(sa.orm.joinedload(EventLink.appointment))
        )
        found |= {row.event_id: row for row in rows}
    return found
