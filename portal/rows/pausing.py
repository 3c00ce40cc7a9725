"""Whether this database is at home. One that was restored, moved or copied waits: two would sync at once.

The practice's row says where it was at home, `restore_mark` that a backup was put back. Where these and the
settings differ, nothing is sent: `outward` asks before each request, a run when it takes its lease.
"""

from __future__ import annotations

import datetime as dt
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import sqlalchemy as sa
from flask import current_app

from portal.config import Config
from portal.errors import Paused
from portal.extensions import db, reading_apart
from portal.models import Connection, LoginSession, Practice, RestoreMark
from portal.outward import WEB_PORTS

# How long one look holds for a run's requests: no database changes hands under a process within a second
LOOK_HOLDS_SECONDS = 1.0
LOOKED_AT = "pausing-looked-at"
BEYOND_ALL = dt.datetime.max.replace(tzinfo=dt.UTC)

RESTORED_AT = sa.select(sa.func.max(RestoreMark.restored_at)).scalar_subquery()
BACKUP_MADE_AT = (
    sa.select(RestoreMark.backup_made_at).order_by(RestoreMark.restored_at.desc()).limit(1).scalar_subquery()
)
# What `judge` reads, for a statement that asks for something of the practice anyway
STANDING = (
    Practice.public_url.label("home"),
    Practice.installation_mark.label("mark"),
    RESTORED_AT.label("restored_at"),
    BACKUP_MADE_AT.label("backup_made_at"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """Why nothing is sent; at least one of the three."""

    restored_at: dt.datetime | None = None
    backup_made_at: dt.datetime | None = None  # None also where the mark cannot be read
    moved: tuple[str, str] | None = None  # from which address to which
    is_copy: bool = False  # of another installation


def judge(row: Any) -> Pause | None:
    """What a row with the columns of `STANDING` says; None: this database is at home."""
    here, mark = _here()
    is_moved = row.home is not None and row.home != here
    is_copy = row.mark is not None and row.mark != mark
    if row.restored_at is None and not is_moved and not is_copy:
        return None
    return Pause(
        restored_at=restored_instant(row.restored_at),
        backup_made_at=_instant(row.backup_made_at),
        moved=(row.home, here) if is_moved else None,
        is_copy=is_copy,
    )


def read() -> Pause | None:
    """Whether and why it is paused, in the session's transaction."""
    return judge(db.session.execute(sa.select(*STANDING)).one())


def is_paused() -> bool:
    return read() is not None


def may_send() -> None:
    """For `outward`. Raises Paused. Reads apart: a request to Google must find no transaction open."""
    looked_at: float | None = current_app.extensions.get(LOOKED_AT)
    if looked_at is not None and time.monotonic() - looked_at < LOOK_HOLDS_SECONDS:
        return
    with reading_apart() as connection:
        if judge(connection.execute(sa.select(*STANDING)).one()) is not None:
            raise Paused
    current_app.extensions[LOOKED_AT] = time.monotonic()


def at_home() -> sa.ColumnElement[bool]:
    """The same as a condition, for a statement that must do nothing while paused."""
    here, mark = _here()
    other_mark = (
        Practice.installation_mark.is_not(None) if mark is None else Practice.installation_mark != mark
    )
    elsewhere = sa.select(Practice.id).where(sa.or_(Practice.public_url != here, other_mark))
    return sa.and_(~elsewhere.exists(), ~sa.select(RestoreMark.restored_at).exists())


def stamp() -> None:
    """Say whose database this is where nothing says so yet. Commits. Of several at once, one does it."""
    here, mark = _here()
    with reading_apart() as connection:
        stands = connection.execute(sa.select(*STANDING)).one()
    if stands.home is not None and (stands.mark is not None or mark is None):
        return  # nothing to write: no writer is waited for
    missing = [Practice.public_url.is_(None)] + ([Practice.installation_mark.is_(None)] if mark else [])
    db.session.execute(
        sa.update(Practice)
        .where(
            sa.or_(*missing),
            # of the row itself, since PostgreSQL looks at these again when another one was first
            sa.or_(Practice.public_url.is_(None), Practice.public_url == here),
            sa.or_(Practice.installation_mark.is_(None), Practice.installation_mark == mark),
            ~sa.select(RestoreMark.restored_at).exists(),
        )
        .values(public_url=here, installation_mark=mark)
        .execution_options(synchronize_session=False)
    )
    db.session.commit()


def go_on(*, now: dt.datetime) -> bool:
    """This database is at home here from now on, and every sync is due. False: it was not paused."""
    pause = read()
    if pause is None:
        return False
    here, mark = _here()
    practice = db.session.get_one(Practice, 1, with_for_update=True)
    practice.public_url, practice.installation_mark = here, mark
    if pause.restored_at is not None:
        _end_revived_sessions(pause.restored_at, now=now)
    db.session.execute(sa.delete(RestoreMark))
    db.session.execute(
        sa.update(Connection)
        .where(Connection.ended_at.is_(None))
        .values(
            next_check_at=now,
            queued_at=None,
            retry_at=sa.case((Connection.retry_at > now, Connection.retry_at), else_=None),
        )
        .execution_options(synchronize_session=False)
    )
    return True


def restored_instant(text: str | None) -> dt.datetime | None:
    """When a backup was put back. A mark that cannot be read counts as later than everything."""
    return None if text is None else _instant(text) or BEYOND_ALL


def _end_revived_sessions(restored_at: dt.datetime, *, now: dt.datetime) -> None:
    """They are void while the mark stands; they must not come to life when it goes."""
    db.session.execute(
        sa.update(LoginSession)
        .where(LoginSession.created_at < restored_at, LoginSession.ended_at.is_(None))
        .values(ended_at=now)
        .execution_options(synchronize_session=False)
    )


def _here() -> tuple[str, str | None]:
    config: Config = current_app.extensions["config"]
    return _plain(config.public_url), config.installation_mark


def _plain(address: str) -> str:
    """The address in the form in which it is stored and compared: lower case, no port that goes without."""
    parts = urlsplit(address)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname or ""
    is_usual = parts.port in (None, WEB_PORTS.get(parts.scheme))
    return f"{parts.scheme}://{host}" + ("" if is_usual else f":{parts.port}")


def _instant(text: str | None) -> dt.datetime | None:
    try:
        instant = dt.datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return instant.astimezone(dt.UTC) if instant.tzinfo else instant.replace(tzinfo=dt.UTC)
