"""A database from before the first sync against today's Google, with the portal's own processes."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from portal.models import Appointment
from sandbox.client import Json
from tests.engine.conftest import EMAIL
from tests.scenarios.conftest import Scene


def test_a_database_from_before_the_first_sync_asks_what_our_calendar_is_for(scene: Scene) -> None:
    """Failure 67: ten appointments were moved in Google meanwhile; after either answer the law holds."""
    office = scene.office
    booked = [office.book(days=3 + number) for number in range(11)]
    moved, stays = booked[:10], booked[10]
    original = {each.id: each.starts_at for each in booked}
    later = {**{each.id: each.starts_at + dt.timedelta(hours=2) for each in moved}, stays.id: stays.starts_at}
    office.connect()
    backup = scene.back_up()
    scene.portal.start_worker()
    scene.rest()
    old = scene.app_calendar_id()
    for appointment in moved:
        move_in_google(scene, appointment, hours=2)

    come_back_with(scene, backup)
    press(scene, "Use this calendar")
    assert_each_has_its_one_event(scene, booked, later)
    assert len(ours(scene)) == 1

    come_back_with(scene, backup)
    press(scene, "Leave it and make a new one")
    assert_each_has_its_one_event(scene, booked, original)
    assert sorted(each["id"] for each in ours(scene)) == sorted((old, scene.app_calendar_id()))
    assert len(scene.google.events(EMAIL, old)) == len(booked)


def move_in_google(scene: Scene, appointment: Appointment, *, hours: int) -> None:
    event = scene.event_of(appointment)
    times = {end: dt.datetime.fromisoformat(event[end]["dateTime"]) for end in ("start", "end")}
    changes = {end: {"dateTime": (at + dt.timedelta(hours=hours)).isoformat()} for end, at in times.items()}
    scene.google.change_event(EMAIL, scene.app_calendar_id(), event["id"], **changes)


def come_back_with(scene: Scene, backup: Path) -> None:
    """The backup is put back; it is seen to ask, and to write nothing."""
    scene.worker().stop()
    scene.restore(backup)
    scene.let_the_lease_run_out()
    scene.google.reset_requests()
    assert scene.portal.flask("sync", "now", EMAIL, "--full").exit_code == 2
    scene.portal.start_worker()
    assert scene.doctor()["state"] == "question"
    assert scene.google.writes() == 0


def press(scene: Scene, button: str) -> None:
    person = scene.sign_in().open("/calendar/sync")
    assert person.main()["data-state"] == "question"
    person.press(button)
    scene.rest()


def assert_each_has_its_one_event(
    scene: Scene, booked: list[Appointment], expected: dict[int, dt.datetime]
) -> None:
    for appointment in booked:
        event = scene.event_of(appointment)
        assert dt.datetime.fromisoformat(event["start"]["dateTime"]) == expected[appointment.id]
        assert scene.refreshed(appointment).starts_at == expected[appointment.id]
    assert len(scene.app_events()) == len(booked)
    assert scene.shown() == []
    scene.google.reset_requests()
    assert scene.portal.flask("sync", "now", EMAIL, "--full").exit_code == 0
    assert scene.google.writes() == 0


def ours(scene: Scene) -> list[Json]:
    return [each for each in scene.google.calendars(EMAIL) if "lockstep:" in each.get("description", "")]
