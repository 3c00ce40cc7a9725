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
from portal.extensions import db, htmx, is_away, login_manager
from portal.words import errors as words

log = structlog.get_logger()

RETRY_AFTER_SECONDS = 10


def register(app: Flask) -> None:
    app.register_error_handler(CSRFError, _csrf_failed)
    app.register_error_handler(HTTPException, _http_error)
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
    return _page(str(code), code)


def _database_failed(error: SQLAlchemyError) -> ResponseReturnValue:
    """Locked, full or away: 503, and what was typed is in the page, to be sent again."""
    if not is_away(error):
        raise error
    db.session.rollback()
    log.error("database.away", kind=logs.kind(error), place=logs.place(error))
    headers = {"Retry-After": str(RETRY_AFTER_SECONDS)}
    if htmx and request.method == "POST":  # the form stays as it is, and says this (static/js/renewal.js)
        return words.error("unsaved")[1], 503, {"Content-Type": "text/plain; charset=utf-8", **headers}
    kept = _typed()
    return *_page("unsaved" if kept else "503", 503, kept=kept), headers


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
