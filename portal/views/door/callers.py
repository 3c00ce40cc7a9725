"""Who may call an address. Each route says it itself; one that says nothing stops the start."""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import TypeVar

from flask.sansio.app import App

View = TypeVar("View", bound=Callable[..., object])

_MARK = "_may_be_called_by"


class Caller(enum.StrEnum):
    """Whom the door lets through. What they may see of each other, the view asks of the object."""

    ANYBODY = "anybody"
    MACHINE = "machine"  # a program with a secret, in the address or a header, that the view compares
    SIGNED_IN = "signed-in"
    OWNER = "owner"  # of the practice, signed in


def anybody(view: View) -> View:
    """The page before the sign-in, and what tells nothing about anybody."""
    return _mark(view, Caller.ANYBODY)


def machine(view: View) -> View:
    """A program that holds a secret; the view compares it, and answers others as if nothing were there."""
    return _mark(view, Caller.MACHINE)


def signed_in(view: View) -> View:
    """Whoever is signed in, for what is theirs."""
    return _mark(view, Caller.SIGNED_IN)


def owner(view: View) -> View:
    """The practice's owners; 403 for everybody else."""
    return _mark(view, Caller.OWNER)


def who_may_call(app: App, endpoint: str) -> Caller:
    """As the route says. A view that was added after the start, and says nothing, is for signed-in people."""
    return _said(app, endpoint) or Caller.SIGNED_IN


def check(app: App) -> None:
    """At the start: every route says who may call it. Raises LookupError with those that do not."""
    silent = sorted(endpoint for endpoint in app.view_functions if _said(app, endpoint) is None)
    if silent:
        raise LookupError(f"no decorator of portal/views/door/callers.py on: {', '.join(silent)}")


def _mark(view: View, caller: Caller) -> View:
    setattr(view, _MARK, caller)
    return view


def _said(app: App, endpoint: str) -> Caller | None:
    return getattr(app.view_functions[endpoint], _MARK, None)
