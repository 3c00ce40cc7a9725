"""What Google's answers hold, read from their dictionaries: whatever cannot be one is CalendarUnavailable.

Events are read by `codec.py`, one by one, so that an odd one spoils no other.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from portal.errors import CalendarUnavailable
from portal.google.codec import clean, is_plain

LONGEST_TOKEN = 4000
LONGEST_ID = 255
LONGEST_MILLISECONDS = 14  # digits; until the year 5138
LONGEST_CHANNEL = dt.timedelta(days=30)  # for what Google says of a channel's end


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarEntry:
    """One entry of the account's calendar list."""

    calendar_id: str
    summary: str
    description: str
    access_role: str
    is_primary: bool
    is_hidden: bool
    is_selected: bool
    time_zone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EventPage:
    """One page of events.list: raw resources, decoded one by one so that an odd one spoils no other."""

    items: tuple[Any, ...]
    next_page_token: str | None
    next_sync_token: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """A channel that Google has opened. It ends by itself, perhaps sooner than was asked for."""

    resource_id: str
    expires_at: dt.datetime


def watched(answer: dict[str, Any], *, asked: dt.datetime) -> Watched:
    """The end that Google names; the one that was asked for where it names none that could be."""
    resource_id, expiration = answer.get("resourceId"), str(answer.get("expiration", ""))
    if not is_plain(resource_id, most=LONGEST_ID):
        raise CalendarUnavailable("not-json")
    ends_at = asked
    if expiration.isascii() and expiration.isdigit() and len(expiration) <= LONGEST_MILLISECONDS:
        ends_at = dt.datetime.fromtimestamp(int(expiration) / 1000, dt.UTC)
    return Watched(resource_id=str(resource_id), expires_at=min(ends_at, asked + LONGEST_CHANNEL))


def page(answer: dict[str, Any]) -> EventPage:
    """Google ends every page with a token. What has none is not the whole list, however empty it looks."""
    page_token, sync_token = token(answer, "nextPageToken"), token(answer, "nextSyncToken")
    if page_token is None and sync_token is None:
        raise CalendarUnavailable("no-token")
    return EventPage(items=tuple(items(answer)), next_page_token=page_token, next_sync_token=sync_token)


def token(answer: dict[str, Any], name: str) -> str | None:
    """A page's or a sync token; None where there is none. Raises CalendarUnavailable for one that is none."""
    value = answer.get(name)
    if value is None or value == "":
        return None
    if not is_plain(value, most=LONGEST_TOKEN):
        raise CalendarUnavailable("odd-token")
    return str(value)


def items(answer: dict[str, Any]) -> list[Any]:
    """Raises CalendarUnavailable when there is something else where a list should be."""
    found = answer.get("items", [])
    if not isinstance(found, list):
        raise CalendarUnavailable("not-json")
    return found


def is_deleted(item: Any) -> bool:
    """Whether it only says that a calendar left the list."""
    return isinstance(item, dict) and item.get("deleted") is True


def entry(item: Any) -> CalendarEntry:
    """One entry of calendarList. Raises CalendarUnavailable when it is none."""
    if not isinstance(item, dict):
        raise CalendarUnavailable("not-json")
    its_id = calendar_id(item)
    return CalendarEntry(
        calendar_id=its_id,
        summary=clean(str(item.get("summaryOverride") or item.get("summary") or its_id)),
        description=clean(str(item.get("description") or "")),
        access_role=clean(str(item.get("accessRole", "none"))),
        is_primary=item.get("primary") is True,
        is_hidden=item.get("hidden") is True,
        is_selected=item.get("selected") is True,
        time_zone=clean(str(item.get("timeZone", "UTC"))),
    )


def calendar_id(resource: dict[str, Any]) -> str:
    """The id of a calendar's resource. Raises CalendarUnavailable when it has none."""
    value = resource.get("id")
    if not is_plain(value, most=LONGEST_ID):
        raise CalendarUnavailable("not-json")
    return str(value)
