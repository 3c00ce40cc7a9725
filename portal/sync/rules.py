"""One recurrence rule on the wall clock (RFC 5545 §3.3.10). UNTIL and COUNT are the caller's.

A rule repeats an interval (a year, a month, a week …). Its parts each name days, and what all of them name is
taken, at all of its times; BYSETPOS picks from that. What the rule doesn't say, its first date does.
"""

from __future__ import annotations

import calendar
import datetime as dt
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

WEEKDAYS = {"MO": 0, "TU": 1, "WE": 2, "TH": 3, "FR": 4, "SA": 5, "SU": 6}
SUBDAILY = {"HOURLY": 24, "MINUTELY": 24 * 60, "SECONDLY": 24 * 60 * 60}  # intervals in a day
DAYS = {"YEARLY": 366, "MONTHLY": 31, "WEEKLY": 7, "DAILY": 1} | dict.fromkeys(SUBDAILY, 1)
LEAST_AND_MOST = {
    "BYMONTH": (1, 12), "BYWEEKNO": (-53, 53), "BYYEARDAY": (-366, 366), "BYMONTHDAY": (-31, 31),
    "BYHOUR": (0, 23), "BYMINUTE": (0, 59), "BYSECOND": (0, 60), "BYSETPOS": (-366, 366),
}  # fmt: skip
TIMES = ("BYHOUR", "BYMINUTE", "BYSECOND")
PARTS = {"FREQ", "INTERVAL", "WKST", "BYDAY"} | LEAST_AND_MOST.keys()
ANY: frozenset[int] = frozenset()
MIDNIGHT = (frozenset({0}),) * 3
MONTHS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
MOST_WEEKS = 53  # in a year: no weekday has a higher number
LAST_DAY = dt.date.max.toordinal()
POSITIVE = re.compile(r"0*[1-9][0-9]{0,8}")
WEEKDAY = re.compile(r"([+-]?\d{1,2})?(MO|TU|WE|TH|FR|SA|SU)")

Test = Callable[[dt.date], bool]


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule with its first date, which says what the rule leaves open. An empty part names everything."""

    freq: str
    interval: int
    first: dt.datetime  # naive, on the event's wall clock
    is_all_day: bool
    week_start: int  # 0 is Monday
    months: frozenset[int]
    month_days: frozenset[int]
    weekdays: frozenset[int]
    tests: tuple[Test, ...]  # a day of the rule passes each of them
    hours: frozenset[int]
    minutes: frozenset[int]
    seconds: frozenset[int]
    times: tuple[dt.time, ...]  # of a day; those of an interval shorter than a day are found with it
    positions: frozenset[int]

    def walls(self, low: dt.datetime, high: dt.datetime) -> Iterator[dt.datetime]:
        """The wall times from the first date to `high`, in order, without whole intervals before `low`."""
        before: dt.datetime | None = None
        for number in self.intervals(low, high):
            for wall in self._chosen(number):
                if wall > high:
                    return
                if wall >= self.first and wall != before:  # a date-only series has one a day
                    before = wall
                    yield wall

    def intervals(self, low: dt.datetime, high: dt.datetime) -> range:
        """The numbers of the rule's intervals from `low`, or the first date, to `high`."""
        begin = self._number(self.first)
        skipped = max(0, self._number(low) - begin) // self.interval
        return range(begin + skipped * self.interval, self._number(high) + 1, self.interval)

    def _number(self, wall: dt.datetime) -> int:
        """Which interval of all time a wall time lies in."""
        if self.freq == "YEARLY":
            return wall.year
        if self.freq == "MONTHLY":
            return wall.year * 12 + wall.month - 1
        day = wall.toordinal()
        if self.freq == "WEEKLY":
            return (day - 1 - self.week_start) // 7
        seconds = wall.hour * 3600 + wall.minute * 60 + wall.second
        a_day = SUBDAILY.get(self.freq, 1)
        return day * a_day + seconds * a_day // 86_400

    def _chosen(self, number: int) -> Iterator[dt.datetime]:
        """The wall times of one interval. Those before the first date count for BYSETPOS."""
        days, times = self._days(number), self._times(number)
        if not self.positions:
            for day in days:
                for time in times:
                    yield dt.datetime.combine(day, time)
            return
        number_of = len(days) * len(times)
        indexes = {place - 1 if place > 0 else number_of + place for place in self.positions}
        for index in sorted(indexes):
            if 0 <= index < number_of:
                yield dt.datetime.combine(days[index // len(times)], times[index % len(times)])

    def _days(self, number: int) -> list[dt.date]:
        """The days of an interval that the rule names, in order."""
        days = self._candidates(number)
        for test in self.tests:
            days = filter(test, days)
        return list(days)

    def _candidates(self, number: int) -> Iterable[dt.date]:
        if self.freq == "YEARLY":
            months = sorted(self.months) or range(1, 13)
            return [day for month in months for day in self._of_month(number, month)]
        if self.freq == "MONTHLY":
            return self._of_month(number // 12, number % 12 + 1)
        if self.freq == "WEEKLY":
            begin = number * 7 + 1 + self.week_start
            days = (begin + step for step in range(7) if (self.week_start + step) % 7 in self.weekdays)
            return [dt.date.fromordinal(day) for day in days if 0 < day <= LAST_DAY]
        return [dt.date.fromordinal(number // SUBDAILY.get(self.freq, 1))]

    def _of_month(self, year: int, month: int) -> list[dt.date]:
        length = _month_length(year, month)
        if not self.month_days:
            return [dt.date(year, month, day) for day in range(1, length + 1)]
        days = {day if day > 0 else length + 1 + day for day in self.month_days}
        return [dt.date(year, month, day) for day in sorted(days) if 0 < day <= length]

    def _times(self, number: int) -> tuple[dt.time, ...]:
        a_day = SUBDAILY.get(self.freq)
        if a_day is None or self.is_all_day:
            return self.times
        seconds = number % a_day * (86_400 // a_day)
        hour, minute, second = seconds // 3600, seconds // 60 % 60, seconds % 60
        if self.hours and hour not in self.hours:
            return ()
        if self.freq == "HOURLY":
            return _times({hour}, self.minutes, self.seconds)
        if self.minutes and minute not in self.minutes:
            return ()
        if self.freq == "MINUTELY":
            return _times({hour}, {minute}, self.seconds)
        return _times({hour}, {minute}, {second} & (self.seconds or {second}))


def read(parts: Mapping[str, str], first: dt.datetime, *, is_all_day: bool) -> Rule:
    """The rule of these parts, by their names in capitals, for a series that begins at `first`.

    For whole days BYHOUR and its kin are ignored, whatever they say. Raises ValueError for nonsense.
    """
    freq = parts.get("FREQ", "").upper()
    if freq not in DAYS or not parts.keys() <= PARTS:
        raise ValueError("not a rule")
    meant = {name: text for name, text in parts.items() if not (is_all_day and name in TIMES)}
    named = {name: _numbers(name, meant[name]) for name in LEAST_AND_MOST if name in meant}
    weekdays, numbered = _weekdays(freq, parts.get("BYDAY"))
    weekdays |= _told_by_the_first_date(freq, named, first, says_weekdays="BYDAY" in parts)
    hours, minutes, seconds = MIDNIGHT if is_all_day else _clock(freq, named, first.time())
    week_start = _weekday(parts.get("WKST", "MO").upper())[1]
    return Rule(
        freq=freq,
        interval=positive(parts.get("INTERVAL", "1")),
        first=first,
        is_all_day=is_all_day,
        week_start=week_start,
        months=named.get("BYMONTH", ANY),
        month_days=named.get("BYMONTHDAY", ANY),
        weekdays=weekdays,
        tests=tuple(_tests(freq, named, weekdays, numbered, week_start)),
        hours=hours,
        minutes=minutes,
        seconds=seconds,
        times=_times(hours, minutes, seconds),
        positions=named.get("BYSETPOS", ANY),
    )


def positive(text: str) -> int:
    """COUNT or INTERVAL: at least 1 (RFC 5545 §3.3.10). Raises ValueError for anything else."""
    if POSITIVE.fullmatch(text) is None:
        raise ValueError("not a positive number")
    return int(text)


def _numbers(name: str, text: str) -> frozenset[int]:
    least, most = LEAST_AND_MOST[name]
    numbers = frozenset(map(int, text.split(",")))
    if not all(least <= each <= most and (each or least == 0) for each in numbers):
        raise ValueError(f"{name} out of range")
    return numbers


def _weekdays(freq: str, text: str | None) -> tuple[frozenset[int], frozenset[tuple[int, int]]]:
    """The weekdays of BYDAY: plain ones, and those with a number, which counts in years and months only."""
    named = [_weekday(one) for one in text.upper().split(",")] if text is not None else []
    counts = freq in ("YEARLY", "MONTHLY")
    plain = frozenset(weekday for place, weekday in named if not place or not counts)
    return plain, frozenset(pair for pair in named if pair[0] and counts)


def _weekday(text: str) -> tuple[int, int]:
    """`-1FR` as (-1, 4); 0 stands for no number."""
    match = WEEKDAY.fullmatch(text.strip())
    if match is None or (match[1] and not 1 <= abs(int(match[1])) <= MOST_WEEKS):
        raise ValueError("not a weekday")
    return int(match[1] or 0), WEEKDAYS[match[2]]


def _told_by_the_first_date(
    freq: str, named: dict[str, frozenset[int]], first: dt.datetime, *, says_weekdays: bool
) -> frozenset[int]:
    """Where the rule names no days: enter the day of the month, and the month, or give the weekday."""
    if says_weekdays or "BYMONTHDAY" in named or "BYYEARDAY" in named:
        return ANY
    if freq == "WEEKLY" or "BYWEEKNO" in named:
        return frozenset({first.weekday()})
    if freq in ("YEARLY", "MONTHLY"):
        named["BYMONTHDAY"] = frozenset({first.day})
    if freq == "YEARLY":
        named.setdefault("BYMONTH", frozenset({first.month}))
    return ANY


def _clock(freq: str, named: Mapping[str, frozenset[int]], first: dt.time) -> tuple[frozenset[int], ...]:
    """Hours, minutes and seconds. What the interval steps through may be any, unless the rule names it."""
    stepped = {"HOURLY": 1, "MINUTELY": 2, "SECONDLY": 3}.get(freq, 0)
    own = zip(TIMES, (first.hour, first.minute, first.second), strict=True)
    return tuple(
        named.get(name, ANY if place < stepped else frozenset({number}))
        for place, (name, number) in enumerate(own)
    )


def _times(hours: Iterable[int], minutes: Iterable[int], seconds: Iterable[int]) -> tuple[dt.time, ...]:
    """In order. A leap second is the one before (§3.3.12)."""
    shown = sorted({min(second, 59) for second in seconds})
    return tuple(
        dt.time(hour, minute, second)
        for hour in sorted(hours)
        for minute in sorted(minutes)
        for second in shown
    )


# What each part asks of a day


def _tests(
    freq: str,
    named: Mapping[str, frozenset[int]],
    weekdays: frozenset[int],
    numbered: frozenset[tuple[int, int]],
    week_start: int,
) -> Iterator[Test]:
    """One test for each part that names days; where the interval's own days fit already, none is needed."""
    if "BYMONTH" in named and freq != "YEARLY":
        yield lambda day: day.month in named["BYMONTH"]
    if "BYMONTHDAY" in named and freq not in ("YEARLY", "MONTHLY"):
        yield lambda day: _from_either_end(day.day, _month_length(day.year, day.month), named["BYMONTHDAY"])
    if "BYYEARDAY" in named:
        yield lambda day: _from_either_end(*_day_of_year(day), named["BYYEARDAY"])
    if "BYWEEKNO" in named:
        yield lambda day: _from_either_end(*_week_of_year(day, week_start), named["BYWEEKNO"])
    if numbered:
        place = _place_in_month if freq == "MONTHLY" or "BYMONTH" in named else _place_in_year
        some = {weekday for _, weekday in numbered}
        yield (
            lambda day: (
                day.weekday() in weekdays or (day.weekday() in some and not numbered.isdisjoint(place(day)))
            )
        )
    elif weekdays and freq != "WEEKLY":
        yield lambda day: day.weekday() in weekdays


def _from_either_end(place: int, number_of: int, named: frozenset[int]) -> bool:
    """Whether the rule names what stands at this place of so many, counted from the first or the last."""
    return place in named or place - number_of - 1 in named


def _month_length(year: int, month: int) -> int:
    return 29 if month == 2 and calendar.isleap(year) else MONTHS[month - 1]


def _day_of_year(day: dt.date) -> tuple[int, int]:
    """Its place, and how many days its year has."""
    return day.timetuple().tm_yday, 366 if calendar.isleap(day.year) else 365


def _place_in_month(day: dt.date) -> set[tuple[int, int]]:
    """Its weekday, numbered from the first and from the last of the month."""
    return _numbered(day, day.day, _month_length(day.year, day.month))


def _place_in_year(day: dt.date) -> set[tuple[int, int]]:
    return _numbered(day, *_day_of_year(day))


def _numbered(day: dt.date, place: int, number_of: int) -> set[tuple[int, int]]:
    weekday = day.weekday()
    return {((place - 1) // 7 + 1, weekday), ((place - number_of - 1) // 7, weekday)}


def _week_of_year(day: dt.date, week_start: int) -> tuple[int, int]:
    """The number of its week, and how many weeks that week's year has: week 1 holds 4 January (§3.3.10)."""
    ordinal = day.toordinal()
    for year in (day.year + 1, day.year, day.year - 1):
        begin = _first_week(year, week_start)
        if begin <= ordinal:
            break
    return (ordinal - begin) // 7 + 1, (_first_week(year + 1, week_start) - begin) // 7


@lru_cache(maxsize=1024)
def _first_week(year: int, week_start: int) -> int:
    """The ordinal of the first day of a year's first week."""
    fourth = (year - 1) * 365 + (year - 1) // 4 - (year - 1) // 100 + (year - 1) // 400 + 4
    return fourth - (fourth - 1 - week_start) % 7
