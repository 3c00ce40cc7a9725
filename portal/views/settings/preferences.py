"""How the person likes to look: names hidden or shown, single-key shortcuts on or off."""

from __future__ import annotations

from flask import Blueprint, render_template, url_for
from flask.typing import ResponseReturnValue

from portal.extensions import db
from portal.views.door import callers
from portal.views.page.returning import go_back
from portal.views.page.signing_in import signed_in_provider

blueprint = Blueprint("preferences", __name__)


@blueprint.post("/privacy")
@callers.signed_in
def privacy() -> ResponseReturnValue:
    """Hide names on every page, or show them again. The server leaves them out; nothing is merely covered."""
    provider = signed_in_provider()
    provider.hides_names = not provider.hides_names
    db.session.commit()
    return go_back(url_for("calendar.index"))


@blueprint.get("/session/stay")
@callers.signed_in
def stay() -> ResponseReturnValue:
    """Somebody is here: asking is what prolongs the sign-in."""
    return "", 204


@blueprint.get("/calendar/shortcuts")
@callers.signed_in
def shortcuts() -> ResponseReturnValue:
    return render_template("calendar/shortcuts.html", is_off=signed_in_provider().shortcuts_off)


@blueprint.post("/calendar/shortcuts")
@callers.signed_in
def switch_shortcuts() -> ResponseReturnValue:
    provider = signed_in_provider()
    provider.shortcuts_off = not provider.shortcuts_off
    db.session.commit()
    return go_back(url_for("preferences.shortcuts"))
