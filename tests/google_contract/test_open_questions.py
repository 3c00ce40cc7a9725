"""Facts that sources disagree about: each is looked at, and either documented reading will do."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.google_contract.questions import QUESTIONS, Question


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.name)
def test_google_is_seen_to_do_what_one_of_the_sources_says(
    question: Question, settle: Callable[[Question], None]
) -> None:
    settle(question)
