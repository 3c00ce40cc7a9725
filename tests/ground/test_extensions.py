"""How transactions begin on SQLite, and that no request decides it for whoever comes after it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from portal.extensions import begin_reading, begin_writing, db
from tests.office import make_app


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Flask]:
    app = make_app(tmp_path / "portal.db")
    with app.app_context():
        yield app
        begin_writing()
        db.session.remove()
        db.engine.dispose()


def others_may_write(tmp_path: Path) -> bool:
    """Whether a transaction of ours, begun now, lets somebody else begin to write."""
    db.session.rollback()
    db.session.execute(sa.text("SELECT 1"))
    other = sqlite3.connect(tmp_path / "portal.db", timeout=0, isolation_level=None)
    try:
        other.execute("BEGIN IMMEDIATE")
        return True
    except sqlite3.OperationalError:
        return False
    finally:
        other.close()
        db.session.rollback()


def test_a_transaction_keeps_other_writers_out_unless_it_only_reads(app: Flask, tmp_path: Path) -> None:
    assert not others_may_write(tmp_path)
    begin_reading()
    assert others_may_write(tmp_path)
    begin_writing()
    assert not others_may_write(tmp_path)


def test_a_request_that_only_read_decides_nothing_for_what_its_thread_does_next(
    app: Flask, tmp_path: Path
) -> None:
    assert app.test_client().get("/calendar").status_code == 303
    assert not others_may_write(tmp_path)
