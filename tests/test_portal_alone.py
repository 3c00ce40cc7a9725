"""The portal runs with contract.md's settings and commands alone, against a stand-in on a port of its own.

No demo, no fixture of the portal's code, no script in the browser: what an operator and a provider have.
"""

from __future__ import annotations

import datetime as dt
import json
import re
import urllib.request
from collections.abc import Iterator
from zoneinfo import ZoneInfo

import pytest

from demo.processes import Portal, Sandbox, answers, wait_until
from sandbox.client import SandboxClient
from tests.conftest import StartPortal
from tests.forms import Reader
from tests.processes import PASSWORD, doctor, sync_now
from tests.wizard import EMAIL, book, connect_google, sign_in

ZONE = ZoneInfo("America/Chicago")
CLIENT = "Testa Canaryname"


@pytest.fixture
def portal(start_portal: StartPortal, sandbox_server: Sandbox, database_url: str) -> Portal:
    portal = start_portal(database_url, google=sandbox_server.settings())
    portal.add_provider(EMAIL, name="Dr. Wren Hale", password=PASSWORD, owner=True)
    return portal


@pytest.fixture
def person(portal: Portal) -> Reader:
    return sign_in(Reader(portal.url))


def titles_in_google(sandbox: Sandbox, calendar: str) -> list[str]:
    """Titles in one of the account's calendars, as its owner sees them."""
    google = SandboxClient(sandbox.url)
    identifier = next(each["id"] for each in google.calendars(EMAIL) if each["summary"] == calendar)
    return sorted(event["summary"] for event in google.events(EMAIL, identifier))


def test_appointments_reach_google_and_its_events_come_back(
    portal: Portal, person: Reader, sandbox_server: Sandbox
) -> None:
    internal_id = portal.add_client(EMAIL, CLIENT)
    assert re.fullmatch(r"\d+", internal_id)
    day = dt.datetime.now(ZONE).date()
    book(person, client=f"{CLIENT} ({internal_id})", day=day, at="09:00")
    assert connect_google(person) <= 8
    assert "Two-Way Sync with Google is active" in person.page.text
    sync_now(portal, EMAIL)
    assert titles_in_google(sandbox_server, "Lockstep") == [internal_id]
    person.open(f"/calendar?view=month&date={day}")
    assert [entry["data-status"] for entry in person.entries("appointment")] == ["scheduled"]
    assert person.entries("google"), "the account's own events are shown"
    assert all("From Google, locked" in person.name_of(entry) for entry in person.entries("google"))

    google = SandboxClient(sandbox_server.url)
    google.reset_requests()
    sync_now(portal, EMAIL)
    assert google.writes() == 0, google.requests()["requests"]
    (calendar,) = [each for each in google.calendars(EMAIL) if each["summary"] == "Lockstep"]
    event = google.events(EMAIL, calendar["id"])[0]
    google.change_event(EMAIL, calendar["id"], event["id"], summary="Altered")
    sync_now(portal, EMAIL)
    assert google.writes() == 1, "one that was altered behind our back is mended"


def test_the_doctor_reports_in_the_agreed_shape_and_tells_no_name(
    portal: Portal, person: Reader, sandbox_server: Sandbox
) -> None:
    portal.add_client(EMAIL, CLIENT)
    connect_google(person)
    (report,) = doctor(portal, EMAIL)
    assert (report["mode"], report["state"]) == ("two-way", "active")
    assert report.keys() >= {"provider_id", "counts", "last_pull_at", "last_push_at", "channels", "lines"}
    counts = "live linked behind google_events quarantined held cards"
    assert set(report["counts"]) == set(counts.split())
    assert all({"id", "ok", "code"} <= line.keys() for line in report["lines"])
    everything = json.dumps(report) + portal.printed()
    assert [word for word in ("Testa", "Canaryname", EMAIL) if word in everything] == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_public_addresses_answer_as_agreed(portal: Portal) -> None:
    wait_until(lambda: answers(f"{portal.url}/readyz"), seconds=30, what="a worker was seen")
    with urllib.request.urlopen(f"{portal.url}/robots.txt", timeout=10) as answer:
        rules = answer.read().decode().splitlines()
    assert [rule for rule in rules if rule] == [
        "User-agent: *",
        "Allow: /feeds/",
        "Allow: /webhooks/google",
        "Disallow: /",
    ]
    assert answers(f"{portal.url}/feeds/unknown/calendar.ics", status=404)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_feed_empties_when_the_mode_changes(portal: Portal, person: Reader) -> None:
    internal_id = portal.add_client(EMAIL, CLIENT)
    book(person, client=internal_id, day=dt.datetime.now(ZONE).date(), at="09:00")
    person.open("/calendar/sync").tick("One-Way Sync").press("Continue")
    while person.main()["data-mode"] != "one-way":
        person.press("Continue")
    feed = next(each["value"] for each in person.page.find("input") if person.name_of(each) == "Feed URL")
    assert _read(feed).count(f"SUMMARY:{internal_id}") == 1
    person.open("/calendar/sync").tick("Off").press("Continue")
    while person.main()["data-mode"] != "off":
        person.press("Turn off" if person.has_button("Turn off") else "Continue")
    emptied = _read(feed)
    assert (emptied.count("BEGIN:VEVENT"), emptied.count("BEGIN:VTIMEZONE")) == (0, 1)


def _read(url: str) -> str:
    with urllib.request.urlopen(url, timeout=10) as answer:
        text: str = answer.read().decode()
    return text


@pytest.fixture(autouse=True)
def _no_program_reports_a_bug(request: pytest.FixtureRequest) -> Iterator[None]:
    portal: Portal = request.getfixturevalue("portal")
    yield
    assert "Traceback" not in portal.printed()
