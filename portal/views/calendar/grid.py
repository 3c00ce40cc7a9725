"""A calendar page's body: the grid of days with its all-day row, or days as lists. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from portal.calendar.agenda import Entry
from portal.calendar.layout import (
    MOST_LANES,
    MOST_LANES_OF_MANY,
    SLOT_MINUTES,
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
LEAST_GAP = SLOTS_PER_HOUR // 4  # what is shorter is no free time to book
MONTH_MOST_ENTRIES = 4  # of a day; the rest folds


@dataclass(frozen=True, slots=True)
class Item:
    """An entry as it stands in one day. Only the first of its items on a page is the entry itself."""

    entry: Entry
    is_first: bool
    piece: Piece | None = None


@dataclass(frozen=True, slots=True)
class Fold:
    """Entries of a day that find no room side by side: one thing to open, at the place they share."""

    items: list[Item]
    top: int
    bottom: int
    lane: int

    @property
    def is_first(self) -> bool:
        return self.items[0].is_first


@dataclass(frozen=True, slots=True)
class Column:
    """Whose day it is, where several providers stand side by side."""

    provider_id: int
    name: str


@dataclass(frozen=True, slots=True)
class Gap:
    """Free time within office hours, from a row of the day."""

    top: int
    minutes: int

    @property
    def start(self) -> dt.time:
        return dt.time(self.top // SLOTS_PER_HOUR, self.top % SLOTS_PER_HOUR * SLOT_MINUTES)


@dataclass(frozen=True, slots=True)
class Day:
    """One column of the grid, or one day of a list."""

    date: dt.date
    items: list[Item]
    open_rows: list[tuple[int, int]]
    folds: list[Fold] = field(default_factory=list)
    column: Column | None = None
    gaps: dict[int, Gap] = field(default_factory=dict)  # by the place in `items` before which each stands

    @property
    def everything(self) -> list[Item]:
        """Also what is folded away."""
        return [*self.items, *(item for fold in self.folds for item in fold.items)]

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
    dates: Sequence[dt.date],
    entries: Sequence[Entry],
    hours: Sequence[OfficeHours],
    here: dt.datetime,
    columns: Sequence[Column] = (),
) -> Grid:
    """Lay out `entries` over `dates`, or one date over a column for each provider.

    `here` is the present moment in the zone shown.
    """
    timed = [entry for entry in entries if not is_banner(entry)]
    if columns:
        days = [_provider_day(dates[0], column, timed, hours) for column in columns]
    else:
        most = MOST_LANES if len(dates) == 1 else MOST_LANES_OF_MANY
        days = [_day(date, dates[0], timed, _opens(hours), most) for date in dates]
        if len(days) == 1:
            days = [with_gaps(days[0], here, [entry for entry in entries if is_banner(entry)])]
    rows = [item.piece for day in days for item in day.everything if item.piece]
    usual = _usual_rows(_opens(hours))
    first_hour, end_hour = hours_shown([usual, *((piece.top, piece.bottom) for piece in rows)])
    starts = [item.piece.top for day in days for item in day.everything if item.piece and item.is_first]
    opening = min([usual[0], *(top - AIR for top in starts if top >= MORNING)])
    banners = _banners(dates, entries, columns)
    return Grid(days, banners, first_hour, end_hour, row_of(here.time()), opening)


def with_gaps(day: Day, here: dt.datetime, banners: Sequence[Entry] = ()) -> Day:
    """Also tell what is free, between the entries and from now on. For lists, which draw no empty time.

    `banners`: what stands in the all-day row takes its time too, unless it is marked free.
    """
    if day.date < here.date():
        return day
    earliest = _next_quarter(row_of(here.time())) if day.date == here.date() else 0
    timed = [item.entry for item in day.everything]
    touching = [entry for entry in banners if entry.first_day <= day.date < entry.end_day]
    busy = sorted(_rows(entry, day.date) for entry in [*timed, *touching] if entry.takes_time)
    starts = [_rows(item.entry, day.date)[0] for item in day.items]
    gaps: dict[int, Gap] = {}
    for opens, closes in day.open_rows:
        free_from = max(opens, earliest)
        for top, bottom in [*busy, (closes, closes)]:
            if min(top, closes) - free_from >= LEAST_GAP:
                place = sum(1 for start in starts if start < free_from)
                gaps[place] = Gap(free_from, (min(top, closes) - free_from) * SLOT_MINUTES)
            free_from = max(free_from, bottom)
    return replace(day, gaps=gaps)


def _rows(entry: Entry, date: dt.date) -> tuple[int, int]:
    """The rows an entry really takes of a day, however high it is drawn."""
    if entry.all_day:
        return 0, SLOTS_PER_DAY
    top = row_of(entry.starts_at.time()) if entry.starts_at.date() == date else 0
    return top, row_of(entry.ends_at.time()) if entry.ends_at.date() == date else SLOTS_PER_DAY


def _next_quarter(row: int) -> int:
    return -(-row // LEAST_GAP) * LEAST_GAP


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


def _day(
    date: dt.date,
    first: dt.date,
    timed: Sequence[Entry],
    opens: Sequence[tuple[int, int, int]],
    most_lanes: int,
    column: Column | None = None,
) -> Day:
    pieces = lay_out_day(date, [(entry.starts_at, entry.ends_at) for entry in timed], most_lanes)
    items: list[Item] = []
    folded: dict[int, list[Item]] = {}
    for piece in pieces:
        item = Item(timed[piece.index], date == max(timed[piece.index].first_day, first), piece)
        (folded.setdefault(piece.fold, []) if piece.fold else items).append(item)
    folds = [_fold(group) for group in folded.values()]
    open_rows = [(top, bottom) for weekday, top, bottom in opens if weekday == date.weekday()]
    return Day(date, items, open_rows, folds, column)


def _provider_day(date: dt.date, column: Column, timed: Sequence[Entry], hours: Sequence[OfficeHours]) -> Day:
    own = [entry for entry in timed if entry.provider_id == column.provider_id]
    opens = _opens([row for row in hours if row.provider_id == column.provider_id])
    return _day(date, date, own, opens, MOST_LANES_OF_MANY, column)


def _fold(items: list[Item]) -> Fold:
    pieces = [item.piece for item in items if item.piece]
    return Fold(
        items, min(piece.top for piece in pieces), max(piece.bottom for piece in pieces), pieces[0].lane
    )


def _opens(hours: Iterable[OfficeHours]) -> list[tuple[int, int, int]]:
    return [(row.weekday, row_of(row.opens), row_of(row.closes)) for row in hours]


def _banners(dates: Sequence[dt.date], entries: Sequence[Entry], columns: Sequence[Column]) -> list[Banner]:
    banners = [entry for entry in entries if is_banner(entry)]
    if columns:
        places = {column.provider_id: number for number, column in enumerate(columns, 1)}
        return [Banner(entry, places[entry.provider_id], places[entry.provider_id]) for entry in banners]
    placed = [(entry, column_span(dates[0], len(dates), entry.first_day, entry.end_day)) for entry in banners]
    return [Banner(entry, *span) for entry, span in placed if span]


def _usual_rows(opens: Sequence[tuple[int, int, int]]) -> tuple[int, int]:
    """Office hours with an hour of air on both sides."""
    rows = [(top, bottom) for _, top, bottom in opens] or [USUAL_HOURS]
    top = min(top for top, _ in rows) - SLOTS_PER_HOUR
    bottom = max(bottom for _, bottom in rows) + SLOTS_PER_HOUR
    return max(top, 0), min(bottom, SLOTS_PER_DAY)
