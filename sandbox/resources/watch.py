"""events.watch, calendarList.watch and channels.stop: opening a channel and closing it (facts §9)."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, urlsplit

from sandbox.calls.access import Call, open_calendar
from sandbox.ground.errors import GoogleError, Json, invalid, not_found, required
from sandbox.push.channel import Channel

DEFAULT_SECONDS = 604_800  # documented default of params.ttl
LONGEST_SECONDS = 2_592_000  # Google's own cap is not published
LOOPBACK = ("127.0.0.1", "localhost", "::1")


def watch_events(call: Call) -> Json:
    """Watch one calendar. Raises 400 for holidays and subscribed feeds."""
    calendar = open_calendar(call, "freeBusyReader")
    if not calendar.supports_push:
        message = "Push notifications are not supported by this resource."
        raise GoogleError(400, "pushNotSupportedForRequestedResource", message, domain="calendar")
    path = f"calendars/{quote(calendar.id, safe='')}/events"
    return _watch(call, path, calendar.id)


def watch_calendar_list(call: Call) -> Json:
    """Watch the person's calendar list."""
    return _watch(call, "users/me/calendarList", None)


def _watch(call: Call, path: str, calendar_id: str | None) -> Json:
    body, world = call.body, call.world
    _check(call, body)
    channel = Channel(
        id=body["id"],
        resource_id=_resource_id(call, calendar_id),
        resource_uri=f"{world.base_url}/calendar/v3/{path}?alt=json",
        address=body["address"],
        token=body.get("token"),
        expires_at=_expiration(body, world.clock.now()),
        watcher=call.account,
        project=call.caller.project,
        calendar_id=calendar_id,
    )
    world.channels.add(channel)
    answer: Json = {"kind": "api#channel", "id": channel.id, "resourceId": channel.resource_id}
    answer |= {
        "resourceUri": channel.resource_uri,
        "expiration": str(round(channel.expires_at.timestamp() * 1000)),
    }
    return answer | ({"token": channel.token} if channel.token else {})


def _resource_id(call: Call, calendar_id: str | None) -> str:
    """The same for every channel on one resource."""
    for channel in call.world.channels.open.values():
        if (channel.watcher.sub, channel.calendar_id) == (call.account.sub, calendar_id):
            return channel.resource_id
    return secrets.token_urlsafe(20)


def _check(call: Call, body: Json) -> None:
    for name in ("id", "type", "address"):
        if not body.get(name):
            raise required(name)
    if body["type"] not in ("web_hook", "webhook"):
        raise invalid("Invalid channel type.", "type")
    if len(body["id"]) > 64 or len(body.get("token", "")) > 256:
        raise invalid("Channel id or token is too long.", "id")
    if body["id"] in call.world.channels.open:
        message = f"Channel id {body['id']} not unique"
        raise GoogleError(400, "channelIdNotUnique", message)
    _check_address(call, body["address"])


def _check_address(call: Call, address: str) -> None:
    parts = urlsplit(address)
    stand_in = call.world.switches.push_http_on_loopback and parts.hostname in LOOPBACK
    if parts.scheme != "https" and not (parts.scheme == "http" and stand_in):
        raise GoogleError(400, "push.webhookUrlNotHttps", f"WebHook callback must be HTTPS: {address}")


def _expiration(body: Json, now: datetime) -> datetime:
    """The strictest of the request and the cap."""
    longest = now + timedelta(seconds=LONGEST_SECONDS)
    wanted = now + timedelta(seconds=DEFAULT_SECONDS)
    try:
        if "ttl" in (body.get("params") or {}):
            wanted = now + timedelta(seconds=int(body["params"]["ttl"]))
        if body.get("expiration"):
            wanted = datetime.fromtimestamp(int(body["expiration"]) / 1000, UTC)
    except (ValueError, OverflowError, OSError):  # not a number, or beyond any calendar
        raise invalid("Invalid expiration.", "expiration") from None
    if wanted <= now:
        raise invalid("Channel expiration is in the past.", "expiration")
    return min(wanted, longest)


def stop(call: Call) -> None:
    """Close a channel. Needs both ids, the same person and the same project. Raises 404."""
    channel = call.world.channels.open.get(call.body.get("id", ""))
    if channel is None or channel.stopped or channel.resource_id != call.body.get("resourceId"):
        raise not_found()
    if (channel.watcher.sub, channel.project) != (call.account.sub, call.caller.project):
        raise not_found()
    channel.stopped = True
