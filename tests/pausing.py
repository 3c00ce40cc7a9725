"""How tests bring a database into the state that a restore or a copy leaves."""

from __future__ import annotations

import dataclasses
import datetime as dt

import sqlalchemy as sa
from flask import Flask

from portal.config import Config
from portal.extensions import db
from portal.models import RestoreMark
from portal.rows import pausing

BACKUP_MADE_AT = "2026-11-10T02:30:00+00:00"


def leave_mark(restored_at: dt.datetime) -> None:
    """As deploy/restore does, in plain SQL."""
    insert = sa.text("INSERT INTO restore_mark (restored_at, backup_made_at) VALUES (:at, :made)")
    db.session.execute(insert, {"at": restored_at.isoformat(), "made": BACKUP_MADE_AT})
    db.session.commit()


def marks() -> int:
    return db.session.scalar(sa.select(sa.func.count()).select_from(RestoreMark)) or 0


def settle_as(app: Flask, *, public_url: str | None = None, mark: str | None = None) -> None:
    """From here on the same app goes by other settings, as one started anew would."""
    config: Config = app.extensions["config"]
    address = public_url or config.public_url
    app.extensions["config"] = dataclasses.replace(config, public_url=address, installation_mark=mark)
    forget_look(app)


def forget_look(app: Flask) -> None:
    """As in a process that begins: the database was not looked at yet."""
    app.extensions.pop(pausing.LOOKED_AT, None)
