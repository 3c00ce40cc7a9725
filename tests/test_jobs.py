"""Jobs are hints: queued after the commit, ids only, and nothing is lost when the queue is."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import sqlite3
import threading
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import flask_migrate
import pytest
import redis
import sqlalchemy as sa
from flask import Flask

from demo.processes import Portal, free_port, wait_until
from portal import create_app, jobs
from portal.clock import utcnow
from portal.config import load_config
from portal.extensions import db
from portal.models import AppointmentKind, Connection, ConnectionPhase, Provider, SyncRun
from portal.practice import appointments, clients
from portal.practice.appointments import AppointmentDetails
from portal.practice.spans import Timed
from portal.rows import outbox
from portal.standing import full_check
from tests.scratch_practice import NOW, SETTINGS, add_provider, in_context, look_up

SECOND = dt.timedelta(seconds=1)


@pytest.fixture
def make_portal() -> Iterator[Callable[..., Flask]]:
    """`make_portal(database_url, redis_url, **settings)`: the portal in this process, inside its context."""
    contexts: list[Any] = []

    def make(database_url: str, redis_url: str, **settings: str) -> Flask:
        urls = {"DATABASE_URL": database_url, "REDIS_URL": redis_url}
        app = create_app(load_config({**SETTINGS, **urls, **settings}))
        context = in_context(app)
        context.__enter__()
        contexts.append((context, app))
        if not sa.inspect(db.engine).has_table("provider"):
            flask_migrate.upgrade()
        return app

    yield make
    for context, app in reversed(contexts):
        app.extensions["queue"].connection.close()
        context.__exit__(None, None, None)


@pytest.fixture
def app(make_portal: Callable[..., Flask], database_url: str, redis_url: str) -> Flask:
    return make_portal(database_url, redis_url)


@pytest.fixture
def connection(app: Flask) -> Connection:
    return connect(add_provider())


on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def connect(provider: Provider, **values: Any) -> Connection:
    """A connection at work that is up to date."""
    made = Connection(
        provider_id=provider.id,
        phase=ConnectionPhase.ACTIVE,
        created_at=NOW,
        google_sub=f"sub-{provider.id}",
        email="wren.hale@example.com",
        scopes="",
        granted_at=NOW,
        next_check_at=NOW + dt.timedelta(days=3650),
    )
    for name, value in values.items():
        setattr(made, name, value)
    db.session.add(made)
    db.session.commit()
    return made


def queued(app: Flask) -> list[list[Any]]:
    """Arguments of the jobs that wait, the oldest first."""
    return [list(job.args) for job in app.extensions["queue"].get_jobs()]


def empty(app: Flask) -> None:
    app.extensions["queue"].connection.flushall()


# After the commit


@on_sqlite
def test_a_change_is_queued_when_it_is_committed_and_not_before(app: Flask, connection: Connection) -> None:
    outbox.note_change(connection.provider_id, now=NOW)
    db.session.flush()
    assert queued(app) == []
    db.session.commit()
    assert queued(app) == [[[connection.id], "change"]]
    db.session.commit()
    assert len(queued(app)) == 1


@on_sqlite
def test_many_changes_in_one_transaction_are_one_job(app: Flask, connection: Connection) -> None:
    for _ in range(5):
        outbox.note_change(connection.provider_id, now=NOW)
    db.session.commit()
    assert len(queued(app)) == 1


@on_sqlite
def test_a_change_that_is_rolled_back_queues_nothing(app: Flask, connection: Connection) -> None:
    outbox.note_change(connection.provider_id, now=NOW)
    db.session.rollback()
    connection.email = "wren@example.com"
    db.session.commit()
    assert queued(app) == []


@on_sqlite
def test_a_provider_without_a_connection_queues_nothing(app: Flask) -> None:
    outbox.note_change(add_provider().id, now=NOW)
    db.session.commit()
    assert queued(app) == []


@on_sqlite
def test_a_job_carries_ids_and_nothing_about_a_person(app: Flask, connection: Connection) -> None:
    """Failure 47: jobs are kept for a week when they fail, in a store that holds no secrets well."""
    provider = db.session.get_one(Provider, connection.provider_id)
    client = clients.add_client(provider, "Canary Birdsong", now=NOW)
    when = Timed(NOW.date() + dt.timedelta(days=1), dt.time(10), "America/Chicago", 50)
    details = AppointmentDetails(kind=AppointmentKind.SESSION, when=when, client=client)
    appointments.book(provider, details, now=NOW, actor=provider, source="web")
    db.session.commit()
    (job,) = app.extensions["queue"].get_jobs()
    assert list(job.args) == [[connection.id], "change"]
    assert json.loads(job.serializer.dumps(job.args)) == [[connection.id], "change"]
    everything = repr(contents(app.extensions["queue"].connection)).lower()
    assert "canary" not in everything
    assert "wren" not in everything
    assert "sync_connections" in everything


def contents(connection: redis.Redis) -> dict[str, Any]:
    """Every hash in the store, with what is compressed in it unpacked."""
    found: dict[str, Any] = {}
    for key in connection.scan_iter():
        if connection.type(key) != b"hash":
            continue
        for name, value in connection.hgetall(key).items():
            found[f"{key!r} {name!r}"] = zlib.decompress(value) if value[:1] == b"\x78" else value
    assert found
    return found


# The queue is away


def test_with_the_queue_down_a_save_succeeds_and_the_sweep_finds_it_later(
    make_portal: Callable[..., Flask], sqlite_url: str, redis_url: str
) -> None:
    app = make_portal(sqlite_url, f"redis://127.0.0.1:{free_port()}/0")
    connection = connect(add_provider())
    outbox.note_change(connection.provider_id, now=NOW)
    db.session.commit()
    assert jobs.check_queue() == {"queue": False, "worker": False}
    db.session.remove()
    with app.app_context():
        db.engine.dispose()
    again = make_portal(sqlite_url, redis_url)
    assert jobs.sweep(NOW) == 1
    assert len(queued(again)) == 1


@on_sqlite
def test_an_emptied_queue_loses_nothing(app: Flask, connection: Connection) -> None:
    outbox.note_change(connection.provider_id, now=NOW)
    db.session.commit()
    empty(app)
    assert jobs.sweep(NOW) == 1
    empty(app)
    assert jobs.sweep(NOW + SECOND) == 0, "it was queued a second ago"
    assert jobs.sweep(NOW + jobs.QUEUED_AGAIN_AFTER) == 1
    assert queued(app) == [[[connection.id], "schedule"]]


# Comparisons


@on_sqlite
def test_a_comparison_that_a_page_asked_for_is_queued_with_an_id_alone(
    app: Flask, connection: Connection
) -> None:
    full_check.ask(connection, now=NOW)
    db.session.commit()
    assert queued(app) == [], "the page waits for no queue"
    assert jobs.queue_checks(NOW) == 1
    assert queued(app) == [[connection.id]]
    assert jobs.queue_checks(NOW + SECOND) == 0


# The sweep


@on_sqlite
@pytest.mark.parametrize(
    ("values", "is_due"),
    [
        ({}, False),
        ({"requested": 1}, True),
        ({"requested": 1, "handled": 1}, False),
        ({"next_check_at": NOW}, True),
        ({"next_check_at": None}, True),
        ({"next_check_at": NOW + SECOND}, False),
        ({"requested": 1, "retry_at": NOW + SECOND}, False),
        ({"requested": 1, "retry_at": NOW}, True),
        ({"requested": 1, "queued_at": NOW - SECOND}, False),
        ({"requested": 1, "lease_owner": "x", "lease_expires_at": NOW + SECOND}, False),
        ({"requested": 1, "lease_owner": "x", "lease_expires_at": NOW}, True),
        ({"requested": 1, "problem": "delayed"}, True),
        ({"requested": 1, "problem": "reconnect-required"}, False),
        ({"requested": 1, "problem": "reconnect-required", "phase": ConnectionPhase.REMOVING}, True),
        ({"requested": 1, "phase": ConnectionPhase.CHOOSING}, False),
        ({"requested": 1, "phase": ConnectionPhase.FIRST_SYNC}, True),
        ({"requested": 1, "ended_at": NOW}, False),
    ],
    ids=lambda value: ", ".join(value) or "at rest" if isinstance(value, dict) else str(value),
)
def test_what_the_sweep_takes_for_due(app: Flask, values: dict[str, Any], is_due: bool) -> None:
    connect(add_provider(), **values)
    assert jobs.sweep(NOW) == int(is_due)
    assert len(queued(app)) == int(is_due)


@on_sqlite
def test_many_that_are_due_share_jobs(app: Flask) -> None:
    for number in range(jobs.SLICE + 1):
        connect(add_provider(f"provider{number}@example.com"), next_check_at=None)
    assert jobs.sweep(NOW) == jobs.SLICE + 1
    assert [len(ids) for ids, _ in queued(app)] == [jobs.SLICE, 1]


def test_two_sweeps_at_once_claim_a_connection_once(app: Flask, connection: Connection) -> None:
    """Failure 6: any number of tickers may run."""
    connection.requested = 1
    db.session.commit()
    together = threading.Barrier(4)
    counts: list[int] = []

    def tick() -> None:
        with app.app_context():
            together.wait(10)
            counts.append(jobs.sweep(NOW))
            db.session.remove()

    threads = [threading.Thread(target=tick) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(counts) == [0, 0, 0, 1]
    assert len(queued(app)) == 1


@on_sqlite
def test_the_ticker_sweeps_and_leaves_a_sign_of_life(app: Flask, connection: Connection) -> None:
    connection.requested = 1
    db.session.commit()
    assert jobs.check_queue() == {"queue": True, "worker": False}
    jobs.tick_forever(iter([True, False]).__next__)
    assert jobs.check_queue() == {"queue": True, "worker": True}
    assert len(queued(app)) == 1
    assert 0 < app.extensions["queue"].connection.ttl(jobs.WORKER_SEEN_KEY) <= jobs.WORKER_SEEN_SECONDS


@pytest.mark.parametrize("task", [task for _, task in jobs.SCHEDULE], ids=lambda task: task.__name__)
def test_no_task_of_the_ticker_keeps_other_writers_waiting(
    make_portal: Callable[..., Flask],
    sqlite_url: str,
    redis_url: str,
    task: Callable[[dt.datetime], int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It sleeps between its tasks; a transaction left open on SQLite would keep everybody out meanwhile."""
    app = make_portal(sqlite_url, redis_url, SMTP_URL="smtp://127.0.0.1:9")
    connect(add_provider())
    monkeypatch.setattr(jobs, "SCHEDULE", ((1, task),))
    jobs.tick_forever(iter([True, False]).__next__)
    with contextlib.closing(sqlite3.connect(app.extensions["config"].database_url[10:], timeout=0)) as other:
        other.execute("BEGIN IMMEDIATE")
        other.execute("UPDATE connection SET requested = requested + 1")


# Crashes


def spoil(connection: Connection) -> None:
    """Make the row one that cannot even be read: its run crashes."""
    db.session.execute(
        sa.text("UPDATE connection SET spent = 'not JSON' WHERE id = :id"), {"id": connection.id}
    )
    db.session.commit()
    db.session.expire_all()


@on_sqlite
def test_a_run_that_crashes_takes_no_other_with_it_and_is_not_tried_again_at_once(app: Flask) -> None:
    """Failure 38."""
    spoiled, sound = (
        connect(add_provider(f"{name}@example.com"), next_check_at=None, problem=None)
        for name in ("one", "two")
    )
    sound.problem = "question"  # so that its run ends before it needs Google
    db.session.commit()
    ids = [spoiled.id, sound.id]
    spoil(spoiled)
    with pytest.raises(json.JSONDecodeError):
        jobs.sync_connections(ids, "test")
    db.session.rollback()
    runs = {run.connection_id: run for run in db.session.scalars(sa.select(SyncRun))}
    assert (runs[ids[0]].outcome, runs[ids[0]].error) == ("failed", "crashed")
    assert (runs[ids[1]].outcome, runs[ids[1]].error) == ("asked", "question")
    columns = sa.select(Connection.lease_owner, Connection.failures, Connection.retry_at)
    owner, failures, retry_at = db.session.execute(columns.where(Connection.id == ids[0])).one()
    assert (owner, failures) == (None, 1)
    assert retry_at is not None
    assert retry_at > utcnow() + dt.timedelta(minutes=4)
    assert jobs.sweep(utcnow()) == 0
    assert jobs.sweep(retry_at) == 1


@on_sqlite
def test_a_real_worker_survives_a_crash_and_works_on(
    start_portal: Callable[..., Portal], database_url: str, redis_url: str
) -> None:
    portal = start_portal(database_url, web=False)
    app = create_app(load_config(portal.environment))
    with in_context(app):
        connection = connect(add_provider())
        connection_id, provider_id = connection.id, connection.provider_id
        spoil(connection)
        outbox.note_change(provider_id, now=utcnow())
        db.session.commit()

        def runs() -> int:
            return look_up(sa.select(sa.func.count(SyncRun.id)))

        wait_until(lambda: runs() == 1, seconds=20, what="the crashed run is recorded")
        wait_until(lambda: not failed_is_empty(app), seconds=10, what="the job is kept as failed")
        values = {"refresh_token": None, "problem": "question", "retry_at": None}
        db.session.execute(sa.update(Connection).where(Connection.id == connection_id).values(**values))
        outbox.note_change(provider_id, now=utcnow())
        db.session.commit()
        wait_until(lambda: runs() == 2, seconds=20, what="the same worker does the next job")
        app.extensions["queue"].connection.close()


def failed_is_empty(app: Flask) -> bool:
    return bool(app.extensions["queue"].failed_job_registry.count == 0)
