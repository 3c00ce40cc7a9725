"""The invented practice of the demo: its people, and what their weeks look like. Values only.

All names are invented. A week is a template; what became of an appointment depends on whether it is over.
"""

from __future__ import annotations

import datetime as dt
import enum
from dataclasses import dataclass
from zoneinfo import ZoneInfo

NAME = "Juniper Street"
TIMEZONE = "America/Chicago"
MAPLE, CEDAR, VIDEO = "Maple Room", "Cedar Room", "Video"
LOCATIONS = (MAPLE, CEDAR, VIDEO)
SESSION, LONG, CALL = "Session", "Couples session", "Phone call"
TYPES = {SESSION: 50, LONG: 60, CALL: 15}  # with their minutes


@dataclass(frozen=True, slots=True)
class Person:
    """A provider of the practice."""

    email: str
    name: str
    is_owner: bool = False


WREN = Person("wren.hale@example.com", "Dr. Wren Hale", is_owner=True)
SOL = Person("sol.ortiz@example.com", "Sol Ortiz")
PROVIDERS = (WREN, SOL)

CLIENTS: dict[Person, tuple[str, ...]] = {
    WREN: (
        "Robin Thistle",
        "Avery Larch",
        "Dale Winter",
        "Perry Stone",
        "Kit Bracken",
        "Jules Marsh",
        "Harper Elder",
        "Noel Oakes",
        "Casey Vale",
        "Lane Ashby",
        "Morgan Kestrel",
        "Toby Reed",
        "Ellis Juniper",
        "Quinn Fern",
    ),
    SOL: ("Remy Sorrel", "Blair Heath", "Drew Alder"),
}


class Outcome(enum.Enum):
    """What becomes of an appointment: a no-show is only known afterwards, a cancellation before."""

    KEPT = "kept"
    CANCELED = "canceled"
    LATE_CANCELED = "late-canceled"
    NO_SHOW = "no-show"


@dataclass(frozen=True, slots=True)
class Session:
    """A client session of fifty minutes, or, with `is_contact`, a short call."""

    weekday: int  # Monday is 0
    start: dt.time
    client: str
    outcome: Outcome = Outcome.KEPT
    location: str = MAPLE
    minutes: int = 50
    is_contact: bool = False

    @property
    def type(self) -> str:
        """The practice's type of that length."""
        return next(name for name, minutes in TYPES.items() if minutes == self.minutes)


@dataclass(frozen=True, slots=True)
class OtherEvent:
    """An entry without a client; without a start it takes the whole day."""

    weekday: int
    title: str
    start: dt.time | None = None
    minutes: int = 30


def _at(hour: int, minute: int = 0) -> dt.time:
    return dt.time(hour, minute)


def _call(weekday: int, start: dt.time, client: str) -> Session:
    return Session(weekday, start, client, location=VIDEO, minutes=15, is_contact=True)


MON, TUE, WED, THU, FRI = range(5)

WEEKS: dict[Person, tuple[Session | OtherEvent, ...]] = {
    WREN: (
        Session(MON, _at(9), "Robin Thistle"),
        Session(MON, _at(10), "Avery Larch"),
        Session(MON, _at(11), "Dale Winter", Outcome.NO_SHOW),
        Session(MON, _at(14), "Perry Stone", location=VIDEO),
        _call(MON, _at(15, 15), "Kit Bracken"),
        _call(MON, _at(15, 40), "Jules Marsh"),
        Session(MON, _at(16, 10), "Harper Elder"),
        OtherEvent(TUE, "Notes day"),
        Session(TUE, _at(9), "Noel Oakes"),
        Session(TUE, _at(10), "Casey Vale", Outcome.CANCELED),
        Session(TUE, _at(10), "Lane Ashby", location=VIDEO),
        Session(TUE, _at(14), "Morgan Kestrel", Outcome.LATE_CANCELED),
        Session(TUE, _at(15), "Toby Reed"),
        OtherEvent(TUE, "Letters", _at(16)),
        Session(WED, _at(9), "Robin Thistle"),
        Session(WED, _at(10), "Ellis Juniper", location=VIDEO),
        Session(WED, _at(11), "Avery Larch"),
        Session(WED, _at(13), "Jules Marsh"),
        Session(WED, _at(14, 40), "Perry Stone", location=VIDEO),
        _call(WED, _at(15, 45), "Kit Bracken"),
        Session(WED, _at(16, 15), "Harper Elder", Outcome.CANCELED),
        Session(THU, _at(9), "Noel Oakes"),
        Session(THU, _at(10), "Dale Winter"),
        Session(THU, _at(14), "Quinn Fern", location=VIDEO),
        Session(THU, _at(16), "Toby Reed"),
        _call(FRI, _at(8, 45), "Ellis Juniper"),
        Session(FRI, _at(13), "Morgan Kestrel"),
        Session(FRI, _at(14), "Lane Ashby", location=VIDEO),
        Session(FRI, _at(15), "Casey Vale"),
    ),
    SOL: (
        Session(MON, _at(13), "Remy Sorrel", location=CEDAR),
        Session(WED, _at(9, 30), "Blair Heath", location=VIDEO),
        Session(THU, _at(13), "Drew Alder", location=CEDAR, minutes=60),
        Session(THU, _at(14, 15), "Remy Sorrel", location=CEDAR),
    ),
}
WEEKS_BEFORE, WEEKS_AFTER = 1, 2


@dataclass(frozen=True, slots=True)
class Planned:
    """One entry of one date. `outcome` is None while it still lies ahead."""

    date: dt.date
    entry: Session | OtherEvent
    outcome: Outcome | None


def plan(person: Person, now: dt.datetime) -> list[Planned]:
    """The provider's entries of the weeks around `now`, one week after the other."""
    today = now.astimezone(ZoneInfo(TIMEZONE)).date()
    this_monday = today - dt.timedelta(days=today.weekday())
    mondays = [this_monday + dt.timedelta(weeks=n) for n in range(-WEEKS_BEFORE, WEEKS_AFTER + 1)]
    return [
        Planned(date, entry, _outcome(entry, date, now))
        for monday in mondays
        for entry in WEEKS[person]
        for date in (monday + dt.timedelta(days=entry.weekday),)
        if _happens(entry, monday, this_monday)
    ]


def _happens(entry: Session | OtherEvent, monday: dt.date, this_monday: dt.date) -> bool:
    """Cancellations belong to this week and the last; nobody has canceled the weeks ahead yet."""
    canceled = isinstance(entry, Session) and entry.outcome in (Outcome.CANCELED, Outcome.LATE_CANCELED)
    return monday <= this_monday or not canceled


def _outcome(entry: Session | OtherEvent, date: dt.date, now: dt.datetime) -> Outcome | None:
    if isinstance(entry, OtherEvent):
        return None
    start = dt.datetime.combine(date, entry.start, ZoneInfo(TIMEZONE))
    is_over = start + dt.timedelta(minutes=entry.minutes) <= now
    if is_over or entry.outcome is Outcome.CANCELED:
        return entry.outcome
    return None
