"""Error pages: what happened in plain words, never a trace, never what was typed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from flask import Flask, g, render_template
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException

from portal.extensions import db, htmx, login_manager
from portal.words import errors as words


def register(app: Flask) -> None:
    app.register_error_handler(CSRFError, _csrf_failed)
    app.register_error_handler(HTTPException, _http_error)
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


def _crashed(_error: Exception) -> ResponseReturnValue:
    db.session.rollback()
    return _page("500", 500)


def _page(kind: str, code: int) -> ResponseReturnValue:
    heading, advice = words.error(kind)
    with _for_nobody():
        return render_template("errors/error.html", heading=heading, advice=advice, code=code), code


@contextmanager
def _for_nobody() -> Iterator[None]:
    """Whose page it is would be asked of a database, and that may be the trouble."""
    known = g.pop("_login_user", None)
    g._login_user = login_manager.anonymous_user()
    yield
    del g._login_user
    if known is not None:
        g._login_user = known
