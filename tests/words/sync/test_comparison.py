"""A comparison: every verdict that it can give has its words, and each outcome says what to do."""

from __future__ import annotations

import ast

import pytest

from portal.standing import compare, compare_imported, compare_own, full_check, stretch
from portal.sync import shown
from portal.words.buttons import ANSWER, CHOOSE_AGAIN, Button
from portal.words.sync import comparison
from tests.words.codes import passed, returned, strings, tree_of


def verdicts() -> set[str]:
    judged = returned(compare_own._judge_appointment) | returned(compare_imported._verdict)
    made = passed(tree_of(compare, compare_own, compare_imported), "verdict", "Item")
    stored = {
        text
        for node in ast.walk(tree_of(full_check))
        if isinstance(node, ast.Dict)
        for key, value in zip(node.keys, node.values, strict=True)
        if isinstance(key, ast.Constant) and key.value == "verdict"
        for text in strings(value)
    }
    return judged | made | shown.REASONS | stored


def test_every_verdict_has_its_words_and_no_words_are_unused() -> None:
    assert len(verdicts()) > 15
    assert set(comparison.VERDICTS) == verdicts()
    assert set(comparison.VERDICTS) >= stretch.FINE


def test_a_verdict_of_another_version_is_told_as_it_is() -> None:
    assert comparison.verdict("older") == "older"


def progress(**given: object) -> comparison.Progress:
    facts: dict = {"is_overdue": False, "is_begun": True, "done": 1, "total": 3, "entries": 1}
    return comparison.progress(**{**facts, "asked": "today, 6:08 AM", **given})


def test_progress_is_told_in_calendars_and_entries() -> None:
    said = progress()
    assert said.headline == "Comparing with Google"
    assert said.counted == "1 of 3 calendars"
    assert said.sentence == (
        "1 of 3 calendars, 1 entry so far. You can close this page; the result stays here."
    )
    assert progress(total=1, entries=20).sentence.startswith("1 of 1 calendar, 20 entries so far.")


@pytest.mark.parametrize(
    ("is_begun", "total", "headline"),
    [(False, 0, "The check begins in a moment"), (True, 0, "Comparing with Google")],
)
def test_before_anything_is_counted_it_is_said_what_is_done(
    is_begun: bool, total: int, headline: str
) -> None:
    said = progress(is_begun=is_begun, total=total)
    assert (said.headline, said.counted) == (headline, "")
    assert said.sentence.startswith("Every event of the calendars in step is read")


def test_a_check_that_nobody_works_on_names_whom_to_tell() -> None:
    assert progress(is_overdue=True).sentence.startswith(
        "Asked for today, 6:08 AM, 1 of 3 calendars so far. The portal’s background worker"
    )
    assert progress(is_overdue=True, is_begun=False).sentence.startswith("Asked for today, 6:08 AM. The")


def test_each_outcome_says_what_to_do() -> None:
    assert comparison.outcome(error="given-up", number=0, ago="just now").heading == "The check was given up"
    assert (
        comparison.outcome(error="CalendarUnavailable", number=0, ago="just now").code
        == "CalendarUnavailable"
    )
    assert comparison.outcome(error=None, number=1, ago="just now").found == "1 difference"
    good = comparison.outcome(error=None, number=0, ago="just now")
    assert good.is_good and good.sentence == "Compared with Google just now: everything is in step."


def test_the_check_that_is_given_up_is_called_so_where_it_is_given_up() -> None:
    assert "given-up" in strings(tree_of(full_check))


def test_the_doctors_first_sentence_counts() -> None:
    assert comparison.at_a_glance(9, 1, compared="2 h ago") == (
        "1 thing to look at, 8 in order. Compared live 2 h ago."
    )
    assert comparison.at_a_glance(9, 0, compared="") == "9 in order. Looked at just now."


def test_the_page_of_the_sync_says_when_both_sides_were_compared() -> None:
    good = comparison.last_compared(error=None, moment="today, 6:08 AM", ago="2 h ago")
    bad = comparison.last_compared(error="x", moment="today, 6:08 AM", ago="2 h ago")
    assert good.startswith("Last compared today, 6:08 AM. Read-only")
    assert bad.startswith("Google could not be read 2 h ago. Read-only")


@pytest.mark.parametrize(
    ("total", "different", "words"),
    [(3, 1, "1 of 3 differ"), (3, 0, "3 in step"), (0, 0, "nothing on either side")],
)
def test_a_day_of_the_strip_is_told(total: int, different: int, words: str) -> None:
    assert comparison.of_day(total, different) == words


def test_a_difference_leads_to_what_settles_it() -> None:
    def leads(code: str, appointment: int | None = None) -> Button:
        return comparison.difference_button(code, appointment=appointment, calendar=2, day="2027-11-18")

    assert leads("asked", 7) == ANSWER
    assert leads("unreadable") == CHOOSE_AGAIN
    assert leads("differs", 7).endpoint == "appointments.show"
    assert leads("not-here").values == {"calendar": 2, "day": "2027-11-18"}


def test_an_entry_leads_to_the_appointment_or_to_google_or_nowhere() -> None:
    assert comparison.entry_button("asked", appointment=7, link=None) == ANSWER
    opened = comparison.entry_button("in-step", appointment=7, link="https://example.org/x")
    assert opened and opened.endpoint == "appointments.show"
    google = comparison.entry_button("shown", appointment=None, link="https://example.org/x")
    assert google and google.address == "https://example.org/x"
    assert comparison.entry_button("only-here", appointment=None, link=None) is None
