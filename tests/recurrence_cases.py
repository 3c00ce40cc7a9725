"""tests/cases/recurrence.json as it is: samples from public bug reports, each with its right dates."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

ROWS = json.loads((Path(__file__).parent / "cases" / "recurrence.json").read_text())
ZONE = "America/Chicago"
FIRST, WEEKLY = "2026-12-02T09:00", "RRULE:FREQ=WEEKLY;COUNT=3"  # where a row tells of one line only
HOURS = {"one hour": 1, "three hours": 3}


@dataclass(frozen=True)
class Case:
    """A series and what is right about it: the dates, or the length of the last one."""

    kind: str
    start: str  # a date, or a wall time in ZONE
    hours: int  # that a timed one lasts
    lines: tuple[str, ...]
    last_day: str  # of those that are looked at
    days: tuple[str, ...]
    last_hours: int

    @property
    def is_all_day(self) -> bool:
        return "T" not in self.start

    @property
    def first(self) -> dt.datetime:
        return dt.datetime.fromisoformat(self.start).replace(tzinfo=ZoneInfo(ZONE))


def _case(row: dict[str, Any]) -> Case:
    case = Case(
        kind=row["kind"],
        start=row.get("start", FIRST).partition("/")[0],
        hours=1,
        lines=(f"RRULE:{row.get('rule')}",),
        last_day=row.get("until", "2027-12-31"),
        days=("2026-12-02", "2026-12-09"),
        last_hours=1,
    )
    if "rdate" in row:
        hours, last_hours = HOURS[row["got"]], HOURS[row["want"]]
        return replace(case, lines=(row["rdate"],), hours=hours, last_hours=last_hours)
    if "exdate" in row:
        assert row["want"].startswith("read in the event's own zone")
        return replace(case, lines=(WEEKLY, row["exdate"]), days=("2026-12-02", "2026-12-16"))
    return replace(case, days=tuple(row["want"]))


CASES = [_case(row) for row in ROWS]
