"""Drawn rules, as the portal follows them and as expanders do that share no code with it.

How many are asked for are really compared: each test counts them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from tests.sync.drawn_rules import (
    LEFT_OUT,
    MOST,
    Ask,
    Drawn,
    by_the_sandbox,
    independent_expanders,
    is_left_out,
    ours,
    picks_by_position,
    rules,
)


@pytest.fixture(scope="module")
def ask() -> Iterator[Ask]:
    with independent_expanders() as asked:
        yield asked


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


def agrees_with_both(ask: Ask) -> Callable[[Drawn], None]:
    def judge(drawn: Drawn) -> None:
        answer = ask(drawn)
        moved = replace(drawn, start=answer["start"])
        if is_left_out(moved):  # a year's day of the month is its start's
            return
        expected = {name: with_its_start(answer[name], moved) for name in ("ical.js", "rrule-temporal")}
        assert expected == dict.fromkeys(expected, ours(moved)), moved.rule

    return judge


WHOLE = rules().filter(lambda drawn: not is_left_out(drawn))
BY_POSITION = rules(with_positions=True).filter(lambda drawn: kinds(drawn) == [picks_by_position])


def kinds(drawn: Drawn) -> list[Callable[[Drawn], bool]]:
    return [kind for kind in LEFT_OUT if kind(drawn)]


def test_drawn_rules_have_the_dates_that_two_other_expanders_give(ask: Ask) -> None:
    """Failures 56 and 57: 300 rules of every part of RFC 5545 §3.3.10."""
    compare(WHOLE, 300, agrees_with_both(ask))


@pytest.mark.long
def test_five_thousand_drawn_rules_have_the_dates_that_two_other_expanders_give(ask: Ask) -> None:
    compare(WHOLE, 5_000, agrees_with_both(ask))


def test_positions_are_those_of_the_one_expander_that_counts_them(ask: Ask) -> None:
    """Failure 57: ical.js takes no notice of BYSETPOS but in months."""

    def judge(drawn: Drawn) -> None:
        answer = ask(drawn)
        moved = replace(drawn, start=answer["start"])
        assume(isinstance(answer["rrule-temporal"], list))  # it gives up one that never matches
        assert ours(moved) == with_its_start(answer["rrule-temporal"], moved), moved.rule

    compare(BY_POSITION, 50, judge)


def test_drawn_rules_of_any_kind_have_the_dates_that_the_sandbox_gives() -> None:
    """Failures 56, 57 and 58: the sandbox tries each day and time, and is left nothing out."""

    def judge(drawn: Drawn) -> None:
        assert ours(drawn) == with_its_start(by_the_sandbox(drawn), drawn), drawn.rule

    compare(rules(), 150, judge)


def test_no_more_than_five_kinds_are_left_out() -> None:
    assert len(LEFT_OUT) <= 5
