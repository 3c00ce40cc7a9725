"""Where sources about Google disagree, the sandbox can behave either way: one switch per open question.

The defaults are the stricter or the better attested reading (facts §17.12, §18). Tests should run both.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any


@dataclass
class Switches:
    """All switches with their defaults; `GET /control/switches` shows them, `PATCH` changes them."""

    # Scopes (facts §3)
    app_created_survives_regrant: bool = True  # calendars made under an earlier, revoked grant stay open
    app_created_refusal_is_404: bool = False  # else 403 insufficientPermissions on somebody else's calendar
    owned_means_data_owner: bool = False  # `*.owned` scopes: role owner, or the single data owner only
    # Deleted events (facts §6, §8)
    undelete_by_update: bool = False  # else writing to a deleted event is 403 forbidden
    tombstones_keep_details: bool = False  # cancelled events keep their fields, as the organizer may see
    # Lists (facts §5)
    deltas_keep_window: bool = False  # a delta stays inside the first call's timeMin/timeMax
    sync_query_must_match: bool = True  # other parameters than at first: 400 instead of "undefined"
    extended_property_repeats_or: bool = False  # repeats of one kind: any match instead of all
    # Writes (facts §8)
    identical_writes_keep_etag: bool = False  # writing what is already there changes nothing
    reminders_change_etag: bool = True  # a reminders-only edit gives a new etag (never a new `updated`)
    reimport_updates: bool = False  # events.import of a known iCalUID updates it instead of 409
    move_answers_cancelled: bool = True  # events.move answers status cancelled though all went well
    self_on_secondary_calendars: bool = False  # the owner's attendee row carries `self` there too
    # Consent and grants (facts §2)
    consent_boxes_ticked: bool = True  # Google shows them unticked, with "Select all"
    refresh_tokens_live_seconds: int = 0  # 604800 as for an app in status Testing; 0 for ever
    # Push (facts §9)
    push_http_on_loopback: bool = True  # plain http addresses on 127.0.0.1 and localhost are taken
    push_obeys_robots: bool = True  # no delivery where /robots.txt forbids it
    # Quotas (facts §12)
    quota: bool = False  # 600 units a minute per person, a patch counts three
    quota_units_per_minute: int = 600
    quota_status: int = 403  # or 429
    max_calendars: int = 60  # secondary calendars a person may ever own; deleting gives nothing back

    def show(self) -> dict[str, Any]:
        """All switches as JSON."""
        return asdict(self)

    def reset(self) -> None:
        """Every switch back to its default. The object stays: the courier holds it too."""
        self.change(Switches().show())

    def change(self, changes: dict[str, Any]) -> None:
        """Set some switches. Raises ValueError for an unknown name or another type of value."""
        kinds = {field.name: type(getattr(self, field.name)) for field in fields(self)}
        for name, value in changes.items():
            if name not in kinds or type(value) is not kinds[name]:
                raise ValueError(f"no such switch or wrong type of value: {name}")
        for name, value in changes.items():
            setattr(self, name, value)
