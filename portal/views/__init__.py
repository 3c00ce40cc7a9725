"""Blueprints: parse, call, render."""

from __future__ import annotations

from flask import Flask

from portal.views import (
    accounts,
    appointments,
    calendar,
    clients,
    errors,
    feeds,
    help,
    settings,
    sync,
    system,
    webhooks,
)

BLUEPRINTS = (
    accounts.blueprint,
    appointments.blueprint,
    calendar.blueprint,
    clients.blueprint,
    feeds.blueprint,
    help.blueprint,
    settings.blueprint,
    sync.blueprint,
    system.blueprint,
    webhooks.blueprint,
)


def register(app: Flask) -> None:
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    errors.register(app)
