"""Recurrence rules drawn from everything that RFC 5545 §3.3.10 allows in the frequencies that Google takes.

A rule is compared between the portal, the sandbox and two expanders that share no code with either
(scripts/independent-rules). Where those two differ from each other, a named predicate leaves the kind out.
"""

from __future__ import annotations

import datetime as dt
import itertools
import json
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

from hypothesis import strategies as st

from portal.sync.event import Event, EventTime
from portal.sync.recurrence import expand
from sandbox.event import rules as sandbox_rules

ROOT = Path(__file__).resolve().parents[2]
MOST = 200  # starts of one rule, as scripts/expanders/expand.mjs has it
WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
DAYS_SHOWN = {"YEARLY": 8 * 366, "MONTHLY": 3 * 366, "WEEKLY": 400, "DAILY": 150}
DAY_PARTS = ("BYWEEKNO", "BYYEARDAY", "BYMONTHDAY", "BYDAY")
TIME_PARTS = ("BYHOUR", "BYMINUTE", "BYSECOND")


@dataclass(frozen=True)
class Drawn:
    """A rule, its first date (digits of a wall time or a date, in UTC) and the end of what is looked at."""

    start: str
    parts: tuple[tuple[str, str], ...]
    before: str

    @property
    def rule(self) -> str:
        return ";".join(f"{name}={value}" for name, value in self.parts)

    @property
    def freq(self) -> str:
        return dict(self.parts)["FREQ"]

    @property
    def is_all_day(self) -> bool:
        return len(self.start) == len("20261202")

    def names(self, *parts: str) -> list[str]:
        """Which of these parts it has."""
        return [part for part in parts if part in dict(self.parts)]

    def part(self, name: str) -> str:
        return dict(self.parts).get(name, "")


def some(numbers: Any, most: int = 3) -> st.SearchStrategy[str]:
    """A few numbers, written as a list."""
    return st.lists(st.sampled_from(list(numbers)), min_size=1, max_size=most, unique=True).map(
        lambda chosen: ",".join(map(str, chosen))
    )


def either_end(most: int) -> list[int]:
    return [*range(1, most + 1), *range(-most, 0)]


def weekdays(most_number: int) -> st.SearchStrategy[str]:
    """Plain ones, and up to a number also numbered ones from either end."""
    plain = st.sampled_from(WEEKDAYS)
    if not most_number:
        return st.lists(plain, min_size=1, max_size=5, unique=True).map(",".join)
    numbered = st.builds("{}{}".format, st.sampled_from(either_end(most_number)), plain)
    return st.lists(plain | numbered, min_size=1, max_size=4, unique=True).map(",".join)


@st.composite
def rules(draw: st.DrawFn, *, with_positions: bool = False) -> Drawn:
    """A rule that RFC 5545 allows, its parts in any order; perhaps, or surely, with positions."""
    freq = draw(st.sampled_from(["YEARLY", "MONTHLY", "WEEKLY", "DAILY"]))
    by = draw(day_parts(freq))
    for name, numbers in zip(TIME_PARTS, (range(24), range(60), range(60)), strict=True):
        if draw(st.integers(0, 9)) == 0:
            by[name] = draw(some(numbers))
    if by and (with_positions or draw(st.integers(0, 3)) == 0):
        by["BYSETPOS"] = draw(some(either_end(4)))
    if draw(st.booleans()):
        by["INTERVAL"] = str(draw(st.integers(1, 4)))
    if draw(st.integers(0, 2)) == 0:
        by["WKST"] = draw(st.sampled_from(WEEKDAYS))
    first = dt.datetime(2020, 1, 1) + dt.timedelta(  # noqa: DTZ001 (digits of a wall time)
        days=draw(st.integers(0, 3000)), minutes=15 * draw(st.integers(0, 95))
    )
    length = len("20261202") if draw(st.integers(0, 3)) == 0 else len("20261202T090000")
    last = first + dt.timedelta(days=draw(st.integers(1, DAYS_SHOWN[freq])))
    by |= draw(end(f"{last:%Y%m%dT%H%M%S}"[:length]))
    return Drawn(
        start=f"{first:%Y%m%dT%H%M%S}"[:length],
        parts=(("FREQ", freq), *draw(st.permutations(list(by.items())))),
        before=f"{first + dt.timedelta(days=DAYS_SHOWN[freq]):%Y%m%dT%H%M%S}"[:length],
    )


@st.composite
def day_parts(draw: st.DrawFn, freq: str) -> dict[str, str]:
    """What the table of §3.3.10 allows: no day of the month in weeks, weeks and days of the year in years."""
    by: dict[str, str] = {}
    if draw(st.integers(0, 2)) == 0:
        by["BYMONTH"] = draw(some(range(1, 13)))
    if freq == "YEARLY" and draw(st.integers(0, 4)) == 0:
        by["BYWEEKNO"] = draw(some(either_end(53)))
    if freq == "YEARLY" and draw(st.integers(0, 4)) == 0:
        by["BYYEARDAY"] = draw(some(either_end(366)))
    if freq != "WEEKLY" and draw(st.integers(0, 3)) == 0:
        by["BYMONTHDAY"] = draw(some(either_end(31)))
    if draw(st.booleans()):
        by["BYDAY"] = draw(weekdays(_most_number(freq, by)))
    return by


def _most_number(freq: str, by: dict[str, str]) -> int:
    if freq == "MONTHLY" or (freq == "YEARLY" and "BYMONTH" in by and "BYWEEKNO" not in by):
        return 5
    return 53 if freq == "YEARLY" and "BYWEEKNO" not in by else 0


def end(last: str) -> st.SearchStrategy[dict[str, str]]:
    """COUNT, UNTIL or nothing."""
    until = last if len(last) == len("20261202") else f"{last}Z"
    return st.one_of(
        st.just({}), st.just({"UNTIL": until}), st.integers(1, 30).map(lambda count: {"COUNT": str(count)})
    )


# Who answers


def ours(drawn: Drawn) -> list[str]:
    """The portal's starts from the first on."""
    first, before = moment(drawn.start), moment(drawn.before)
    if drawn.is_all_day:
        start, last = EventTime(date=first.date()), EventTime(date=first.date() + dt.timedelta(days=1))
    else:
        start, last = EventTime(datetime=first), EventTime(datetime=first + dt.timedelta(seconds=1))
    master = Event(event_id="master", start=start, end=last, recurrence=(f"RRULE:{drawn.rule}",))
    found = expand(master, [], after=first, before=before)
    return [occurrence.key.removesuffix("Z") for occurrence in found][:MOST]


def moment(digits: str) -> dt.datetime:
    text = digits if "T" in digits else f"{digits}T000000"
    return dt.datetime.strptime(f"{text}+0000", "%Y%m%dT%H%M%S%z").astimezone(dt.UTC)


def by_the_sandbox(drawn: Drawn) -> list[str]:
    """Of the rule alone: without the start, where the rule passes it by."""
    start, before = (moment(digits).replace(tzinfo=None) for digits in (drawn.start, drawn.before))
    rule = sandbox_rules.read(drawn.rule, start, "UTC", is_all_day=drawn.is_all_day)
    named = (f"{each:%Y%m%dT%H%M%S}"[: len(drawn.start)] for each in rule.moments(start, before))
    return list(itertools.islice((digits for digits in named if digits < drawn.before), MOST))


BOTH = ("ical.js", "rrule-temporal")


class Expanders:
    """scripts/independent-rules, asked about one rule after the other in one process."""

    def __init__(self) -> None:
        command = [str(ROOT / "scripts" / "independent-rules")]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.communicate()

    def ask(self, drawn: Drawn, *by: str) -> tuple[Drawn, dict[str, Any]]:
        """The rule with its start moved to its first date, and what each of them makes of it."""
        assert self.process.stdin
        assert self.process.stdout
        asked = {"start": drawn.start, "rule": drawn.rule, "before": drawn.before, "by": by}
        self.process.stdin.write(json.dumps(asked) + "\n")
        self.process.stdin.flush()
        answer = dict(json.loads(self.process.stdout.readline()))
        return replace(drawn, start=answer.pop("start")), answer


# Kinds in which ical.js and rrule-temporal differ (docs/google-contract.md has both answers)


def gives_several_times(drawn: Drawn) -> bool:
    """More than one time of day outside DAILY; or any on a date-only start, which §3.3.10 has ignored."""
    several = any("," in drawn.part(name) for name in TIME_PARTS)
    return (drawn.is_all_day and bool(drawn.names(*TIME_PARTS))) or (several and drawn.freq != "DAILY")


def picks_by_position(drawn: Drawn) -> bool:
    """BYSETPOS."""
    return bool(drawn.names("BYSETPOS"))


def names_days_twice(drawn: Drawn) -> bool:
    """Two of the parts that name days, where each limits the other; or one weekday in two ways."""
    ways = {
        (day[-2:], day[:-2].rstrip("0123456789") if day[:-2] else None)
        for day in drawn.part("BYDAY").split(",")
    }
    return len(drawn.names(*DAY_PARTS)) > 1 or len(ways) > len({day for day, _ in ways})


def names_days_of_a_year(drawn: Drawn) -> bool:
    """Its weeks, numbered weekdays, or days of the month; in named months, days but for their first 28."""
    if drawn.freq != "YEARLY":
        return False
    if not drawn.names("BYMONTH"):
        numbered = any(character.isdigit() for character in drawn.part("BYDAY"))
        return numbered or bool(drawn.names("BYWEEKNO", "BYMONTHDAY"))
    days = drawn.part("BYMONTHDAY") or ("" if drawn.names(*DAY_PARTS) else drawn.start[6:8])
    return bool(drawn.names("BYWEEKNO", "BYYEARDAY")) or any(
        not 1 <= int(day) <= 28 for day in days.split(",") if day
    )


def leaves_out_months_or_days(drawn: Drawn) -> bool:
    """BYMONTH in months, or BYMONTHDAY in days."""
    return bool(
        (drawn.freq == "MONTHLY" and drawn.names("BYMONTH"))
        or (drawn.freq == "DAILY" and drawn.names("BYMONTHDAY"))
    )


LEFT_OUT = (
    gives_several_times,
    picks_by_position,
    names_days_twice,
    names_days_of_a_year,
    leaves_out_months_or_days,
)


def is_left_out(drawn: Drawn) -> bool:
    return any(kind(drawn) for kind in LEFT_OUT)
