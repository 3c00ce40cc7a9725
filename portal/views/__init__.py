"""Pages and addresses: parse, call, render, in rooms named like the folders of `templates/`.

May import: every wing. A view commits; what it calls does not.
Begin at the room of the page; what all rooms share is in `page/`.
"""

from __future__ import annotations

from flask import Flask

from portal.views.accounts import login
from portal.views.appointments import booking, desk, ending, moving, showing
from portal.views.calendar import calendar, finding
from portal.views.clients import clients
from portal.views.door import callers
from portal.views.drafts import drafting
from portal.views.errors import answers
from portal.views.help import questions
from portal.views.machines import feeds, system, webhooks
from portal.views.page import bounds, undoing
from portal.views.settings import offering, preferences, settings, zoning
from portal.views.sync import overview, telling

APPOINTMENT_PAGES = (booking, ending, moving, showing)  # their addresses are on desk.blueprint

BLUEPRINTS = (
    login.blueprint,
    desk.blueprint,
    calendar.blueprint,
    clients.blueprint,
    drafting.blueprint,
    feeds.blueprint,
    finding.blueprint,
    offering.blueprint,
    preferences.blueprint,
    questions.blueprint,
    settings.blueprint,
    overview.blueprint,
    system.blueprint,
    undoing.blueprint,
    webhooks.blueprint,
    zoning.blueprint,
)


def register(app: Flask) -> None:
    bounds.register(app)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    answers.register(app)
    telling.register(app)
    callers.check(app)
