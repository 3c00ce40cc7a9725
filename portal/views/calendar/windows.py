"""Which days a calendar page shows, what stands before and after, and what its heading says. Pure."""

from __future__ import annotations

import calendar
import datetime as dt
from dataclasses import dataclass, replace

from portal import reading
from portal.localtime import ONE_DAY
from portal.views.page.bounds import EARLIEST, LATEST
from portal.views.page.wording import day_name, day_span, month_name

VIEWS = ("month", "week", "day", "agenda")
AGENDA_DAYS = 30


@dataclass(frozen=True, slots=True)
class Window:
    """A view at a date. `end` is exclusive."""

    view: str
    date: dt.date

    @property
    def first(self) -> dt.date:
        match self.view:
            case "month":
                return monday_of(self.date.replace(day=1))
            case "week":
                return monday_of(self.date)
            case _:
                return self.date

    @property
    def end(self) -> dt.date:
        match self.view:
            case "month":
                return monday_of(_shift_months(self.date.replace(day=1), 1) - ONE_DAY) + 7 * ONE_DAY
            case "week":
                return self.first + 7 * ONE_DAY
            case "day":
                return self.date + ONE_DAY
            case _:
                return self.date + AGENDA_DAYS * ONE_DAY

    @property
    def days(self) -> list[dt.date]:
        return [self.first + number * ONE_DAY for number in range((self.end - self.first).days)]

    @property
    def previous(self) -> dt.date:
        return self._shifted(-1)

    @property
    def next(self) -> dt.date:
        return self._shifted(1)

    @property
    def heading(self) -> tuple[str, str]:
        """The words, and the year that stands fainter beside them."""
        last = self.end - ONE_DAY
        match self.view:
            case "month":
                return month_name(self.date), str(self.date.year)
            case "day":
                return f"{day_name(self.date, short=True)}, {_short(self.date)}", str(self.date.year)
            case "agenda":
                return day_span(self.first, self.end), str(self.first.year)
            case _:
                until = str(last.day) if last.month == self.first.month else _short(last)
                years = {self.first.year, last.year}
                return f"{_short(self.first)} – {until}", " – ".join(str(year) for year in sorted(years))

    def at(self, date: dt.date) -> Window:
        return replace(self, date=date)

    def _shifted(self, direction: int) -> dt.date:
        match self.view:
            case "month":
                moved = _shift_months(self.date, direction)
            case "week":
                moved = self.date + 7 * direction * ONE_DAY
            case "day":
                moved = self.date + direction * ONE_DAY
            case _:
                moved = self.date + AGENDA_DAYS * direction * ONE_DAY
        return min(max(moved, EARLIEST), LATEST)


def read_window(view: str | None, date: str | None, *, today: dt.date, usual_view: str) -> Window:
    """A window from what stands in an address; anything that makes no sense falls back to today's."""
    known = view if view in VIEWS else usual_view if usual_view in VIEWS else "week"
    day = reading.day(date or "") or today
    return Window(known, day if EARLIEST <= day <= LATEST else today)


def monday_of(date: dt.date) -> dt.date:
    return date - date.weekday() * ONE_DAY


def weeks_of_month(date: dt.date) -> list[list[dt.date]]:
    """The weeks, Monday first, that touch the month of `date`."""
    return calendar.Calendar(firstweekday=0).monthdatescalendar(date.year, date.month)


def _shift_months(date: dt.date, months: int) -> dt.date:
    """The same day of another month, or that month's last day."""
    year, month = divmod(date.year * 12 + date.month - 1 + months, 12)
    return dt.date(year, month + 1, min(date.day, calendar.monthrange(year, month + 1)[1]))


def _short(date: dt.date) -> str:
    return f"{month_name(date)} {date.day}"
