"""One channel: who watches what, and what a message to them says (facts §9)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime

from sandbox.ground.errors import Json
from sandbox.ground.model import Account


@dataclass
class Channel:
    """An open channel: who watches what, and where messages go."""

    id: str
    resource_id: str
    resource_uri: str
    address: str
    token: str | None
    expires_at: datetime
    watcher: Account
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


def headers_of(channel: Channel, state: str) -> dict[str, str]:
    """The next message of a channel: all it says is in its headers (facts §9)."""
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
