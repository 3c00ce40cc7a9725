"""The account under test: its one calendar, calls that pace themselves, and the tidying-up.

Whatever is made here carries an id of this run, and is deleted when its test is over.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self, TypeVar

import httplib2
from google.oauth2.credentials import Credentials
from google_auth_httplib2 import AuthorizedHttp
from googleapiclient.discovery import build
from googleapiclient.errors import HttpError

from portal.google.answers import CalendarEntry
from portal.google.client import GoogleClient
from portal.google.tokens import Tokens
from tests.google_contract.access import Access

Json = dict[str, Any]
T = TypeVar("T")

MARKER = "lockstep-contract-suite"
TITLE = "Contract suite (kept between runs)"
ZONE = "America/Chicago"
DEADLINE_SECONDS = 90.0  # changes have taken a minute to be seen (facts §10)
GRACE_PACES = 25  # so many calls' time must pass before what stays unseen counts as left out
RETRIES = 5  # of rate limits and 5xx, by Google's own client


class Untidy(AssertionError):
    """Something of the suite's is still in the calendar."""


@dataclass(frozen=True)
class Refusal:
    """A refused call: status, Google's reason, its message."""

    status: int
    reason: str
    message: str


class Account:
    """One account at one Google, seen with our three scopes."""

    def __init__(self, access: Access) -> None:
        self.access = access
        self.metadata = access.metadata()
        self.run = secrets.token_hex(4)
        self._numbers = itertools.count()
        self._last_call = 0.0
        self._opened: list[Any] = []
        self._made: list[str] = []
        self.client = GoogleClient(
            Tokens(
                refresh_token=access.refresh_token,
                access_token=None,
                expires_at=None,
                token_uri=self.metadata["token_endpoint"],
                client_id=access.client_id,
                client_secret=access.client_secret,
            ),
            endpoint=access.endpoint,
            before_request=self.pace,
        )
        self.http = self.another_http()
        self.service = self._service(self.http)
        self.was_new = False
        self.entry = self._calendar()
        self.calendar_id = self.entry.calendar_id

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for one in self._opened:
            one.close()
        self.client.__exit__(None, None, None)

    # The calendar: found by its marker, made once in an account's life

    def _calendar(self) -> CalendarEntry:
        """The suite's calendar; made when the account has none, and waited for until it is listed."""
        if found := self._marked():
            return found
        self.was_new = True
        self.client.insert_calendar(summary=TITLE, description=self.origin(), time_zone=ZONE)
        return self.until(self._marked)

    def _marked(self) -> CalendarEntry | None:
        marked = [one for one in self.client.list_calendars() if MARKER in one.description]
        return min(marked, key=lambda one: one.calendar_id, default=None)

    def origin(self) -> str:
        """The marker with fingerprints of the consent and the client that the calendar is made under."""
        return f"{MARKER} consent={_print(self.access.refresh_token)} client={_print(self.access.client_id)}"

    # Calls

    def pace(self) -> None:
        """Leave a real Google time between two calls."""
        time.sleep(max(0.0, self._last_call + self.access.pace_seconds - time.monotonic()))
        self._last_call = time.monotonic()

    def another_http(self) -> AuthorizedHttp:
        """A transport of its own, for a thread of its own."""
        credentials = Credentials(
            None,
            refresh_token=self.access.refresh_token,
            token_uri=self.metadata["token_endpoint"],
            client_id=self.access.client_id,
            client_secret=self.access.client_secret,
        )
        http = AuthorizedHttp(credentials, http=httplib2.Http(timeout=60))
        self._opened.append(http)
        return http

    def _service(self, http: AuthorizedHttp) -> Any:
        service = build(
            "calendar", "v3", http=http, static_discovery=True, cache_discovery=False,
            client_options={"api_endpoint": f"{self.access.endpoint}/calendar/v3/"},
        )  # fmt: skip
        self._opened.append(service)
        return service

    def call(self, request: Any, *, etag: str | None = None, http: AuthorizedHttp | None = None) -> Any:
        """One call of Google's own client, retried by it while Google says *later*."""
        self.pace()
        if etag:
            request.headers["If-Match"] = etag
        return request.execute(num_retries=RETRIES, http=http)

    def refusal(self, request: Any, *, etag: str | None = None) -> Refusal:
        """How Google refuses this call. Fails when it does not."""
        refused = self.outcome(request, etag=etag)
        assert isinstance(refused, Refusal), f"not refused: {request.methodId}"
        return refused

    def outcome(
        self, request: Any, *, etag: str | None = None, http: AuthorizedHttp | None = None
    ) -> Refusal | Any:
        """The answer, or how it was refused."""
        try:
            return self.call(request, etag=etag, http=http)
        except HttpError as error:
            return _refusal(error)

    def raw(self, method: str, path: str, headers: dict[str, str] | None = None) -> Any:
        """One call below `/calendar/v3/`, past Google's client: (response, bytes)."""
        self.pace()
        return self.http.request(f"{self.access.endpoint}/calendar/v3/{path}", method, headers=headers)

    # Events of the suite's calendar

    def new_id(self) -> str:
        """An id that no run ever used: a deleted event's id stays taken (facts §8)."""
        return f"contract{self.run}n{next(self._numbers)}"

    def insert(self, **body: Any) -> Json:
        """A new event with an id of ours, if the body brings neither id nor iCalUID."""
        if "iCalUID" not in body:
            body.setdefault("id", self.new_id())
        made: Json = self.call(self.inserting(**body))
        self.owe(made["id"])
        return made

    def inserting(self, **body: Any) -> Any:
        return self.service.events().insert(calendarId=self.calendar_id, body=body, sendUpdates="none")

    def importing(self, **body: Any) -> Any:
        return self.service.events().import_(calendarId=self.calendar_id, body=body)

    def patching(self, event_id: str, **body: Any) -> Any:
        return self.service.events().patch(
            calendarId=self.calendar_id, eventId=event_id, body=body, sendUpdates="none"
        )

    def updating(self, event_id: str, **body: Any) -> Any:
        return self.service.events().update(
            calendarId=self.calendar_id, eventId=event_id, body=body, sendUpdates="none"
        )

    def deleting(self, event_id: str) -> Any:
        return self.service.events().delete(calendarId=self.calendar_id, eventId=event_id, sendUpdates="none")

    def getting(self, event_id: str, **query: Any) -> Any:
        return self.service.events().get(calendarId=self.calendar_id, eventId=event_id, **query)

    def listing(self, **query: Any) -> Any:
        return self.service.events().list(calendarId=self.calendar_id, **query)

    def patch(self, event_id: str, **body: Any) -> Json:
        return self.call(self.patching(event_id, **body))

    def get(self, event_id: str) -> Json:
        return self.call(self.getting(event_id))

    def delete(self, event_id: str) -> None:
        self.call(self.deleting(event_id))

    def pages(self, **query: Any) -> Iterator[Json]:
        """Every page of a list, the last one with its sync token. Loops on the token alone."""
        page_token: str | None = None
        while True:
            page = self.call(self.listing(**query, **({"pageToken": page_token} if page_token else {})))
            yield page
            page_token = page.get("nextPageToken")
            if not page_token:
                return

    def listed(self, **query: Any) -> dict[str, Json]:
        """Every event of a list by its id."""
        return {item["id"]: item for page in self.pages(**query) for item in page.get("items", [])}

    def baseline(self, **query: Any) -> str:
        """The sync token that a whole list ends with."""
        *_, last = self.pages(**query)
        return str(last["nextSyncToken"])

    def instances(self, event_id: str, **query: Any) -> list[Json]:
        request = self.service.events().instances(calendarId=self.calendar_id, eventId=event_id, **query)
        return list(self.call(request).get("items", []))

    # Waiting

    def until(self, look: Callable[[], T | None]) -> T:
        """What `look` sees as soon as it sees something. Fails after the deadline."""
        deadline, wait = time.monotonic() + DEADLINE_SECONDS, 5 * self.access.pace_seconds or 0.01
        while not (seen := look()):
            assert time.monotonic() < deadline, f"not seen within {DEADLINE_SECONDS:.0f} s"
            time.sleep(wait)
        return seen

    def grace(self) -> None:
        """Give what may be late its time, before its absence counts."""
        time.sleep(GRACE_PACES * self.access.pace_seconds)

    # Tidying up

    def owe(self, event_id: str) -> None:
        """Remember an event that must be gone when the test is over."""
        self._made.append(event_id)

    def tidy(self) -> None:
        """Delete what this test has made; what it deleted itself is refused, and that is fine."""
        while self._made:
            self._delete_if_there(self._made.pop())

    def living(self) -> list[str]:
        """Ids of the single events and series in the calendar. Nobody else writes there."""
        fields = "nextPageToken,nextSyncToken,items(id,status,recurringEventId)"
        return [
            key
            for key, event in self.listed(maxResults=2500, fields=fields).items()
            if event.get("status") != "cancelled" and "recurringEventId" not in event
        ]

    def sweep(self) -> bool:
        """Delete what a test, or a run that was killed, has left; whether there was nothing left."""
        left = self.living()
        for event_id in left:
            self._delete_if_there(event_id)
        return not left

    def _delete_if_there(self, event_id: str) -> None:
        answer = self.outcome(self.deleting(event_id))
        assert not isinstance(answer, Refusal) or answer.status in (404, 410), answer

    def require_tidiness(self) -> None:
        """Sweep until lists show nothing more. Raises Untidy when that does not come about."""
        try:
            self.until(self.sweep)
        except AssertionError as error:
            raise Untidy(f"left in the calendar: {len(self.living())} events") from error


@contextmanager
def opened(access: Access) -> Iterator[Account]:
    """An account with an empty calendar, left empty."""
    with Account(access) as account:
        account.sweep()
        yield account
        account.grace()
        account.require_tidiness()


def at(day: int, hour: int = 10, *, minutes: int = 60, month: int = 3, year: int = 2031) -> Json:
    """Start and end of an event on a day far ahead, in the calendar's zone."""
    end_hour, end_minute = divmod(hour * 60 + minutes, 60)
    return {
        "start": {"dateTime": f"{year}-{month:02}-{day:02}T{hour:02}:00:00", "timeZone": ZONE},
        "end": {"dateTime": f"{year}-{month:02}-{day:02}T{end_hour:02}:{end_minute:02}:00", "timeZone": ZONE},
    }


def _print(secret: str) -> str:
    """Enough of a fingerprint to tell two apart, too little to be of use."""
    return hashlib.sha256(secret.encode()).hexdigest()[:8]


def _refusal(error: HttpError) -> Refusal:
    try:
        envelope = json.loads(error.content)["error"]
        return Refusal(error.status_code, envelope["errors"][0]["reason"], envelope["message"])
    except (ValueError, KeyError, TypeError, IndexError):
        return Refusal(error.status_code, "", "")
