"""One run per connection: the lease, its end, its renewal, and the fence before one that wakes up late."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Iterator

import flask_migrate
import pytest
import sqlalchemy as sa
from flask import Flask

from portal import create_app
from portal.config import load_config
from portal.engine import lease
from portal.engine.lease import LEASE_SECONDS, RENEW_BELOW_SECONDS, Lease
from portal.errors import LeaseLost
from portal.extensions import db
from portal.models import Connection, ConnectionPhase
from tests.scratch_practice import NOW, SETTINGS, add_provider

SECOND = dt.timedelta(seconds=1)


@pytest.fixture
def app(database_url: str) -> Iterator[Flask]:
    app = create_app(load_config({**SETTINGS, "DATABASE_URL": database_url}))
    with app.app_context():
        flask_migrate.upgrade()
        yield app
        db.session.rollback()
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def connection_id(app: Flask) -> int:
    connection = Connection(
        provider_id=add_provider().id,
        phase=ConnectionPhase.ACTIVE,
        created_at=NOW,
        google_sub="sub-1",
        email="wren.hale@example.com",
        scopes="",
        granted_at=NOW,
    )
    db.session.add(connection)
    db.session.commit()
    return connection.id


def take(connection_id: int, *, after: dt.timedelta = dt.timedelta()) -> Lease:
    held = lease.acquire(connection_id, now=NOW + after)
    assert held is not None
    return held


def row(connection_id: int) -> Connection:
    db.session.expire_all()
    return db.session.get_one(Connection, connection_id)


def test_a_free_lease_is_taken_for_a_minute_and_fences_off_what_was_before(connection_id: int) -> None:
    held = take(connection_id)
    assert held.expires_at == NOW + dt.timedelta(seconds=LEASE_SECONDS)
    stored = row(connection_id)
    assert (stored.lease_owner, stored.fencing) == (held.owner, held.fencing) == (held.owner, 1)
    assert stored.lease_expires_at == held.expires_at


def test_a_held_lease_is_refused_until_it_runs_out(connection_id: int) -> None:
    first = take(connection_id)
    assert lease.acquire(connection_id, now=first.expires_at - SECOND) is None
    assert row(connection_id).lease_owner == first.owner
    second = take(connection_id, after=dt.timedelta(seconds=LEASE_SECONDS))
    assert second.owner != first.owner
    assert second.fencing > first.fencing


def test_a_released_lease_is_free_at_once(connection_id: int) -> None:
    lease.release(take(connection_id))
    assert row(connection_id).lease_owner is None
    assert take(connection_id, after=SECOND).fencing == 2


def test_taking_it_clears_the_mark_that_a_job_was_queued(connection_id: int) -> None:
    row(connection_id).queued_at = NOW
    db.session.commit()
    take(connection_id)
    assert row(connection_id).queued_at is None


def test_an_ended_connection_has_no_lease(connection_id: int) -> None:
    row(connection_id).ended_at = NOW
    db.session.commit()
    assert lease.acquire(connection_id, now=NOW) is None


def test_of_many_who_try_at_once_one_gets_it(app: Flask, connection_id: int) -> None:
    """Failure 6."""
    together = threading.Barrier(6)
    got: list[Lease | None] = []

    def attempt() -> None:
        with app.app_context():
            together.wait(10)
            got.append(lease.acquire(connection_id, now=NOW))
            db.session.remove()

    threads = [threading.Thread(target=attempt) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(got) == 6
    (held,) = [each for each in got if each is not None]
    assert row(connection_id).lease_owner == held.owner
    assert row(connection_id).fencing == 1


# Renewal


def test_it_is_renewed_only_when_a_request_might_outlast_it(connection_id: int) -> None:
    held = take(connection_id)
    before = held.expires_at
    lease.renew(held, now=before - dt.timedelta(seconds=RENEW_BELOW_SECONDS))
    assert row(connection_id).lease_expires_at == held.expires_at == before
    late = before - dt.timedelta(seconds=RENEW_BELOW_SECONDS - 1)
    lease.renew(held, now=late)
    assert (
        row(connection_id).lease_expires_at == held.expires_at == late + dt.timedelta(seconds=LEASE_SECONDS)
    )


def test_one_that_ran_out_and_that_nobody_took_is_renewed(connection_id: int) -> None:
    held = take(connection_id)
    lease.renew(held, now=held.expires_at + dt.timedelta(minutes=5))
    lease.guard(held)


def test_one_that_somebody_took_over_cannot_be_renewed(connection_id: int) -> None:
    """Failure 51: a worker that was frozen wakes up."""
    frozen = take(connection_id)
    other = take(connection_id, after=dt.timedelta(minutes=2))
    with pytest.raises(LeaseLost):
        lease.renew(frozen, now=NOW + dt.timedelta(minutes=2, seconds=1))
    stored = row(connection_id)
    assert (stored.lease_owner, stored.lease_expires_at) == (other.owner, other.expires_at)
    lease.guard(other)


# The fence


def test_the_guard_lets_the_holder_commit(connection_id: int) -> None:
    held = take(connection_id)
    row(connection_id).progress_done = 7
    db.session.flush()
    lease.guard(held)
    db.session.commit()
    assert row(connection_id).progress_done == 7


def test_the_guard_undoes_what_a_run_did_after_the_settings_changed(connection_id: int) -> None:
    held = take(connection_id)
    raise_fence(connection_id)
    row(connection_id).progress_done = 7
    db.session.flush()
    with pytest.raises(LeaseLost):
        lease.guard(held)
    db.session.commit()
    assert row(connection_id).progress_done == 0


def test_after_the_settings_changed_no_request_is_sent(connection_id: int) -> None:
    held = take(connection_id)
    raise_fence(connection_id)
    with pytest.raises(LeaseLost):
        lease.renew(held, now=held.expires_at)


def test_a_run_that_was_fenced_off_still_lets_the_next_one_in(connection_id: int) -> None:
    held = take(connection_id)
    raise_fence(connection_id)
    assert lease.acquire(connection_id, now=NOW + SECOND) is None
    lease.release(held)
    assert take(connection_id, after=SECOND).fencing == held.fencing + 2


def test_a_stranger_releases_nothing(connection_id: int) -> None:
    frozen = take(connection_id)
    other = take(connection_id, after=dt.timedelta(minutes=2))
    lease.release(frozen)
    assert row(connection_id).lease_owner == other.owner
    lease.guard(other)
    db.session.commit()


def raise_fence(connection_id: int) -> None:
    """As a change of mode, display or chosen calendars does."""
    db.session.execute(
        sa.update(Connection).where(Connection.id == connection_id).values(fencing=Connection.fencing + 1)
    )
    db.session.commit()
