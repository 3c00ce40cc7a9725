"""Chromium for the browser tests: screens, colour schemes, no script, and a console that stays silent."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, Page, StorageState

from tests.browser.pages import CHROMIUM_FLAGS, SCREENS, Complaints, find_chromium, sign_in
from tests.processes import World

OpenPage = Callable[..., Page]
Scheme = Literal["light", "dark"]


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, Any]:
    """Debian's Chromium (or the one CHROMIUM names), quiet and without network of its own."""
    return {"executable_path": find_chromium(), "args": CHROMIUM_FLAGS, "headless": True}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The demo's practice, nobody connected yet and no worker; shared by the tests of one file."""
    world = World(tmp_path_factory.mktemp("world"))
    try:
        world.start(workers=0).seed_practice()
        yield world
    finally:
        world.stop()


@pytest.fixture(scope="module")
def signed_in(browser: Browser, world: World) -> StorageState:
    """The cookies of somebody who has signed in to the file's world."""
    context = browser.new_context()
    sign_in(context.new_page(), world.url, world.email, world.password)
    cookies = context.storage_state()
    context.close()
    return cookies


@pytest.fixture
def complaints() -> Iterator[Complaints]:
    """What the browser complains of during the test: console errors, exceptions, CSP violations.

    The test fails when there is one, unless it was announced by `complaints.allow("part of the text")`.
    """
    collected = Complaints()
    yield collected
    assert collected.unexpected() == []


@pytest.fixture
def open_page(browser: Browser, complaints: Complaints) -> Iterator[OpenPage]:
    """`open_page("phone", scheme="dark", script=False, **context_options)` -> a new person's page."""
    contexts = []

    def open_new(
        screen: str = "desktop", *, scheme: Scheme = "light", script: bool = True, **options: Any
    ) -> Page:
        settings = {"locale": "en-US", "timezone_id": "America/Chicago", **SCREENS[screen], **options}
        context = browser.new_context(color_scheme=scheme, java_script_enabled=script, **settings)
        context.set_default_timeout(15_000)
        context.on("console", complaints.hear_console)
        context.on("weberror", complaints.hear_exception)
        contexts.append(context)
        return context.new_page()

    yield open_new
    for context in contexts:
        context.close()


@pytest.fixture
def page(open_page: OpenPage) -> Page:
    """A page on a desktop screen, light, with script."""
    return open_page()


@pytest.fixture
def phone_page(open_page: OpenPage) -> Page:
    return open_page("phone")


@pytest.fixture
def plain_page(open_page: OpenPage) -> Page:
    """A page of a browser with script switched off."""
    return open_page(script=False)
