"""How soon the calendar paints after a press, a key or a drag, in Chromium.

`python -m scripts.interactions` writes docs/measurements/interactions.md. The demo's practice, with sixty
entries and more in the week, on a web server of its own.
"""

from __future__ import annotations

import datetime as dt
import os
import statistics
import subprocess
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from playwright.sync_api import Page, sync_playwright

from tests.browser.pages import CHROMIUM_FLAGS, ROOT, SCREENS, find_chromium, sign_in
from tests.forms import Reader
from tests.processes import World
from tests.wizard import connect_google
from tests.wizard import sign_in as sign_in_plainly

TARGET = ROOT / "docs" / "measurements" / "interactions.md"
BUDGET_MS = 200
GOOGLE_EVENTS = 40
TIMES = 10
# Event Timing gives presses and keys from the input to the next paint, in steps of 8 ms. It leaves moves of
# the pointer out, so those are timed from the input to the first task after the next frame.
WATCH = """() => {
    window.seen = { presses: [], moves: [], views: [] };
    new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) if (entry.interactionId) seen.presses.push(entry.duration);
    }).observe({ type: "event", durationThreshold: 16, buffered: false });
    const painted = (since, into) => requestAnimationFrame(() => {
        const channel = new MessageChannel();
        channel.port1.onmessage = () => into.push(performance.now() - since);
        channel.port2.postMessage(0);
    });
    addEventListener("pointermove", (event) => painted(event.timeStamp, seen.moves), true);
    let clicked = 0;
    addEventListener("click", (event) => { clicked = event.timeStamp; }, true);
    document.addEventListener("htmx:afterSettle", (event) => {
        if (event.detail.target.id === "main" && clicked) painted(clicked, seen.views);
        clicked = 0;
    });
}"""


@dataclass(frozen=True, slots=True)
class Row:
    """One kind of interaction: what was done, and how long each took, in milliseconds."""

    what: str
    times: list[float]
    is_interaction: bool = True  # a budget holds for what the browser itself counts as one

    def line(self) -> str:
        ordered = sorted(self.times)
        high = ordered[max(0, round(len(ordered) * 0.98) - 1)]
        kept = "" if not self.is_interaction else "yes" if high <= BUDGET_MS else "**no**"
        median = statistics.median(ordered)
        figures = " | ".join(f"{figure:.0f} ms" for figure in (median, high, ordered[-1]))
        return f"| {self.what} | {len(ordered)} | {figures} | {kept} |"


def fill(world: World) -> None:
    """Events in the account's own calendar, so that the week holds sixty entries and more."""
    today = dt.datetime.now(dt.UTC).replace(minute=0, second=0, microsecond=0)
    monday = today - dt.timedelta(days=today.weekday())
    for number in range(GOOGLE_EVENTS):
        start = monday.replace(hour=14) + dt.timedelta(days=number % 5, minutes=50 * (number // 5))
        end = start + dt.timedelta(minutes=40)
        body: dict[str, Any] = {
            "start": {"dateTime": start.isoformat()},
            "end": {"dateTime": end.isoformat()},
        }
        world.google.add_event(world.email, summary=f"Event {number}", **body)


def presses(page: Page, took: int = 0) -> list[float]:
    """What Event Timing has seen since; an interaction under 16 ms is not told, and counts as 16."""
    page.wait_for_timeout(300)
    found: list[float] = page.evaluate("() => seen.presses.splice(0)")
    return [*found, *[16.0] * max(0, took - len(found))]


def switch_views(page: Page) -> list[Row]:
    for _ in range(TIMES):
        for view in ("month", "agenda", "day", "week"):
            page.locator(f"#go-{view}").click()
            page.locator(f'main[data-view="{view}"]').wait_for()
            page.wait_for_timeout(100)
    inside: list[float] = page.evaluate("() => seen.views.splice(0)")
    return [
        Row("Press of a view's link, to the next paint", presses(page, TIMES * 4)),
        Row("The same, until the new view is painted, its request included", inside, is_interaction=False),
    ]


def drag(page: Page) -> list[Row]:
    """Lift an entry, carry it over the week, let it go by Escape; nothing is saved."""
    presses(page)
    page.evaluate("() => { seen.moves.length = 0; }")
    entry = page.locator('.slot [data-revision][data-status="scheduled"]').last
    entry.scroll_into_view_if_needed()
    for _ in range(TIMES):
        box = entry.bounding_box()
        assert box
        page.mouse.move(box["x"] + 12, box["y"] + 8)
        page.mouse.down()
        page.mouse.move(box["x"] - 500, box["y"] - 120, steps=30)
        page.keyboard.press("Escape")
        page.mouse.up()
    moves: list[float] = page.evaluate("() => seen.moves.splice(0)")
    return [
        Row("Each move of the pointer while dragging in the week, to the next frame", moves),
        Row("Press, Escape and release of a drag, to the next paint", presses(page, TIMES * 2)),
    ]


def carry(page: Page) -> Row:
    page.locator('.slot [data-revision][data-status="scheduled"]').last.focus()
    page.keyboard.press("m")
    for _ in range(TIMES):
        for key in ("ArrowUp", "ArrowLeft", "ArrowDown", "ArrowRight"):
            page.keyboard.press(key)
    page.keyboard.press("Escape")
    return Row("Arrow keys that move an entry, to the next paint", presses(page, TIMES * 4))


def ask_for_help(page: Page) -> Row:
    presses(page)
    for _ in range(TIMES):
        page.keyboard.press("?")
        page.locator("#sheet-dialog[open]").wait_for()
        page.keyboard.press("Escape")
        page.locator("#sheet-dialog:not([open])").wait_for(state="attached")
    return Row("The shortcuts sheet by its key, and Escape, to the next paint", presses(page, TIMES * 2))


def report(rows: list[Row], entries: int, chromium: str) -> str:
    commit = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.strip()
    lines = [
        "# Interactions",
        "",
        "`python -m scripts.interactions`: how soon Chromium paints after an input, in a week of "
        f"{entries} entries at 1280 × 900.",
        "Presses and keys as Event Timing tells them (steps of 8 ms, at least 16); moves of the pointer by "
        "frames.",
        "",
        f"- commit: {commit}",
        f"- {chromium}, without a graphics card; {os.cpu_count()} cores, "
        f"load {os.getloadavg()[0]:.1f} at the end: others were at work too",
        f"- budget: {BUDGET_MS} ms at the 98th percentile",
        "",
        "| Interaction | Times | Median | 98th percentile | Longest | Kept |",
        "|---|---|---|---|---|---|",
        *(row.line() for row in rows),
        "",
    ]
    return "\n".join(lines)


def measure(world: World, browser: Any) -> str:
    fill(world)
    world.seed_practice()
    connect_google(sign_in_plainly(Reader(world.url)))
    page = browser.new_context(timezone_id=world.timezone, locale="en-US", **SCREENS["desktop"]).new_page()
    sign_in(page, world.url, world.email, world.password)
    page.goto(f"{world.url}/calendar?view=week")
    entries = page.locator("[data-entry]").count()
    page.evaluate(WATCH)
    rows = [*switch_views(page), *drag(page), carry(page), ask_for_help(page)]
    return report(rows, entries, f"Chromium {browser.version}")


def main() -> None:
    with TemporaryDirectory() as folder, sync_playwright() as playwright:
        world = World(Path(folder))
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=CHROMIUM_FLAGS)
        try:
            world.start()
            text = measure(world, browser)
        finally:
            browser.close()
            world.stop()
    TARGET.write_text(text)
    print(text)


if __name__ == "__main__":
    main()
