"""A copy of the database under another address, with processes of its own, while Google stands as it was."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterator

import pytest
import requests

from demo.processes import Portal, Valkey
from portal.clock import utcnow
from sandbox.client import Json
from tests.engine.conftest import EMAIL
from tests.forms import Reader
from tests.scenarios.conftest import Scene
from tests.wizard import book, sign_in

POLLS = 4  # of a second each


@pytest.fixture
def copy(scene: Scene) -> Iterator[Portal]:
    """Of a portal that was in step; its own web server and worker are up."""
    office = scene.office
    office.book(days=3)
    office.connect()
    scene.portal.start_worker()
    scene.rest()
    scene.worker().stop()
    folder = scene.folder / "elsewhere"
    folder.mkdir()
    scene.back_up().rename(folder / "portal.db")
    valkey = Valkey(folder / "valkey").start()
    settings = {name: value for name, value in scene.portal.settings.items() if name != "PUBLIC_URL"}
    settings |= {"DATABASE_URL": f"sqlite:///{folder / 'portal.db'}", "REDIS_URL": valkey.url}
    portal = Portal(folder, settings)
    try:
        scene.google.reset_requests()
        portal.start_web()
        portal.start_worker()
        yield portal
    finally:
        portal.stop()
        valkey.stop()


def asked(scene: Scene) -> list[Json]:
    found: list[Json] = scene.google.requests()["requests"]
    return found


def test_a_copy_asks_google_nothing_before_go_on_and_is_in_step_after_it(scene: Scene, copy: Portal) -> None:
    """Failure 73."""
    begun = time.monotonic()
    person = sign_in(Reader(copy.url))
    day = (utcnow() + dt.timedelta(days=6)).date()
    book(person, client="Canary Birdsong", day=day, at="15:00")
    person.open("/calendar/sync")
    assert person.main()["data-state"] == "paused"
    assert f"The address changed from {scene.portal.url} to {copy.url}." in person.page.text
    person.open("/calendar/sync/doctor").open("/help")
    assert copy.flask("sync", "now", EMAIL).exit_code == 2
    ready = requests.get(f"{copy.url}/readyz", timeout=10)
    assert ready.json()["checks"] == {"database": True, "queue": True, "worker": True}
    time.sleep(max(0.0, POLLS - (time.monotonic() - begun)))
    assert asked(scene) == []

    person.open("/calendar/sync").press("Go on")
    assert person.main()["data-state"] != "paused"
    scene.wait(lambda: scene.google.writes() == 1, "the copy's worker goes on", seconds=20)
    assert copy.flask("sync", "now", EMAIL, "--full").exit_code == 0
    assert len(scene.app_events()) == 2
    scene.google.reset_requests()
    assert copy.flask("sync", "now", EMAIL, "--full").exit_code == 0
    assert scene.google.writes() == 0
    assert person.open("/calendar/sync").main()["data-state"] == "active"
