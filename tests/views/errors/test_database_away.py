"""A database that is locked, full or away: pages go on where they can, and nothing that was typed is lost."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from structlog.testing import capture_logs
from werkzeug.test import TestResponse

from portal import extensions
from portal.extensions import db
from portal.models import Client
from portal.views.page import auditing, signing_in
from portal.words.errors import error
from tests.forms import read_page
from tests.processes import Postgres
from tests.scratch_practice import in_context
from tests.views.door.headers import lacking
from tests.whole_practice import Practice, changed, digests, open_practice

WAIT_SECONDS = 0.3
HOLD = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN EXCLUSIVE")
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extensions, "SQLITE_BUSY_SECONDS", WAIT_SECONDS)
    monkeypatch.setattr(auditing, "LOOK_WAITS_SECONDS", WAIT_SECONDS)
    monkeypatch.setattr(signing_in, "NOTE_WAITS_SECONDS", WAIT_SECONDS)


@pytest.fixture
def practice(tmp_path: Path) -> Iterator[Practice]:
    with open_practice(tmp_path, "sqlite://") as practice:
        practice.app.config["WTF_CSRF_ENABLED"] = False
        yield practice


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Another process writes, and does not come to an end."""
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"held\n"
    try:
        yield
    finally:
        holder.communicate(timeout=10)


@contextmanager
def full(practice: Practice) -> Iterator[None]:
    """The file may not grow, as on a disk without room."""

    def bound(connection: object, _record: object) -> None:
        connection.execute("PRAGMA max_page_count = 1")  # type: ignore[attr-defined]  # at most as it is now

    with in_context(practice.app):
        engine = db.engine
        with closing(engine.raw_connection()) as pooled:
            pooled.cursor().execute("VACUUM")  # what an upgrade freed would be room
    engine.dispose()
    sa.event.listen(engine, "connect", bound)
    try:
        yield
    finally:
        sa.event.remove(engine, "connect", bound)
        engine.dispose()


def long_unseen(practice: Practice) -> None:
    """So that the next page has a visit to note."""
    with in_context(practice.app):
        db.session.execute(sa.text("UPDATE login_session SET seen_at = datetime(seen_at, '-5 minutes')"))
        db.session.commit()


def is_later(answer: TestResponse) -> None:
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert lacking(answer.headers) == set()


def sent_again(visitor: FlaskClient, answer: TestResponse) -> TestResponse:
    """Pressing the only button of the page."""
    (form,) = read_page(answer.text).find("form")
    fields = {each["name"]: each["value"] for each in form.find("input")}
    return visitor.post(form["action"], data=fields)


def clients_called(practice: Practice, name: str) -> int:
    with in_context(practice.app):
        found = db.session.scalars(sa.select(Client)).all()
        return sum(client.name == name for client in found)


def test_a_form_that_meets_a_locked_database_is_kept_in_the_page_and_sent_again(
    practice: Practice, tmp_path: Path
) -> None:
    visitor, typed = practice.sign_in("provider"), {"name": "Rosa “Canary” Birdsong", "form_key": "k" * 22}
    before = digests(practice)
    with locked(tmp_path / "portal.db"):
        began = time.monotonic()
        answer = visitor.post("/clients", data=typed)
        took = time.monotonic() - began
        assert sent_again(visitor, answer).status_code == 503
    is_later(answer)
    assert took < 3
    assert error("unsaved")[1] in answer.text
    assert changed(before, digests(practice)) == set()
    assert sent_again(visitor, answer).status_code == 303
    assert sent_again(visitor, answer).status_code == 303  # pressed once more: it has its key
    assert clients_called(practice, typed["name"]) == 1


def test_a_script_is_told_in_words_alone_and_leaves_the_page_as_it_is(
    practice: Practice, tmp_path: Path
) -> None:
    visitor = practice.sign_in("provider")
    with locked(tmp_path / "portal.db"):
        answer = visitor.post("/clients", data={"name": "Canary"}, headers={"HX-Request": "true"})
    is_later(answer)
    assert answer.text == error("unsaved")[1]
    assert answer.mimetype == "text/plain"


def test_no_password_goes_back_into_a_page(practice: Practice, tmp_path: Path) -> None:
    fields = {"email": practice.people["owner"].email, "password": "a phrase for tests only"}
    with locked(tmp_path / "portal.db"):
        answer = practice.app.test_client().post("/login", data=fields)
    is_later(answer)
    assert "a phrase" not in answer.text
    assert "<form" not in answer.text


def test_pages_feeds_and_looks_at_records_go_on_while_nothing_can_be_written(
    practice: Practice, tmp_path: Path
) -> None:
    visitor, ids = practice.sign_in("provider"), practice.ids_of("provider")
    feed = f"/feeds/{practice.people['provider'].feed_token}/calendar.ics"
    owner = practice.sign_in("owner")
    long_unseen(practice)
    with locked(tmp_path / "portal.db"), capture_logs() as logged:
        assert visitor.get("/calendar").status_code == 200
        assert visitor.get(feed).status_code == 200
        assert "Rosa Provider" in visitor.get(f"/clients/{ids['client_id']}").text
        assert owner.get(f"/appointments/{ids['appointment_id']}").status_code == 200
    told = {entry["event"] for entry in logged}
    assert {"presence.not-noted", "feed.read-not-noted", "audit.not-written"} <= told
    looks = [entry for entry in logged if entry["event"] == "audit.not-written"]
    assert [(look["action"], look["object"]) for look in looks] == [
        ("client.read", ids["client_id"]),
        ("appointment.read", ids["appointment_id"]),
    ]
    assert "Rosa" not in str(logged)


def test_ready_means_that_a_row_can_be_written(practice: Practice, tmp_path: Path) -> None:
    visitor, before = practice.app.test_client(), digests(practice)

    def ready() -> bool:
        began = time.monotonic()
        answer = visitor.get("/readyz")
        assert time.monotonic() - began < 1.5  # one second, and what this machine is slow by
        return bool(answer.json["checks"]["database"])  # type: ignore[index]

    assert ready()
    with locked(tmp_path / "portal.db"):
        assert not ready()
    with full(practice):
        assert visitor.get("/healthz").status_code == 200
        assert not ready()
    assert ready()
    assert changed(before, digests(practice)) == set()


def test_a_full_disk_is_told_and_the_pages_are_there(practice: Practice) -> None:
    visitor, typed = practice.sign_in("provider"), {"name": "Canary " * 20}
    with full(practice):
        assert visitor.get("/calendar").status_code == 200
        answers = [visitor.post("/clients", data={**typed, "internal_id": str(n)}) for n in range(900, 960)]
        kept = next(answer for answer in answers if answer.status_code != 303)
        is_later(kept)
    assert sent_again(visitor, kept).status_code == 303


def test_a_table_that_is_not_there_is_no_matter_of_waiting(practice: Practice) -> None:
    visitor = practice.sign_in("provider")
    with in_context(practice.app):
        db.session.execute(sa.text("ALTER TABLE draft RENAME TO elsewhere"))
        db.session.commit()
    assert visitor.get("/drafts").status_code == 500


def test_a_postgresql_that_is_away_is_told_and_found_again(tmp_path: Path) -> None:
    """Two restarts of a real server: it takes some seconds."""
    server = Postgres().start()
    try:
        with open_practice(tmp_path, server.new_database()) as practice:
            practice.app.config["WTF_CSRF_ENABLED"] = False
            visitor, typed = practice.sign_in("provider"), {"name": "Canary Birdsong", "form_key": "k" * 22}
            feed = f"/feeds/{practice.people['provider'].feed_token}/calendar.ics"
            assert visitor.get("/calendar").status_code == 200
            server.halt()
            kept = visitor.post("/clients", data=typed)
            for answer in (visitor.get("/calendar"), visitor.get(feed), visitor.get("/login"), kept):
                is_later(answer)
            assert visitor.get("/readyz").json["checks"]["database"] is False  # type: ignore[index]
            server.resume()
            assert visitor.get("/calendar").status_code == 200
            assert visitor.get("/readyz").json["checks"]["database"] is True  # type: ignore[index]
            assert sent_again(visitor, kept).status_code == 303
            assert clients_called(practice, "Canary Birdsong") == 1
    finally:
        server.stop()
