"""How one provider's sync stands where nothing need be wrong: the help's own lines, beside the doctor's.

Asks Google nothing, except `look_at_list`, which is pressed for.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from portal.calendar import agenda
from portal.connection import choosing, current
from portal.engine.run import open_client
from portal.errors import CalendarError
from portal.extensions import db
from portal.models import (
    Appointment,
    AppointmentStatus,
    Connection,
    EventLink,
    LinkState,
    Provider,
)
from portal.rows import event_links
from portal.sync.checkup import Level, Line
from portal.sync.duplicates import Duplicate
from portal.sync.modes import Link

MISSED = (AppointmentStatus.CANCELED, AppointmentStatus.LATE_CANCELED, AppointmentStatus.NO_SHOW)
LOOKED_BACK = dt.timedelta(days=90)
LOOKED_AHEAD = dt.timedelta(days=30)
MOST_TWINS = 3
STILL_THERE = (LinkState.LIVE, LinkState.DELETING)
OURS = frozenset({"app-calendar", "unknown-app-calendar", "own-feed"})  # told of by the doctor's lines


@dataclass(frozen=True, slots=True)
class Standing:
    """One line, and what its words speak of."""

    line: Line
    told: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Asked:
    """Whose lines are asked for, and when. `trouble`: the doctor's lines that are not fine."""

    provider: Provider
    connection: Connection | None
    now: dt.datetime
    trouble: Sequence[Line] = ()
    duplicates: Sequence[Duplicate] = ()  # as the doctor found them
    list_state: str = "not-looked"  # what `look_at_list` answered


def tell(ids: Iterable[str], asked: Asked) -> list[Standing]:
    """The lines of these ids that apply, in their order. An id that is not one of ours is passed over."""
    told = (TELLERS[each](asked) for each in ids if each in TELLERS)
    return [standing for standing in told if standing is not None]


def _count(identifier: str, number: int, code: str, told: dict[str, Any]) -> Standing:
    """A line that is fine either way."""
    line = Line(identifier, Level.GOOD, code if number else "none", number)
    return Standing(line, told)


def _left_out(asked: Asked) -> Standing:
    """Canceled and missed ones of the last 90 days and of all to come: here, and nowhere else."""
    where = (
        Appointment.provider_id == asked.provider.id,
        Appointment.archived_at.is_(None),
        Appointment.status.in_(MISSED),
        Appointment.ends_at > asked.now - LOOKED_BACK,
    )
    rows = db.session.scalars(sa.select(Appointment.status).where(*where)).all()
    told = {
        "by_status": Counter(status.value for status in rows),
        "latest": _first(sa.select(Appointment).where(*where).order_by(Appointment.updated_at.desc())),
        "leaving": _number(_links(asked.connection).where(*where, EventLink.state.in_(STILL_THERE))),
    }
    return _count("left-out", len(rows), "leaving" if told["leaving"] else "here-only", told)


def _archived(asked: Asked) -> Standing:
    where = (Appointment.provider_id == asked.provider.id, Appointment.archived_at.is_not(None))
    latest = _first(sa.select(Appointment).where(*where).order_by(Appointment.archived_at.desc()))
    number = _number(sa.select(sa.func.count(Appointment.id)).where(*where))
    return _count("archived", number, "here-only", {"latest": latest})


def _earlier(asked: Asked) -> Standing | None:
    """Appointments from before the window that goes to Google."""
    if not _is_running(asked):
        return None
    assert asked.connection is not None
    window = dt.timedelta(days=event_links.WINDOW_BACK_DAYS)
    begins = asked.connection.window_starts_at or asked.now - window
    where = (Appointment.provider_id == asked.provider.id, Appointment.ends_at <= begins)
    latest = _first(sa.select(Appointment).where(*where).order_by(Appointment.ends_at.desc()))
    number = _number(sa.select(sa.func.count(Appointment.id)).where(*where))
    return _count("earlier", number, "here-only", {"latest": latest, "begins": begins})


def _locked(asked: Asked) -> Standing:
    """What the calendar shows from Google in the next 30 days."""
    today = asked.now.astimezone(asked.provider.zone).date()
    only_google = agenda.Filters(sessions=False, other=False, completed=False, missed=False)
    entries = agenda.gather(asked.provider, today, today + LOOKED_AHEAD, filters=only_google, now=asked.now)
    found = [entry for entry in entries if entry.origin == "google"]
    to_come = [entry for entry in found if not entry.all_day and entry.starts_at > asked.now]
    return _count("locked", len(found), "locked", {"next": next(iter(to_come or found), None)})


def _closed(asked: Asked) -> Standing | None:
    """Calendars of the account that cannot be read, each with the reason."""
    if asked.connection is None:
        return None
    rows = [row for row in choosing.offered_calendars(asked.connection) if row.why_not not in {None, *OURS}]
    return _count("closed", len(rows), "cannot-be-read", {"calendars": rows})


def _unticked(asked: Asked) -> Standing | None:
    if asked.connection is None:
        return None
    offered = choosing.offered_calendars(asked.connection)
    rows = [row for row in offered if row.why_not is None and not row.is_chosen]
    return _count("unticked", len(rows), "not-read", {"calendars": rows})


def _alone(asked: Asked) -> Standing:
    """Whose the Google account is; how many others have one of their own."""
    others = _number(
        sa.select(sa.func.count(Connection.id)).where(
            Connection.ended_at.is_(None), Connection.provider_id != asked.provider.id
        )
    )
    code = "yours-alone" if asked.connection else "no-account"
    email = asked.connection.email if asked.connection else ""
    return Standing(Line("alone", Level.GOOD, code, others), {"email": email})


def _twins(asked: Asked) -> Standing | None:
    """The first of what stands in Google twice. Nothing without one: the doctor says so."""
    found = asked.duplicates
    if not found:
        return None
    return Standing(Line("twins", Level.WARN, "there-twice", len(found)), {"twins": found[:MOST_TWINS]})


def _shown(asked: Asked) -> Standing | None:
    """Whether Google's own list shows our calendar: known only after a look."""
    if not _is_running(asked) or asked.connection is None or not asked.connection.app_calendar_id:
        return None
    level = Level.WARN if asked.list_state in ("hidden", "unticked", "failed") else Level.GOOD
    return Standing(Line("shown", level, asked.list_state))


def _tells(asked: Asked) -> Standing:
    """What the support report would point at."""
    number = len(asked.trouble)
    return _count("tells", number, "points-at", {"codes": [f"{x.id} {x.full_code}" for x in asked.trouble]})


TELLERS: dict[str, Callable[[Asked], Standing | None]] = {
    "left-out": _left_out,
    "archived": _archived,
    "earlier": _earlier,
    "locked": _locked,
    "closed": _closed,
    "unticked": _unticked,
    "alone": _alone,
    "twins": _twins,
    "shown": _shown,
    "tells": _tells,
}


# Google's own list


def look_at_list(connection: Connection) -> str:
    """One short question to Google: "shown", "hidden" or "unticked"; "failed" when it gave no answer."""
    calendar_id = connection.app_calendar_id
    if calendar_id is None:
        return "not-looked"
    try:
        with open_client(connection) as client:
            db.session.commit()  # no transaction stays open over the network
            entry = client.get_calendar_entry(calendar_id)
    except CalendarError:
        return "failed"
    if entry.is_hidden:
        return "hidden"
    return "shown" if entry.is_selected else "unticked"


def show_in_list(connection: Connection) -> bool:
    """Have Google list our calendar again, ticked. Whether it did."""
    calendar_id = connection.app_calendar_id
    if calendar_id is None:
        return False
    try:
        with open_client(connection) as client:
            db.session.commit()
            client.show_calendar(calendar_id)
    except CalendarError:
        return False
    return True


def _is_running(asked: Asked) -> bool:
    return current.link_of(asked.connection) is Link.RUNNING


def _links(connection: Connection | None) -> sa.Select[int]:
    """How many appointments have a link of this connection."""
    return (
        sa.select(sa.func.count(Appointment.id))
        .join(EventLink, EventLink.appointment_id == Appointment.id)
        .where(EventLink.connection_id == (connection.id if connection else None))
    )


def _first(query: sa.Select[Appointment]) -> Appointment | None:
    return db.session.scalar(query.limit(1))


def _number(query: sa.Select[int]) -> int:
    return db.session.scalar(query) or 0
