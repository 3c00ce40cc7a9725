"""Grants that end and connections that come and go, through pages, commands and the real worker."""

from __future__ import annotations

import requests

from sandbox.client import Json
from tests.engine.conftest import EMAIL
from tests.forms import Reader
from tests.scenarios.conftest import Scene
from tests.wizard import connect_google

TIMES = 5


def app_calendars(scene: Scene) -> list[Json]:
    return [entry for entry in scene.google.calendars(EMAIL) if "lockstep:" in entry.get("description", "")]


def state_on_the_page(person: Reader) -> str:
    return person.open("/calendar/sync").main()["data-state"]


def begin(scene: Scene) -> tuple[Reader, list[str]]:
    """A worker, a person signed in, Two-Way Sync at rest with three more appointments; ids of all events."""
    for days in (2, 3, 4):
        scene.office.book(days=days)
    scene.portal.start_worker()
    person = scene.sign_in()
    if state_on_the_page(person) != "active":
        connect_google(person)
    scene.rest()
    return person, sorted(event["id"] for event in scene.app_events())


def revoke(scene: Scene) -> None:
    """As the provider does on their Google account's page."""
    scene.google.control("POST", "/grants/revoke", {"account": EMAIL})


def reconnect(person: Reader) -> None:
    """Press Reconnect and agree at Google."""
    person.open("/calendar/sync").press("Reconnect")
    while "/calendar/sync" not in person.url:
        accounts = [each for each in person.buttons() if EMAIL in person.name_of(each)]
        person.press(person.name_of(accounts[0]) if accounts else "Continue")


def test_a_revoked_grant_is_told_everywhere_and_five_reconnections_double_nothing(scene: Scene) -> None:
    """Failures 1 and 26: page, calendar, doctor, command; then one calendar, the same events, no writes."""
    person, ids = begin(scene)
    scene.google.reset_requests()
    for number in range(TIMES):
        revoke(scene)
        scene.wait(lambda: scene.connection().problem is not None, "the worker finds out by itself")
        assert state_on_the_page(person) == "reconnect-required"
        if number == 0:
            tells_everywhere(scene, person)
        reconnect(person)
        scene.rest()
        assert state_on_the_page(person) == "active"
    assert scene.google.writes() == 0
    assert sorted(event["id"] for event in scene.app_events()) == ids
    assert len(app_calendars(scene)) == 1
    event = scene.app_events()[0]
    scene.google.change_event(EMAIL, scene.app_calendar_id(), event["id"], summary="Altered")
    scene.rest()
    assert scene.google.writes() == 1, "it still mends what was altered"


def tells_everywhere(scene: Scene, person: Reader) -> None:
    calendar = person.open("/calendar").page
    banners = [each.text for each in calendar.everything() if "banner" in each["class"].split()]
    assert len(banners) == 1
    assert "Reconnect" in banners[0]
    report = scene.doctor()
    assert report["state"] == "reconnect-required"
    assert {"id": "grant", "ok": False, "code": "reconnect-required"} in report["lines"]
    assert scene.portal.flask("sync", "now", EMAIL).exit_code == 2


def test_turning_off_and_on_again_never_leaves_two_calendars(scene: Scene) -> None:
    """Failure 1: after each round one calendar, with one event an appointment."""
    person, ids = begin(scene)
    for _ in range(2):
        person.open("/calendar/sync").tick("Off").press("Continue")
        while person.main()["data-state"] not in ("removing", "off"):
            person.press("Turn off" if person.has_button("Turn off") else "Continue")
        scene.wait(lambda: state_on_the_page(person) == "off", "everything was taken away")
        assert app_calendars(scene) == []
        assert scene.google.control("GET", "/grants")["items"] == []
        connect_google(person)
        scene.rest()
        assert len(app_calendars(scene)) == 1
        assert len(scene.app_events()) == len(ids)


def test_googles_answer_opens_nothing_a_second_time_or_in_another_browser(scene: Scene) -> None:
    """Failure 32: state, session and account belong together; a code is good once."""
    person, _ = begin(scene)
    seen: list[str] = []
    person._session.hooks["response"].append(lambda answer, **_: seen.append(answer.url))
    revoke(scene)
    scene.wait(lambda: scene.connection().problem is not None, "the worker finds out by itself")
    reconnect(person)
    scene.rest()
    (callback,) = [url for url in seen if "/calendar/sync/google/callback" in url]
    before = scene.connection().granted_at
    for browser in (person, scene.sign_in(), Reader(scene.portal.url)):
        browser.open(callback)
        assert "code=" not in browser.url, "the code stays in no address that is shown"
        assert scene.connection().granted_at == before
    assert state_on_the_page(person) == "active"
    assert requests.get(callback, timeout=10, allow_redirects=False).status_code in (302, 303)
