"""The headers of every answer."""

from __future__ import annotations

from flask import Flask, Response, current_app, request

from portal.config import Config

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'{form_targets}; base-uri 'none'; frame-ancestors 'none'"
)


def register(app: Flask) -> None:
    app.after_request(_set_headers)


def _set_headers(response: Response) -> Response:
    """Strict by default; a view that needs another value sets it itself, and that one stays."""
    headers = response.headers
    config: Config = current_app.extensions["config"]
    headers.setdefault("Content-Security-Policy", CONTENT_SECURITY_POLICY.format(form_targets=""))
    headers.setdefault("X-Content-Type-Options", "nosniff")
    headers.setdefault("X-Frame-Options", "DENY")
    # Not `no-referrer`: Flask-WTF refuses https forms that come without one.
    headers.setdefault("Referrer-Policy", "same-origin")
    headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    headers.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
    headers.setdefault("X-Robots-Tag", "noindex, nofollow")
    if request.endpoint != "static":
        headers.setdefault("Cache-Control", "no-store")
        headers.add("Vary", "HX-Request")
    if config.is_https:
        headers.setdefault("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
    return response
