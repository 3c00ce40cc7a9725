"""The control room as a page: grants, faults, switches, channels. `routes.py` leads to the same as JSON."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from sandbox.control.asking import asked_from_this_machine
from sandbox.ground.errors import Json
from sandbox.state.here import world_here
from sandbox.state.world import World
from sandbox.trouble.faults import EFFECTS, REFUSALS

control_page = Blueprint("control_page", __name__)


@control_page.before_request
def loopback_only() -> tuple[str, int] | None:
    """As for the JSON."""
    return None if asked_from_this_machine() else ("loopback only\n", 403)


@control_page.get("/control")
def show() -> str:
    """Everything that can be turned and planned."""
    world = world_here()
    with world.lock:
        return render_template(
            "control.html",
            counters=world.log.counters(),
            grants=list(world.grants.grants.values()),
            accounts=world.accounts,
            faults=world.faults.plan,
            kinds=[*REFUSALS, *EFFECTS],
            switches=world.switches.show(),
            channels=list(world.channels.open.values()),
        )


@control_page.post("/control")
def act() -> AnyResponse:
    """Do what the button says."""
    world = world_here()
    deeds: dict[str, Callable[[World], object]] = {
        "reset_requests": lambda world: world.log.clear(),
        "revoke": _revoke,
        "expire_access": lambda world: world.grants.expire_access_tokens(),
        "expire_sync": lambda world: world.expire_sync_tokens(list(world.accounts.values())),
        "add_fault": _add_fault,
        "clear_faults": lambda world: world.faults.clear(),
        "switch": _switch,
    }
    with world.lock:
        deeds[request.form["deed"]](world)
    return redirect(url_for("control_page.show"), 303)


def _revoke(world: World) -> None:
    account = world.account_by_email(request.form["account"])
    for sub, project in list(world.grants.grants):
        if account and sub == account.sub:
            world.grants.revoke(sub, project)


def _add_fault(world: World) -> None:
    form = request.form
    options: Json = {}
    options["times"] = int(form["times"]) if form.get("times") else None
    if form.get("seconds"):
        options["seconds"] = float(form["seconds"])
    world.faults.add(form["kind"], method=form.get("method") or "*", **options)


def _switch(world: World) -> None:
    changes: Json = {}
    for name, value in world.switches.show().items():
        is_flag = isinstance(value, bool)
        changes[name] = name in request.form if is_flag else int(request.form.get(name, value))
    world.switches.change(changes)
