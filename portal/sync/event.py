"""Events as both sides understand them: frozen values in RFC 5545's terms, compared by what they mean."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
from dataclasses import dataclass
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

FIXED_OFFSET = re.compile(r"([+-])(\d\d):(\d\d)")


@dataclass(frozen=True, slots=True)
class EventTime:
    """A date of an all-day event, or an instant with the zone that gives it its wall time.

    `datetime` is aware and in UTC. `tzid` is an IANA name, or an offset such as "+02:00" where Google gave a
    zone that nobody knows. An end is exclusive (RFC 5545 §3.6.1).
    """

    date: dt.date | None = None
    datetime: dt.datetime | None = None
    tzid: str = "UTC"

    def __post_init__(self) -> None:
        if (self.date is None) == (self.datetime is None):
            raise ValueError("an event time is either a date or an instant")
        if self.datetime is not None and self.datetime.tzinfo is not dt.UTC:
            object.__setattr__(self, "datetime", self.datetime.astimezone(dt.UTC))

    @property
    def is_all_day(self) -> bool:
        return self.date is not None

    @property
    def instant(self) -> dt.datetime:
        """The moment; an all-day date stands for its midnight in UTC, for ordering and look-up only."""
        if self.datetime is not None:
            return self.datetime
        assert self.date is not None
        return dt.datetime.combine(self.date, dt.time(), dt.UTC)

    @property
    def wall(self) -> dt.datetime:
        """The naive wall time in the event's own zone."""
        if self.datetime is None:
            return self.instant.replace(tzinfo=None)
        return self.datetime.astimezone(zone(self.tzid)).replace(tzinfo=None)

    @property
    def key(self) -> str:
        """What names an occurrence by its original start, the same however Google words the zone."""
        if self.date is not None:
            return f"{self.date:%Y%m%d}"
        assert self.datetime is not None
        return f"{self.datetime:%Y%m%dT%H%M%SZ}"

    def to_json(self) -> dict[str, str]:
        if self.date is not None:
            return {"date": self.date.isoformat()}
        assert self.datetime is not None
        return {"datetime": self.datetime.isoformat(), "tzid": self.tzid}

    @classmethod
    def from_json(cls, stored: dict[str, str]) -> EventTime:
        if "date" in stored:
            return cls(date=dt.date.fromisoformat(stored["date"]))
        return cls(datetime=dt.datetime.fromisoformat(stored["datetime"]), tzid=stored["tzid"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Tag:
    """What our events carry in private extended properties: whose they are and what was sent."""

    installation: str
    appointment: str  # the appointment's opaque public id
    event_id: str  # of the event the tag was written on; a copied tag names another one
    revision: int
    times_hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One resource of events.list: a single event, a master, an override, or a tombstone of any of them."""

    event_id: str
    ical_uid: str | None = None  # the same in every calendar that holds the event, and on every date of it
    etag: str = ""
    updated: dt.datetime | None = None
    status: str = "confirmed"
    summary: str = ""
    start: EventTime | None = None  # None in a bare tombstone
    end: EventTime | None = None
    transparency: str = "opaque"
    visibility: str = "default"
    event_type: str = "default"
    self_response: str | None = None
    has_guests: bool = False  # somebody else is invited; who is not kept
    html_link: str | None = None
    recurrence: tuple[str, ...] = ()
    recurring_event_id: str | None = None
    original_start: EventTime | None = None
    tag: Tag | None = None

    @property
    def is_cancelled(self) -> bool:
        return self.status == "cancelled"

    @property
    def is_master(self) -> bool:
        return bool(self.recurrence)

    @property
    def is_override(self) -> bool:
        return self.recurring_event_id is not None

    @property
    def content(self) -> Content | None:
        """The fields of ours that this event holds, or None for a tombstone without times."""
        if self.start is None or self.end is None:
            return None
        return Content(
            summary=self.summary,
            start=self.start,
            end=self.end,
            transparency=self.transparency,
            visibility=self.visibility,
            status=self.status,
            recurrence=self.recurrence,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """The fields of an event that are ours. Everything else on it belongs to the provider."""

    summary: str
    start: EventTime
    end: EventTime
    transparency: str = "opaque"
    visibility: str = "private"
    status: str = "confirmed"
    recurrence: tuple[str, ...] = ()

    def content_hash(self) -> str:
        """Equal exactly when both sides mean the same; the wording of zones and offsets doesn't count."""
        return _hash(
            [
                " ".join(self.summary.split()),
                self.start.key,
                self.end.key,
                self.transparency,
                self.visibility,
                self.status,
                list(self.recurrence),
            ]
        )

    def times_hash(self) -> str:
        return _hash([self.start.key, self.end.key])[:32]

    def same_times(self, other: Content) -> bool:
        return self.times_hash() == other.times_hash()


def zone(tzid: str) -> dt.tzinfo:
    """The zone of an EventTime. Raises ZoneInfoNotFoundError or ValueError for names nobody knows."""
    offset = FIXED_OFFSET.fullmatch(tzid)
    if offset is None:
        try:
            return ZoneInfo(tzid)
        except OSError as error:  # "America" is a folder of zones
            raise ZoneInfoNotFoundError(tzid) from error
    sign = -1 if offset[1] == "-" else 1
    return dt.timezone(sign * dt.timedelta(hours=int(offset[2]), minutes=int(offset[3])))


def _hash(fields: list[object]) -> str:
    return hashlib.sha256(json.dumps(fields, ensure_ascii=False).encode()).hexdigest()
