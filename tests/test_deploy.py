"""What deploy/ holds works as far as this machine can show it: backup and restore above all."""

from __future__ import annotations

import configparser
import os
import shutil
import sqlite3
import subprocess
from pathlib import Path

import pytest
import sqlalchemy

from tests.processes import Postgres

ROOT = Path(__file__).resolve().parent.parent
DEPLOY = ROOT / "deploy"


def run_script(name: str, argument: Path, database_url: str, postgres: Postgres | None = None) -> str:
    path = f"{postgres.programs}:{os.environ['PATH']}" if postgres else os.environ["PATH"]
    environment = {"PATH": path, "DATABASE_URL": database_url}
    done = subprocess.run(
        [DEPLOY / name, argument], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def write_names(database_url: str, *names: str) -> None:
    engine = sqlalchemy.create_engine(database_url)
    with engine.begin() as connection:
        connection.execute(sqlalchemy.text("CREATE TABLE IF NOT EXISTS person (name TEXT)"))
        connection.execute(sqlalchemy.text("DELETE FROM person"))
        for name in names:
            connection.execute(sqlalchemy.text("INSERT INTO person VALUES (:name)"), {"name": name})
    engine.dispose()


def read_names(database_url: str) -> list[str]:
    engine = sqlalchemy.create_engine(database_url)
    with engine.connect() as connection:
        names = [row.name for row in connection.execute(sqlalchemy.text("SELECT name FROM person"))]
    engine.dispose()
    return names


def test_a_restored_backup_is_what_was_backed_up(
    database_url: str, postgres_server: Postgres, tmp_path: Path
) -> None:
    write_names(database_url, "first", "second")
    backup = Path(run_script("backup", tmp_path / "backups", database_url, postgres_server))
    write_names(database_url, "changed since")
    run_script("restore", backup, database_url, postgres_server)
    assert read_names(database_url) == ["first", "second"]


def test_a_backup_is_for_its_owner_alone(sqlite_url: str, tmp_path: Path) -> None:
    write_names(sqlite_url, "someone")
    backup = Path(run_script("backup", tmp_path / "backups", sqlite_url))
    assert (backup.stat().st_mode & 0o077, backup.parent.stat().st_mode & 0o077) == (0, 0)


def test_a_backup_taken_while_somebody_writes_is_whole(sqlite_url: str, tmp_path: Path) -> None:
    write_names(sqlite_url, "committed")
    with sqlite3.connect(sqlite_url.removeprefix("sqlite:///")) as writer:
        writer.execute("PRAGMA journal_mode=WAL")
        writer.execute("INSERT INTO person VALUES ('not yet committed')")
        backup = Path(run_script("backup", tmp_path / "backups", sqlite_url))
        writer.rollback()
    writer.close()
    assert read_names(f"sqlite:///{backup}") == ["committed"]


def test_a_restore_keeps_the_database_it_replaces(sqlite_url: str, tmp_path: Path) -> None:
    write_names(sqlite_url, "old")
    backup = Path(run_script("backup", tmp_path / "backups", sqlite_url))
    run_script("restore", backup, sqlite_url)
    assert len(list(tmp_path.glob("portal.db.before-*"))) == 1


@pytest.mark.parametrize("unit", sorted((DEPLOY / "systemd").glob("*.service"), key=str))
def test_a_unit_starts_programs_that_exist_here(unit: Path) -> None:
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(unit)
    for command in (
        parser["Service"][key] for key in ("ExecStartPre", "ExecStart") if key in parser["Service"]
    ):
        program = command.split()[0].removeprefix("/opt/lockstep/")
        assert shutil.which(ROOT / program), program
