"""What a name or a title may hold, and what counts as the same text when it is looked for. Pure."""

from __future__ import annotations

import unicodedata

# Joiners and soft hyphens (Cf) belong to names and emoji; private and newer characters are somebody's letters
_REFUSED = frozenset({"Cc", "Cs", "Zl", "Zp"})
_LINE_ENDS = frozenset("\t\n\r")  # typed or pasted as spaces, and kept as such
# They turn round the text that stands beside them (https://www.unicode.org/reports/tr36/#Bidirectional_Text_Spoofing)
_TURNS = frozenset(map(chr, (*range(0x202A, 0x202F), *range(0x2066, 0x206A))))
_UNSEEN = frozenset({"Cf", "Zs"})

CONTROL = "There is a control character in it, which nobody can see. Type it again instead of pasting it."
TURN = "There is a sign in it that turns the direction of text. Type it again instead of pasting it."


def problem_of(text: str) -> str | None:
    """Why a text cannot be taken, for the person who typed it; None of one that can."""
    if any(letter in _TURNS for letter in text):
        return TURN
    return CONTROL if any(_is_refused(letter) for letter in text) else None


def is_blank(text: str) -> bool:
    """Whether nothing of it can be seen."""
    return all(letter.isspace() or unicodedata.category(letter) in _UNSEEN for letter in text)


def one_line(text: str) -> str:
    """Single spaces, nothing that `problem_of` refuses: it becomes a title."""
    return " ".join("".join(" " if problem_of(letter) else letter for letter in text).split())


def folded(text: str) -> str:
    """One spelling for what reads the same, whatever its case, Unicode form, joiners and soft hyphens.

    Unicode's compatibility caseless matching (standard, §3.13, D147), composed again so that E is not found
    in É; the same on every database.
    """
    seen = "".join(letter for letter in text if unicodedata.category(letter) != "Cf")
    for _ in range(2):
        seen = unicodedata.normalize("NFKD", seen).casefold()
    return unicodedata.normalize("NFKC", seen)


def _is_refused(letter: str) -> bool:
    return unicodedata.category(letter) in _REFUSED and letter not in _LINE_ENDS
