"""What may be seen of a client outside: exactly this, and nothing else."""

from __future__ import annotations

import pytest

from portal.models import AppointmentKind, NameDisplay
from portal.practice.disclosure import (
    DisplayNumbers,
    client_outside,
    display_rank,
    initials,
    is_stricter,
    outside_title,
)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Jane Smith", "J.S."),
        ("jane smith", "J.S."),
        ("Jane Ann Mary Smith", "J.S."),
        ("Cher", "C."),
        ("  Jane   Smith  ", "J.S."),
        ("Jane (JJ) Smith", "J.S."),
        ("“Bo” Derek", "B.D."),
        ("E\u0301lodie Or", "É.O."),
        ("Jane -", "J."),
        ("李 小龙", "李.小."),
    ],
)
def test_initials_are_the_first_letters_of_the_first_and_the_last_word(name: str, expected: str) -> None:
    assert initials(name) == expected


@pytest.mark.parametrize(
    ("display", "numbers", "expected"),
    [
        (NameDisplay.INTERNAL_ID, DisplayNumbers(3, 3), "1042"),
        (NameDisplay.INITIALS, DisplayNumbers(), "J.S."),
        (NameDisplay.INITIALS, DisplayNumbers(2, 1), "J.S. 2"),
        (NameDisplay.FIRST_NAME, DisplayNumbers(2, 3), "Jane 3"),
        (NameDisplay.FULL_NAME, DisplayNumbers(2, 3), "Jane Smith"),
    ],
)
def test_a_client_appears_as_the_display_says(
    display: NameDisplay, numbers: DisplayNumbers, expected: str
) -> None:
    assert client_outside(display, internal_id="1042", name="Jane Smith", numbers=numbers) == expected


def title(
    kind: AppointmentKind, *, words: str | None = None, sends: bool = False, name: str = "Jane Smith"
) -> str:
    return outside_title(
        kind,
        NameDisplay.FULL_NAME,
        internal_id="1042",
        name=name,
        initials_number=1,
        first_name_number=1,
        title=words,
        sends_other_titles=sends,
    )


def test_a_session_is_called_by_the_client_alone() -> None:
    assert title(AppointmentKind.SESSION, words="never this") == "Jane Smith"


def test_a_contact_says_that_it_is_one() -> None:
    assert title(AppointmentKind.CONTACT) == "Jane Smith (contact)"


def test_another_event_is_busy_unless_its_title_may_be_sent() -> None:
    assert title(AppointmentKind.OTHER, words="Lunch") == "Busy"
    assert title(AppointmentKind.OTHER, words="Lunch", sends=True) == "Lunch"
    assert title(AppointmentKind.OTHER, words="  ", sends=True) == "Busy"


def test_a_title_is_one_line_whatever_was_typed() -> None:
    assert (
        title(AppointmentKind.OTHER, words="Lunch\r\nwith\x00 a\tfriend", sends=True) == "Lunch with a friend"
    )
    assert title(AppointmentKind.SESSION, name="Jane\nSmith") == "Jane Smith"


def test_strictness_falls_from_internal_id_to_full_name() -> None:
    assert [display_rank(display) for display in NameDisplay] == [0, 1, 2, 3]
    assert is_stricter(NameDisplay.INITIALS, NameDisplay.FULL_NAME)
    assert not is_stricter(NameDisplay.FULL_NAME, NameDisplay.FULL_NAME)
