"""Where entries stand in a grid of days: pieces per day, rows of five minutes, lanes side by side. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace

from portal.localtime import ONE_DAY

SLOT_MINUTES = 5
SLOTS_PER_HOUR = 60 // SLOT_MINUTES
SLOTS_PER_DAY = 24 * SLOTS_PER_HOUR
LEAST_SLOTS = 4  # 24 px: the least that can be hit
SHORT_SLOTS = 6  # up to half an hour an entry is one line
TALL_SLOTS = 12  # from an hour on a title may take two lines
MOST_LANES = 8  # of a day by itself
MOST_LANES_OF_MANY = 3  # of a day among others; what is beyond folds into "+3 more"
MOST_COLUMNS = 12  # days, or providers, side by side
LATEST_OPENING = 12
EARLIEST_CLOSING = 13


@dataclass(frozen=True, slots=True)
class Piece:
    """The part of a timed entry that lies in one day: rows `top` up to, not including, `bottom`."""

    index: int  # of the entry in the list that was laid out
    top: int
    bottom: int
    lane: int  # from 1
    lanes: int
    fold: int = 0  # the number of the group it folds into; 0 stands by itself

    @property
    def is_short(self) -> bool:
        return self.bottom - self.top <= SHORT_SLOTS

    @property
    def is_tall(self) -> bool:
        return self.bottom - self.top >= TALL_SLOTS


def lay_out_day(
    day: dt.date, times: Sequence[tuple[dt.datetime, dt.datetime]], most_lanes: int = MOST_LANES
) -> list[Piece]:
    """Pieces of the entries that touch `day`, by their start and end on the wall clock."""
    spans = []
    for index, (starts_at, ends_at) in enumerate(times):
        if starts_at.date() <= day and (ends_at.date() > day or _ends_within(day, starts_at, ends_at)):
            spans.append((index, *rows_in_day(day, starts_at, ends_at)))
    lanes = assign_lanes([(top, bottom) for _, top, bottom in spans])
    pieces = [
        Piece(index, top, bottom, lane, of)
        for (index, top, bottom), (lane, of) in zip(spans, lanes, strict=True)
    ]
    return fold(pieces, most_lanes)


def fold(pieces: Sequence[Piece], most: int) -> list[Piece]:
    """Never more than `most` lanes: what would stand further right shares the last one, group by group.

    A piece that would be a group of its own simply takes that lane.
    """
    groups: list[list[int]] = []
    bottom = 0
    beyond = [number for number, piece in enumerate(pieces) if piece.lanes > most and piece.lane >= most]
    for number in sorted(beyond, key=lambda number: pieces[number].top):
        if not groups or pieces[number].top >= bottom:
            groups.append([])
            bottom = 0
        groups[-1].append(number)
        bottom = max(bottom, pieces[number].bottom)
    group_of = {
        number: index
        for index, group in enumerate((group for group in groups if len(group) > 1), 1)
        for number in group
    }
    return [
        replace(piece, lane=min(piece.lane, most), lanes=min(piece.lanes, most), fold=group_of.get(number, 0))
        for number, piece in enumerate(pieces)
    ]


def rows_in_day(day: dt.date, starts_at: dt.datetime, ends_at: dt.datetime) -> tuple[int, int]:
    """First row and the row after the last, at least 24 px high, within the day.

    On the night when clocks go back an end can stand above its start; such an entry keeps its true length.
    """
    top = _row(starts_at) if starts_at.date() == day else 0
    bottom = -(-_minutes(ends_at) // SLOT_MINUTES) if ends_at.date() == day else SLOTS_PER_DAY
    if bottom <= top and starts_at.date() == day:
        length = (ends_at.timestamp() - starts_at.timestamp()) / 60
        bottom = top + round(length / SLOT_MINUTES)
    bottom = min(max(bottom, top + LEAST_SLOTS), SLOTS_PER_DAY)
    return min(top, bottom - LEAST_SLOTS), bottom


def assign_lanes(spans: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """(lane, number of lanes) for each span: those that overlap, directly or not, share the width."""
    result: list[tuple[int, int]] = [(1, 1)] * len(spans)
    cluster: list[int] = []
    ends: list[int] = []  # where each lane of the cluster is free again
    for index in sorted(range(len(spans)), key=lambda number: (spans[number][0], -spans[number][1], number)):
        top, bottom = spans[index]
        if ends and top >= max(ends):
            _close_cluster(cluster, ends, result)
            cluster, ends = [], []
        lane = next((number for number, end in enumerate(ends) if end <= top), len(ends))
        ends[lane : lane + 1] = [bottom]
        result[index] = (lane + 1, 1)
        cluster.append(index)
    _close_cluster(cluster, ends, result)
    return result


def hours_shown(rows: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """The first hour and the hour after the last that hold all `rows`, within what the grid offers."""
    first = min((top // SLOTS_PER_HOUR for top, _ in rows), default=LATEST_OPENING)
    last = max((-(-bottom // SLOTS_PER_HOUR) for _, bottom in rows), default=EARLIEST_CLOSING)
    return min(first, LATEST_OPENING), max(last, EARLIEST_CLOSING)


def row_of(time: dt.time) -> int:
    """The row in which a time of day lies."""
    return (time.hour * 60 + time.minute) // SLOT_MINUTES


def column_span(first: dt.date, days: int, first_day: dt.date, end_day: dt.date) -> tuple[int, int] | None:
    """First and last column, from 1, of an all-day entry among `days` days; None when it touches none."""
    left = max((first_day - first) // ONE_DAY, 0)
    right = min((end_day - first) // ONE_DAY, days) - 1
    return (left + 1, right + 1) if left <= right else None


def _ends_within(day: dt.date, starts_at: dt.datetime, ends_at: dt.datetime) -> bool:
    """Whether it reaches into `day` at all: an end at midnight does not, unless it began there."""
    if ends_at.date() != day:
        return False
    return starts_at.date() == day or _minutes(ends_at) > 0


def _close_cluster(cluster: Sequence[int], ends: Sequence[int], result: list[tuple[int, int]]) -> None:
    for index in cluster:
        result[index] = (result[index][0], len(ends))


def _row(moment: dt.datetime) -> int:
    return _minutes(moment) // SLOT_MINUTES


def _minutes(moment: dt.datetime) -> int:
    return moment.hour * 60 + moment.minute
