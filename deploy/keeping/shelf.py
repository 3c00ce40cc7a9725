"""The folder of backups: what the files are called, how many rows each holds, how long they stay."""

from __future__ import annotations

import datetime as dt
import fcntl
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from deploy.keeping.settings import Refusal

Counts = Mapping[str, int]  # rows per table

STAMP = "%Y%m%dT%H%M%SZ"
MARK = "restore_mark"  # left by a restore, and so the one table that may differ from what was backed up
_NAME = re.compile(r"lockstep-([0-9]{8}T[0-9]{6}Z)\.(?:sqlite|dump)(?:\.age)?")
_WORKING = ".lockstep-working-"


def stamp(now: dt.datetime) -> str:
    return now.strftime(STAMP)


def made_at(backup: Path) -> dt.datetime:
    """When a backup was made: what its name says, or else the time of the file."""
    found = re.search(r"[0-9]{8}T[0-9]{6}Z", backup.name)
    try:
        if found:
            return dt.datetime.strptime(found[0], STAMP).replace(tzinfo=dt.UTC)
    except ValueError:  # digits that are no date
        pass
    return dt.datetime.fromtimestamp(int(backup.stat().st_mtime), dt.UTC)


def backups_in(folder: Path) -> list[Path]:
    """Oldest first. A stamp sorts as its moment does."""
    found = [path for path in folder.glob("lockstep-*") if _NAME.fullmatch(path.name)]
    return sorted(found, key=lambda path: path.name)


def drop_older(folder: Path, *, keep_days: int, now: dt.datetime) -> list[Path]:
    """Delete what is older, but never the newest, and give back what was deleted."""
    last = now - dt.timedelta(days=keep_days)
    dropped = [path for path in backups_in(folder)[:-1] if made_at(path) < last]
    for path in dropped:
        path.unlink()
        counts_file(path).unlink(missing_ok=True)
    return dropped


# Rows per table, written beside each backup


def counts_file(backup: Path) -> Path:
    return backup.with_name(f"{backup.name}.counts")


def write_counts(backup: Path, counts: Counts) -> None:
    counts_file(backup).write_text(json.dumps(dict(sorted(counts.items())), indent=1) + "\n")


def read_counts(backup: Path) -> Counts | None:
    """None when nothing was written beside it."""
    try:
        counts = json.loads(counts_file(backup).read_text())
    except FileNotFoundError:
        return None
    except ValueError:
        raise Refusal(f"{counts_file(backup)} is damaged") from None
    return {str(table): int(rows) for table, rows in counts.items()}


def compare(found: Counts, expected: Counts) -> None:
    """Raises Refusal that names the tables whose numbers of rows differ."""
    tables = sorted((found.keys() | expected.keys()) - {MARK})
    told = [
        f"{table}: {found.get(table, 'no table')} instead of {expected.get(table, 'no table')}"
        for table in tables
        if found.get(table) != expected.get(table)
    ]
    if told:
        raise Refusal("the backup does not hold what was counted when it was made\n" + "\n".join(told))


def in_words(counts: Counts) -> str:
    return "\n".join(f"  {table}: {rows}" for table, rows in sorted(counts.items()))


# Room to work in


def need_space(folder: Path, needed_bytes: int, *, leave_bytes: int) -> None:
    """Raises Refusal when the folder's disk would be left with less than is to be left."""
    free = shutil.disk_usage(folder).free
    if free < needed_bytes + leave_bytes:
        missing = needed_bytes + leave_bytes - free
        raise Refusal(
            f"not enough space in {folder}: {_megabytes(free)} are free, {_megabytes(needed_bytes)} are "
            f"needed and {_megabytes(leave_bytes)} are to stay free; {_megabytes(missing)} are missing"
        )


def _megabytes(size: int) -> str:
    return f"{-(-size // 1_000_000):,} MB"


@contextmanager
def working_folder(folder: Path) -> Iterator[Path]:
    """A folder for files that are not finished, on the same disk. Only one command at a time has one.

    Deleted at the end; what a command that was killed left is deleted by the next.
    """
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Refusal(f"another backup or restore is at work in {folder}") from None
        for left in folder.glob(f"{_WORKING}*"):
            shutil.rmtree(left)
        with tempfile.TemporaryDirectory(prefix=_WORKING, dir=folder) as name:
            yield Path(name)
    finally:
        os.close(descriptor)


def put_in_place(finished: Path, place: Path) -> None:
    """Rename, so that the place holds either all of what was there or all of what is new, on the disk too."""
    _to_disk(finished)
    finished.replace(place)
    _to_disk(place.parent)


def _to_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
