"""Every exception the portal raises on purpose. Nothing here carries text about a person.

PortalError
├─ InvalidInput            a form or command value that cannot be taken; names the field
├─ Refused                 a well-formed request that the rules forbid
├─ StaleRevision           the form was drawn from an older revision than the one stored
├─ LeaseLost               this run no longer holds its connection; it must send nothing more
├─ HostNotAllowed          a request for a host that its policy does not name; nothing was sent
├─ Paused                  this database may be a copy: nothing is sent before an owner says so
├─ JobFailed               what the queue may know of a job's error: its kind
├─ TooBusy                 as many passwords are being checked as this process checks at once
├─ MailNotSent             the mail server was not reached, or would not take the mail
├─ CalendarError           anything Google said or failed to say
│  ├─ AuthorizationExpired     invalid_grant, from the token endpoint: the provider must reconnect
│  │  └─ GrantUnreadable           no key of ours opens the grant: so must they, while that is so
│  ├─ AccessRefused            401 to a fresh token: trouble like any, told as refused after a day
│  ├─ ScopeMissing             403 insufficientPermissions: a box was left unticked
│  ├─ PermissionDenied         403 that is neither quota nor scope
│  ├─ RateLimited              403/429 usageLimits: back off
│  ├─ QuotaExceeded            403 quotaExceeded: wait for hours
│  ├─ SyncTokenExpired         410 fullSyncRequired, 400 "Invalid sync token value"
│  ├─ EtagMismatch             412: read again, decide again
│  ├─ Conflict                 409: the id is taken
│  ├─ EventNotFound            404, or 410 deleted
│  ├─ InvalidRequest           400: a bug of ours
│  └─ CalendarUnavailable      5xx, time-outs, lost connections, a 200 that isn't JSON
└─ InvalidCalendarData     one resource that cannot become an Event; the rest goes on
"""

from __future__ import annotations

from collections.abc import Mapping

TOOK_TOO_LONG = "took-too-long"  # of CalendarUnavailable: nobody waited for Google any longer
TIMED_OUT = "timed-out"  # of CalendarUnavailable: no answer within the request's deadline


class PortalError(Exception):
    """The root of everything the portal raises on purpose."""


class TooBusy(PortalError):
    """Nothing was tried: as many of these are under way as may be at once. Soon it can be asked again."""


class InvalidInput(PortalError):
    """Values that cannot be taken, by field name, each with a sentence for the person who typed them."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__(", ".join(sorted(problems)))
        self.problems = dict(problems)


class Refused(PortalError):
    """The rules forbid it; `code` says which rule, and the page has the words."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class StaleRevision(PortalError):
    """Somebody saved a newer revision since this form was drawn. Nothing was changed."""


class LeaseLost(PortalError):
    """The connection's fencing number moved on, or its lease ran out."""


class HostNotAllowed(PortalError):
    """A request would have gone to a host that its policy does not name. Nothing was looked up or sent."""


class Paused(PortalError):
    """The database was restored, moved or copied. Nothing is looked up or sent until an owner goes on."""


class JobFailed(PortalError):
    """A job ended with an error of this kind. RQ keeps texts in the queue: the error itself stays out."""


class MailNotSent(PortalError):
    """The mail server was not reached, or refused. `code` names the kind, never an address."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class CalendarError(PortalError):
    """Google refused, failed, or could not be reached. `code` is Google's reason or ours."""

    def __init__(self, code: str, *, retry_after_seconds: float | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.retry_after_seconds = retry_after_seconds


class AuthorizationExpired(CalendarError):
    """The grant is gone: revoked, expired, or refused after a fresh token."""


class GrantUnreadable(AuthorizationExpired):
    """The grant is, or was, under a key that TOKEN_ENCRYPTION_KEYS doesn't hold. Google wasn't asked."""

    def __init__(self) -> None:
        super().__init__("grant-unreadable")  # as sync/trouble.py calls it


class AccessRefused(CalendarError):
    """The API refuses a token that was only just given out: Google at odds with itself."""


class ScopeMissing(CalendarError):
    """The grant lacks a scope that this call needs."""


class PermissionDenied(CalendarError):
    """A 403 that speaks of neither quota nor scope."""


class RateLimited(CalendarError):
    """Too many requests; the same call may succeed soon."""


class QuotaExceeded(CalendarError):
    """Google's anti-abuse limit; the same call may succeed in hours."""


class SyncTokenExpired(CalendarError):
    """The sync token is refused: only a full list helps."""


class EtagMismatch(CalendarError):
    """The resource changed since the agreed etag."""


class Conflict(CalendarError):
    """The id is taken, perhaps by our own earlier try."""


class EventNotFound(CalendarError):
    """Google does not know it, or has deleted it."""


class InvalidRequest(CalendarError):
    """Google calls the request malformed: a bug of ours, so it is never retried blindly."""


class CalendarUnavailable(CalendarError):
    """Google did not answer usefully; nothing is known about what it did."""


class InvalidCalendarData(PortalError):
    """One resource that cannot be understood. `code` says what is odd about it."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code
