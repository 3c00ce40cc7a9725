"""The feed clock: a day as a ring with midnight on top, each read of the feed a dot, now a hand. Pure."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

AROUND = dt.timedelta(hours=24)
CENTER, RADIUS = 70.0, 52.0  # as in the drawing's view box of 140 x 142
MOST_DOTS = 24  # an app that comes every few minutes would fill the ring

Point = tuple[float, float]
Line = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Dial:
    """Where everything lies in the drawing, and the same in words."""

    reads: tuple[Point, ...]
    ticks: tuple[Line, ...]
    hand: Line
    since: str
    words: str


def draw(reads: Sequence[dt.datetime], *, now: dt.datetime, zone: ZoneInfo) -> Dial:
    """The clock for the reads of the last 24 hours."""
    last = reads[-1] if reads else None
    since = _lasting(now - last) if last else ""
    words = f"Feed clock: last read {since} ago" if last else "Feed clock: not read in the last 24 hours"
    return Dial(
        reads=tuple(_point(_turn(at, zone), RADIUS) for at in reads[-MOST_DOTS:]),
        ticks=tuple(_line(hour / 24, 39, 43) for hour in range(0, 24, 2)),
        hand=_line(_turn(now, zone), 44, 58),
        since=since,
        words=words,
    )


def _turn(instant: dt.datetime, zone: ZoneInfo) -> float:
    """How much of the wall clock's day has passed, from 0 to 1."""
    local = instant.astimezone(zone)
    return (local.hour * 60 + local.minute) / 1440


def _point(turn: float, radius: float) -> Point:
    angle = turn * math.tau
    return round(CENTER + radius * math.sin(angle), 1), round(CENTER - radius * math.cos(angle), 1)


def _line(turn: float, inner: float, outer: float) -> Line:
    return (*_point(turn, inner), *_point(turn, outer))


def _lasting(span: dt.timedelta) -> str:
    minutes = int(span.total_seconds() // 60)
    return f"{minutes // 60} h {minutes % 60} m" if minutes >= 60 else f"{minutes} min"
