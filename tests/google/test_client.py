"""The client against the sandbox, and against servers that answer nonsense."""

from __future__ import annotations

import datetime as dt
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from portal.errors import (
    AccessRefused,
    AuthorizationExpired,
    CalendarError,
    CalendarUnavailable,
    Conflict,
    EtagMismatch,
    EventNotFound,
    LeaseLost,
    PermissionDenied,
    SyncTokenExpired,
)
from portal.google.client import GoogleClient, Write
from portal.google.codec import EVENT_FIELDS, from_google
from portal.google.oauth import CALENDAR_SCOPES
from portal.google.tokens import Tokens
from portal.sync.event import Content, EventTime, Tag
from sandbox import serve
from sandbox.client import SandboxClient

EMAIL = "wren.hale@example.com"
CLIENT = {"client_id": "lockstep-sandbox-client", "client_secret": "lockstep-sandbox-secret"}
NOON = dt.datetime(2026, 11, 18, 18, 0, tzinfo=dt.UTC)


@pytest.fixture(scope="module")
def server() -> Iterator[SandboxClient]:
    with serve() as sandbox:
        yield sandbox


@pytest.fixture
def google(server: SandboxClient) -> SandboxClient:
    """The sandbox with one account and nothing in it."""
    server.reset()
    server.clear_faults()
    server.add_account(EMAIL, time_zone="America/Chicago")
    return server


def client_for(google: SandboxClient, **changes: Any) -> GoogleClient:
    grant = google.authorize(EMAIL, "openid", "email", *CALENDAR_SCOPES, client_id=CLIENT["client_id"])
    values: dict[str, Any] = {
        "refresh_token": grant["refresh_token"],
        "access_token": grant["access_token"],
        "expires_at": dt.datetime.now(dt.UTC) + dt.timedelta(hours=1),
        "token_uri": f"{google.url}/token",
        **CLIENT,
    }
    before_request = changes.pop("before_request", lambda: None)
    return GoogleClient(Tokens(**{**values, **changes}), endpoint=google.url, before_request=before_request)


@pytest.fixture
def client(google: SandboxClient) -> Iterator[GoogleClient]:
    with client_for(google) as client:
        yield client


@pytest.fixture
def calendar_id(client: GoogleClient, google: SandboxClient) -> str:
    """A calendar that the client made, so that it may write there."""
    made = client.insert_calendar(summary="Lockstep", description="lockstep:x", time_zone="America/Chicago")
    google.reset_requests()
    return made


def write(verb: str, number: int = 0, *, hours: int = 0, **changes: Any) -> Write:
    """A write of event number `number`."""
    content = Content(
        summary=f"10{number}",
        start=EventTime(datetime=NOON + dt.timedelta(hours=hours), tzid="America/Chicago"),
        end=EventTime(datetime=NOON + dt.timedelta(hours=hours + 1), tzid="America/Chicago"),
    )
    event_id = f"abcde{number:03d}"
    tag = Tag(
        installation="inst", appointment=f"a{number}", event_id=event_id, revision=1,
        times_hash=content.times_hash(),
    )  # fmt: skip
    return Write(**{"verb": verb, "event_id": event_id, "content": content, "tag": tag, **changes})


def kinds(outcomes: list[Any]) -> list[Any]:
    return [type(outcome) for outcome in outcomes]


# Batches


def test_a_batch_of_fifty_with_mixed_outcomes_keeps_their_order(
    client: GoogleClient, calendar_id: str, google: SandboxClient
) -> None:
    client.write_events(calendar_id, [write("insert", number) for number in range(0, 50, 5)])
    google.delete_event(EMAIL, calendar_id, "abcde010")
    writes = [write("insert", number) for number in range(50)]
    writes[5] = write("patch", 5, hours=1)
    writes[10] = write("delete", 10)
    writes[15] = write("delete", 15)
    writes[20] = write("patch", 20, hours=1, if_match='"stale"')
    writes[25] = write("delete", 999)
    expected: list[Any] = [Conflict if number % 5 == 0 else dict for number in range(50)]
    expected[5], expected[10], expected[15] = dict, EventNotFound, dict
    expected[20], expected[25] = EtagMismatch, EventNotFound
    outcomes = client.write_events(calendar_id, writes)
    assert kinds(outcomes) == expected
    done = {number: outcome for number, outcome in enumerate(outcomes) if isinstance(outcome, dict)}
    assert all(each["id"] == writes[number].event_id for number, each in done.items() if number != 15)
    assert google.requests()["counters"]["batches"] == 2


def test_what_was_written_is_read_back_as_it_was_meant(client: GoogleClient, calendar_id: str) -> None:
    sent = write("insert", 1)
    (outcome,) = client.write_events(calendar_id, [sent])
    assert isinstance(outcome, dict)
    (listed,) = client.list_events(calendar_id).items
    for resource in (outcome, listed, client.get_event(calendar_id, sent.event_id)):
        event = from_google(resource)
        assert sent.content is not None and event.content is not None
        assert event.content.content_hash() == sent.content.content_hash()
        assert event.tag == sent.tag


def test_a_patch_is_refused_unless_the_event_is_as_agreed(client: GoogleClient, calendar_id: str) -> None:
    """Failure 21."""
    (first,) = client.write_events(calendar_id, [write("insert", 1)])
    assert isinstance(first, dict)
    agreed = write("patch", 1, hours=1, if_match=first["etag"])
    (second,) = client.write_events(calendar_id, [agreed])
    assert isinstance(second, dict)
    assert second["etag"] != first["etag"]
    assert kinds(client.write_events(calendar_id, [agreed])) == [EtagMismatch]
    assert kinds(client.write_events(calendar_id, [write("patch", 1, if_match="*")])) == [dict]


def test_a_lost_answer_of_a_batch_says_that_nothing_is_known(
    client: GoogleClient, calendar_id: str, google: SandboxClient
) -> None:
    """Failure 4: the writes may have been done, so their ids must be our own."""
    google.add_fault("lost_answer", method="calendar.events.insert", times=1)
    with pytest.raises(CalendarUnavailable):
        client.write_events(calendar_id, [write("insert", number) for number in range(3)])
    again = client.write_events(calendar_id, [write("insert", number) for number in range(3)])
    assert all(isinstance(outcome, Conflict | dict) for outcome in again)
    assert len(google.events(EMAIL, calendar_id)) == 3


def test_one_broken_part_leaves_the_others_alone(
    client: GoogleClient, calendar_id: str, google: SandboxClient
) -> None:
    google.add_fault("backend_error", method="calendar.events.insert", times=1, skip=1)
    outcomes = client.write_events(calendar_id, [write("insert", number) for number in range(3)])
    assert kinds(outcomes) == [dict, CalendarUnavailable, dict]


# What is asked


def test_only_the_fields_that_are_kept_are_fetched(
    client: GoogleClient, calendar_id: str, google: SandboxClient
) -> None:
    """Failure 47: what isn't fetched can't leak."""
    private = {"description": "Canary", "location": "Canary", "attendees": [{"email": "canary@example.com"}]}
    times = {"dateTime": "2026-11-18T12:00:00-06:00", "timeZone": "America/Chicago"}
    google.add_event(EMAIL, calendar_id, summary="Lunch", start=times, end=times, **private)
    (listed,) = client.list_events(calendar_id).items
    top = {field.partition("(")[0].partition("/")[0] for field in _split(EVENT_FIELDS)}
    assert listed.keys() <= top
    assert "canary" not in json.dumps(listed).lower()
    assert "canary" not in json.dumps(client.get_event(calendar_id, listed["id"])).lower()


def _split(fields: str) -> list[str]:
    """A fields mask at its top-level commas."""
    depth, parts = 0, [""]
    for letter in fields:
        depth += {"(": 1, ")": -1}.get(letter, 0)
        if letter == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += letter
    return parts


def test_the_query_of_a_list_is_the_same_on_every_call(client: GoogleClient, calendar_id: str) -> None:
    """Failure 46: a sync token answers only the query that it came from."""
    first = client.list_events(calendar_id)
    assert first.next_page_token is None
    delta = client.list_events(calendar_id, sync_token=first.next_sync_token)
    assert (delta.items, delta.next_page_token) == ((), None)
    with pytest.raises(SyncTokenExpired):
        client.list_events(calendar_id, sync_token="no token of Google's")


def test_the_provider_of_the_lease_is_asked_before_every_request(google: SandboxClient) -> None:
    """A run that was fenced off sends nothing more."""
    calls: list[str] = []

    def refuse() -> None:
        calls.append("asked")
        raise LeaseLost

    with client_for(google, before_request=refuse) as client:
        google.reset_requests()
        attempts: list[Callable[[], object]] = [
            client.list_calendars,
            lambda: client.insert_calendar(summary="x", description="x", time_zone="UTC"),
            lambda: client.patch_calendar("c", summary="x"),
            lambda: client.delete_calendar("c"),
            lambda: client.show_calendar("c"),
            lambda: client.list_events("c"),
            lambda: client.probe_events("c"),
            lambda: client.list_dates("c", after=NOON, before=NOON),
            lambda: client.get_event("c", "e"),
            lambda: client.write_events("c", [write("insert")]),
        ]
        for attempt in attempts:
            with pytest.raises(LeaseLost):
                attempt()
    assert len(calls) == len(attempts)
    assert google.requests()["requests"] == []


# Calendars


def test_calendars_are_listed_whole_and_hidden_ones_too(client: GoogleClient, google: SandboxClient) -> None:
    shared = google.add_calendar(EMAIL, "Shared", accessRole="reader")
    google.change_calendar(EMAIL, shared["id"], hidden=True, summaryOverride="Ours")
    entries = {entry.summary: entry for entry in client.list_calendars()}
    assert entries["Ours"].access_role == "reader"
    assert entries["Ours"].is_hidden
    assert [entry.calendar_id for entry in entries.values() if entry.is_primary] == [EMAIL]
    client.show_calendar(client.insert_calendar(summary="Lockstep", description="", time_zone="UTC"))


def test_a_calendar_that_is_not_ours_cannot_be_written(client: GoogleClient) -> None:
    outcomes = client.write_events(EMAIL, [write("insert")])
    assert len(outcomes) == 1
    assert isinstance(outcomes[0], CalendarError)
    with pytest.raises(CalendarError):
        client.delete_calendar(EMAIL)


# The grant


def test_an_expired_access_token_is_refreshed_by_itself_and_can_be_kept(google: SandboxClient) -> None:
    """Failure 27."""
    past = dt.datetime.now(dt.UTC) - dt.timedelta(minutes=1)
    with client_for(google, access_token="old", expires_at=past) as client:
        assert client.list_calendars()
        assert client.access_token not in (None, "old")
        assert client.access_token_expires_at is not None
        assert client.access_token_expires_at > dt.datetime.now(dt.UTC)


def test_a_revoked_grant_is_known_as_such(google: SandboxClient, client: GoogleClient) -> None:
    google.add_fault("invalid_grant", method="oauth.token", times=None)
    past = dt.datetime.now(dt.UTC) - dt.timedelta(minutes=1)
    with client_for(google, expires_at=past) as revoked, pytest.raises(AuthorizationExpired):
        revoked.list_calendars()


def test_a_token_that_google_refuses_again_after_a_refresh_is_no_lost_grant(
    google: SandboxClient, client: GoogleClient
) -> None:
    """Failure 29: only the token endpoint has the last word; it is asked once."""
    google.add_fault("auth_error", method="calendar.calendarList.list", times=None)
    google.reset_requests()
    with pytest.raises(AccessRefused):
        client.list_calendars()
    assert google.requests()["counters"]["by_method"]["oauth.token"] == 1


def test_without_a_refresh_token_the_provider_must_reconnect(google: SandboxClient) -> None:
    past = dt.datetime.now(dt.UTC) - dt.timedelta(minutes=1)
    with (
        client_for(google, refresh_token=None, expires_at=past) as client,
        pytest.raises(AuthorizationExpired),
    ):
        client.list_calendars()


@pytest.mark.parametrize("kind", ["reset", "close", "lost_answer", "malformed_json", "backend_error"])
def test_trouble_on_the_way_is_one_error(google: SandboxClient, client: GoogleClient, kind: str) -> None:
    # httplib2 asks again by itself when the connection is closed without an answer, hence more than once
    google.add_fault(kind, method="calendar.calendarList.list", times=None)
    with pytest.raises(CalendarUnavailable):
        client.list_calendars()


def test_a_refusal_is_not_tried_again_by_the_library(google: SandboxClient, client: GoogleClient) -> None:
    """Retries are the run's to judge: it knows of Retry-After and of its lease."""
    google.add_fault("forbidden", method="calendar.calendarList.list", times=None)
    google.reset_requests()
    with pytest.raises(PermissionDenied):
        client.list_calendars()
    assert len(google.requests()["requests"]) == 1


# Servers that answer nonsense


class Nonsense(BaseHTTPRequestHandler):
    """Gives the same answer to everything, and keeps what was asked."""

    status = 200
    headers_out: tuple[tuple[str, str], ...] = ()
    body = b""
    asked: list[str]

    def _answer(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        self.rfile.read(length)
        self.asked.append(f"{self.command} {self.path}")
        self.send_response(self.status)
        for name, value in self.headers_out:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)

    do_GET = do_POST = do_PATCH = do_DELETE = _answer  # noqa: N815 (the names that the server looks for)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@contextmanager
def nonsense(status: int, body: bytes, **headers: str) -> Iterator[tuple[GoogleClient, list[str]]]:
    """A client of such a server, and the list of what it asked."""
    fields = {
        "status": status,
        "body": body,
        "headers_out": tuple((name.replace("_", "-"), value) for name, value in headers.items()),
        "asked": [],
    }
    handler = type("Handler", (Nonsense,), fields)
    with HTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        endpoint = f"http://127.0.0.1:{server.server_port}"
        tokens = Tokens(
            refresh_token="r", access_token="a", token_uri=f"{endpoint}/token", **CLIENT,
            expires_at=dt.datetime.now(dt.UTC) + dt.timedelta(hours=1),
        )  # fmt: skip
        with GoogleClient(tokens, endpoint=endpoint) as client:
            yield client, handler.asked  # type: ignore[attr-defined]
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b'{"items": [', b"[]", b"7", b'"text"', b"null", b"\xff\xfe"]
)
def test_a_200_that_is_no_json_object_is_trouble_and_not_an_empty_list(body: bytes) -> None:
    """Failure 12."""
    with nonsense(200, body, Content_Type="application/json") as (client, _):
        for call in (
            client.list_calendars,
            lambda: client.list_events("c"),
            lambda: client.get_event("c", "e"),
        ):
            with pytest.raises(CalendarUnavailable):
                call()


@pytest.mark.parametrize("body", [b"{}", b'{"items": []}', b'{"nextSyncToken": ""}', b'{"nextPageToken": 7}'])
def test_a_list_without_a_token_is_not_the_whole_list(body: bytes) -> None:
    """Failures 12 and 13: taken as complete, it would sweep everything away."""
    served = nonsense(200, body, Content_Type="application/json")
    with served as (client, _), pytest.raises(CalendarUnavailable):
        client.list_events("c")


@pytest.mark.parametrize("items", [None, "x", 7, {"id": "e0"}])
def test_items_that_are_no_list_are_trouble(items: Any) -> None:
    body = json.dumps({"items": items, "nextSyncToken": "t"}).encode()
    with nonsense(200, body, Content_Type="application/json") as (client, _):
        with pytest.raises(CalendarUnavailable):
            client.list_events("c")
        with pytest.raises(CalendarUnavailable):
            client.list_calendars()


BOUNDARY = "multipart/mixed; boundary=b"


def part(content_id: str, http: str) -> str:
    return f"--b\r\nContent-Type: application/http\r\n{content_id}\r\n{http}\r\n"


ANSWERS: dict[str, tuple[str, str]] = {
    "a page": ("text/html", "<html>"),
    "no parts": (BOUNDARY, "--b--"),
    "a part without an id": (BOUNDARY, part("", "HTTP/1.1 200 OK\r\n\r\n{}") + "--b--"),
    "a part of another batch": (
        BOUNDARY,
        part("Content-ID: <response-x + 77>\r\n", "HTTP/1.1 200 OK\r\n\r\n{}") + "--b--",
    ),
    "a part without a status": (BOUNDARY, part("Content-ID: <response-x + 0>\r\n", "nonsense") + "--b--"),
}


@pytest.mark.parametrize(("content_type", "body"), ANSWERS.values(), ids=ANSWERS.keys())
def test_a_batch_that_cannot_be_taken_apart_is_unanswered(content_type: str, body: str) -> None:
    served = nonsense(200, body.encode(), Content_Type=content_type)
    with served as (client, _), pytest.raises(CalendarUnavailable):
        client.write_events("c", [write("insert")])


def test_a_batch_answer_without_a_type_is_unanswered() -> None:
    with nonsense(200, b"") as (client, _), pytest.raises(CalendarUnavailable):
        client.write_events("c", [write("insert")])


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_redirects_are_not_followed(status: int) -> None:
    """The access token goes to Google's address and to no other."""
    with nonsense(200, b"{}") as (elsewhere, asked_elsewhere):
        address = elsewhere._batch_uri
        with nonsense(status, b"", Location=address) as (client, asked):
            calls: list[Callable[[], object]] = [
                client.list_calendars,
                lambda: client.list_events("c"),
                lambda: client.write_events("c", [write("insert")]),
                lambda: client.delete_calendar("c"),
            ]
            for call in calls:
                with pytest.raises(CalendarUnavailable):
                    call()
        assert len(asked) == len(calls)
        assert asked_elsewhere == []


def test_every_request_goes_to_the_one_endpoint() -> None:
    """The library's own batch would go to the address in Google's document (facts §14)."""
    with nonsense(503, b"") as (client, asked):
        for call in (client.list_calendars, lambda: client.write_events("c", [write("insert")])):
            with pytest.raises(CalendarUnavailable):
                call()
    assert [line.partition("?")[0] for line in asked] == [
        "GET /calendar/v3/users/me/calendarList",
        "POST /batch/calendar/v3",
    ]
