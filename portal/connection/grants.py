"""What a consent at Google brought: a new connection, or the one that is there, working again."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from portal.connection.current import clear_problem, last_ended, live_connection
from portal.errors import Refused
from portal.extensions import db
from portal.google.oauth import Grant
from portal.models import Connection, ConnectionPhase, Provider
from portal.rows import outbox


def accept_grant(provider: Provider, grant: Grant, *, now: dt.datetime) -> Connection:
    """Take what a consent brought: a new connection, or the one that is there, working again.

    Raises Refused("scope-missing" | "account-in-use" | "another-account" | "no-refresh-token" |
    "still-removing"); then nothing was stored, and the caller revokes nothing (sync-law §6).
    """
    if grant.missing_scopes:
        raise Refused("scope-missing")
    if not grant.refresh_token:
        raise Refused("no-refresh-token")
    _check_account_is_free(provider, grant)
    connection = live_connection(provider)
    if connection is None:
        return _new_connection(provider, grant, now=now)
    if connection.phase is ConnectionPhase.REMOVING:
        raise Refused("still-removing")
    if connection.google_sub != grant.sub:
        raise Refused("another-account")
    _store_grant(connection, grant, now=now)
    clear_problem(connection)
    connection.next_check_at = now  # somebody waits to see that it works again
    connection.fencing += 1
    db.session.flush()
    outbox.note_change(provider.id, now=now)
    return connection


def _check_account_is_free(provider: Provider, grant: Grant) -> None:
    """One Google account, one provider: two would read each other's appointments in it."""
    taken = db.session.scalar(
        sa.select(Connection.id).where(
            Connection.google_sub == grant.sub,
            Connection.ended_at.is_(None),
            Connection.provider_id != provider.id,
        )
    )
    if taken is not None:
        raise Refused("account-in-use")


def _new_connection(provider: Provider, grant: Grant, *, now: dt.datetime) -> Connection:
    connection = Connection(provider_id=provider.id, created_at=now, phase=ConnectionPhase.CHOOSING)
    _store_grant(connection, grant, now=now)
    connection.app_calendar_id = _take_leftover(provider, grant.sub, now=now)
    try:
        with db.session.begin_nested():
            db.session.add(connection)
    except IntegrityError as error:  # somebody else's consent for the same account came in meanwhile
        raise Refused("account-in-use") from error
    return connection


def _take_leftover(provider: Provider, sub: str, *, now: dt.datetime) -> str | None:
    """Our calendar that stayed in this account, for a dead grant or as wished: it is used again."""
    ended = last_ended(provider)
    removal = (ended.removal if ended else None) or {}
    has_stayed = removal.get("leftover") or removal.get("calendar") == "left"
    if ended is None or ended.google_sub != sub or not has_stayed:
        return None
    ended.removal = {**(ended.removal or {}), "leftover": None, "leftover_reused_at": now.isoformat()}
    return ended.app_calendar_id


def _store_grant(connection: Connection, grant: Grant, *, now: dt.datetime) -> None:
    """The address may have changed at Google; the account is the same as long as `sub` is."""
    connection.google_sub = grant.sub
    connection.email = grant.email
    connection.hosted_domain = grant.hosted_domain
    connection.scopes = " ".join(sorted(grant.scopes))
    connection.refresh_token = grant.refresh_token
    connection.access_token = grant.access_token
    connection.access_token_expires_at = grant.expires_at
    connection.granted_at = now
