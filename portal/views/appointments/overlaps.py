"""What a form's time overlaps, told before anything is saved, and never forbidden."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from itertools import takewhile

from portal.calendar import agenda
from portal.calendar.agenda import Entry
from portal.clock import utcnow
from portal.errors import InvalidInput
from portal.localtime import ONE_DAY, today
from portal.models import Appointment, Provider
from portal.practice import series
from portal.practice.appointments import AllDay, When, in_zone, when_of
from portal.practice.series import Rule, Scope
from portal.views.appointments.appointment_form import AppointmentForm

MOST_NAMED = 4


@dataclass(frozen=True, slots=True)
class Overlaps:
    """The entries in the way of the first date, and how many of all the dates have something in the way."""

    entries: list[Entry]
    dates: int
    of_dates: int

    @property
    def is_any(self) -> bool:
        return self.dates > 0

    @property
    def named(self) -> list[Entry]:
        return self.entries[:MOST_NAMED]


NOTHING = Overlaps([], 0, 0)


def of_form(provider: Provider, form: AppointmentForm, appointment: Appointment | None) -> Overlaps:
    """Nothing when the form cannot be read yet, or takes no time of anybody's."""
    try:
        when, rule = form.when(provider.timezone), form.rule()
        if rule is not None:
            series.check_rule(rule, series.date_of(when))
    except InvalidInput:
        return NOTHING
    if isinstance(when, AllDay) or form.values["is_free"]:
        return NOTHING
    now = utcnow()
    spans, moved = _spans(when, rule, appointment, form.scope, now)
    found = agenda.overlapping(provider, spans, now=now, but_ids=moved)
    return Overlaps(found[0], sum(1 for entries in found if entries), len(spans))


def _spans(
    when: When, rule: Rule | None, appointment: Appointment | None, scope: Scope, now: dt.datetime
) -> tuple[list[tuple[dt.datetime, dt.datetime]], list[int]]:
    """The instants of every date that would be booked or moved, and the appointments that move."""
    first = when.starts_at.date()
    if appointment is not None:
        moved = series.affected(appointment, scope, now=now)
        shift = series.date_of(when) - series.date_of(in_zone(when_of(appointment), when.timezone))
        others = [each for each in moved if each is not appointment]
        dates = [(each.original_date or each.start_date) + shift for each in others]
        moved_ids = [each.id for each in moved]
    else:
        moved_ids, dates = [], []
    if rule is not None:
        horizon = max(today(now, "UTC"), first) + series.HORIZON_DAYS * ONE_DAY
        start = series.date_of(when)
        dates = [date for date in takewhile(lambda date: date <= horizon, rule.dates(start)) if date > start]
    times = [when, *(series.on_date(date, when) for date in dates)]
    return [(each.starts_at, each.ends_at) for each in times], moved_ids or (
        [appointment.id] if appointment else []
    )
