"""Where Google tells of changes. A hint only: polling finds them too."""

from __future__ import annotations

import hashlib
import hmac

import sqlalchemy as sa
from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from portal import store
from portal.clock import utcnow
from portal.extensions import csrf, db
from portal.models import Connection, PushChannel

blueprint = Blueprint("webhooks", __name__)


@blueprint.post("/webhooks/google")
def google() -> ResponseReturnValue:
    """Take a push message for a channel of ours with its secret; anything else is 404. No body is read."""
    now = utcnow()
    channel = db.session.scalar(
        sa.select(PushChannel).where(
            PushChannel.channel_id == request.headers.get("X-Goog-Channel-ID", ""),
            PushChannel.stopped_at.is_(None),
        )
    )
    secret = request.headers.get("X-Goog-Channel-Token", "")
    if channel is None or not hmac.compare_digest(_hash(secret), channel.secret_hash):
        return "", 404
    channel.last_message_at = now
    connection = db.session.get_one(Connection, channel.connection_id)
    if connection.ended_at is None and request.headers.get("X-Goog-Resource-State") != "sync":
        store.ask_for_pull(connection, now=now)
    db.session.commit()
    return "", 204


csrf.exempt(google)  # the secret of the channel stands in for a token


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
