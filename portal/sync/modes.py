"""Off, One-Way and Two-Way: which change is allowed, what it does. Carried out by connection/switching.py."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Mode(enum.StrEnum):
    """How a provider's calendar leaves the portal; the values are those of the database."""

    OFF = "off"
    ONE_WAY = "one-way"
    TWO_WAY = "two-way"


class Link(enum.StrEnum):
    """How far the connection with Google is, as far as modes care."""

    NONE = "none"
    OFFERED = "offered"  # a grant is there, the wizard is not finished, nothing was made in Google
    RUNNING = "running"  # first sync or active
    REMOVING = "removing"


class Effect(enum.StrEnum):
    """What a transition does, in the order listed."""

    EMPTY_FEED = "empty-feed"  # the old feed URL answers with an empty calendar
    NEW_FEED = "new-feed"  # a feed of a new address
    OPEN_WIZARD = "open-wizard"
    DROP_GRANT = "drop-grant"  # end an unfinished connection: nothing of ours is in Google yet
    TEAR_DOWN = "tear-down"  # take away what was made on both sides, then arrive at the goal
    REQUEST_SYNC = "request-sync"


class Goal(enum.StrEnum):
    """Where a tear-down leads."""

    OFF = "off"
    ONE_WAY = "one-way"
    START_OVER = "start-over"
    KEEP = "keep"  # the wizard was left: the mode stays what it is


@dataclass(frozen=True, slots=True)
class Transition:
    """The mode from now on, what is to be done, a removal's goal. `refusal`: why not, as a code."""

    mode: Mode
    effects: tuple[Effect, ...] = ()
    goal: Goal | None = None
    refusal: str | None = None


def choose_mode(mode: Mode, link: Link, wanted: Mode) -> Transition:
    """The provider picks a mode. Two-Way only opens the wizard; the mode before works on until first sync."""
    if link is Link.REMOVING:
        return Transition(mode, refusal="still-removing")
    if link is Link.RUNNING:
        return _leave_two_way(mode, wanted)
    if wanted is Mode.TWO_WAY:
        return Transition(mode, (Effect.OPEN_WIZARD,))
    feed_effects = _feed_effects(mode, wanted)
    if link is Link.OFFERED:
        return Transition(wanted, (*feed_effects, Effect.DROP_GRANT), goal=Goal.KEEP)
    return Transition(wanted, feed_effects)


def begin_first_sync(mode: Mode, link: Link) -> Transition:
    """The last step of the wizard, and the moment at which the mode changes."""
    if link is not Link.OFFERED:
        return Transition(mode, refusal="not-offered")
    return Transition(Mode.TWO_WAY, (*_feed_effects(mode, Mode.TWO_WAY), Effect.REQUEST_SYNC))


def start_over(mode: Mode, link: Link) -> Transition:
    """Clear everything Two-Way made and open the wizard again."""
    match link:
        case Link.RUNNING:
            return Transition(mode, (Effect.TEAR_DOWN,), goal=Goal.START_OVER)
        case Link.REMOVING:
            return Transition(mode, refusal="still-removing")
        case Link.OFFERED:
            return Transition(mode, (Effect.DROP_GRANT,), goal=Goal.KEEP)
        case Link.NONE:
            return Transition(mode, (Effect.OPEN_WIZARD,))


def close_down(mode: Mode, link: Link) -> Transition:
    """The account is closed: whatever leaves the portal for it ends, and a removal under way leads to off."""
    is_made = link in (Link.RUNNING, Link.REMOVING)
    if is_made and mode is Mode.TWO_WAY:
        return Transition(mode, (Effect.TEAR_DOWN,), goal=Goal.OFF)
    feed_effects = _feed_effects(mode, Mode.OFF)
    if link is Link.NONE:
        return Transition(Mode.OFF, feed_effects)
    last = Effect.TEAR_DOWN if is_made else Effect.DROP_GRANT
    return Transition(Mode.OFF, (*feed_effects, last), goal=Goal.OFF)


def finish_removal(mode: Mode, goal: Goal) -> Transition:
    """The tear-down is complete: the mode it leads to, and what that mode needs."""
    match goal:
        case Goal.OFF:
            return Transition(Mode.OFF)
        case Goal.ONE_WAY:
            return Transition(Mode.ONE_WAY, (Effect.NEW_FEED,))
        case Goal.START_OVER:
            return Transition(Mode.OFF, (Effect.OPEN_WIZARD,))
        case Goal.KEEP:
            return Transition(mode)


def _leave_two_way(mode: Mode, wanted: Mode) -> Transition:
    """The mode stays Two-Way until the tear-down is complete: a feed before that would show all twice."""
    match wanted:
        case Mode.TWO_WAY:
            return Transition(mode)
        case Mode.ONE_WAY:
            return Transition(mode, (Effect.TEAR_DOWN,), goal=Goal.ONE_WAY)
        case Mode.OFF:
            return Transition(mode, (Effect.TEAR_DOWN,), goal=Goal.OFF)


def _feed_effects(mode: Mode, wanted: Mode) -> tuple[Effect, ...]:
    """Leaving One-Way empties the feed; entering it needs a new address, as Google keeps copies."""
    if mode is wanted:
        return ()
    if wanted is Mode.ONE_WAY:
        return (Effect.NEW_FEED,)
    return (Effect.EMPTY_FEED,) if mode is Mode.ONE_WAY else ()
