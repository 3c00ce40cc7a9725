"""The tokens of a grant, and the request that brings a fresh access token (RFC 6749 §6).

Sent here and not by google-auth: that one sleeps and repeats by itself, goes past our transport from within
a batch, and falls over an answer that is not what it expects.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from google.auth.credentials import Credentials

from portal.clock import utcnow
from portal.errors import AuthorizationExpired, CalendarError, CalendarUnavailable, RateLimited
from portal.google.errors import MALFORMED, retry_after_seconds
from portal.outward import BoundedHttp

TERMINAL_GRANT_ERRORS = frozenset(
    {"invalid_grant", "unauthorized_client", "deleted_client", "disabled_client"}
)
USABLE_TOKEN = re.compile(r"[\x21-\x7e]{1,8000}")  # goes into a header and into a row
LONGEST_LIFE_SECONDS = 86_400.0  # Google's live an hour; a longer life would only be asked about later


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """What is needed to speak for an account."""

    refresh_token: str | None
    access_token: str | None
    expires_at: dt.datetime | None
    token_uri: str
    client_id: str
    client_secret: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Refreshed:
    """What the token endpoint gave. `life_seconds`: None when it did not say."""

    access_token: str
    life_seconds: float | None
    refresh_token: str | None


def read_answer(status: int, headers: dict[str, str], body: bytes) -> Refreshed:
    """Read what the token endpoint answered. Raises AuthorizationExpired only where that is final.

    Anything else that is no token is trouble that passes: RateLimited, CalendarUnavailable.
    """
    answer = _object(body)
    if status == 200 and answer is not None and is_usable(answer.get("access_token")):
        rotated = answer.get("refresh_token")
        return Refreshed(
            access_token=answer["access_token"],
            life_seconds=life_seconds(answer.get("expires_in")),
            refresh_token=rotated if is_usable(rotated) else None,
        )
    raise _refusal(status, answer or {}, headers.get("retry-after"))


def is_usable(token: Any) -> bool:
    """Whether it can be a token of Google's: text that can stand in a header."""
    return isinstance(token, str) and USABLE_TOKEN.fullmatch(token) is not None


def life_seconds(value: Any) -> float | None:
    """`expires_in` as a number. Raises CalendarUnavailable for anything else; None where nothing was said."""
    if value is None:
        return None
    try:
        seconds = float(value) if isinstance(value, int | float | str) else -1.0
    except MALFORMED:
        seconds = -1.0
    if not seconds >= 0:  # NaN is neither
        raise CalendarUnavailable("token-endpoint")
    return min(seconds, LONGEST_LIFE_SECONDS)


def _object(body: bytes) -> dict[str, Any] | None:
    try:
        answer = json.loads(body)
    except MALFORMED:
        return None
    return answer if isinstance(answer, dict) else None


def _refusal(status: int, answer: dict[str, Any], retry_after: str | None) -> CalendarError:
    """A final word comes as 400 or 401 (RFC 6749 §5.2); a server in trouble may say anything."""
    code, wait = answer.get("error"), retry_after_seconds(retry_after)
    if status in (400, 401) and isinstance(code, str) and code in TERMINAL_GRANT_ERRORS:
        return AuthorizationExpired(code)
    if status == 429:
        return RateLimited("token-endpoint", retry_after_seconds=wait)
    return CalendarUnavailable("token-endpoint", retry_after_seconds=wait)


class GrantCredentials(Credentials):
    """google-auth's credentials, refreshed over our transport and with our errors."""

    def __init__(self, tokens: Tokens, transport: BoundedHttp) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.token = tokens.access_token
        expires_at = tokens.expires_at
        self.expiry = expires_at.astimezone(dt.UTC).replace(tzinfo=None) if expires_at else None
        self.refresh_token = tokens.refresh_token
        self._tokens, self._transport = tokens, transport

    def refresh(self, _: Any) -> None:
        """One request, tried once. Raises CalendarError, and what httplib2 raises."""
        if self.refresh_token is None:
            raise AuthorizationExpired("no-refresh-token")
        form = {
            "grant_type": "refresh_token",
            "client_id": self._tokens.client_id,
            "client_secret": self._tokens.client_secret,
            "refresh_token": self.refresh_token,
        }
        answer, body = self._transport.request(
            self._tokens.token_uri,
            "POST",
            body=urlencode(form).encode(),
            headers={"Content-Type": "application/x-www-form-urlencoded"},
        )
        fresh = read_answer(answer.status, answer, body)
        self.token = fresh.access_token
        self.expiry = None
        if fresh.life_seconds is not None:
            ends_at = utcnow() + dt.timedelta(seconds=fresh.life_seconds)
            self.expiry = ends_at.replace(tzinfo=None)
        self.refresh_token = fresh.refresh_token or self.refresh_token
