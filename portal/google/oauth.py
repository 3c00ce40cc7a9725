"""OAuth and OpenID Connect with Google, through Authlib: the redirect to consent, and what comes back."""

from __future__ import annotations

import datetime as dt
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import requests
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.base_client.errors import MismatchingStateError, OAuthError
from authlib.integrations.flask_client import OAuth
from flask import Flask, current_app, session
from flask.typing import ResponseReturnValue
from joserfc.errors import JoseError

from portal.config import Config
from portal.errors import CalendarUnavailable, Refused

SCOPE_PREFIX = "https://www.googleapis.com/auth/"
CALENDAR_SCOPES = (
    SCOPE_PREFIX + "calendar.app.created",
    SCOPE_PREFIX + "calendar.calendarlist.readonly",
    SCOPE_PREFIX + "calendar.events.owned.readonly",
)
TIMEOUT_SECONDS = 15
ASK_AGAIN_SECONDS = 60.0
ASK_AGAIN_AT = "google-metadata-again"
ASKED_BY = "consent_asked_by"  # in the cookie session: the provider who was sent to Google


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What a consent brought: whose account, which scopes, and the tokens."""

    sub: str
    email: str
    hosted_domain: str | None  # None: a consumer account, which no BAA covers
    scopes: frozenset[str]
    refresh_token: str | None
    access_token: str
    expires_at: dt.datetime | None

    @property
    def missing_scopes(self) -> tuple[str, ...]:
        """The calendar scopes whose boxes were left unticked."""
        return tuple(scope for scope in CALENDAR_SCOPES if scope not in self.scopes)


def register(app: Flask, config: Config) -> None:
    """Tell Authlib of Google; everything but the client comes from the OIDC metadata.

    Each app has a registry of its own: Authlib keeps a client, metadata included, for the registry's life.
    """
    registry = OAuth(app)
    registry.register(  # type: ignore[no-untyped-call]
        "google",
        client_id=config.google_client_id,
        client_secret=config.google_client_secret,
        server_metadata_url=config.google_oidc_metadata_url,
        client_kwargs={
            "scope": " ".join(("openid", "email", *CALENDAR_SCOPES)),
            "code_challenge_method": "S256",
            "token_endpoint_auth_method": "client_secret_post",
            "timeout": TIMEOUT_SECONDS,
        },
    )


def begin_consent(redirect_uri: str, *, provider_id: int, login_hint: str | None) -> ResponseReturnValue:
    """Send the browser to Google. State, nonce and PKCE verifier wait in the cookie session.

    `prompt=consent` brings a refresh token every time; `include_granted_scopes` is left out, since it may
    reuse an earlier partial consent instead of showing the boxes again (facts §2).
    Raises CalendarUnavailable.
    """
    extra = {"access_type": "offline", "prompt": "consent"}
    if login_hint:
        extra["login_hint"] = login_hint
    session[ASKED_BY] = provider_id
    try:
        answer: ResponseReturnValue = _client().authorize_redirect(redirect_uri, **extra)
    except (requests.RequestException, ValueError) as error:
        raise CalendarUnavailable("oidc-metadata") from error
    return answer


def finish_consent(*, provider_id: int, now: dt.datetime) -> Grant:
    """Read Google's redirect: state, code, ID token and granted scopes.

    Raises Refused("consent-refused" | "consent-mismatch" | "consent-failed") or CalendarUnavailable.
    """
    if session.pop(ASKED_BY, None) != provider_id:
        raise Refused("consent-mismatch")
    try:
        token = _client().authorize_access_token()
    except MismatchingStateError as error:
        raise Refused("consent-mismatch") from error
    except OAuthError as error:
        raise Refused("consent-refused" if error.error == "access_denied" else "consent-failed") from error
    except (AuthlibBaseError, JoseError, KeyError) as error:
        raise Refused("consent-failed") from error
    except (requests.RequestException, ValueError) as error:
        raise CalendarUnavailable("token-endpoint") from error
    return _grant(token, now)


def _grant(token: dict[str, Any], now: dt.datetime) -> Grant:
    claims = token.get("userinfo") or {}
    if not claims.get("sub") or not claims.get("email"):
        raise Refused("consent-failed")
    lifetime = token.get("expires_in")
    return Grant(
        sub=str(claims["sub"]),
        email=str(claims["email"]),
        hosted_domain=claims.get("hd"),
        scopes=frozenset(str(token.get("scope", "")).split()),
        refresh_token=token.get("refresh_token"),
        access_token=str(token["access_token"]),
        expires_at=now + dt.timedelta(seconds=int(lifetime)) if lifetime else None,
    )


def revoke(token: str) -> None:
    """End the whole grant of the account. A token that Google knows no more counts as revoked.

    Raises CalendarUnavailable when nobody can say whether it was done.
    """
    try:
        answer = requests.post(
            _metadata("revocation_endpoint"), data={"token": token}, timeout=TIMEOUT_SECONDS
        )
    except (requests.RequestException, ValueError) as error:
        raise CalendarUnavailable("revocation-endpoint") from error
    if answer.status_code >= 500 or answer.status_code == 429:
        raise CalendarUnavailable("revocation-endpoint")


def token_uri() -> str:
    """Where tokens are refreshed. Raises CalendarUnavailable."""
    return _metadata("token_endpoint")


def authorization_origin() -> str:
    """The origin of Google's consent page, which our pages' forms may lead to; "" without a Google client.

    A page that is drawn while Google is out of reach names where the metadata stands: its button has to work
    as soon as Google answers again. For a minute nobody else waits for that.
    """
    config: Config = current_app.extensions["config"]
    if not config.offers_two_way:
        return ""
    address = config.google_oidc_metadata_url
    if time.monotonic() >= current_app.extensions.get(ASK_AGAIN_AT, 0.0):
        try:
            address = _metadata("authorization_endpoint")
        except CalendarUnavailable:
            current_app.extensions[ASK_AGAIN_AT] = time.monotonic() + ASK_AGAIN_SECONDS
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"


def _metadata(name: str) -> str:
    """One address of the OIDC metadata; Authlib keeps the document for the life of the process."""
    try:
        return str(_client().load_server_metadata()[name])
    except (requests.RequestException, ValueError, KeyError) as error:
        raise CalendarUnavailable("oidc-metadata") from error


def _client() -> Any:
    return current_app.extensions["authlib.integrations.flask_client"].google
