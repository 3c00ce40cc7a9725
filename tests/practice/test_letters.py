"""What a name may hold, and what is the same text."""

from __future__ import annotations

import unicodedata

import pytest

from portal.practice.letters import CONTROL, TURN, folded, is_blank, one_line, problem_of

JOINED = [
    "Zar\u200crin",
    "\u0d9a\u0dca\u200d\u0dbb",
    "soft\u00adhyphen",
    "👩\u200d👩\u200d👧",
    "🏴\U000e0067\U000e0062\U000e007f",
]
TAKEN = [*JOINED, "O\u2019Neill", "שָׁלוֹם\u200f", "𠮷田", "Ann \U0001fa77", "\ue000"]
CONTROLS = ["A\x00nn", "Ann\x07", "A\x1bnn", "A\x0bnn", "A\x85nn", "A\u2028nn", "A\u2029nn", "A\ud800nn"]
TURNS = ["A\u202enn", "A\u202ann\u202c", "A\u2066nn\u2069"]


@pytest.mark.parametrize("name", TAKEN)
def test_joiners_and_letters_of_every_script_are_taken_and_stay(name: str) -> None:
    assert problem_of(name) is None
    assert one_line(name) == name


@pytest.mark.parametrize("name", CONTROLS)
def test_control_characters_are_refused_with_the_true_reason(name: str) -> None:
    assert problem_of(name) == CONTROL
    assert "nn" in one_line(name)
    assert problem_of(one_line(name)) is None


@pytest.mark.parametrize("name", TURNS)
def test_what_turns_the_text_beside_it_is_refused_with_the_true_reason(name: str) -> None:
    assert problem_of(name) == TURN
    assert problem_of(one_line(name)) is None


def test_line_ends_are_spaces() -> None:
    assert problem_of("Ann\r\n\tLee") is None
    assert one_line("Ann\r\n\tLee") == "Ann Lee"


def test_what_nobody_sees_is_no_name() -> None:
    assert [is_blank(text) for text in ("", " ", "\u200d", "\u00ad \u3000", "a", "\u0301", "👧")] == [
        *(True, True, True, True),
        *(False, False, False),
    ]


@pytest.mark.parametrize("word", ["É", "Łódź", "Яна", "Straße", "ΣΊΣΥΦΟΣ", "İ", "ﬁn", "Ǆ", "한글", "Å"])
def test_case_and_unicode_form_make_no_difference(word: str) -> None:
    spellings = {word, word.lower(), word.upper(), word.casefold()}
    forms = {
        unicodedata.normalize(form, each) for each in spellings for form in ("NFC", "NFD", "NFKC", "NFKD")
    }
    assert len({folded(each) for each in forms}) == 1


def test_a_joiner_makes_no_difference_and_an_accent_does() -> None:
    assert folded("soft\u00adhyphen") == folded("SoftHyphen")
    assert folded("Zar\u200crin") == folded("zarrin")
    assert folded("e") not in folded("É")
