"""The calendar by pointer and by keyboard: create, move, resize, undo, hide names, renew itself."""

from __future__ import annotations

import datetime as dt
import re
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Locator, Page, StorageState, expect

from tests.browser.conftest import OpenPage
from tests.browser.pages import axe, entries, screenshot
from tests.processes import World

ZONE = ZoneInfo(World.timezone)
SHEETS = {
    "move": "/appointments/{id}/move",
    "appointment": "/appointments/{id}",
    "edit": "/appointments/{id}/edit",
    "cancel": "/appointments/{id}/cancel",
    "new-appointment": "/appointments/new",
    "shortcuts": "/calendar/shortcuts",
    "search": "/calendar/search",
    "export": "/calendar/export",
    "locations-and-types": "/calendar/locations-and-types",
}


def day(number: int, weeks: int = 5) -> dt.date:
    """A day, from Monday as 0, of a week with nothing in it."""
    today = dt.datetime.now(ZONE).date()
    return today + dt.timedelta(days=number - today.weekday(), weeks=weeks)


def open_week(page: Page, world: World, weeks: int) -> None:
    page.goto(f"{world.url}/calendar?view=week&date={day(0, weeks)}")


def column(page: Page, date: dt.date) -> Locator:
    return page.locator(f'section.day[data-date="{date}"]')


def point(page: Page, date: dt.date, time: str) -> tuple[float, float]:
    """Where a time of a day stands on the screen."""
    box = column(page, date).bounding_box()
    first = column(page, date).get_attribute("data-first-hour")
    assert box
    assert first
    hour, minute = map(int, time.split(":"))
    return box["x"] + box["width"] / 2, box["y"] + ((hour - int(first)) * 60 + minute) / 60 * 72 + 1


def drag(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move(*end, steps=6)
    page.mouse.up()


def book(page: Page, world: World, date: dt.date, time: str, weeks: int) -> Locator:
    """Through the quick form, opened by a press on empty time; gives back the new entry."""
    open_week(page, world, weeks)
    page.mouse.click(*point(page, date, time))
    sheet = page.get_by_role("dialog", name="New appointment")
    sheet.get_by_label("Client", exact=True).select_option(index=1)
    sheet.get_by_role("button", name="Save").click()
    expect(sheet).to_be_hidden()
    entry = page.locator('[data-entry="appointment"]').first
    expect(entry).to_have_attribute("data-start", re.compile(f"^{date}T{time}"))
    return entry


def test_a_press_on_empty_time_books_in_place_and_undo_takes_it_back(
    open_page: OpenPage, world: World, signed_in: StorageState
) -> None:
    page = open_page(storage_state=signed_in)
    book(page, world, day(1, 5), "10:00", 5)
    notice = page.get_by_role("status").filter(has_text="Booked for")
    notice.get_by_role("button", name="Undo").click()
    expect(page.locator('[data-entry="appointment"]')).to_have_count(0)


def test_a_stretch_drawn_on_empty_time_sets_start_and_length(
    open_page: OpenPage, world: World, signed_in: StorageState
) -> None:
    page = open_page(storage_state=signed_in)
    open_week(page, world, 6)
    drag(page, point(page, day(2, 6), "13:00"), point(page, day(2, 6), "14:25"))
    sheet = page.get_by_role("dialog", name="New appointment")
    expect(sheet.get_by_label("Start time")).to_have_value("13:00")
    expect(sheet.get_by_label("Duration (minutes)")).to_have_value("90")
    assert axe(page) == []
    sheet.get_by_role("button", name="All fields").click()
    expect(page.get_by_label("Repeats")).to_be_visible()
    expect(page.get_by_label("Duration (minutes)")).to_have_value("90")


def test_dragging_moves_the_edge_resizes_and_both_can_be_undone(
    open_page: OpenPage, world: World, signed_in: StorageState
) -> None:
    page = open_page(storage_state=signed_in)
    entry = book(page, world, day(1, 7), "10:00", 7)
    drag(page, point(page, day(1, 7), "10:10"), point(page, day(3, 7), "14:10"))
    expect(entry).to_have_attribute("data-start", re.compile(f"^{day(3, 7)}T14:00"))
    expect(entry).to_have_attribute("data-end", re.compile(f"^{day(3, 7)}T14:50"))
    box = entry.bounding_box()
    assert box
    edge = (box["x"] + 30, box["y"] + box["height"] - 3)
    drag(page, edge, (edge[0], edge[1] + 36))
    expect(entry).to_have_attribute("data-end", re.compile(f"^{day(3, 7)}T15:[12]"))
    page.get_by_role("button", name="Undo").click()
    expect(entry).to_have_attribute("data-end", re.compile(f"^{day(3, 7)}T14:50"))
    page.get_by_role("button", name="Undo").click()
    expect(entry).to_have_attribute("data-start", re.compile(f"^{day(1, 7)}T10:00"))


def test_the_keyboard_moves_and_resizes_through_the_same_door(
    open_page: OpenPage, world: World, signed_in: StorageState
) -> None:
    page = open_page(storage_state=signed_in)
    entry = book(page, world, day(1, 8), "10:00", 8)
    entry.focus()
    for key in ("m", "ArrowRight", "ArrowDown", "ArrowDown", "Shift+ArrowDown"):
        page.keyboard.press(key)
    expect(page.locator("#announce")).to_contain_text("10:30 AM – 11:35 AM")
    page.keyboard.press("Enter")
    expect(entry).to_have_attribute("data-start", re.compile(f"^{day(2, 8)}T10:30"))
    expect(entry).to_have_attribute("data-end", re.compile(f"^{day(2, 8)}T11:35"))
    entry.focus()
    page.keyboard.press("m")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Escape")
    expect(entry).to_have_attribute("data-start", re.compile(f"^{day(2, 8)}T10:30"))


def test_in_month_and_agenda_days_are_changed_by_pointer_and_by_keyboard(
    open_page: OpenPage, world: World, signed_in: StorageState
) -> None:
    page = open_page(storage_state=signed_in)
    entry = book(page, world, day(1, 14), "10:00", 14)
    page.goto(f"{world.url}/calendar?view=month&date={day(1, 14)}")
    entry = page.locator(f'[data-start^="{day(1, 14)}T10:00"]')
    identity = entry.get_attribute("data-id")
    entry = page.locator(f'[data-id="{identity}"]')
    box, goal = entry.bounding_box(), page.locator(f'td[data-date="{day(3, 14)}"]').bounding_box()
    assert box
    assert goal
    page.mouse.move(box["x"] + 10, box["y"] + 8)
    page.mouse.down()
    page.mouse.move(goal["x"] + 30, goal["y"] + 60, steps=6)
    expect(page.locator(".journey")).to_have_text(re.compile("^Move to Thursday, "))
    expect(page.locator("td.is-target")).to_have_attribute("data-date", str(day(3, 14)))
    page.mouse.up()
    expect(entry).to_have_attribute("data-start", re.compile(f"^{day(3, 14)}T10:00"))
    expect(entry).to_have_attribute("data-end", re.compile(f"^{day(3, 14)}T10:50"))
    entry.focus()
    for key in ("m", "ArrowLeft", "ArrowDown"):
        page.keyboard.press(key)
    expect(page.locator("#announce")).to_contain_text("Move to Wednesday, ")
    page.keyboard.press("Enter")
    expect(entry).to_have_attribute("data-start", re.compile(f"^{day(2, 15)}T10:00"))
    page.goto(f"{world.url}/calendar?view=agenda&date={day(0, 15)}")
    entry.focus()
    for key in ("m", "ArrowDown", "Enter"):
        page.keyboard.press(key)
    expect(entry).to_have_attribute("data-start", re.compile(f"^{day(3, 15)}T10:00"))
    entry.focus()
    page.keyboard.press("m")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Undo").click()
    expect(entry).to_have_attribute("data-start", re.compile(f"^{day(2, 15)}T10:00"))
    expect(page.locator(".journey")).to_have_count(0)


def test_an_all_day_entry_is_dragged_along_its_row_and_a_blank_day_of_the_month_books(
    open_page: OpenPage, world: World, signed_in: StorageState
) -> None:
    page = open_page(storage_state=signed_in)
    page.goto(f"{world.url}/calendar?view=month&date={day(1, 20)}")
    box = page.locator(f'td[data-date="{day(1, 20)}"]').bounding_box()
    assert box
    page.mouse.click(box["x"] + 60, box["y"] + 90)
    sheet = page.get_by_role("dialog", name="New appointment")
    expect(sheet.get_by_label("Date", exact=True)).to_have_value(str(day(1, 20)))
    sheet.get_by_label("Kind").select_option("Other event")
    sheet.get_by_role("button", name="All fields").click()
    expect(page.get_by_label("Repeats")).to_be_visible()
    page.get_by_label("Title").fill("Retreat")
    page.get_by_label("All day").check()
    page.get_by_label("Last day").fill(str(day(2, 20)))
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status").filter(has_text="Booked for")).to_be_visible()
    page.goto(f"{world.url}/calendar?view=week&date={day(1, 20)}")
    entry = page.locator(".allday [data-entry]")
    start, end = point(page, day(1, 20), "12:00")[0], point(page, day(3, 20), "12:00")[0]
    row = entry.bounding_box()
    assert row
    drag(page, (start, row["y"] + 10), (end, row["y"] + 10))
    expect(entry).to_have_attribute("data-start", str(day(3, 20)))
    expect(entry).to_have_attribute("data-end", str(day(5, 20)))


def test_a_move_onto_something_is_asked_about_before_it_is_saved(
    open_page: OpenPage, world: World, signed_in: StorageState
) -> None:
    page = open_page(storage_state=signed_in)
    book(page, world, day(1, 9), "10:00", 9)
    page.mouse.click(*point(page, day(1, 9), "14:00"))
    sheet = page.get_by_role("dialog", name="New appointment")
    sheet.get_by_label("Client", exact=True).select_option(index=2)
    sheet.get_by_role("button", name="Save").click()
    expect(page.locator('[data-entry="appointment"]')).to_have_count(2)
    drag(page, point(page, day(1, 9), "14:10"), point(page, day(1, 9), "10:40"))
    asking = page.get_by_role("dialog", name="Move appointment")
    expect(asking).to_contain_text("Overlaps 10:00 – 10:50 AM")
    assert axe(page) == []
    screenshot(page, "move-overlaps")
    asking.get_by_role("button", name="Move").click()
    expect(page.locator('[data-start*="T10:30"]')).to_have_count(1)


def test_moving_works_without_script(open_page: OpenPage, world: World, signed_in: StorageState) -> None:
    with_script = open_page(storage_state=signed_in)
    entry = book(with_script, world, day(1, 10), "10:00", 10)
    address = entry.get_attribute("href")
    page = open_page(storage_state=signed_in, script=False)
    page.goto(f"{world.url}{address}")
    page.get_by_role("link", name="Move…").click()
    page.get_by_label("Start time").fill("16:00")
    page.get_by_role("button", name="Move", exact=True).click()
    expect(page.get_by_role("main")).to_contain_text("4:00 – 4:50 PM")
    page.goto(f"{world.url}/calendar?view=week&date={day(0, 11)}")
    page.locator(f'a.hour-link[href*="{day(2, 11)}"]').nth(3).click()
    expect(page.get_by_label("Date", exact=True)).to_have_value(str(day(2, 11)))


def test_privacy_mode_by_one_key_leaves_no_name_in_the_source(
    open_page: OpenPage, world: World, signed_in: StorageState
) -> None:
    page = open_page(storage_state=signed_in)
    page.goto(f"{world.url}/calendar?view=week")
    names = [each["text"] for each in entries(page, "appointment")]
    assert any("Robin Thistle" in name for name in names)
    page.keyboard.press("p")
    expect(page.get_by_role("button", name="Privacy mode")).to_have_attribute("aria-pressed", "true")
    screenshot(page, "week-privacy")
    assert axe(page) == []
    for address in ("/calendar?view=week", "/clients", "/appointments/new", "/calendar?view=month"):
        page.goto(world.url + address)
        assert "Thistle" not in page.content(), address
    page.goto(f"{world.url}/calendar?view=week")
    page.keyboard.press("p")
    expect(page.get_by_role("button", name="Privacy mode")).to_have_attribute("aria-pressed", "false")


def test_an_open_page_shows_what_another_tab_did(
    open_page: OpenPage, world: World, signed_in: StorageState
) -> None:
    watching, acting = open_page(storage_state=signed_in), open_page(storage_state=signed_in)
    open_week(watching, world, 12)
    expect(watching.locator("[data-entry]")).to_have_count(0)
    book(acting, world, day(3, 12), "11:00", 12)
    expect(watching.locator("[data-entry]")).to_have_count(1, timeout=10_000)


def test_what_is_being_typed_survives_changes_elsewhere(
    open_page: OpenPage, world: World, signed_in: StorageState
) -> None:
    typing, acting = open_page(storage_state=signed_in), open_page(storage_state=signed_in)
    open_week(typing, world, 13)
    typing.mouse.click(*point(typing, day(1, 13), "10:00"))
    sheet = typing.get_by_role("dialog", name="New appointment")
    sheet.get_by_label("Kind").select_option("Other event")
    sheet.get_by_label("Title").fill("Half a thou")
    book(acting, world, day(3, 13), "11:00", 13)
    typing.wait_for_timeout(5_000)
    expect(sheet.get_by_label("Title")).to_have_value("Half a thou")
    expect(typing.locator("[data-entry]")).to_have_count(0)
    typing.keyboard.press("Escape")
    expect(typing.locator("[data-entry]")).to_have_count(1, timeout=10_000)


def test_both_zones_are_shown_when_the_browser_is_elsewhere(
    open_page: OpenPage, world: World, signed_in: StorageState
) -> None:
    page = open_page(storage_state=signed_in, timezone_id="Europe/Berlin")
    page.goto(f"{world.url}/calendar?view=week")
    expect(page.get_by_role("link", name="Chicago time")).to_be_visible()
    expect(page.get_by_text(re.compile(r"Here it is \d+:\d\d [AP]M \(Berlin\)"))).to_be_visible()


@pytest.mark.parametrize(
    ("date", "label"),
    [("2027-02-03", "4 PM"), ("2027-03-17", "3 PM"), ("2027-03-11", "4 PM / 3 PM"), ("2027-07-07", "4 PM")],
)
def test_the_other_zones_hours_are_those_of_the_days_that_are_shown(
    open_page: OpenPage, world: World, signed_in: StorageState, date: str, label: str
) -> None:
    page = open_page(storage_state=signed_in, timezone_id="Europe/Berlin")
    page.goto(f"{world.url}/calendar?view=week&date={date}")
    nine = page.locator(".gutter > .from-108")
    expect(nine).to_contain_text("9 AM")
    expect(nine.locator(".there")).to_have_text(label)


def test_single_keys_can_be_switched_off(open_page: OpenPage, world: World, signed_in: StorageState) -> None:
    page = open_page(storage_state=signed_in)
    page.goto(f"{world.url}/calendar?view=week")
    page.keyboard.press("?")
    sheet = page.get_by_role("dialog", name="Keyboard shortcuts")
    assert axe(page) == []
    sheet.get_by_role("button", name="Turn shortcuts off").click()
    page.goto(f"{world.url}/calendar?view=week")
    page.keyboard.press("3")
    page.keyboard.press("n")
    expect(page.locator("main")).to_have_attribute("data-view", "week")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.goto(f"{world.url}/calendar/shortcuts")
    page.get_by_role("button", name="Turn shortcuts on").click()
    page.goto(f"{world.url}/calendar?view=week")
    page.keyboard.press("3")
    expect(page.locator("main")).to_have_attribute("data-view", "day")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("screen", ["desktop", "phone"])
@pytest.mark.parametrize("name", SHEETS)
def test_a_page_beside_the_calendar_is_accessible_and_fits(
    open_page: OpenPage, world: World, signed_in: StorageState, name: str, screen: str, scheme: str
) -> None:
    page = open_page(screen, scheme=scheme, storage_state=signed_in)
    page.goto(f"{world.url}/calendar?view=week")
    booked = page.locator('[data-entry="appointment"][data-status="scheduled"]').last.get_attribute("data-id")
    assert booked
    page.goto(world.url + SHEETS[name].format(id=booked.split("-")[1]))
    screenshot(page, f"{name}-{screen}-{scheme}")
    assert axe(page) == []
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0
