"""The complete two-way walk, in a browser, through real processes, with Google's side looked at too."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Locator, Page, expect

from demo.processes import wait_until
from tests.browser.conftest import OpenPage
from tests.browser.pages import Complaints, entries, screenshot, sign_in
from tests.processes import World, doctor

ZONE = ZoneInfo(World.timezone)
MOST_PRESSES = 8
APP_CALENDAR = "Lockstep"

pytestmark = pytest.mark.walk


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The demo's practice, so that the walk is done in a full week."""
    world = World(tmp_path_factory.mktemp("walk"))
    try:
        world.start(workers=0).seed_practice()
        world.portal.start_worker()
        yield world
    finally:
        world.stop()


def monday() -> dt.date:
    today = dt.datetime.now(ZONE).date()
    return today - dt.timedelta(days=today.weekday())


def open_sync_screen(page: Page, world: World) -> None:
    page.get_by_role("link", name="Calendar", exact=True).first.click()
    page.get_by_role("button", name="More options").click()
    page.get_by_role("menuitem", name="Sync Calendar").click()
    expect(page.get_by_role("heading", name="Sync Calendar")).to_be_visible()


def connect(page: Page, world: World) -> int:
    """From the radio group to an active sync; gives back the presses of Connect and Continue it took."""
    page.get_by_role("radio", name="Two-Way Sync with Google").check()
    for presses in range(1, MOST_PRESSES + 1):
        button = page.get_by_role("button", name="Connect Google account")
        (button if button.count() else page.get_by_role("button", name="Continue", exact=True)).click()
        page.wait_for_load_state()
        if page.url.startswith(world.sandbox.url):
            consent(page, world)
        if state(page) in ("first-sync", "active"):
            expect(page.locator("main")).to_have_attribute("data-state", "active", timeout=60_000)
            return presses
    raise AssertionError(f"still {state(page)} after {MOST_PRESSES} presses")


def consent(page: Page, world: World) -> None:
    """At Google: choose the account if asked, then agree."""
    account = page.get_by_role("button", name=world.email)
    if account.count():
        account.click()
    page.get_by_role("button", name="Continue").click()
    page.wait_for_url(f"{world.url}/**")


def state(page: Page) -> str | None:
    return page.locator("main").get_attribute("data-state")


def calendars(world: World) -> dict[str, str]:
    """The account's calendars, by name."""
    return {each["summary"]: each["id"] for each in world.google.calendars(world.email)}


def outside(world: World) -> list[dict[str, Any]]:
    """The events in the app calendar."""
    return world.google.events(world.email, calendars(world)[APP_CALENDAR])


def soon(is_true: Callable[[], bool], what: str) -> None:
    wait_until(is_true, seconds=30, what=what, every_seconds=0.1)


def personal(world: World) -> list[tuple[str, str]]:
    """Everything that is the person's own, with what tells whether it was touched."""
    return sorted(
        (event["id"], event["etag"])
        for name, identifier in calendars(world).items()
        if name != APP_CALENDAR
        for event in world.google.events(world.email, identifier)
    )


def entry(page: Page, text: str, kind: str = "appointment", status: str = "scheduled") -> Locator:
    """One entry of the page, by a word of its name."""
    found = page.locator(f'[data-entry="{kind}"][data-status="{status}"]').filter(has_text=text)
    return found.first


def book(page: Page, world: World, *, client: str, day: dt.date, at: str) -> None:
    page.goto(f"{world.url}/calendar?view=week&date={day}")
    page.get_by_role("link", name="New appointment").click()
    page.get_by_label("Kind").select_option("Client session")
    option = page.get_by_label("Client", exact=True).locator("option", has_text=client).first
    page.get_by_label("Client", exact=True).select_option(value=option.get_attribute("value"))
    page.get_by_label("Date", exact=True).fill(day.isoformat())
    page.get_by_label("Start time").fill(at)
    page.get_by_label("Duration (minutes)").fill("50")
    page.get_by_role("button", name="Save").click()
    page.wait_for_load_state()


def test_the_two_way_walk(page: Page, world: World, complaints: Complaints) -> None:
    complaints.allow(world.sandbox.url)  # its pages may log what they like
    sign_in(page, world.url, world.email, world.password)
    before = personal(world)
    open_sync_screen(page, world)
    assert connect(page, world) <= MOST_PRESSES
    expect(page.get_by_text("Two-Way Sync with Google is active").first).to_be_visible()
    expect(page.get_by_text(f"Connected as {world.email}").first).to_be_visible()
    screenshot(page, "sync-active")

    every_live_appointment_is_there_once(world)
    the_personal_events_are_here_locked(page, world)
    what_moves_here_moves_there(page, world)
    what_changes_there_changes_here(page, world, before)
    what_is_canceled_here_is_gone_there(page, world)
    turning_off_leaves_what_is_the_persons_own(page, world)


def every_live_appointment_is_there_once(world: World) -> None:
    soon(lambda: doctor(world.portal, world.email)[0]["counts"]["behind"] == 0, "all is pushed")
    (report,) = doctor(world.portal, world.email)
    events = outside(world)
    assert report["counts"]["live"] == report["counts"]["linked"] == len(events) > 50
    assert len({(event["summary"], str(event["start"])) for event in events}) == len(events)
    titles = {event["summary"] for event in events}
    assert all(re.fullmatch(r"\d+( \(contact\))?|Busy", title) for title in titles), titles


def the_personal_events_are_here_locked(page: Page, world: World) -> None:
    page.goto(f"{world.url}/calendar?view=week&date={monday()}")
    shown = entries(page, "google")
    assert shown
    assert any("Lunch" in each["text"] for each in shown)
    names = page.locator('[data-entry="google"]')
    for number in range(names.count()):
        expect(names.nth(number)).to_have_accessible_name(re.compile("From Google, locked"))
    screenshot(page, "week")


def what_moves_here_moves_there(page: Page, world: World) -> None:
    day = monday() + dt.timedelta(days=9)
    book(page, world, client="Quinn Fern", day=day, at="17:00")
    soon(lambda: _starts(world, f"{day}T17:00"), "the new appointment is in Google")
    page.goto(f"{world.url}/calendar?view=day&date={day}")
    entry(page, "5:00").click()
    page.get_by_role("link", name="Edit").click()
    page.get_by_label("Start time").fill("18:00")
    page.get_by_role("button", name="Save").click()
    soon(lambda: _starts(world, f"{day}T18:00") and not _starts(world, f"{day}T17:00"), "it moved in Google")


def _starts(world: World, local: str) -> bool:
    """Whether an event of ours starts at this local time."""
    starts = (event["start"].get("dateTime") for event in outside(world))
    return any(
        start and dt.datetime.fromisoformat(start).astimezone(ZONE).isoformat().startswith(local)
        for start in starts
    )


def what_changes_there_changes_here(page: Page, world: World, before: list[tuple[str, str]]) -> None:
    assert personal(world) == before, "connecting touched nothing of the person's own"
    day = monday() + dt.timedelta(days=10)
    page.goto(f"{world.sandbox.url}/accounts/{world.email}/calendar?week={day}")
    page.get_by_role("link", name="Add event").click()
    page.get_by_label("Title").fill("Choir")
    for label, value in (
        ("Start date", day),
        ("Start time", "19:00"),
        ("End date", day),
        ("End time", "20:30"),
    ):
        page.get_by_label(label).fill(str(value))
    page.get_by_role("button", name="Add event").click()
    _shows(page, world, day, "Choir")
    page.goto(f"{world.sandbox.url}/accounts/{world.email}/calendar?week={day}")
    page.get_by_role("link", name="Choir").first.click()
    page.get_by_label("Title").fill("Choir, last rehearsal")
    page.get_by_role("button", name="Save").click()
    _shows(page, world, day, "Choir, last rehearsal")


def _shows(page: Page, world: World, day: dt.date, title: str) -> None:
    def is_shown() -> bool:
        page.goto(f"{world.url}/calendar?view=day&date={day}")
        return any(title in each["text"] for each in entries(page, "google"))

    soon(is_shown, f"{title!r} is shown")


def what_is_canceled_here_is_gone_there(page: Page, world: World) -> None:
    day = monday() + dt.timedelta(days=9)
    page.goto(f"{world.url}/calendar?view=day&date={day}")
    entry(page, "6:00").click()
    page.get_by_role("link", name="Cancel appointment").or_(
        page.get_by_role("button", name="Cancel appointment")
    ).first.click()
    page.get_by_label("Reason").fill("Unwell")
    page.get_by_role("button", name="Cancel appointment").click()
    soon(lambda: not _starts(world, f"{day}T18:00"), "it is gone from Google")
    page.goto(f"{world.url}/calendar?view=day&date={day}")
    struck = entry(page, "6:00", status="canceled")
    expect(struck).to_contain_text(re.compile("canceled", re.I))


def turning_off_leaves_what_is_the_persons_own(page: Page, world: World) -> None:
    kept = personal(world)
    open_sync_screen(page, world)
    page.get_by_role("link", name="Turn off").or_(page.get_by_role("button", name="Turn off")).first.click()
    page.get_by_role("button", name="Turn off").click()
    expect(page.locator("main")).to_have_attribute("data-mode", "off", timeout=60_000)
    soon(lambda: APP_CALENDAR not in calendars(world), "the app calendar is gone")
    assert personal(world) == kept
    page.goto(f"{world.url}/calendar?view=week&date={monday()}")
    assert entries(page, "google") == []
    assert len(entries(page, "appointment")) > 20


def test_an_event_made_by_hand_in_the_app_calendar_survives_turning_off(
    open_page: OpenPage, world: World, complaints: Complaints
) -> None:
    complaints.allow(world.sandbox.url)
    page = open_page(script=False)  # the settings screen works without script, too
    sign_in(page, world.url, world.email, world.password)
    page.goto(f"{world.url}/calendar/sync")
    connect_without_script(page, world)
    identifier = calendars(world)[APP_CALENDAR]
    day = monday() + dt.timedelta(days=8)
    span = {"start": {"date": str(day)}, "end": {"date": str(day + dt.timedelta(days=1))}}
    world.google.add_event(world.email, identifier, summary="Mine", **span)
    page.goto(f"{world.url}/calendar/sync")
    page.get_by_role("link", name="Turn off").or_(page.get_by_role("button", name="Turn off")).first.click()
    page.get_by_role("button", name="Turn off").click()
    soon(lambda: [each["summary"] for each in outside(world)] == ["Mine"], "ours are gone, theirs stays")
    world.google.delete_calendar(world.email, identifier)


def connect_without_script(page: Page, world: World) -> None:
    """As `connect`, the page reloaded by hand until the first sync is done."""
    page.get_by_role("radio", name="Two-Way Sync with Google").check()
    for _ in range(MOST_PRESSES):
        button = page.get_by_role("button", name="Connect Google account")
        (button if button.count() else page.get_by_role("button", name="Continue", exact=True)).click()
        if page.url.startswith(world.sandbox.url):
            consent(page, world)
        if state(page) in ("first-sync", "active"):
            break

    def is_active() -> bool:
        page.goto(f"{world.url}/calendar/sync")
        return state(page) == "active"

    soon(is_active, "the first sync is done")
