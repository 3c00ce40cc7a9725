"""The settings screen walked by a person without script: sign in, book, connect Google."""

from __future__ import annotations

import datetime as dt

from demo.processes import wait_until
from tests.forms import Reader
from tests.processes import PASSWORD

EMAIL = "wren.hale@example.com"


def sign_in(reader: Reader) -> Reader:
    reader.open("/login").fill("Email", EMAIL).fill("Password", PASSWORD).press("Sign in")
    assert "/calendar" in reader.url
    return reader


def book(person: Reader, *, client: str, day: dt.date, at: str) -> None:
    """Book a client session of fifty minutes by the form."""
    person.open(f"/calendar?view=week&date={day}").follow("New appointment")
    person.fill("Kind", "Client session").fill("Client", client).fill("Date", day.isoformat())
    person.fill("Start time", at).fill("Duration (minutes)", "50").press("Save")
    assert person.status == 200, person.page.text


def connect_google(person: Reader) -> int:
    """From the settings page to an active two-way sync; gives back how many presses it took."""
    presses = begin_first_sync(person)
    wait_until(lambda: _state(person) != "first-sync", seconds=60, what="the first sync")
    assert person.main()["data-state"] == "active"
    return presses


def begin_first_sync(person: Reader) -> int:
    """From the settings page until the first sync has begun; gives back how many presses it took."""
    person.open("/calendar/sync").tick("Two-Way Sync with Google")
    for presses in range(20):
        if person.main()["data-state"] in ("first-sync", "active"):
            return presses
        person.press(_next_button(person))
        while "/calendar/sync" not in person.url:
            _consent(person)
    raise AssertionError(f"still {person.main()['data-state']} after {presses} presses")


def _next_button(person: Reader) -> str:
    connects = person.has_button("Connect Google account")
    return "Connect Google account" if connects else "Continue"


def _consent(person: Reader) -> None:
    """Google's side: choose the account, then agree."""
    choose = [each for each in person.buttons() if EMAIL in person.name_of(each)]
    person.press(person.name_of(choose[0]) if choose else "Continue")


def _state(person: Reader) -> str:
    return person.open("/calendar/sync").main()["data-state"]
