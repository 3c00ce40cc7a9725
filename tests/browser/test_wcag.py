"""WCAG 2.2 AA, one test for each need that axe cannot judge by itself."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, StorageState, expect

from tests.browser.conftest import OpenPage
from tests.browser.pages import axe, screenshot, sign_in
from tests.processes import World

VIEWS = ("month", "week", "day", "agenda")
BESIDE = (
    *("/appointments/new", "/clients", "/clients/1", "/clients/new", "/settings", "/settings/time-zone"),
    *("/settings/time-zone?timezone=Europe/Berlin", "/calendar/search", "/calendar/export"),
    *("/calendar/shortcuts", "/calendar/locations-and-types", "/appointments/1", "/appointments/1/edit"),
    *("/appointments/1/move", "/calendar?view=day&provider=1&provider=2", "/drafts"),
)
TARGETS = """() => {
    const all = 'main a, main button, main summary, main input, .rail a, .rail button';
    const small = (box) => box.width > 1 && (box.width < 24 || box.height < 23.9);
    return [...document.querySelectorAll(all)]
        .filter((each) => each.checkVisibility() && getComputedStyle(each).display !== 'inline')
        .filter((each) => !each.closest('label') && small(each.getBoundingClientRect()))
        .map((each) => each.outerHTML.slice(0, 120));
}"""
HIDDEN_FOCUS = """() => {
    const focused = document.activeElement, box = focused.getBoundingClientRect();
    const x = box.left + Math.min(box.width / 2, 20), y = box.top + box.height / 2;
    const top = document.elementFromPoint(x, y);
    return !top || !(focused.contains(top) || top.contains(focused));
}"""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    world = World(tmp_path_factory.mktemp("wcag"), SESSION_IDLE_SECONDS="3600")
    try:
        world.start(workers=0).seed_practice()
        yield world
    finally:
        world.stop()


@pytest.fixture
def week(open_page: OpenPage, world: World, signed_in: StorageState) -> Page:
    page = open_page(storage_state=signed_in)
    page.goto(f"{world.url}/calendar?view=week")
    return page


@pytest.mark.parametrize("view", VIEWS)
def test_2_5_8_every_target_is_large_enough(
    open_page: OpenPage, world: World, signed_in: StorageState, view: str
) -> None:
    page = open_page(storage_state=signed_in)
    page.goto(f"{world.url}/calendar?view={view}")
    assert page.evaluate(TARGETS) == []


def test_2_5_7_moving_needs_no_dragging(week: Page, world: World) -> None:
    week.locator('[data-entry="appointment"][data-status="scheduled"]').last.click()
    week.get_by_role("link", name="Move…").click()
    expect(week.get_by_role("button", name="Move", exact=True)).to_be_visible()
    expect(week.get_by_label("Duration (minutes)")).to_be_visible()


def test_2_4_11_what_has_the_focus_is_not_covered(week: Page) -> None:
    week.set_viewport_size({"width": 1280, "height": 600})
    week.locator("[data-entry]").first.focus()
    for _ in range(25):
        week.keyboard.press("Tab")
        if week.evaluate("document.activeElement.matches('[data-entry]')"):
            assert not week.evaluate(HIDDEN_FOCUS), week.evaluate("document.activeElement.textContent")
    for _ in range(25):
        week.keyboard.press("Shift+Tab")
        if week.evaluate("document.activeElement.matches('[data-entry]')"):
            assert not week.evaluate(HIDDEN_FOCUS), week.evaluate("document.activeElement.textContent")


def test_1_4_1_a_status_is_a_word_an_icon_and_a_line_not_a_colour_alone(week: Page) -> None:
    canceled = week.locator('[data-status="canceled"]').first
    expect(canceled).to_have_accessible_name(re.compile("Canceled"))
    assert canceled.locator(".entry-note svg").count() == 1
    assert "line-through" in canceled.locator(".entry-name > :last-child").evaluate(
        "(each) => getComputedStyle(each).textDecoration"
    )


def test_2_2_1_an_idle_sign_in_is_warned_of_and_can_be_prolonged(
    open_page: OpenPage, world: World, signed_in: StorageState
) -> None:
    page = open_page(storage_state=signed_in)
    page.clock.install()
    page.goto(f"{world.url}/calendar?view=week")
    idle = int(page.locator("body").get_attribute("data-idle-seconds") or 0)
    page.clock.run_for((idle - 100) * 1000)
    warning = page.get_by_role("dialog", name="Still there?")
    expect(warning).to_contain_text("signed out in about 2 min")
    warning.get_by_role("button", name="Stay signed in").click()
    expect(warning).to_have_count(0)
    page.clock.run_for(110_000)
    expect(warning).to_have_count(0)


def test_4_1_3_a_swap_is_announced_outside_of_what_is_swapped(week: Page) -> None:
    announce = week.locator("#announce")
    assert announce.get_attribute("aria-live") == "polite"
    assert week.locator("#main #announce").count() == 0
    week.get_by_role("link", name="Next", exact=True).click()
    expect(announce).not_to_be_empty()
    expect(announce).to_have_text(week.locator("main h1").inner_text())
    assert week.evaluate("document.activeElement.id") == "go-next"


def test_the_month_is_a_table_with_a_caption_and_todays_date_marked(
    open_page: OpenPage, world: World, signed_in: StorageState
) -> None:
    page = open_page(storage_state=signed_in)
    page.goto(f"{world.url}/calendar?view=month")
    table = page.locator("table.month")
    expect(table.locator("caption")).to_have_text(re.compile(r"\w+ \d{4}"))
    expect(table.locator('[aria-current="date"]')).to_have_count(1)
    expect(table.get_by_role("columnheader")).to_have_count(7)


def test_an_entry_says_time_name_and_status(week: Page) -> None:
    entry = week.locator('[data-entry="appointment"]', has_text="Casey Vale").first
    expect(entry).to_have_accessible_name(re.compile(r"^10:00.*10:50 AM.*Casey Vale.*1009.*Canceled"))


def test_3_3_8_signing_in_works_with_a_password_manager(open_page: OpenPage, world: World) -> None:
    page = open_page()
    page.goto(f"{world.url}/login")
    expect(page.get_by_label("Email")).to_have_attribute("autocomplete", re.compile("username|email"))
    expect(page.get_by_label("Password")).to_have_attribute("autocomplete", "current-password")


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize(("width", "height"), [(320, 640), (640, 450)], ids=["320px", "200-percent"])
def test_1_4_10_nothing_scrolls_sideways(
    open_page: OpenPage, world: World, signed_in: StorageState, view: str, width: int, height: int
) -> None:
    page = open_page(storage_state=signed_in, viewport={"width": width, "height": height})
    page.goto(f"{world.url}/calendar?view={view}")
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0


@pytest.mark.parametrize(("width", "height"), [(320, 640), (640, 450)], ids=["320px", "200-percent"])
def test_1_4_10_no_page_beside_the_calendar_scrolls_sideways(
    open_page: OpenPage, world: World, signed_in: StorageState, width: int, height: int
) -> None:
    page = open_page(storage_state=signed_in, viewport={"width": width, "height": height})
    too_wide = {}
    for address in BESIDE:
        page.goto(world.url + address)
        too_wide[address] = page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
    assert {address: wide for address, wide in too_wide.items() if wide} == {}


@pytest.mark.parametrize("view", VIEWS)
def test_forced_colours_and_reduced_motion_lose_nothing(
    open_page: OpenPage, world: World, signed_in: StorageState, view: str
) -> None:
    page = open_page(storage_state=signed_in, forced_colors="active", reduced_motion="reduce")
    page.goto(f"{world.url}/calendar?view={view}")
    screenshot(page, f"{view}-forced-colours")
    assert axe(page) == []
    moving = "(all) => all.filter((each) => parseFloat(getComputedStyle(each).transitionDuration)).length"
    assert page.locator("body *").evaluate_all(moving) == 0
    for entry in page.locator("[data-entry]:visible").all()[:20]:
        assert entry.evaluate("(each) => getComputedStyle(each).borderTopStyle") != "none"


@pytest.mark.parametrize("view", ["day", "week", "agenda"])
def test_print_leaves_the_navigation_out(
    open_page: OpenPage, world: World, signed_in: StorageState, view: str
) -> None:
    page = open_page(storage_state=signed_in)
    page.goto(f"{world.url}/calendar?view={view}")
    page.emulate_media(media="print")
    expect(page.get_by_text("Dr. Wren Hale, Juniper Street.")).to_be_visible()
    for gone in (".rail", ".bar", ".now"):
        assert page.locator(f"{gone}:visible").count() == 0
    screenshot(page, f"{view}-print")


def test_escape_abandons_a_drag(week: Page) -> None:
    entry = week.locator('[data-revision][data-status="scheduled"]').last
    before, box = entry.get_attribute("data-start"), entry.bounding_box()
    assert box
    week.mouse.move(box["x"] + 20, box["y"] + 8)
    week.mouse.down()
    week.mouse.move(box["x"] + 20, box["y"] + 150, steps=10)
    assert week.locator(".ghost").count() == 1
    week.keyboard.press("Escape")
    week.mouse.up()
    assert week.locator(".ghost").count() == 0
    week.reload()
    assert entry.get_attribute("data-start") == before


def test_2_2_1_what_was_typed_is_there_again_after_signing_in(open_page: OpenPage, world: World) -> None:
    page = open_page()
    page.clock.install()
    sign_in(page, world.url, world.email, world.password)
    page.goto(f"{world.url}/appointments/new")
    page.get_by_label("Kind").select_option("Other event")
    page.get_by_label("Title").press_sequentially("Half a thought")
    idle = int(page.locator("body").get_attribute("data-idle-seconds") or 0)
    page.clock.run_for(1000)  # what the form asks for by itself counts as a sign of life: it comes first
    page.wait_for_load_state("networkidle")
    with page.expect_response(re.compile("/drafts$")) as answer:
        page.clock.run_for((idle - 100) * 1000)
    assert answer.value.status == 200
    page.context.clear_cookies()  # as when the sign-in has ended
    page.goto(f"{world.url}/login")
    page.get_by_label("Email").fill(world.email)
    page.get_by_label("Password").fill(world.password)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_label("Title")).to_have_value("Half a thought")
    expect(page.get_by_role("status").first).to_contain_text("You were signed out before this was saved.")
    assert axe(page) == []
    page.get_by_role("button", name="Throw it away").click()
    expect(page.get_by_role("main")).to_contain_text("What you had typed is gone.")
