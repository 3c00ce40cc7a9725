"""Every setting, read once from the environment (a `.env` file fills what it lacks), units in the names."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from cryptography.fernet import Fernet
from dotenv import dotenv_values

ROOT = Path(__file__).resolve().parent.parent
SECRET_KEY_LEAST_CHARACTERS = 16
PLACEHOLDERS = frozenset({"change-me", "changeme", "secret", "dev", "password", "your-secret-key-here"})

MAKE_A_SECRET = 'python -c "import secrets; print(secrets.token_urlsafe(48))"'
MAKE_ENCRYPTION_KEY = (
    'python -c "from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())"'
)


class ConfigError(SystemExit):
    """A setting is missing or unusable. Ends the process with what to set and how to make it."""


@dataclass(frozen=True, slots=True)
class Config:
    """The settings of `contract.md`, and our own additions, checked."""

    secret_key: str
    token_encryption_keys: tuple[str, ...]
    database_url: str
    redis_url: str | None
    public_url: str
    google_client_id: str | None
    google_client_secret: str | None
    google_oidc_metadata_url: str
    google_api_endpoint: str
    google_webhook_allow_http: bool
    app_calendar_name: str
    sync_poll_seconds: int
    smtp_url: str | None
    mail_from: str | None
    support_contact: str | None
    session_idle_seconds: int
    session_limit_seconds: int
    proxy_hops: int

    @property
    def is_https(self) -> bool:
        return urlsplit(self.public_url).scheme == "https"

    @property
    def offers_two_way(self) -> bool:
        return bool(self.google_client_id and self.google_client_secret)

    @property
    def redirect_uri(self) -> str:
        return f"{self.public_url}/calendar/sync/google/callback"


def load_config(environ: Mapping[str, str] | None = None) -> Config:
    """Read the environment and `.env`; refuse to go on with a missing or weak secret."""
    values = _environment(os.environ if environ is None else environ)
    return Config(
        secret_key=_secret_key(values),
        token_encryption_keys=_encryption_keys(values),
        database_url=_database_url(values.get("DATABASE_URL", "sqlite:///instance/portal.db")),
        redis_url=values.get("REDIS_URL"),
        public_url=values.get("PUBLIC_URL", "http://127.0.0.1:5000").rstrip("/"),
        google_client_id=values.get("GOOGLE_CLIENT_ID"),
        google_client_secret=values.get("GOOGLE_CLIENT_SECRET"),
        google_oidc_metadata_url=values.get(
            "GOOGLE_OIDC_METADATA_URL", "https://accounts.google.com/.well-known/openid-configuration"
        ),
        google_api_endpoint=values.get("GOOGLE_API_ENDPOINT", "https://www.googleapis.com").rstrip("/"),
        google_webhook_allow_http=_switch(values.get("GOOGLE_WEBHOOK_ALLOW_HTTP", "off")),
        app_calendar_name=values.get("APP_CALENDAR_NAME", "Lockstep"),
        sync_poll_seconds=_number(values, "SYNC_POLL_SECONDS", default=60, least=1),
        smtp_url=values.get("SMTP_URL"),
        mail_from=values.get("MAIL_FROM"),
        support_contact=values.get("SUPPORT_CONTACT"),
        session_idle_seconds=_number(values, "SESSION_IDLE_SECONDS", default=1800, least=60),
        session_limit_seconds=_number(values, "SESSION_LIMIT_SECONDS", default=43_200, least=60),
        proxy_hops=_number(values, "PROXY_HOPS", default=0, least=0),
    )


def _environment(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment beats `.env`; an empty value counts as unset."""
    merged = {**dotenv_values(Path.cwd() / ".env"), **environ}
    return {name: value.strip() for name, value in merged.items() if value and value.strip()}


def _secret_key(values: Mapping[str, str]) -> str:
    key = values.get("SECRET_KEY", "")
    if len(key) < SECRET_KEY_LEAST_CHARACTERS or key.lower() in PLACEHOLDERS or len(set(key)) < 5:
        raise ConfigError(
            f"SECRET_KEY is missing or weak. Set it to at least {SECRET_KEY_LEAST_CHARACTERS} random "
            f"characters; make one with: {MAKE_A_SECRET}"
        )
    return key


def _encryption_keys(values: Mapping[str, str]) -> tuple[str, ...]:
    keys = tuple(key.strip() for key in values.get("TOKEN_ENCRYPTION_KEYS", "").split(",") if key.strip())
    try:
        for key in keys:
            Fernet(key)
    except ValueError:
        keys = ()
    if not keys:
        raise ConfigError(
            "TOKEN_ENCRYPTION_KEYS is missing or not a list of Fernet keys. Set one or more, separated by "
            f"commas; make one with: {MAKE_ENCRYPTION_KEY}"
        )
    return keys


def _database_url(url: str) -> str:
    """Anchor a relative SQLite path at the project's root and make its folder."""
    prefix = "sqlite:///"
    if not url.startswith(prefix) or url == prefix:
        return url
    path = Path(url.removeprefix(prefix).split("?")[0])
    if not path.is_absolute():
        path = ROOT / path
    path.parent.mkdir(parents=True, exist_ok=True)
    return f"{prefix}{path}"


def _switch(value: str) -> bool:
    return value.lower() in {"1", "true", "yes", "on"}


def _number(values: Mapping[str, str], name: str, *, default: int, least: int) -> int:
    text = values.get(name)
    if text is None:
        return default
    if not text.isdigit() or int(text) < least:
        raise ConfigError(f"{name} must be a whole number of at least {least}.")
    return int(text)
