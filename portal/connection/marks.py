"""How a calendar of ours says so: the mark that ends its description in Google."""

from __future__ import annotations

import re
from dataclasses import dataclass

SHOWN_LENGTH = 4
_MARK = re.compile(r"\blockstep:(?:([0-9a-f]{32})/)?([0-9a-f]{32})\b")


@dataclass(frozen=True, slots=True)
class Mark:
    """Who made a calendar: `nonce` is the connection's. Without an installation: made before it was told."""

    nonce: str
    installation: str | None = None

    def __str__(self) -> str:
        """As it stands in the description; the nonce comes last, for people to tell calendars by."""
        return f"lockstep:{self.installation}/{self.nonce}" if self.installation else f"lockstep:{self.nonce}"


def read_mark(description: str) -> Mark | None:
    """The mark of a calendar of ours, or None."""
    found = _MARK.search(description)
    return Mark(nonce=found[2], installation=found[1]) if found else None


def end_of(nonce: str | None) -> str:
    """How the description ends, to tell a calendar from another of the same name; "" if unknown."""
    return (nonce or "")[-SHOWN_LENGTH:]
