"""How long a change takes to the other side, through web server, queue, worker and HTTP."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable
from pathlib import Path

from bench.report import Row, percentile
from demo.processes import wait_until
from sandbox.client import Json
from tests.forms import Reader
from tests.processes import World
from tests.wizard import book, connect_google, sign_in

ROUNDS = 25
LOOK_EVERY_SECONDS = 0.02


def measure(folder: Path) -> list[Row]:
    world = World(folder / "world")
    try:
        world.start()
        person = sign_in(Reader(world.url))
        world.portal.add_client(world.email, "Canary Birdsong")
        connect_google(person)
        to_google = [_save_here(world, person, number) for number in range(ROUNDS)]
        to_here = [_change_there(world, person, number) for number in range(ROUNDS)]
    finally:
        world.stop()
    return [
        _row("Save here → in Google", to_google, "from pressing Save to the event in Google", 1.5),
        _row("Change in Google → on a page here, with push", to_here, "page asked for every 20 ms", 3.0),
    ]


def _save_here(world: World, person: Reader, number: int) -> float:
    """Seconds from pressing Save until the event stands in Google."""
    day = dt.datetime.now(dt.UTC).date() + dt.timedelta(days=2 + number)
    person.open(f"/calendar?view=week&date={day}")
    before = len(_pushed(world))
    began = time.perf_counter()
    book(person, client="Canary Birdsong", day=day, at="07:00")
    return _until(lambda: len(_pushed(world)) > before, began)


def _change_there(world: World, person: Reader, number: int) -> float:
    """Seconds from a person's change at Google until the calendar page shows it."""
    day = dt.datetime.now(dt.UTC).date() + dt.timedelta(days=2)
    zone = {"timeZone": world.timezone}
    title = f"Errand {number}"
    began = time.perf_counter()
    world.google.add_event(
        world.email,
        summary=title,
        start={"dateTime": f"{day}T06:{number:02}:00", **zone},
        end={"dateTime": f"{day}T06:{number + 15:02}:00", **zone},
    )
    address = f"/calendar?view=day&date={day}"
    return _until(lambda: title in person.open(address).page.text, began)


def _until(is_there: Callable[[], bool], began: float) -> float:
    wait_until(is_there, seconds=60, what="the change", every_seconds=LOOK_EVERY_SECONDS)
    return time.perf_counter() - began


def _pushed(world: World) -> list[Json]:
    ours = [each["id"] for each in world.google.calendars(world.email) if each["summary"] == "Lockstep"]
    return world.google.events(world.email, ours[0]) if ours else []


def _row(what: str, times: list[float], against: str, budget: float) -> Row:
    p95 = percentile(times, 0.95)
    return Row(
        what=what,
        measured=f"p50 {percentile(times, 0.5):.2f} s, p95 {p95:.2f} s",
        against=f"{against}; {len(times)} times",
        budget=f"p95 ≤ {budget:g} s",
        is_kept=p95 <= budget,
    )
