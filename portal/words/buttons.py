"""A button as a value: what it says, and where it leads; the template makes the link or the form of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal


@dataclass(frozen=True, slots=True)
class Button:
    """`values` are those of the address. With "get" and no endpoint they are sent to the page itself."""

    label: str
    endpoint: str = ""
    method: Literal["link", "post", "get"] = "link"
    values: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))
    anchor: str = ""
    address: str = ""  # outside the portal, in place of an endpoint


def post(label: str, endpoint: str) -> Button:
    """A button of a form of its own."""
    return Button(label, endpoint, "post")


RECONNECT = post("Reconnect", "sync.connecting.begin_consent")
CREATE_AGAIN = post("Create again", "sync.create_again")
SYNC_NOW = post("Sync now", "sync.sync_now")
ANSWER = Button("Answer", "sync.changes.index")
CHOOSE_AGAIN = Button("Choose again", "sync.connecting.calendars")
