"""The appointment form: what was typed, kept as typed, and read into the domain's values."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

from portal import reading
from portal.errors import InvalidInput
from portal.localtime import ONE_DAY
from portal.models import Appointment, AppointmentKind, AppointmentType, Client, SeriesFrequency
from portal.practice.appointments import AppointmentDetails
from portal.practice.series import Rule, Scope, date_of
from portal.practice.spans import YEARS, AllDay, Timed, When, in_zone, when_of
from portal.views.page.bounds import EARLIEST, LATEST, MOST_DIGITS

USUAL_MINUTES = 50
MOST_DIGITS_TYPED = 5
LONGEST_QUICK_MINUTES = 24 * 60
USUAL_START = dt.time(9)
FIELDS = (
    *("kind", "client", "title", "date", "start_time", "duration", "all_day", "last_day", "location"),
    *("is_free", "repeats", "every", "ends", "until", "occurrences", "apply_to", "revision", "drawn", "type"),
)
MONTHLY_BY_WEEKDAY = "monthly-by-weekday"  # an answer to *Repeats*; the rest are the frequencies
MOVED_FIELDS = ("date", "start_time", "duration", "last_day", "revision", "drawn", "apply_to")


@dataclass(slots=True)
class AppointmentForm:
    """Field values as text, exactly as they stand in the page, and what is wrong with them."""

    values: dict[str, str]
    problems: dict[str, str] = field(default_factory=dict)

    @classmethod
    def blank(cls, date: dt.date, time: dt.time | None, client_id: str, minutes: int = USUAL_MINUTES) -> Self:
        return cls(
            {
                **dict.fromkeys(FIELDS, ""),
                "kind": AppointmentKind.SESSION.value,
                "client": client_id,
                "date": date.isoformat(),
                "start_time": (time or USUAL_START).isoformat("minutes"),
                "duration": str(minutes),
                "every": "1",
                "ends": "never",
                "occurrences": "10",
            }
        )

    @classmethod
    def of(cls, appointment: Appointment) -> Self:
        """As stored, by the clocks of the zone in which its provider lives now."""
        when = in_zone(when_of(appointment), appointment.provider.timezone)
        last = when.end_date - ONE_DAY if isinstance(when, AllDay) else None
        time = when.time if isinstance(when, Timed) else None
        form = cls.blank(date_of(when), time, str(appointment.client_id or ""))
        form.values |= {
            "kind": appointment.kind.value,
            "title": appointment.title or "",
            "duration": str(appointment.duration_minutes or USUAL_MINUTES),
            "all_day": "1" if appointment.all_day else "",
            "last_day": last.isoformat() if last else "",
            "location": appointment.location or "",
            "is_free": "1" if appointment.is_free else "",
            "type": str(appointment.type_id or ""),
            "revision": str(appointment.revision),
            "drawn": appointment.updated_at.isoformat(),
            "apply_to": "this",
        }
        return form

    @classmethod
    def sent(cls, form: Mapping[str, str]) -> Self:
        return cls({name: form.get(name, "").strip() for name in FIELDS})

    @classmethod
    def moved(cls, appointment: Appointment, sent: Mapping[str, str]) -> Self:
        """The appointment with another time; what was not sent stays."""
        form = cls.of(appointment)
        form.values |= {name: sent[name].strip() for name in MOVED_FIELDS if name in sent}
        return form

    @property
    def revision(self) -> int:
        """The revision it was drawn from; one that matches nothing when that is missing."""
        return reading.whole_number(self.values["revision"], most_digits=MOST_DIGITS) or 0

    def details(
        self, clients: Sequence[Client], timezone: str, types: Sequence[AppointmentType] = ()
    ) -> AppointmentDetails:
        """The domain's value of it. Raises InvalidInput with every problem seen here."""
        kind = _kind(self.values["kind"])
        by_id = {str(client.id): client for client in clients}
        type_ = {str(each.id): each for each in types}.get(self.values["type"])
        if type_ is not None and not self.values["duration"]:
            self.values["duration"] = str(type_.minutes)
        return AppointmentDetails(
            kind=kind,
            when=self._when(kind, timezone),
            client=by_id.get(self.values["client"]),
            title=self.values["title"],
            location=self.values["location"],
            is_free=bool(self.values["is_free"]),
            type=type_,
        )

    def rule(self) -> Rule | None:
        """How it repeats, or None. Raises InvalidInput."""
        if not self.values["repeats"]:
            return None
        problems: dict[str, str] = {}
        by_weekday = self.values["repeats"] == MONTHLY_BY_WEEKDAY
        try:
            frequency = SeriesFrequency.MONTHLY if by_weekday else SeriesFrequency(self.values["repeats"])
        except ValueError:
            raise InvalidInput({"repeats": "Choose how it repeats."}) from None
        every = _whole_number(self.values["every"] or "1", "every", problems)
        until = occurrences = None
        if self.values["ends"] == "date":
            until = _date(self.values["until"], "until", problems)
        elif self.values["ends"] == "after":
            occurrences = _whole_number(self.values["occurrences"], "occurrences", problems)
        if problems:
            raise InvalidInput(problems)
        return Rule(frequency, every, until, occurrences, by_weekday)

    def is_older_than(self, appointment: Appointment) -> bool:
        """Whether something was saved since it was drawn, also what no revision tells, like the place."""
        drawn = self.values["drawn"]
        return bool(drawn) and drawn != appointment.updated_at.isoformat()

    @property
    def scope(self) -> Scope:
        """Which instances it is for; this one unless it says otherwise."""
        return read_scope(self.values["apply_to"])

    def when(self, timezone: str) -> When:
        """Its time alone. Raises InvalidInput."""
        return self._when(_kind(self.values["kind"]), timezone)

    def _when(self, kind: AppointmentKind, timezone: str) -> When:
        problems: dict[str, str] = {}
        date = _date(self.values["date"], "date", problems)
        if self.values["all_day"] and kind is AppointmentKind.OTHER:
            last = _date(self.values["last_day"] or self.values["date"], "last_day", problems)
            if not problems:
                return AllDay(date, last + ONE_DAY, timezone)
        time = _time(self.values["start_time"], problems)
        minutes = _whole_number(self.values["duration"], "duration", problems)
        if problems:
            raise InvalidInput(problems)
        return Timed(date, time, timezone, minutes)


def read_scope(text: str) -> Scope:
    return Scope(text) if text in set(Scope) else Scope.THIS


def _kind(text: str) -> AppointmentKind:
    try:
        return AppointmentKind(text)
    except ValueError:
        raise InvalidInput({"kind": "Choose what kind of appointment it is."}) from None


def _date(text: str, name: str, problems: dict[str, str]) -> dt.date:
    date = reading.day(text)
    if date is None:
        problems[name] = "Give a date, such as 2026-11-18."
        return dt.date.min
    if not EARLIEST <= date <= LATEST:  # beyond, days can no longer be counted on
        problems[name] = f"Give a date between the years {YEARS.start} and {YEARS.stop - 1}."
    return date


def _time(text: str, problems: dict[str, str]) -> dt.time:
    time = reading.time_of_day(text)
    if time is None:
        problems["start_time"] = "Give a time, such as 09:30."
    return time or dt.time()


def _whole_number(text: str, name: str, problems: dict[str, str]) -> int:
    number = reading.whole_number(text, most_digits=MOST_DIGITS_TYPED)
    if number is None:
        problems[name] = "Give a whole number."
    return number or 0
