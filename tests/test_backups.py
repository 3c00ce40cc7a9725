"""Backups: whole, kept for a time, encrypted if wanted, tried, and put back with nothing lost."""

from __future__ import annotations

import datetime as dt
import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import flask_migrate
import pytest
import sqlalchemy as sa
from alembic.script import ScriptDirectory

from deploy.keeping import postgres, shelf
from deploy.keeping.settings import Refusal
from portal import create_app
from portal.config import load_config
from portal.extensions import db
from tests.backups import ROOT, back_up, call, kept_database, kept_databases, program, restore
from tests.processes import Postgres, make_settings

CHOICES = {"sync_mode": "off", "name_display": "initials"}
WRITES_ON_AND_ON = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("PRAGMA journal_mode=WAL")
connection.execute("PRAGMA wal_autocheckpoint=0")
for number in range(10**9):
    connection.execute("INSERT INTO person VALUES (?)", (f"late {number}",))
    print(number, flush=True)
"""


def write_names(database_url: str, *names: str) -> None:
    engine = sa.create_engine(database_url)
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE IF NOT EXISTS person (name TEXT)"))
        connection.execute(sa.text("DELETE FROM person"))
        for name in names:
            connection.execute(sa.text("INSERT INTO person VALUES (:name)"), {"name": name})
    engine.dispose()


def read(database_url: str, query: str = "SELECT name FROM person") -> list[tuple[str, ...]]:
    engine = sa.create_engine(database_url)
    with engine.connect() as connection:
        rows = [tuple(row) for row in connection.execute(sa.text(query))]
    engine.dispose()
    return rows


def names(database_url: str) -> list[str]:
    return [name for (name,) in read(database_url)]


def file_of(sqlite_url: str) -> Path:
    return Path(sqlite_url.removeprefix("sqlite:///"))


# Making


def test_a_restored_backup_is_what_was_backed_up_however_often(
    database_url: str, postgres_server: Postgres, tmp_path: Path
) -> None:
    write_names(database_url, "first", "second\nline", "\\.")
    backup = back_up(tmp_path / "backups", database_url, postgres_server)
    write_names(database_url, "changed since")
    said = restore(backup, database_url, postgres_server)
    assert "person: 1" in said
    assert names(database_url) == ["first", "second\nline", "\\."]
    again = back_up(tmp_path / "again", database_url, postgres_server)
    assert shelf.read_counts(again) == {"person": 3, "restore_mark": 1}, (
        "what a restore kept is no part of it"
    )
    restore(again, database_url, postgres_server)
    assert names(database_url) == ["first", "second\nline", "\\."]


def test_a_backup_is_for_its_owner_alone(sqlite_url: str, tmp_path: Path) -> None:
    write_names(sqlite_url, "someone")
    backup = back_up(tmp_path / "backups", sqlite_url)
    paths = [backup, shelf.counts_file(backup), backup.parent]
    assert [path.stat().st_mode & 0o077 for path in paths] == [0, 0, 0]


def test_a_backup_taken_while_somebody_writes_is_whole(sqlite_url: str, tmp_path: Path) -> None:
    write_names(sqlite_url, "committed")
    with closing(sqlite3.connect(file_of(sqlite_url))) as writer:
        writer.execute("PRAGMA journal_mode=WAL")
        writer.execute("INSERT INTO person VALUES ('not yet committed')")
        backup = back_up(tmp_path / "backups", sqlite_url)
        writer.rollback()
    assert names(f"sqlite:///{backup}") == ["committed"]


def test_backups_older_than_wanted_go_and_the_newest_never(sqlite_url: str, tmp_path: Path) -> None:
    write_names(sqlite_url, "someone")
    folder = tmp_path / "backups"
    folder.mkdir()
    days = {number: dt.datetime.now(dt.UTC) - dt.timedelta(days=number) for number in (1, 6, 8, 400)}
    old = {number: folder / f"lockstep-{shelf.stamp(at)}.sqlite" for number, at in days.items()}
    others = [folder / "lockstep-notes.txt", folder / "of-somebody-else.sqlite"]
    for path in (*old.values(), *others):
        path.write_text("x")
        shelf.write_counts(path, {})
    new = back_up(folder, sqlite_url, BACKUP_KEEP_DAYS="7")
    assert set(shelf.backups_in(folder)) == {new, old[1], old[6]}
    assert all(path.exists() for path in others)
    assert not shelf.counts_file(old[8]).exists()
    new.unlink()
    shelf.drop_older(folder, keep_days=7, now=dt.datetime.now(dt.UTC) + dt.timedelta(days=1000))
    assert shelf.backups_in(folder) == [old[1]]


def test_nothing_begins_on_a_disk_that_is_nearly_full(sqlite_url: str, tmp_path: Path) -> None:
    write_names(sqlite_url, "old")
    backup = back_up(tmp_path / "backups", sqlite_url)
    too_much = {"BACKUP_LEAVE_FREE_MB": "900000000"}
    for command, argument in (
        ("backup", tmp_path / "more"),
        ("restore", backup),
        ("restore-test", backup.parent),
    ):
        answer = call(command, argument, sqlite_url, **too_much)
        assert (answer.exit_code, "not enough space" in answer.stderr) == (1, True)
    assert list((tmp_path / "more").iterdir()) == []
    assert kept_databases(tmp_path) == []


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("BACKUP_KEEP_DAYS", "0"),
        ("BACKUP_KEEP_DAYS", "a week"),
        ("BACKUP_LEAVE_FREE_MB", "-1"),
        ("DATABASE_URL", "mysql://x/y"),
        ("DATABASE_URL", ""),
        ("DATABASE_URL", "sqlite:////nowhere/portal.db"),
    ],
)
def test_a_failure_is_told_in_words_and_by_the_exit_code(
    sqlite_url: str, tmp_path: Path, setting: str, value: str
) -> None:
    answer = call("backup", tmp_path / "backups", **{"database_url": sqlite_url, setting: value})
    assert answer.exit_code == 1
    assert answer.stderr.startswith("backup: ")
    assert "Traceback" not in answer.stderr


def test_what_a_killed_backup_left_is_deleted_by_the_next(sqlite_url: str, tmp_path: Path) -> None:
    write_names(sqlite_url, "someone")
    left = tmp_path / "backups" / ".lockstep-working-abc"
    left.mkdir(parents=True)
    (left / "half.sqlite").write_text("half")
    back_up(tmp_path / "backups", sqlite_url)
    assert not left.exists()


# Encryption


@pytest.fixture
def identity(tmp_path: Path) -> Iterator[Path]:
    """A secret key of age's; `age` is in the path."""
    folder = program("age").parent
    path = os.environ["PATH"]
    os.environ["PATH"] = f"{path}:{folder}"
    identity = tmp_path / "identity.txt"
    subprocess.run(["age-keygen", "-o", identity], check=True, capture_output=True)
    yield identity
    os.environ["PATH"] = path


def public_key(identity: Path) -> str:
    return subprocess.run(
        ["age-keygen", "-y", identity], check=True, capture_output=True, text=True
    ).stdout.strip()


def test_an_encrypted_backup_is_opened_by_its_key_alone(
    database_url: str, postgres_server: Postgres, tmp_path: Path, identity: Path
) -> None:
    write_names(database_url, "Canary Birdsong")
    folder = tmp_path / "backups"
    recipient = {"BACKUP_AGE_RECIPIENT": public_key(identity)}
    backup = back_up(folder, database_url, postgres_server, **recipient)
    assert backup.suffix == ".age"
    assert not [path for path in folder.rglob("*") if path.is_file() and b"Canary" in path.read_bytes()]
    write_names(database_url, "changed since")

    other = tmp_path / "other.txt"
    subprocess.run(["age-keygen", "-o", other], check=True, capture_output=True)
    for settings in ({}, {"BACKUP_AGE_IDENTITY": str(other)}):
        answer = call("restore", backup, database_url, postgres_server, **settings)
        assert (answer.exit_code, "BACKUP_AGE_IDENTITY" in answer.stderr) == (1, True)
    assert names(database_url) == ["changed since"]

    key = {"BACKUP_AGE_IDENTITY": str(identity)}
    call("restore-test", folder, database_url, postgres_server, **key).or_fail()
    restore(backup, database_url, postgres_server, **key)
    assert names(database_url) == ["Canary Birdsong"]


def test_a_file_of_recipients_is_taken_too_and_a_wrong_one_makes_no_backup(
    sqlite_url: str, tmp_path: Path, identity: Path
) -> None:
    write_names(sqlite_url, "someone")
    recipients = tmp_path / "recipients.txt"
    recipients.write_text(public_key(identity) + "\n")
    assert back_up(tmp_path / "backups", sqlite_url, BACKUP_AGE_RECIPIENT=str(recipients)).exists()
    answer = call("backup", tmp_path / "none", sqlite_url, BACKUP_AGE_RECIPIENT="age1nonsense")
    assert (answer.exit_code, "BACKUP_AGE_RECIPIENT" in answer.stderr) == (1, True)
    assert list((tmp_path / "none").iterdir()) == []


# Putting back


def test_the_restored_database_says_that_it_was_restored(
    database_url: str, postgres_server: Postgres, tmp_path: Path
) -> None:
    write_names(database_url, "someone")
    made = back_up(tmp_path / "backups", database_url, postgres_server)
    backup = made.rename(made.with_name(f"lockstep-20260314T092653Z{made.suffix}"))
    for _ in range(2):
        restore(backup, database_url, postgres_server)
        ((restored_at, made_at),) = read(database_url, "SELECT restored_at, backup_made_at FROM restore_mark")
        assert made_at == "2026-03-14T09:26:53+00:00"
        ago = dt.datetime.now(dt.UTC) - dt.datetime.fromisoformat(restored_at)
        assert dt.timedelta(0) <= ago < dt.timedelta(minutes=5)
    unnamed = backup.rename(backup.with_name(f"yesterday{made.suffix}"))
    os.utime(unnamed, (1_700_000_000, 1_700_000_000))
    restore(unnamed, database_url, postgres_server)
    assert read(database_url, "SELECT backup_made_at FROM restore_mark") == [("2023-11-14T22:13:20+00:00",)]


def test_of_a_killed_writer_every_row_is_kept(sqlite_url: str, tmp_path: Path) -> None:
    """Failure 68: its rows are in the write-ahead log alone."""
    write_names(sqlite_url, "backed up")
    backup = back_up(tmp_path / "backups", sqlite_url)
    database = file_of(sqlite_url)
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITES_ON_AND_ON, database], stdout=subprocess.PIPE, text=True
    )
    assert writer.stdout
    while int(writer.stdout.readline()) < 500:
        pass
    writer.send_signal(signal.SIGKILL)
    told = 501 + len(writer.stdout.readlines())
    writer.wait()
    writer.stdout.close()
    assert database.with_name("portal.db-wal").stat().st_size > 0

    said = restore(backup, sqlite_url)
    kept = names(f"sqlite:///{kept_database(tmp_path)}")
    assert kept[: told + 1] == ["backed up", *(f"late {number}" for number in range(told))]
    assert f"person: {len(kept)}" in said
    assert names(sqlite_url) == ["backed up"], "nothing of the old log may be applied to the new file"


def test_a_database_that_somebody_has_open_is_not_replaced(
    database_url: str, postgres_server: Postgres, tmp_path: Path
) -> None:
    """An idle connection is enough."""
    write_names(database_url, "old")
    backup = back_up(tmp_path / "backups", database_url, postgres_server)
    write_names(database_url, "newer")
    engine = sa.create_engine(database_url)
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            connection.execute(sa.text("PRAGMA journal_mode=WAL"))
        connection.execute(sa.text("SELECT * FROM person")).all()
        connection.rollback()
        answer = call("restore", backup, database_url, postgres_server)
    engine.dispose()
    assert (answer.exit_code, "stop the web server and the worker" in answer.stderr) == (1, True)
    assert names(database_url) == ["newer"]
    assert kept_databases(tmp_path) == []


@pytest.mark.parametrize("damage", ["torn", "no database", "fewer rows"])
def test_a_backup_that_is_not_whole_replaces_nothing(
    database_url: str, postgres_server: Postgres, tmp_path: Path, damage: str
) -> None:
    write_names(database_url, *(f"someone {number}" for number in range(3000)))
    backup = back_up(tmp_path / "backups", database_url, postgres_server)
    if damage == "fewer rows":
        shelf.write_counts(backup, {"person": 3001})
    else:
        whole = backup.read_bytes()
        backup.write_bytes(whole[: len(whole) // 2] if damage == "torn" else b"no database" * 100)
    write_names(database_url, "newer")
    answer = call("restore", backup, database_url, postgres_server)
    assert (answer.exit_code, answer.stderr.startswith("restore: ")) == (1, True)
    assert names(database_url) == ["newer"]
    assert kept_databases(tmp_path) == []


def test_a_damaged_database_can_be_replaced_and_its_files_stay(sqlite_url: str, tmp_path: Path) -> None:
    write_names(sqlite_url, *(f"someone {number}" for number in range(3000)))
    backup = back_up(tmp_path / "backups", sqlite_url)
    database = file_of(sqlite_url)
    for damaged in (b"no database" * 1000, database.read_bytes()[:6000] + b"\xff" * 50_000):
        database.write_bytes(damaged)
        assert "could not be read" in restore(backup, sqlite_url)
        kept = kept_database(tmp_path)
        assert kept.read_bytes() == damaged
        kept.unlink()
        assert len(names(sqlite_url)) == 3000


def test_where_nothing_was_a_backup_can_be_put_all_the_same(sqlite_url: str, tmp_path: Path) -> None:
    write_names(sqlite_url, "someone")
    backup = back_up(tmp_path / "backups", sqlite_url)
    file_of(sqlite_url).unlink()
    restore(backup, sqlite_url)
    assert names(sqlite_url) == ["someone"]
    assert kept_databases(tmp_path) == []


def test_a_dump_of_every_schema_can_be_put_over_the_newest(
    postgres_url: str, postgres_server: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Failure 69: rows and all, and upgraded afterwards; what it replaced is kept beside it."""
    monkeypatch.setenv("PATH", f"{postgres_server.programs}:{os.environ['PATH']}")
    settings = make_settings(database_url=postgres_url, redis_url="redis://127.0.0.1:1/0")
    script = ScriptDirectory(str(ROOT / "migrations"))
    revisions = [each.revision for each in reversed(list(script.walk_revisions()))]
    with create_app(load_config(settings)).app_context():
        counts = {}
        for revision in revisions:
            flask_migrate.upgrade(revision=revision)
            if not counts:
                fill_with_a_row_each(db.engine)
            counts[revision] = postgres.dump(postgres_url, tmp_path / revision)
        newest = counts[revisions[-1]]
        assert newest["provider"] == newest["location"] == newest["practice"] == 1
        for number, revision in enumerate(revisions):
            db.engine.dispose()
            mark = {"restored_at": "2026-03-14T09:26:53+00:00", "backup_made_at": "2026-03-13T09:26:53+00:00"}
            kept = f"before_{number}"
            replaced = postgres.restore(postgres_url, tmp_path / revision, kept_schema=kept, **mark)
            shelf.compare(replaced, newest)
            assert db.session.scalar(sa.text("SELECT version_num FROM alembic_version")) == revision
            db.session.remove()
            flask_migrate.upgrade()
            rows = {table: f"SELECT count(*) FROM {table}" for table in newest}
            found = {table: db.session.scalar(sa.text(query)) for table, query in rows.items()}
            shelf.compare(found, newest)
            last = db.session.scalar(sa.text(f"SELECT version_num FROM {kept}.alembic_version"))
            assert last == revisions[-1]
            db.session.remove()
        db.engine.dispose()


def write_sql(database_url: str, statement: str) -> None:
    engine = sa.create_engine(database_url)
    with engine.begin() as connection:
        connection.execute(sa.text(statement))
    engine.dispose()


def fill_with_a_row_each(engine: sa.Engine) -> None:
    """In each table of the first schema that refers to no other; the next migration adds the practice."""
    made: dict[type, object] = {str: "x", int: 1, bool: True, dt.datetime: dt.datetime.now(dt.UTC)}
    metadata = sa.MetaData()
    metadata.reflect(engine)
    with engine.begin() as connection:
        for table in metadata.sorted_tables:
            if table.name not in ("alembic_version", "practice") and not table.foreign_keys:
                row = {
                    column.name: CHOICES.get(column.name, made[column.type.python_type])
                    for column in table.columns
                    if not column.nullable and not column.primary_key
                }
                connection.execute(table.insert().values(row))


def test_a_dump_that_fails_in_the_middle_changes_nothing(
    postgres_url: str, postgres_server: Postgres, tmp_path: Path
) -> None:
    """A function that refuses the last row: by then the schema was renamed, and most was put back."""
    write_names(postgres_url, "Canary Birdsong", "second")
    backup = back_up(tmp_path / "backups", postgres_url, postgres_server)
    write_names(postgres_url, "newer")
    write_sql(
        postgres_url,
        "CREATE FUNCTION refuse() RETURNS event_trigger LANGUAGE plpgsql AS "
        "$$ BEGIN IF current_schemas(false)::text NOT LIKE '%public%' AND to_regclass('public.person') "
        "IS NOT NULL THEN RAISE EXCEPTION 'Canary Birdsong'; END IF; END $$",
    )
    write_sql(postgres_url, "CREATE EVENT TRIGGER refuse ON ddl_command_end EXECUTE FUNCTION refuse()")
    answer = call("restore", backup, postgres_url, postgres_server)
    assert (answer.exit_code, "nothing was changed" in answer.stderr) == (1, True)
    assert "Canary" not in answer.stderr
    assert names(postgres_url) == ["newer"]
    assert read(postgres_url, "SELECT 1 FROM pg_namespace WHERE nspname LIKE 'before%'") == []


# No password where other users could read it


def test_no_program_gets_a_password_as_an_argument(tmp_path: Path) -> None:
    url = "postgresql+psycopg://who:p%40ssphrase@db.example:5433/lockstep?sslmode=require"
    told = postgres.environment(url)
    assert {name: told[name] for name in told if name.startswith("PG")} == {
        "PGHOST": "db.example",
        "PGPORT": "5433",
        "PGUSER": "who",
        "PGPASSWORD": "p@ssphrase",
        "PGDATABASE": "lockstep",
        "PGSSLMODE": "require",
    }
    seen = tmp_path / "seen"
    for name in ("pg_dump", "psql", "pg_restore"):
        stand_in = tmp_path / name
        stand_in.write_text(f'#!/bin/sh\necho "$0 $*" >>{seen}\necho 1\n')
        stand_in.chmod(0o755)
    call("backup", tmp_path / "backups", url, PATH=f"{tmp_path}:{os.environ['PATH']}")
    assert "pg_dump" in seen.read_text()
    assert "p@ss" not in seen.read_text()
    assert "p%40" not in seen.read_text()


def test_a_parameter_that_cannot_be_passed_on_is_refused() -> None:
    with pytest.raises(Refusal, match="keepalives"):
        postgres.environment("postgresql+psycopg://who@/lockstep?keepalives=1")


# Trying


def test_the_newest_backup_is_tried_and_its_rows_compared(
    database_url: str, postgres_server: Postgres, tmp_path: Path
) -> None:
    write_names(database_url, "first", "second")
    folder = tmp_path / "backups"
    backup = back_up(folder, database_url, postgres_server)
    write_names(database_url, "changed since")
    said = call("restore-test", folder, database_url, postgres_server).or_fail().stdout
    assert "person: 2" in said
    shelf.write_counts(backup, {"person": 3, "lost": 1})
    answer = call("restore-test", folder, database_url, postgres_server)
    assert answer.exit_code == 1
    assert "person: 2 instead of 3" in answer.stderr
    assert "lost: no table instead of 1" in answer.stderr
    shelf.counts_file(backup).unlink()
    assert call("restore-test", folder, database_url, postgres_server).exit_code == 1
    assert call("restore-test", tmp_path / "empty", database_url, postgres_server).exit_code == 1
    assert names(database_url) == ["changed since"]
    if database_url.startswith("postgresql"):
        assert read(database_url, "SELECT 1 FROM pg_database WHERE datname LIKE 'lockstep_rest%'") == []


def test_counts_are_written_beside_a_backup_as_json(sqlite_url: str, tmp_path: Path) -> None:
    write_names(sqlite_url, "first", "second")
    backup = back_up(tmp_path / "backups", sqlite_url)
    assert json.loads(Path(f"{backup}.counts").read_text()) == {"person": 2}
