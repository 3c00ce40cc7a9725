"""Control: what came in, what is planned to go wrong, which reading of Google holds, what time it is."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, jsonify, request

from sandbox.control.asking import json_body
from sandbox.ground.errors import invalid, not_found
from sandbox.state.here import world_here

trouble = Blueprint("trouble", __name__)


@trouble.get("/requests")
def show_requests() -> Response:
    """Counters and the requests themselves; `?method=&account=&after=`."""
    log = world_here().log
    with world_here().lock:
        after = int(request.args.get("after", 0))
        rows = log.show(request.args.get("method"), request.args.get("account"), after)
        return jsonify(counters=log.counters(), requests=rows)


@trouble.post("/requests/reset")
def reset_requests() -> Response:
    """Start counting anew; answers the counters so far."""
    with world_here().lock:
        counters = world_here().log.counters()
        world_here().log.clear()
        return jsonify(counters)


@trouble.get("/faults")
def list_faults() -> Response:
    """The plan, with how often each fault has struck."""
    with world_here().lock:
        return jsonify(items=[fault.show() for fault in world_here().faults.plan])


@trouble.post("/faults")
def add_fault() -> Response:
    """Plan a fault."""
    body = json_body()
    with world_here().lock:
        return jsonify(world_here().faults.add(body.pop("kind"), **body).show())


@trouble.delete("/faults")
def clear_faults() -> Response:
    """No more trouble."""
    with world_here().lock:
        world_here().faults.clear()
        return jsonify(items=[])


@trouble.delete("/faults/<int:number>")
def remove_fault(number: int) -> Response:
    """Drop one fault."""
    with world_here().lock:
        if not world_here().faults.remove(number):
            raise not_found()
        return jsonify(deleted=number)


@trouble.get("/switches")
def show_switches() -> Response:
    """All switches."""
    with world_here().lock:
        return jsonify(world_here().switches.show())


@trouble.patch("/switches")
def change_switches() -> Response:
    """Set some switches."""
    with world_here().lock:
        world_here().switches.change(json_body())
        return jsonify(world_here().switches.show())


@trouble.post("/clock")
def move_clock() -> Response:
    """Move sandbox time by `advance_seconds`, to age tokens and channels."""
    world = world_here()
    with world.lock:
        seconds: Any = json_body().get("advance_seconds", 0)
        if not isinstance(seconds, (int, float)):
            raise invalid("advance_seconds is a number")
        world.clock.advance(seconds)
        return jsonify(now=world.now_stamp())
