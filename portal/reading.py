"""What people and programs type for a number, a day or a time of day, read strictly. Pure.

Python's own readers take more than is meant: Arabic digits, underscores, a time with an offset, what
follows a NUL.
"""

from __future__ import annotations

import datetime as dt


def whole_number(text: str, *, most_digits: int) -> int | None:
    """Of ASCII digits alone, so many at most; without a sign."""
    return int(text) if is_digits(text) and len(text) <= most_digits else None


def is_digits(text: str) -> bool:
    """Whether it is a number of any length. Python turns no text of thousands of digits into one."""
    return text.isascii() and text.isdigit()


def day(text: str) -> dt.date | None:
    """An ISO 8601 date, at the ends of time too: whoever reads it knows the bounds."""
    try:
        return dt.date.fromisoformat(text) if is_readable(text) else None
    except ValueError:
        return None


def time_of_day(text: str) -> dt.time | None:
    """A time by the clock on the wall, to the minute. One with an offset is another clock's."""
    try:
        time = dt.time.fromisoformat(text)
    except ValueError:
        return None
    is_ours = time.tzinfo is None and is_readable(text)
    return time.replace(second=0, microsecond=0) if is_ours else None


def is_readable(text: str) -> bool:
    """Whether the text can be kept: no database takes NUL and half a character from everybody."""
    return "\0" not in text and not any("\ud800" <= letter <= "\udfff" for letter in text)
