"""A SQLite database: copied while the portal runs, and replaced while it does not."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from deploy.keeping.settings import Refusal
from deploy.keeping.shelf import Counts, put_in_place

SIDES = ("-wal", "-shm")  # what SQLite looks for beside a database
BUSY_SECONDS = 2.0
_DAMAGE = ("SQLITE_CORRUPT", "SQLITE_NOTADB")

MARK_SQL = """\
CREATE TABLE IF NOT EXISTS restore_mark (
    restored_at VARCHAR(32) PRIMARY KEY,
    backup_made_at VARCHAR(32) NOT NULL
);
DELETE FROM restore_mark;
"""


class Damaged(Refusal):
    """A file is no database, or not whole."""


def size(database: Path) -> int:
    """Bytes of the database with what is not yet in its main file."""
    paths = [database, *_sides(database)]
    return sum(path.stat().st_size for path in paths if path.exists())


def copy(database: Path, target: Path) -> Counts:
    """One consistent copy, in one file, checked; rows per table. Whoever writes meanwhile goes on."""
    if not database.is_file():
        raise Refusal(f"there is no database at {database}")
    with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)) as source:
        return _copy(source, target)


def count(database: Path) -> Counts:
    """Rows per table. Raises Refusal when the file is damaged or no database."""
    with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)) as connection:
        return _checked_counts(connection, database)


def leave_mark(database: Path, *, restored_at: str, backup_made_at: str) -> None:
    """Say in the database that it was restored, whatever schema it has."""
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.executescript(MARK_SQL)
        connection.execute("INSERT INTO restore_mark VALUES (?, ?)", (restored_at, backup_made_at))


def replace(database: Path, new: Path, kept: Path) -> Counts | None:
    """Put the new file in the database's place. The old one is kept first, under another name.

    Gives back the rows per table of what was kept; None when it could be kept only as it is, file by file,
    because it is damaged, or when there was none. Raises Refusal when somebody has it open. Until the very
    last step the old database holds what it held.
    """
    if not database.exists():
        _keep_files(database, kept)
        _drop_sides(database)
        put_in_place(new, database)
        return None
    _same_owner(new, like=database)
    try:
        with _alone(database) as old:
            counts = _keep(old, kept, new.with_name("kept.sqlite"), like=database)
            # What is in the write-ahead log goes into the old file, and the log goes away: applied to the
            # new file it would ruin it
            old.execute("PRAGMA journal_mode=DELETE").fetchall()
            _drop_sides(database)
            put_in_place(new, database)
            return counts
    except Damaged:
        _keep_files(database, kept)
        _drop_sides(database)
        put_in_place(new, database)
        return None


def _keep(old: sqlite3.Connection, kept: Path, unfinished: Path, *, like: Path) -> Counts:
    """A copy of all that the old one holds, read again from its file and compared."""
    try:
        there = _counts(old)
        _copy(old, unfinished)
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorname.startswith(_DAMAGE):
            raise Damaged(error.sqlite_errorname) from None
        raise
    _same_owner(unfinished, like=like)
    put_in_place(unfinished, kept)
    if count(kept) != there:
        raise Refusal(f"what was kept at {kept} is not all of the old database: nothing was replaced")
    return there


def _keep_files(database: Path, kept: Path) -> None:
    """The database and what stands beside it, byte for byte, under names by which SQLite finds them."""
    for side in ("", *SIDES):
        path = database.with_name(database.name + side)
        if path.exists():
            shutil.copy2(path, f"{kept}{side}")
            _same_owner(Path(f"{kept}{side}"), like=path)


@contextmanager
def _alone(database: Path) -> Iterator[sqlite3.Connection]:
    """A connection beside which there can be no other. Opening reads the write-ahead log in."""
    connection = sqlite3.connect(database, timeout=BUSY_SECONDS, isolation_level=None)
    with closing(connection):
        try:
            # before anything is read: then even somebody who only has it open is in the way
            connection.execute("PRAGMA locking_mode=EXCLUSIVE")
            connection.execute("BEGIN EXCLUSIVE")
            connection.execute("COMMIT")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorname.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
                raise Refusal(
                    f"{database} is in use: stop the web server and the worker first; nothing was changed"
                ) from None
            raise
        except sqlite3.DatabaseError as error:
            raise Damaged(error.sqlite_errorname) from None
        yield connection


def _copy(source: sqlite3.Connection, target: Path) -> Counts:
    with closing(sqlite3.connect(target)) as copied:
        source.backup(copied)
        copied.execute("PRAGMA journal_mode=DELETE").fetchall()  # all in one file
        return _checked_counts(copied, target)


def _checked_counts(connection: sqlite3.Connection, path: Path) -> Counts:
    try:
        verdict = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
        if verdict == "ok":
            return _counts(connection)
    except sqlite3.DatabaseError as error:
        verdict = str(error.sqlite_errorname)
    raise Damaged(f"{path} is damaged, or no database: {verdict.splitlines()[0]}")


def _counts(connection: sqlite3.Connection) -> Counts:
    listed = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
    tables = [name.replace('"', '""') for (name,) in connection.execute(listed)]
    return {name: connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for name in tables}  # noqa: S608


def _sides(database: Path) -> list[Path]:
    return [database.with_name(database.name + side) for side in SIDES]


def _drop_sides(database: Path) -> None:
    for path in _sides(database):
        path.unlink(missing_ok=True)


def _same_owner(path: Path, *, like: Path) -> None:
    """The services have to be able to open what root put there."""
    owner = like.stat()
    if os.geteuid() == 0:
        os.chown(path, owner.st_uid, owner.st_gid)
    path.chmod(owner.st_mode & 0o777)
