"""The sandbox as a Flask app: OAuth, the Calendar API, control, pages, each from its own wing."""

from __future__ import annotations

import time

from flask import Flask, Response, request

from sandbox.api.answering import Answer, Request, answer
from sandbox.api.batch import answer_batch, refusal_answer
from sandbox.control.page import control_page
from sandbox.control.routes import control
from sandbox.ground.errors import GoogleError
from sandbox.pages.routes import pages
from sandbox.sign_in.consent import consent
from sandbox.sign_in.oidc import oidc
from sandbox.sign_in.token_endpoints import token_endpoints
from sandbox.state.here import world_here
from sandbox.state.world import World
from sandbox.trouble.wire import broken

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action *; base-uri 'none'"
)


def create_app(world: World) -> Flask:
    """The only wiring."""
    app = Flask(__name__)
    app.config.update(WORLD=world, FLOWS={}, PROPAGATE_EXCEPTIONS=True)
    for blueprint in (oidc, consent, token_endpoints, control, pages, control_page):
        app.register_blueprint(blueprint)
    app.add_url_rule("/calendar/v3/<path:rest>", "calendar_api", calendar_api, methods=METHODS)
    app.add_url_rule("/batch/calendar/v3", "batch", batch, methods=["POST"])
    app.before_request(_same_origin)
    app.after_request(_headers)
    return app


def calendar_api(rest: str) -> Response:
    """Every method of the Calendar API; the undecoded path tells `%2F` in an id from a separator."""
    world = world_here()
    target = request.environ.get("RAW_URI") or request.full_path
    incoming = Request(request.method, target, _lower(), request.get_data())
    return _respond(answer(world, incoming))


def batch() -> Response:
    """Up to 50 calls at once."""
    world = world_here()
    try:
        kind, body, answers = answer_batch(
            world, request.headers.get("Content-Type", ""), request.get_data(), _lower()
        )
    except GoogleError as refusal:
        return _respond(refusal_answer(refusal))
    time.sleep(max((one.wait_seconds for one in answers), default=0.0))
    for one in answers:
        if one.breakage:  # parts share one connection
            return broken(one.breakage)
    return Response(body, 200, content_type=kind)


def _respond(one: Answer) -> Response:
    if one.wait_seconds:
        time.sleep(one.wait_seconds)
    if one.breakage:
        return broken(one.breakage)
    kind = "application/json; charset=UTF-8" if one.body is not None else None
    return Response(one.payload(), one.status, headers=one.headers, content_type=kind)


def _lower() -> dict[str, str]:
    return {name.lower(): value for name, value in request.headers.items()}


def _same_origin() -> Response | None:
    """No other site's page may press buttons here."""
    origin = request.headers.get("Origin")
    if request.method == "GET" or origin in (None, request.host_url.rstrip("/")):
        return None
    return Response("The request comes from another site.\n", 403, content_type="text/plain")


def _headers(response: Response) -> Response:
    response.headers.setdefault("Cache-Control", "no-store")
    if response.mimetype == "text/html":
        response.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
        response.headers["Referrer-Policy"] = "same-origin"
        response.headers["X-Content-Type-Options"] = "nosniff"
    return response
