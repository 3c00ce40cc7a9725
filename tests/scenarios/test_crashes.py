"""Workers that die or freeze between Google's answer and their own commit."""

from __future__ import annotations

import datetime as dt
import time

from demo.processes import Process
from portal.models import Appointment
from tests.engine.conftest import EMAIL, Office
from tests.engine.test_push import starts_at
from tests.scenarios.conftest import Scene


def stays(scene: Scene, appointment: Appointment, expected: dt.datetime) -> None:
    assert scene.refreshed(appointment).starts_at == expected
    assert starts_at(scene.event_of(appointment)) == expected


def in_google(scene: Scene, appointment: Appointment) -> list[str]:
    """Ids of the live events in Google that carry this appointment's tag."""
    return [
        event["id"]
        for event in scene.app_events()
        if event["extendedProperties"]["private"]["lockstepAppointment"] == appointment.public_id
    ]


def change_at_once(office: Office, *, moved: Appointment, canceled: Appointment) -> Appointment:
    """Move one, cancel one, book one; nobody works on it yet. Gives back the booked one."""
    office.move(moved, hours=2)
    office.cancel(canceled)
    return office.book(days=5)


def test_killed_after_googles_answer_nothing_comes_back_as_a_change_of_the_providers(scene: Scene) -> None:
    """Failures 4, 49, 50, 52: Google took a patch, a delete and an insert, and nobody here knows."""
    office = scene.office
    moved, canceled = office.book(days=3), office.book(days=4)
    office.connect()
    worker = scene.portal.start_worker()
    scene.rest()
    others = len(scene.app_events()) - 2
    original, first_id = moved.starts_at, scene.event_of(canceled)["id"]
    worker.kill_everything()
    booked = change_at_once(office, moved=moved, canceled=canceled)
    scene.google.add_fault("latency", method="calendar.events.*", seconds=20, times=None)
    worker = scene.portal.start_worker()
    scene.wait(
        lambda: (
            len(in_google(scene, booked)) == 1
            and in_google(scene, canceled) == []
            and starts_at(scene.event_of(moved)) != original
        ),
        "Google has done all three",
    )
    worker.kill_everything()
    scene.google.clear_faults()
    office.move(scene.refreshed(moved), hours=-2)
    office.reinstate(scene.refreshed(canceled))
    office.cancel(scene.refreshed(booked))
    scene.let_the_lease_run_out()
    scene.portal.start_worker()
    scene.rest()
    scene.rest()
    stays(scene, moved, original)
    assert scene.event_of(canceled)["id"] != first_id
    assert in_google(scene, booked) == []
    assert scene.shown() == []
    assert scene.cards() == []
    assert len(scene.app_events()) == others + 2


def test_a_frozen_worker_that_wakes_up_late_changes_nothing(scene: Scene) -> None:
    """Failures 6, 51 and 52: frozen with a patch, a delete and an insert in hand, past its lease.

    Its request has a deadline of 25 seconds in all, shorter than the lease: awake again it sends nothing.
    What would come of a late write all the same, the explorer and the engine's tests of If-Match hold.
    """
    scene.office.connect()
    late_writes_change_nothing(scene)


def late_writes_change_nothing(scene: Scene) -> None:
    office = scene.office
    moved, canceled = office.book(days=6), office.book(days=7)
    first = scene.portal.start_worker()
    scene.rest()
    original = moved.starts_at
    first.kill_everything()
    booked = change_at_once(office, moved=moved, canceled=canceled)
    scene.google.control("POST", "/access-tokens/expire", {})
    scene.google.reset_requests()
    # refused for want of a fresh token, its batch waits for the refresh, past its last look at the lease
    scene.google.add_fault("latency", method="oauth.token", seconds=2, times=1)
    late = scene.portal.start_worker()
    scene.wait(lambda: scene.asked_of_google("oauth.token") == 1, "the worker is about to write")
    freeze_between_transactions(scene, late)
    stays_in_google = starts_at(scene.event_of(moved))
    assert stays_in_google == original, "it has not written yet"
    office.move(scene.refreshed(moved), hours=-1)
    office.reinstate(scene.refreshed(canceled))
    office.cancel(scene.refreshed(booked))
    prompt = scene.portal.start_worker()
    scene.rest(seconds=120)
    expected = original + dt.timedelta(hours=1)
    stays(scene, moved, expected)
    prompt.kill_everything()
    scene.google.reset_requests()
    late.thaw()
    scene.rest()
    assert scene.google.writes() == 0, "its time is over"
    last = scene.portal.start_worker()
    scene.rest()
    scene.rest()
    stays(scene, moved, expected)
    assert len(in_google(scene, canceled)) == 1
    assert in_google(scene, booked) == []
    assert scene.shown() == []
    assert scene.cards() == []
    for worker in (late, last):
        worker.kill_everything()


def freeze_between_transactions(scene: Scene, worker: Process) -> None:
    """Its ticker writes every second; frozen in the middle of that, SQLite would wait for it for ever."""
    for _ in range(10):
        worker.freeze()
        if scene.can_be_written():
            return
        worker.thaw()
        time.sleep(0.05)
    raise AssertionError("the ticker is always writing")


def test_two_workers_and_a_command_at_once_write_everything_once(scene: Scene) -> None:
    """Failure 6: three of them at one connection, and one lease."""
    office = scene.office
    office.connect()
    for _ in range(2):
        scene.portal.start_worker()
    scene.rest()
    scene.google.reset_requests()
    booked = [office.book(days=10 + number) for number in range(30)]
    assert scene.portal.flask("sync", "now").exit_code == 0
    scene.rest()
    assert all(len(in_google(scene, appointment)) == 1 for appointment in booked)
    assert scene.asked_of_google("calendar.events.insert") == len(booked)
    scene.google.reset_requests()
    scene.rest()
    assert scene.google.writes() == 0
    event_id = in_google(scene, booked[0])[0]
    scene.google.change_event(EMAIL, scene.app_calendar_id(), event_id, summary="Altered")
    scene.rest()
    assert scene.google.writes() == 1
