"""A database that was restored, moved or copied sends nothing, whoever asks; after Go on the law holds."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import flask_migrate
import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet
from flask import Flask

from portal import create_app, jobs
from portal.clock import utcnow
from portal.config import load_config
from portal.connection import mail
from portal.engine.connection_run import Outcome
from portal.engine.run import open_client
from portal.errors import Paused
from portal.extensions import db
from portal.google import oauth
from portal.google.client import Write
from portal.models import Connection, Practice, SyncRun
from portal.rows import event_links, pausing
from portal.standing import full_check
from tests.engine.conftest import EMAIL, Office
from tests.pausing import forget_look, leave_mark, marks, settle_as

HERE, THERE = "http://127.0.0.1:5000", "https://elsewhere.practice.example"


def asked(office: Office) -> int:
    """Requests of every kind that came in since the log was reset."""
    return len(office.google.requests()["requests"])


@pytest.fixture
def synced(office: Office) -> Office:
    """In step, with one appointment there and one that waits."""
    pausing.stamp()
    office.book()
    office.connect()
    office.rest()
    office.book(days=2)
    office.google.reset_requests()
    return office


def pause(office: Office, how: str) -> None:
    if how == "restored":
        leave_mark(utcnow())
    settle_as(
        office.app,
        public_url=THERE if how == "moved" else None,
        mark="another one" if how == "copied" else None,
    )


def copied_from_a_marked_one(office: Office) -> None:
    settle_as(office.app, mark="the first")
    pausing.stamp()


@pytest.mark.parametrize("how", ["restored", "moved", "copied"])
def test_a_paused_database_asks_google_nothing_and_goes_on_when_told(synced: Office, how: str) -> None:
    if how == "copied":
        copied_from_a_marked_one(synced)
    pause(synced, how)
    runs = db.session.scalar(sa.select(sa.func.count(SyncRun.id)))
    waiting = event_links.count_behind(synced.connection)
    assert waiting == 1

    assert synced.run() is Outcome.PAUSED
    assert synced.run(full=True) is Outcome.PAUSED
    assert jobs.sweep(utcnow()) == 0
    jobs.sync_connections([synced.connection.id], "change")
    full_check.ask(synced.connection, now=utcnow())
    db.session.commit()
    assert jobs.queue_checks(utcnow()) == 0
    jobs.check_everything(synced.connection.id)

    assert asked(synced) == 0
    assert db.session.scalar(sa.select(sa.func.count(SyncRun.id))) == runs
    db.session.expire_all()
    assert (synced.connection.failures, synced.connection.problem) == (0, None)
    assert event_links.count_behind(synced.connection) == waiting

    assert pausing.go_on(now=utcnow())
    db.session.commit()
    db.session.expire_all()
    assert not pausing.is_paused()
    assert marks() == 0
    assert jobs.sweep(utcnow()) == 1
    synced.rest()
    assert len(synced.app_events()) == 2
    assert synced.google.writes() == 1


def test_whatever_would_leave_is_stopped_at_the_way_out(synced: Office) -> None:
    """Below everything that looks earlier: the client, the consent's addresses, revoking, mail."""
    connection = synced.connection
    with open_client(connection) as client:
        leave_mark(utcnow())
        forget_look(synced.app)
        with pytest.raises(Paused):
            client.list_calendars()
        with pytest.raises(Paused):
            client.refresh()
        with pytest.raises(Paused):
            client.write_events("primary", [Write(verb="delete", event_id="event0")])
    with pytest.raises(Paused):
        oauth.revoke("a token")
    with pytest.raises(Paused):
        mail.send("smtp://127.0.0.1:9", sender=EMAIL, recipient=EMAIL, subject="", body="")
    assert asked(synced) == 0


def test_a_run_that_is_under_way_stops_and_notes_no_trouble(
    synced: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    before_request = pausing.may_send

    def restored_now() -> None:
        if not marks():
            leave_mark(utcnow())
            forget_look(synced.app)
        before_request()

    monkeypatch.setitem(synced.app.extensions, "outward-guard", restored_now)
    assert synced.run() is Outcome.PAUSED
    db.session.expire_all()
    assert asked(synced) == 0
    assert (synced.connection.failures, synced.connection.retry_at) == (0, None)
    assert synced.connection.requested > synced.connection.handled


def test_no_reminder_is_written_and_no_import_ages_away(synced: Office) -> None:
    connection = synced.connection
    connection.problem, connection.problem_since = "reconnect-required", utcnow() - dt.timedelta(days=40)
    db.session.commit()
    tasks = {task.__name__: task for _, task in jobs.SCHEDULE}
    leave_mark(utcnow())
    assert tasks["remind"](utcnow()) == 0
    assert tasks["expire_imports"](utcnow()) == 0
    pausing.go_on(now=utcnow())
    db.session.commit()
    assert tasks["remind"](utcnow()) == 1


# Whose database it is


@pytest.fixture
def bare(database_url: str) -> Flask:
    return portal(database_url)


def portal(database_url: str, **settings: str) -> Flask:
    needed = {"SECRET_KEY": "a test secret that is long enough", "DATABASE_URL": database_url}
    key = Fernet.generate_key().decode()
    return create_app(load_config({**needed, "TOKEN_ENCRYPTION_KEYS": key, **settings}), TESTING=True)


@contextmanager
def inside(app: Flask) -> Iterator[None]:
    with app.app_context():
        yield
        db.session.remove()
        db.engine.dispose()


def standing() -> tuple[str | None, str | None]:
    db.session.expire_all()
    practice = db.session.get_one(Practice, 1)
    found = practice.public_url, practice.installation_mark
    db.session.rollback()
    return found


def test_a_database_that_says_nothing_is_stamped_in_silence(bare: Flask) -> None:
    with inside(bare):
        flask_migrate.upgrade(directory="migrations")
        assert not pausing.is_paused()
        pausing.stamp()
        assert standing() == (HERE, None)
        settle_as(bare, mark="written later")
        assert not pausing.is_paused()
        pausing.stamp()
        assert standing() == (HERE, "written later")
        settle_as(bare, mark="another")
        assert pausing.is_paused()
        pausing.stamp()
        assert standing() == (HERE, "written later")


def test_a_database_that_moved_is_not_marked_before_go_on(bare: Flask) -> None:
    with inside(bare):
        flask_migrate.upgrade(directory="migrations")
        pausing.stamp()
        settle_as(bare, public_url=THERE, mark="of the copy")
        pausing.stamp()
        assert standing() == (HERE, None)
        assert pausing.is_paused()


@pytest.mark.parametrize(
    ("before", "now", "is_paused"),
    [
        ("https://a.example", "https://a.example:443", False),
        ("https://a.example", "HTTPS://A.Example/", False),
        ("http://a.example:80", "http://a.example", False),
        ("https://a.example", "http://a.example", True),
        ("https://a.example", "https://a.example:8443", True),
        ("http://[::1]:5000", "http://[0::1]:5000", True),
        ("http://[::1]:5000", "http://[::1]:5000", False),
    ],
)
def test_addresses_are_compared_in_one_form(sqlite_url: str, before: str, now: str, is_paused: bool) -> None:
    first = portal(sqlite_url, PUBLIC_URL=before)
    with inside(first):
        flask_migrate.upgrade(directory="migrations")
        pausing.stamp()
    with inside(portal(sqlite_url, PUBLIC_URL=now)):
        assert pausing.is_paused() is is_paused
        assert db.session.scalar(sa.select(pausing.at_home())) is not is_paused


def test_of_many_that_start_at_once_one_says_whose_database_it_is(bare: Flask, database_url: str) -> None:
    with inside(bare):
        flask_migrate.upgrade(directory="migrations")
    apps = [portal(database_url, PUBLIC_URL=f"http://127.0.0.1:{5000 + number}") for number in range(6)]
    ready = threading.Barrier(len(apps))

    def start(app: Flask) -> None:
        with inside(app):
            ready.wait()
            pausing.stamp()

    threads = [threading.Thread(target=start, args=(app,)) for app in apps]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    at_home = []
    for app in apps:
        with inside(app):
            at_home.append(not pausing.is_paused())
    assert at_home.count(True) == 1


def test_the_mark_of_a_backup_with_an_older_schema_outlives_the_upgrade(bare: Flask) -> None:
    """deploy/restore makes the table before the migrations run."""
    with inside(bare):
        flask_migrate.upgrade(directory="migrations", revision="0011")
        db.session.execute(
            sa.text(
                "CREATE TABLE IF NOT EXISTS restore_mark"
                " (restored_at VARCHAR(32) PRIMARY KEY, backup_made_at VARCHAR(32) NOT NULL)"
            )
        )
        leave_mark(utcnow())
        db.session.remove()
        flask_migrate.upgrade(directory="migrations")
        assert pausing.is_paused()
        pausing.stamp()
        assert standing() == (None, None)
        assert pausing.go_on(now=utcnow())
        db.session.commit()
        assert standing() == (HERE, None)
        assert not pausing.is_paused()
        assert not pausing.go_on(now=utcnow())


@pytest.mark.parametrize("text", ["yesterday", "2026-11-20T10:00:00Z", "2026-11-20 10:00:00"])
def test_a_mark_pauses_however_it_is_written(sqlite_url: str, text: str) -> None:
    app = portal(sqlite_url)
    with inside(app):
        flask_migrate.upgrade(directory="migrations")
        insert = sa.text("INSERT INTO restore_mark VALUES (:text, :text)")
        db.session.execute(insert, {"text": text})
        db.session.commit()
        pause = pausing.read()
        assert pause is not None
        assert pause.restored_at is not None
        is_readable = text[0] == "2"
        expected = dt.datetime(2026, 11, 20, 10, tzinfo=dt.UTC)
        assert pause.restored_at == (expected if is_readable else pausing.BEYOND_ALL)


def test_a_wait_that_google_asked_for_outlives_go_on(synced: Office) -> None:
    later = utcnow() + dt.timedelta(hours=2)
    synced.connection.retry_at = later
    db.session.commit()
    leave_mark(utcnow())
    pausing.go_on(now=utcnow())
    db.session.commit()
    db.session.expire_all()
    assert db.session.scalars(sa.select(Connection.retry_at)).one() == later
