"""Every transition between the modes, with its effects."""

from __future__ import annotations

from itertools import product

import pytest

from portal.sync.modes import (
    Effect,
    Goal,
    Link,
    Mode,
    Transition,
    begin_first_sync,
    choose_mode,
    close_down,
    finish_removal,
    start_over,
)

OFF, ONE, TWO = Mode.OFF, Mode.ONE_WAY, Mode.TWO_WAY
NEW, EMPTY, WIZARD, DROP = Effect.NEW_FEED, Effect.EMPTY_FEED, Effect.OPEN_WIZARD, Effect.DROP_GRANT
TEAR, SYNC = Effect.TEAR_DOWN, Effect.REQUEST_SYNC

CHOICES = {
    (OFF, Link.NONE, OFF): Transition(OFF),
    (OFF, Link.NONE, ONE): Transition(ONE, (NEW,)),
    (OFF, Link.NONE, TWO): Transition(OFF, (WIZARD,)),
    (ONE, Link.NONE, OFF): Transition(OFF, (EMPTY,)),
    (ONE, Link.NONE, ONE): Transition(ONE),
    (ONE, Link.NONE, TWO): Transition(ONE, (WIZARD,)),
    (TWO, Link.NONE, OFF): Transition(OFF),
    (TWO, Link.NONE, ONE): Transition(ONE, (NEW,)),
    (TWO, Link.NONE, TWO): Transition(TWO, (WIZARD,)),
    (OFF, Link.OFFERED, OFF): Transition(OFF, (DROP,), goal=Goal.KEEP),
    (OFF, Link.OFFERED, ONE): Transition(ONE, (NEW, DROP), goal=Goal.KEEP),
    (OFF, Link.OFFERED, TWO): Transition(OFF, (WIZARD,)),
    (ONE, Link.OFFERED, OFF): Transition(OFF, (EMPTY, DROP), goal=Goal.KEEP),
    (ONE, Link.OFFERED, ONE): Transition(ONE, (DROP,), goal=Goal.KEEP),
    (ONE, Link.OFFERED, TWO): Transition(ONE, (WIZARD,)),
    (TWO, Link.RUNNING, OFF): Transition(TWO, (TEAR,), goal=Goal.OFF),
    (TWO, Link.RUNNING, ONE): Transition(TWO, (TEAR,), goal=Goal.ONE_WAY),
    (TWO, Link.RUNNING, TWO): Transition(TWO),
}


@pytest.mark.parametrize(("situation", "expected"), CHOICES.items())
def test_choosing_a_mode_does_exactly_this(situation: tuple[Mode, Link, Mode], expected: Transition) -> None:
    assert choose_mode(*situation) == expected


@pytest.mark.parametrize(("mode", "wanted"), list(product(Mode, Mode)))
def test_nothing_is_chosen_while_something_is_still_being_removed(mode: Mode, wanted: Mode) -> None:
    assert choose_mode(mode, Link.REMOVING, wanted) == Transition(mode, refusal="still-removing")


@pytest.mark.parametrize(("mode", "link", "wanted"), list(product(Mode, Link, Mode)))
def test_two_modes_are_never_on_at_once(mode: Mode, link: Link, wanted: Mode) -> None:
    """A feed begins only when two-way is over, and two-way never begins by choosing it."""
    transition = choose_mode(mode, link, wanted)
    assert not (NEW in transition.effects and link is Link.RUNNING)
    assert transition.mode is not TWO or mode is TWO
    assert (transition.goal is not None) == bool({TEAR, DROP} & set(transition.effects))


def test_the_first_sync_changes_the_mode_and_empties_the_feed() -> None:
    assert begin_first_sync(OFF, Link.OFFERED) == Transition(TWO, (SYNC,))
    assert begin_first_sync(ONE, Link.OFFERED) == Transition(TWO, (EMPTY, SYNC))


@pytest.mark.parametrize("link", [Link.NONE, Link.RUNNING, Link.REMOVING])
def test_the_first_sync_begins_only_from_the_wizard(link: Link) -> None:
    assert begin_first_sync(OFF, link) == Transition(OFF, refusal="not-offered")


@pytest.mark.parametrize(
    ("mode", "link", "expected"),
    [
        (TWO, Link.RUNNING, Transition(TWO, (TEAR,), goal=Goal.START_OVER)),
        (TWO, Link.REMOVING, Transition(TWO, refusal="still-removing")),
        (ONE, Link.OFFERED, Transition(ONE, (DROP,), goal=Goal.KEEP)),
        (OFF, Link.NONE, Transition(OFF, (WIZARD,))),
    ],
)
def test_starting_over_clears_what_there_is(mode: Mode, link: Link, expected: Transition) -> None:
    assert start_over(mode, link) == expected


@pytest.mark.parametrize(
    ("mode", "goal", "expected"),
    [
        (TWO, Goal.OFF, Transition(OFF)),
        (TWO, Goal.ONE_WAY, Transition(ONE, (NEW,))),
        (TWO, Goal.START_OVER, Transition(OFF, (WIZARD,))),
        (ONE, Goal.KEEP, Transition(ONE)),
        (OFF, Goal.KEEP, Transition(OFF)),
    ],
)
def test_a_tear_down_arrives_at_its_goal(mode: Mode, goal: Goal, expected: Transition) -> None:
    assert finish_removal(mode, goal) == expected


@pytest.mark.parametrize(
    ("mode", "link", "expected"),
    [
        (OFF, Link.NONE, Transition(OFF)),
        (ONE, Link.NONE, Transition(OFF, (EMPTY,))),
        (OFF, Link.OFFERED, Transition(OFF, (DROP,), goal=Goal.OFF)),
        (ONE, Link.OFFERED, Transition(OFF, (EMPTY, DROP), goal=Goal.OFF)),
        (TWO, Link.RUNNING, Transition(TWO, (TEAR,), goal=Goal.OFF)),
        (TWO, Link.REMOVING, Transition(TWO, (TEAR,), goal=Goal.OFF)),
        (ONE, Link.REMOVING, Transition(OFF, (EMPTY, TEAR), goal=Goal.OFF)),
        (OFF, Link.REMOVING, Transition(OFF, (TEAR,), goal=Goal.OFF)),
    ],
)
def test_a_closed_account_leads_to_off_from_everywhere(mode: Mode, link: Link, expected: Transition) -> None:
    """Failure 72: whatever was under way, and wherever it was to lead."""
    assert close_down(mode, link) == expected
