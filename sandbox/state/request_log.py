"""What came in: every API and token request with its body, so that a test can count writes or hunt for a word
that should never have left the portal.
"""

from __future__ import annotations

import time
from collections import Counter, deque
from dataclasses import asdict, dataclass
from typing import Any

KEEP = 200_000
# `watch`, `stop` and `freebusy.query` are POSTs, but they change nothing in a calendar.
WRITES = ("insert", "patch", "update", "delete", "import", "move", "quickAdd", "clear", "transferOwnership")


def is_write(method_id: str) -> bool:
    """Whether a Calendar API method changes calendars, lists, rules or events."""
    return method_id.startswith("calendar.") and method_id.rsplit(".", 1)[-1] in WRITES


@dataclass
class LoggedRequest:
    """One request, or one part of a batch."""

    n: int
    at: str
    method_id: str
    http_method: str
    path: str
    body: str
    account: str | None = None
    batch: int | None = None
    status: int = 0
    reason: str | None = None
    seconds: float = 0.0
    started: float = 0.0


class RequestLog:
    """The requests since the last reset, newest last, and their counters."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Forget all requests."""
        self.requests: deque[LoggedRequest] = deque(maxlen=KEEP)
        self.by_method: Counter[str] = Counter()
        self.by_status: Counter[str] = Counter()
        self.count = self.writes = self.reads = self.http = self.batches = 0

    def begin(
        self, method_id: str, http_method: str, path: str, body: str, at: str, batch: int | None = None
    ) -> LoggedRequest:
        """Note a request that has just come in."""
        self.count += 1
        request = LoggedRequest(self.count, at, method_id, http_method, path, body, batch=batch)
        request.started = time.perf_counter()
        self.requests.append(request)
        self.by_method[method_id] += 1
        self.http += batch is None
        if method_id.startswith("calendar."):
            self.writes += is_write(method_id)
            self.reads += not is_write(method_id)
        return request

    def end(self, request: LoggedRequest, status: int, reason: str | None) -> None:
        """Note how it went."""
        request.status, request.reason = status, reason
        request.seconds = round(time.perf_counter() - request.started, 6)
        self.by_status[str(status)] += 1

    def counters(self) -> dict[str, Any]:
        """Totals since the last reset. A batch of 50 inserts is one `http` request and 50 `writes`."""
        return {
            "requests": self.count,
            "reads": self.reads,
            "writes": self.writes,
            "http": self.http + self.batches,
            "batches": self.batches,
            "by_method": dict(self.by_method),
            "by_status": dict(self.by_status),
        }

    def show(self, method: str | None, account: str | None, after: int) -> list[dict[str, Any]]:
        """The requests after number `after`, of one method or account if wanted."""
        wanted = [
            request
            for request in self.requests
            if request.n > after
            and method in (None, request.method_id)
            and account in (None, request.account)
        ]
        return [{k: v for k, v in asdict(request).items() if k != "started"} for request in wanted]
