"""`flask audit …`: letting go of what the audit log need not keep any longer, once it is in a file."""

from __future__ import annotations

import datetime as dt
import json
import os
from collections.abc import Iterable
from itertools import chain
from pathlib import Path

import click
from flask import current_app
from flask.cli import AppGroup

from portal.clock import utcnow
from portal.config import Config
from portal.extensions import begin_reading, begin_writing, db
from portal.models import AuditEntry
from portal.people import audit

audit_group = AppGroup("audit", help="The audit log.")


@audit_group.command("trim")
@click.option(
    "--into",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where the file goes. Without it: beside a SQLite database, else into the working folder.",
)
def audit_trim(folder: Path | None) -> None:
    """Write what is older than AUDIT_KEEP_DAYS to a file, then delete it.

    One entry a line, as JSON. Nothing is deleted before all of it is on disk and was counted there.
    """
    config: Config = current_app.extensions["config"]
    now = utcnow()
    before = now - dt.timedelta(days=config.audit_keep_days)
    audit.keep_for(config.audit_keep_days)
    db.session.commit()
    path = (folder or _folder()) / f"audit-before-{before:%Y-%m-%d}-{now:%Y%m%dT%H%M%SZ}.jsonl"
    ids = _export(before, path)
    if not ids:
        click.echo(f"Nothing is older than {config.audit_keep_days} days.")
        return
    audit.record("audit.trimmed", now=now, provider_id=None)
    _delete(ids)
    click.echo(f"{len(ids)} entries written to {path}, and deleted.")


def _export(before: dt.datetime, path: Path) -> list[int]:
    """Write what is old, and give back the ids of what stands in the file. Without any there is no file."""
    begin_reading()
    try:
        entries = audit.entries_before(before)
        first = next(entries, None)
        if first is None:
            return []
        ids = _write(path, first, entries)
        if _ids_in(path) != ids:
            raise click.ClickException(f"{path} does not hold what was written to it. Nothing was deleted.")
    except OSError as error:
        raise click.ClickException(
            f"{path} cannot be written ({error.strerror}). Nothing was deleted. Another folder: --into."
        ) from None
    finally:
        begin_writing()
    return ids


def _write(path: Path, first: AuditEntry, rest: Iterable[AuditEntry]) -> list[int]:
    """On disk, and for its owner alone, when this returns. Raises OSError; then no file is left."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    ids = []
    try:
        with open(descriptor, "w", encoding="utf-8") as file:  # noqa: PTH123 (a descriptor)
            for entry in chain((first,), rest):
                file.write(json.dumps(_values(entry)) + "\n")
                ids.append(entry.id)
            file.flush()
            os.fsync(file.fileno())
        _sync_folder(path.parent)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return ids


def _ids_in(path: Path) -> list[int]:
    with path.open(encoding="utf-8") as file:
        return [int(json.loads(line)["id"]) for line in file]


def _delete(ids: list[int]) -> None:
    """In small transactions: somebody may be booking meanwhile."""
    for begin in range(0, len(ids), audit.PAGE):
        audit.delete(ids[begin : begin + audit.PAGE])
        db.session.commit()


def _values(entry: AuditEntry) -> dict[str, object]:
    return {
        "id": entry.id,
        "at": entry.at.isoformat(),
        "provider_id": entry.provider_id,
        "action": entry.action,
        "object_kind": entry.object_kind,
        "object_id": entry.object_id,
        "outcome": entry.outcome,
        "address": entry.address,
    }


def _sync_folder(folder: Path) -> None:
    """So that the file's name is on disk as well."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _folder() -> Path:
    url = db.engine.url
    return Path(str(url.database)).parent if url.get_backend_name() == "sqlite" else Path.cwd()
