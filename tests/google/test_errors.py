"""What Google or its library raises becomes one of ours, by reason first and status second (facts §11)."""

from __future__ import annotations

import datetime as dt
import http.client
import json
import ssl
from email.utils import format_datetime

import google.auth.exceptions
import httplib2
import pytest
from googleapiclient.errors import BatchError, HttpError
from hypothesis import given
from hypothesis import strategies as st

from portal import errors
from portal.errors import (
    TIMED_OUT,
    AccessRefused,
    AuthorizationExpired,
    CalendarError,
    CalendarUnavailable,
    Conflict,
    EtagMismatch,
    EventNotFound,
    InvalidRequest,
    PermissionDenied,
    QuotaExceeded,
    RateLimited,
    ScopeMissing,
    SyncTokenExpired,
)
from portal.google.errors import from_http_error, google_errors


def refused(status: int, reason: str = "", message: str = "", **headers: str) -> HttpError:
    """The library's error for Google's envelope."""
    item = {"domain": "global", "reason": reason, "message": message}
    envelope = {"error": {"errors": [item], "code": status, "message": message}}
    return answered(status, json.dumps(envelope).encode(), **headers)


def answered(status: int, body: bytes, **headers: str) -> HttpError:
    values = {name.replace("_", "-"): value for name, value in headers.items()}
    return HttpError(httplib2.Response({"status": status, **values}), body)


BAD_TOKEN = "Invalid sync token value."
TABLE: list[tuple[int, str, str, type[CalendarError]]] = [
    (400, "timeRangeEmpty", "The specified time range is empty.", InvalidRequest),
    (400, "invalid", BAD_TOKEN, SyncTokenExpired),
    (400, "invalid", "The requested ordering is not available for the particular query.", InvalidRequest),
    (400, "invalid", "Invalid resource id value.", InvalidRequest),
    (400, "required", "Missing time zone definition for start time.", InvalidRequest),
    (400, "parseError", "Parse Error", InvalidRequest),
    (400, "badRequest", "Bad Request", InvalidRequest),
    (401, "authError", "Invalid Credentials", AccessRefused),
    (403, "userRateLimitExceeded", "User Rate Limit Exceeded", RateLimited),
    (403, "rateLimitExceeded", "Rate Limit Exceeded", RateLimited),
    (429, "rateLimitExceeded", "Rate Limit Exceeded", RateLimited),
    (429, "", "", RateLimited),
    (403, "dailyLimitExceeded", "Daily Limit Exceeded", RateLimited),
    (403, "quotaExceeded", "Calendar usage limits exceeded.", QuotaExceeded),
    (429, "quotaExceeded", "Calendar usage limits exceeded.", QuotaExceeded),
    (403, "forbiddenForNonOrganizer", "Shared properties can only be changed …", PermissionDenied),
    (403, "requiredAccessLevel", "You need to have writer access to this calendar.", PermissionDenied),
    (403, "forbidden", "Forbidden", PermissionDenied),
    (403, "accessNotConfigured", "Calendar API has not been used …", PermissionDenied),
    (403, "domainPolicy", "", PermissionDenied),
    (403, "", "", PermissionDenied),
    (403, "insufficientPermissions", "Request had insufficient authentication scopes.", ScopeMissing),
    (404, "notFound", "Not Found", EventNotFound),
    (409, "duplicate", "The requested identifier already exists.", Conflict),
    (409, "conflict", "Conflict", Conflict),
    (410, "fullSyncRequired", "Sync token is no longer valid, a full sync is required.", SyncTokenExpired),
    (410, "updatedMinTooLongAgo", "The requested minimum modification time lies …", SyncTokenExpired),
    (410, "deleted", "Resource has been deleted", EventNotFound),
    (412, "conditionNotMet", "Precondition Failed", EtagMismatch),
    (418, "teapot", "", InvalidRequest),
    (500, "backendError", "Backend Error", CalendarUnavailable),
    (502, "", "", CalendarUnavailable),
    (503, "backendError", "Backend Error", CalendarUnavailable),
    (503, "rateLimitExceeded", "Rate Limit Exceeded", RateLimited),
    (302, "", "", CalendarUnavailable),
]


@pytest.mark.parametrize(
    ("status", "reason", "message", "expected"),
    TABLE,
    ids=[f"{row[0]}-{row[1]}-{row[2][:12]}" for row in TABLE],
)
def test_the_table_of_refusals(status: int, reason: str, message: str, expected: type[CalendarError]) -> None:
    """Failure 39."""
    error = from_http_error(refused(status, reason, message))
    assert type(error) is expected
    assert error.code == (reason or str(status))


def test_every_calendar_error_is_reached_by_the_table() -> None:
    assert {row[3] for row in TABLE} | {AuthorizationExpired} == set(CalendarError.__subclasses__())
    assert AuthorizationExpired not in {row[3] for row in TABLE}, "that is the token endpoint's to say"


def test_a_scope_that_is_missing_is_known_by_its_details_too() -> None:
    body = {
        "error": {
            "code": 403,
            "status": "PERMISSION_DENIED",
            "details": [{"reason": "ACCESS_TOKEN_SCOPE_INSUFFICIENT"}],
        }
    }
    assert type(from_http_error(answered(403, json.dumps(body).encode()))) is ScopeMissing


@pytest.mark.parametrize(
    "body",
    [
        b"", b"<html>", b"null", b"[]", b"7", b'{"error": null}', b'{"error": "text"}', b"\xff",
        b'{"error": {"errors": []}}', b'{"error": {"errors": {}}}', b'{"error": {"errors": ["x"]}}',
        b'{"error": {"errors": [{"reason": null}], "message": null}}', b'{"error": {"details": [null]}}',
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    ("status", "expected"), [(403, PermissionDenied), (410, EventNotFound), (500, CalendarUnavailable)]
)
def test_without_a_readable_envelope_the_status_decides(
    status: int, expected: type[CalendarError], body: bytes
) -> None:
    assert type(from_http_error(answered(status, body))) is expected


def test_nothing_of_googles_text_is_kept() -> None:
    """Failure 47: its messages may name calendars and addresses."""
    error = from_http_error(refused(404, "notFound", "canary@example.com"))
    assert "canary" not in f"{error!r} {error} {vars(error)}"


# Retry-After


def seconds(value: str | None, status: int = 503) -> float | None:
    headers = {} if value is None else {"retry_after": value}
    return from_http_error(refused(status, "backendError", **headers)).retry_after_seconds


def test_retry_after_counts_in_seconds() -> None:
    assert seconds("120") == 120.0
    assert seconds(" 7 ") == 7.0


@pytest.mark.parametrize("zone", ["GMT", "-0000", "+0000"])
def test_retry_after_may_be_a_date(zone: str) -> None:
    soon = dt.datetime.now(dt.UTC) + dt.timedelta(minutes=10)
    wait = seconds(format_datetime(soon).replace("+0000", zone))
    assert wait is not None
    assert 590 < wait <= 600


def test_a_date_that_has_passed_means_now() -> None:
    assert seconds("Wed, 21 Oct 2015 07:28:00 GMT") == 0.0


@pytest.mark.parametrize(
    "value", [None, "", "soon", "-5", "²", "1e3", "9" * 400, "Wed, 99 Oct 2015 07:28:00 GMT"]
)
def test_an_unreadable_retry_after_says_nothing(value: str | None) -> None:
    assert seconds(value) is None


@given(st.text(max_size=40))
def test_no_retry_after_does_harm(value: str) -> None:
    wait = seconds(value)
    assert wait is None or wait >= 0


@pytest.mark.parametrize(
    ("status", "reason"), [(403, "rateLimitExceeded"), (429, ""), (403, "quotaExceeded")]
)
def test_a_limit_keeps_its_retry_after(status: int, reason: str) -> None:
    assert from_http_error(refused(status, reason, retry_after="33")).retry_after_seconds == 33.0


# What is raised around a call


def raised(error: Exception) -> CalendarError:
    with pytest.raises(CalendarError) as caught, google_errors():
        raise error
    assert caught.value.__cause__ is error
    return caught.value


@pytest.mark.parametrize(
    "error",
    [
        google.auth.exceptions.TransportError("x"),
        httplib2.ServerNotFoundError("x"),
        httplib2.HttpLib2Error("x"),
        http.client.RemoteDisconnected("x"),
        http.client.IncompleteRead(b""),
        TimeoutError("x"),
        ConnectionResetError("x"),
        ssl.SSLError("x"),
        OSError("x"),
        BatchError("Invalid value for Content-ID: None"),
        BatchError("Response not in multipart/mixed format.", httplib2.Response({"status": 200}), b""),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_connection_in_trouble_says_nothing_about_the_data(error: Exception) -> None:
    """Failure 11."""
    assert type(raised(error)) is CalendarUnavailable


def test_time_that_ran_out_is_told_from_other_trouble() -> None:
    """So that nobody waits for it a second time in the same run."""
    assert raised(TimeoutError("x")).code == TIMED_OUT
    assert raised(ConnectionResetError("x")).code != TIMED_OUT


@pytest.mark.parametrize("error", [TypeError("x"), KeyError("x"), ValueError("x"), RecursionError("x")])
def test_an_answer_that_the_library_cannot_take_apart_is_unavailable(error: Exception) -> None:
    assert type(raised(error)) is CalendarUnavailable


def test_a_reason_that_is_no_word_is_not_kept() -> None:
    """Failure 47: it would stand in rows and logs."""
    assert from_http_error(refused(403, "Rosa Tellan, 10 o'clock")).code == "403"
    assert from_http_error(refused(403, "x" * 65)).code == "403"


def test_a_bug_stays_a_bug() -> None:
    with pytest.raises(ZeroDivisionError), google_errors():
        raise ZeroDivisionError


def test_our_own_errors_pass_untouched() -> None:
    with pytest.raises(errors.LeaseLost), google_errors():
        raise errors.LeaseLost
