"""Blueprints: parse, call, render."""

from __future__ import annotations

from flask import Flask

from portal.views import (
    accounts,
    appointments,
    calendar,
    clients,
    drafting,
    errors,
    feeds,
    finding,
    help,
    offering,
    preferences,
    settings,
    sync,
    system,
    telling,
    undoing,
    webhooks,
    zoning,
)

BLUEPRINTS = (
    accounts.blueprint,
    appointments.blueprint,
    calendar.blueprint,
    clients.blueprint,
    drafting.blueprint,
    feeds.blueprint,
    finding.blueprint,
    offering.blueprint,
    preferences.blueprint,
    help.blueprint,
    settings.blueprint,
    sync.blueprint,
    system.blueprint,
    undoing.blueprint,
    webhooks.blueprint,
    zoning.blueprint,
)


def register(app: Flask) -> None:
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    errors.register(app)
    telling.register(app)
