"""Error pages: what happened, and what to do about it, by what the page is about."""

from __future__ import annotations

from collections.abc import Mapping

# A status of HTTP, or what is more than that says
ERRORS: Mapping[str, tuple[str, str]] = {
    "csrf": (
        "This page was open for too long",
        "Your sign-in changed while it was open, so nothing was saved. Go back, load the page again and "
        "repeat the last step.",
    ),
    "400": (
        "This could not be read",
        "There is a character in it that nobody can see and nothing can keep, or it came in pieces. "
        "Nothing was saved.",
    ),
    "403": ("This is not allowed", "Your account may not do this. Nothing was changed."),
    "404": ("There is nothing here", "The address is wrong, or what it showed belongs to somebody else."),
    "405": ("This address does not work like that", "Go back to the calendar and use its buttons."),
    "409": (
        "Somebody else was quicker",
        "What you were changing has changed meanwhile. Nothing was saved: open it again.",
    ),
    "413": (
        "That was too much at once",
        "What you sent is larger than any form here. Nothing was saved.",
    ),
    "429": ("Too many tries", "Wait a minute, then try again. Nothing was changed."),
    "busy": (
        "Many people are signing in",
        "Wait a moment, then try again. Nothing was changed.",
    ),
    "500": (
        "Something broke on our side",
        "It was written to the log. What you did last may not have been saved: look before you repeat it.",
    ),
    "unsaved": (
        "This could not be saved yet",
        "The database cannot be reached. Nothing is lost: wait a moment, then send it again.",
    ),
    "503": (
        "Not ready yet",
        "The calendar cannot reach its database. Nothing was lost; try again in a minute.",
    ),
}
ANY_OTHER = ("This did not work", "Nothing was changed. Go back and try again.")


def error(kind: str) -> tuple[str, str]:
    """Heading and advice."""
    return ERRORS.get(kind, ANY_OTHER)
