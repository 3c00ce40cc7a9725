"""watch and push: channels, and the courier that delivers messages from a thread of its own (facts §9).

A message says only "something changed"; it has no body. It may come late, twice, out of order or never.
"""

from __future__ import annotations

import contextlib
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from queue import Empty, Queue
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from sandbox.access import Call, open_calendar
from sandbox.deliveries import Delivery, deliver
from sandbox.errors import GoogleError, Json, invalid, not_found, required
from sandbox.model import Account, Calendar

if TYPE_CHECKING:
    from sandbox.world import World

DEFAULT_SECONDS = 604_800  # documented default of params.ttl
LONGEST_SECONDS = 2_592_000  # Google's own cap is not published
LOOPBACK = ("127.0.0.1", "localhost", "::1")
REORDER_SECONDS = 0.3


@dataclass
class Channel:
    """An open channel: who watches what, and where messages go."""

    id: str
    resource_id: str
    resource_uri: str
    address: str
    token: str | None
    expires_at: datetime
    sub: str
    project: str
    calendar_id: str | None  # None: the person's calendar list
    messages: int = 0
    stopped: bool = False
    results: list[str] = field(default_factory=list)  # what the last deliveries met

    def show(self) -> Json:
        """For the control API; `token` is left out, it is a secret of the watcher."""
        names = (
            "id",
            "resource_id",
            "resource_uri",
            "address",
            "calendar_id",
            "messages",
            "stopped",
            "results",
        )
        return {name: getattr(self, name) for name in names} | {"expires_at": self.expires_at.isoformat()}


class Channels:
    """All channels ever opened, and the queue of messages on their way."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.queue: Queue[Delivery] = Queue()
        self.stopping = threading.Event()
        self.open: dict[str, Channel] = {}

    def clear(self) -> None:
        """Forget all channels and messages."""
        self.open = {}
        while True:
            try:
                self.queue.get_nowait()
            except Empty:
                return

    def add(self, channel: Channel) -> None:
        """Open a channel; its first message is `sync`, and may overtake the watch call's answer."""
        self.open[channel.id] = channel
        self._send(channel, "sync")

    def events_changed(self, calendar: Calendar) -> None:
        """Tell everybody who watches this calendar."""
        self._tell(lambda channel: channel.calendar_id == calendar.id)

    def calendar_list_changed(self, account: Account) -> None:
        """Tell those who watch this person's calendar list."""
        self._tell(lambda channel: channel.calendar_id is None and channel.sub == account.sub)

    def _tell(self, concerned: Callable[[Channel], bool]) -> None:
        now = self.world.clock.now()
        for channel in self.open.values():
            if concerned(channel) and not channel.stopped and channel.expires_at > now:
                self._send(channel, "exists")

    def _send(self, channel: Channel, state: str) -> None:
        account = self.world.accounts.get(channel.sub)
        faults = self.world.faults.strike("push", account.email if account else None, channel.calendar_id)
        kinds = {fault.kind: fault for fault in faults}
        channel.messages += 1
        if "push_drop" in kinds:
            return
        wait = next((f.seconds or 1.0 for f in faults if f.kind == "push_delay"), 0.0)
        if "push_reorder" in kinds:  # later ones overtake it
            wait += REORDER_SECONDS
        for _ in range(2 if "push_duplicate" in kinds else 1):
            headers = _headers(channel, state)
            self.queue.put(Delivery(channel, headers, time.monotonic() + wait))

    def run(self) -> None:
        """The courier's life: deliver what is due, until `stopping` is set."""
        waiting: list[Delivery] = []
        while not self.stopping.is_set():
            with contextlib.suppress(Empty):
                waiting.append(self.queue.get(timeout=0.05))
            now = time.monotonic()
            due = [one for one in waiting if one.due_at <= now]
            waiting = [one for one in waiting if one.due_at > now]
            for one in due:
                waiting.extend(deliver(one, obeys_robots=self.world.switches.push_obeys_robots))


def _headers(channel: Channel, state: str) -> dict[str, str]:
    headers = {
        "Content-Length": "0",
        "User-Agent": "APIs-Google; (+https://developers.google.com/webmasters/APIs-Google.html)",
        "X-Goog-Channel-ID": channel.id,
        "X-Goog-Message-Number": str(channel.messages),
        "X-Goog-Resource-ID": channel.resource_id,
        "X-Goog-Resource-State": state,
        "X-Goog-Resource-URI": channel.resource_uri,
        "X-Goog-Channel-Expiration": format_datetime(channel.expires_at, usegmt=True),
    }
    return headers | ({"X-Goog-Channel-Token": channel.token} if channel.token else {})


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
        sub=call.account.sub,
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
        if (channel.sub, channel.calendar_id) == (call.account.sub, calendar_id):
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
    if (channel.sub, channel.project) != (call.account.sub, call.caller.project):
        raise not_found()
    channel.stopped = True
