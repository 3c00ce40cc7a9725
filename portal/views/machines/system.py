"""Addresses for machines: health, readiness, robots."""

from __future__ import annotations

import secrets

import sqlalchemy as sa
import structlog
from flask import Blueprint, Response, jsonify
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import SQLAlchemyError

from portal import jobs, logs
from portal.extensions import begin_briefly, db
from portal.models import Location
from portal.views.door import callers

blueprint = Blueprint("system", __name__)

log = structlog.get_logger()

WRITES_WITHIN_SECONDS = 0.5  # each of them, the wait for other writers too
PROBE = "readyz"
SQLITE_PAGE = 4096

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
    """Whether work gets done: the database takes a write, the queue answers, a worker was seen lately."""
    checks = {"database": _database_takes_writes(), **jobs.check_queue()}
    ready = all(checks.values())
    return jsonify(status="ok" if ready else "unavailable", checks=checks), 200 if ready else 503


@blueprint.get("/robots.txt")
@callers.anybody
def robots() -> ResponseReturnValue:
    return Response(ROBOTS, mimetype="text/plain")


def _database_takes_writes() -> bool:
    """Whether a row can be written for good: a full or a locked database still answers what is read.

    The row is deleted in the same transaction, so nobody sees it; the commit brings both to the disk.
    """
    name = f"{PROBE}-{secrets.token_hex(8)}"
    try:
        with begin_briefly(WRITES_WITHIN_SECONDS):
            is_sqlite = db.session.get_bind().dialect.name == "sqlite"
            if not is_sqlite:
                milliseconds = round(WRITES_WITHIN_SECONDS * 1000)
                db.session.execute(sa.text(f"SET LOCAL statement_timeout = {milliseconds}"))
            # More than a page of SQLite's, which has room in its last page when the disk has none
            name += "-" * (SQLITE_PAGE if is_sqlite else 0)
            db.session.execute(sa.insert(Location).values(name=name))
            db.session.execute(sa.delete(Location).where(Location.name == name))
            db.session.commit()
    except SQLAlchemyError as error:
        db.session.rollback()
        log.warning("database.takes-no-writes", kind=logs.kind(error))
        return False
    return True
