"""Yesterday's database against today's Google, with everything else running on."""

from __future__ import annotations

import datetime as dt

from tests.engine.conftest import EMAIL
from tests.engine.test_push import starts_at
from tests.scenarios.conftest import Scene


def test_yesterdays_database_deletes_nothing_overwrites_nothing_and_asks(scene: Scene) -> None:
    """Failure 53: an appointment that it doesn't know, and one whose newer time it doesn't know."""
    office = scene.office
    moved, kept = office.book(days=3), office.book(days=4)
    office.connect()
    scene.portal.start_worker()
    scene.rest()
    original = moved.starts_at
    scene.worker().stop()
    backup = scene.back_up()
    office.move(moved, hours=2)
    unknown = office.book(days=5)
    scene.portal.start_worker()
    scene.rest()
    unknown_id = scene.event_of(unknown)["id"]
    scene.worker().stop()

    scene.restore(backup)
    scene.let_the_lease_run_out()
    scene.google.reset_requests()
    scene.portal.start_worker()
    scene.wait(lambda: scene.connection().problem == "question", "the worker asks")
    assert scene.portal.flask("sync", "now", EMAIL).exit_code == 2
    assert starts_at(scene.event_of(moved)) == original + dt.timedelta(hours=2)
    assert unknown_id in [event["id"] for event in scene.app_events()]
    assert scene.shown() == []
    assert scene.asked_of_google("calendar.events.delete") == 0
    person = scene.sign_in().open("/calendar/sync")
    assert person.main()["data-state"] == "question"
    assert scene.doctor()["state"] == "question"

    person.open("/calendar/sync/changes").press("Use what Google shows")
    scene.rest()
    for appointment in (moved, kept):
        assert starts_at(scene.event_of(appointment)) == scene.refreshed(appointment).starts_at
    assert scene.refreshed(moved).starts_at == original + dt.timedelta(hours=2)
    assert unknown_id in [event["id"] for event in scene.app_events()]
    assert scene.asked_of_google("calendar.events.delete") == 0
