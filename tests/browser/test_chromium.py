"""The browser itself: the tools the other browser tests rely on notice what they should."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page

from tests.browser.conftest import OpenPage
from tests.browser.pages import Complaints, axe, screenshot

GOOD = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Good</title>
<main><h1>Good</h1><p>Text</p></main></html>"""
BAD = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Bad</title>
<main><h1>Bad</h1><img src="data:," width="9" height="9"><p style="color: red">Text</p></main></html>"""


SCRIPTED = "<!doctype html><title>Plain</title><script>document.title = 'Changed by script'</script>"
STRICT, SCRIPTS_ALLOWED = "default-src 'none'; img-src data:", "script-src 'unsafe-inline'"
PAGES = {"/good": (GOOD, STRICT), "/bad": (BAD, STRICT), "/scripted": (SCRIPTED, SCRIPTS_ALLOWED)}


class SmallSite(http.server.BaseHTTPRequestHandler):
    """A good page, one that breaks its own policy and has an image without words, one with a script."""

    def do_GET(self) -> None:
        body, policy = PAGES.get(self.path, ("", STRICT))
        self.send_response(200 if body else 204)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Security-Policy", policy)
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def pages() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), SmallSite) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def test_a_good_page_gives_no_cause_for_complaint(page: Page, pages: str, complaints: Complaints) -> None:
    page.goto(f"{pages}/good")
    assert axe(page) == []
    assert complaints.unexpected() == []


def test_a_broken_policy_and_an_image_without_words_are_noticed(
    page: Page, pages: str, complaints: Complaints
) -> None:
    page.goto(f"{pages}/bad")
    assert any(line.startswith("image-alt") for line in axe(page))
    assert any("Content Security Policy" in text for text in complaints.unexpected())
    complaints.allow("Content Security Policy")


def test_a_page_without_script_runs_none(page: Page, plain_page: Page, pages: str) -> None:
    for each in (page, plain_page):
        each.goto(f"{pages}/scripted")
    assert (page.title(), plain_page.title()) == ("Changed by script", "Plain")


@pytest.mark.parametrize(("screen", "size"), [("desktop", (1280, 900)), ("phone", (390, 844))])
def test_a_picture_has_the_size_of_its_screen(
    open_page: OpenPage, pages: str, screen: str, size: tuple[int, int]
) -> None:
    page = open_page(screen, scheme="dark")
    page.goto(f"{pages}/good")
    path: Path = screenshot(page, f"chromium-{screen}")
    with Image.open(path) as picture:
        assert (picture.format, picture.size) == ("WEBP", size)
