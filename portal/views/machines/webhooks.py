"""Where Google tells of changes. A hint only: polling finds them too."""

from __future__ import annotations

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from portal import jobs
from portal.clock import utcnow
from portal.engine import channels
from portal.engine.channels import Message
from portal.extensions import begin_reading, begin_writing, csrf, db
from portal.rows import pausing
from portal.views.door import callers, throttling

blueprint = Blueprint("webhooks", __name__)


@blueprint.post("/webhooks/google")
@callers.machine
def google() -> ResponseReturnValue:
    """Take a push message for a channel of ours with its secret; anything else is 404. No body is read.

    While paused 503: the channel is perhaps another installation's, and the sender comes again.
    """
    now, headers = utcnow(), request.headers
    message = Message(
        channel_id=headers.get("X-Goog-Channel-ID", ""),
        secret=headers.get("X-Goog-Channel-Token", ""),
        resource_id=headers.get("X-Goog-Resource-ID", ""),
        state=headers.get("X-Goog-Resource-State", ""),
    )
    begin_reading()
    if pausing.is_paused():
        return "", 503
    channel = channels.find_channel(message)
    if channel is None:
        throttling.miss()
        return "", 404
    begin_writing()
    connection_id = channel.connection_id
    is_news = channels.take_message(channel, message, now=now)
    db.session.commit()
    if is_news:
        jobs.hasten(connection_id, now=now)
    return "", 204


csrf.exempt(google)  # the secret of the channel stands in for a token
