"""Every refusal the Calendar API can give, in Google's envelope.

Clients decide on `reason`, not on the status alone: the same 403 can mean "slow down", "you lack a scope"
or "this event is gone". Facts §11 lists them; one function here per row.
"""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]


class GoogleError(Exception):
    """A request that Google refuses. `status` is the HTTP code, `reason` what a client should look at."""

    def __init__(
        self,
        status: int,
        reason: str,
        message: str,
        *,
        domain: str = "global",
        location: str | None = None,
        location_type: str = "parameter",
        extra: Json | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(f"{status} {reason}")
        self.status, self.reason, self.message, self.domain = status, reason, message, domain
        self.location, self.location_type = location, location_type
        self.extra, self.headers = extra or {}, headers or {}

    def body(self) -> Json:
        """The error envelope of facts §11."""
        detail: Json = {"domain": self.domain, "reason": self.reason, "message": self.message}
        if self.location:
            detail |= {"locationType": self.location_type, "location": self.location}
        return {"error": {"errors": [detail], "code": self.status, "message": self.message, **self.extra}}


def invalid(message: str, location: str | None = None) -> GoogleError:
    """400 `invalid`: a parameter or a field does not make sense."""
    return GoogleError(400, "invalid", message, location=location)


def required(name: str) -> GoogleError:
    """400 `required`: something the discovery document demands is missing."""
    return GoogleError(400, "required", f"Required: {name}", location=name)


def parse_error() -> GoogleError:
    """400 `parseError`: the body is not a JSON object."""
    return GoogleError(400, "parseError", "Parse Error")


def bad_request(message: str) -> GoogleError:
    """400 `badRequest`."""
    return GoogleError(400, "badRequest", message)


def time_range_empty() -> GoogleError:
    """400 `timeRangeEmpty`: an end that is not after its start."""
    return GoogleError(
        400, "timeRangeEmpty", "The specified time range is empty.", domain="calendar", location="timeMax"
    )


def invalid_sync_token() -> GoogleError:
    """400 `invalid` for a token that Google never made (facts §5); clients treat it like a 410."""
    return invalid("Invalid sync token value.", "syncToken")


def auth_error() -> GoogleError:
    """401: the access token is missing, unknown or expired."""
    return GoogleError(
        401, "authError", "Invalid Credentials", location="Authorization", location_type="header"
    )


def insufficient_permissions() -> GoogleError:
    """403 for a missing scope, with the `details` that newer answers carry (facts §11)."""
    message = "Request had insufficient authentication scopes."
    info = {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": "ACCESS_TOKEN_SCOPE_INSUFFICIENT",
        "domain": "googleapis.com",
    }
    extra = {"status": "PERMISSION_DENIED", "details": [info]}
    return GoogleError(403, "insufficientPermissions", message, extra=extra)


def required_access_level(level: str) -> GoogleError:
    """403: the person's role on this calendar is too low for the call."""
    message = f"You need to have {level} access to this calendar."
    return GoogleError(403, "requiredAccessLevel", message, domain="calendar")


def forbidden(message: str = "Forbidden") -> GoogleError:
    """403 `forbidden`, also what a write to a deleted event gets (facts §8)."""
    return GoogleError(403, "forbidden", message)


def calendar_refusal(reason: str, message: str, status: int = 403) -> GoogleError:
    """A refusal with a reason of the Calendar domain, such as `cannotDeletePrimaryCalendar`."""
    return GoogleError(status, reason, message, domain="calendar")


def rate_limited(status: int = 403, retry_after: int | None = None, *, user: bool = False) -> GoogleError:
    """403 or 429: over the per-minute quota. Both statuses mean the same (facts §12)."""
    reason = "userRateLimitExceeded" if user else "rateLimitExceeded"
    message = "User Rate Limit Exceeded" if user else "Rate Limit Exceeded"
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    return GoogleError(status, reason, message, domain="usageLimits", headers=headers)


def quota_exceeded() -> GoogleError:
    """403 anti-abuse limit; it lasts for hours (facts §12)."""
    return GoogleError(403, "quotaExceeded", "Calendar usage limits exceeded.", domain="usageLimits")


def not_found() -> GoogleError:
    """404: missing, or not visible to this person."""
    return GoogleError(404, "notFound", "Not Found")


def duplicate() -> GoogleError:
    """409: the id or iCalUID is taken, perhaps by an event deleted long ago (facts §8)."""
    return GoogleError(409, "duplicate", "The requested identifier already exists.")


def already_deleted() -> GoogleError:
    """410 `deleted`: the second delete of one event."""
    return GoogleError(410, "deleted", "Resource has been deleted")


def full_sync_required() -> GoogleError:
    """410 for an expired sync token: forget the mirror and list again."""
    message = "Sync token is no longer valid, a full sync is required."
    return GoogleError(410, "fullSyncRequired", message, domain="calendar", location="syncToken")


def updated_min_too_long_ago() -> GoogleError:
    """410 for an updatedMin beyond Google's reach."""
    message = "The requested minimum modification time lies too far in the past."
    return GoogleError(410, "updatedMinTooLongAgo", message, domain="calendar", location="updatedMin")


def condition_not_met() -> GoogleError:
    """412: the If-Match etag is not the current one."""
    return GoogleError(
        412, "conditionNotMet", "Precondition Failed", location="If-Match", location_type="header"
    )


def not_built(method_id: str) -> GoogleError:
    """501: the real API has this method, the sandbox does not."""
    return GoogleError(501, "notImplemented", f"The sandbox does not do {method_id}.")


def backend_error(status: int = 503) -> GoogleError:
    """500 or 503: Google's own trouble."""
    return GoogleError(status, "backendError", "Backend Error")
