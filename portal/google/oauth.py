"""OAuth and OpenID Connect with Google, through Authlib: the redirect to consent, and what comes back."""

from __future__ import annotations

import datetime as dt
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from authlib.common.errors import AuthlibBaseError
from authlib.integrations.base_client.errors import MismatchingStateError, OAuthError
from authlib.integrations.flask_client import FlaskOAuth2App, OAuth
from authlib.integrations.requests_client import OAuth2Session
from authlib.oidc.core import UserInfo
from flask import Flask, current_app, session
from flask.typing import ResponseReturnValue
from joserfc.errors import JoseError

from portal import outward
from portal.config import Config
from portal.errors import CalendarUnavailable, Refused
from portal.google.codec import is_plain
from portal.google.errors import MALFORMED
from portal.google.tokens import is_usable, life_seconds
from portal.outward import NO_ANSWER, WEB_PORTS, Policy

SCOPE_PREFIX = "https://www.googleapis.com/auth/"
CALENDAR_SCOPES = (
    SCOPE_PREFIX + "calendar.app.created",
    SCOPE_PREFIX + "calendar.calendarlist.readonly",
    SCOPE_PREFIX + "calendar.events.owned.readonly",
)
ADDRESSES = ("authorization_endpoint", "token_endpoint", "jwks_uri", "revocation_endpoint")  # all are needed
SIGNED_WITH = "id_token_signing_alg_values_supported"
UNREACHED = (NO_ANSWER, *MALFORMED)
LONGEST_ADDRESS = 2000
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


class _GoogleApp(FlaskOAuth2App):
    """Authlib's client of Google. Metadata that makes sense is kept for the process's life, and no other."""

    server_metadata: dict[str, Any]
    _server_metadata_url: str

    def client_cls(  # type: ignore[override]  # where Authlib looks for a class
        self, *arguments: Any, **options: Any
    ) -> OAuth2Session:
        """A session of Authlib's that reaches what the metadata names, and nothing else."""
        return outward.bind(OAuth2Session(*arguments, **options), _policy(self.server_metadata))

    def load_server_metadata(self) -> dict[str, Any]:
        """Raises CalendarUnavailable; whoever comes next asks anew."""
        if "issuer" not in self.server_metadata:
            address = self._server_metadata_url
            try:
                with outward.session(outward.google((address,))) as out:
                    answer = out.get(address)
                answer.raise_for_status()
                self.server_metadata = _read_metadata(answer.json(), urlsplit(address).scheme)
            except UNREACHED as error:
                raise CalendarUnavailable("oidc-metadata") from error
        return self.server_metadata


def _policy(metadata: dict[str, Any]) -> Policy:
    return outward.google(metadata[name] for name in ADDRESSES if name in metadata)


def _read_metadata(document: Any, scheme: str) -> dict[str, Any]:
    """What of the document is used. Raises ValueError when something that is needed is not in it.

    `scheme`: how the document came. From one that came over https no secret is sent in the clear.
    """
    if not isinstance(document, dict) or not is_plain(document.get("issuer"), most=LONGEST_ADDRESS):
        raise ValueError("no-issuer")
    schemes = ("https",) if scheme == "https" else tuple(WEB_PORTS)
    if not all(_is_address(document.get(name), schemes) for name in ADDRESSES):
        raise ValueError("no-address")
    kept = {name: document[name] for name in (*ADDRESSES, "issuer")}
    algorithms = document.get(SIGNED_WITH)
    if isinstance(algorithms, list) and all(isinstance(each, str) for each in algorithms):
        kept[SIGNED_WITH] = algorithms
    return kept


def _is_address(value: Any, schemes: tuple[str, ...]) -> bool:
    if not is_plain(value, most=LONGEST_ADDRESS):
        return False
    try:
        parts = urlsplit(value)
        return parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def register(app: Flask, config: Config) -> None:
    """Tell Authlib of Google; everything but the client comes from the OIDC metadata.

    Each app has a registry of its own: Authlib keeps a client, metadata included, for the registry's life.
    """
    registry = OAuth(app)
    registry.register(  # type: ignore[no-untyped-call]
        "google",
        client_cls=_GoogleApp,
        client_id=config.google_client_id,
        client_secret=config.google_client_secret,
        server_metadata_url=config.google_oidc_metadata_url,
        client_kwargs={
            "scope": " ".join(("openid", "email", *CALENDAR_SCOPES)),
            "code_challenge_method": "S256",
            "token_endpoint_auth_method": "client_secret_post",
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
    answer: ResponseReturnValue = _client().authorize_redirect(redirect_uri, **extra)
    return answer


def finish_consent(*, provider_id: int, now: dt.datetime) -> Grant:
    """Read Google's redirect: state, code, ID token and granted scopes.

    Raises Refused("consent-refused" | "consent-mismatch" | "consent-failed") or CalendarUnavailable.
    """
    if session.pop(ASKED_BY, None) != provider_id:
        raise Refused("consent-mismatch")
    client = _client()
    client.load_server_metadata()
    try:
        token = client.authorize_access_token()
    except MismatchingStateError as error:
        raise Refused("consent-mismatch") from error
    except OAuthError as error:
        raise Refused("consent-refused" if error.error == "access_denied" else "consent-failed") from error
    except (AuthlibBaseError, JoseError, KeyError) as error:
        client.server_metadata.pop("jwks", None)  # perhaps it was the keys that made no sense
        raise Refused("consent-failed") from error
    except UNREACHED as error:
        client.server_metadata.pop("jwks", None)
        raise CalendarUnavailable("token-endpoint") from error
    return _grant(token, now)


def _grant(token: Any, now: dt.datetime) -> Grant:
    claims = token.get("userinfo") if isinstance(token, dict) else None
    if not isinstance(claims, UserInfo):  # that is, read from an ID token that Google has signed
        raise Refused("consent-failed")
    sub, email, domain = claims.get("sub"), claims.get("email"), claims.get("hd")
    refresh_token, access_token = token.get("refresh_token"), token.get("access_token")
    is_whole = is_plain(sub, most=255) and is_plain(email, most=254) and is_usable(access_token)
    is_whole = is_whole and (domain is None or is_plain(domain, most=255))
    if not is_whole or not (refresh_token is None or is_usable(refresh_token)):
        raise Refused("consent-failed")
    lifetime = life_seconds(token.get("expires_in"))
    return Grant(
        sub=str(sub),
        email=str(email),
        hosted_domain=str(domain) if domain is not None else None,
        scopes=frozenset(str(token.get("scope", "")).split()),
        refresh_token=refresh_token,
        access_token=str(access_token),
        expires_at=None if lifetime is None else now + dt.timedelta(seconds=lifetime),
    )


def revoke(token: str) -> None:
    """End the whole grant of the account. A token that Google knows no more counts as revoked.

    Raises CalendarUnavailable when nobody can say whether it was done.
    """
    address = _metadata("revocation_endpoint")
    try:
        with outward.session(outward.google((address,))) as out:
            status = out.post(address, data={"token": token}).status_code
    except UNREACHED as error:
        raise CalendarUnavailable("revocation-endpoint") from error
    is_answered = 200 <= status < 300 or 400 <= status < 500
    if not is_answered or status in (408, 429):
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
    """One address of the OIDC metadata. Raises CalendarUnavailable."""
    return str(_client().load_server_metadata()[name])


def _client() -> Any:
    return current_app.extensions["authlib.integrations.flask_client"].google
