"""Pages for people: accounts, a week of events, calendars, the control room. They work without JavaScript."""

from __future__ import annotations

from flask import Blueprint, current_app, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from sandbox.world import World

pages = Blueprint("pages", __name__)


def _world() -> World:
    world: World = current_app.config["WORLD"]
    return world


@pages.get("/")
def accounts() -> str:
    """All accounts, and a form for another."""
    with _world().lock:
        return render_template("accounts.html", accounts=list(_world().accounts.values()))


@pages.post("/accounts")
def add_account() -> AnyResponse:
    """Make an account."""
    world, email = _world(), request.form["email"].strip()
    with world.lock:
        if world.account_by_email(email) is None:
            world.add_account(email, hd=request.form.get("hd") or None)
    return redirect(url_for("pages.accounts"), 303)


@pages.get("/accounts/<email>/calendar")
def week(email: str) -> AnyResponse:
    """The account's week."""
    return redirect(url_for("pages.accounts"), 303)
