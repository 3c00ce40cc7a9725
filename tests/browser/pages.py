"""What browser tests do with a page: sign in, check it with axe, keep a picture of it."""

from __future__ import annotations

import io
import os
import re
import subprocess
from pathlib import Path
from typing import Any, Literal

from PIL import Image
from playwright.sync_api import ConsoleMessage, Page, WebError

ROOT = Path(__file__).resolve().parent.parent.parent
AXE = Path(__file__).parent / "vendor" / "axe-core-4.14.1.min.js"
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SCREENS: dict[str, dict[str, Any]] = {
    "desktop": {"viewport": {"width": 1280, "height": 900}},
    "phone": {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True},
}
WCAG_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def find_chromium() -> str:
    """The path of a Chromium; `scripts/chromium` installs one where it can. Fails the test otherwise."""
    done = subprocess.run([ROOT / "scripts" / "chromium"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


class Complaints:
    """Console errors and exceptions of every page of one test."""

    def __init__(self) -> None:
        self._heard: list[str] = []
        # a form sent back with its errors is an answer, though Chromium logs every 4xx as an error
        self._allowed = ["status of 422"]

    def allow(self, part: str) -> None:
        self._allowed.append(part)

    def hear_console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "assert") or "Content Security Policy" in message.text:
            self._heard.append(f"{message.page.url if message.page else ''}: {message.text}")

    def hear_exception(self, error: WebError) -> None:
        self._heard.append(f"uncaught: {error.error}")

    def unexpected(self) -> list[str]:
        return [text for text in self._heard if not any(part in text for part in self._allowed)]


def sign_in(page: Page, url: str, email: str, password: str) -> None:
    """Sign in at the portal and wait for the calendar."""
    page.goto(f"{url}/login")
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(re.compile(r"/calendar"))


def entries(page: Page, kind: Literal["appointment", "google"]) -> list[dict[str, str]]:
    """The entries of one kind on the page, each with its data attributes and its accessible text."""
    script = """(elements) => elements.map((element) => ({
        id: element.dataset.id, status: element.dataset.status, start: element.dataset.start,
        end: element.dataset.end, text: element.textContent.replace(/\\s+/g, " ").trim()}))"""
    found: list[dict[str, str]] = page.locator(f'[data-entry="{kind}"]').evaluate_all(script)
    return found


def axe(page: Page, *, but: tuple[str, ...] = ()) -> list[str]:
    """axe-core's violations on this page, one line per element; `but` names rules left out, with a reason."""
    page.evaluate(AXE.read_text() + "; 0")
    options = {
        "runOnly": {"type": "tag", "values": WCAG_TAGS},
        "rules": {rule: {"enabled": False} for rule in but},
        "preload": False,  # would fetch style sheets by script, which our CSP refuses
        "resultTypes": ["violations"],
    }
    result = page.evaluate("(options) => axe.run(document, options)", options)
    return [
        f"{violation['id']}: {node['target']} {node.get('failureSummary', '')}"
        for violation in result["violations"]
        for node in violation["nodes"]
    ]


def screenshot(page: Page, name: str, *, whole_page: bool = False) -> Path:
    """Keep a picture: in docs/screens/ when KEEP_SCREENS is set, otherwise in build/screens/."""
    folder = ROOT / ("docs/screens" if os.environ.get("KEEP_SCREENS") else "build/screens")
    folder.mkdir(parents=True, exist_ok=True)
    picture = page.screenshot(full_page=whole_page, animations="disabled", caret="hide")
    path = folder / f"{name}.webp"
    Image.open(io.BytesIO(picture)).save(path, "WEBP", quality=80, method=6)
    return path
