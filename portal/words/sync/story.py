"""The state of the sync on its page and on every other: what leads the page, what to press, figures.

Headline, cause and consequence come from `portal.sync.health`, where each state is told.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from portal.sync.health import Act, ConnectionFacts, Story, Tone
from portal.words.buttons import ANSWER, CREATE_AGAIN, RECONNECT, SYNC_NOW, Button, post
from portal.words.counts import appointments, google_events

WAITS_FOR_YOU = "Two-Way Sync with Google waits for you. Your appointments here are safe."
NOT_ON_YET = "Two-Way Sync with Google is not on yet."

LEADS: Mapping[str, str] = {  # by the story's state
    "active": "Lockstep and Google keep each other up to date. There is nothing you need to do.",
    "one-way": "Calendar apps can read your appointments from one private link.",
    "off": "Your appointments live here. Choose whether they should also appear in the calendar you carry "
    "around.",
    "choosing": NOT_ON_YET,
    "preview": NOT_ON_YET,
    "first-sync": "Two-Way Sync with Google begins. There is nothing you need to do.",
    "removing": "What the sync made is being cleared up. There is nothing you need to do.",
    "reconnect-required": WAITS_FOR_YOU,
    "calendar-missing": WAITS_FOR_YOU,
    "calendar-out-of-reach": WAITS_FOR_YOU,
    "question": WAITS_FOR_YOU,
    "delayed": "Two-Way Sync with Google is late, and goes on by itself.",
    "paused": "Nothing is sent to Google, and nothing is read. Your appointments here are safe.",
}
LEADS_OF_CODE: Mapping[str, str] = {  # where the code tells more than the state
    "WORKER-SILENT": "Two-Way Sync with Google stands still. Your appointments here are safe.",
}

BUTTONS: Mapping[Act, Button | None] = {  # what the card of the state asks for
    Act.NOTHING: None,
    Act.CONTINUE: None,  # the page itself is the form
    Act.CANCEL: None,  # stands below the card
    Act.SYNC_NOW: SYNC_NOW,
    Act.RECONNECT: RECONNECT,
    Act.CREATE_AGAIN: CREATE_AGAIN,
    Act.ANSWER: ANSWER,
}
TRY_AGAIN = post("Try again now", SYNC_NOW.endpoint)

APP_CALENDAR_IS: Mapping[str, str] = {  # behind its name, where it is not as it should be
    "calendar-missing": ", deleted there",
    "calendar-out-of-reach": ", closed to us",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What the figures are told from. Instants are words already; what is not known is empty."""

    pushed: str = ""  # how long ago
    pulled: str = ""
    retry: str = ""  # how long until
    next_check: str = ""
    is_syncing: bool = False  # a run was asked for and is not done


@dataclass(frozen=True, slots=True)
class Figure:
    """One of the three figures: what it is, how much, and a word about it."""

    name: str
    value: str
    note: str
    is_now: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """One step of something under way."""

    state: Literal["done", "now", "next"]
    words: str
    number: str


def lead(story: Story) -> str:
    """The sentence below the page's heading."""
    return LEADS_OF_CODE.get(story.code) or LEADS[story.state]


def button(story: Story, facts: ConnectionFacts) -> Button | None:
    """What is to be pressed on the card of the state."""
    if story.state == "removing" and facts.failures:
        return TRY_AGAIN
    return BUTTONS[story.act]


def figures(story: Story, facts: ConnectionFacts, told: Told) -> tuple[Figure, ...]:
    """When it was pushed, pulled, and is looked at next."""
    counts, is_bad = facts.counts, story.tone is Tone.BAD
    is_now = told.is_syncing and not story.needs_a_person
    return (
        Figure(
            "Last pushed",
            told.pushed.capitalize() or "Not yet",
            f"{appointments(counts.behind)} on the way" if counts.behind else "Nothing waits",
        ),
        Figure(
            "Last pulled",
            told.pulled.capitalize() or "Not yet",
            "May be out of date" if is_bad else google_events(counts.google_events),
        ),
        Figure("Next check", _next_check(story, told, is_now=is_now), _what_goes_out(story), is_now),
    )


def _next_check(story: Story, told: Told, *, is_now: bool) -> str:
    if is_now:
        return "Now"
    if story.needs_a_person:
        return "Waits for you"
    return (told.retry or told.next_check).capitalize() or "Soon"


def _what_goes_out(story: Story) -> str:
    if story.needs_a_person:
        return "Nothing goes out until then"
    return "Changes here go out with it" if story.state == "delayed" else "A change here goes out at once"


def totals(story: Story, facts: ConnectionFacts) -> tuple[str, ...]:
    """What is on either side."""
    there = "were in Google at the last look" if story.tone is Tone.BAD else "in Google"
    counts = facts.counts
    return (
        f"{appointments(counts.linked)} {there}",
        f"{google_events(counts.google_events)} here, a series counted once",
    )


def waiting(number: int) -> str:
    return f"{number} change{' waits' if number == 1 else 's wait'} for your answer"


def first_steps(
    facts: ConnectionFacts, *, is_made: bool, app_calendar: str, chosen: Sequence[str]
) -> tuple[Step, ...]:
    """The first sync. `is_made`: whether our calendar is in Google; the rest begins with it."""
    counts = facts.counts
    read = f"Reading “{'”, “'.join(chosen)}”" if chosen else "No calendar of yours is read"
    return (
        Step(
            "done" if is_made else "now",
            f"Calendar “{app_calendar}” in Google",
            "Made" if is_made else "Being made",
        ),
        Step(
            "now" if is_made else "next",
            "Your appointments, nearest first",
            f"{counts.linked} of {counts.live}",
        ),
        Step("now" if is_made else "next", read, str(counts.google_events)),
    )
