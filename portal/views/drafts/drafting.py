"""Drafts: the form that was being filled when a sign-in ended, drawn again as it was typed."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from flask import Blueprint, Response, abort, flash, g, redirect, render_template, request, url_for
from flask.blueprints import BlueprintSetupState
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal import reading
from portal.clock import utcnow
from portal.extensions import db
from portal.models import Draft
from portal.practice import drafts
from portal.views.appointments import booking, ending, moving
from portal.views.clients import clients
from portal.views.door import callers
from portal.views.page import bounds, lapsed
from portal.views.page.signing_in import signed_in_provider
from portal.views.settings import settings

blueprint = Blueprint("drafting", __name__, url_prefix="/drafts")

# The form of each address, from the fields that were typed
DRAWN: dict[str, Callable[..., str]] = {
    "appointments.create": booking.draw_new,
    "appointments.update": booking.draw_edit,
    "appointments.move": moving.draw_move,
    "appointments.cancel": ending.draw_cancel,
    "clients.create": clients.draw_new,
    "clients.update": clients.draw_edit,
    "settings.save_profile": settings.draw,
    "settings.save_office_hours": settings.draw,
}


@blueprint.record_once
def _register(state: BlueprintSetupState) -> None:
    state.app.after_request(_forget_saved)


@blueprint.post("")
@callers.signed_in
def keep() -> ResponseReturnValue:
    """The page sends what was typed shortly before the sign-in ends. Answers with the draft's number."""
    draft = lapsed.keep(signed_in_provider().id)
    db.session.commit()
    return (str(draft.id), {"Content-Type": "text/plain"}) if draft else ("", 204)


@blueprint.get("")
@callers.signed_in
def index() -> ResponseReturnValue:
    found = drafts.waiting(signed_in_provider().id, now=utcnow())
    return render_template("drafts/index.html", drafts=[(draft, _name(draft)) for draft in found])


@blueprint.get("/<int:draft_id>")
@callers.signed_in
def show(draft_id: int) -> ResponseReturnValue:
    draft = _own(draft_id)
    form = lapsed.form_of(draft.path)
    if form is None:
        abort(404)
    endpoint, arguments = form
    g.draft = draft
    fields: Mapping[str, str] = drafts.fields_of(draft)
    return DRAWN[endpoint](fields, **arguments)


@blueprint.post("/<int:draft_id>/discard")
@callers.signed_in
def discard(draft_id: int) -> ResponseReturnValue:
    drafts.discard(signed_in_provider().id, draft_id)
    db.session.commit()
    if "X-Background" in request.headers:  # by the page itself, since nobody was signed out after all
        return "", 204
    flash("What you had typed is gone. Nothing was saved.")
    return redirect(url_for("calendar.index"), 303)


def _own(draft_id: int) -> Draft:
    """Somebody else's is as good as not there, and so is one that is too old."""
    found = drafts.waiting(signed_in_provider().id, now=utcnow())
    return next((draft for draft in found if draft.id == draft_id), None) or abort(404)


def _name(draft: Draft) -> str:
    form = lapsed.form_of(draft.path)
    return lapsed.FORMS[form[0]] if form else "Form"


def _forget_saved(response: Response) -> Response:
    """A form drawn from a draft says so; once it was saved, which leads on, the draft is not needed."""
    if request.method != "POST" or response.status_code != 303:
        return response
    number = reading.whole_number(request.form.get("draft", ""), most_digits=bounds.MOST_DIGITS)
    if number and current_user.is_authenticated:
        drafts.discard(signed_in_provider().id, number)
        db.session.commit()
    return response
