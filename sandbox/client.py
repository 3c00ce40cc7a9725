"""The control API from Python: what tests and the demo use instead of writing JSON by hand."""

from __future__ import annotations

import json
from http.client import HTTPConnection
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

Json = dict[str, Any]


class ControlRefused(Exception):
    """The control API answered something else than 200."""


class SandboxClient:
    """Talks to `/control/` of a sandbox, in this process or another."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        self.metadata_url = f"{self.url}/.well-known/openid-configuration"
        self.api_endpoint = f"{self.url}/calendar/v3/"
        self.batch_uri = f"{self.url}/batch/calendar/v3"

    def control(self, method: str, path: str, body: Json | None = None) -> Any:
        """One control call; `path` is below `/control`."""
        connection = HTTPConnection(urlsplit(self.url).netloc, timeout=30)
        try:
            payload = None if body is None else json.dumps(body)
            connection.request(method, f"/control{path}", payload, {"Content-Type": "application/json"})
            response = connection.getresponse()
            answer = json.loads(response.read() or b"null")
        finally:
            connection.close()
        if response.status != 200:
            raise ControlRefused(f"{method} {path}: {response.status} {answer}")
        return answer

    def reset(self, seed: str | None = None) -> None:
        """Empty the sandbox, or plant `demo`."""
        self.control("POST", "/reset", {"seed": seed})

    def add_account(self, email: str, **options: Any) -> Json:
        """A new account: `hd`, `name`, `time_zone`."""
        return dict(self.control("POST", "/accounts", {"email": email, **options}))

    def authorize(self, email: str, *scopes: str, **options: Any) -> Json:
        """Tokens for an account without the consent pages. Short scope names are completed."""
        return dict(self.control("POST", "/grants", {"account": email, "scopes": list(scopes), **options}))

    def add_calendar(self, email: str, summary: str, **options: Any) -> Json:
        """A calendar as the person would add it: `kind`, `accessRole`, `id`, `timeZone`."""
        return dict(self.control("POST", _path(email, "calendars"), {"summary": summary, **options}))

    def change_calendar(self, email: str, calendar_id: str, **changes: Any) -> Json:
        """`accessRole`, `hidden`, `selected`, `summary`, `summaryOverride`."""
        return dict(self.control("PATCH", _path(email, "calendars", calendar_id), changes))

    def delete_calendar(self, email: str, calendar_id: str) -> None:
        """As the person deletes it in Google."""
        self.control("DELETE", _path(email, "calendars", calendar_id))

    def calendars(self, email: str) -> list[Json]:
        """All calendars of an account, hidden ones included."""
        return list(self.control("GET", _path(email, "calendars"))["items"])

    def events(self, email: str, calendar_id: str = "primary", *, deleted: bool = False) -> list[Json]:
        """All events as stored: masters, exceptions, every field; deleted ones only on request."""
        query = "?deleted=true" if deleted else ""
        return list(self.control("GET", _path(email, "calendars", calendar_id, "events") + query)["items"])

    def add_event(self, email: str, calendar_id: str = "primary", **body: Any) -> Json:
        """As the person adds one."""
        return dict(self.control("POST", _path(email, "calendars", calendar_id, "events"), body))

    def change_event(self, email: str, calendar_id: str, event_id: str, **changes: Any) -> Json:
        """As the person edits one; `null` removes a field."""
        path = _path(email, "calendars", calendar_id, "events", event_id)
        return dict(self.control("PATCH", path, changes))

    def delete_event(self, email: str, calendar_id: str, event_id: str) -> None:
        """As the person deletes one."""
        self.control("DELETE", _path(email, "calendars", calendar_id, "events", event_id))

    def act_on_event(self, email: str, calendar_id: str, event_id: str, act: str, **options: Any) -> Json:
        """`move` (destination=…), `duplicate`, `restore`, `hide` (seconds=…), `purge`, `distort` (fields)."""
        path = _path(email, "calendars", calendar_id, "events", event_id, act)
        return dict(self.control("POST", path, options))

    def add_fault(self, kind: str, **options: Any) -> Json:
        """Plan trouble; see the README for kinds and options."""
        return dict(self.control("POST", "/faults", {"kind": kind, **options}))

    def clear_faults(self) -> None:
        """No more trouble."""
        self.control("DELETE", "/faults")

    def switch(self, **changes: Any) -> Json:
        """Change switches; answers all of them."""
        return dict(self.control("PATCH", "/switches", changes))

    def requests(self, **filters: Any) -> Json:
        """The request log: `counters` and `requests`; filters `method`, `account`, `after`."""
        return dict(self.control("GET", "/requests?" + urlencode(filters)))

    def writes(self) -> int:
        """Mutating Calendar API calls since the last reset of the log, batch parts counted one by one."""
        return int(self.requests(after=10**12)["counters"]["writes"])

    def reset_requests(self) -> Json:
        """Start counting anew; answers the old counters."""
        return dict(self.control("POST", "/requests/reset", {}))


def _path(email: str, *parts: str) -> str:
    return "/accounts/" + "/".join(quote(part, safe="") for part in (email, *parts))
