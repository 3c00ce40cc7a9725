"""Which events a list wants: window, deleted or not, search terms, properties (facts §5)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sandbox.calls.access import Call
from sandbox.event import recurrence
from sandbox.ground.errors import Json, invalid
from sandbox.ground.model import Calendar, Stored
from sandbox.ground.times import parse_instant

SEARCHED = ("summary", "description", "location")


@dataclass(frozen=True)
class Filter:
    """The filtering parameters of one list call."""

    delta: bool
    show_deleted: bool
    time_min: datetime | None
    time_max: datetime | None
    updated_min: datetime | None
    params: Json
    any_property: bool

    @classmethod
    def of(cls, call: Call, sync: Json | None) -> Filter:
        """From the parameters; a delta may be bound to the first call's window, see the switch."""
        low, high = call.param("timeMin"), call.param("timeMax")
        if sync and call.world.switches.deltas_keep_window:
            low, high = (parse_instant(text) if text else None for text in sync["window"])
        return cls(
            sync is not None,
            bool(call.param("showDeleted")),
            low,
            high,
            call.param("updatedMin"),
            call.params,
            call.world.switches.extended_property_repeats_or,
        )

    @property
    def tells_deleted(self) -> bool:
        """Whether deleted events are part of the answer: in deltas and with updatedMin always."""
        return self.delta or self.show_deleted or self.updated_min is not None

    def keeps(self, calendar: Calendar, stored: Stored) -> bool:
        """With singleEvents=false: single events, masters, exceptions."""
        if stored.deleted and not (self.tells_deleted or _cancelled_date_of_live_series(calendar, stored)):
            return False
        return self._in_window(calendar, stored) and self.keeps_body(stored.body)

    def keeps_single(self, calendar: Calendar, stored: Stored, *, delta: bool) -> bool:
        """With singleEvents=true: single events, exceptions; cancelled ones on request or in a delta."""
        if stored.deleted and not (self.tells_deleted or delta):
            return False
        return self._in_window(calendar, stored) and self.keeps_body(stored.body)

    def keeps_body(self, body: Json) -> bool:
        """The filters that look at the event itself."""
        if self.updated_min and parse_instant(body["updated"]) < self.updated_min:
            return False
        if body["status"] == "cancelled" and (self.delta or self.updated_min):
            return True
        wanted = self.params
        if "iCalUID" in wanted and body.get("iCalUID") != wanted["iCalUID"]:
            return False
        if "eventTypes" in wanted and body.get("eventType", "default") not in wanted["eventTypes"]:
            return False
        if "q" in wanted and not _mentions(body, wanted["q"]):
            return False
        return self._has_properties(body, "private") and self._has_properties(body, "shared")

    def _in_window(self, calendar: Calendar, stored: Stored) -> bool:
        """timeMin bounds the end, timeMax the start, both exclusive."""
        if self.time_min is None and self.time_max is None:
            return True
        if stored.deleted and self.delta:
            return True
        if stored.is_master and not stored.master_id:
            return recurrence.touches(calendar, stored, self.time_min, self.time_max)
        after = self.time_min is None or stored.end_at > self.time_min
        return after and (self.time_max is None or stored.start_at < self.time_max)

    def _has_properties(self, body: Json, kind: str) -> bool:
        constraints = self.params.get(f"{kind}ExtendedProperty", [])
        if not constraints:
            return True
        have: dict[str, Any] = body.get("extendedProperties", {}).get(kind, {})
        verdicts = []
        for constraint in constraints:
            name, sign, value = constraint.partition("=")
            if not sign:
                raise invalid("Invalid value. Expected name=value.", f"{kind}ExtendedProperty")
            verdicts.append(have.get(name) == value)
        return any(verdicts) if self.any_property else all(verdicts)


def _cancelled_date_of_live_series(calendar: Calendar, stored: Stored) -> bool:
    """Such an exception is listed even without showDeleted, as long as its series lives (facts §6)."""
    if stored.master_id is None:
        return False
    master = calendar.events.get(stored.master_id)
    is_exception = stored.id in calendar.exceptions.get(stored.master_id, {})
    return master is not None and not master.deleted and is_exception


def _mentions(body: Json, text: str) -> bool:
    people = [
        str(one.get("email", "")) + str(one.get("displayName", "")) for one in body.get("attendees", [])
    ]
    haystack = " ".join([*(str(body.get(name, "")) for name in SEARCHED), *people]).lower()
    return all(word in haystack for word in text.lower().split())
