"""Flask extensions, created unbound; `create_app` binds them. Also how transactions begin and end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import sqlalchemy as sa
import structlog
from flask_htmx import HTMX
from flask_login import LoginManager
from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy
from flask_wtf import CSRFProtect
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, SQLAlchemyError, TimeoutError
from sqlalchemy.orm import DeclarativeBase

from portal import logs

log = structlog.get_logger()

SQLITE_BUSY_SECONDS = 10
NONSENSE = "SQLITE_ERROR"  # such as a table that is not there: the same kind of error as a full disk
READ_ONLY = "25006"  # PostgreSQL, on a standby or told so by hand when its disk is full


class Base(DeclarativeBase):
    """All tables. Constraint names are fixed, so that SQLite and PostgreSQL migrate alike."""

    metadata = sa.MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


# Objects stay readable after a commit: a run commits per batch and goes on with what it gathered.
db = SQLAlchemy(model_class=Base, session_options={"expire_on_commit": False})
migrate = Migrate(db=db, render_as_batch=True)
login_manager = LoginManager()
csrf = CSRFProtect()
htmx = HTMX()

# SQLite cannot turn a reading transaction into a writing one once another writer has committed
# (SQLITE_BUSY_SNAPSHOT). So transactions begin IMMEDIATE unless the edge knows that it will only read.
_reads_only: ContextVar[bool] = ContextVar("reads_only", default=False)
# How long a transaction waits for other writers; None on PostgreSQL means as long as it takes.
_waits_seconds: ContextVar[float | None] = ContextVar("waits_seconds", default=None)


def begin_reading() -> None:
    """From here on this request only reads; on SQLite it then never waits for a writer."""
    _reads_only.set(True)


def begin_writing() -> None:
    """End the reading transaction, if there is one, and let the next one write."""
    if _reads_only.get():
        db.session.commit()
    _reads_only.set(False)


@contextmanager
def begin_briefly(seconds: float) -> Iterator[None]:
    """End the reading transaction; what follows writes, or fails after waiting so long for other writers.

    The failure is sqlalchemy's OperationalError. Commits nothing; afterwards this request only reads.
    """
    waited = _waits_seconds.set(seconds)
    try:
        begin_writing()
        yield
    finally:
        _waits_seconds.reset(waited)
        begin_reading()


@contextmanager
def if_possible(what: str, *, within_seconds: float, **about: Any) -> Iterator[None]:
    """Commit what is done inside, or leave it out when the database cannot take it; then only read.

    For notes that no page and no feed may fail for. What is left out stands in the log as `what`, with the
    ids in `about`; objects of the session are then read anew.
    """
    try:
        with begin_briefly(within_seconds):
            yield
            db.session.commit()
    except SQLAlchemyError as error:
        db.session.rollback()
        log.warning(what, kind=logs.kind(error), **about)


def is_away(error: BaseException | None) -> bool:
    """Whether the database is locked, full, read-only or out of reach, rather than asked for nonsense."""
    if isinstance(error, DBAPIError):
        if getattr(error.orig, "sqlite_errorname", None) == NONSENSE:
            return False
        is_closed = error.connection_invalidated or getattr(error.orig, "sqlstate", None) == READ_ONLY
        return is_closed or isinstance(error, OperationalError | InterfaceError)
    return isinstance(error, TimeoutError)  # every connection of the pool is waiting


@contextmanager
def reading_apart() -> Iterator[Connection]:
    """A transaction beside the session's own that only reads, and so waits for no writer."""
    earlier = _reads_only.set(True)
    try:
        with db.engine.connect() as connection:
            yield connection
    finally:
        _reads_only.reset(earlier)


def forget_reading(_error: BaseException | None = None) -> None:
    """After a request: what this thread does next may write, whatever the request had promised."""
    _reads_only.set(False)
    _waits_seconds.set(None)


@sa.event.listens_for(Engine, "connect")
def _prepare_sqlite(dbapi_connection: Any, _record: Any) -> None:
    if type(dbapi_connection).__module__.startswith("sqlite3"):
        dbapi_connection.isolation_level = None  # SQLAlchemy's BEGIN below, not the driver's
        for pragma in (
            f"busy_timeout={SQLITE_BUSY_SECONDS * 1000}",  # for the next one; see _begin
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
        ):
            dbapi_connection.execute(f"PRAGMA {pragma}")


@sa.event.listens_for(Engine, "begin")
def _begin(connection: Connection) -> None:
    waits_seconds = _waits_seconds.get()
    if connection.dialect.name == "sqlite":
        waits_seconds = SQLITE_BUSY_SECONDS if waits_seconds is None else waits_seconds
        _wait_at_most(connection, round(waits_seconds * 1000))
        connection.exec_driver_sql("BEGIN" if _reads_only.get() else "BEGIN IMMEDIATE")
    elif waits_seconds is not None:
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = {round(waits_seconds * 1000)}")


def _wait_at_most(connection: Connection, milliseconds: int) -> None:
    """A time-out stays with SQLite's connection: it is set where another one held before."""
    if connection.info.get("busy_timeout") != milliseconds:
        connection.exec_driver_sql(f"PRAGMA busy_timeout={milliseconds}")
        connection.info["busy_timeout"] = milliseconds
