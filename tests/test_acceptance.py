"""What the main job promises, through real processes: nothing written twice, nothing lost to a kill."""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from demo.processes import run, wait_until
from tests.forms import Reader
from tests.processes import World, doctor, sync_now
from tests.wizard import begin_first_sync, connect_google, sign_in

APPOINTMENTS, EVENTS = 200, 300


@pytest.fixture
def practice(tmp_path: Path, database_url: str) -> Iterator[World]:
    """A provider with two hundred appointments to come, and three hundred events of their own in Google."""
    world = World(tmp_path / "world", database_url=database_url)
    try:
        world.start()
        bulk = [sys.executable, "-m", "tests.bulk", world.email, str(APPOINTMENTS)]
        run(bulk, world.portal.environment).or_fail()
        fill_google(world)
        yield world
    finally:
        world.stop()


def fill_google(world: World) -> None:
    for number in range(EVENTS):
        day = dt.datetime.now(dt.UTC).date() + dt.timedelta(days=number // 5)
        start = f"{day}T{7 + number % 5:02}:00:00"
        zone = {"timeZone": world.timezone}
        world.google.add_event(
            world.email,
            summary=f"Errand {number}",
            start={"dateTime": start, **zone},
            end={"dateTime": start.replace(":00:00", ":30:00"), **zone},
        )


def pushed(world: World) -> list[str]:
    """What stands in the app calendar, one line per event: title and start."""
    found = [each["id"] for each in world.google.calendars(world.email) if each["summary"] == "Lockstep"]
    events = world.google.events(world.email, found[0]) if found else []
    return [f"{event['summary']} {event['start']['dateTime']}" for event in events]


def test_a_second_sync_writes_nothing(practice: World) -> None:
    connect_google(sign_in(Reader(practice.url)))
    sync_now(practice.portal, practice.email)
    assert len(pushed(practice)) == APPOINTMENTS
    practice.google.reset_requests()
    sync_now(practice.portal, practice.email)
    assert practice.google.writes() == 0, practice.google.requests()["requests"]
    (report,) = doctor(practice.portal, practice.email)
    assert (report["counts"]["linked"], report["counts"]["behind"]) == (APPOINTMENTS, 0)
    assert report["counts"]["google_events"] >= EVENTS
    (calendar,) = [
        each for each in practice.google.calendars(practice.email) if each["summary"] == "Lockstep"
    ]
    event = practice.google.events(practice.email, calendar["id"])[0]
    practice.google.change_event(practice.email, calendar["id"], event["id"], summary="Altered")
    sync_now(practice.portal, practice.email)
    assert practice.google.writes() == 1, "one that was altered behind our back is mended"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_worker_killed_in_its_first_push_leaves_no_duplicate(practice: World) -> None:
    practice.google.add_fault("latency", method="calendar.events.insert", seconds=0.02, times=None)
    begin_first_sync(sign_in(Reader(practice.url)))
    (worker,) = practice.portal.workers
    wait_until(lambda: len(pushed(practice)) >= 20, seconds=60, what="the push has begun", every_seconds=0.01)
    worker.kill_everything()
    assert len(pushed(practice)) < APPOINTMENTS, "the push was over before the worker was killed"
    practice.google.clear_faults()
    practice.portal.start_worker()
    wait_until(lambda: is_at_rest(practice), seconds=240, what="all is pushed", every_seconds=1)
    events = pushed(practice)
    assert (len(events), len(set(events))) == (APPOINTMENTS, APPOINTMENTS)


def is_at_rest(world: World) -> bool:
    (report,) = doctor(world.portal, world.email)
    return bool(report["state"] == "active" and report["counts"]["linked"] == APPOINTMENTS)
