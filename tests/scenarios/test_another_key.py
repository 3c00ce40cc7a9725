"""Web and worker that were started with another key, and then with the right one again."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import Any

from cryptography.fernet import Fernet

from tests.forms import Reader
from tests.scenarios.conftest import Scene
from tests.wizard import connect_google

PAGES = ("/calendar", "/clients", "/settings", "/calendar/sync", "/calendar/sync/doctor", "/help")


def restart_with(scene: Scene, key: str) -> None:
    scene.portal.stop()
    scene.portal.settings["TOKEN_ENCRYPTION_KEYS"] = key
    scene.portal.start_web()
    scene.portal.start_worker()


def grant_on_disk(scene: Scene) -> tuple[Any, ...]:
    with closing(sqlite3.connect(scene.database)) as connection:
        (row,) = connection.execute("SELECT refresh_token, access_token FROM connection").fetchall()
    return tuple(row)


def state(person: Reader) -> str:
    return str(person.open("/calendar/sync").main()["data-state"])


def test_with_another_key_everything_waits_and_with_the_right_one_goes_on_untouched(scene: Scene) -> None:
    """Failure 70: pages, worker and commands tell it; Google hears nothing, the grant stays."""
    kept = scene.office.book(days=3)
    scene.portal.start_worker()
    person = scene.sign_in()
    connect_google(person)
    scene.rest()
    event_id = scene.event_of(kept)["id"]
    right, grant = scene.portal.settings["TOKEN_ENCRYPTION_KEYS"], grant_on_disk(scene)

    restart_with(scene, Fernet.generate_key().decode())
    scene.wait(lambda: scene.connection().problem is not None, "the worker finds out by itself")
    scene.google.reset_requests()
    booked = scene.office.book(days=4)
    assert [path for path in PAGES if person.open(path).status != 200] == []
    assert state(person) == "reconnect-required"
    assert scene.portal.flask("sync", "now").exit_code == 2
    report = scene.doctor()
    assert report["state"] == "reconnect-required"
    assert {"id": "grant", "ok": False, "code": "grant-unreadable"} in report["lines"]
    assert scene.portal.flask("keys", "rotate").exit_code == 1
    assert sum(scene.google.requests(after=10**12)["counters"]["by_method"].values()) == 0
    assert grant_on_disk(scene) == grant

    restart_with(scene, right)
    scene.rest()
    assert state(person) == "active"
    assert grant_on_disk(scene) == grant
    assert scene.event_of(kept)["id"] == event_id
    assert scene.event_of(booked)["id"]
