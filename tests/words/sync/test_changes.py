"""Cards: every kind, reason, answer and outcome of the portal has its words, and no words are unused."""

from __future__ import annotations

import ast
import dataclasses
import itertools
from collections.abc import Iterator

import pytest

from portal.connection import answers, cards
from portal.engine import own_events, push, strays, tear_down
from portal.models import CardKind
from portal.sync import inbound
from portal.words.sync import changes
from portal.words.sync.changes import Case, Told
from tests.words.codes import calls, passed, results, returned, strings, tree_of

SINGLE = [kind for kind in CardKind if kind is not CardKind.GROUPED]


def every_told() -> Iterator[Told]:
    """Everything that a card about one appointment is told from, in every combination."""
    for kind, reason, needs, over, resized, calendar, choices, number in itertools.product(
        SINGLE,
        ("", "restored-in-google"),
        (True, False),
        (True, False),
        (True, False),
        ("", "Work"),
        (("cancel", "put-back"), ("completed", "no-show", "cancel")),
        (0, 1),
    ):
        yield Told(
            kind=kind,
            reason=reason,
            needs_answer=needs,
            is_taken_over=over,
            is_resized=resized,
            calendar=calendar,
            choices=choices,
            number=number,
            status="no-show",
        )


def reasons() -> set[str]:
    """Of questions about many, as cards.py asks them."""
    tree = tree_of(cards)
    asked = {text for call in calls(tree, "_ask") for text in results(call.args[1])}
    stored = {
        text
        for node in ast.walk(tree)
        if isinstance(node, ast.Dict)
        for key, value in zip(node.keys, node.values, strict=True)
        if isinstance(key, ast.Constant) and key.value == "reason"
        for text in results(value)
    }
    return asked | stored


def choices() -> set[str]:
    return returned(answers.choices) | {each for group in answers.GROUPED_CHOICES.values() for each in group}


def outcomes() -> set[str]:
    """How a card can end: by an answer, or by what happened meanwhile."""
    modules = [tree_of(module) for module in (cards, tear_down, own_events, strays, push)]
    ended = set().union(*(passed(tree, "outcome") for tree in modules))
    return ended | choices() | set().union(*map(assigned_outcomes, modules))


def assigned_outcomes(tree: ast.Module) -> set[str]:
    """`card.closed_at, card.outcome = now, "grouped"`."""
    return {
        text
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and any("outcome" in ast.unparse(target) for target in node.targets)
        for text in strings(node.value)
    }


def test_every_reason_to_ask_about_many_has_its_words_and_none_is_unused() -> None:
    assert set(changes.OF_MANY) == reasons() == set(answers.GROUPED_CHOICES)


def test_every_case_of_one_appointment_has_its_words_and_comes() -> None:
    assert {changes.case_of(told) for told in every_told()} == set(changes.OF_ONE) == set(Case)


def test_every_answer_has_a_label_and_no_label_is_unused() -> None:
    labelled = set(changes.ANSWERS) | {choice for _, choice in changes.ANSWERS_OF_MANY}
    assert labelled == choices()
    assert {(reason, choice) for reason, choice in changes.ANSWERS_OF_MANY} == {
        (reason, choice)
        for reason, group in answers.GROUPED_CHOICES.items()
        for choice in group
        if choice == "delete" or (choice == "keep" and "delete" in group)
    }


def test_every_outcome_has_its_words_and_none_is_unused() -> None:
    assert len(outcomes()) > 10
    assert set(changes.OUTCOMES) == outcomes()


def test_no_card_shows_a_gap_and_each_names_the_appointment_once() -> None:
    for told in every_told():
        said = changes.card_words(told)
        text = f"{said.heading.before}{said.heading.after}{said.story}"
        assert "{" not in text and said.story.endswith((".", "?"))
        assert said.heading.is_named is bool(told.number)


@pytest.mark.parametrize("reason", sorted(changes.OF_MANY))
def test_a_card_about_many_has_a_heading_a_story_and_named_answers(reason: str) -> None:
    told = Told(
        kind=CardKind.GROUPED,
        reason=reason,
        number=7,
        calendar="Work",
        choices=answers.GROUPED_CHOICES[reason],
    )
    said = changes.card_words(told)
    assert said.heading.before and not said.heading.is_named and "{" not in said.heading.before
    labels = [label for _, label in said.answers]
    assert len(set(labels)) == 2


def test_what_holds_for_all_says_of_how_many() -> None:
    told = Told(kind=CardKind.GROUPED, reason="many-deleted", number=7, choices=("put-back", "cancel"))
    labels = [label for _, label in changes.card_words(told).answers]
    assert labels == ["Put it back, all 7", "Cancel appointment, all 7"]


def test_keep_says_whose_time_is_kept() -> None:
    kept = Told(kind=CardKind.MOVED, choices=("keep",))
    followed = dataclasses.replace(kept, is_taken_over=True)
    assert changes.answer("keep", kept) == "Keep mine"
    assert changes.answer("keep", followed) == "Keep Google’s time"


def test_a_name_of_a_calendar_may_hold_anything() -> None:
    told = Told(kind=CardKind.GROUPED, reason="calendar-empty", calendar="{status} {0}")
    assert changes.card_words(told).heading.before == "The calendar “{status} {0}” came back empty"


def test_a_card_of_another_version_is_told_all_the_same() -> None:
    assert (
        changes.card_words(Told(kind=CardKind.GROUPED, reason="older")).heading.before
        == "Many changes at once"
    )
    assert changes.outcome("older") == changes.outcome(None) == "Settled"


def test_the_page_says_whether_anything_waits() -> None:
    assert changes.lead(is_waiting=True).endswith("The ones below need your word first.")
    assert changes.lead(is_waiting=False).endswith("Nothing waits for your word.")
    assert changes.nothing(is_connected=True) != changes.nothing(is_connected=False)
    assert (changes.chip(1), changes.chip(2)) == ("1 change from Google", "2 changes from Google")


def test_every_reason_not_to_follow_has_its_sentence_and_none_is_unused() -> None:
    assert set(changes.WHY_KEPT) == inbound.WHY_KEPT
    for code, sentence in changes.WHY_KEPT.items():
        told = Told(kind=CardKind.MOVED, why=code, status="no-show")
        assert changes.card_words(told).story == sentence.format(status="no-show")
    assert changes.card_words(Told(kind=CardKind.EDITED, why="older")).story == changes.WRITTEN_BACK
