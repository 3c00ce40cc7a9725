"""Addresses for machines: health, readiness, robots."""

from __future__ import annotations

import sqlalchemy as sa
from flask import Blueprint, Response, jsonify
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import SQLAlchemyError

from portal import jobs
from portal.extensions import db
from portal.views.door import callers

blueprint = Blueprint("system", __name__)

# Google's feed importer and its push sender obey this file: their two addresses come first.
ROBOTS = "User-agent: *\nAllow: /feeds/\nAllow: /webhooks/google\nDisallow: /\n"


@blueprint.get("/healthz")
@callers.anybody
def healthz() -> ResponseReturnValue:
    """The process answers."""
    return jsonify(status="ok")


@blueprint.get("/readyz")
@callers.anybody
def readyz() -> ResponseReturnValue:
    """Whether work gets done: the database answers, the queue answers, a worker was seen lately."""
    checks = {"database": _database_answers(), **jobs.check_queue()}
    ready = all(checks.values())
    return jsonify(status="ok" if ready else "unavailable", checks=checks), 200 if ready else 503


@blueprint.get("/robots.txt")
@callers.anybody
def robots() -> ResponseReturnValue:
    return Response(ROBOTS, mimetype="text/plain")


def _database_answers() -> bool:
    try:
        db.session.execute(sa.text("SELECT 1"))
    except SQLAlchemyError:
        db.session.rollback()
        return False
    return True
