"""Every state of the Sync Calendar screen, reached for real and left again by what the page offers.

Worked by keyboard alone. In each state: the console stays silent, nothing is wider than the screen or
clipped, axe finds nothing, and a picture is kept at both widths in both schemes.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from demo.processes import wait_until
from tests.browser.conftest import OpenPage
from tests.browser.pages import SCREENS, Complaints, axe, screenshot, sign_in
from tests.browser.test_walk import APP_CALENDAR, ZONE, calendars, consent, outside
from tests.forms import Reader
from tests.processes import World
from tests.wizard import connect_google
from tests.wizard import sign_in as sign_in_plainly

SYNC = "/calendar/sync"
MOST_TABS = 120
# Texts that are cut off, of everything that carries a name
CLIPPED = """() => {
    const named = document.querySelectorAll("main h1, main h2, main h3, main b, main .btn, main dd, .chip");
    const isCut = (each) =>
        each.scrollWidth > each.clientWidth + 1 && getComputedStyle(each).overflowX === "hidden";
    return [...named].filter(isCut).map((each) => each.textContent.trim());
}"""
FOCUSED = """() => {
    const each = document.activeElement;
    const style = getComputedStyle(each);
    const name = each.getAttribute("aria-label") || each.textContent || each.value || "";
    const isSeen = each.matches(":focus-visible") && style.outlineStyle !== "none";
    return [name.replace(/\\s+/g, " ").trim(), isSeen];
}"""


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    try:
        world.start(workers=0).seed_practice()
        yield world
    finally:
        world.stop()


@pytest.fixture
def page(world: World, open_page: OpenPage, complaints: Complaints) -> Page:
    """In this order: pages that poll are closed before the portal is."""
    complaints.allow(world.sandbox.url)
    page = open_page()
    sign_in(page, world.url, world.email, world.password)
    return page


def press(page: Page, name: str) -> None:
    """Tab to the button or link of this name, see where the focus is, and press it."""
    focus(page, name)
    with page.expect_navigation():
        page.keyboard.press("Enter")


def look(page: Page, world: World, state: str, *, name: str = "", address: str = SYNC) -> None:
    """The state is there, and its page is fit to be seen on every screen."""
    wait_for(page, world, state, address=address)
    name = name or f"sync-{state}"
    for screen, settings in SCREENS.items():
        page.set_viewport_size(settings["viewport"])
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            keep(page, f"{name}-{screen}-{scheme}", settings["viewport"])
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert (state, screen, wide) == (state, screen, 0)
        assert page.evaluate(CLIPPED) == []
        assert axe(page) == []
    page.set_viewport_size(SCREENS["desktop"]["viewport"])
    page.emulate_media(color_scheme="light")


def keep(page: Page, name: str, viewport: dict[str, int]) -> None:
    """A picture of the whole page on a screen as tall as it: so what sticks to the foot stays at the foot."""
    tall = page.evaluate("document.documentElement.scrollHeight")
    page.set_viewport_size({"width": viewport["width"], "height": max(tall, viewport["height"])})
    screenshot(page, name)
    page.set_viewport_size(viewport)


def focus(page: Page, name: str) -> None:
    """Tab to what carries this name."""
    page.locator("body").evaluate("(body) => { document.activeElement.blur(); body.focus(); }")
    for _ in range(MOST_TABS):
        page.keyboard.press("Tab")
        focused, is_visible = page.evaluate(FOCUSED)
        if focused == name:
            assert is_visible, f"nobody sees that {name!r} has the focus"
            return
    raise AssertionError(f"{name!r} cannot be reached by Tab on {page.url}")


def wait_for(page: Page, world: World, state: str, *, address: str = SYNC) -> None:
    def is_there() -> bool:
        page.goto(world.url + address)
        return page.locator("main").get_attribute("data-state") == state

    wait_until(is_there, seconds=90, what=f"the state {state}")


def set_up(page: Page, world: World) -> None:
    """The wizard, each step looked at on the way."""
    look(page, world, "off")
    page.get_by_role("radio", name="Off").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    assert page.get_by_role("radio", name="Two-Way Sync with Google").is_checked()
    press(page, "Continue")
    look(page, world, "connecting", name="sync-names", address=f"{SYNC}/names")
    press(page, "Continue")
    look(page, world, "connecting", address=f"{SYNC}/connect")
    press(page, "Connect Google account")
    consent(page, world)
    look(page, world, "choosing", address=f"{SYNC}/calendars")
    focus(page, "Skip, only send appointments")
    focus(page, "Home and garden")
    page.keyboard.press("Space")
    assert page.get_by_role("checkbox", name="Home and garden").is_checked()
    expect(page.get_by_text("1 calendar, ")).to_be_hidden()  # it was the sum of other ticks
    page.keyboard.press("Space")
    expect(page.get_by_text("1 calendar, ")).to_be_visible()
    press(page, "Continue")
    look(page, world, "preview", address=f"{SYNC}/preview")
    press(page, "Continue")
    look(page, world, "first-sync")
    a_check_waits_for_a_worker(page, world)


def a_check_waits_for_a_worker(page: Page, world: World) -> None:
    page.goto(f"{world.url}{SYNC}/doctor")
    press(page, "Check everything now")
    look(page, world, "first-sync", name="doctor-checking", address=f"{SYNC}/doctor")
    press(page, "Stop checking")
    expect(page.get_by_role("button", name="Check everything now")).to_be_visible()


def sync_now(page: Page, world: World) -> None:
    page.goto(world.url + SYNC)
    press(page, "Sync now")


def test_from_off_to_the_first_sync_by_what_the_pages_offer(page: Page, world: World) -> None:
    one_way_and_back(page, world)
    set_up(page, world)
    world.portal.start_worker()
    look(page, world, "active")


def test_what_an_active_sync_offers_is_worked_by_keyboard(page: Page, world: World) -> None:
    begin(world)
    an_appointment_is_proved(page, world)
    the_help_is_searched(page, world)
    a_deletion_is_answered(page, world)
    the_doctor_compares(page, world)
    a_question_is_answered(page, world)


def test_every_trouble_is_left_by_what_the_page_offers(page: Page, world: World) -> None:
    begin(world)
    trouble_passes(page, world)
    a_revoked_grant_is_given_again(page, world)
    a_missing_calendar_is_created_again(page, world)
    one_out_of_reach_too(page, world)
    turning_off_is_seen(page, world)


def begin(world: World) -> None:
    """Two-Way is active; how one gets there is another test's."""
    world.portal.start_worker()
    connect_google(sign_in_plainly(Reader(world.url)))


def one_way_and_back(page: Page, world: World) -> None:
    page.goto(world.url + SYNC)
    page.get_by_role("radio", name="Off").focus()
    page.keyboard.press("ArrowDown")
    press(page, "Continue")
    look(page, world, "one-way")
    url = page.get_by_label("Feed URL").input_value()
    focus(page, "Copy link")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    press(page, "New feed URL")
    assert page.get_by_label("Feed URL").input_value() != url
    press(page, "Turn off")
    press(page, "Turn off")
    wait_for(page, world, "off")


def next_event(world: World) -> dict[str, str]:
    """An event of ours that is still to come."""
    soonest = (dt.datetime.now(ZONE) + dt.timedelta(days=1)).isoformat()
    coming = [each for each in outside(world) if each["start"].get("dateTime", "") > soonest]
    return min(coming, key=lambda each: each["start"]["dateTime"])


def an_appointment_is_proved(page: Page, world: World) -> None:
    page.goto(f"{world.url}/calendar?view=agenda")
    page.locator('[data-entry="appointment"][data-status="scheduled"]').nth(3).focus()
    with page.expect_navigation():
        page.keyboard.press("Enter")
    address = page.url.removeprefix(world.url)
    press(page, "Look in Google now")
    expect(page.get_by_text("it is there, as it is here")).to_be_visible()
    press(page, "Push again")
    expect(page.get_by_text("being written to Google again")).to_be_visible()
    wait_until(lambda: is_proved(page, world, address), seconds=30, what="the event is written again")
    page.set_viewport_size(SCREENS["phone"]["viewport"])
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0
    assert axe(page) == []
    page.set_viewport_size(SCREENS["desktop"]["viewport"])


def is_proved(page: Page, world: World, address: str) -> bool:
    page.goto(world.url + address)
    return page.locator('[data-proof="in-google"]').count() == 1


def the_help_is_searched(page: Page, world: World) -> None:
    page.goto(world.url + SYNC)
    page.locator("main").get_by_role("link", name="Help").focus()
    with page.expect_navigation():
        page.keyboard.press("Enter")
    page.get_by_label("Search the help").focus()
    page.keyboard.type("twice")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    press(page, "Everything is there twice")
    expect(page.get_by_role("heading", level=1, name="Everything is there twice")).to_be_visible()


def a_deletion_is_answered(page: Page, world: World) -> None:
    event = next_event(world)
    number = len(outside(world))
    world.google.delete_event(world.email, calendars(world)[APP_CALENDAR], event["id"])
    sync_now(page, world)

    def is_asked() -> bool:
        page.goto(f"{world.url}{SYNC}/changes")
        return page.locator('[data-card="deleted"]').count() == 1

    wait_until(is_asked, seconds=30, what="the card")
    look(page, world, "active", name="changes", address=f"{SYNC}/changes")
    press(page, "Put it back")
    wait_until(lambda: len(outside(world)) == number, seconds=30, what="the event is back")


def the_doctor_compares(page: Page, world: World) -> None:
    page.goto(f"{world.url}{SYNC}/doctor")
    press(page, "Check everything now")
    expect(page.get_by_text("everything is in step").first).to_be_visible(timeout=30_000)  # by itself
    page.get_by_label("Google calendar").focus()
    press(page, "Look")
    assert page.locator("[data-verdict]").count() + page.get_by_text("Google shows nothing").count() >= 1
    look(page, world, "active", name="doctor", address=f"{SYNC}/doctor")
    page.goto(f"{world.url}/help/late")
    assert axe(page) == []
    keep(page, "help-answer-desktop-light", SCREENS["desktop"]["viewport"])


def a_question_is_answered(page: Page, world: World) -> None:
    """As after a restored backup: Google holds a newer revision than the database."""
    event = next_event(world)
    tag = {**event["extendedProperties"]["private"], "r": "900"}  # type: ignore[index]
    world.google.change_event(
        world.email, calendars(world)[APP_CALENDAR], event["id"], extendedProperties={"private": tag}
    )
    sync_now(page, world)
    look(page, world, "question")
    world.google.add_fault("backend_error", method="calendar.*", times=None)
    press(page, "Answer")
    press(page, "Keep mine")
    world.google.clear_faults()
    wait_for(page, world, "active")


def trouble_passes(page: Page, world: World) -> None:
    world.google.add_fault("backend_error", method="calendar.*", times=None)
    sync_now(page, world)
    look(page, world, "delayed")
    world.google.clear_faults()
    press(page, "Sync now")
    wait_for(page, world, "active")


def a_revoked_grant_is_given_again(page: Page, world: World) -> None:
    """With Google failing as well: the button leads on as soon as Google answers again."""
    world.google.control("POST", "/grants/revoke", {"account": world.email})
    sync_now(page, world)
    look(page, world, "reconnect-required")
    page.goto(f"{world.url}/clients")
    world.google.add_fault("backend_error", method="calendar.*", times=None)
    press(page, "Reconnect")
    consent(page, world)
    world.google.clear_faults()
    wait_for(page, world, "active")


def a_missing_calendar_is_created_again(page: Page, world: World) -> None:
    number = len(outside(world))
    world.google.delete_calendar(world.email, calendars(world)[APP_CALENDAR])
    sync_now(page, world)
    look(page, world, "calendar-missing")
    world.google.add_fault("backend_error", method="calendar.*", times=3)
    press(page, "Create again")
    wait_for(page, world, "active")
    assert len(outside(world)) == number


def one_out_of_reach_too(page: Page, world: World) -> None:
    """Listed still, but it no longer opens: a new one is made on the provider's word alone."""
    lost = calendars(world)[APP_CALENDAR]
    world.google.add_fault("not_found", method="calendar.events.*", calendar=lost, times=None)
    sync_now(page, world)
    look(page, world, "calendar-out-of-reach")
    press(page, "Create again")
    wait_for(page, world, "active")
    world.google.clear_faults()


def turning_off_is_seen(page: Page, world: World) -> None:
    """Google fails at first: it goes on by itself as soon as it answers."""
    page.goto(world.url + SYNC)
    press(page, "Start over")
    look(page, world, "active", name="start-over", address=f"{SYNC}/start-over")
    press(page, "Leave it as it is")
    press(page, "Turn off")
    look(page, world, "active", name="turn-off", address=f"{SYNC}/turn-off")
    world.google.add_fault("backend_error", method="calendar.*", times=None)
    press(page, "Turn off")
    wait_until(lambda: can_try_again(page, world), seconds=30, what="the first try failed")
    look(page, world, "removing")
    world.google.clear_faults()
    press(page, "Try again now")
    look(page, world, "off", name="sync-receipt")
    expect(page.get_by_text("Two-Way Sync has ended")).to_be_visible()


def can_try_again(page: Page, world: World) -> bool:
    page.goto(world.url + SYNC)
    return page.get_by_role("button", name="Try again now").count() == 1
