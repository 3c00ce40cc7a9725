"""Pressed in haste, gone back in the browser, moved by days: what a hand does to the pages."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from playwright.sync_api import Page, StorageState, expect

from tests.browser.conftest import Complaints, OpenPage
from tests.processes import World

PRESSES = 10


@pytest.fixture
def page(open_page: OpenPage, signed_in: StorageState) -> Page:
    return open_page(storage_state=signed_in)


def fill_in(page: Page, world: World, date: str) -> None:
    page.goto(f"{world.url}/appointments/new?date={date}&time=10:07")
    page.get_by_label("Kind").select_option("Other event")
    page.get_by_label("Title").fill("Pressed in haste")


def entries(page: Page, world: World, date: str) -> int:
    page.goto(f"{world.url}/calendar?view=day&date={date}")
    return page.locator("[data-entry=appointment]").count()


def test_ten_presses_of_save_within_a_second_book_once(page: Page, world: World) -> None:
    """Failure 55, by pointer."""
    fill_in(page, world, "2027-05-04")
    page.evaluate(f"""() => {{
        const save = document.querySelector("main button.btn-primary");
        for (let press = 0; press < {PRESSES}; press += 1) setTimeout(() => save.click(), press * 60);
    }}""")
    expect(page).to_have_url(re.compile(r"/calendar\?"), timeout=30_000)
    page.wait_for_load_state("networkidle")
    assert entries(page, world, "2027-05-04") == 1


def test_enter_pressed_twice_books_once(page: Page, world: World) -> None:
    fill_in(page, world, "2027-05-05")
    page.get_by_label("Title").press("Enter", no_wait_after=True)
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/calendar\?"), timeout=30_000)
    page.wait_for_load_state("networkidle")
    assert entries(page, world, "2027-05-05") == 1


def test_after_back_and_forward_the_page_is_set_up_again(
    open_page: OpenPage, signed_in: StorageState, world: World
) -> None:
    """Failure 63: the second zone's hours stand there, and keys still move an entry, with its minutes."""
    page = open_page(storage_state=signed_in, timezone_id="Asia/Tokyo")
    date = dt.date(2027, 5, 6)
    fill_in(page, world, date.isoformat())
    page.get_by_role("button", name="Save", exact=True).click()
    page.goto(f"{world.url}/calendar?view=week&date={date}")
    page.locator("#go-next").click()
    expect(page).to_have_url(re.compile("2027-05-1"))
    page.go_back()
    expect(page).to_have_url(re.compile("2027-05-06"))
    entry = page.locator("[data-entry=appointment]", has_text="Pressed in haste").last
    expect(entry).to_be_visible()
    expect(page.locator(".gutter .there")).not_to_have_count(0)
    expect(page.locator("#there")).to_be_visible()
    entry.focus()
    page.keyboard.press("m")
    page.keyboard.press("ArrowRight")
    expect(page.locator("#announce")).to_contain_text("Friday, May 7")
    expect(page.locator("#announce")).to_contain_text("10:07 AM – 10:57 AM")
    page.keyboard.press("Enter")
    moved = page.locator('[data-start^="2027-05-07T10:07"]')
    expect(moved).to_have_count(1)
    page.go_forward()
    expect(page).to_have_url(re.compile("2027-05-1"))
    expect(page.locator(".gutter .there")).not_to_have_count(0)


def test_the_preview_of_a_move_into_the_skipped_hour_says_what_is_stored(page: Page, world: World) -> None:
    """Failure 64: on March 14 the clocks of Chicago go from 2:00 to 3:00."""
    page.goto(f"{world.url}/appointments/new?date=2027-03-13&time=02:30")
    page.get_by_label("Kind").select_option("Other event")
    page.get_by_label("Title").fill("Night watch")
    page.get_by_role("button", name="Save", exact=True).click()
    page.goto(f"{world.url}/calendar?view=week&date=2027-03-13")
    page.locator("[data-entry=appointment]", has_text="Night watch").focus()
    page.keyboard.press("m")
    page.keyboard.press("ArrowRight")
    expect(page.locator("#announce")).to_contain_text("3:30 AM – 4:20 AM")
    page.keyboard.press("Enter")
    expect(page.locator('[data-start="2027-03-14T03:30:00-05:00"]')).to_have_count(1)


def test_a_form_that_meets_a_database_in_trouble_stays_and_says_so(
    page: Page, world: World, complaints: Complaints
) -> None:
    complaints.allow("503")
    words = "The database cannot be reached. Nothing is lost: wait a moment, then send it again."
    page.goto(f"{world.url}/calendar?view=day&date=2027-05-11")
    page.locator("section.day").first.click(position={"x": 60, "y": 300})
    sheet = page.get_by_role("dialog", name="New appointment")
    sheet.get_by_label("Kind").select_option("Other event")
    sheet.get_by_label("Title").fill("Pressed in haste")
    page.route(
        "**/appointments", lambda route: route.fulfill(status=503, content_type="text/plain", body=words)
    )
    for _ in range(2):
        sheet.get_by_role("button", name="Save").first.click()
        expect(sheet.get_by_role("alert")).to_have_text(words)
    expect(sheet.get_by_label("Title")).to_have_value("Pressed in haste")
    page.unroute("**/appointments")
    sheet.get_by_role("button", name="Save").first.click()
    expect(sheet).to_be_hidden()
    assert entries(page, world, "2027-05-11") == 1
