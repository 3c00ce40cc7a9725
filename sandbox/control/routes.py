"""The control API: what tests and the demo need and Google does not offer. JSON, no sign-in, loopback only.

Documented with examples in README.md. Here every call is guarded, and the sandbox begins anew.
"""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

from sandbox.control.accounts import accounts
from sandbox.control.asking import asked_from_this_machine, json_body
from sandbox.control.events import events
from sandbox.control.grants import grants
from sandbox.control.trouble import trouble
from sandbox.ground.errors import GoogleError
from sandbox.people.seed import plant
from sandbox.state.here import world_here

control = Blueprint("control", __name__, url_prefix="/control")
for part in (accounts, events, trouble, grants):
    control.register_blueprint(part)


@control.before_request
def loopback_only() -> tuple[Response, int] | None:
    """Nobody else than this machine."""
    if not asked_from_this_machine():
        return jsonify(error="the control API answers loopback only"), 403
    return None


@control.errorhandler(GoogleError)
def refused(refusal: GoogleError) -> tuple[Response, int]:
    """Google's own refusals keep their envelope."""
    return jsonify(refusal.body()), refusal.status


@control.errorhandler(ValueError)
@control.errorhandler(TypeError)
@control.errorhandler(KeyError)
def bad_input(problem: Exception) -> tuple[Response, int]:
    """A missing field, an unknown name or a wrong type in a control call."""
    return jsonify(error=f"{type(problem).__name__}: {problem}"), 400


@control.get("/health")
def health() -> Response:
    """Answers as soon as the sandbox serves."""
    return jsonify(ok=True)


@control.post("/reset")
def reset() -> Response:
    """Forget everything; plant a seed if one is named."""
    world = world_here()
    with world.lock:
        world.forget()
        world.switches.reset()
        world.clock.offset *= 0
        if seed := json_body().get("seed"):
            plant(world, seed)
        return jsonify(accounts=[account.email for account in world.accounts.values()])
