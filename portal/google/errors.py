"""The one place where what Google or its library raises becomes ours. Nothing of Google's text is kept."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from typing import Any

import google.auth.exceptions
from googleapiclient.errors import HttpError

from portal.clock import utcnow
from portal.errors import (
    TIMED_OUT,
    AccessRefused,
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
from portal.outward import FAILURES

RATE_REASONS = frozenset({"rateLimitExceeded", "userRateLimitExceeded", "dailyLimitExceeded"})
SCOPE_REASONS = frozenset({"insufficientPermissions", "ACCESS_TOKEN_SCOPE_INSUFFICIENT"})
STALE_REASONS = frozenset({"fullSyncRequired", "updatedMinTooLongAgo"})
BAD_SYNC_TOKEN = "invalid sync token"  # noqa: S105 (how Google's message begins)
REASON = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,63}")  # goes into rows and logs, so it has to be a word
# What reading an answer raises when it is not shaped as expected: in json, in email, in Google's library
MALFORMED = (ValueError, TypeError, AttributeError, LookupError, OverflowError, RecursionError)


@contextmanager
def google_errors() -> Iterator[None]:
    """Turn every failure of a Google call inside into a CalendarError."""
    try:
        yield
    except HttpError as error:
        raise from_http_error(error) from error
    except google.auth.exceptions.GoogleAuthError as error:
        raise CalendarUnavailable("transport") from error
    except TimeoutError as error:
        raise CalendarUnavailable(TIMED_OUT) from error
    except FAILURES as error:
        raise CalendarUnavailable("connection") from error
    except MALFORMED as error:
        raise CalendarUnavailable("malformed") from error


def from_http_error(error: HttpError) -> CalendarError:
    """Decide by Google's `reason`, then by status (facts §11)."""
    status = _status(error)
    reason, message = _reason(error.content)
    retry_after = retry_after_seconds(error.resp.get("retry-after") if error.resp else None)
    code = reason or str(status)
    if reason == "quotaExceeded":
        return QuotaExceeded(code, retry_after_seconds=retry_after)
    if status == 429 or reason in RATE_REASONS:
        return RateLimited(code, retry_after_seconds=retry_after)
    if status >= 500 or status < 400 or status == 408:
        return CalendarUnavailable(code, retry_after_seconds=retry_after)
    if status == 400:
        is_token = message.lower().startswith(BAD_SYNC_TOKEN)
        return SyncTokenExpired(code) if is_token else InvalidRequest(code)
    if status == 410:
        return SyncTokenExpired(code) if reason in STALE_REASONS else EventNotFound(code)
    if status == 403:
        return ScopeMissing(code) if reason in SCOPE_REASONS else PermissionDenied(code)
    by_status = {401: AccessRefused, 404: EventNotFound, 409: Conflict, 412: EtagMismatch}
    return by_status.get(status, InvalidRequest)(code)


def _status(error: HttpError) -> int:
    """0 where a batch's answer could not be taken apart: then the library has no answer to show."""
    return int(getattr(error.resp, "status", 0) or 0)


def _reason(content: bytes | None) -> tuple[str, str]:
    """The first `reason` and the message of Google's envelope; empty when the body is something else."""
    try:
        envelope: Any = json.loads(content or b"")
        error = envelope["error"]
        details = error.get("details") or [{}]
        errors = error.get("errors") or [{}]
        reason = errors[0].get("reason") or details[0].get("reason") or ""
        is_word = isinstance(reason, str) and REASON.fullmatch(reason) is not None
        return reason if is_word else "", str(error.get("message", ""))
    except MALFORMED:
        return "", ""


def retry_after_seconds(value: str | None) -> float | None:
    """Seconds to wait: Retry-After as seconds or as an HTTP date (RFC 9110 §10.2.3)."""
    if value is None:
        return None
    if re.fullmatch(r"[0-9]{1,9}", value.strip()):
        return float(value)
    try:
        until = parsedate_to_datetime(value)
        return max(0.0, (until.replace(tzinfo=until.tzinfo or dt.UTC) - utcnow()).total_seconds())
    except MALFORMED:
        return None
