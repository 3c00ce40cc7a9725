"""Error pages: what happened in plain words, never a trace, never what was typed."""

from __future__ import annotations

from flask import Flask, render_template
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException

from portal.extensions import db, htmx


def register(app: Flask) -> None:
    app.register_error_handler(CSRFError, _csrf_failed)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(500, _crashed)


def _csrf_failed(error: CSRFError) -> ResponseReturnValue:
    """An old tab: the page is drawn anew instead of losing the person on an error page."""
    if htmx:
        return "", 400, {"HX-Refresh": "true"}
    return render_template("errors/error.html", code=400, kind="csrf"), 400


def _http_error(error: HTTPException) -> ResponseReturnValue:
    code = error.code or 500
    if code < 400:
        return error.get_response()
    return render_template("errors/error.html", code=code, kind=str(code)), code


def _crashed(_error: Exception) -> ResponseReturnValue:
    db.session.rollback()
    return render_template("errors/error.html", code=500, kind="500"), 500
