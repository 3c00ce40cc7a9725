"""Each setting, declared once: what it means, how it is read, what it is by default.

deploy/lockstep.env.example is written from here: `python -m scripts.env_example`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

from cryptography.fernet import Fernet

ROOT = Path(__file__).resolve().parent.parent
SECRET_KEY_LEAST_CHARACTERS = 16
PLACEHOLDERS = frozenset({"change-me", "changeme", "secret", "dev", "password", "your-secret-key-here"})
DATABASES = ("sqlite", "postgresql+psycopg")
AUDIT_KEPT_AT_LEAST_DAYS = 365
ON, OFF = frozenset({"1", "true", "yes", "on"}), frozenset({"0", "false", "no", "off"})

RANDOM_CHARACTERS = 'python3 -c "import secrets; print(secrets.token_urlsafe(48))"'
FERNET_KEY = 'python3 -c "from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())"'


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One setting: what it means, how it is read, and what an operator is shown."""

    name: str
    meaning: str  # for the operator, sentences
    read: Callable[[str], Any]
    default: str | None = None  # as it would be written
    is_needed: bool = False  # read even when nothing is set, so that it can refuse
    make: str | None = None  # the command that makes one
    example: str | None = None  # what a real installation begins with; None: nothing has to be set


# Reading one value. Each raises ValueError with the rest of a sentence that begins with the setting's name.


def _secret_key(text: str) -> str:
    if len(text) < SECRET_KEY_LEAST_CHARACTERS or text.lower() in PLACEHOLDERS or len(set(text)) < 5:
        raise ValueError(
            f"is missing or weak. Set it to at least {SECRET_KEY_LEAST_CHARACTERS} random characters; "
            f"make one with: {RANDOM_CHARACTERS}"
        )
    return text


def _encryption_keys(text: str) -> tuple[str, ...]:
    keys = tuple(key.strip() for key in text.split(",") if key.strip())
    try:
        for key in keys:
            Fernet(key)
    except ValueError:
        keys = ()
    if not keys:
        raise ValueError(
            "is missing or not a list of Fernet keys. Set one or more, separated by commas; "
            f"make one with: {FERNET_KEY}"
        )
    return keys


def _database_url(text: str) -> str:
    """Anchor a relative SQLite path at the project's root and make its folder."""
    if not text.startswith(tuple(f"{kind}://" for kind in DATABASES)):
        raise ValueError("must begin with sqlite:/// or postgresql+psycopg://")
    if text.startswith("postgresql"):
        _parts(text)
        return text
    prefix = "sqlite:///"
    path = text.removeprefix(prefix).split("?")[0]
    if not text.startswith(prefix) or not path or path == ":memory:":
        raise ValueError("must name a file: sqlite:///instance/portal.db, or sqlite:////var/lib/portal.db")
    try:
        (ROOT / path).parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ValueError(f"names a file whose folder cannot be made ({error.strerror})") from None
    return f"{prefix}{ROOT / path}"


def _address(*schemes: str, needs_host: bool = True) -> Callable[[str], str]:
    """An address with one of these schemes."""

    def read(text: str) -> str:
        parts = _parts(text)
        if parts.scheme not in schemes or (needs_host and not parts.hostname):
            raise ValueError(f"must be an address that begins with {' or '.join(f'{s}://' for s in schemes)}")
        return text

    return read


def _web_address(text: str) -> str:
    if "@" in urlsplit(_address("http", "https")(text)).netloc:
        raise ValueError("must not hold a user or a password")
    return text.rstrip("/")


def _public_url(text: str) -> str:
    parts = urlsplit(_web_address(text))
    if parts.path or parts.query or parts.fragment:
        raise ValueError("must be a scheme and a host alone, such as https://calendar.practice.example")
    return text.rstrip("/")


def _parts(text: str) -> SplitResult:
    if not text.isprintable() or re.search(r"[\s\\]", text):
        raise ValueError("must not hold blanks or backslashes")
    try:
        parts = urlsplit(text)
        if parts.port == 0:
            raise ValueError
    except ValueError:  # of urllib's, which repeats the text
        raise ValueError("has a host or a port that makes no sense") from None
    return parts


def _switch(text: str) -> bool:
    if text.lower() not in ON | OFF:
        raise ValueError("must be on or off.")
    return text.lower() in ON


def _number(*, least: int, most: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,9}", text) or not least <= int(text) <= most:
            raise ValueError(f"must be a whole number of at least {least} and at most {most}.")
        return int(text)

    return read


def _line(most: int) -> Callable[[str], str]:
    def read(text: str) -> str:
        if not text.isprintable() or len(text) > most:
            raise ValueError(f"must be one line of at most {most} characters.")
        return text

    return read


def _mail_address(text: str) -> str:
    if not re.search(r"[^\s@<>]+@[^\s@<>]+", _line(254)(text)):
        raise ValueError("must be a mail address.")
    return text


SETTINGS = (
    Setting(
        name="SECRET_KEY",
        meaning="Signs the cookies. A new one signs everybody out.",
        read=_secret_key,
        is_needed=True,
        make=RANDOM_CHARACTERS,
        example="",
    ),
    Setting(
        name="TOKEN_ENCRYPTION_KEYS",
        meaning="Encrypts the tokens of Google and the feed addresses. Keep it apart from the backups.\n"
        "To rotate, put a new key in front, with a comma; the first encrypts, all decrypt.",
        read=_encryption_keys,
        is_needed=True,
        make=FERNET_KEY,
        example="",
    ),
    Setting(
        name="PUBLIC_URL",
        meaning="Where browsers, Google and calendar apps find the portal: a scheme and a host.",
        read=_public_url,
        default="http://127.0.0.1:5000",
        example="https://calendar.practice.example",
    ),
    Setting(
        name="DATABASE_URL",
        meaning="A file, or PostgreSQL: postgresql+psycopg://lockstep@/lockstep",
        read=_database_url,
        default="sqlite:///instance/portal.db",
        example="sqlite:////var/lib/lockstep/portal.db",
    ),
    Setting(
        name="REDIS_URL",
        meaning="Redis or Valkey, which carries the jobs: redis://, rediss:// or unix://",
        read=_address("redis", "rediss", "unix", needs_host=False),
        example="redis://127.0.0.1:6379/0",
    ),
    Setting(
        name="GOOGLE_CLIENT_ID",
        meaning="Of a web client in Google's console, with the redirect URI PUBLIC_URL + "
        "/calendar/sync/google/callback.\nWithout it two-way sync is not offered.",
        read=_line(500),
        example="",
    ),
    Setting(
        name="GOOGLE_CLIENT_SECRET",
        meaning="Of the same client.",
        read=_line(500),
        example="",
    ),
    Setting(
        name="SYNC_POLL_SECONDS",
        meaning="How often Google is asked while somebody looks; otherwise it is asked less often.",
        read=_number(least=1, most=86_400),
        default="60",
    ),
    Setting(
        name="APP_CALENDAR_NAME",
        meaning="What our calendar in Google is called.",
        read=_line(100),
        default="Lockstep",
    ),
    Setting(
        name="SMTP_URL",
        meaning="The mail server: smtps://user:password@mail.practice.example, or smtp:// with a port.\n"
        "A password is sent over TLS alone. Without a server, mails are shown to the owner in the portal.",
        read=_address("smtp", "smtps"),
    ),
    Setting(
        name="MAIL_FROM",
        meaning="Who the mails are from. Without it, from whom they are to.",
        read=_mail_address,
    ),
    Setting(
        name="SUPPORT_CONTACT",
        meaning="Whom to ask, shown where help ends: an address or a telephone number.",
        read=_line(200),
    ),
    Setting(
        name="SESSION_IDLE_SECONDS",
        meaning="After how long without a press somebody has to sign in again.",
        read=_number(least=60, most=86_400),
        default="1800",
    ),
    Setting(
        name="SESSION_LIMIT_SECONDS",
        meaning="After how long at the latest.",
        read=_number(least=60, most=30 * 86_400),
        default="43200",
    ),
    Setting(
        name="PROXY_HOPS",
        meaning="How many proxies of yours stand in front; X-Forwarded-For and -Proto are believed that far.",
        read=_number(least=0, most=10),
        default="0",
        example="1",
    ),
    Setting(
        name="AUDIT_KEEP_DAYS",
        meaning="How long the audit log is kept: six years; never less than one. `audit trim` takes older.",
        read=_number(least=AUDIT_KEPT_AT_LEAST_DAYS, most=36_500),
        default="2190",
    ),
    Setting(
        name="GOOGLE_OIDC_METADATA_URL",
        meaning="For a stand-in for Google only.",
        read=_web_address,
        default="https://accounts.google.com/.well-known/openid-configuration",
    ),
    Setting(
        name="GOOGLE_API_ENDPOINT",
        meaning="For a stand-in for Google only.",
        read=_web_address,
        default="https://www.googleapis.com",
    ),
    Setting(
        name="GOOGLE_WEBHOOK_ALLOW_HTTP",
        meaning="For a stand-in for Google only: lets it deliver push messages without TLS.",
        read=_switch,
        default="off",
    ),
)
