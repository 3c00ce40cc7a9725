"""What happens while a connection waits for its provider to reconnect: mails, and imported events that age.

On days 0, 3, 7 and 14 a mail, until it is mended; after 30 days imported events are removed here, which is
announced from day 7 on. Nothing in Google is touched.
"""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
import structlog
from flask import current_app

from portal.config import Config
from portal.connection import mail
from portal.errors import MailNotSent
from portal.extensions import db
from portal.models import Connection, GoogleCalendar, GoogleEvent, Mail
from portal.rows import google_events
from portal.sync.health import ANNOUNCED_AFTER_DAYS, IMPORTS_KEPT_DAYS
from portal.sync.trouble import ACCESS_REFUSED, RECONNECT, REFUSED_TOLD_AFTER, UNREADABLE

log = structlog.get_logger()

WAITING = (RECONNECT, "scope-missing")
MAIL_DAYS = (0, 3, 7, 14)
MOST_TRIES = 8
TRY_AGAIN_MINUTES = 5  # doubling
REASON = RECONNECT
SUBJECT = "Your calendar sync needs you: please reconnect Google"
BODY = """\
Hello {name},

Lockstep can no longer reach your Google Calendar. {cause}

Until you reconnect, changes do not travel between your appointments and Google. Nothing was deleted, here
or there.{announcement}

To mend it, open this page, sign in and press Reconnect:
{address}

Your calendars and settings are kept. These mails stop as soon as it works again.
"""
NOT_ACCEPTED = """\
Google does not accept its permission any more; this
happens after a change of password, after "Remove access" in the Google account, or when an administrator
blocks the app."""
NOT_READABLE = """\
It cannot read the permission that it
keeps, because the key that locks it was changed or lost. Whoever runs this portal may be able to bring the
key back; then it works again by itself."""
ANNOUNCEMENT = """

Events from Google that are shown in Lockstep will be removed there on {date}. They stay in Google, and come
back when you reconnect."""


def remind(now: dt.datetime) -> int:
    """Write the mails that are due, and send what was not sent yet. How many were written. Commits."""
    written = sum(_write_due(connection, now=now) for connection in _waiting(now))
    db.session.commit()
    for mail_id in _unsent(now=now):
        _send(mail_id, now=now)
    return written


def expire_imports(now: dt.datetime) -> int:
    """Remove imported events that nobody could renew for 30 days. How many there were. Commits."""
    removed = 0
    for connection in _waiting(now):
        since = connection.problem_since
        if since is None or now - since < dt.timedelta(days=IMPORTS_KEPT_DAYS):
            continue
        for calendar in _with_events(connection):
            removed += google_events.count_shown([calendar.id], now=now)
            google_events.delete_calendar_events(calendar.id)
            calendar.sync_token = calendar.page_token = calendar.query_signature = None
            calendar.is_full_pass = True  # reconnecting reads everything anew
    db.session.commit()
    if removed:
        log.info("imports.expired", removed=removed)
    return removed


def _waiting(now: dt.datetime) -> list[Connection]:
    return list(
        db.session.scalars(sa.select(Connection).where(Connection.ended_at.is_(None), _is_waiting(now)))
    )


def _is_waiting(now: dt.datetime) -> sa.ColumnElement[bool]:
    """A new consent is asked for; or Google has refused the tokens of the old one for a day."""
    is_refused = sa.and_(
        Connection.problem == ACCESS_REFUSED, Connection.problem_since <= now - REFUSED_TOLD_AFTER
    )
    return sa.or_(Connection.problem.in_(WAITING), is_refused)


def _with_events(connection: Connection) -> list[GoogleCalendar]:
    return list(
        db.session.scalars(
            sa.select(GoogleCalendar).where(
                GoogleCalendar.connection_id == connection.id,
                sa.exists().where(GoogleEvent.google_calendar_id == GoogleCalendar.id),
            )
        )
    )


def _write_due(connection: Connection, *, now: dt.datetime) -> int:
    """The latest mail that is due, once. Those of days on which nobody worked are left out."""
    provider, since = connection.provider, connection.problem_since
    if since is None or provider.deactivated_at is not None:
        return 0
    day = max(day for day in MAIL_DAYS if since + dt.timedelta(days=day) <= max(now, since))
    written = sa.select(Mail.id).where(
        Mail.provider_id == provider.id, Mail.reason == REASON, Mail.since == since, Mail.day == day
    )
    if db.session.scalar(written) is not None:
        return 0
    db.session.add(
        Mail(
            provider_id=provider.id,
            reason=REASON,
            since=since,
            day=day,
            created_at=now,
            recipient=provider.email,
            subject=SUBJECT,
            body=_body(connection, since, day),
        )
    )
    db.session.flush()
    return 1


def _body(connection: Connection, since: dt.datetime, day: int) -> str:
    config: Config = current_app.extensions["config"]
    ends = since + dt.timedelta(days=IMPORTS_KEPT_DAYS)
    date = f"{ends:%B} {ends.day}, {ends.year}"
    announcement = ANNOUNCEMENT.format(date=date) if day >= ANNOUNCED_AFTER_DAYS else ""
    return BODY.format(
        name=connection.provider.name,
        cause=NOT_READABLE if connection.problem_detail == UNREADABLE else NOT_ACCEPTED,
        announcement=announcement,
        address=f"{config.public_url}/calendar/sync",
    )


def _unsent(*, now: dt.datetime) -> list[int]:
    """Mails whose trouble still stands and whose next try is due. None without a server."""
    config: Config = current_app.extensions["config"]
    if not config.smtp_url:
        return []
    rows = db.session.scalars(
        sa.select(Mail)
        .join(Connection, Connection.provider_id == Mail.provider_id)
        .where(
            Connection.ended_at.is_(None),
            _is_waiting(now),
            Connection.problem_since == Mail.since,
            Mail.sent_at.is_(None),
            Mail.tries < MOST_TRIES,
        )
        .order_by(Mail.id)
    ).all()
    return [row.id for row in rows if now >= row.created_at + _wait(row.tries)]


def _wait(tries: int) -> dt.timedelta:
    return dt.timedelta(minutes=TRY_AGAIN_MINUTES * (2**tries - 1))


def _send(mail_id: int, *, now: dt.datetime) -> None:
    """One try, outside of any transaction. A worker killed in between sends it once more."""
    config: Config = current_app.extensions["config"]
    row = db.session.get_one(Mail, mail_id)
    recipient, subject, body = row.recipient, row.subject, row.body
    db.session.commit()
    error: str | None = None
    try:
        mail.send(
            config.smtp_url or "",
            sender=config.mail_from or recipient,
            recipient=recipient,
            subject=subject,
            body=body,
        )
    except MailNotSent as failure:
        error = failure.code[:64]
        log.warning("mail.not-sent", mail=mail_id, kind=error)
    row = db.session.get_one(Mail, mail_id)
    row.tries, row.error = row.tries + 1, error
    if error is None:
        row.sent_at = now
    db.session.commit()
