"""Planned trouble: what should go wrong, for which requests, how often.

A fault names a kind, a pattern of method ids (`calendar.events.*`, `oauth.token`, `push`), perhaps an
account, and how many times it strikes (or with which probability, from its own seed).
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from sandbox.ground import errors
from sandbox.ground.errors import GoogleError, Json

# Refusals: kind -> the error that Google would give.
REFUSALS = {
    "rate_limit": lambda fault: errors.rate_limited(fault.status or 403, fault.retry_after),
    "user_rate_limit": lambda fault: errors.rate_limited(fault.status or 403, fault.retry_after, user=True),
    "quota_exceeded": lambda fault: errors.quota_exceeded(),
    "backend_error": lambda fault: errors.backend_error(fault.status or 503),
    "full_sync_required": lambda fault: errors.full_sync_required(),
    "invalid_sync_token": lambda fault: errors.invalid_sync_token(),
    "invalid_page_token": lambda fault: errors.invalid("Invalid page token value.", "pageToken"),
    "condition_not_met": lambda fault: errors.condition_not_met(),
    "not_found": lambda fault: errors.not_found(),
    "forbidden": lambda fault: errors.forbidden(),
    "insufficient_permissions": lambda fault: errors.insufficient_permissions(),
    "auth_error": lambda fault: errors.auth_error(),
    "duplicate": lambda fault: errors.duplicate(),
}
# Troubles of the wire and of time, acted out where the request is answered.
EFFECTS = (
    "latency",  # answer after `seconds`
    "hang",  # say nothing for `seconds` (default 120), then drop the connection
    "reset",  # reset the connection, nothing done
    "close",  # close the connection cleanly without an answer, nothing done
    "lost_answer",  # do it, then reset the connection
    "malformed_json",  # do it, answer 200 with half a JSON document
    "empty_page",  # a list page without items but with nextPageToken
    "delayed_visibility",  # a new event stays out of lists for `seconds`
    "invalid_grant",  # oauth.token: the grant is refused
    "push_drop", "push_duplicate", "push_reorder", "push_delay",  # method `push`
)  # fmt: skip


@dataclass
class Fault:
    """One planned trouble. `times=None` means for ever."""

    id: int
    kind: str
    method: str = "*"
    account: str | None = None
    calendar: str | None = None
    params: list[str] = field(default_factory=list)  # strikes only when all these parameters were sent
    times: int | None = 1
    skip: int = 0
    probability: float = 1.0
    seed: int = 0
    status: int | None = None
    retry_after: int | None = None
    seconds: float | None = None
    struck: int = 0

    def __post_init__(self) -> None:
        self.dice = random.Random(self.seed)

    def strikes(self, method: str, account: str | None, calendar: str | None, params: Json) -> bool:
        """Whether this fault hits the request now; counts down."""
        if self.times == 0 or not fnmatchcase(method, self.method):
            return False
        if self.account not in (None, account) or not self._is_here(account, calendar):
            return False
        if not all(name in params for name in self.params):
            return False
        if self.skip:
            self.skip -= 1
            return False
        if self.dice.random() >= self.probability:
            return False
        self.struck += 1
        if self.times is not None:
            self.times -= 1
        return True

    def _is_here(self, account: str | None, calendar: str | None) -> bool:
        """`primary` in a request is the account's own address."""
        return self.calendar in (None, calendar) or (calendar == "primary" and self.calendar == account)

    def show(self) -> Json:
        """The fault as JSON."""
        return {name: value for name, value in vars(self).items() if name != "dice"}


class Faults:
    """The plan: all faults, oldest first."""

    def __init__(self) -> None:
        self.plan: list[Fault] = []
        self.number = 0

    def clear(self) -> None:
        """No more trouble."""
        self.plan.clear()

    def add(self, kind: str, **options: Any) -> Fault:
        """Plan a fault. Raises ValueError for an unknown kind, TypeError for an unknown option."""
        if kind not in REFUSALS and kind not in EFFECTS:
            raise ValueError(f"no such kind of fault: {kind}")
        self.number += 1
        fault = Fault(self.number, kind, **options)
        self.plan.append(fault)
        return fault

    def remove(self, number: int) -> bool:
        """Drop one fault; False when there is none of this number."""
        before = len(self.plan)
        self.plan = [fault for fault in self.plan if fault.id != number]
        return len(self.plan) < before

    def strike(
        self,
        method: str,
        account: str | None = None,
        calendar: str | None = None,
        params: Json | None = None,
    ) -> list[Fault]:
        """The faults that hit this request."""
        return [fault for fault in self.plan if fault.strikes(method, account, calendar, params or {})]


def refusal_of(faults: list[Fault]) -> GoogleError | None:
    """The error that the first refusing fault stands for."""
    for fault in faults:
        if make := REFUSALS.get(fault.kind):
            return make(fault)
    return None
