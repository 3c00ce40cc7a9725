"""Which moments a recurrence rule names, found by trying each day and each of its times (RFC 5545 §3.3.10).

Slow and plain on purpose, and a reading of its own: the portal is judged by it, so they share no code.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import groupby, product

from sandbox.ground.times import zone

DAY = timedelta(days=1)
WEEKDAYS = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"]
FREQUENCIES = ["YEARLY", "MONTHLY", "WEEKLY", "DAILY", "HOURLY", "MINUTELY", "SECONDLY"]
TIMES = {"BYHOUR": 23, "BYMINUTE": 59, "BYSECOND": 60}  # and the highest number of each
FROM_EITHER_END = {"BYWEEKNO": 53, "BYYEARDAY": 366, "BYMONTHDAY": 31, "BYSETPOS": 366}
WORDS = {"FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST", "BYDAY"}


@dataclass(frozen=True)
class Rule:
    """A rule with the start that it belongs to, on one wall clock."""

    start: datetime
    freq: str
    interval: int
    count: int | None
    until: datetime | None  # on the same wall clock
    week_start: int
    weekdays: list[tuple[int, str]]  # number and name; 0 is no number
    numbers: dict[str, list[int]]  # of the other parts
    is_all_day: bool

    def moments(self, low: datetime, high: datetime) -> Iterator[datetime]:
        """The rule's moments between two others, in order, the start among them only if the rule names it."""
        found = 0
        for moment in self._chosen(self.start if self.count else max(low, self.start), high):
            if moment > high or (self.until and moment > self.until) or found == self.count:
                return
            if moment >= self.start:
                found += 1
                if moment >= low:
                    yield moment

    def _chosen(self, low: datetime, high: datetime) -> Iterator[datetime]:
        """What the rule names in the intervals from `low`'s on; positions count in whole ones."""
        for number, named in groupby(self._named(low, high), self._interval_of):
            if (number - self._interval_of(self.start)) % self.interval:
                continue
            moments = list(named)
            if "BYSETPOS" not in self.numbers:
                yield from moments
                continue
            places = {place - 1 if place > 0 else len(moments) + place for place in self.numbers["BYSETPOS"]}
            yield from [moment for place, moment in enumerate(moments) if place in places]

    def _named(self, low: datetime, high: datetime) -> Iterator[datetime]:
        """Every moment that passes each part, in all of `low`'s interval, and on to all of `high`'s."""
        margin = {"YEARLY": 366, "MONTHLY": 31, "WEEKLY": 7}.get(self.freq, 1) * DAY
        day = max(low.date(), date(3, 1, 1)) - margin
        last = min(high.date(), date(9990, 1, 1)) + margin
        clocks = self._clock()
        while day <= last:
            if self._names_day(day):
                for clock in clocks:
                    yield datetime.combine(day, clock)
            day += DAY

    def _interval_of(self, moment: datetime) -> int:
        """A number that all moments of one interval have, and the next interval has the next."""
        if self.freq == "YEARLY":
            return moment.year
        if self.freq == "MONTHLY":
            return moment.year * 12 + moment.month
        since = moment - datetime(1, 1, 1)  # noqa: DTZ001 - a Monday
        if self.freq == "WEEKLY":
            return (since.days - self.week_start) // 7
        length = {"DAILY": DAY, "HOURLY": DAY / 24, "MINUTELY": DAY / 1440, "SECONDLY": DAY / 86400}
        return since // length[self.freq]

    def _names_day(self, day: date) -> bool:
        if self.weekdays and not any(self._is_weekday(day, *named) for named in self.weekdays):
            return False
        named = ((PLACES[part], numbers) for part, numbers in self.numbers.items() if part in PLACES)
        return all(
            any(place in numbers for place in places(day, self.week_start)) for places, numbers in named
        )

    def _is_weekday(self, day: date, number: int, name: str) -> bool:
        """Numbers count in the month when there is one, else in the year; a week has none."""
        if WEEKDAYS[day.weekday()] != name:
            return False
        if number == 0 or self.freq not in ("YEARLY", "MONTHLY"):
            return True
        in_month = self.freq == "MONTHLY" or "BYMONTH" in self.numbers
        step, count, other = 7 * DAY if number < 0 else -7 * DAY, 0, day
        while other.year == day.year and (other.month == day.month or not in_month):
            count, other = count + 1, other + step
        return count == abs(number)

    def _clock(self) -> list[time]:
        """The times that are tried on each day."""
        if self.is_all_day:
            return [time()]
        steps = FREQUENCIES.index(self.freq) - FREQUENCIES.index("DAILY")  # 1: every hour, 2: every minute …
        own = [self.start.hour, self.start.minute, self.start.second]
        choices = [
            self.numbers.get(part) or (range(min(most, 59) + 1) if place < steps else [own[place]])
            for place, (part, most) in enumerate(TIMES.items())
        ]
        return sorted({time(hour, minute, min(second, 59)) for hour, minute, second in product(*choices)})


# Where a day stands, counted from either end


def _in_month(day: date, week_start: int) -> tuple[int, int]:
    last = (day.replace(day=28) + 4 * DAY).replace(day=1) - DAY
    return day.day, day.day - last.day - 1


def _in_year(day: date, week_start: int) -> tuple[int, int]:
    return _day_of_year(day), _day_of_year(day) - _day_of_year(day.replace(month=12, day=31)) - 1


def _week(day: date, week_start: int) -> tuple[int, int]:
    """The number of its week in the year that holds the week's fourth day."""
    fourth = day - (day.weekday() - week_start) % 7 * DAY + 3 * DAY
    from_first = (_day_of_year(fourth) - 1) // 7
    from_last = (_day_of_year(fourth.replace(month=12, day=31)) - _day_of_year(fourth)) // 7
    return from_first + 1, -from_last - 1


def _day_of_year(day: date) -> int:
    return (day - day.replace(month=1, day=1)).days + 1


PLACES: dict[str, Callable[[date, int], tuple[int, ...]]] = {
    "BYMONTH": lambda day, _: (day.month,),
    "BYWEEKNO": _week,
    "BYYEARDAY": _in_year,
    "BYMONTHDAY": _in_month,
}


# Reading


@lru_cache(maxsize=4096)
def read(text: str, start: datetime, zone_name: str, *, is_all_day: bool) -> Rule:
    """The rule that a text says. Raises ValueError when it says none."""
    parts = dict(_split(part) for part in text.upper().rstrip(";").split(";"))
    if is_all_day:  # §3.3.10: times must be ignored there
        parts = {name: value for name, value in parts.items() if name not in TIMES}
    known = WORDS | {"BYMONTH"} | TIMES.keys() | FROM_EITHER_END.keys()
    if not parts.keys() <= known or parts.get("FREQ") not in FREQUENCIES:
        raise ValueError("not a rule")
    if {"COUNT", "UNTIL"} <= parts.keys():
        raise ValueError("COUNT and UNTIL exclude each other")
    numbers = {name: _numbers(name, value) for name, value in parts.items() if name not in WORDS}
    weekdays = [_weekday(value) for value in parts["BYDAY"].split(",")] if "BYDAY" in parts else []
    _fill_in(parts["FREQ"], numbers, weekdays, start)
    return Rule(
        start=start,
        freq=parts["FREQ"],
        interval=_positive(parts.get("INTERVAL", "1")),
        count=_positive(parts["COUNT"]) if "COUNT" in parts else None,
        until=_until(parts["UNTIL"], zone_name, is_all_day=is_all_day) if "UNTIL" in parts else None,
        week_start=WEEKDAYS.index(parts.get("WKST", "MO")),
        weekdays=weekdays,
        numbers=numbers,
        is_all_day=is_all_day,
    )


def _split(part: str) -> tuple[str, str]:
    name, _, value = part.partition("=")
    return name.strip(), value.strip()


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise ValueError("not a positive number")
    return int(text)


def _numbers(name: str, text: str) -> list[int]:
    numbers = [int(number) for number in text.split(",")]
    if name in TIMES:
        allowed: Iterable[int] = range(TIMES[name] + 1)
    elif name == "BYMONTH":
        allowed = range(1, 13)
    else:
        allowed = {sign * number for number in range(1, FROM_EITHER_END[name] + 1) for sign in (1, -1)}
    if not all(number in allowed for number in numbers):
        raise ValueError(f"{name} is out of range")
    return numbers


def _weekday(text: str) -> tuple[int, str]:
    number, name = text.strip()[:-2], text.strip()[-2:]
    if name not in WEEKDAYS or (number and not 1 <= abs(int(number)) <= 53):
        raise ValueError("not a weekday")
    return int(number or 0), name


def _fill_in(
    freq: str, numbers: dict[str, list[int]], weekdays: list[tuple[int, str]], start: datetime
) -> None:
    """What a rule doesn't say, its start does."""
    if weekdays or {"BYMONTHDAY", "BYYEARDAY"} & numbers.keys():
        return
    if freq == "WEEKLY" or "BYWEEKNO" in numbers:
        weekdays.append((0, WEEKDAYS[start.weekday()]))
    elif freq in ("MONTHLY", "YEARLY"):
        numbers["BYMONTHDAY"] = [start.day]
        if freq == "YEARLY" and "BYMONTH" not in numbers:
            numbers["BYMONTH"] = [start.month]


def _until(text: str, zone_name: str, *, is_all_day: bool) -> datetime:
    """The last moment on the series' wall clock. UNTIL of a timed series is UTC; of a day, its end."""
    if len(text) == len("20261123"):
        return datetime.strptime(text + "235959", "%Y%m%d%H%M%S")  # noqa: DTZ007 - wall clock on purpose
    moment = datetime.strptime(text.removesuffix("Z"), "%Y%m%dT%H%M%S")  # noqa: DTZ007
    if not text.endswith("Z") or is_all_day:
        return moment
    return moment.replace(tzinfo=UTC).astimezone(zone(zone_name)).replace(tzinfo=None)
