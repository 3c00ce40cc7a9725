"""Drawn rules, as the portal follows them and as expanders do that share no code with it.

How many are asked for are really compared: each test counts them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from tests.sync.drawn_rules import (
    BOTH,
    LEFT_OUT,
    MOST,
    Drawn,
    Expanders,
    by_the_sandbox,
    is_left_out,
    ours,
    picks_by_position,
    rules,
)


@pytest.fixture(scope="module")
def others() -> Iterator[Expanders]:
    with Expanders() as expanders:
        yield expanders


def compare(which: st.SearchStrategy[Drawn], number: int, judge: Callable[[Drawn], None]) -> None:
    """Judge at least so many rules."""
    judged = 0

    @settings(max_examples=number, deadline=None, suppress_health_check=list(HealthCheck))
    @given(which)
    def each(drawn: Drawn) -> None:
        nonlocal judged
        judge(drawn)
        judged += 1

    each()
    assert judged >= number


def with_its_start(starts: list[str], drawn: Drawn) -> list[str]:
    """The first date is one of the series whatever its rule says (facts §7)."""
    return sorted({*starts, drawn.start})[:MOST]


def agree_with_both(others: Expanders) -> Callable[[Drawn], None]:
    def judge(drawn: Drawn) -> None:
        moved, answers = others.ask(drawn, *BOTH)
        assume(not is_left_out(moved))  # what a rule doesn't say, its start does
        expected = {name: with_its_start(starts, moved) for name, starts in answers.items()}
        assert expected == dict.fromkeys(BOTH, ours(moved)), moved.rule

    return judge


WHOLE = rules().filter(lambda drawn: not is_left_out(drawn))
BY_POSITION = rules(with_positions=True).filter(lambda drawn: kinds(drawn) == [picks_by_position])


def kinds(drawn: Drawn) -> list[Callable[[Drawn], bool]]:
    return [kind for kind in LEFT_OUT if kind(drawn)]


def test_drawn_rules_have_the_dates_that_two_other_expanders_give(others: Expanders) -> None:
    """Failures 56 and 57: 300 rules of every part of RFC 5545 §3.3.10."""
    compare(WHOLE, 300, agree_with_both(others))


@pytest.mark.long
def test_five_thousand_drawn_rules_have_the_dates_that_two_other_expanders_give(others: Expanders) -> None:
    compare(WHOLE, 5_000, agree_with_both(others))


def test_positions_are_those_of_the_one_expander_that_counts_them(others: Expanders) -> None:
    """Failure 57: ical.js takes no notice of BYSETPOS but in months."""

    def judge(drawn: Drawn) -> None:
        moved, answers = others.ask(drawn, "rrule-temporal")
        assert ours(moved) == with_its_start(answers["rrule-temporal"], moved), moved.rule

    compare(BY_POSITION, 50, judge)


def test_drawn_rules_of_any_kind_have_the_dates_that_the_sandbox_gives() -> None:
    """Failures 56, 57 and 58: the sandbox tries each day and time, and is left nothing out."""

    def judge(drawn: Drawn) -> None:
        assert ours(drawn) == with_its_start(by_the_sandbox(drawn), drawn), drawn.rule

    compare(rules(), 150, judge)


def test_no_more_than_five_kinds_are_left_out() -> None:
    assert len(LEFT_OUT) <= 5
