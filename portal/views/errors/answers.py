"""Error pages: what happened in plain words, never a trace, never what was typed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import structlog
from flask import Flask, g, render_template, request
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import HTTPException, InternalServerError

from portal import logs
from portal.errors import TooBusy
from portal.extensions import db, htmx, is_away, login_manager
from portal.views.door import throttling
from portal.words import errors as words

log = structlog.get_logger()

TOO_MANY = 429
AWAY_SECONDS, BUSY_SECONDS = 10, 2  # after which it is worth another try


def register(app: Flask) -> None:
    app.register_error_handler(CSRFError, _csrf_failed)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(TooBusy, _too_busy)
    app.register_error_handler(SQLAlchemyError, _database_failed)
    app.register_error_handler(500, _crashed)


def _csrf_failed(error: CSRFError) -> ResponseReturnValue:
    """An old tab: the page is drawn anew instead of losing the person on an error page."""
    if htmx:
        return "", 400, {"HX-Refresh": "true"}
    return _page("csrf", 400)


def _http_error(error: HTTPException) -> ResponseReturnValue:
    code = error.code or 500
    if code < 400:
        return error.get_response()
    if code == TOO_MANY:
        return _later("429", TOO_MANY, throttling.WINDOW_SECONDS)
    return _page(str(code), code)


def _too_busy(_error: TooBusy) -> ResponseReturnValue:
    db.session.rollback()
    return _later("busy", 503, BUSY_SECONDS)


def _later(kind: str, code: int, seconds: int, **context: Any) -> ResponseReturnValue:
    """Nothing was done; in so many seconds it may be. A form stays as it is, and says so (renewal.js)."""
    headers = {"Retry-After": str(seconds)}
    if htmx and request.method == "POST":
        return words.error(kind)[1], code, {"Content-Type": "text/plain; charset=utf-8", **headers}
    return *_page(kind, code, **context), headers


def _database_failed(error: SQLAlchemyError) -> ResponseReturnValue:
    """Locked, full or away: 503, and what was typed is in the page, to be sent again."""
    if not is_away(error):
        raise error
    db.session.rollback()
    log.error("database.away", endpoint=request.endpoint, kind=logs.kind(error), place=logs.place(error))
    kept = _typed()
    return _later("unsaved" if kept else "503", 503, AWAY_SECONDS, kept=kept)


def _typed() -> list[tuple[str, str]]:
    """What a form holds, with its key: sent again it makes one thing. No password goes back into a page."""
    is_form = request.method == "POST" and request.endpoint is not None
    if not is_form or "password" in request.form:
        return []
    return [(name, value) for name, value in request.form.items(multi=True) if name != "csrf_token"]


def _crashed(error: InternalServerError) -> ResponseReturnValue:
    """Also where it ends when a database fails behind the view, while its answer is on the way."""
    if isinstance(error.original_exception, SQLAlchemyError) and is_away(error.original_exception):
        return _database_failed(error.original_exception)
    db.session.rollback()
    return _page("500", 500)


def _page(kind: str, code: int, **context: Any) -> tuple[str, int]:
    heading, advice = words.error(kind)
    with _for_nobody():
        page = render_template("errors/error.html", heading=heading, advice=advice, code=code, **context)
    return page, code


@contextmanager
def _for_nobody() -> Iterator[None]:
    """Whose page it is would be asked of a database, and that may be the trouble."""
    known = g.pop("_login_user", None)
    g._login_user = login_manager.anonymous_user()
    try:
        yield
    finally:
        del g._login_user
        if known is not None:
            g._login_user = known
