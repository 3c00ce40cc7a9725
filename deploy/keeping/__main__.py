"""`backup FOLDER`, `restore FILE`, `restore-test FOLDER`. Exit 1, with words, when it could not be done."""

from __future__ import annotations

import datetime as dt
import os
import sqlite3
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from deploy.keeping import postgres, sealing, shelf, sqlite
from deploy.keeping.settings import Refusal, Settings, read
from deploy.keeping.shelf import Counts

NEXT = """\
Restored. Now:
  deploy/in-place flask --app wsgi db upgrade
  start the web server and the worker, and sign in as the owner: sync waits there until you let it go on"""


def backup(folder: Path, settings: Settings, now: dt.datetime) -> None:
    """One consistent copy of the database, while the portal runs. Prints the file it wrote."""
    if settings.age_recipient:
        sealing.need_age()
    with shelf.working_folder(folder) as working:
        database = settings.sqlite_path
        size = sqlite.size(database) if database else postgres.size(settings.database_url)
        copies = 2 if settings.age_recipient else 1
        shelf.need_space(folder, size * copies, leave_bytes=settings.leave_free_bytes)
        name = f"lockstep-{shelf.stamp(now)}.{'sqlite' if database else 'dump'}"
        made = working / name
        counts = sqlite.copy(database, made) if database else postgres.dump(settings.database_url, made)
        if settings.age_recipient:
            sealed = working / f"{name}{sealing.SUFFIX}"
            sealing.seal(made, sealed, settings.age_recipient)
            made = sealed
        kept = folder / made.name
        shelf.write_counts(kept, counts)
        shelf.put_in_place(made, kept)
        print(kept)
        for dropped in shelf.drop_older(folder, keep_days=settings.keep_days, now=now):
            print(f"deleted after {settings.keep_days} days: {dropped.name}", file=sys.stderr)


def restore(file: Path, settings: Settings, now: dt.datetime) -> None:
    """Put a backup in the database's place. What was there is kept, and counted."""
    _need_backup(file)
    mark = {
        "restored_at": now.isoformat(timespec="seconds"),
        "backup_made_at": shelf.made_at(file).isoformat(),
    }
    database = settings.sqlite_path
    stamp = now.strftime("%Y%m%dT%H%M%S%fZ")  # so fine that no other restore has it
    with _room(database) as room, shelf.working_folder(room) as working:
        # decrypted, the new one, and what is kept; PostgreSQL has its own disk for the latter two
        needed = file.stat().st_size * 2 + sqlite.size(database) if database else file.stat().st_size
        shelf.need_space(room, needed, leave_bytes=settings.leave_free_bytes)
        plain = sealing.open_sealed(file, working, settings)
        if database:
            new, kept = working / "new.sqlite", database.with_name(f"{database.name}.before-{stamp}")
            _compare(file, sqlite.copy(plain, new))
            sqlite.leave_mark(new, **mark)
            there_was_one = database.exists()
            counts = sqlite.replace(database, new, kept)
            place = str(kept)
        else:
            _compare(file, postgres.count(plain))
            there_was_one, place = True, f"{postgres.KEPT_PREFIX}{stamp.lower()}"
            counts = postgres.restore(settings.database_url, plain, kept_schema=place, **mark)
    if counts is not None:
        print(f"What was there is kept as {place}, with rows per table:\n{shelf.in_words(counts)}")
    elif there_was_one:
        print(f"What was there could not be read. Its files are kept as they are: {place}")
    print(NEXT)


def restore_test(folder: Path, settings: Settings, now: dt.datetime) -> None:
    """Put the newest backup into a scratch place and compare its rows. The database stays as it is."""
    backups = shelf.backups_in(folder)
    if not backups:
        raise Refusal(f"there is no backup in {folder}")
    newest = backups[-1]
    expected = shelf.read_counts(newest)
    if expected is None:
        raise Refusal(f"{shelf.counts_file(newest)} is missing: there is nothing to compare with")
    with shelf.working_folder(folder) as working:
        shelf.need_space(folder, newest.stat().st_size * 3, leave_bytes=settings.leave_free_bytes)
        plain = sealing.open_sealed(newest, working, settings)
        if plain.name.endswith(".sqlite"):
            found = sqlite.copy(plain, working / "scratch.sqlite")
        else:
            scratch = f"lockstep_restore_test_{shelf.stamp(now).lower()}"
            found = postgres.try_out(settings.database_url, plain, scratch)
    shelf.compare(found, expected)
    days = (now - shelf.made_at(newest)).days
    print(f"{newest.name}, {days} days old, can be put back:\n{shelf.in_words(found)}")


@contextmanager
def _room(database: Path | None) -> Iterator[Path]:
    """Where a restore works: beside the file it replaces, so that the last step is a rename."""
    if database:
        yield database.parent
        return
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


def _need_backup(file: Path) -> None:
    if not file.is_file() or not file.stat().st_size:
        raise Refusal(f"{file} is not there or empty")


def _compare(backup: Path, found: Counts) -> None:
    expected = shelf.read_counts(backup)
    if expected is not None:
        shelf.compare(found, expected)


COMMANDS: dict[str, tuple[str, Callable[[Path, Settings, dt.datetime], None]]] = {
    "backup": ("FOLDER", backup),
    "restore": ("FILE", restore),
    "restore-test": ("FOLDER", restore_test),
}


def main(arguments: Sequence[str]) -> int:
    """`COMMAND PATH`, with the settings from the environment."""
    command = arguments[0]
    argument, run = COMMANDS[command]
    os.umask(0o077)  # what is written is for its owner alone
    if len(arguments) != 2 or not arguments[1] or arguments[1].startswith("-"):
        print(f"usage: deploy/{command} {argument}", file=sys.stderr)
        return 2
    try:
        run(Path(arguments[1]).resolve(), read(), dt.datetime.now(dt.UTC))
    except Refusal as refusal:
        print(f"{command}: {refusal}", file=sys.stderr)
        return 1
    except sqlite3.Error as error:
        print(f"{command}: the database cannot be read or written: {error.sqlite_errorname}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"{command}: {error.strerror}: {error.filename or 'the disk'}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
