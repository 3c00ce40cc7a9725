"""A large practice's first sync; a second one writes nothing and changes no row."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from flask import Flask

from portal.engine.connection_run import Outcome
from portal.extensions import db
from portal.models import AppointmentKind, GoogleEvent
from portal.practice import appointments
from portal.practice.appointments import AppointmentDetails
from portal.practice.spans import Timed
from sandbox import serve
from sandbox.client import Json, SandboxClient
from tests.engine.conftest import EMAIL, ZONE, Office, app, office  # noqa: F401 (fixtures)
from tests.google_dates import google_shows, promised

SINGLES, SERIES, APPOINTMENTS = 9_700, 300, 2_000
RULES = (
    "RRULE:FREQ=WEEKLY",
    "RRULE:FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,TH",
    "RRULE:FREQ=DAILY;COUNT=12",
    "RRULE:FREQ=MONTHLY",
    "RRULE:FREQ=MONTHLY;BYDAY=-1FR",
)
# What a look at Google leaves behind even if there was nothing to see
LAST_CHECKED = {
    "connection": {
        "last_pushed_at", "last_pulled_at", "calendars_listed_at", "verified_at", "next_check_at",
        "queued_at", "requested", "handled", "fencing", "spent", "access_token", "access_token_expires_at",
    },
    "google_calendar": {"last_pulled_at", "listed_at", "sync_token", "generation"},
    "google_event": {"generation"},
    "event_link": {"generation"},
}  # fmt: skip


@pytest.fixture
def google(tmp_path: Path) -> Iterator[SandboxClient]:
    """An account that has been in use for years."""
    seed = tmp_path / "seed.json"
    calendar = {"id": "primary", "events": [*singles(), *series()]}
    seed.write_text(
        json.dumps({"accounts": [{"email": EMAIL, "hd": "example.com", "calendars": [calendar]}]})
    )
    with serve(seed=str(seed)) as sandbox:
        yield sandbox


def singles() -> Iterator[Json]:
    for number in range(SINGLES):
        yield {"summary": f"Errand {number}", **times(days=number % 440 - 80, minutes=7 * (number // 440))}


def series() -> Iterator[Json]:
    for number in range(SERIES):
        rule = RULES[number % len(RULES)]
        days = next(days for days in range(number % 50 - 40, 60) if begins(rule, days))
        yield {"summary": f"Series {number}", "recurrence": [rule], **times(days=days, minutes=300 + number)}


def begins(rule: str, days: int) -> bool:
    """Whether a series may begin then. RFC 5545 leaves open what a first date means that no rule names."""
    date = dt.datetime.now(ZoneInfo(ZONE)).date() + dt.timedelta(days=days)
    if rule.endswith("BYDAY=TU,TH"):
        return date.weekday() in (1, 3)
    is_last_friday = date.weekday() == 4 and (date + dt.timedelta(days=7)).month != date.month
    return is_last_friday or not rule.endswith("BYDAY=-1FR")


def times(*, days: int, minutes: int) -> Json:
    day = dt.datetime.now(ZoneInfo(ZONE)).replace(hour=8, minute=0, second=0, microsecond=0)
    start = day + dt.timedelta(days=days, minutes=minutes)
    end = start + dt.timedelta(minutes=30)
    return {
        "start": {"dateTime": start.isoformat(), "timeZone": ZONE},
        "end": {"dateTime": end.isoformat(), "timeZone": ZONE},
    }


def test_a_large_first_sync_is_complete_and_a_second_one_changes_nothing(
    app: Flask,  # noqa: F811 (the fixture)
    office: Office,  # noqa: F811
    google: SandboxClient,
) -> None:
    book_many(office)
    move_and_cancel_some_dates(google)
    office.connect()
    come_to_rest(office)
    check_the_law(office)
    before = dump()
    google.reset_requests()
    office.clock.advance(minutes=1)
    for full in (False, True):
        assert office.run(full=full) is Outcome.DONE
        assert google.writes() == 0
        assert differing(before, dump()) == {}
    google.change_event(EMAIL, office.app_calendar_id, office.app_events()[0]["id"], summary="Altered")
    assert office.run() is Outcome.DONE
    assert google.writes() == 1, "what was altered behind our back was not mended"


def book_many(office: Office) -> None:  # noqa: F811
    for number in range(APPOINTMENTS):
        date = office.clock().date() + dt.timedelta(days=1 + number // 8)
        when = Timed(date, dt.time(8 + number % 8), ZONE, 50)
        details = AppointmentDetails(AppointmentKind.SESSION, when, client=office.client)
        appointments.book(office.provider, details, now=office.clock(), actor=office.provider, source="web")
    db.session.commit()


def move_and_cancel_some_dates(google: SandboxClient) -> None:
    """One date each of thirty weekly series moved, and of thirty daily ones cancelled."""
    masters = [event for event in google.events(EMAIL) if event.get("recurrence")]
    for number, rule in ((0, "change"), (2, "delete")):
        for master in [each for each in masters if each["recurrence"] == [RULES[number]]][:30]:
            start = dt.datetime.fromisoformat(master["start"]["dateTime"]).astimezone(dt.UTC)
            instance = f"{master['id']}_{start:%Y%m%dT%H%M%SZ}"
            if rule == "delete":
                google.delete_event(EMAIL, "primary", instance)
            else:
                google.change_event(EMAIL, "primary", instance, **times(days=3, minutes=11))


def come_to_rest(office: Office) -> None:  # noqa: F811
    """Run as the worker would, without waiting for the quota's minutes."""
    for _ in range(60):
        outcome = office.run()
        if outcome is Outcome.DONE:
            return
        assert outcome in (Outcome.MORE, Outcome.PACED), outcome
        office.clock.advance(seconds=61)
    raise AssertionError("it never comes to rest")


def check_the_law(office: Office) -> None:  # noqa: F811
    tags = [event["extendedProperties"]["private"]["lockstepAppointment"] for event in office.app_events()]
    assert len(tags) == len(set(tags)) == APPOINTMENTS
    now = office.clock()
    here = promised((occurrence.starts_at for occurrence in office.occurrences()), now=now)
    assert here == google_shows(office.google, EMAIL, now=now)
    masters = sa.select(sa.func.count(GoogleEvent.id)).where(GoogleEvent.recurring_event_id.is_(None))
    assert (db.session.scalar(masters) or 0) >= SERIES


Dump = dict[str, list[dict[str, Any]]]


def dump() -> Dump:
    """Every row of every table but the runs, without what merely says when Google was looked at."""
    db.session.rollback()
    found: Dump = {}
    for table in db.metadata.sorted_tables:
        if table.name == "sync_run":
            continue
        hidden = LAST_CHECKED.get(table.name, set())
        rows = db.session.execute(sa.select(table).order_by(*table.primary_key)).mappings()
        found[table.name] = [{name: row[name] for name in row if name not in hidden} for row in rows]
    db.session.rollback()
    return found


def differing(before: Dump, after: Dump) -> dict[str, list[Any]]:
    """By table, the first few rows that are not what they were."""
    return {
        name: [pair for pair in zip(before[name], after[name], strict=False) if pair[0] != pair[1]][:3]
        for name in before
        if before[name] != after[name]
    }
