"""The doctor's lines: whatever the examination can find has its words, and no words wait for nothing."""

from __future__ import annotations

import dataclasses
from functools import cache

import pytest

from portal.standing import checks
from portal.sync import checkup
from portal.sync.checkup import Level, Line, examine
from portal.sync.duplicates import Kind
from portal.sync.health import tell
from portal.words.buttons import RECONNECT, Button
from portal.words.sync import doctor
from tests.words.codes import calls, strings, tree_of
from tests.words.states import EVERY_CHECKS, NOW, every_facts

RICH = doctor.Told(
    app_calendar="Appointments",
    made="November 18, 2027",
    email="robin@example.org",
    granted="today, 6:08 AM",
    chosen=("Work", "Family"),
    channels=2,
    linked=12,
    behind=3,
    pushed="2 min ago",
    pulled="3 min ago",
    retry="in 4 min",
    next_check="in 5 min",
    old_reader="Outlook",
    old_read="yesterday, 7:26 PM",
    compared="Today, 6:08 AM",
)


@cache
def every_line() -> frozenset[Line]:
    """What the examination finds in every state that there is."""
    found: set[Line] = set()
    for facts in every_facts():
        story = tell(facts, now=NOW)
        is_plain = facts.problem is None and not facts.counts.behind and not facts.failures
        for each in EVERY_CHECKS if is_plain else EVERY_CHECKS[:1]:
            found.update(examine(facts, story, each, now=NOW))
    return frozenset(found)


def codes() -> set[tuple[str, str]]:
    return {(line.id, line.code) for line in every_line()}


def table() -> set[tuple[str, str]]:
    return {(name, code) for name, rows in doctor.LINES.items() for code in rows}


def test_every_line_that_can_be_found_has_its_words() -> None:
    assert codes() - table() == set()


def test_no_words_wait_for_a_line_that_never_comes() -> None:
    assert table() - codes() == set()


def test_the_walk_reaches_every_code_that_the_examination_has_in_its_source() -> None:
    """Else the two tests above would prove less than they say."""
    tree = tree_of(checkup)
    written = set().union(
        *(strings(argument) for call in calls(tree, "Line", "_judge") for argument in call.args)
    )
    reached = {text for pair in codes() for text in pair}
    assert len(written) > 40
    assert written - reached == set()


@pytest.mark.parametrize("told", [doctor.Told(), RICH], ids=["nothing known", "all known"])
def test_each_line_says_something_in_whole_words(told: doctor.Told) -> None:
    for line in every_line():
        said = doctor.line_words(line, told)
        assert said.title and "{" not in said.title + said.sentence
        assert said.sentence == "" or said.sentence.endswith("."), line
        assert (said.sentence == "") == (line.id == "unsent" and not line.ok), line


def test_a_line_that_is_not_fine_comes_with_a_button() -> None:
    lines = {dataclasses.replace(line, number=2) for line in every_line() if not line.ok}
    assert [line for line in lines if doctor.line_words(line, RICH).button is None] == []


def test_every_level_has_its_word() -> None:
    assert set(doctor.STATES) == set(Level)


def test_every_reason_that_is_shown_has_its_words() -> None:
    reasons = strings_of_reason() - {"waiting"}  # those are on their way, and not listed
    assert set(doctor.UNSENT) == reasons


def strings_of_reason() -> set[str]:
    """The outcomes of the query's CASE."""
    compiled = checks._REASON.compile(compile_kwargs={"literal_binds": True})
    return {
        text
        for text in str(compiled).split("'")[1::2]
        if "-" in text or text in ("held", "refused", "waiting")
    }


@pytest.mark.parametrize(
    ("line", "told", "title", "sentence"),
    [
        (Line("mode", Level.GOOD, "two-way"), RICH, "Two-Way is on", "Since November 18, 2027."),
        (
            Line("mode", Level.GOOD, "two-way"),
            doctor.Told(),
            "Two-Way is on",
            "The first sync is under way.",
        ),
        (
            Line("pushed", Level.WARN, "delayed", 3),
            RICH,
            "To Google: delayed",
            "Last pushed 2 min ago, 3 appointments waiting. Next try in 4 min.",
        ),
        (
            Line("pushed", Level.GOOD, "up-to-date"),
            dataclasses.replace(RICH, behind=0),
            "To Google",
            "Last pushed 2 min ago, nothing waiting.",
        ),
        (
            Line("pulled", Level.GOOD, "fresh"),
            RICH,
            "From Google",
            "Last pulled 3 min ago, next check in 5 min.",
        ),
        (
            Line("pulled", Level.WARN, "old"),
            RICH,
            "The last look at Google is long ago",
            "Last pulled 3 min ago.",
        ),
        (
            Line("channel", Level.WARN, "not-alive", 1),
            RICH,
            "Google does not tell us about changes",
            "For 1 calendar. Changes there still show here, at the next look.",
        ),
        (
            Line("guests", Level.WARN, "with-guests", 1),
            RICH,
            "1 appointment has guests in Google",
            "Canceling here takes the event away; guests are not told by us.",
        ),
        (
            Line("old-feed", Level.WARN, "still-read", 1),
            RICH,
            "The old feed is still read",
            "By Outlook, yesterday, 7:26 PM. It gets an empty calendar.",
        ),
    ],
)
def test_a_line_is_told_from_what_is_known(line: Line, told: doctor.Told, title: str, sentence: str) -> None:
    said = doctor.line_words(line, told)
    assert (said.title, said.sentence) == (title, sentence)


def test_what_waits_for_a_person_is_mended_where_that_can_be_done() -> None:
    waits = Line("pulled", Level.BAD, "waits-for-you")
    consent = dataclasses.replace(RICH, needs_consent=True)
    assert doctor.line_words(waits, consent).button == RECONNECT
    assert doctor.line_words(waits, RICH).button == Button("See why", "sync.index")


def test_every_kind_of_duplicate_has_its_sentence() -> None:
    assert set(doctor.DUPLICATES) == set(Kind)
    for kind in Kind:
        said = doctor.found_words(doctor.Found(kind=kind, calendar="Work", first_calendar="Family"))
        assert said.sentence.endswith(".") and "Lockstep " in said.sentence, kind
        assert said.buttons and said.more_dates == ""


FOUND = doctor.Found(kind=Kind.COPY, calendar="Work", appointment=7, link="https://calendar.google.com/e?1")


def test_a_copy_is_told_with_its_place_what_is_kept_and_what_to_do() -> None:
    said = doctor.found_words(dataclasses.replace(FOUND, dates=3))
    assert said.more_dates == ", and 2 more dates"
    assert said.sentence == (
        "A copy of your appointment, in “Work”. Lockstep keeps its own event. Delete the copy in Google."
    )
    assert said.buttons == (
        Button("Open in Google", address="https://calendar.google.com/e?1"),
        Button("Open the appointment", "appointments.show", values={"appointment_id": 7}),
    )


def test_without_an_address_of_the_event_googles_calendar_opens() -> None:
    said = doctor.found_words(dataclasses.replace(FOUND, link=None, appointment=None))
    assert said.buttons == (doctor.OPEN_GOOGLE,)


def test_those_that_have_no_room_are_counted() -> None:
    assert doctor.more_found(4) == "And 4 more. They show here as these go."
