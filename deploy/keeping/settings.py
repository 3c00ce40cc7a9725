"""The settings of the backups alone. `scripts/env_example.py` tells them to the operator."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent

# Name, meaning, and what holds without it
SETTINGS = (
    (
        "BACKUP_KEEP_DAYS",
        "How many days `deploy/backup` keeps backups in its folder. The newest always stays.",
        "30",
    ),
    (
        "BACKUP_LEAVE_FREE_MB",
        "A backup or a restore that would leave less than this on the disk does not begin.",
        "100",
    ),
    (
        "BACKUP_AGE_RECIPIENT",
        "For whom backups are encrypted, with age: a public key (age1…), or the path of a file of them.",
        "",
    ),
    (
        "BACKUP_AGE_IDENTITY",
        "The file with the secret key, for `deploy/restore` and `deploy/restore-test`.\n"
        "Kept on this machine it protects no backup that is stolen together with it.",
        "",
    ),
)


class Refusal(Exception):
    """What was asked for is not done; the text says why and what to do, and holds no content."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What a command goes by."""

    database_url: str
    keep_days: int
    leave_free_bytes: int
    age_recipient: str | None
    age_identity: Path | None

    @property
    def sqlite_path(self) -> Path | None:
        """The database's file; None when it is PostgreSQL."""
        prefix = "sqlite:///"
        if self.database_url.startswith("postgresql"):
            return None
        if not self.database_url.startswith(prefix):
            raise Refusal("DATABASE_URL is neither SQLite nor PostgreSQL")
        return (ROOT / self.database_url.removeprefix(prefix).split("?")[0]).resolve()


def read(environ: Mapping[str, str] = os.environ) -> Settings:
    """Raises Refusal when a setting is missing or makes no sense."""
    values = {name: environ.get(name, "").strip() or default for name, _, default in SETTINGS}
    database_url = environ.get("DATABASE_URL", "").strip()
    if not database_url:
        raise Refusal("DATABASE_URL is not set")
    identity = values["BACKUP_AGE_IDENTITY"]
    return Settings(
        database_url=database_url,
        keep_days=_number(values, "BACKUP_KEEP_DAYS", least=1),
        leave_free_bytes=_number(values, "BACKUP_LEAVE_FREE_MB", least=0) * 1_000_000,
        age_recipient=values["BACKUP_AGE_RECIPIENT"] or None,
        age_identity=Path(identity) if identity else None,
    )


def _number(values: Mapping[str, str], name: str, *, least: int) -> int:
    if not re.fullmatch(r"[0-9]{1,9}", values[name]) or int(values[name]) < least:
        raise Refusal(f"{name} must be a whole number of at least {least}")
    return int(values[name])
