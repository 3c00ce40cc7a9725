"""Calls of deploy/backup, deploy/restore and deploy/restore-test as an operator makes them."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from demo.processes import Answer
from tests.processes import Postgres

ROOT = Path(__file__).resolve().parent.parent
DEPLOY = ROOT / "deploy"


def program(name: str) -> Path:
    """A program of Debian's that only tests need, fetched if it is not there."""
    found = subprocess.run([ROOT / "scripts" / "program", name], capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr
    return Path(found.stdout.strip())


def call(
    name: str, argument: Path, database_url: str, postgres: Postgres | None = None, **settings: str
) -> Answer:
    """Run one of the scripts, with nothing but these settings in its environment."""
    path = f"{postgres.programs}:{os.environ['PATH']}" if postgres else os.environ["PATH"]
    environment = {"PATH": path, "DATABASE_URL": database_url, **settings}
    done = subprocess.run(
        [DEPLOY / name, argument], env=environment, capture_output=True, text=True, check=False
    )
    return Answer(done.returncode, done.stdout, done.stderr)


def back_up(folder: Path, database_url: str, postgres: Postgres | None = None, **settings: str) -> Path:
    return Path(call("backup", folder, database_url, postgres, **settings).or_fail().stdout.strip())


def restore(backup: Path, database_url: str, postgres: Postgres | None = None, **settings: str) -> str:
    return call("restore", backup, database_url, postgres, **settings).or_fail().stdout


def kept_database(folder: Path) -> Path:
    """The one database that restores kept in this folder."""
    (kept,) = kept_databases(folder)
    return kept


def kept_databases(folder: Path) -> list[Path]:
    return list(folder.glob("portal.db.before-*Z"))
