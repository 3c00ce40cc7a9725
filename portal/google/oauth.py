"""OAuth and OpenID Connect with Google, through Authlib: the consent redirect and what comes back."""

from __future__ import annotations

from portal.config import Config
from portal.extensions import oauth

SCOPE_PREFIX = "https://www.googleapis.com/auth/"
CALENDAR_SCOPES = (
    SCOPE_PREFIX + "calendar.app.created",
    SCOPE_PREFIX + "calendar.calendarlist.readonly",
    SCOPE_PREFIX + "calendar.events.owned.readonly",
)
TIMEOUT_SECONDS = 15


def register(config: Config) -> None:
    """Tell Authlib of Google; everything but the client comes from the OIDC metadata."""
    oauth.register(
        "google",
        overwrite=True,
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
