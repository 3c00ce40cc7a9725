"""Push channels: each opened before its predecessor ends, and stopped when nobody needs it any more.

Push is a hint. No failure here fails a run, and polling finds whatever push does not tell.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from flask import current_app

from portal.config import Config
from portal.engine.run import Run
from portal.errors import (
    CalendarError,
    CalendarUnavailable,
    EventNotFound,
    InvalidRequest,
    PermissionDenied,
    QuotaExceeded,
    ScopeMissing,
)
from portal.extensions import db
from portal.models import Connection, ConnectionPhase, GoogleCalendar, PushChannel

ASKED_LIFE = dt.timedelta(hours=47)  # 48 are allowed; two clocks never quite agree
RENEWED_IN_LAST = 0.25  # of a channel's life, a quarter of that more or less
KEPT_AFTER_END = dt.timedelta(days=30)  # a late message of ours can be told from a stranger's, and stopped
RETRY_SOON = dt.timedelta(minutes=5)
RETRY_LATER = dt.timedelta(hours=1)
NOT_WATCHABLE = "pushNotSupportedForRequestedResource"  # holidays, subscribed feeds (facts §9)
ADDRESS_REFUSED = "webhookUrl"  # in several reasons: not https, not authorized
FINAL_REFUSALS = (EventNotFound, InvalidRequest, PermissionDenied, ScopeMissing)
LISTENING = (ConnectionPhase.FIRST_SYNC, ConnectionPhase.ACTIVE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A push message: headers only, each of them a claim until the secret has been compared."""

    channel_id: str
    secret: str
    resource_id: str
    state: str  # "sync" when the channel opens, then "exists"


# In a run


def keep_up(run: Run) -> None:
    """Open what is missing or about to end, then stop what nobody needs. Raises LeaseLost only."""
    rows = _rows(run.connection_id)
    unwatched = _unwatched(run, rows)
    for calendar_id in unwatched:
        if not _open(run, calendar_id):
            break
    _stop_each(run, _unneeded(run, _rows(run.connection_id) if unwatched else rows))


def stop_all(run: Run) -> None:
    """Before leaving: stop every channel, as far as Google lets us; they end by themselves in two days."""
    _stop_each(run, [row.id for row in _rows(run.connection_id) if _may_deliver(row, run.now)])


def _stop_each(run: Run, channel_ids: Sequence[int]) -> None:
    for channel_id in channel_ids:
        if not _stop(run, channel_id):
            return


def _unwatched(run: Run, rows: Sequence[PushChannel]) -> list[int]:
    """Calendars that want a channel and have none that lasts."""
    now = run.now
    lasting = {row.google_calendar_id for row in rows if _is_live(row, now) and now < renewal_at(row)}
    return [
        calendar.id
        for calendar in _wanted(run.connection_id)
        if calendar.id not in lasting
        and not calendar.is_poll_only
        and calendar.stale_since is None
        and calendar.missing_since is None
        and (calendar.watch_retry_at is None or calendar.watch_retry_at <= now)
    ]


def _open(run: Run, calendar_id: int) -> bool:
    """Open one channel; its row is there before Google knows of it, as a message may overtake the answer.

    False when the next one would meet the same trouble.
    """
    secret, now = secrets.token_urlsafe(32), run.now
    channel = PushChannel(
        connection_id=run.connection_id,
        google_calendar_id=calendar_id,
        channel_id=secrets.token_hex(16),
        secret_hash=_hash(secret),
        created_at=now,
    )
    db.session.add(channel)
    run.commit()
    row_id, channel_id = channel.id, channel.channel_id
    google_id = db.session.get_one(GoogleCalendar, calendar_id).calendar_id
    try:
        watched = run.google.watch_events(
            google_id, channel_id=channel_id, secret=secret, address=_address(), expires_at=now + ASKED_LIFE
        )
    except CalendarError as error:
        return _refused(run, calendar_id, row_id, error)
    channel = db.session.get_one(PushChannel, row_id)
    channel.resource_id, channel.expires_at = watched.resource_id, watched.expires_at
    run.counts["channels_opened"] += 1
    run.commit()
    return True


def _refused(run: Run, calendar_id: int, row_id: int, error: CalendarError) -> bool:
    """Remember why, so that Google isn't asked in vain with every run. True when the others may go on."""
    calendar = db.session.get_one(GoogleCalendar, calendar_id)
    concerns_one = isinstance(error, FINAL_REFUSALS) and ADDRESS_REFUSED not in error.code
    if error.code == NOT_WATCHABLE:
        calendar.is_poll_only = True
    else:
        for one in [calendar] if concerns_one else _wanted(run.connection_id):
            one.watch_retry_at = run.now + _wait(error)
    if not isinstance(error, CalendarUnavailable):  # unanswered, it may be open: _unneeded() stops it
        db.session.delete(db.session.get_one(PushChannel, row_id))
    run.counts["channels_refused"] += 1
    run.commit()
    return concerns_one


def _wait(error: CalendarError) -> dt.timedelta:
    is_lasting = isinstance(error, (*FINAL_REFUSALS, QuotaExceeded)) or ADDRESS_REFUSED in error.code
    return RETRY_LATER if is_lasting else RETRY_SOON


def _unneeded(run: Run, rows: Sequence[PushChannel]) -> list[int]:
    """Channels that may deliver and that no calendar needs: replaced, unchosen, half opened, or late."""
    now = run.now
    wanted = {calendar.id for calendar in _wanted(run.connection_id)}
    newest = {row.google_calendar_id: row.id for row in rows if _is_live(row, now)}
    needed = {row_id for calendar_id, row_id in newest.items() if calendar_id in wanted}
    return [row.id for row in rows if row.id not in needed and _may_deliver(row, now)]


def _stop(run: Run, row_id: int) -> bool:
    """Stop one channel. False when Google did not answer: then the next run tries again."""
    channel = db.session.get_one(PushChannel, row_id)
    if channel.resource_id is not None:  # without it Google stops nothing; its first message will tell
        try:
            run.google.stop_channel(channel.channel_id, channel.resource_id)
        except FINAL_REFUSALS:
            run.counts["channels_gone_already"] += 1
        except CalendarError:
            return False
        channel = db.session.get_one(PushChannel, row_id)
    channel.stopped_at = run.now
    run.counts["channels_stopped"] += 1
    run.commit()
    return True


# What is known


def renewal_at(channel: PushChannel) -> dt.datetime:
    """When a successor is opened: in the last quarter of its life, and not for all channels at once."""
    assert channel.expires_at is not None
    spread = int(channel.channel_id[:4], 16) / 0x10000
    last_part = (channel.expires_at - channel.created_at) * RENEWED_IN_LAST
    return channel.expires_at - last_part * (0.75 + spread / 2)


def are_proven(connection: Connection, *, now: dt.datetime) -> bool:
    """Whether each calendar that is read has a live channel that has already delivered a message."""
    wanted = _wanted(connection.id)
    if not wanted:
        return False
    proven = {
        row.google_calendar_id
        for row in _rows(connection.id)
        if _is_live(row, now) and row.last_message_at is not None
    }
    return all(row.id in proven and not row.is_poll_only for row in wanted)


def _rows(connection_id: int) -> list[PushChannel]:
    """Every channel that is remembered, the oldest first."""
    return list(
        db.session.scalars(
            sa.select(PushChannel)
            .where(PushChannel.connection_id == connection_id)
            .order_by(PushChannel.created_at, PushChannel.id)
        )
    )


def _wanted(connection_id: int) -> list[GoogleCalendar]:
    """The calendars that are read, if Google can reach this portal at all."""
    config: Config = current_app.extensions["config"]
    if not (config.is_https or config.google_webhook_allow_http):
        return []
    is_read = sa.or_(GoogleCalendar.is_chosen, GoogleCalendar.is_app_calendar)
    return list(
        db.session.scalars(
            sa.select(GoogleCalendar)
            .where(GoogleCalendar.connection_id == connection_id, is_read)
            .order_by(GoogleCalendar.id)
        )
    )


def _is_live(channel: PushChannel, now: dt.datetime) -> bool:
    return channel.stopped_at is None and channel.expires_at is not None and channel.expires_at > now


def _may_deliver(channel: PushChannel, now: dt.datetime) -> bool:
    """Not ended for all we know, or heard of since its end."""
    ended_at = channel.stopped_at or (
        channel.expires_at if channel.expires_at and channel.expires_at <= now else None
    )
    if ended_at is None:
        return True
    return channel.last_message_at is not None and channel.last_message_at > ended_at


def _address() -> str:
    config: Config = current_app.extensions["config"]
    return f"{config.public_url}/webhooks/google"


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


# When a message comes


def find_channel(message: Message) -> PushChannel | None:
    """The channel that this message proves to come from: known, with its secret and its resource."""
    channel = db.session.scalar(sa.select(PushChannel).where(PushChannel.channel_id == message.channel_id))
    if channel is None or not hmac.compare_digest(_hash(message.secret), channel.secret_hash):
        return None
    is_another = channel.resource_id is not None and channel.resource_id != message.resource_id
    return None if is_another else channel


def take_message(channel: PushChannel, message: Message, *, now: dt.datetime) -> bool:
    """Note a sign of life, and ask for a look at Google. True when a run should begin.

    A channel that was stopped is only noted: the next run stops it again.
    """
    channel.last_message_at = now
    if channel.resource_id is None and message.resource_id:
        channel.resource_id = message.resource_id[:255]  # the answer to watch is late, or was lost
    if message.state == "sync" or channel.stopped_at is not None:
        return False
    db.session.flush()
    asked = db.session.execute(
        sa.update(Connection)
        .where(Connection.id == channel.connection_id, Connection.phase.in_(LISTENING))
        .values(requested=Connection.requested + 1, next_check_at=now)
        .execution_options(synchronize_session=False)
    )
    return bool(asked.rowcount)  # type: ignore[attr-defined]


def delete_old(*, now: dt.datetime) -> int:
    """Forget channels that ended, and were last heard of, more than 30 days ago. How many."""
    oldest = now - KEPT_AFTER_END
    ended_at = sa.func.coalesce(PushChannel.stopped_at, PushChannel.expires_at, PushChannel.created_at)
    is_quiet = sa.or_(PushChannel.last_message_at.is_(None), PushChannel.last_message_at < oldest)
    deleted = db.session.execute(
        sa.delete(PushChannel).where(ended_at < oldest, is_quiet),
        execution_options={"synchronize_session": False},
    )
    return int(deleted.rowcount)  # type: ignore[attr-defined]
