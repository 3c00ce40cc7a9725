"""When an appointment is: a time of day in a zone, or whole days; and how long either may be."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import Self

from portal.localtime import ONE_DAY, start_of_day, to_instant, to_local
from portal.models import Appointment, AppointmentKind

LONGEST_MINUTES = 24 * 60
LONGEST_DAYS = 366
YEARS = range(2000, 2100)


@dataclass(frozen=True, slots=True)
class Timed:
    """A local start in a zone, and a length."""

    date: dt.date
    time: dt.time
    timezone: str
    minutes: int

    @property
    def starts_at(self) -> dt.datetime:
        return to_instant(self.date, self.time, self.timezone)

    @property
    def ends_at(self) -> dt.datetime:
        return self.starts_at + dt.timedelta(minutes=self.minutes)

    @property
    def shown_time(self) -> dt.time:
        """What the clocks show when it begins: a skipped time is kept as a later one."""
        return to_local(self.starts_at, self.timezone).time()

    @property
    def happens_twice(self) -> bool:
        """Whether the clocks show its start a second time, an hour later or so."""
        local = to_local(self.starts_at, self.timezone)
        return local.time() == self.time and local.utcoffset() != local.replace(fold=1).utcoffset()

    @classmethod
    def from_instants(cls, starts_at: dt.datetime, ends_at: dt.datetime, timezone: str) -> Self:
        """The wall-clock time of two instants in a zone; a length of less than a minute counts as one."""
        local = to_local(starts_at, timezone)
        minutes = max(1, round((ends_at - starts_at).total_seconds() / 60))
        time = local.time().replace(second=0, microsecond=0, fold=0)
        return cls(local.date(), time, timezone, minutes)


@dataclass(frozen=True, slots=True)
class AllDay:
    """Whole days; `end_date` is exclusive. The zone only serves to find them by instants."""

    start_date: dt.date
    end_date: dt.date
    timezone: str

    @property
    def starts_at(self) -> dt.datetime:
        return start_of_day(self.start_date, self.timezone)

    @property
    def ends_at(self) -> dt.datetime:
        return start_of_day(self.end_date, self.timezone)


When = Timed | AllDay


def in_zone(when: When, timezone: str) -> When:
    """The same moment by the clocks of another zone; whole days stay the same dates."""
    match when:
        case Timed():
            same = when.timezone == timezone
            return when if same else Timed.from_instants(when.starts_at, when.ends_at, timezone)
        case AllDay():
            return replace(when, timezone=timezone)


def when_of(appointment: Appointment) -> When:
    """The time of a stored appointment as a value."""
    if appointment.all_day:
        assert appointment.end_date is not None
        return AllDay(appointment.start_date, appointment.end_date, appointment.timezone)
    assert appointment.start_time is not None
    assert appointment.duration_minutes is not None
    return Timed(
        appointment.start_date, appointment.start_time, appointment.timezone, appointment.duration_minutes
    )


def problems_of_time(kind: AppointmentKind, when: When) -> dict[str, str]:
    match when:
        case Timed():
            if not 1 <= when.minutes <= LONGEST_MINUTES:
                return {"duration": f"Give a length between 1 and {LONGEST_MINUTES} minutes."}
            first = when.date
        case AllDay():
            if kind is not AppointmentKind.OTHER:
                return {"all_day": "Only other events can last all day."}
            if not ONE_DAY <= when.end_date - when.start_date <= LONGEST_DAYS * ONE_DAY:
                return {"last_day": "The last day has to be the first day or later, within a year."}
            first = when.start_date
    return {} if first.year in YEARS else {"date": "Give a date between the years 2000 and 2099."}
