"""The one-way feed, for calendar apps. No session, no cookie, no redirect."""

from __future__ import annotations

import datetime as dt

from flask import Blueprint, Response, current_app, request
from flask.typing import ResponseReturnValue

from portal.clock import utcnow
from portal.config import Config
from portal.extensions import begin_reading, if_possible
from portal.feed import addresses, document, readers
from portal.models import Feed
from portal.rows import pausing
from portal.views.door import callers, throttling

blueprint = Blueprint("feeds", __name__)

NOTE_WAITS_SECONDS = 0.5
ASK_AGAIN_SECONDS = 3600  # while paused

# Last-Modified counts in seconds; a file changed within this second may change again within it.
SETTLED_AFTER = dt.timedelta(seconds=2)
HEADERS = {
    "Cache-Control": "private, no-cache",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow",
}


@blueprint.get("/feeds/<token>/calendar.ics")
@callers.machine
def calendar(token: str) -> ResponseReturnValue:
    """The feed of this address: 200, 304 when the reader has it already, 404 unknown, 410 long replaced.

    503 while paused, whatever the address: a restored database may hold links that were replaced since.
    """
    now = utcnow()
    begin_reading()
    if pausing.is_paused():
        response = _plain(503)
        response.headers["Retry-After"] = str(ASK_AGAIN_SECONDS)
        return response
    feed = addresses.find_feed(token)
    if feed is None:
        throttling.miss()
        return _plain(404)
    response = _plain(410) if addresses.is_gone(feed, now=now) else _file(feed, now=now)
    if request.method == "GET":
        _note_read(feed, response.status_code, now=now)
    return response


def _note_read(feed: Feed, status: int, *, now: dt.datetime) -> None:
    """A statistic: whatever keeps the database from writing it, the reader has the file."""
    agent = request.headers.get("User-Agent", "")
    with if_possible("feed.read-not-noted", within_seconds=NOTE_WAITS_SECONDS, feed=feed.id):
        readers.record_read(feed, user_agent=agent, status=status, now=now)


def _file(feed: Feed, *, now: dt.datetime) -> Response:
    config: Config = current_app.extensions["config"]
    content = document.open_feed(feed, app_calendar_name=config.app_calendar_name, now=now)
    response = Response(mimetype="text/calendar", headers=HEADERS)
    response.set_etag(content.etag)
    is_settled = now - content.modified_at > SETTLED_AFTER
    response.last_modified = content.modified_at - (dt.timedelta() if is_settled else SETTLED_AFTER)
    response.make_conditional(request)
    if response.status_code != 304:
        response.set_data(content.render())
        response.headers["Content-Disposition"] = 'inline; filename="calendar.ics"'
    return response


def _plain(status: int) -> Response:
    return Response(status=status, mimetype="text/plain", headers=HEADERS)
