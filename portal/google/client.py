"""The Calendar API v3 as this product uses it. Answers are values; failures are CalendarErrors."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import httplib2
from google.oauth2.credentials import Credentials
from google_auth_httplib2 import AuthorizedHttp
from googleapiclient.discovery import build
from googleapiclient.errors import HttpError
from googleapiclient.http import BatchHttpRequest, HttpRequest

from portal.errors import CalendarError, CalendarUnavailable
from portal.google.codec import EVENT_FIELDS, to_google, without_nulls
from portal.google.errors import from_http_error, google_errors
from portal.sync.event import Content, Tag

TIMEOUT_SECONDS = 15
BATCH_MOST = 50  # Google's limit for one batch
LIST_PAGE_SIZE = 2500
CALENDAR_PAGE_SIZE = 250
STRETCH_PAGES = 4
LIST_FIELDS = f"nextPageToken,nextSyncToken,items({EVENT_FIELDS})"


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarEntry:
    """One entry of the account's calendar list."""

    calendar_id: str
    summary: str
    description: str
    access_role: str
    is_primary: bool
    is_hidden: bool
    is_selected: bool
    time_zone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EventPage:
    """One page of events.list: raw resources, decoded one by one so that an odd one spoils no other."""

    items: tuple[Any, ...]
    next_page_token: str | None
    next_sync_token: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """A channel that Google has opened. It ends by itself, perhaps sooner than was asked for."""

    resource_id: str
    expires_at: dt.datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """One part of a batch."""

    verb: str  # insert, patch, delete
    event_id: str
    content: Content | None = None
    tag: Tag | None = None
    if_match: str | None = None


Outcome = dict[str, Any] | CalendarError


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """What is needed to speak for an account."""

    refresh_token: str | None
    access_token: str | None
    expires_at: dt.datetime | None
    token_uri: str
    client_id: str
    client_secret: str


class GoogleClient:
    """One account's calendars, for one run. Not for sharing between threads: httplib2 isn't."""

    def __init__(
        self, tokens: Tokens, *, endpoint: str, before_request: Callable[[], None] = lambda: None
    ) -> None:
        self._before_request = before_request
        self._credentials = Credentials(  # type: ignore[no-untyped-call]
            tokens.access_token,
            refresh_token=tokens.refresh_token,
            token_uri=tokens.token_uri,
            client_id=tokens.client_id,
            client_secret=tokens.client_secret,
            expiry=tokens.expires_at.astimezone(dt.UTC).replace(tzinfo=None) if tokens.expires_at else None,
        )
        self._transport = httplib2.Http(timeout=TIMEOUT_SECONDS)
        self._transport.follow_redirects = False  # Google's API doesn't redirect; nothing else is spoken to
        self._http = AuthorizedHttp(self._credentials, http=self._transport)
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

    # Calendars

    def list_calendars(self) -> list[CalendarEntry]:
        """Every entry of the calendar list, hidden ones included."""
        entries: list[CalendarEntry] = []
        page_token: str | None = None
        while True:
            request = self._service.calendarList().list(
                maxResults=CALENDAR_PAGE_SIZE, showHidden=True, pageToken=page_token
            )
            answer = self._execute(request)
            entries += [_entry(item) for item in _items(answer) if not _is_deleted(item)]
            page_token = answer.get("nextPageToken")
            if not page_token:
                return entries

    def get_calendar_entry(self, calendar_id: str) -> CalendarEntry:
        """The calendar's entry in the account's list. Raises EventNotFound when there is none."""
        return _entry(self._execute(self._service.calendarList().get(calendarId=calendar_id)))

    def show_calendar(self, calendar_id: str) -> None:
        """Make a hidden or unticked calendar visible in the account's list."""
        body = {"hidden": False, "selected": True}
        self._execute(self._service.calendarList().patch(calendarId=calendar_id, body=body))

    def insert_calendar(self, *, summary: str, description: str, time_zone: str) -> str:
        """Make a secondary calendar and return its id. The one write that no id makes idempotent.

        httplib2 may even re-send it by itself, so the caller looks for several calendars afterwards.
        """
        body = {"summary": summary, "description": description, "timeZone": time_zone}
        return str(self._execute(self._service.calendars().insert(body=body))["id"])

    def patch_calendar(self, calendar_id: str, **fields: str) -> None:
        self._execute(self._service.calendars().patch(calendarId=calendar_id, body=fields))

    def delete_calendar(self, calendar_id: str) -> None:
        self._execute(self._service.calendars().delete(calendarId=calendar_id), has_body=False)

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
        return _page(answer)

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
        return _items(answer), answer.get("nextPageToken")

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
        answers: dict[int, tuple[Any, Exception | None]] = {}

        def keep(request_id: str, answer: Any, error: Exception | None) -> None:
            answers[int(request_id)] = answer, error

        batch = BatchHttpRequest(callback=keep, batch_uri=self._batch_uri)
        for number, write in enumerate(writes):
            batch.add(self._write_request(calendar_id, write), request_id=str(number))
        self._before_request()
        try:
            with google_errors():
                batch.execute(http=self._http)
        except (LookupError, ValueError, TypeError, AttributeError) as error:
            raise CalendarUnavailable("not-a-batch") from error  # how the library meets an answer cut short
        return [_outcome(write, *answers[number]) for number, write in enumerate(writes)]

    def _write_request(self, calendar_id: str, write: Write) -> HttpRequest:
        if write.verb == "delete":
            return self._events.delete(calendarId=calendar_id, eventId=write.event_id, sendUpdates="none")
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
        if write.if_match:
            request.headers["If-Match"] = write.if_match
        return request

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
        answer = self._execute(self._events.watch(calendarId=calendar_id, body=body))
        return _watched(answer, asked=expires_at)

    def stop_channel(self, channel_id: str, resource_id: str) -> None:
        """End a channel before its time. Raises EventNotFound when there is none."""
        body = {"id": channel_id, "resourceId": resource_id}
        self._execute(self._service.channels().stop(body=body), has_body=False)

    def _execute(self, request: HttpRequest, *, has_body: bool = True) -> dict[str, Any]:
        """One request, tried once: retries are the run's to judge. A 200 without JSON is no answer."""
        self._before_request()
        try:
            with google_errors():
                answer = request.execute(num_retries=0)
        except UnicodeDecodeError as error:
            raise CalendarUnavailable("not-json") from error
        if has_body and not isinstance(answer, dict):
            raise CalendarUnavailable("not-json")
        return answer if isinstance(answer, dict) else {}


def _outcome(write: Write, answer: Any, error: Exception | None) -> Outcome:
    if isinstance(error, HttpError):
        return from_http_error(error)
    if error is not None:
        return CalendarUnavailable("part")
    if write.verb == "delete":
        return {}
    return answer if isinstance(answer, dict) else CalendarUnavailable("not-json")


def _watched(answer: dict[str, Any], *, asked: dt.datetime) -> Watched:
    resource_id, expiration = answer.get("resourceId"), str(answer.get("expiration", ""))
    if not isinstance(resource_id, str):
        raise CalendarUnavailable("not-json")
    if not expiration.isdigit():
        return Watched(resource_id=resource_id, expires_at=asked)
    return Watched(
        resource_id=resource_id, expires_at=dt.datetime.fromtimestamp(int(expiration) / 1000, dt.UTC)
    )


def _page(answer: dict[str, Any]) -> EventPage:
    """Google ends every page with a token. What has none is not the whole list, however empty it looks."""
    tokens = answer.get("nextPageToken"), answer.get("nextSyncToken")
    if not any(isinstance(token, str) and token for token in tokens):
        raise CalendarUnavailable("no-token")
    return EventPage(items=tuple(_items(answer)), next_page_token=tokens[0], next_sync_token=tokens[1])


def _items(answer: dict[str, Any]) -> list[Any]:
    items = answer.get("items", [])
    if not isinstance(items, list):
        raise CalendarUnavailable("not-json")
    return items


def _is_deleted(item: Any) -> bool:
    return isinstance(item, dict) and item.get("deleted") is True


def _entry(item: Any) -> CalendarEntry:
    if not isinstance(item, dict) or not isinstance(item.get("id"), str):
        raise CalendarUnavailable("not-json")
    return CalendarEntry(
        calendar_id=item["id"],
        summary=str(item.get("summaryOverride") or item.get("summary") or item["id"]),
        description=str(item.get("description") or ""),
        access_role=str(item.get("accessRole", "none")),
        is_primary=item.get("primary") is True,
        is_hidden=item.get("hidden") is True,
        is_selected=item.get("selected") is True,
        time_zone=str(item.get("timeZone", "UTC")),
    )
