"""The settings as they are now, read once from the environment (a `.env` file fills what it lacks)."""

from __future__ import annotations

import difflib
import ipaddress
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from dotenv import dotenv_values

from portal.settings import OFF, ROOT, SETTINGS

__all__ = ["ROOT", "Config", "ConfigError", "load_config"]

WILL_NEVER_START = 3
NEARLY = 0.85  # how like a setting's name another one has to be for a slip of the keys
AT_HOME = (".localhost", ".local", ".internal", ".lan", ".home.arpa")  # names that no public server has
DEBUGGING = "FLASK_DEBUG shows whoever meets an error what is inside. Take it away."


class ConfigError(SystemExit):
    """Settings are missing or unusable; the text says what to set and how to make it. `start` prints it.

    The exit code is the one by which a worker tells gunicorn's master that another try is in vain.
    """

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.code = WILL_NEVER_START


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """The settings of `SETTINGS`, each under its name in lower case, checked."""

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
    audit_keep_days: int
    warnings: tuple[str, ...] = ()  # what works and is probably not meant; told at the start

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
    """Read the environment and `.env`. Raises ConfigError with everything that is missing or unusable."""
    texts = _environment(os.environ if environ is None else environ)
    problems = [] if texts.get("FLASK_DEBUG", "0").lower() in OFF else [DEBUGGING]
    values: dict[str, Any] = {}
    for setting in SETTINGS:
        text = texts.get(setting.name, setting.default)
        try:
            values[setting.name.lower()] = setting.read(text or "") if text or setting.is_needed else None
        except ValueError as error:
            problems.append(f"{setting.name} {error}")
    if problems:
        raise ConfigError("\n".join((*problems, *_slips(texts))))
    return Config(**values, warnings=_warnings(texts))


def _environment(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment beats `.env`; an empty value counts as unset."""
    merged = {**dotenv_values(Path.cwd() / ".env"), **environ}
    return {name: value.strip() for name, value in merged.items() if value and value.strip()}


# What works, and is probably not meant


def _warnings(texts: Mapping[str, str]) -> tuple[str, ...]:
    """No value is repeated in what is told: it may be a secret."""
    return (*_slips(texts), *_halves(texts), *_plain(texts.get("PUBLIC_URL", "")))


def _slips(texts: Mapping[str, str]) -> list[str]:
    """Names that are nearly a setting's."""
    names = [setting.name for setting in SETTINGS]
    near = {name: difflib.get_close_matches(name, names, n=1, cutoff=NEARLY) for name in texts}
    return [
        f"{name} is no setting. Is {found[0]} meant?"
        for name, found in sorted(near.items())
        if found and name not in names and found[0] not in texts
    ]


def _halves(texts: Mapping[str, str]) -> list[str]:
    pair = {"GOOGLE_CLIENT_ID", "GOOGLE_CLIENT_SECRET"}
    missing = pair - texts.keys()
    return [f"{missing.pop()} is missing: two-way sync is not offered."] if len(missing) == 1 else []


def _plain(public_url: str) -> list[str]:
    parts = urlsplit(public_url)
    if parts.scheme != "http" or _is_at_home(parts.hostname or ""):
        return []
    return ["PUBLIC_URL is plain http: passwords and names can be read on the way. Put https in front."]


def _is_at_home(host: str) -> bool:
    """Whether this host is this machine or in the same house."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return "." not in host or host.endswith(AT_HOME)
    return address.is_loopback or address.is_private
