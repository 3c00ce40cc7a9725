"""Who is asking: Flask-Login over our own session rows. A cookie copied before sign-out opens nothing."""

from __future__ import annotations

import datetime as dt
from typing import Any

from flask import Flask, abort, current_app, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import UserMixin, current_user

from portal.clock import utcnow
from portal.config import Config
from portal.extensions import begin_reading, begin_writing, db, htmx, if_possible, login_manager
from portal.models import LoginSession, Provider
from portal.people import accounts
from portal.rows import pausing
from portal.views.door import callers
from portal.views.door.callers import Caller
from portal.views.page import lapsed

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
NO_PAGES = frozenset({None, "system", "feeds", "webhooks"})  # blueprints, and none: static files
STAMP_WAITS_SECONDS = 0.5
STAMPED = "database-stamped"
REAUTHENTICATION_SECONDS = 30 * 60
NOTE_WAITS_SECONDS = 0.2  # each page waits so long while the database cannot be written to


class SignedIn(UserMixin):  # type: ignore[misc]
    """The signed-in provider of this request. Its id in the cookie is the session's random token."""

    def __init__(self, token: str, row: LoginSession) -> None:
        self.token = token
        self.row = row

    def get_id(self) -> str:
        return self.token

    @property
    def provider(self) -> Provider:
        return self.row.provider


def register(app: Flask) -> None:
    login_manager.session_protection = None  # the row is the protection; 0.6.3's trusts X-Forwarded-For
    login_manager.user_loader(_load)
    login_manager.unauthorized_handler(_send_to_login)
    app.before_request(_admit)


def signed_in_provider() -> Provider:
    """The provider who sends this request; views behind the door only."""
    provider = current_user.provider
    assert isinstance(provider, Provider)
    return provider


def recently_authenticated(now: dt.datetime) -> bool:
    """Whether the password was given within the last 30 minutes."""
    since = now - current_user.row.authenticated_at
    return bool(since.total_seconds() < REAUTHENTICATION_SECONDS)


def _load(token: str) -> SignedIn | None:
    config: Config = current_app.extensions["config"]
    row = accounts.find_session(
        token,
        now=utcnow(),
        idle_seconds=config.session_idle_seconds,
        limit_seconds=config.session_limit_seconds,
    )
    return SignedIn(token, row) if row else None


def _admit() -> ResponseReturnValue | None:
    """Let through whom the route names. Reading requests begin no write."""
    _stamp_once()
    begin_writing()
    if request.endpoint is None:
        return None
    caller = callers.who_may_call(current_app, request.endpoint)
    if caller in (Caller.ANYBODY, Caller.MACHINE):
        return None
    begin_reading()
    if not current_user.is_authenticated:
        is_kept = request.method == "POST" and lapsed.keep_what_was_sent()
        return _send_to_login(kept="1") if is_kept else _send_to_login()
    _note_presence(current_user.row, utcnow())
    if caller is Caller.OWNER and not signed_in_provider().is_owner:
        abort(403)
    if request.method not in SAFE_METHODS:
        begin_writing()
    return None


def _stamp_once() -> None:
    """With the first page of this process: whose database this is, before anybody can take a copy of it."""
    if request.blueprint in NO_PAGES or STAMPED in current_app.extensions:
        return
    with if_possible("database.not-stamped", within_seconds=STAMP_WAITS_SECONDS):  # or the next page does
        pausing.stamp()
        current_app.extensions[STAMPED] = True


def _note_presence(row: LoginSession, now: dt.datetime) -> None:
    """Somebody is here; a page that refreshes itself says so, and nobody stays signed in by it.

    The reading ends before anything is changed: SQLite would not let it go on to write (extensions.py).
    """
    note = accounts.note_open_page if "X-Background" in request.headers else accounts.touch_session
    assert row.provider  # read by now
    with if_possible("presence.not-noted", within_seconds=NOTE_WAITS_SECONDS):
        if note(row, now=now):
            db.session.add(row)


def _send_to_login(**where: Any) -> ResponseReturnValue:
    """Browsers are led to the sign-in page; HTMX is told to go there as a whole page."""
    if request.method == "GET":
        where["next"] = request.full_path.rstrip("?")
    address = url_for("accounts.login", **where)
    if htmx:
        return "", 401, {"HX-Redirect": address}
    return redirect(address, 303)
