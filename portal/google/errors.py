"""The one place where what Google or its library raises becomes ours. Nothing of Google's text is kept."""

from __future__ import annotations

import datetime as dt
import http.client
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from typing import Any

import google.auth.exceptions
import httplib2
from googleapiclient.errors import HttpError

from portal.clock import utcnow
from portal.errors import (
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

RATE_REASONS = frozenset({"rateLimitExceeded", "userRateLimitExceeded", "dailyLimitExceeded"})
SCOPE_REASONS = frozenset({"insufficientPermissions", "ACCESS_TOKEN_SCOPE_INSUFFICIENT"})
STALE_REASONS = frozenset({"fullSyncRequired", "updatedMinTooLongAgo"})
BAD_SYNC_TOKEN = "invalid sync token"  # noqa: S105 (how Google's message begins)
TERMINAL_GRANT_ERRORS = frozenset(
    {"invalid_grant", "unauthorized_client", "deleted_client", "disabled_client"}
)


@contextmanager
def google_errors() -> Iterator[None]:
    """Turn every failure of a Google call inside into a CalendarError."""
    try:
        yield
    except HttpError as error:
        raise from_http_error(error) from error
    except google.auth.exceptions.RefreshError as error:
        raise _from_refresh_error(error) from error
    except google.auth.exceptions.TransportError as error:
        raise CalendarUnavailable("transport") from error
    except (httplib2.HttpLib2Error, http.client.HTTPException, OSError) as error:
        raise CalendarUnavailable("connection") from error


def from_http_error(error: HttpError) -> CalendarError:
    """Decide by Google's `reason`, then by status (facts §11)."""
    status = _status(error)
    reason, message = _reason(error.content)
    retry_after = _retry_after(error.resp.get("retry-after") if error.resp else None)
    code = reason or str(status)
    if reason == "quotaExceeded":
        return QuotaExceeded(code, retry_after_seconds=retry_after)
    if status == 429 or reason in RATE_REASONS:
        return RateLimited(code, retry_after_seconds=retry_after)
    if status >= 500 or status < 400:
        return CalendarUnavailable(code, retry_after_seconds=retry_after)
    if status == 400:
        is_token = message.lower().startswith(BAD_SYNC_TOKEN)
        return SyncTokenExpired(code) if is_token else InvalidRequest(code)
    if status == 410:
        return SyncTokenExpired(code) if reason in STALE_REASONS else EventNotFound(code)
    if status == 403:
        return ScopeMissing(code) if reason in SCOPE_REASONS else PermissionDenied(code)
    by_status = {401: AuthorizationExpired, 404: EventNotFound, 409: Conflict, 412: EtagMismatch}
    return by_status.get(status, InvalidRequest)(code)


def _status(error: HttpError) -> int:
    """0 where a batch's answer could not be taken apart: then the library has no answer to show."""
    return int(getattr(error.resp, "status", 0) or 0)


def _from_refresh_error(error: google.auth.exceptions.RefreshError) -> CalendarError:
    """Only a terminal answer means that the grant is gone; a token endpoint in trouble does not."""
    if error.retryable:
        return CalendarUnavailable("token-endpoint")
    details = error.args[1] if len(error.args) > 1 and isinstance(error.args[1], dict) else {}
    code = str(details.get("error", ""))
    if code in TERMINAL_GRANT_ERRORS:
        return AuthorizationExpired(code)
    if not error.args or "refresh_token" in str(error.args[0]):  # google-auth's words when there is none
        return AuthorizationExpired("no-refresh-token")
    return CalendarUnavailable("token-endpoint")


def _reason(content: bytes | None) -> tuple[str, str]:
    """The first `reason` and the message of Google's envelope; empty when the body is something else."""
    try:
        envelope: Any = json.loads(content or b"")
        error = envelope["error"]
        details = error.get("details") or [{}]
        errors = error.get("errors") or [{}]
        reason = errors[0].get("reason") or details[0].get("reason") or ""
        return str(reason), str(error.get("message", ""))
    except (ValueError, KeyError, TypeError, AttributeError, IndexError):
        return "", ""


def _retry_after(value: str | None) -> float | None:
    """Seconds to wait: Retry-After as seconds or as an HTTP date (RFC 9110 §10.2.3)."""
    if value is None:
        return None
    if re.fullmatch(r"[0-9]{1,9}", value.strip()):
        return float(value)
    try:
        until = parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(0.0, (until.replace(tzinfo=until.tzinfo or dt.UTC) - utcnow()).total_seconds())
