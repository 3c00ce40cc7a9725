"""A calendar page's body: the grid of days with its all-day row, or days as lists. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from portal.agenda import Entry
from portal.layout import (
    SLOTS_PER_DAY,
    SLOTS_PER_HOUR,
    Piece,
    column_span,
    hours_shown,
    lay_out_day,
    row_of,
)
from portal.localtime import ONE_DAY
from portal.models import OfficeHours

USUAL_HOURS = (8 * SLOTS_PER_HOUR, 18 * SLOTS_PER_HOUR)
MORNING = 5 * SLOTS_PER_HOUR  # what begins earlier belongs to the night
AIR = SLOTS_PER_HOUR // 2
MONTH_MOST_ENTRIES = 4  # of a day; the rest folds


@dataclass(frozen=True, slots=True)
class Item:
    """An entry as it stands in one day. Only the first of its items on a page is the entry itself."""

    entry: Entry
    is_first: bool
    piece: Piece | None = None


@dataclass(frozen=True, slots=True)
class Day:
    """One column of the grid, or one day of a list."""

    date: dt.date
    items: list[Item]
    open_rows: list[tuple[int, int]]

    @property
    def shown(self) -> list[Item]:
        """In a month: what stands in the cell. One more than fits is shown rather than folded alone."""
        fits = len(self.items) <= MONTH_MOST_ENTRIES + 1
        return self.items if fits else self.items[:MONTH_MOST_ENTRIES]

    @property
    def folded(self) -> list[Item]:
        return self.items[len(self.shown) :]


@dataclass(frozen=True, slots=True)
class Banner:
    """An all-day entry, or one of a day and longer, across the columns `left` to `right`."""

    entry: Entry
    left: int
    right: int


@dataclass(frozen=True, slots=True)
class Grid:
    """Days side by side."""

    days: list[Day]
    banners: list[Banner]
    first_hour: int
    end_hour: int
    now_row: int
    opening_row: int  # where the day begins: with office hours, or an entry in the early morning

    def shows_now(self, today: dt.date) -> bool:
        """Whether the present moment lies in what is drawn."""
        drawn = self.first_hour * SLOTS_PER_HOUR <= self.now_row < self.end_hour * SLOTS_PER_HOUR
        return drawn and any(day.date == today for day in self.days)

    @property
    def hours(self) -> range:
        """The hours whose line is labelled."""
        return range(self.first_hour + 1, self.end_hour)


def build_grid(
    dates: Sequence[dt.date], entries: Sequence[Entry], hours: Iterable[OfficeHours], here: dt.datetime
) -> Grid:
    """Lay out `entries` over `dates`; `here` is the present moment in the zone shown."""
    timed = [entry for entry in entries if not is_banner(entry)]
    opens = [(row.weekday, row_of(row.opens), row_of(row.closes)) for row in hours]
    days = [_day(date, dates[0], timed, opens) for date in dates]
    rows = [item.piece for day in days for item in day.items if item.piece]
    usual = _usual_rows(opens)
    first_hour, end_hour = hours_shown([usual, *((piece.top, piece.bottom) for piece in rows)])
    starts = [item.piece.top for day in days for item in day.items if item.piece and item.is_first]
    opening = min([usual[0], *(top - AIR for top in starts if top >= MORNING)])
    return Grid(days, _banners(dates, entries), first_hour, end_hour, row_of(here.time()), opening)


def list_days(dates: Sequence[dt.date], entries: Sequence[Entry]) -> list[Day]:
    """Each day with everything that touches it, all-day entries first."""
    days = []
    for date in dates:
        touching = [entry for entry in entries if entry.first_day <= date < entry.end_day]
        touching.sort(key=lambda entry: (not is_banner(entry), entry.starts_at.timestamp()))
        items = [Item(entry, date == max(entry.first_day, dates[0])) for entry in touching]
        days.append(Day(date, items, []))
    return days


def is_banner(entry: Entry) -> bool:
    """Whether it stands in the all-day row."""
    return entry.all_day or entry.ends_at.timestamp() - entry.starts_at.timestamp() >= ONE_DAY.total_seconds()


def _day(date: dt.date, first: dt.date, timed: Sequence[Entry], opens: Sequence[tuple[int, int, int]]) -> Day:
    pieces = lay_out_day(date, [(entry.starts_at, entry.ends_at) for entry in timed])
    items = [
        Item(timed[piece.index], date == max(timed[piece.index].first_day, first), piece) for piece in pieces
    ]
    return Day(date, items, [(top, bottom) for weekday, top, bottom in opens if weekday == date.weekday()])


def _banners(dates: Sequence[dt.date], entries: Sequence[Entry]) -> list[Banner]:
    placed = [
        (entry, column_span(dates[0], len(dates), entry.first_day, entry.end_day))
        for entry in entries
        if is_banner(entry)
    ]
    return [Banner(entry, *columns) for entry, columns in placed if columns]


def _usual_rows(opens: Sequence[tuple[int, int, int]]) -> tuple[int, int]:
    """Office hours with an hour of air on both sides."""
    rows = [(top, bottom) for _, top, bottom in opens] or [USUAL_HOURS]
    top = min(top for top, _ in rows) - SLOTS_PER_HOUR
    bottom = max(bottom for _, bottom in rows) + SLOTS_PER_HOUR
    return max(top, 0), min(bottom, SLOTS_PER_DAY)
