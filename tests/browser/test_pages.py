"""Every page on every screen: no violation axe can find, a silent console, nothing wider than the screen."""

from __future__ import annotations

import pytest
from playwright.sync_api import StorageState

from tests.browser.conftest import OpenPage
from tests.browser.pages import axe, screenshot
from tests.processes import World

PAGES = {
    "month": "/calendar?view=month",
    "week": "/calendar?view=week",
    "day": "/calendar?view=day",
    "agenda": "/calendar?view=agenda",
    "month-empty": "/calendar?view=month&date=2032-03-10",
    "week-empty": "/calendar?view=week&date=2032-03-10",
    "day-empty": "/calendar?view=day&date=2032-03-10",
    "agenda-empty": "/calendar?view=agenda&date=2032-03-10",
    "clients": "/clients",
    "sync-modes": "/calendar/sync",
    "login": "/login",
}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("screen", ["desktop", "phone"])
@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_accessible_and_fits(
    open_page: OpenPage, world: World, signed_in: StorageState, name: str, screen: str, scheme: str
) -> None:
    page = open_page(screen, scheme=scheme, storage_state=None if name == "login" else signed_in)
    page.goto(world.url + PAGES[name])
    screenshot(page, f"{name}-{screen}-{scheme}")
    assert axe(page) == []
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide == 0, f"{wide} px too wide"


@pytest.mark.parametrize("name", PAGES)
def test_a_page_works_without_script(
    open_page: OpenPage, world: World, signed_in: StorageState, name: str
) -> None:
    page = open_page(script=False, storage_state=None if name == "login" else signed_in)
    page.goto(world.url + PAGES[name])
    assert page.get_by_role("main").is_visible()
    assert page.get_by_role("heading", level=1).count() == 1
