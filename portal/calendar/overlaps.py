"""What a time would overlap: one appointment, each date of a series, or all that lies ahead in a new zone."""

from __future__ import annotations

import datetime as dt
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, takewhile
from math import inf

from portal.calendar import agenda
from portal.calendar.agenda import Entry, Filters
from portal.localtime import ONE_DAY, start_of_day, today
from portal.models import Appointment, Provider
from portal.practice import series, zones
from portal.practice.series import Rule, Scope
from portal.practice.spans import Timed, When, in_zone, when_of

MOST_NAMED = 4


@dataclass(frozen=True, slots=True)
class Overlaps:
    """The entries in the way of the first date, and how many of all the dates have something in the way."""

    entries: list[Entry]
    dates: int
    of_dates: int
    clock_change: str = ""  # what a change of the clocks makes of the time, in words

    @property
    def is_any(self) -> bool:
        return self.dates > 0

    @property
    def named(self) -> list[Entry]:
        return self.entries[:MOST_NAMED]


NOTHING = Overlaps([], 0, 0)


def of_dates(
    provider: Provider,
    when: When,
    rule: Rule | None,
    *,
    appointment: Appointment | None,
    scope: Scope,
    now: dt.datetime,
) -> Overlaps:
    """What a booking at `when`, or `appointment` moved there, overlaps. Whole days take their time too."""
    spans, moved = _spans(when, rule, appointment, scope, now)
    found = agenda.overlapping(provider, spans, now=now, but_ids=moved)
    return Overlaps(found[0], sum(1 for entries in found if entries), len(spans))


def count_in_the_way(provider: Provider, timezone: str, *, now: dt.datetime) -> int:
    """How many would overlap an event from Google, were the clock times kept."""
    rows = [
        row for row in zones.ahead(provider, now=now) if row.is_live and not row.all_day and not row.is_free
    ]
    if not rows:
        return 0
    spans = [(when.starts_at, when.ends_at) for when in _moved(rows, timezone)]
    first, end = spans[0][0].date() - ONE_DAY, max(span[1] for span in spans).date() + 2 * ONE_DAY
    only_google = Filters(sessions=False, other=False)
    found = agenda.gather(provider, first, end, filters=only_google, now=now)
    events = sorted(_stretch_of(entry, timezone) for entry in found if entry.takes_time)
    starts = [start for start, _ in events]
    ended_by = list(accumulate((end for _, end in events), max))
    return sum(1 for span in spans if _latest_end(starts, ended_by, span[1]) > span[0].timestamp())


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


def _stretch_of(entry: Entry, timezone: str) -> tuple[float, float]:
    """The moments at which it would begin and end in the zone: whole days keep their dates."""
    if entry.all_day:
        days = (start_of_day(day, timezone) for day in (entry.first_day, entry.end_day))
        start, end = (moment.timestamp() for moment in days)
        return start, end
    return entry.starts_at.timestamp(), entry.ends_at.timestamp()


def _latest_end(starts: Sequence[float], ended_by: Sequence[float], before: dt.datetime) -> float:
    """When the last of those that begin before an instant ends; both lists go by start."""
    count = bisect_left(starts, before.timestamp())
    return ended_by[count - 1] if count else -inf


def _moved(rows: Sequence[Appointment], timezone: str) -> list[Timed]:
    found = [zones.after_move(row, timezone, zones.Kept.CLOCK) for row in rows]
    return [when for when in found if isinstance(when, Timed)]
