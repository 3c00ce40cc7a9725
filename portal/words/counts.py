"""Numbers with their noun: "1 appointment", "2 appointments"."""

from __future__ import annotations


def counted(number: int, one: str, many: str = "") -> str:
    """The number with `one` or `many`; without `many`, an s is put to `one`."""
    return f"{number} {one if number == 1 else (many or f'{one}s')}"


def appointments(number: int) -> str:
    return counted(number, "appointment")


def calendars(number: int) -> str:
    return counted(number, "calendar")


def differences(number: int) -> str:
    return counted(number, "difference")


def events(number: int) -> str:
    return counted(number, "event")


def google_events(number: int) -> str:
    return counted(number, "Google event")


def entries(number: int, *, has_more: bool) -> str:
    """ "No entries", "1,204 entries", "More than 2,500 entries" """
    if not number and not has_more:
        return "No entries"
    return " ".join(entries_apart(number, has_more=has_more))


def entries_apart(number: int, *, has_more: bool) -> tuple[str, str]:
    """The number and its noun, for a page that sets them apart."""
    if has_more:
        return f"More than {number:,}", "entries"
    return f"{number:,}", "entry" if number == 1 else "entries"
