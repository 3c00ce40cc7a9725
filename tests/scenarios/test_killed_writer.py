"""A program of the portal's is killed while it writes, and an older backup is put back."""

from __future__ import annotations

import shutil
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

from demo.processes import Process
from portal.extensions import db
from tests.backups import back_up, kept_database, restore
from tests.engine.conftest import EMAIL
from tests.scenarios.conftest import Scene

ADDS_CLIENTS = f"""
from portal import create_app
from portal.clock import utcnow
from portal.config import load_config
from portal.extensions import begin_writing, db
from portal.people import accounts
from portal.practice import clients

with create_app(load_config()).app_context():
    begin_writing()
    provider = accounts.find_provider({EMAIL!r})
    for number in range(10**6):
        clients.add_client(provider, f"Late {{number}}", now=utcnow())
        db.session.commit()
        print(number, flush=True)
"""
WRITTEN = 40


def test_of_a_killed_writer_every_row_is_kept_when_a_backup_is_put_back(scene: Scene) -> None:
    """Failure 68: web and worker end, the writer is killed, and what it wrote is in the log alone."""
    database_url = f"sqlite:///{scene.database}"
    scene.office.book(days=3)
    backup = back_up(scene.folder / "backups", database_url)
    before = rows_of(backup)
    writer = Process(
        "writer",
        [sys.executable, "-c", ADDS_CLIENTS],
        scene.portal.environment,
        scene.folder / "writer.log",
    ).start()
    writer.wait_until(lambda: len(writer.printed().splitlines()) >= WRITTEN, seconds=60)
    db.session.remove()
    db.engine.dispose()  # or this process would be the last, and tidy the log away
    assert scene.portal.web
    scene.portal.web.kill_everything()
    writer.kill_everything()
    told = len(writer.printed().splitlines())
    whole = rows_of(copy_with_its_log(scene.database, scene.folder / "witness"))
    assert len(whole["client"]) >= len(before["client"]) + told

    said = restore(backup, database_url)
    assert rows_of(kept_database(scene.folder)) == whole
    assert f"client: {len(whole['client'])}" in said
    restored = rows_of(scene.database)
    assert before.pop("restore_mark") == []
    assert len(restored.pop("restore_mark")) == 1
    assert restored == before
    scene.portal.upgrade_database()
    scene.portal.start_web()
    assert scene.sign_in().open("/clients").status == 200


def copy_with_its_log(database: Path, folder: Path) -> Path:
    """The files as the kill left them."""
    folder.mkdir()
    assert database.with_name(f"{database.name}-wal").stat().st_size > 0
    for side in ("", "-wal"):
        shutil.copy(f"{database}{side}", folder / f"{database.name}{side}")
    return folder / database.name


def rows_of(database: Path) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table."""
    with closing(sqlite3.connect(database)) as connection:
        tables = [
            name
            for (name,) in connection.execute(
                "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'"
            )
        ]
        return {name: connection.execute(f'SELECT * FROM "{name}" ORDER BY 1').fetchall() for name in tables}
