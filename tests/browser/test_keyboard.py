"""Each screen by keyboard alone: every control is reached by Tab and shows the focus, and work gets done."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from playwright.sync_api import Browser, Page, StorageState, expect

from tests.browser.conftest import OpenPage
from tests.processes import World

SCREENS = {
    "month": "/calendar?view=month",
    "week": "/calendar?view=week",
    "day": "/calendar?view=day",
    "agenda": "/calendar?view=agenda",
    "search": "/calendar/search",
    "export": "/calendar/export",
    "shortcuts": "/calendar/shortcuts",
    "locations and types": "/calendar/locations-and-types",
    "new appointment": "/appointments/new",
    "appointment": "/appointments/{id}",
    "edit": "/appointments/{id}/edit",
    "move": "/appointments/{id}/move",
    "cancel": "/appointments/{id}/cancel",
    "clients": "/clients",
    "client": "/clients/1",
    "rename client": "/clients/1/edit",
    "settings": "/settings",
    "time zone": "/settings/time-zone",
    "what a change of zone keeps": "/settings/time-zone?timezone=Europe/Berlin",
    "drafts": "/drafts",
}
MOST_TABS = 400
# What can be worked, and what had the focus meanwhile; of a radio group one stands for all
WATCH = """() => {
    window.reached = new Set();
    window.unseen = [];
    document.addEventListener("focusin", ({ target }) => {
        const style = getComputedStyle(target);
        reached.add(target);
        if (target.tabIndex >= 0 && (!target.matches(":focus-visible") || style.outlineStyle === "none"))
            unseen.push(target.outerHTML.slice(0, 90));
    });
    const all = "a[href], button, input:not([type=hidden], [type=radio]), select, textarea, summary";
    window.controls = [...document.querySelectorAll(all)].filter((each) =>
        !each.disabled && each.checkVisibility() && !each.closest("noscript, dialog:not([open])"));
    return controls.length;
}"""
MISSED = "() => controls.filter((each) => !reached.has(each)).map((each) => each.outerHTML.slice(0, 90))"


@pytest.fixture(scope="module")
def booked(browser: Browser, world: World, signed_in: StorageState) -> str:
    """The number of an appointment that lies ahead."""
    context = browser.new_context(storage_state=signed_in)
    page = context.new_page()
    page.goto(f"{world.url}/calendar?view=agenda")
    entry = page.locator('[data-entry="appointment"][data-status="scheduled"]').last
    number = str(entry.get_attribute("data-id")).split("-")[1]
    context.close()
    return number


def write(page: Page, label: str, text: str) -> None:
    """Into the field of this name, which Tab comes to sooner or later."""
    field = page.get_by_label(label, exact=True)
    for _ in range(MOST_TABS):
        if field.evaluate("(each) => each === document.activeElement"):
            page.keyboard.type(text)
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"{label} is not reached")


def press(page: Page, name: str) -> None:
    """Tab to what is called so, from wherever the focus is, and press Enter."""
    for _ in range(MOST_TABS):
        page.keyboard.press("Tab")
        focused = page.evaluate(
            "document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent"
        )
        if re.sub(r"\s+", " ", focused).strip() == name:
            page.keyboard.press("Enter")
            return
    raise AssertionError(f"{name} is not reached")


@pytest.mark.parametrize("name", SCREENS)
def test_every_control_is_reached_by_tab_and_shows_the_focus(
    open_page: OpenPage, world: World, signed_in: StorageState, booked: str, name: str
) -> None:
    page = open_page(storage_state=signed_in)
    page.goto(world.url + SCREENS[name].format(id=booked))
    page.evaluate("document.activeElement.blur()")
    assert page.evaluate(WATCH) > 4
    rounds = 0
    for _ in range(MOST_TABS):
        page.keyboard.press("Tab")
        rounds += page.evaluate("document.activeElement === document.body")
        if rounds == 2:  # the first began wherever the page had put the focus
            break
    assert rounds == 2, "the focus does not come around"
    assert page.evaluate(MISSED) == []
    assert page.evaluate("() => unseen") == []


def test_a_day_of_work_without_a_pointer(open_page: OpenPage, world: World) -> None:
    page = open_page()
    page.goto(f"{world.url}/login")
    page.keyboard.type(world.email)  # the first field has the focus
    page.keyboard.press("Tab")
    page.keyboard.type(world.password)
    page.keyboard.press("Enter")
    page.wait_for_url("**/calendar**")
    page.keyboard.press("n")
    expect(page.get_by_role("heading", name="New appointment")).to_be_visible()
    write(page, "Kind", "Other")
    write(page, "Title", "Supper")
    write(page, "Start time", "0715PM")
    press(page, "Save")
    expect(page.get_by_role("status").filter(has_text="Booked for")).to_be_visible()
    page.keyboard.press("3")
    expect(page.locator("main")).to_have_attribute("data-view", "day")
    entry = page.locator("[data-entry]", has_text="Supper")
    expect(entry).to_have_attribute("data-start", re.compile("T19:15"))
    entry.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Supper")).to_be_visible()
    press(page, "Cancel appointment")
    expect(page.get_by_label("Reason")).to_be_visible()
    write(page, "Reason", "Ill")
    press(page, "Cancel appointment")
    expect(page.get_by_role("main")).to_contain_text("Canceled. It stays here, crossed out.")
    press(page, "Undo")
    expect(page.get_by_role("main")).to_contain_text("Taken back.")
    expect(page.get_by_role("link", name="Cancel appointment")).to_be_visible()
    press(page, "Clients")
    expect(page.get_by_role("heading", name="Clients")).to_be_visible()


def test_the_menu_opens_by_enter_goes_by_arrows_and_gives_the_focus_back(
    open_page: OpenPage, world: World, signed_in: StorageState
) -> None:
    page = open_page(storage_state=signed_in)
    page.goto(f"{world.url}/calendar?view=week&date={dt.date(2032, 3, 10)}")
    page.get_by_role("button", name="More options").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("menuitem", name="Sync Calendar")).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(page.get_by_role("menuitem", name="Keyboard shortcuts")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="More options")).to_be_focused()
