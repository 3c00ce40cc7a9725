"""The law through commands and real processes: at rest nothing is written; a kill doubles nothing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from demo.processes import Portal, Sandbox, wait_until
from portal import create_app
from portal.config import load_config
from portal.extensions import begin_reading, begin_writing, db
from portal.models import EventLink, LinkState
from sandbox.client import SandboxClient
from tests.conftest import StartPortal
from tests.engine.conftest import EMAIL, ZONE, Office
from tests.scratch_practice import look_up

APPOINTMENTS, GOOGLE_EVENTS = 200, 300


@pytest.fixture
def google(tmp_path: Path) -> Iterator[SandboxClient]:
    sandbox = Sandbox(tmp_path / "sandbox").start()
    client = SandboxClient(sandbox.url)
    client.add_account(EMAIL, hd="example.com", time_zone=ZONE)
    yield client
    sandbox.stop()


@pytest.fixture
def portal(start_portal: StartPortal, database_url: str, google: SandboxClient) -> Portal:
    return start_portal(database_url, google=google_settings(google), web=False, workers=0)


@pytest.fixture
def app(portal: Portal) -> Iterator[Flask]:
    app = create_app(load_config(portal.environment), TESTING=True)
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def office(app: Flask, google: SandboxClient) -> Iterator[Office]:
    """A provider with 200 appointments, just through the wizard: the first sync is still to run."""
    office = Office(app, google)
    for number in range(APPOINTMENTS):
        office.book(days=1 + number // 8, hour=8 + number % 8)
    office.connect()
    begin_reading()  # from here on this process only looks: its transactions must not keep the worker out
    yield office
    begin_writing()


def google_settings(google: SandboxClient) -> dict[str, str]:
    return {
        "GOOGLE_CLIENT_ID": "lockstep-sandbox-client",
        "GOOGLE_CLIENT_SECRET": "lockstep-sandbox-secret",
        "GOOGLE_OIDC_METADATA_URL": google.metadata_url,
        "GOOGLE_API_ENDPOINT": google.url,
    }


def add_google_events(google: SandboxClient) -> None:
    """Personal events, one series among them."""
    today = dt.datetime.now(dt.UTC).replace(hour=12, minute=0, second=0, microsecond=0)
    for number in range(GOOGLE_EVENTS - 1):
        start = today + dt.timedelta(days=number % 60, minutes=number)
        google.add_event(EMAIL, summary=f"Event {number}", **times(start))
    google.add_event(EMAIL, summary="Series", recurrence=["RRULE:FREQ=WEEKLY"], **times(today))


def times(start: dt.datetime) -> dict[str, dict[str, str]]:
    end = start + dt.timedelta(minutes=30)
    return {
        "start": {"dateTime": start.isoformat(), "timeZone": ZONE},
        "end": {"dateTime": end.isoformat(), "timeZone": ZONE},
    }


def assert_each_appointment_has_one_event(office: Office) -> None:
    events = office.app_events()
    tags = [event["extendedProperties"]["private"]["lockstepAppointment"] for event in events]
    assert len(events) == len(set(tags)) == APPOINTMENTS


def test_after_rest_a_second_sync_now_writes_nothing_and_mends_one_altered_event(
    office: Office, portal: Portal, google: SandboxClient
) -> None:
    add_google_events(google)
    assert portal.flask("sync", "now").exit_code == 0
    assert_each_appointment_has_one_event(office)
    google.reset_requests()
    assert portal.flask("sync", "now").exit_code == 0
    assert portal.flask("sync", "now", "--full").exit_code == 0
    assert google.writes() == 0
    summaries = {occurrence.event.summary for occurrence in office.occurrences()}
    assert len(summaries) == GOOGLE_EVENTS
    google.change_event(EMAIL, office.app_calendar_id, office.app_events()[0]["id"], summary="Altered")
    assert portal.flask("sync", "now", EMAIL).exit_code == 0
    assert google.writes() == 1
    assert {event["summary"] for event in office.app_events()} == {office.client.internal_id}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_worker_killed_during_the_first_push_leaves_no_duplicate(
    office: Office, portal: Portal, google: SandboxClient
) -> None:
    google.add_fault("latency", method="calendar.events.insert", seconds=0.01, times=None)
    worker = portal.start_worker()
    wait_until(lambda: google.writes() > APPOINTMENTS // 3, seconds=60, what="a part of the first push")
    worker.kill_everything()
    assert google.writes() < APPOINTMENTS
    google.clear_faults()
    portal.start_worker()
    wait_until(lambda: linked() == APPOINTMENTS, seconds=120, what="the rest of the first push")
    assert_each_appointment_has_one_event(office)
    assert len(office.app_calendars()) == 1


def linked() -> int:
    return look_up(sa.select(sa.func.count(EventLink.id)).where(EventLink.state == LinkState.LIVE))
