"""Moving to another time zone: what lies ahead keeps its clock time or its moment. No HTTP, no commit.

All-day entries keep their dates either way, office hours their clock times, and what is over its moment.
"""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Sequence
from zoneinfo import available_timezones

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from portal.errors import InvalidInput
from portal.extensions import db
from portal.models import Appointment, AppointmentSeries, Provider
from portal.practice import appointments, series
from portal.practice.spans import Timed, When, in_zone, when_of
from portal.practice.undo import Memory

REGIONS = (
    *("Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic"),
    *("Australia", "Europe", "Indian", "Pacific"),
)


class Kept(enum.StrEnum):
    """What the appointments that lie ahead keep."""

    CLOCK = "clock"
    MOMENT = "moment"


def choices() -> list[str]:
    """The zones to choose from: those named by a place."""
    return sorted(name for name in available_timezones() if name.partition("/")[0] in REGIONS)


def ahead(provider: Provider, *, now: dt.datetime) -> Sequence[Appointment]:
    """The appointments the question is about, in order: those that have not begun and are not archived."""
    return db.session.scalars(
        sa.select(Appointment)
        .options(joinedload(Appointment.client), joinedload(Appointment.provider))
        .where(
            Appointment.provider_id == provider.id,
            Appointment.archived_at.is_(None),
            Appointment.starts_at > now,
        )
        .order_by(Appointment.starts_at, Appointment.id)
    ).all()


def after_move(row: Appointment, timezone: str, kept: Kept) -> When:
    """When an appointment would be. A moment that the new zone's clock cannot name stays in its own zone."""
    as_shown = in_zone(when_of(row), row.provider.timezone)
    if kept is Kept.CLOCK and isinstance(as_shown, Timed):
        return Timed(as_shown.date, as_shown.time, timezone, as_shown.minutes)
    moved = in_zone(when_of(row), timezone)
    # the second of two hours with one name, when clocks go back; see localtime
    is_lost = isinstance(moved, Timed) and moved.starts_at != row.starts_at
    return when_of(row) if is_lost else moved


def move(
    provider: Provider, timezone: str, kept: Kept | None, *, now: dt.datetime, actor: Provider
) -> tuple[int, Memory]:
    """Live in `timezone` from now on. Returns how many appointments followed, and what undo needs.

    Raises InvalidInput("timezone"), or InvalidInput("keep") when there are any and nothing was chosen.
    """
    if timezone not in available_timezones():
        raise InvalidInput({"timezone": "Choose a time zone of the list."})
    rows = ahead(provider, now=now)
    if rows and kept is None:
        raise InvalidInput({"keep": "Choose what they keep."})
    memory = Memory(rows, moving=provider)
    moved = [(row, after_move(row, timezone, kept)) for row in rows] if kept else []
    _shift_series(moved)
    for row, when in moved:
        appointments.move_to_zone(row, when, now=now, actor=actor, source="web")
    provider.timezone = timezone
    return len(rows), memory


def _shift_series(moved: Sequence[tuple[Appointment, When]]) -> None:
    """A series whose moments fall on another date goes by that date from now on."""
    by_series: dict[AppointmentSeries, list[tuple[Appointment, dt.timedelta]]] = {}
    for row, when in moved:
        if row.series is not None:
            by_series.setdefault(row.series, []).append((row, series.date_of(when) - row.start_date))
    for each, rows in by_series.items():
        shift = rows[-1][1]
        if not shift:
            continue
        each.start_date += shift
        each.until = each.until and each.until + shift
        for row, _ in reversed(rows) if shift > dt.timedelta() else rows:
            if row.original_date:
                series.set_original_date(row, row.original_date + shift)
