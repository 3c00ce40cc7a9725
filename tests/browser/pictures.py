"""Pictures of every page and state of the calendar, for docs/screens.

`python -m tests.browser.pictures [NAME …]`. The demo's practice, connected to the sandbox's Google. Each
at 1280 and 390 px, light and dark.
"""

from __future__ import annotations

import datetime as dt
import io
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image
from playwright.sync_api import Page, sync_playwright

from tests.browser.pages import CHROMIUM_FLAGS, ROOT, SCREENS, find_chromium, sign_in
from tests.forms import Reader
from tests.processes import World
from tests.wizard import connect_google
from tests.wizard import sign_in as sign_in_plainly

FOLDER = ROOT / "docs" / "screens"
EMPTY = "date=2032-03-10&show=sessions&show=other"  # the account in Google has a lunch every day, for ever
NEW = "/appointments/new"
Reach = Callable[[Page, str], None]


def at(address: str) -> Reach:
    """A page that has an address."""

    def reach(page: Page, url: str) -> None:
        page.goto(url + address)

    return reach


def scheduled(page: Page, url: str, path: str = "") -> None:
    """A page of an appointment that lies ahead."""
    page.goto(f"{url}/calendar?view=agenda")
    entry = page.locator('[data-entry="appointment"][data-status="scheduled"]').nth(3)
    page.goto(url + str(entry.get_attribute("href")) + path)


def of_appointment(path: str) -> Reach:
    return lambda page, url: scheduled(page, url, path)


def of_series(page: Page, url: str) -> None:
    page.goto(f"{url}{NEW}?date={later(10)}&time=16:00")
    page.get_by_label("Client", exact=True).select_option(index=2)
    page.get_by_label("Repeats").select_option("Weekly")
    page.get_by_label("Ends").select_option("After")
    page.get_by_role("button", name="Save").click()
    page.wait_for_url("**/calendar**")
    page.goto(f"{url}/calendar?view=day&date={later(10)}")
    page.locator(f'[data-start^="{later(10)}T16:00"]').first.click()
    page.get_by_role("link", name="Cancel appointment").click()
    page.get_by_label("Apply to").wait_for()


def later(days: int) -> dt.date:
    return dt.datetime.now(dt.UTC).date() + dt.timedelta(days=days)


def google_event(page: Page, url: str) -> None:
    page.goto(f"{url}/calendar?view=agenda")
    page.goto(url + str(page.locator('a[data-entry="google"]').first.get_attribute("href")))


def client(page: Page, url: str) -> None:
    page.goto(f"{url}/clients")
    page.locator("ul.rows a").first.click()
    page.get_by_role("heading", name="Appointments").wait_for()


def found(page: Page, url: str) -> None:
    page.goto(f"{url}/calendar/search")
    page.get_by_role("searchbox").fill("thistle")
    page.get_by_role("button", name="Search").click()
    page.get_by_text("found").wait_for()


def with_problems(page: Page, url: str) -> None:
    page.goto(url + NEW)
    page.get_by_label("Duration (minutes)").fill("")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("alert").wait_for()


def quick(page: Page, url: str) -> None:
    """A press on empty time; a phone draws none, and has *Book* in the gaps of its day."""
    page.goto(f"{url}/calendar?view=week&date={later(28)}")
    box = page.locator("section.day").nth(2).bounding_box()
    if box is None or box["width"] > page.viewport_size["width"] / 2:  # type: ignore[index]
        page.goto(url + NEW)
        return
    page.mouse.click(box["x"] + 40, box["y"] + 300)
    page.locator("#sheet-dialog[open] select").first.wait_for()


def menu(page: Page, url: str) -> None:
    page.goto(f"{url}/calendar?view=week")
    page.get_by_role("button", name="More options").click()


def filters(page: Page, url: str) -> None:
    page.goto(f"{url}/calendar?view=agenda")
    button = page.get_by_role("button", name="Filters")
    if button.is_visible():
        button.click()


def hidden_names(page: Page, url: str) -> None:
    page.goto(f"{url}/calendar?view=week")
    if page.locator("#privacy").get_attribute("aria-pressed") == "false":
        page.locator("#privacy").click()
    page.locator("#privacy[aria-pressed=true]").wait_for()


def carried(page: Page, url: str) -> None:
    page.goto(f"{url}/calendar?view=month")
    page.locator("[data-revision][data-status=scheduled]").nth(4).focus()
    for key in ("m", "ArrowRight"):
        page.keyboard.press(key)


def undone(page: Page, url: str) -> None:
    scheduled(page, url)
    page.get_by_role("button", name="Mark no-show").click()
    page.get_by_role("button", name="Undo").wait_for()
    page.goto(f"{url}/calendar?view=day")


def draft(page: Page, url: str) -> None:
    token = page.request.get(f"{url}{NEW}").text().split('name="csrf_token" value="')[1].split('"')[0]
    typed = {"kind": "other", "title": "Call the landlord", "date": f"{later(2)}", "start_time": "13:15"}
    sent: dict[str, str | float | bool] = {
        **typed,
        "duration": "30",
        "draft_of": "/appointments",
        "csrf_token": token,
    }
    number = page.request.post(f"{url}/drafts", form=sent).text()
    page.goto(f"{url}/drafts/{number}")


def signed_out(address: str) -> Reach:
    def reach(page: Page, url: str) -> None:
        page.context.clear_cookies()
        page.goto(url + address)

    return reach


PICTURES: dict[str, Reach] = {
    **{view: at(f"/calendar?view={view}") for view in ("month", "week", "day", "agenda")},
    **{f"{view}-empty": at(f"/calendar?view={view}&{EMPTY}") for view in ("month", "week", "day", "agenda")},
    "day-of-two-providers": at("/calendar?view=day&provider=1&provider=2"),
    "week-of-two-providers": at("/calendar?view=week&provider=1&provider=2"),
    "month-moving": carried,
    "week-menu": menu,
    "week-filters": filters,
    "quick-form": quick,
    "undo": undone,
    "new-appointment": at(NEW),
    "new-appointment-problems": with_problems,
    "draft": draft,
    "appointment": of_appointment(""),
    "edit": of_appointment("/edit"),
    "move": of_appointment("/move"),
    "move-overlaps": of_appointment(f"/move?date={later(1)}&start_time=09:20"),
    "cancel": of_appointment("/cancel"),
    "cancel-series": of_series,
    "google-event": google_event,
    "clients": at("/clients"),
    "client": client,
    "new-client": at("/clients/new"),
    "search": at("/calendar/search"),
    "search-found": found,
    "export": at("/calendar/export"),
    "shortcuts": at("/calendar/shortcuts"),
    "locations-and-types": at("/calendar/locations-and-types"),
    "settings": at("/settings"),
    "time-zone": at("/settings/time-zone"),
    "time-zone-question": at("/settings/time-zone?timezone=Europe/Berlin"),
    "not-found": at("/calendar/nothing-here"),
    "privacy": hidden_names,
    "login": signed_out("/login"),
    "login-kept": signed_out("/login?kept=1"),
}
# What has to be pressed afterwards, so that the next picture is not of it too
LEFT = {
    "undo": ("[aria-label=Dismiss]",),
    "cancel-series": ("[aria-label=Dismiss]",),
    "draft": (".undo button:text('Throw it away')",),
    "privacy": ("#privacy",),
}
ON_PAPER = ("day", "week", "agenda", "month")


def keep(page: Page, name: str) -> None:
    """The screen; of a page that is read from top to bottom, on a large screen, all of it."""
    is_read = page.locator("main.page").count() > 0 and "desktop" in name
    picture = page.screenshot(animations="disabled", caret="hide", full_page=is_read)
    Image.open(io.BytesIO(picture)).save(FOLDER / f"{name}.webp", "WEBP", quality=72, method=6)


def take(page: Page, url: str, screen: str, wanted: list[str]) -> None:
    """Every wanted picture on one screen, in both schemes."""
    for name in wanted:
        page.emulate_media(color_scheme="light")
        PICTURES[name](page, url)
        page.wait_for_load_state("networkidle")
        keep(page, f"{name}-{screen}-light")
        page.emulate_media(color_scheme="dark")
        keep(page, f"{name}-{screen}-dark")
        for left in LEFT.get(name, ()):
            page.locator(left).click()
            page.wait_for_load_state("networkidle")


def take_other_ways(page: Page, url: str) -> None:
    """The views in forced colours, and as they are printed."""
    for view in ON_PAPER:
        page.emulate_media(forced_colors="active", media="screen", color_scheme="light")
        page.goto(f"{url}/calendar?view={view}")
        keep(page, f"{view}-forced-colours")
        page.emulate_media(forced_colors="none", media="print")
        keep(page, f"{view}-print")
        page.emulate_media(media="screen")


def main(wanted: list[str]) -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as folder, sync_playwright() as playwright:
        world = World(Path(folder))
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=CHROMIUM_FLAGS)
        try:
            world.start().seed_practice()
            connect_google(sign_in_plainly(Reader(world.url)))
            for screen, options in SCREENS.items():
                context = browser.new_context(locale="en-US", timezone_id=world.timezone, **options)
                page = context.new_page()
                sign_in(page, world.url, world.email, world.password)
                if screen == "desktop" and not wanted:
                    take_other_ways(page, world.url)
                take(page, world.url, screen, wanted or list(PICTURES))
                context.close()
        finally:
            browser.close()
            world.stop()


if __name__ == "__main__":
    main(sys.argv[1:])
