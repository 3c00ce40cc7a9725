"""Every question of the help: put the account into that situation, ask, do what the page says, see it solved.

A question is found by the help's own search. The line beside the answer is true of the situation,
and another one before and after. What happens at Google is done in the sandbox, as the person or
others would do it there.
"""

from __future__ import annotations

import datetime as dt
import re
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, StorageState, expect

from demo.processes import wait_until
from portal import clock, create_app
from portal.config import load_config
from portal.extensions import db
from portal.models import AppointmentKind
from portal.people import accounts
from portal.practice import appointments, clients
from portal.practice.appointments import AppointmentDetails
from portal.practice.spans import Timed
from tests.browser.conftest import OpenPage
from tests.browser.pages import Complaints, entries, sign_in
from tests.browser.test_walk import (
    APP_CALENDAR,
    ZONE,
    _shows,
    _starts,
    book,
    calendars,
    connect,
    entry,
    outside,
    personal,
    soon,
    state,
)
from tests.processes import PASSWORD, World, doctor

SYNC = "/calendar/sync"
SOL = "sol.ortiz@example.com"
CLIENTS = (
    "Quinn Fern",
    "Ellis Juniper",
    "Lane Ashby",
    "Toby Reed",
    "Dale Winter",
    "Perry Stone",
    "Casey Vale",
)
WORDS = (*" ".join(CLIENTS).split(), "Wren", "wren.hale", "example.com", "Lunch", "Gym")
NUMBER_THERE = 2 * len(CLIENTS)
GOOGLES_READER = "Mozilla/5.0 (compatible; Google-Calendar-Importer)"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Google tells nothing and is looked at seldom: what comes sooner came because a button was pressed."""
    rarely = {"SYNC_POLL_SECONDS": "900", "GOOGLE_WEBHOOK_ALLOW_HTTP": "off"}
    world = World(tmp_path_factory.mktemp("help"), **rarely)
    try:
        world.start(workers=0)
        world.portal.add_provider(SOL, name="Sol Ortiz", password=PASSWORD)
        fill(world)
        world.portal.start_worker()
        yield world
    finally:
        world.stop()


def fill(world: World) -> None:
    """A few clients and a dozen appointments: so few that no minute's quota is ever used up."""
    with create_app(load_config(world.portal.environment)).app_context():
        wren, now = accounts.find_provider(world.email), clock.utcnow()
        assert wren is not None
        for place, name in enumerate(CLIENTS):
            client = clients.add_client(wren, name, now=now)
            for days in (2 + place % 4, 30 + place):
                when = Timed(coming(days), dt.time(9 + place), World.timezone, 50)
                details = AppointmentDetails(AppointmentKind.SESSION, when, client=client)
                appointments.book(wren, details, now=now, actor=wren, source="system")
        db.session.commit()
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def page(
    open_page: OpenPage, world: World, complaints: Complaints, signed_in: StorageState
) -> Iterator[Page]:
    complaints.allow(world.sandbox.url)  # its pages may log what they like
    yield open_page(storage_state=signed_in)
    world.google.clear_faults()


@pytest.fixture
def two_way(page: Page, world: World) -> Page:
    """Somebody whose Two-Way is on and has nothing to do."""
    page.goto(world.url + SYNC)
    if state(page) in ("off", "one-way"):
        connect(page, world)
    is_done(page, world)
    return page


@pytest.fixture
def off(page: Page, world: World) -> Page:
    """Somebody whose sync is off."""
    page.goto(world.url + SYNC)
    if state(page) != "off":
        page.goto(f"{world.url}{SYNC}/turn-off")
        page.get_by_role("button", name="Turn off").click()
        wait_for(page, world, "off")
    return page


# What a person does


def ask(page: Page, world: World, typed: str, title: str) -> None:
    """Look for words in the help, and open the question that was meant; it is among the first three."""
    page.goto(f"{world.url}/help")
    page.get_by_label("Search the help").fill(typed)
    with page.expect_navigation():
        page.get_by_role("button", name="Search").click()
    found = page.locator("section[aria-live=polite]").get_by_role("link")
    assert title in found.all_inner_texts()[:3], (typed, found.all_inner_texts())
    found.filter(has_text=title).first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(title)


def line(page: Page, name: str) -> Locator:
    """The line of this name beside the answer."""
    return page.locator(f'[data-line="{name}"]')


def code(page: Page, name: str) -> str | None:
    return line(page, name).get_attribute("data-code")


def number(page: Page, name: str) -> int:
    """How many the line speaks of."""
    found = re.search(r"-(\d+)$", code(page, name) or "")
    return int(found[1]) if found else 0


def press(page: Page, name: str, words: str) -> None:
    """The line's own button or link."""
    there = line(page, name)
    with page.expect_navigation():
        there.get_by_role("button", name=words).or_(there.get_by_role("link", name=words)).click()


def follow(page: Page, words: str) -> None:
    """A link within the answer."""
    with page.expect_navigation():
        page.get_by_label("Answer").get_by_role("link", name=words, exact=True).first.click()


def until_code(page: Page, name: str, wanted: str) -> None:
    """Load the same page until its line reads so."""
    address = page.url

    def reads_so() -> bool:
        page.goto(address)
        return line(page, name).count() == 1 and code(page, name) == wanted

    soon(reads_so, f"{name} is {wanted}")


def wait_for(page: Page, world: World, wanted: str) -> None:
    def is_there() -> bool:
        page.goto(world.url + SYNC)
        return state(page) == wanted

    soon(is_there, f"the state {wanted}")


def sync_now(page: Page, world: World) -> None:
    """Sync now on Sync Calendar, until the page says that it is done."""
    page.goto(world.url + SYNC)
    page.get_by_role("button", name="Sync now").click()
    is_done(page, world)


def is_done(page: Page, world: World) -> None:
    def is_at_rest() -> bool:
        page.goto(world.url + SYNC)
        return (
            page.locator("#syncing").count() == 0 and "on the way" not in page.locator(".stats").inner_text()
        )

    soon(is_at_rest, "the sync is done")


def compare(page: Page) -> None:
    """Press Compare beside the answer, and wait until the comparison is done."""
    press(page, "compared", "Compare")

    def is_compared() -> bool:
        page.reload()
        return page.locator("#check-status").count() == 0

    soon(is_compared, "the comparison is done")


def look_again(page: Page, *, tick: str = "", untick: str = "") -> None:
    """On Choose calendars: read the list anew, change a tick, continue."""
    with page.expect_navigation():
        page.get_by_role("link", name="Look again").click()
    if tick:
        page.get_by_role("checkbox", name=tick, exact=True).check()
    if untick:
        page.get_by_role("checkbox", name=untick, exact=True).uncheck()
    with page.expect_navigation():
        page.get_by_role("button", name="Continue").click()


def open_calendars(page: Page, world: World) -> None:
    page.goto(f"{world.url}{SYNC}/calendars")


# What is so at Google


def coming(days: int) -> dt.date:
    return dt.datetime.now(ZONE).date() + dt.timedelta(days=days)


def timed(day: dt.date, at: str, minutes: int = 50) -> dict[str, Any]:
    """Start and end of an event, as the API wants them."""
    start = dt.datetime.fromisoformat(f"{day}T{at}").replace(tzinfo=ZONE)
    return spanning(start, start + dt.timedelta(minutes=minutes))


def spanning(start: dt.datetime, end: dt.datetime) -> dict[str, Any]:
    zone = {"timeZone": World.timezone}
    return {"start": {"dateTime": start.isoformat(), **zone}, "end": {"dateTime": end.isoformat(), **zone}}


def ours(world: World, day: dt.date, at: str) -> dict[str, Any]:
    """The event of ours that starts then."""
    found = [each for each in outside(world) if _local(each).startswith(f"{day}T{at}")]
    assert len(found) == 1, (day, at, found)
    return found[0]


def _local(event: dict[str, Any]) -> str:
    start = event["start"].get("dateTime")
    return dt.datetime.fromisoformat(start).astimezone(ZONE).isoformat() if start else ""


def booked(page: Page, world: World, *, client: str, days: int, at: str) -> dt.date:
    """An appointment of this client, on its day in Google as well."""
    day = coming(days)
    book(page, world, client=client, day=day, at=at)
    soon(lambda: _starts(world, f"{day}T{at}"), "the new appointment is in Google")
    is_done(page, world)
    return day


def open_appointment(page: Page, world: World, day: dt.date, client: str) -> None:
    page.goto(f"{world.url}/calendar?view=day&date={day}")
    entry(page, client).click()
    expect(page.get_by_role("region", name="History")).to_be_visible()


def is_shown(page: Page, world: World, day: dt.date, title: str) -> bool:
    page.goto(f"{world.url}/calendar?view=day&date={day}")
    return any(title in each["text"] for each in entries(page, "google"))


def clear_away(page: Page, world: World, *events: dict[str, Any]) -> None:
    """These are deleted in Google, and that is known here."""
    for event in events:
        world.google.delete_event(world.email, "primary", event["id"])
    sync_now(page, world)


def read_feed(url: str) -> str:
    """As Google reads a feed."""
    request = urllib.request.Request(url, headers={"User-Agent": GOOGLES_READER})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return str(answer.read().decode())


def share(world: World, name: str, role: str) -> str:
    """Somebody shares a calendar with the person, in this role. Its id."""
    return str(world.google.add_calendar(world.email, name, accessRole=role)["id"])


# Set up and leave


def test_how_do_i_set_up_the_sync(off: Page, world: World) -> None:
    ask(off, world, "how to set up", "How do I set up the sync?")
    assert code(off, "mode") == "off"
    assert APP_CALENDAR not in calendars(world)
    follow(off, "Sync Calendar")
    connect(off, world)
    ask(off, world, "how to set up", "How do I set up the sync?")
    assert code(off, "mode") == "two-way"
    assert code(off, "grant") == "accepted"
    is_done(off, world)
    assert len(outside(world)) >= NUMBER_THERE


def test_am_i_really_on_two_way(off: Page, world: World) -> None:
    """Somebody who pasted a link and believes that it goes both ways."""
    off.get_by_role("radio", name="One-Way Sync").check()
    off.get_by_role("button", name="Continue", exact=True).click()
    ask(off, world, "am I really on two-way", "Am I really on Two-Way?")
    assert code(off, "mode") == "one-way"
    assert APP_CALENDAR not in calendars(world)
    follow(off, "Sync Calendar")
    connect(off, world)
    ask(off, world, "am I really on two-way", "Am I really on Two-Way?")
    codes = {each: code(off, each) for each in ("mode", "grant", "app-calendar", "calendars", "pulled")}
    assert codes == {
        "mode": "two-way",
        "grant": "accepted",
        "app-calendar": "there",
        "calendars": "yours",
        "pulled": "fresh",
    }
    assert off.locator(".checkline.is-bad, .checkline.is-warn").count() == 0
    follow(off, "Sync doctor")
    off.get_by_role("button", name="Check everything now").click()
    until_in_step(off, world)
    assert len(outside(world)) == doctor(world.portal, world.email)[0]["counts"]["live"]


def until_in_step(page: Page, world: World) -> None:
    def is_compared() -> bool:
        page.goto(f"{world.url}{SYNC}/doctor")
        return code(page, "compared") == "equal"

    soon(is_compared, "both sides are equal")


def test_how_do_i_add_the_one_way_link(off: Page, world: World) -> None:
    title = "How do I add the One-Way link to Google, Apple or Outlook?"
    ask(off, world, "ics link outlook", title)
    assert code(off, "mode") == "off"
    follow(off, "Sync Calendar")
    off.get_by_role("radio", name="One-Way Sync").check()
    off.get_by_role("button", name="Continue", exact=True).click()
    url = off.get_by_label("Feed URL").input_value()
    ask(off, world, "ics link outlook", title)
    assert code(off, "feed") == "not-read-yet"
    assert read_feed(url).count("BEGIN:VEVENT") >= NUMBER_THERE
    until_code(off, "feed", "read")
    press(off, "feed", "Feed URL")
    expect(off.get_by_role("rowheader").or_(off.get_by_role("cell")).first).to_contain_text("Google Calendar")


def test_how_do_i_remove_the_sync(two_way: Page, world: World) -> None:
    kept = personal(world)
    ask(two_way, world, "remove the sync", "How do I remove the sync, or start over?")
    assert code(two_way, "mode") == "two-way"
    follow(two_way, "Turn off")
    two_way.get_by_role("button", name="Turn off").click()
    wait_for(two_way, world, "off")
    expect(two_way.get_by_text("Two-Way Sync has ended")).to_be_visible()
    assert APP_CALENDAR not in calendars(world)
    assert personal(world) == kept
    ask(two_way, world, "remove the sync", "How do I remove the sync, or start over?")
    assert code(two_way, "mode") == "off"


def test_how_do_i_reset_everything(two_way: Page, world: World) -> None:
    """Something is wrong: an event was deleted in Google, and a question waits."""
    day = booked(two_way, world, client="Quinn Fern", days=16, at="07:10")
    number_there, kept = len(outside(world)), personal(world)
    world.google.delete_event(world.email, calendars(world)[APP_CALENDAR], ours(world, day, "07:10")["id"])
    sync_now(two_way, world)
    ask(two_way, world, "reset everything", "How do I reset everything?")
    assert code(two_way, "unsent") == "waits-for-answer-1"
    assert code(two_way, "cards") == "waiting-1"
    follow(two_way, "Start over")
    two_way.get_by_role("button", name="Start over").click()
    wait_for(two_way, world, "choosing")
    connect(two_way, world)
    ask(two_way, world, "reset everything", "How do I reset everything?")
    until_code(two_way, "unsent", "all-there")
    assert code(two_way, "cards") == "none"
    assert len(outside(world)) == number_there
    assert personal(world) == kept


def test_i_changed_my_google_login(two_way: Page, world: World) -> None:
    """A new address and a new password: Google ends the permission."""
    number_there = len(outside(world))
    old, new = world.email, "wren.h@example.com"
    ask(two_way, world, "changed my google password", "I changed my Google login or password")
    assert code(two_way, "grant") == "accepted"
    change_login(two_way, world, old, new)
    ask(two_way, world, "changed my google password", "I changed my Google login or password")
    assert code(two_way, "grant") == "reconnect-required"
    assert old in line(two_way, "account").inner_text()
    reconnect(two_way, world, new)
    ask(two_way, world, "changed my google password", "I changed my Google login or password")
    assert code(two_way, "grant") == "accepted"
    assert new in line(two_way, "account").inner_text()
    listed = {each["summary"]: each["id"] for each in world.google.calendars(new)}
    assert len(world.google.events(new, listed[APP_CALENDAR])) == number_there
    change_login(two_way, world, new, old)
    ask(two_way, world, "changed my google password", "I changed my Google login or password")
    reconnect(two_way, world, old)
    wait_for(two_way, world, "active")


def change_login(page: Page, world: World, old: str, new: str) -> None:
    world.google.control("PATCH", f"/accounts/{old}", {"email": new})
    world.google.control("POST", "/grants/revoke", {"account": new})
    sync_now(page, world)


def reconnect(page: Page, world: World, email: str) -> None:
    press(page, "grant", "Reconnect")
    account = page.get_by_role("button", name=email)
    if account.count():
        account.click()
    page.get_by_role("button", name="Continue").click()
    page.wait_for_url(f"{world.url}/**")


def test_i_have_several_google_accounts(two_way: Page, world: World) -> None:
    """The family calendar lives in another account; at first it is shared for looking only."""
    other, day = "wren.private@example.net", coming(9)
    world.google.add_account(other)
    family = str(world.google.add_calendar(other, "Family")["id"])
    world.google.add_event(other, family, summary="Grandfather's birthday", **timed(day, "11:00"))
    ask(two_way, world, "several google accounts", "I have several Google accounts")
    before = number(two_way, "closed")
    world.google.add_calendar(world.email, "Family", id=family, accessRole="reader")
    press(two_way, "closed", "See why")
    ask(two_way, world, "several google accounts", "I have several Google accounts")
    assert number(two_way, "closed") == before + 1
    assert "Family: Shared with you as read-only" in line(two_way, "closed").inner_text()
    world.google.change_calendar(world.email, family, accessRole="owner")
    follow(two_way, "look at your calendars again")
    look_again(two_way, tick="Family")
    _shows(two_way, world, day, "Grandfather's birthday")
    ask(two_way, world, "several google accounts", "I have several Google accounts")
    assert number(two_way, "closed") == before
    assert "Family" in line(two_way, "calendars").inner_text()
    open_calendars(two_way, world)
    look_again(two_way, untick="Family")
    world.google.delete_calendar(world.email, family)


def test_can_several_providers_use_one_google_account(
    page: Page, open_page: OpenPage, world: World, two_way: Page
) -> None:
    """Sol tries the account that Wren has connected, is refused, and connects one of his own."""
    before = grants(world)
    sols = open_page()
    sign_in(sols, world.url, SOL, PASSWORD)
    ask(sols, world, "share one account with a colleague", "Can several providers use one Google account?")
    assert code(sols, "alone") == "no-account-1"
    press(sols, "alone", "Connect")
    sols.get_by_role("radio", name="Two-Way Sync with Google").check()
    sols.get_by_role("button", name="Continue", exact=True).click()
    sols.get_by_role("button", name="Continue", exact=True).click()
    agree(sols, world, world.email)
    expect(sols.get_by_text("already connected to another provider")).to_be_visible()
    assert SOL not in grants(world)
    assert before[world.email] <= grants(world)[world.email]
    agree(sols, world, SOL)
    sols.get_by_role("button", name="Continue", exact=True).click()
    ask(sols, world, "share one account with a colleague", "Can several providers use one Google account?")
    assert code(sols, "alone") == "yours-alone-1"
    assert SOL in line(sols, "alone").inner_text()
    assert grants(world)[SOL] == 1
    sols.goto(f"{world.url}{SYNC}")
    sols.get_by_role("button", name="Cancel").click()
    wait_for(page, world, "active")


def agree(page: Page, world: World, email: str) -> None:
    page.get_by_role("button", name="Connect Google account").click()
    page.get_by_role("button", name=email).click()
    page.get_by_role("button", name="Continue").click()
    page.wait_for_url(f"{world.url}/**")


def grants(world: World) -> dict[str, int]:
    """How many lasting tokens each account has given."""
    items = world.google.control("GET", "/grants")["items"]
    return {each["account"]: each["refresh_tokens"] for each in items if each["refresh_tokens"]}


# What you see


def test_where_is_the_new_calendar(two_way: Page, world: World) -> None:
    """It was hidden in Google's list by mistake."""
    there = calendars(world)[APP_CALENDAR]
    ask(two_way, world, "where is the new calendar", "Where is the new calendar in Google?")
    assert (code(two_way, "app-calendar"), code(two_way, "shown")) == ("there", "not-looked")
    press(two_way, "shown", "Look")
    assert code(two_way, "shown") == "shown"
    world.google.change_calendar(world.email, there, hidden=True)
    press(two_way, "shown", "Look")
    assert code(two_way, "shown") == "hidden"
    press(two_way, "shown", "Show it")
    assert code(two_way, "shown") == "shown"
    (listed,) = (each for each in world.google.calendars(world.email) if each["id"] == there)
    assert not listed.get("hidden")
    assert listed["selected"]


def test_why_do_canceled_appointments_vanish_in_google(two_way: Page, world: World) -> None:
    title = "Why do canceled appointments vanish in Google?"
    day = booked(two_way, world, client="Ellis Juniper", days=17, at="07:10")
    ask(two_way, world, "cancelled disappeared", title)
    before = number(two_way, "left-out")
    open_appointment(two_way, world, day, "Ellis")
    two_way.get_by_role("link", name="Cancel appointment").click()
    two_way.get_by_role("button", name="Cancel appointment").click()
    soon(lambda: not _starts(world, f"{day}T07:10"), "it is gone from Google")
    ask(two_way, world, "cancelled disappeared", title)
    until_code(two_way, "left-out", f"here-only-{before + 1}")
    assert "Ellis Juniper" in line(two_way, "left-out").inner_text()
    press(two_way, "left-out", "Open")
    expect(two_way.get_by_label("In Google")).to_contain_text("Because it is canceled")
    two_way.get_by_role("button", name="Reinstate").click()
    soon(lambda: _starts(world, f"{day}T07:10"), "it is back in Google")
    ask(two_way, world, "cancelled disappeared", title)
    assert number(two_way, "left-out") == before


def test_where_is_the_history_of_canceled_and_no_show_appointments(two_way: Page, world: World) -> None:
    title = "Where is the history of canceled and no-show appointments?"
    day = booked(two_way, world, client="Lane Ashby", days=18, at="07:10")
    ask(two_way, world, "no-show history", title)
    before = number(two_way, "left-out")
    open_appointment(two_way, world, day, "Lane")
    two_way.get_by_role("button", name="Mark no-show").click()
    soon(lambda: not _starts(world, f"{day}T07:10"), "it is gone from Google")
    ask(two_way, world, "no-show history", title)
    until_code(two_way, "left-out", f"here-only-{before + 1}")
    press(two_way, "left-out", "Open")
    history = two_way.get_by_role("region", name="History")
    expect(history).to_contain_text("Marked as no-show")
    expect(history).to_contain_text("Dr. Wren Hale")
    two_way.goto(f"{world.url}/calendar?view=day&date={day}")
    struck = entry(two_way, "Lane", status="no-show")
    expect(struck).to_have_count(1)
    two_way.get_by_role("checkbox", name="Canceled, no-show").uncheck()
    expect(struck).to_have_count(0)
    two_way.get_by_role("checkbox", name="Canceled, no-show").check()
    expect(struck).to_have_count(1)
    struck.click()
    two_way.get_by_role("link", name="Open").or_(
        two_way.get_by_role("button", name="Reinstate")
    ).first.click()


def test_why_are_old_appointments_not_in_google(two_way: Page, world: World) -> None:
    title = "Why are old or archived appointments not in Google?"
    ask(two_way, world, "old appointments", title)
    before, number_there = number(two_way, "earlier"), len(outside(world))
    book(two_way, world, client="Dale Winter", day=coming(-45), at="07:10")
    ask(two_way, world, "old appointments", title)
    assert code(two_way, "earlier") == f"here-only-{before + 1}"
    press(two_way, "earlier", "Open")
    expect(two_way.get_by_label("In Google")).to_contain_text("more than 30 days before you connected")
    assert len(outside(world)) == number_there


def test_why_are_archived_appointments_not_in_google(two_way: Page, world: World) -> None:
    title = "Why are old or archived appointments not in Google?"
    day = booked(two_way, world, client="Casey Vale", days=19, at="07:10")
    ask(two_way, world, "archived", title)
    before = number(two_way, "archived")
    open_appointment(two_way, world, day, "Casey")
    two_way.get_by_role("button", name="Archive").click()
    soon(lambda: not _starts(world, f"{day}T07:10"), "it is gone from Google")
    ask(two_way, world, "archived", title)
    assert code(two_way, "archived") == f"here-only-{before + 1}"
    press(two_way, "archived", "Open")
    expect(two_way.get_by_label("In Google")).to_contain_text("Because it is archived")
    two_way.get_by_role("button", name="Reinstate").click()
    soon(lambda: _starts(world, f"{day}T07:10"), "it is back in Google")
    ask(two_way, world, "archived", title)
    assert number(two_way, "archived") == before


def test_why_can_i_not_change_google_events_here(two_way: Page, world: World) -> None:
    title = "Why can’t I change Google events here?"
    ask(two_way, world, "edit locked event", title)
    before = number(two_way, "locked")
    start = dt.datetime.now(ZONE) + dt.timedelta(minutes=5)
    event = world.google.add_event(
        world.email, summary="Piano lesson", **spanning(start, start + dt.timedelta(minutes=30))
    )
    press(two_way, "pulled", "Sync now")
    is_done(two_way, world)
    ask(two_way, world, "edit locked event", title)
    assert code(two_way, "locked") == f"locked-{before + 1}"
    open_next(two_way, world, title, "Piano lesson")
    assert two_way.get_by_role("main").get_by_role("textbox").count() == 0
    with two_way.expect_popup() as opened:
        two_way.get_by_role("link", name="Open in Google Calendar").click()
    google = opened.value
    google.get_by_label("Title").fill("Piano recital")
    with google.expect_navigation():
        google.get_by_role("button", name="Save").click()
    sync_now(two_way, world)
    open_next(two_way, world, title, "Piano recital")
    clear_away(two_way, world, event)


def open_next(page: Page, world: World, title: str, heading: str) -> None:
    """The help leads to what begins next; by the clock's chance something else may begin just before."""

    def is_next() -> bool:
        ask(page, world, "edit locked event", title)
        press(page, "locked", "Open")
        return page.get_by_role("heading", level=1).inner_text() == heading

    wait_until(is_next, seconds=360, what=f"{heading} to be next", every_seconds=2)


def test_why_is_the_colour_fixed(two_way: Page, world: World) -> None:
    """Two events of two colours in Google; here they are of one."""
    title = "Why is the colour of Google events fixed?"
    ask(two_way, world, "color", title)
    before, day = number(two_way, "locked"), coming(13)
    made = [
        world.google.add_event(world.email, summary=name, colorId=colour, **timed(day, at))
        for name, colour, at in (("Red thing", "11", "06:00"), ("Green thing", "2", "20:00"))
    ]
    press(two_way, "pulled", "Sync now")
    is_done(two_way, world)
    ask(two_way, world, "color", title)
    assert code(two_way, "locked") == f"locked-{before + 2}"
    press(two_way, "locked", "Open")
    expect(two_way.get_by_text("From Google, locked")).to_be_visible()
    two_way.goto(f"{world.url}/calendar?view=day&date={day}")
    colours = {
        colour_of(entry(two_way, name, "google", "confirmed")) for name in ("Red thing", "Green thing")
    }
    assert len(colours) == 1
    expect(two_way.get_by_role("checkbox", name="From Google, locked")).to_be_checked()
    there = {each["summary"]: each.get("colorId") for each in world.google.events(world.email)}
    assert (there["Red thing"], there["Green thing"]) == ("11", "2")
    clear_away(two_way, world, *made)


def colour_of(there: Locator) -> str:
    script = "(each) => { const style = getComputedStyle(each); return style.backgroundColor + style.color; }"
    return str(there.evaluate(script))


def test_who_can_see_client_names(two_way: Page, world: World) -> None:
    """Full names went out; stricter ones are wanted while Google fails."""
    choose_names(two_way, world, "Full name")
    soon(lambda: "Quinn Fern" in {each["summary"] for each in outside(world)}, "names are in Google")
    ask(two_way, world, "who sees client names", "Who can see client names?")
    assert code(two_way, "names") == "as-set"
    world.google.add_fault("backend_error", method="calendar.*", times=None)
    follow(two_way, "How client names appear")
    choose_names(two_way, world, "Internal ID")
    ask(two_way, world, "who sees client names", "Who can see client names?")
    assert (code(two_way, "names") or "").startswith("still-old-")
    world.google.clear_faults()
    press(two_way, "names", "Sync now")
    ask(two_way, world, "who sees client names", "Who can see client names?")
    until_code(two_way, "names", "as-set")
    titles = {each["summary"] for each in outside(world)}
    assert all(re.fullmatch(r"\d+( \(contact\))?|Busy", title) for title in titles), titles


def choose_names(page: Page, world: World, label: str) -> None:
    page.goto(f"{world.url}{SYNC}/names")
    page.get_by_label("How client names appear").select_option(label)
    if label != "Internal ID":
        page.get_by_label("A BAA with Google covers this account").check()
    with page.expect_navigation():
        page.get_by_role("button", name="Continue").click()


# When something is off


def test_why_are_updates_late(two_way: Page, world: World) -> None:
    """Google fails for a while."""
    ask(two_way, world, "why are updates so slow", "Why are updates late?")
    assert code(two_way, "pushed") == "up-to-date"
    world.google.add_fault("backend_error", method="calendar.*", times=None)
    day = coming(20)
    book(two_way, world, client="Toby Reed", day=day, at="07:10")
    ask(two_way, world, "why are updates so slow", "Why are updates late?")
    until_code(two_way, "pushed", "delayed-1")
    assert "1 appointment waiting" in line(two_way, "pushed").inner_text()
    assert not _starts(world, f"{day}T07:10")
    world.google.clear_faults()
    press(two_way, "pushed", "Sync now")
    soon(lambda: _starts(world, f"{day}T07:10"), "it is in Google")
    ask(two_way, world, "why are updates so slow", "Why are updates late?")
    until_code(two_way, "pushed", "up-to-date")


def test_can_i_refresh_by_hand(two_way: Page, world: World) -> None:
    day = coming(12)
    ask(two_way, world, "refresh by hand", "Can I refresh by hand?")
    before = number(two_way, "locked")
    event = world.google.add_event(world.email, summary="Plumber", **timed(day, "06:00"))
    assert not is_shown(two_way, world, day, "Plumber")
    ask(two_way, world, "refresh by hand", "Can I refresh by hand?")
    assert number(two_way, "locked") == before
    press(two_way, "pulled", "Sync now")
    is_done(two_way, world)
    expect(two_way.get_by_text("Just now").first).to_be_visible()
    assert is_shown(two_way, world, day, "Plumber")
    ask(two_way, world, "refresh by hand", "Can I refresh by hand?")
    assert number(two_way, "locked") == before + 1
    clear_away(two_way, world, event)


def test_a_title_is_outdated(two_way: Page, world: World) -> None:
    """Somebody wrote over a title in Google."""
    day = booked(two_way, world, client="Dale Winter", days=21, at="07:10")
    event, where = ours(world, day, "07:10"), calendars(world)[APP_CALENDAR]
    ask(two_way, world, "wrong title", "A title or a time is outdated")
    compare(two_way)
    ask(two_way, world, "wrong title", "A title or a time is outdated")
    assert code(two_way, "compared") == "equal"
    world.google.change_event(world.email, where, event["id"], summary="Mittens")
    compare(two_way)
    ask(two_way, world, "wrong title", "A title or a time is outdated")
    assert code(two_way, "compared") == "differs-1"
    press(two_way, "pushed", "Sync now")
    soon(lambda: ours(world, day, "07:10")["summary"] == event["summary"], "our title is back")
    ask(two_way, world, "wrong title", "A title or a time is outdated")
    compare(two_way)
    ask(two_way, world, "wrong title", "A title or a time is outdated")
    assert code(two_way, "compared") == "equal"


def test_a_time_is_outdated(two_way: Page, world: World) -> None:
    """Moved in Google, and not here yet."""
    day = booked(two_way, world, client="Perry Stone", days=22, at="07:10")
    event, where = ours(world, day, "07:10"), calendars(world)[APP_CALENDAR]
    world.google.change_event(world.email, where, event["id"], **timed(day, "20:20"))
    ask(two_way, world, "old time shown", "A title or a time is outdated")
    compare(two_way)
    ask(two_way, world, "old time shown", "A title or a time is outdated")
    assert code(two_way, "compared") == "differs-1"
    press(two_way, "pulled", "Sync now")
    is_done(two_way, world)
    two_way.goto(f"{world.url}/calendar?view=day&date={day}")
    expect(entry(two_way, "8:20")).to_contain_text("Perry")
    assert ours(world, day, "20:20")["id"] == event["id"]
    two_way.goto(f"{world.url}{SYNC}/changes")
    expect(two_way.locator("[data-card=moved]").filter(has_text="Perry Stone")).to_contain_text(
        "follows here"
    )
    ask(two_way, world, "old time shown", "A title or a time is outdated")
    compare(two_way)
    ask(two_way, world, "old time shown", "A title or a time is outdated")
    assert code(two_way, "compared") == "equal"


def test_an_appointment_is_not_in_google(two_way: Page, world: World) -> None:
    day = booked(two_way, world, client="Quinn Fern", days=23, at="07:10")
    ask(two_way, world, "not in google", "An appointment is not in Google")
    assert code(two_way, "unsent") == "all-there"
    world.google.delete_event(world.email, calendars(world)[APP_CALENDAR], ours(world, day, "07:10")["id"])
    sync_now(two_way, world)
    ask(two_way, world, "not in google", "An appointment is not in Google")
    assert code(two_way, "unsent") == "waits-for-answer-1"
    assert "Quinn Fern" in line(two_way, "unsent").inner_text()
    press(two_way, "unsent", "Answer")
    two_way.get_by_role("button", name="Put it back").click()
    soon(lambda: _starts(world, f"{day}T07:10"), "it is back in Google")
    ask(two_way, world, "not in google", "An appointment is not in Google")
    until_code(two_way, "unsent", "all-there")


def test_an_event_is_there_twice(two_way: Page, world: World) -> None:
    """Copied by hand in Google."""
    day = coming(14)
    event = world.google.add_event(world.email, summary="Allotment", **timed(day, "06:00"))
    ask(two_way, world, "duplicates", "Everything is there twice")
    assert code(two_way, "duplicates") == "none"
    copy = world.google.act_on_event(world.email, "primary", event["id"], "duplicate")
    sync_now(two_way, world)
    ask(two_way, world, "duplicates", "Everything is there twice")
    assert code(two_way, "duplicates") == "twice-1"
    assert "Allotment" in line(two_way, "twins").inner_text()
    press(two_way, "twins", "See each")
    assert "Allotment" in line(two_way, "duplicates").inner_text()
    assert "Open in Google" in line(two_way, "duplicates").inner_text()
    world.google.delete_event(world.email, "primary", copy["id"])
    ask(two_way, world, "duplicates", "Everything is there twice")
    follow(two_way, "Sync Calendar")
    two_way.get_by_role("button", name="Sync now").click()
    is_done(two_way, world)
    ask(two_way, world, "duplicates", "Everything is there twice")
    assert code(two_way, "duplicates") == "none"
    assert line(two_way, "twins").count() == 0
    assert [
        each["id"] for each in world.google.events(world.email) if each.get("summary") == "Allotment"
    ] == [event["id"]]
    clear_away(two_way, world, event)


def test_everything_is_there_twice_for_an_old_one_way_link(off: Page, world: World) -> None:
    """The link was added in Google long ago, and Two-Way was switched on besides."""
    off.get_by_role("radio", name="One-Way Sync").check()
    off.get_by_role("button", name="Continue", exact=True).click()
    url = off.get_by_label("Feed URL").input_value()
    called = re.search(r"X-WR-CALNAME:(.+)", read_feed(url))
    assert called
    subscribed = world.google.add_calendar(world.email, called[1].strip(), kind="import")["id"]
    connect(off, world)
    assert "BEGIN:VEVENT" not in read_feed(url)
    ask(off, world, "every appointment doubled", "Everything is there twice")
    assert code(off, "duplicates") == "own-feed-1"
    assert code(off, "old-feed") == "still-read-1"
    follow(off, "remove the subscription")
    expect(off.get_by_label("Answer")).to_contain_text("Unsubscribe")
    world.google.delete_calendar(world.email, subscribed)
    ask(off, world, "every appointment doubled", "Everything is there twice")
    follow(off, "look at your calendars again")
    ask(off, world, "every appointment doubled", "Everything is there twice")
    assert code(off, "duplicates") == "none"


def test_what_do_i_send_to_support(two_way: Page, world: World, complaints: Complaints) -> None:
    """An event whose times make no sense."""
    ask(two_way, world, "what to send to support", "What do I send to support?")
    before = number(two_way, "tells")
    event = world.google.add_event(world.email, summary="Odd one", **timed(coming(15), "06:00"))
    world.google.act_on_event(
        world.email, "primary", event["id"], "distort", end={"dateTime": "yesterday", "timeZone": "Nowhere"}
    )
    sync_now(two_way, world)
    ask(two_way, world, "what to send to support", "What do I send to support?")
    assert number(two_way, "tells") == before + 1
    assert "quarantine not-understood-1" in line(two_way, "tells").inner_text()
    complaints.allow("report.txt: Failed to load resource")  # plain text names no icon, so one is asked for
    press(two_way, "tells", "Report")
    report = two_way.locator("body").inner_text()
    assert "not-understood-1" in report
    assert not [name for name in (*WORDS, "Odd one") if name in report]
    world.google.act_on_event(world.email, "primary", event["id"], "distort", end=event["end"])
    sync_now(two_way, world)
    ask(two_way, world, "what to send to support", "What do I send to support?")
    assert number(two_way, "tells") == before
    clear_away(two_way, world, event)


# Other calendars


def test_how_do_i_block_time_booked_in_another_ehr(two_way: Page, world: World) -> None:
    """Headway's calendar is shared for looking only, until its owner shares it in full."""
    title = "How do I block time booked in another EHR?"
    headway = calendars(world)["Headway"]
    day = coming(8)
    event = world.google.add_event(world.email, headway, summary="Headway intake", **timed(day, "06:00"))
    ask(two_way, world, "ehr", title)
    before = number(two_way, "closed")
    assert "Headway: Shared with you as read-only" in line(two_way, "closed").inner_text()
    assert not is_shown(two_way, world, day, "Headway intake")
    world.google.change_calendar(world.email, headway, accessRole="owner")
    ask(two_way, world, "ehr", title)
    follow(two_way, "look again")
    look_again(two_way, tick="Headway")
    _shows(two_way, world, day, "Headway intake")
    ask(two_way, world, "ehr", title)
    assert number(two_way, "closed") == before - 1
    assert "Headway" in line(two_way, "calendars").inner_text()
    open_calendars(two_way, world)
    look_again(two_way, untick="Headway")
    world.google.delete_event(world.email, headway, event["id"])
    world.google.change_calendar(world.email, headway, accessRole="reader")
    open_calendars(two_way, world)
    look_again(two_way)


MISSING = "Events from Outlook, Alma or Rula are missing"


def test_events_from_alma_are_missing(two_way: Page, world: World) -> None:
    """Alma's calendar may be changed by the person, and still belongs to somebody else."""
    ask(two_way, world, "alma", MISSING)
    before = number(two_way, "closed")
    alma, day = share(world, "Alma", "writer"), coming(7)
    world.google.add_event(world.email, alma, summary="Alma session", **timed(day, "06:00"))
    press(two_way, "closed", "See why")
    expect(two_way.get_by_text("the calendar is somebody else’s")).to_be_visible()
    ask(two_way, world, "alma", MISSING)
    assert number(two_way, "closed") == before + 1
    follow(two_way, "Alma")
    expect(two_way.get_by_role("heading", level=1)).to_have_text("Bring in Alma")
    world.google.change_calendar(world.email, alma, accessRole="owner")
    follow(two_way, "look again")
    look_again(two_way, tick="Alma")
    _shows(two_way, world, day, "Alma session")
    ask(two_way, world, "alma", MISSING)
    assert number(two_way, "closed") == before
    forget(two_way, world, "Alma", alma)


def test_events_from_rula_are_missing(two_way: Page, world: World) -> None:
    """Rula made a calendar in the account, which nobody has ticked."""
    ask(two_way, world, "rula events missing", MISSING)
    before = number(two_way, "unticked")
    rula, day = str(world.google.add_calendar(world.email, "Rula")["id"]), coming(7)
    world.google.add_event(world.email, rula, summary="Rula session", **timed(day, "20:00"))
    follow(two_way, "your calendars")
    ask(two_way, world, "rula events missing", MISSING)
    assert number(two_way, "unticked") == before + 1
    assert "Rula" in line(two_way, "unticked").inner_text()
    press(two_way, "unticked", "Choose")
    look_again(two_way, tick="Rula")
    _shows(two_way, world, day, "Rula session")
    ask(two_way, world, "rula events missing", MISSING)
    assert number(two_way, "unticked") == before
    forget(two_way, world, "Rula", rula)


def test_events_from_outlook_are_missing(two_way: Page, world: World) -> None:
    """Outlook was added as a link, which nobody owns; then it writes into a calendar that is chosen."""
    ask(two_way, world, "outlook events not shown", MISSING)
    before = number(two_way, "closed")
    link, day = str(world.google.add_calendar(world.email, "Outlook", kind="import")["id"]), coming(7)
    world.google.add_event(world.email, link, summary="Standup", **timed(day, "06:40"))
    press(two_way, "closed", "See why")
    ask(two_way, world, "outlook events not shown", MISSING)
    assert number(two_way, "closed") == before + 1
    assert "Outlook: A subscription" in line(two_way, "closed").inner_text()
    assert not is_shown(two_way, world, day, "Standup")
    ask(two_way, world, "outlook events not shown", MISSING)
    follow(two_way, "Outlook")
    expect(two_way.get_by_label("Answer")).to_contain_text("Add your Google account to Outlook")
    event = world.google.add_event(world.email, summary="Standup", **timed(day, "06:40"))
    world.google.delete_calendar(world.email, link)
    follow(two_way, "look again")
    sync_now(two_way, world)
    assert is_shown(two_way, world, day, "Standup")
    ask(two_way, world, "outlook events not shown", MISSING)
    assert number(two_way, "closed") == before
    clear_away(two_way, world, event)


def forget(page: Page, world: World, name: str, identifier: str) -> None:
    """Neither read nor there any more."""
    open_calendars(page, world)
    look_again(page, untick=name)
    world.google.delete_calendar(world.email, identifier)
    open_calendars(page, world)
    look_again(page)
