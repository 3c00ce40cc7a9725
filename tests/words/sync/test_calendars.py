"""Calendars that cannot be chosen: every reason has its words and its remedy, and no words are unused."""

from __future__ import annotations

import pytest

from portal.connection import choosing
from portal.views.help.questions import BY_SLUG
from portal.words.sync import calendars
from portal.words.sync.calendars import CLOSED, closed
from tests.words.codes import calls, passed, returned, strings, tree_of


def reasons() -> set[str]:
    """Those of the role and the id, and those that a look at the calendar finds."""
    tree = tree_of(choosing)
    found = {
        text for call in calls(tree, "Offer") for argument in call.args[1:] for text in strings(argument)
    }
    kept = passed(tree, "why_not", "values")
    return returned(choosing.why_not) | set(choosing.NEVER_OWNED.values()) | found | kept


def test_every_reason_has_its_words_and_no_words_are_unused() -> None:
    assert len(reasons()) > 5
    assert set(CLOSED) == reasons()


@pytest.mark.parametrize("code", sorted(CLOSED))
def test_each_says_why_and_what_to_do(code: str) -> None:
    said = closed(code)
    assert said.why.endswith(".") and said.remedy.endswith(".")
    assert said.guide is None or said.guide.name("Work").endswith("Work")


def test_a_guide_is_called_after_the_calendar_it_helps_with() -> None:
    holidays, feed = closed("holidays").guide, closed("own-feed").guide
    assert holidays and holidays.name("Holidays in Texas") == "Office hours, instead of Holidays in Texas"
    assert feed and feed.name("{calendar}") == "Show me how, for {calendar}"


def test_a_reason_of_another_version_is_told_all_the_same() -> None:
    assert closed("older").why == closed(None).why == "It is not yours."


def test_every_guide_to_time_booked_elsewhere_is_a_page_of_the_help() -> None:
    assert {slug for slug, _ in calendars.ELSEWHERE} <= set(BY_SLUG)
