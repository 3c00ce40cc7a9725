"""What can be done with a provider's account, from adding it to signing in. No HTTP, no commit."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
import threading
from zoneinfo import available_timezones

import sqlalchemy as sa
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from email_validator import EmailNotValidError, validate_email

from portal.errors import InvalidInput, TooBusy
from portal.extensions import begin_reading, begin_writing, db
from portal.models import LoginSession, OfficeHours, Provider
from portal.rows import pausing

PASSWORD_LEAST_CHARACTERS = 8
PASSWORD_MOST_CHARACTERS = 256  # bounds the work of one hash
LAPSED_KNOWN = dt.timedelta(days=3)  # for how long an ended sign-in tells whose it was
SEEN_EVERY_SECONDS = 60  # how finely idleness is measured; each step is one write

HASHES_AT_ONCE = 2
HASH_WAITS_SECONDS = 1.0

_hasher = PasswordHasher()
_hashing = threading.BoundedSemaphore(HASHES_AT_ONCE)
_turns = threading.BoundedSemaphore(HASHES_AT_ONCE + 1)
# Verifying against this costs what a real one costs, so that an unknown address answers no faster.
_NOBODY = _hasher.hash(secrets.token_urlsafe(16))


def add_provider(
    *, email: str, name: str, timezone: str, password: str, is_owner: bool, now: dt.datetime
) -> Provider:
    """Add a provider with office hours Monday to Friday, 9 to 17. Raises InvalidInput."""
    problems = {}
    address = normalize_email(email)
    if address is None:
        problems["email"] = "This is not an e-mail address."
    elif find_provider(address) is not None:
        problems["email"] = "A provider with this e-mail address exists already."
    if not name.strip():
        problems["name"] = "Give a name."
    if timezone not in available_timezones():
        problems["timezone"] = "This is not an IANA time zone, such as America/Chicago."
    if problems:
        raise InvalidInput(problems)
    provider = Provider(
        email=address, name=name.strip(), timezone=timezone, is_owner=is_owner, created_at=now
    )
    set_password(provider, password)
    db.session.add(provider)
    db.session.flush()
    for weekday in range(5):
        db.session.add(
            OfficeHours(provider_id=provider.id, weekday=weekday, opens=dt.time(9), closes=dt.time(17))
        )
    return provider


def set_password(provider: Provider, password: str) -> None:
    """Store the Argon2id hash of `password`. Raises InvalidInput when it is too short, long or plain."""
    text = password.casefold()
    if not PASSWORD_LEAST_CHARACTERS <= len(password) <= PASSWORD_MOST_CHARACTERS:
        raise InvalidInput(
            {"password": f"Use {PASSWORD_LEAST_CHARACTERS} to {PASSWORD_MOST_CHARACTERS} characters."}
        )
    if len(set(text)) < 4 or text in {provider.email, provider.email.split("@")[0]}:
        raise InvalidInput({"password": "This password is too easy to guess."})
    provider.password_hash = _hasher.hash(password)


def deactivate(provider: Provider, *, now: dt.datetime) -> None:
    """Close the account: no sign-in from now on, and every open session ends. Appointments stay.

    Its sync is ended by `connection/switching.close_down`; the ticker sees to it that none is forgotten.
    """
    if provider.deactivated_at is None:
        provider.deactivated_at = now
    end_sessions(provider, now=now)


def reactivate(provider: Provider) -> None:
    """Open a closed account again: the password is the one it had, and no session comes back."""
    provider.deactivated_at = None


def find_provider(email: str) -> Provider | None:
    address = normalize_email(email)
    if address is None:
        return None
    return db.session.scalar(sa.select(Provider).where(Provider.email == address))


def normalize_email(email: str) -> str | None:
    """The address in the form it is stored in, or None if it is not one."""
    try:
        checked = validate_email(email.strip(), check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        return None
    return checked.normalized.lower()


def authenticate(email: str, password: str) -> Provider | None:
    """The provider with this address and password, or None; both cost the same time. Raises TooBusy.

    Nobody's writing waits for the hash: until then this only reads, and afterwards it writes.
    """
    begin_reading()
    provider = find_provider(email)
    usable = provider if provider and provider.deactivated_at is None else None
    stored = usable.password_hash if usable and usable.password_hash else _NOBODY
    is_right, renewed = _verify(stored, password[:PASSWORD_MOST_CHARACTERS])
    begin_writing()
    if usable is None or not is_right:
        return None
    if renewed is not None:
        usable.password_hash = renewed
    return usable


def _verify(stored: str, password: str) -> tuple[bool, str | None]:
    """Whether it is this password, and its hash anew if the stored one is of an older kind. Raises TooBusy.

    Each hash takes a processor and tens of megabytes for a while, and the threads of this process are few:
    so many are computed at once, one more waits, and the rest are told at once.
    """
    if not _turns.acquire(blocking=False):
        raise TooBusy
    try:
        if not _hashing.acquire(timeout=HASH_WAITS_SECONDS):
            raise TooBusy
        try:
            _hasher.verify(stored, password)
            return True, _hasher.hash(password) if _hasher.check_needs_rehash(stored) else None
        except (VerificationError, InvalidHashError):
            return False, None
        finally:
            _hashing.release()
    finally:
        _turns.release()


def open_session(provider: Provider, *, now: dt.datetime) -> str:
    """Begin a sign-in and return the token for its cookie; only the token's hash is stored."""
    token = secrets.token_urlsafe(32)
    provider.page_seen_at = now
    db.session.add(
        LoginSession(
            token_hash=_hash(token), provider=provider, created_at=now, seen_at=now, authenticated_at=now
        )
    )
    return token


def find_session(
    token: str, *, now: dt.datetime, idle_seconds: int, limit_seconds: int
) -> LoginSession | None:
    """The open session of this token, unless it ended, lay idle too long, or has run its full time."""
    row = _session_of(token)
    if row is None:
        return None
    idle = (now - row.seen_at).total_seconds()
    age = (now - row.created_at).total_seconds()
    return row if idle < idle_seconds and age < limit_seconds else None


def lapsed_owner(token: str, *, now: dt.datetime) -> int | None:
    """The id of the provider whose sign-in this was, if it ended by itself; after signing out, nobody's."""
    row = _session_of(token)
    if row is None:
        return None
    return row.provider_id if now - row.seen_at < LAPSED_KNOWN else None


def _session_of(token: str) -> LoginSession | None:
    """The session that nobody ended. One from before a restore is void: it may have been ended since."""
    found = db.session.execute(
        sa.select(LoginSession, pausing.RESTORED_AT).where(LoginSession.token_hash == _hash(token))
    ).one_or_none()
    if found is None:
        return None
    row, restored_at = found[0], pausing.restored_instant(found[1])
    if row.ended_at is not None or row.provider.deactivated_at is not None:
        return None
    return row if restored_at is None or row.created_at >= restored_at else None


def touch_session(row: LoginSession, *, now: dt.datetime) -> bool:
    """Note that the person is here. True if something was changed and wants a commit."""
    if (now - row.seen_at).total_seconds() < SEEN_EVERY_SECONDS:
        return False
    row.seen_at = now
    row.provider.page_seen_at = now
    return True


def note_open_page(row: LoginSession, *, now: dt.datetime) -> bool:
    """Note that a page of theirs is open, whether or not they are there. True if that wants a commit."""
    seen_at = row.provider.page_seen_at
    if seen_at is not None and (now - seen_at).total_seconds() < SEEN_EVERY_SECONDS:
        return False
    row.provider.page_seen_at = now
    return True


def end_sessions(provider: Provider, *, now: dt.datetime) -> None:
    """End every open session of the provider."""
    db.session.execute(
        sa.update(LoginSession)
        .where(LoginSession.provider_id == provider.id, LoginSession.ended_at.is_(None))
        .values(ended_at=now)
    )


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
