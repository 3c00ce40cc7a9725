"""Where to go once something is done: back to where the person was, if that is one of our own pages."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import redirect, request
from flask.typing import ResponseReturnValue


def own_path(target: str) -> str | None:
    """`target` if it is a path of this portal, otherwise None."""
    is_ours = target.startswith("/") and not target.startswith(("//", "/\\")) and not urlsplit(target).netloc
    return target if is_ours and target.isprintable() else None


def go_back(usual: str) -> ResponseReturnValue:
    """To the page that the form names in `back`, or to the usual one."""
    return redirect(way_back(usual), 303)


def way_back(usual: str) -> str:
    """The address of the page that the form names in `back`, or the usual one."""
    return own_path(request.form.get("back", "")) or usual
