"""docs/sync.md tells the truth: its two decision tables are recomputed from the code, cell by cell."""

from __future__ import annotations

import dataclasses
import datetime as dt
from pathlib import Path

import pytest

from portal.sync.event import Content, Event, EventTime, Tag
from portal.sync.inbound import decide_own
from portal.sync.outbound import Link, LinkPhase, LocalAppointment, decide

DOCUMENT = Path(__file__).parents[2] / "docs" / "sync.md"
NOW = dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC)


def content(*, hour: int = 10, minutes: int = 50, days: int = 1, summary: str = "1042") -> Content:
    start = dt.datetime(2026, 11, 23, hour, tzinfo=dt.UTC) + dt.timedelta(days=days)
    return Content(
        summary=summary,
        start=EventTime(datetime=start, tzid="America/Chicago"),
        end=EventTime(datetime=start + dt.timedelta(minutes=minutes), tzid="America/Chicago"),
    )


AGREED = content()
REVISION = 5


def link(phase: str, agreed: Content = AGREED) -> Link:
    return Link(
        event_id="e",
        revival=0,
        phase=LinkPhase(phase),
        etag='"1"',
        content_hash=agreed.content_hash(),
        times_hash=agreed.times_hash(),
        revision=REVISION,
        settled=REVISION,
        remote_updated=NOW,
    )


def local(*, is_live: bool = True, desired: Content = AGREED) -> LocalAppointment:
    return LocalAppointment(
        public_id="p", revision=REVISION, is_live=is_live, is_in_window=True, content=desired
    )


def table(heading: str) -> dict[tuple[str, str], str]:
    """The cells of the first table under a heading, by row and column."""
    section = DOCUMENT.read_text(encoding="utf-8").split(f"### {heading}\n")[1].split("\n#")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    columns = [cell.strip() for cell in lines[0].strip("|").split("|")][1:]
    cells = {}
    for line in lines[2:]:
        row, *values = [cell.strip() for cell in line.strip("|").split("|")]
        if len(values) != len(columns):
            break
        cells |= {(row, column): value for column, value in zip(columns, values, strict=True)}
    return cells


OUTWARD = {
    "Live, as agreed": local(),
    "Live, other content": local(desired=content(summary="J.S.")),
    "Live, other time": local(desired=content(hour=14)),
    "Not live": local(is_live=False),
}


@pytest.mark.parametrize(("row", "column"), table("Decision table, outward"))
def test_the_outward_table_is_what_the_code_decides(row: str, column: str) -> None:
    action = decide(OUTWARD[column], None if row == "none" else link(row))
    told = table("Decision table, outward")[row, column]
    assert ("nothing" if action is None else type(action).__name__) == told


def shown(remote: Content, *, etag: str = '"2"', revision: int = REVISION, sent: Content = AGREED) -> Event:
    return Event(
        event_id="e",
        etag=etag,
        updated=NOW + dt.timedelta(minutes=1),
        summary=remote.summary,
        start=remote.start,
        end=remote.end,
        visibility=remote.visibility,
        tag=Tag(
            installation="i",
            appointment="p",
            event_id="e",
            revision=revision,
            times_hash=sent.times_hash(),
        ),
    )


MOVED = content(hour=15)
INWARD = {
    "a tombstone": Event(event_id="e", status="cancelled"),
    "the agreed etag": shown(AGREED, etag='"1"'),
    "other etag, our fields as agreed": shown(AGREED),
    "other times, safe": shown(MOVED),
    "other times, not safe": shown(content(days=-2)),
    "other title": shown(content(summary="Renamed")),
    "our newer revision, times as sent": shown(MOVED, revision=REVISION + 1, sent=MOVED),
    "a revision newer than the appointment's": shown(MOVED, revision=REVISION + 9, sent=MOVED),
}


def decided(row: str, phase: str, *, is_live: bool) -> str:
    appointment = dataclasses.replace(local(is_live=is_live), revision=REVISION + 1)
    if row.startswith("a revision newer"):
        appointment = dataclasses.replace(appointment, revision=REVISION)
    action = decide_own(INWARD[row], link(phase), appointment, is_scheduled=is_live, now=NOW)
    return type(action).__name__


@pytest.mark.parametrize(("row", "column"), table("Decision table, inward, for our own events"))
def test_the_inward_table_is_what_the_code_decides(row: str, column: str) -> None:
    told = table("Decision table, inward, for our own events")[row, column]
    assert decided(row, column, is_live=True) == told
    if told == "Readopt":
        assert decided(row, column, is_live=False) == "Redelete"
    if told in ("Reschedule", "Restore"):
        assert decided(row, column, is_live=False) == "SetAside"
