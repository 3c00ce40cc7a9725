"""How a client and an appointment appear outside the portal: in Google and in the feed. Pure."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from portal.models import AppointmentKind, NameDisplay
from portal.practice.letters import one_line

BUSY = "Busy"
CONTACT_SUFFIX = " (contact)"
STRICTEST_FIRST = (
    NameDisplay.INTERNAL_ID,
    NameDisplay.INITIALS,
    NameDisplay.FIRST_NAME,
    NameDisplay.FULL_NAME,
)


@dataclass(frozen=True, slots=True)
class DisplayNumbers:
    """Which of the clients of the same initials, and of the same first name, this is; 1 is not shown."""

    initials: int = 1
    first_name: int = 1


def outside_title(
    kind: AppointmentKind,
    display: NameDisplay,
    *,
    internal_id: str | None,
    name: str | None,
    initials_number: int,
    first_name_number: int,
    title: str | None,
    sends_other_titles: bool,
) -> str:
    """The whole title of an appointment outside: nothing else about it is ever sent as text."""
    if kind is AppointmentKind.OTHER:
        return (one_line(title or "") or BUSY) if sends_other_titles else BUSY
    shown = client_outside(
        display,
        internal_id=internal_id or "",
        name=name or "",
        numbers=DisplayNumbers(initials_number, first_name_number),
    )
    return shown + CONTACT_SUFFIX if kind is AppointmentKind.CONTACT else shown


def client_outside(display: NameDisplay, *, internal_id: str, name: str, numbers: DisplayNumbers) -> str:
    """A client's name as `display` lets it be seen."""
    match display:
        case NameDisplay.INTERNAL_ID:
            return internal_id
        case NameDisplay.INITIALS:
            return numbered(initials(name), numbers.initials)
        case NameDisplay.FIRST_NAME:
            return numbered(first_name(name), numbers.first_name)
        case NameDisplay.FULL_NAME:
            return one_line(name)


def initials(name: str) -> str:
    """First letters of the first and the last word, upper case: `J.S.`; of one word: `J.`."""
    words = _words(name)
    chosen = (words[0], words[-1]) if len(words) > 1 else tuple(words)
    return "".join(f"{_first_letter(word).upper()}." for word in chosen)


def first_name(name: str) -> str:
    """The first word of the name."""
    words = _words(name)
    return words[0] if words else ""


def numbered(text: str, number: int) -> str:
    """`text`, followed by its number from the second client on."""
    return text if number == 1 else f"{text} {number}"


def display_rank(display: NameDisplay) -> int:
    """How much a display gives away: 0 for the internal ID, rising. A lower rank is stricter."""
    return STRICTEST_FIRST.index(display)


def is_stricter(new: NameDisplay, old: NameDisplay) -> bool:
    """Whether going from `old` to `new` takes something back, so that it must go out first."""
    return display_rank(new) < display_rank(old)


def _words(name: str) -> list[str]:
    """The name's words; those made of punctuation alone do not count. Composed, so that `É` is one letter."""
    words = unicodedata.normalize("NFC", name).split()
    return [word for word in words if any(letter.isalnum() for letter in word)] or words


def _first_letter(word: str) -> str:
    return next((letter for letter in word if letter.isalnum()), word[:1])
