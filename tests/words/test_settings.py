"""The settings' words: how a mail stands, and what a change of the time zone asks."""

from __future__ import annotations

from typing import Any

import pytest

from portal.words import settings

KEPT: dict[str, Any] = {
    "sent": "",
    "written": "today, 6:08 AM",
    "error": None,
    "tries": 0,
    "has_server": True,
}


@pytest.mark.parametrize(
    ("state", "told"),
    [
        ({"sent": "today, 6:09 AM", "error": "550"}, ("good", "Sent today, 6:09 AM")),
        ({"error": "550", "tries": 1}, ("warn", "Not sent yet, tried 1 time (code 550)")),
        ({"error": "550", "tries": 2}, ("warn", "Not sent yet, tried 2 times (code 550)")),
        ({}, ("quiet", "About to be sent")),
        ({"has_server": False}, ("quiet", "Not sent, written today, 6:08 AM")),
    ],
)
def test_every_state_of_a_mail_has_its_sentence(state: dict[str, Any], told: tuple[str, str]) -> None:
    assert settings.mail(**{**KEPT, **state}) == told


@pytest.mark.parametrize(
    ("hours", "words"),
    [
        (0, "That is the same moment."),
        (1, "Everybody else sees it begin 1 hour later."),
        (-2, "Everybody else sees it begin 2 hours earlier."),
        (5.5, "Everybody else sees it begin 5.5 hours later."),
    ],
)
def test_kept_clock_times_say_what_others_see(hours: float, words: str) -> None:
    told = settings.clock_times_kept("Thu, Nov 19", "9:00 AM", "Denver", hours_apart=hours)
    assert told == f"Thu, Nov 19, 9:00 AM stays 9:00 AM, in Denver time. {words}"


@pytest.mark.parametrize(
    ("new_date", "becomes"), [("Thu, Nov 19", "11:30 PM"), ("Wed, Nov 18", "Wed, Nov 18, 11:30 PM")]
)
def test_kept_moments_name_the_date_when_it_is_another(new_date: str, becomes: str) -> None:
    told = settings.moments_kept("Thu, Nov 19", "1:30 AM", new_date=new_date, new_time="11:30 PM")
    assert told == f"Thu, Nov 19, 1:30 AM becomes {becomes}. For everybody else nothing moves."


@pytest.mark.parametrize(
    ("number", "asked", "overlapping"),
    [
        (1, "What does the one appointment that lies ahead keep?", "1 appointment overlaps an event"),
        (4, "What do the 4 appointments that lie ahead keep?", "4 appointments overlap events"),
    ],
)
def test_one_and_many_are_told_apart(number: int, asked: str, overlapping: str) -> None:
    assert settings.what_to_keep(number) == asked
    assert settings.in_the_way(number) == overlapping
