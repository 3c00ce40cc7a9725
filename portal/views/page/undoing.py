"""Taking the latest change back, and the notice that offers it on every page."""

from __future__ import annotations

from flask import Blueprint, abort, flash, url_for
from flask.sansio.app import App
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal.clock import utcnow
from portal.errors import Refused
from portal.extensions import db
from portal.models import UndoStep
from portal.practice import undo
from portal.views.door import callers
from portal.views.page.auditing import note
from portal.views.page.returning import go_back
from portal.views.page.signing_in import signed_in_provider

blueprint = Blueprint("undoing", __name__, url_prefix="/undo")

REFUSALS = {
    "too-late": "That was more than ten minutes ago, so it stays. Nothing was changed.",
    "unreadable": "How it was cannot be read: its key was changed or lost. Nothing was changed.",
    "changed-since": "It was changed again since then. Nothing was taken back.",
}


def register(app: App) -> None:
    app.jinja_env.globals["undo_offer"] = _offer


@blueprint.post("/<int:step_id>")
@callers.signed_in
def take_back(step_id: int) -> ResponseReturnValue:
    provider, now = signed_in_provider(), utcnow()
    step = db.session.get(UndoStep, step_id)
    if step is None or step.provider_id != provider.id:
        abort(404)
    try:
        undo.take_back(step, now=now, actor=provider)
    except Refused as refused:
        db.session.rollback()
        flash(REFUSALS.get(refused.code, "That is not possible any more. Nothing was changed."), "warn")
    else:
        note("undo.taken", provider, now=now)
        db.session.commit()
        flash("Taken back. Everything is as it was before.", "good")
    return go_back(url_for("calendar.index"))


@blueprint.post("/dismiss")
@callers.signed_in
def dismiss() -> ResponseReturnValue:
    undo.dismiss(signed_in_provider())
    db.session.commit()
    return go_back(url_for("calendar.index"))


def _offer() -> UndoStep | None:
    """What the page offers to take back; nothing to those who are not signed in."""
    if not current_user or not current_user.is_authenticated:
        return None
    return undo.offered(signed_in_provider(), now=utcnow())
