"""The calendar: its filters, its shortcuts, its empty places, and how names leave in a file."""

from __future__ import annotations

from collections.abc import Mapping

from portal.models import NameDisplay

# What the filter may show: its name in an address, its words, and the key of colors beside it
FILTERS = (
    ("sessions", "Client sessions", "client"),
    ("other", "Other events", "other"),
    ("google", "From Google, locked", "google"),
    ("completed", "Completed", "done"),
    ("missed", "Canceled, no-show", "struck"),
    ("archived", "Show archived", "archived"),
)

SHORTCUTS = (
    ("N", "New appointment"),
    ("T", "Today"),
    ("J", "Next"),
    ("K", "Previous"),
    ("1", "Month"),
    ("2", "Week"),
    ("3", "Day"),
    ("4", "Agenda"),
    ("P", "Hide or show names"),
    ("/", "Search"),
    (
        "M",
        "Move the appointment that has the focus: arrows move it (by whole days in the month and the "
        "agenda), Shift with up and down makes it shorter or longer, Enter saves, Escape leaves it",
    ),
    ("?", "This help"),
)

# By the view; the agenda names its days itself
NOTHING_BOOKED = {
    "month": "Nothing booked this month.",
    "week": "Nothing booked this week.",
    "day": "Nothing booked on this day.",
}

NAMES_OUTSIDE: Mapping[NameDisplay, str] = {
    NameDisplay.INTERNAL_ID: "by internal ID",
    NameDisplay.INITIALS: "by initials",
    NameDisplay.FIRST_NAME: "by first name",
    NameDisplay.FULL_NAME: "by full name",
}


def hour_name(hour: int) -> str:
    """ "9 AM", "12 PM" """
    return f"{hour % 12 or 12} {'AM' if hour < 12 else 'PM'}"
