"""What the sandbox remembers: accounts, calendars, calendar-list entries, events. Plain values, no behaviour
of the API: that lives in the module named after each resource.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from sandbox.ground.errors import Json

# Weakest first. `none` never appears here: a person without a role does not see the calendar at all.
ROLES = ("freeBusyReader", "reader", "writerWithoutPrivateAccess", "writer", "owner")


@dataclass
class Entry:
    """A calendar as it stands in one person's list. Its etag is not the calendar's (facts §4)."""

    calendar_id: str
    etag: str
    seq: int
    color_id: str = "14"
    selected: bool = True
    hidden: bool = False
    summary_override: str | None = None
    default_reminders: list[Json] = field(default_factory=list)
    notification_settings: Json | None = None
    deleted: bool = False


@dataclass
class Account:
    """A Google account. `sub` never changes; `email` may, and the primary calendar's id follows it."""

    sub: str
    email: str
    name: str
    hd: str | None
    time_zone: str
    entries: dict[str, Entry] = field(default_factory=dict)
    list_seq: int = 0
    list_epoch: int = 0
    calendars_ever_created: int = 0


@dataclass
class Stored:
    """One event as kept: the resource, its place in the change log, and its instants for filtering."""

    body: Json
    seq: int
    start_at: datetime
    end_at: datetime
    deleted: bool = False
    odd: bool = False  # holds fields that no client could write; given out as it is, never computed with
    listed_at: datetime | None = None  # a fault may keep a new event out of lists until then

    @property
    def id(self) -> str:
        """The event id."""
        return str(self.body["id"])

    @property
    def master_id(self) -> str | None:
        """The series this is an exception of, if it is one."""
        return self.body.get("recurringEventId")

    @property
    def is_master(self) -> bool:
        """Whether this event recurs, and can be expanded."""
        return bool(self.body.get("recurrence")) and not self.odd


@dataclass
class Calendar:
    """A calendar with its events, kept in the order of the last change: see `event/changes.py`."""

    id: str
    kind: str  # primary | secondary | import | holidays
    summary: str
    time_zone: str
    etag: str
    data_owner: str | None = None  # sub
    description: str | None = None
    location: str | None = None
    roles: dict[str, str] = field(default_factory=dict)  # sub -> role
    created_by: tuple[str, int] | None = None  # (project, serial of the grant) when an app made it
    events: dict[str, Stored] = field(default_factory=dict)
    exceptions: dict[str, dict[str, Stored]] = field(
        default_factory=dict
    )  # master id -> instance id -> event
    ical_uids: dict[str, str] = field(default_factory=dict)  # iCalUID -> event id, deleted ones included
    seq: int = 0
    epoch: int = 0  # raised when every sync token of the calendar expires
    acl_epochs: dict[str, int] = field(default_factory=dict)  # sub -> raised when that person's role changes
    forgotten: set[str] = field(default_factory=set)  # ids of events whose tombstones are gone; still taken
    lagging: list[Stored] = field(default_factory=list)
    updated: str = ""

    @property
    def supports_push(self) -> bool:
        """Holidays and subscribed feeds cannot be watched (facts §9)."""
        return self.kind in ("primary", "secondary")
