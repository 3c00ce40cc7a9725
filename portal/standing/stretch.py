"""What a comparison speaks of: a stretch of days, what Google holds, the verdict on one entry."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from portal.localtime import ONE_DAY, start_of_day
from portal.models import GoogleCalendar
from portal.sync import shown
from portal.sync.event import Event, EventTime

FINE = shown.REASONS | {"in-step", "shown", "shown-free", "not-chosen", "waiting"}
MOST_ASKED_FOR = 8  # requests, one after another
WIDEST_OFFSET = dt.timedelta(hours=14)  # whole days are kept by the midnights of another zone


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One entry of either side, and what is to be said of it. `verdict` is a code; FINE ones agree."""

    verdict: str
    start: EventTime
    end: EventTime
    summary: str
    calendar: int  # our row's id
    appointment_id: int | None = None
    html_link: str | None = None
    has_guests: bool = False

    @property
    def is_fine(self) -> bool:
        return self.verdict in FINE


@dataclass(frozen=True, slots=True)
class Found:
    """One resource as Google has it now."""

    event: Event
    has_guests: bool
    is_understood: bool = True


@dataclass(frozen=True, slots=True)
class Stretch:
    """Days of the provider's own zone."""

    first: dt.date
    end: dt.date
    timezone: str

    @classmethod
    def of(cls, calendar: GoogleCalendar, first: dt.date, end: dt.date) -> Stretch:
        return cls(first, end, calendar.connection.provider.timezone)

    @property
    def after(self) -> dt.datetime:
        return start_of_day(self.first, self.timezone)

    @property
    def before(self) -> dt.datetime:
        return start_of_day(self.end, self.timezone)

    @property
    def widened(self) -> tuple[dt.datetime, dt.datetime]:
        """Instants around these days: whole days are kept by the midnights of another zone."""
        return self.after - WIDEST_OFFSET, self.before + WIDEST_OFFSET

    def holds(self, start: EventTime, end: EventTime) -> bool:
        """Whether an entry touches these days; one that ends at midnight does not touch the next."""
        if start.date is not None and end.date is not None:
            return start.date < self.end and max(end.date, start.date + ONE_DAY) > self.first
        last = max(end.instant, start.instant + dt.timedelta(microseconds=1))
        return start.instant < self.before and last > self.after


def is_in(item: Item, stretch: Stretch) -> bool:
    return stretch.holds(item.start, item.end)
