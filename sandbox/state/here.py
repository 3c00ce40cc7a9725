"""The state of the sandbox that serves the present request; views find it in their app."""

from __future__ import annotations

from flask import current_app

from sandbox.state.world import World


def world_here() -> World:
    """The world of this request's app."""
    world: World = current_app.config["WORLD"]
    return world
