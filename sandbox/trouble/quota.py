"""The per-person quota: units in a sliding minute, a patch counting three (facts §8, §12). Off by default."""

from __future__ import annotations

from collections import deque
from datetime import datetime, timedelta

from sandbox.ground.errors import rate_limited
from sandbox.trouble.switches import Switches

WINDOW = timedelta(minutes=1)


def units_of(method_id: str) -> int:
    """What one call costs."""
    return 3 if method_id.endswith(".patch") else 1


class Quota:
    """Units spent in the last minute, per (account, project)."""

    def __init__(self) -> None:
        self.spent: dict[tuple[str, str], deque[tuple[datetime, int]]] = {}

    def clear(self) -> None:
        """Forget what was spent."""
        self.spent.clear()

    def spend(self, who: tuple[str, str], method_id: str, switches: Switches, now: datetime) -> None:
        """Charge a call. Raises a 403 or 429 `rateLimitExceeded` when the minute is used up."""
        if not switches.quota:
            return
        window = self.spent.setdefault(who, deque())
        while window and window[0][0] <= now - WINDOW:
            window.popleft()
        units = units_of(method_id)
        if sum(cost for _, cost in window) + units > switches.quota_units_per_minute:
            raise rate_limited(switches.quota_status, user=True)
        window.append((now, units))
