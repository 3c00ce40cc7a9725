"""A form that is sent after the sign-in ended by itself: what was typed is kept until its owner is back.

Only forms in which somebody types at length, and only for whom the cookie's ended sign-in belonged to.
"""

from __future__ import annotations

from typing import Any

from flask import current_app, request, session, url_for
from werkzeug.exceptions import HTTPException

from portal import reading
from portal.clock import utcnow
from portal.extensions import begin_writing, db
from portal.models import Draft, Provider
from portal.people import accounts
from portal.practice import drafts
from portal.views.page import bounds

# Where these forms are sent, and what a list of drafts calls them
FORMS = {
    "appointments.create": "New appointment",
    "appointments.update": "Edit appointment",
    "appointments.move": "Move appointment",
    "appointments.cancel": "Cancel appointment",
    "clients.create": "Add client",
    "clients.update": "Rename client",
    "settings.save_profile": "Profile",
    "settings.save_office_hours": "Office hours",
}
NOT_KEPT = ("csrf_token", "form_key", "draft", "draft_of", "password")


def keep_what_was_sent() -> bool:
    """For a POST that the door refuses; commits. Nothing is kept after signing out, or of an unknown form."""
    provider_id = accounts.lapsed_owner(str(session.get("_user_id", "")), now=utcnow())
    if provider_id is None:
        return False
    begin_writing()
    is_kept = keep(provider_id) is not None
    db.session.commit()
    return is_kept


def keep(provider_id: int) -> Draft | None:
    """Keep this request's fields. `draft_of` names the form's own address when it was sent elsewhere."""
    path = _form_path()
    if form_of(path) is None:
        return None
    fields = {name: value for name, value in request.form.items() if name not in NOT_KEPT}
    return drafts.keep(provider_id, path, fields, now=utcnow())


def form_of(path: str) -> tuple[str, dict[str, Any]] | None:
    """Endpoint and arguments of one of these forms, by where it is sent."""
    try:
        endpoint, arguments = current_app.url_map.bind("").match(path, method="POST")
    except HTTPException:
        return None
    return (endpoint, dict(arguments)) if endpoint in FORMS else None


def after_sign_in(provider: Provider, usual: str) -> str:
    """Where a sign-in leads: to what was being typed, if there is such a thing."""
    found = drafts.waiting(provider.id, now=utcnow())
    if len(found) == 1:
        return url_for("drafting.show", draft_id=found[0].id)
    return url_for("drafting.index") if found else usual


def _form_path() -> str:
    """The quick form's *All fields* is the same form on its way to more room."""
    path = request.form.get("draft_of") or request.path
    if path != url_for("appointments.full_form"):
        return path
    number = reading.whole_number(request.form.get("appointment", ""), most_digits=bounds.MOST_DIGITS)
    if number is None:
        return url_for("appointments.create")
    return url_for("appointments.update", appointment_id=number)
