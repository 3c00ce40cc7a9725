"""Calendars that cannot be chosen: why not, what to do instead, and where that is explained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from portal.words.buttons import Button


@dataclass(frozen=True, slots=True)
class Guide:
    """The button to the page that shows how. `called`: its name where the calendar is not seen beside it."""

    button: Button
    called: str

    def name(self, calendar: str) -> str:
        return self.called.format(calendar=calendar)


@dataclass(frozen=True, slots=True)
class Closed:
    """Why a calendar cannot be chosen, what to do, and the guide to that; some remedies need none."""

    why: str
    remedy: str
    guide: Guide | None = None


OTHER_EHR = Guide(
    Button("Show me how", "help.show", values=MappingProxyType({"slug": "other-ehr"})),
    "Show me how, for {calendar}",
)
OLD_FEED = Guide(
    Button("Show me how", "help.show", values=MappingProxyType({"slug": "old-feed"})),
    "Show me how, for {calendar}",
)
OFFICE_HOURS = Guide(
    Button("Office hours", "settings.index", anchor="office-hours"), "Office hours, instead of {calendar}"
)
ELSEWHERE = (  # where time is booked: the slug of the guide, its name
    ("headway", "Headway"),
    ("alma", "Alma"),
    ("rula", "Rula"),
    ("outlook", "Outlook"),
    ("apple", "Apple Calendar"),
    ("other-ehr", "Another EHR"),
    ("several-accounts", "Another Google account"),
)

CLOSED: Mapping[str, Closed] = {
    "shared-read-only": Closed(
        "Shared with you as read-only.",
        "Ask its owner for “Make changes and manage sharing”, or bring its events into a calendar you own.",
        OTHER_EHR,
    ),
    "free-busy-only": Closed(
        "Shared with you so that you see only when it is free or busy, and no events.",
        "Ask its owner for “Make changes and manage sharing”, or bring its events into a calendar you own.",
        OTHER_EHR,
    ),
    "shared-to-edit": Closed(
        "Shared with you: you may change events, but the calendar is somebody else’s.",
        "Ask its owner for “Make changes and manage sharing”.",
        OTHER_EHR,
    ),
    "subscription": Closed(
        "A subscription to an address on the web, which Google only copies.",
        "Bring its events into a calendar you own, if they should block your time.",
        OTHER_EHR,
    ),
    "holidays": Closed(
        "A calendar that Google fills by itself.", "Mark your days off in office hours.", OFFICE_HOURS
    ),
    "room": Closed("A room or a device.", "Book your time in a calendar of your own."),
    "own-feed": Closed(
        "This is your own One-Way feed. Together with Two-Way every appointment would appear twice.",
        "Remove it in Google: Settings, this calendar, Unsubscribe.",
        OLD_FEED,
    ),
    "unknown-app-calendar": Closed(
        "Made by Lockstep, before a backup was put back.", "We ask about it when the first sync begins."
    ),
    "app-calendar": Closed("Made by Lockstep for your appointments.", "It is kept in step by itself."),
    "unreadable": Closed("Google does not let us read its events.", "Look again in a few minutes."),
}


OTHERWISE = Closed(  # of a code that this version no longer gives
    "It is not yours.", "Bring its events into a calendar you own.", OTHER_EHR
)


def closed(code: str | None) -> Closed:
    """The words for a `why_not` of connect.py."""
    return CLOSED.get(code or "", OTHERWISE)
