"""Sign in and sign out."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user, login_user, logout_user

from portal.clock import utcnow
from portal.extensions import db
from portal.people import accounts
from portal.views.door import callers, throttling
from portal.views.page import lapsed
from portal.views.page.auditing import note
from portal.views.page.returning import own_path
from portal.views.page.signing_in import SignedIn

blueprint = Blueprint("accounts", __name__)


@blueprint.get("/login")
@callers.anybody
def login() -> ResponseReturnValue:
    if current_user.is_authenticated:
        return redirect(url_for("calendar.index"), 303)
    return render_template("accounts/login.html", email="", failed=False)


@blueprint.post("/login")
@callers.anybody
@throttling.sign_ins
@throttling.passwords
def sign_in() -> ResponseReturnValue:
    """The cookie session is emptied first: nothing from before, the CSRF secret included, survives it."""
    now = utcnow()
    email = request.form.get("email", "")
    provider = accounts.authenticate(email, request.form.get("password", ""))
    if provider is None:
        note("session.refused", None, now=now, outcome="refused")
        db.session.commit()
        return render_template("accounts/login.html", email=email, failed=True), 422
    session.clear()
    token = accounts.open_session(provider, now=now)
    db.session.flush()
    note("session.opened", provider, now=now)
    db.session.commit()
    row = accounts.find_session(token, now=now, idle_seconds=60, limit_seconds=60)
    assert row is not None
    login_user(SignedIn(token, row))
    return redirect(lapsed.after_sign_in(provider, _next_page()), 303)


@blueprint.post("/logout")
@callers.signed_in
def sign_out() -> ResponseReturnValue:
    now = utcnow()
    current_user.row.ended_at = now
    note("session.closed", current_user.provider, now=now)
    db.session.commit()
    logout_user()
    session.clear()
    response = redirect(url_for("accounts.login"), 303)
    response.headers["Clear-Site-Data"] = '"cache", "storage"'
    return response


def _next_page() -> str:
    """Where the person was going, if that is one of our own pages."""
    return own_path(request.args.get("next", "")) or url_for("calendar.index")
