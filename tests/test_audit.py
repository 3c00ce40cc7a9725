"""The audit log holds against whoever writes SQL, trigger by trigger, and is trimmed only of what is old."""

from __future__ import annotations

import datetime as dt
import errno
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import flask_migrate
import pytest
import sqlalchemy as sa
from click.testing import Result
from flask import Flask

from portal import create_app, jobs
from portal.clock import utcnow
from portal.config import load_config
from portal.extensions import begin_writing, db
from portal.models import AuditEntry, AuditRule
from portal.people import audit
from tests.scratch_practice import SETTINGS, in_context

YOUNG, OLD = 2, 1  # ids of an entry of today, and of one from seven years ago
APPEND_ONLY = "append-only"
YEARS_AGO = dt.timedelta(days=7 * 365)


@pytest.fixture
def app(database_url: str) -> Iterator[Flask]:
    app = create_app(load_config({**SETTINGS, "DATABASE_URL": database_url}), TESTING=True)
    with in_context(app):
        flask_migrate.upgrade()
        add_entry(utcnow() - YEARS_AGO)
        add_entry(utcnow())
        yield app


def add_entry(at: dt.datetime, action: str = "client.read") -> None:
    audit.record(action, now=at, provider_id=None, object_kind="client", object_id=7)
    db.session.commit()


def run_sql(*statements: str) -> None:
    """In a transaction of its own."""
    db.session.rollback()
    with db.engine.begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


def refusal(*statements: str) -> str:
    """What the database says to SQL that it refuses. Nothing has changed then."""
    before = entries()
    with pytest.raises(sa.exc.DBAPIError) as caught:
        run_sql(*statements)
    assert entries() == before
    return str(caught.value.orig)


def entries() -> list[tuple[object, ...]]:
    db.session.rollback()
    columns = AuditEntry.__table__.columns
    found = [tuple(row) for row in db.session.execute(sa.select(*columns).order_by(columns.id))]
    db.session.rollback()  # nobody has to wait for what was only looked at
    return found


def ids() -> list[object]:
    return [row[0] for row in entries()]


def is_sqlite() -> bool:
    return db.engine.dialect.name == "sqlite"


def trim(app: Flask, folder: Path) -> Result:
    db.session.rollback()
    result = app.test_cli_runner().invoke(args=["audit", "trim", "--into", str(folder)])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    db.session.expire_all()
    return result


# Trigger by trigger


@pytest.mark.parametrize("entry", [YOUNG, OLD])
def test_no_entry_is_changed_however_old_it_is(app: Flask, entry: int) -> None:
    assert APPEND_ONLY in refusal(f"UPDATE audit_entry SET action = 'x' WHERE id = {entry}")
    assert APPEND_ONLY in refusal(f"UPDATE audit_entry SET at = '2001-01-01 00:00:00' WHERE id = {entry}")


def test_a_young_entry_is_not_deleted(app: Flask) -> None:
    assert APPEND_ONLY in refusal(f"DELETE FROM audit_entry WHERE id = {YOUNG}")
    assert APPEND_ONLY in refusal("DELETE FROM audit_entry"), "all or nothing"


def test_an_old_entry_may_be_deleted(app: Flask) -> None:
    run_sql(f"DELETE FROM audit_entry WHERE id = {OLD}")
    assert ids() == [YOUNG]


def test_an_entry_that_exists_is_not_replaced(app: Flask) -> None:
    values = "INTO audit_entry (id, at, action, outcome) VALUES (2, '2001-01-01 00:00:00', 'x', 'x')"
    if is_sqlite():
        for verb in ("INSERT OR REPLACE", "REPLACE", "INSERT OR IGNORE", "INSERT"):
            assert APPEND_ONLY in refusal(f"{verb} {values}")
        assert APPEND_ONLY in refusal(f"INSERT {values} ON CONFLICT (id) DO UPDATE SET action = 'x'")
    else:
        assert "duplicate key" in refusal(f"INSERT {values}")
        assert APPEND_ONLY in refusal(f"INSERT {values} ON CONFLICT (id) DO UPDATE SET action = 'x'")
        merge = (
            "MERGE INTO audit_entry USING (SELECT 2 AS id) AS x ON audit_entry.id = x.id WHEN MATCHED THEN "
        )
        assert APPEND_ONLY in refusal(merge + "DELETE")
        assert APPEND_ONLY in refusal(merge + "UPDATE SET action = 'x'")


def test_the_table_is_not_emptied_at_once(app: Flask) -> None:
    """SQLite knows no TRUNCATE; its DELETE of everything asks the trigger."""
    statement = "DELETE FROM audit_entry" if is_sqlite() else "TRUNCATE audit_entry"
    assert APPEND_ONLY in refusal(statement)


def test_a_session_that_says_it_replays_another_server_is_asked_as_well(app: Flask) -> None:
    replays = (
        "PRAGMA recursive_triggers=OFF" if is_sqlite() else "SET LOCAL session_replication_role = replica"
    )
    assert APPEND_ONLY in refusal(replays, f"DELETE FROM audit_entry WHERE id = {YOUNG}")
    assert APPEND_ONLY in refusal(replays, f"UPDATE audit_entry SET action = 'x' WHERE id = {YOUNG}")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_no_entry_stands_where_sqlite_asks_about_an_id_that_it_has_yet_to_choose(app: Flask) -> None:
    """It would keep every other one out."""
    assert "from 1 on" in refusal(
        "INSERT INTO audit_entry (id, at, action, outcome) VALUES (-1, '2026-01-01', 'x', 'x')"
    )
    add_entry(utcnow())
    assert ids() == [1, 2, 3]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_an_entry_whose_time_is_no_date_is_kept(app: Flask) -> None:
    run_sql("INSERT INTO audit_entry (id, at, action, outcome) VALUES (9, x'00', 'x', 'x')")
    with pytest.raises(sa.exc.DBAPIError, match=APPEND_ONLY):
        run_sql("DELETE FROM audit_entry WHERE id = 9")


# How long


def test_the_time_is_raised_at_once_and_lowered_to_a_year_at_the_least(app: Flask) -> None:
    run_sql("UPDATE audit_rule SET keep_days = 3650")
    assert APPEND_ONLY in refusal(f"DELETE FROM audit_entry WHERE id = {OLD}")
    for days in (364, 0, -1, 36_501):
        assert "years" in refusal(f"UPDATE audit_rule SET keep_days = {days}")
    run_sql("UPDATE audit_rule SET keep_days = 365")
    assert APPEND_ONLY in refusal(f"DELETE FROM audit_entry WHERE id = {YOUNG}")
    run_sql(f"DELETE FROM audit_entry WHERE id = {OLD}")


def test_without_the_rule_six_years_hold(app: Flask) -> None:
    for years, days in ((5, 5 * 365), (8, 8 * 365)):
        add_entry(utcnow() - dt.timedelta(days=days), f"{years} years ago")
    run_sql("DELETE FROM audit_rule")
    assert APPEND_ONLY in refusal("DELETE FROM audit_entry WHERE action = '5 years ago'")
    run_sql("DELETE FROM audit_entry WHERE action = '8 years ago'")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_rule_that_slipped_past_its_constraint_shortens_nothing(app: Flask) -> None:
    for days in ("0", "'soon'", "1000000000000"):
        run_sql("PRAGMA ignore_check_constraints=ON", f"UPDATE audit_rule SET keep_days = {days}")
        assert APPEND_ONLY in refusal(f"DELETE FROM audit_entry WHERE id = {YOUNG}")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_worker_tells_the_database_what_the_setting_says(app: Flask, database_url: str) -> None:
    longer = create_app(
        load_config({**SETTINGS, "DATABASE_URL": database_url, "AUDIT_KEEP_DAYS": "4000"}), TESTING=True
    )
    with longer.app_context():
        jobs.keep_audit(utcnow())
    db.session.expire_all()
    assert db.session.get_one(AuditRule, 1).keep_days == 4000
    assert jobs.keep_audit in [task for _, task in jobs.SCHEDULE]


# Trimming


def test_what_is_old_is_in_a_file_for_its_owner_alone_before_it_is_deleted(
    app: Flask, tmp_path: Path
) -> None:
    old = entries()[0]
    result = trim(app, tmp_path / "kept")
    assert result.exit_code == 0, result.output
    (path,) = (tmp_path / "kept").iterdir()
    assert str(path) in result.output
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    (line,) = path.read_text().splitlines()
    kept = json.loads(line)
    assert list(kept) == [column.key for column in AuditEntry.__table__.columns]
    assert [dt.datetime.fromisoformat(kept["at"]), *list(kept.values())[2:]] == [*old[1:]]
    assert [row[3] for row in entries()] == ["client.read", "audit.trimmed"]
    assert ids()[0] == YOUNG


def test_when_nothing_is_old_there_is_no_file_and_nothing_goes(app: Flask, tmp_path: Path) -> None:
    trim(app, tmp_path / "kept")
    before = entries()
    result = trim(app, tmp_path / "again")
    assert (result.exit_code, result.output) == (0, "Nothing is older than 2190 days.\n")
    assert not (tmp_path / "again").exists()
    assert entries() == before


def test_many_are_written_and_deleted_in_their_order(
    app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit, "PAGE", 7)
    begin_writing()
    for number in range(30):
        audit.record(f"old.{number}", now=utcnow() - YEARS_AGO, provider_id=None)
    db.session.commit()
    result = trim(app, tmp_path / "kept")
    assert result.output.startswith("31 entries written to ")
    (path,) = (tmp_path / "kept").iterdir()
    assert [json.loads(line)["action"] for line in path.read_text().splitlines()] == [
        "client.read",
        *(f"old.{number}" for number in range(30)),
    ]
    assert [row[3] for row in entries()] == ["client.read", "audit.trimmed"]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("call", ["fsync", "open"])
def test_a_full_disk_deletes_nothing_and_leaves_no_half_file(
    app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    def full(*_: object, **__: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    before = entries()
    with monkeypatch.context() as patch:
        patch.setattr(os, call, full)
        result = trim(app, tmp_path / "kept")
    assert result.exit_code == 1
    assert "No space left on device" in result.output
    assert "Nothing was deleted" in result.output
    assert entries() == before
    assert list((tmp_path / "kept").iterdir()) == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_file_that_does_not_hold_what_was_written_deletes_nothing(
    app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut(descriptor: int, sync: Callable[[int], None] = os.fsync) -> None:
        """As a disk that says it has written."""
        if os.path.isfile(f"/proc/self/fd/{descriptor}"):  # noqa: PTH113
            os.ftruncate(descriptor, 0)
        sync(descriptor)

    before = entries()
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", cut)
        result = trim(app, tmp_path / "kept")
    assert result.exit_code == 1
    assert "Nothing was deleted" in result.output
    assert entries() == before


def test_the_migration_goes_back_and_forth_and_the_log_holds_all_the_while(app: Flask) -> None:
    before = entries()
    flask_migrate.downgrade(revision="0011")
    assert APPEND_ONLY in refusal(f"DELETE FROM audit_entry WHERE id = {OLD}"), "as it was before"
    flask_migrate.upgrade()
    assert entries() == before
    assert APPEND_ONLY in refusal(f"DELETE FROM audit_entry WHERE id = {YOUNG}")
