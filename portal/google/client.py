"""The Calendar API v3 as this product uses it. Answers are values; failures are CalendarErrors."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self, TypeVar

from google_auth_httplib2 import AuthorizedHttp
from googleapiclient.discovery import build
from googleapiclient.errors import HttpError
from googleapiclient.http import BatchHttpRequest, HttpRequest

from portal.errors import CalendarError, CalendarUnavailable
from portal.google import answers
from portal.google.answers import CalendarEntry, EventPage, Watched
from portal.google.codec import EVENT_FIELDS, is_etag, to_google, without_nulls
from portal.google.errors import from_http_error, google_errors
from portal.google.tokens import GrantCredentials, Tokens
from portal.outward import BoundedHttp, Deadline, google
from portal.sync.event import Content, Tag

BATCH_MOST = 50  # Google's limit for one batch
LIST_PAGE_SIZE = 2500
CALENDAR_PAGE_SIZE = 250
STRETCH_PAGES = 4
CALENDAR_PAGES = 40  # ten thousand calendars; a list that goes on longer goes round in a circle
LIST_FIELDS = f"nextPageToken,nextSyncToken,items({EVENT_FIELDS})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """One part of a batch."""

    verb: str  # insert, patch, delete
    event_id: str
    content: Content | None = None
    tag: Tag | None = None
    if_match: str | None = None


Outcome = dict[str, Any] | CalendarError


TryAgain = Callable[[CalendarError, int], bool]  # the error and how often this call has failed by now
T = TypeVar("T")


def never(_: CalendarError, __: int) -> bool:
    """For a page: whoever waits for it tries again by hand."""
    return False


def attempt(call: Callable[[], T], try_again: TryAgain) -> T:
    """The call's answer, perhaps of a second or third try. Raises its last CalendarError."""
    failed = 0
    while True:
        try:
            return call()
        except CalendarError as error:
            failed += 1
            if not try_again(error, failed):
                raise


class GoogleClient:
    """One account's calendars, for one run. Not for sharing between threads: httplib2 isn't."""

    def __init__(
        self,
        tokens: Tokens,
        *,
        endpoint: str,
        before_request: Callable[[], None] = lambda: None,
        try_again: TryAgain = never,
        deadline: Deadline | None = None,
    ) -> None:
        """`before_request`: asked before each. `try_again`: whether a call that may be repeated is, now."""
        self._before_request, self._try_again = before_request, try_again
        self._deadline = deadline or Deadline()
        self._transport = BoundedHttp(google((endpoint, tokens.token_uri)), self._deadline)
        self._credentials = GrantCredentials(tokens, self._transport)
        self._http = AuthorizedHttp(self._credentials, http=self._transport, max_refresh_attempts=1)
        self._batch_uri = f"{endpoint}/batch/calendar/v3"
        self._service = build(
            "calendar",
            "v3",
            http=self._http,
            static_discovery=True,
            cache_discovery=False,
            client_options={"api_endpoint": f"{endpoint}/calendar/v3/"},
        )
        self._events = self._service.events()  # once: the library makes the methods anew for each call

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._service.close()
        self._transport.close()

    @property
    def access_token(self) -> str | None:
        """The access token now in use, for keeping between runs."""
        token = self._credentials.token
        return str(token) if token else None

    @property
    def access_token_expires_at(self) -> dt.datetime | None:
        expiry = self._credentials.expiry
        return expiry.replace(tzinfo=dt.UTC) if isinstance(expiry, dt.datetime) else None

    @property
    def refresh_token(self) -> str | None:
        token = self._credentials.refresh_token
        return str(token) if token else None

    def refresh(self) -> None:
        """Ask for a fresh access token, whether or not the one in use has ended. Raises CalendarError."""
        with self._request():
            self._credentials.refresh(None)

    # Calendars

    def list_calendars(self) -> list[CalendarEntry]:
        """Every entry of the calendar list, hidden ones included."""
        entries: list[CalendarEntry] = []
        page_token: str | None = None
        for _ in range(CALENDAR_PAGES):
            request = self._service.calendarList().list(
                maxResults=CALENDAR_PAGE_SIZE, showHidden=True, pageToken=page_token
            )
            answer = self._execute(request)
            entries += [answers.entry(item) for item in answers.items(answer) if not answers.is_deleted(item)]
            page_token = answers.token(answer, "nextPageToken")
            if page_token is None:
                return entries
        raise CalendarUnavailable("too-many-pages")

    def get_calendar_entry(self, calendar_id: str) -> CalendarEntry:
        """The calendar's entry in the account's list. Raises EventNotFound when there is none."""
        return answers.entry(self._execute(self._service.calendarList().get(calendarId=calendar_id)))

    def show_calendar(self, calendar_id: str) -> None:
        """Make a hidden or unticked calendar visible in the account's list."""
        body = {"hidden": False, "selected": True}
        self._execute(self._service.calendarList().patch(calendarId=calendar_id, body=body))

    def insert_calendar(self, *, summary: str, description: str, time_zone: str) -> str:
        """Make a secondary calendar and return its id. The one write that no id makes idempotent.

        httplib2 may even re-send it by itself, so the caller looks for several calendars afterwards.
        """
        body = {"summary": summary, "description": description, "timeZone": time_zone}
        answer = self._execute(self._service.calendars().insert(body=body), may_repeat=False)
        return answers.calendar_id(answer)

    def patch_calendar(self, calendar_id: str, **fields: str) -> None:
        self._execute(self._service.calendars().patch(calendarId=calendar_id, body=fields))

    def delete_calendar(self, calendar_id: str) -> None:
        """Delete it with all that is in it. Raises EventNotFound when it is gone already."""
        request = self._service.calendars().delete(calendarId=calendar_id)
        self._execute(request, has_body=False, may_repeat=False)

    # Events

    def list_events(
        self,
        calendar_id: str,
        *,
        sync_token: str | None = None,
        page_token: str | None = None,
        fields: str = LIST_FIELDS,
    ) -> EventPage:
        """One page. A token is used again only with the query that gave it, `fields` included (facts §5)."""
        answer = self._execute(
            self._events.list(
                calendarId=calendar_id,
                singleEvents=False,
                maxResults=LIST_PAGE_SIZE,
                syncToken=sync_token,
                pageToken=page_token,
                fields=fields,
            )
        )
        return answers.page(answer)

    def list_stretch(self, calendar_id: str, *, after: dt.datetime, before: dt.datetime) -> list[Any]:
        """What touches a day or two, series date by date, for somebody who waits: a few pages at most."""
        found: list[Any] = []
        page_token: str | None = None
        for _ in range(STRETCH_PAGES):
            items, page_token = self.list_dates(
                calendar_id, after=after, before=before, page_token=page_token
            )
            found += items
            if not page_token:
                return found
        raise CalendarUnavailable("too-many-pages")

    def list_dates(
        self, calendar_id: str, *, after: dt.datetime, before: dt.datetime, page_token: str | None = None
    ) -> tuple[list[Any], str | None]:
        """One page of what touches a stretch of time, series date by date, and the token of the next page."""
        answer = self._execute(
            self._events.list(
                calendarId=calendar_id,
                singleEvents=True,
                timeMin=after.isoformat(),
                timeMax=before.isoformat(),
                maxResults=LIST_PAGE_SIZE,
                pageToken=page_token,
                fields=LIST_FIELDS,
            )
        )
        return answers.items(answer), answers.token(answer, "nextPageToken")

    def probe_events(self, calendar_id: str) -> None:
        """Ask for one event: raises the CalendarError that reading this calendar would meet."""
        self._execute(self._events.list(calendarId=calendar_id, maxResults=1, fields="nextPageToken"))

    def get_event(self, calendar_id: str, event_id: str) -> dict[str, Any]:
        """One event; a deleted one comes back as cancelled. Raises EventNotFound."""
        return self._execute(self._events.get(calendarId=calendar_id, eventId=event_id, fields=EVENT_FIELDS))

    def write_events(self, calendar_id: str, writes: Sequence[Write]) -> list[Outcome]:
        """Send up to 50 writes in one batch; each has its own outcome, in the order given.

        Raises CalendarUnavailable when the batch as a whole went unanswered: any part may have been done.
        """
        told: dict[int, tuple[Any, Exception | None]] = {}

        def keep(request_id: str, answer: Any, error: Exception | None) -> None:
            told[int(request_id)] = answer, error

        batch = BatchHttpRequest(callback=keep, batch_uri=self._batch_uri)
        for number, write in enumerate(writes):
            batch.add(self._write_request(calendar_id, write), request_id=str(number))
        with self._request():
            batch.execute(http=self._http)
        return [_outcome(write, *told[number]) for number, write in enumerate(writes)]

    def _write_request(self, calendar_id: str, write: Write) -> HttpRequest:
        if write.verb == "delete":
            request = self._events.delete(calendarId=calendar_id, eventId=write.event_id, sendUpdates="none")
            return _only_if(request, write.if_match)
        assert write.content is not None
        assert write.tag is not None
        body = to_google(write.content, write.tag)
        if write.verb == "insert":
            body = {"id": write.event_id, **without_nulls(body)}
            return self._events.insert(
                calendarId=calendar_id, body=body, sendUpdates="none", fields=EVENT_FIELDS
            )
        request = self._events.patch(
            calendarId=calendar_id, eventId=write.event_id, body=body, sendUpdates="none", fields=EVENT_FIELDS
        )
        return _only_if(request, write.if_match)

    # Push

    def watch_events(
        self, calendar_id: str, *, channel_id: str, secret: str, address: str, expires_at: dt.datetime
    ) -> Watched:
        """Have changes told at `address`. The first message may be there before the answer (facts §9)."""
        body = {
            "id": channel_id,
            "type": "web_hook",
            "address": address,
            "token": secret,
            "expiration": str(int(expires_at.timestamp() * 1000)),
        }
        answer = self._execute(self._events.watch(calendarId=calendar_id, body=body), may_repeat=False)
        return answers.watched(answer, asked=expires_at)

    def stop_channel(self, channel_id: str, resource_id: str) -> None:
        """End a channel before its time. Raises EventNotFound when there is none."""
        body = {"id": channel_id, "resourceId": resource_id}
        self._execute(self._service.channels().stop(body=body), has_body=False)

    def _execute(
        self, request: HttpRequest, *, has_body: bool = True, may_repeat: bool = True
    ) -> dict[str, Any]:
        """One request; whether a failed one is sent again is the run's to judge, not the library's.

        `may_repeat`: whether a lost answer leaves nothing behind that a second try would double or trip over.
        """
        try_again = self._try_again if may_repeat else never
        return attempt(lambda: self._execute_once(request, has_body=has_body), try_again)

    def _execute_once(self, request: HttpRequest, *, has_body: bool) -> dict[str, Any]:
        """A 200 without a JSON object is no answer."""
        with self._request():
            answer = request.execute(num_retries=0)
        if has_body and not isinstance(answer, dict):
            raise CalendarUnavailable("not-json")
        return answer if isinstance(answer, dict) else {}

    @contextmanager
    def _request(self) -> Iterator[None]:
        """Around all that one request sends: its deadline, and our errors for what may go wrong."""
        self._before_request()
        self._deadline.begin()
        with google_errors():
            yield


def _only_if(request: HttpRequest, etag: str | None) -> HttpRequest:
    """The same request, refused with 412 unless the event still has this etag. None: whatever it has."""
    if etag:
        request.headers["If-Match"] = etag
    return request


def _outcome(write: Write, answer: Any, error: Exception | None) -> Outcome:
    if isinstance(error, HttpError):
        return from_http_error(error)
    if error is not None:
        return CalendarUnavailable("part")
    if write.verb == "delete":
        return {}
    is_event = isinstance(answer, dict) and is_etag(answer.get("etag"))
    return answer if is_event else CalendarUnavailable("not-json")
