"""Local date, time and zone to instants, and back. Pure.

RFC 5545 §3.3.5: a local time that a clock change skips is read with the offset before the gap; one that
happens twice is the first of the two.
"""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

ONE_DAY = dt.timedelta(days=1)


def to_instant(date: dt.date, time: dt.time, timezone: str) -> dt.datetime:
    """The UTC instant of a wall-clock time. `fold=0` is exactly the rule above, for gap and fold."""
    local = dt.datetime.combine(date, time.replace(fold=0, tzinfo=None), tzinfo=ZoneInfo(timezone))
    return local.astimezone(dt.UTC)


def start_of_day(date: dt.date, timezone: str) -> dt.datetime:
    """The UTC instant at which `date` begins in the zone."""
    return to_instant(date, dt.time(0), timezone)


def to_local(instant: dt.datetime, timezone: str) -> dt.datetime:
    """The wall clock in the zone at an instant, with its offset."""
    return instant.astimezone(ZoneInfo(timezone))


def today(now: dt.datetime, timezone: str) -> dt.date:
    """The date in the zone at `now`."""
    return to_local(now, timezone).date()
