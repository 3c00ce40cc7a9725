"""RQ entry points and the schedule. A job is a hint; the database says what is to do."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable
from typing import Any, cast

import redis
import sqlalchemy as sa
import structlog
from flask import Flask, current_app
from redis.exceptions import RedisError
from rq import Queue
from rq.job import Job
from rq.serializers import JSONSerializer

from portal import logs
from portal.clock import utcnow
from portal.config import Config
from portal.connection import reminders, switching
from portal.engine import channels, connection_run, freshness
from portal.engine.connection_run import Outcome
from portal.errors import JobFailed
from portal.extensions import db
from portal.models import Connection, ConnectionPhase
from portal.people import audit
from portal.practice import drafts, form_keys, series, undo
from portal.rows.outbox import BEHIND
from portal.standing import full_check
from portal.sync.trouble import NEEDS_A_PERSON

log = structlog.get_logger()

QUEUE_NAME = "sync"
JOB_TIMEOUT_SECONDS = 300
FAILURE_KEPT_SECONDS = 7 * 86_400
REDIS_TIMEOUT_SECONDS = 2  # a page that saves must not wait for a queue in trouble
WORKER_SEEN_KEY = "lockstep:worker-seen"
WORKER_SEEN_SECONDS = 30
SLICE = 20  # connections in one job: a fork costs more than an idle check
QUEUED_AGAIN_AFTER = dt.timedelta(seconds=30)  # a job that was queued and never ran is queued anew
AT_WORK = (ConnectionPhase.FIRST_SYNC, ConnectionPhase.ACTIVE, ConnectionPhase.REMOVING)


class PortalJob(Job):  # type: ignore[misc,unused-ignore]
    """A job that runs inside the app. The forked work-horse leaves its parent's connections alone."""

    app: Flask  # set once, in the worker's process, before it forks

    def perform(self) -> Any:
        """Raises JobFailed: RQ logs an error with its text, and keeps that in the queue for days."""
        with self.app.app_context():
            db.engine.dispose(close=False)
            try:
                return super().perform()
            except Exception as error:  # noqa: BLE001 (raised again, without its text)
                log.error("job.failed", kind=logs.kind(error), place=logs.place(error))
                raise JobFailed(logs.kind(error)) from None


def bind(app: Flask, config: Config) -> None:
    """Give the app its queue, and queue connections that a commit left behind."""
    app.extensions["queue"] = make_queue(config.redis_url) if config.redis_url else None
    if not sa.event.contains(db.session, "after_commit", _queue_behind):
        sa.event.listen(db.session, "after_commit", _queue_behind)
        sa.event.listen(db.session, "after_rollback", _forget_behind)


def make_queue(redis_url: str, *, timeout_seconds: float | None = REDIS_TIMEOUT_SECONDS) -> Queue:
    """The queue. A worker waits on it for as long as it takes, a page does not."""
    connection = redis.Redis.from_url(
        redis_url, socket_timeout=timeout_seconds, socket_connect_timeout=REDIS_TIMEOUT_SECONDS
    )
    return Queue(QUEUE_NAME, connection=connection, job_class=PortalJob, serializer=JSONSerializer)


def check_queue() -> dict[str, bool]:
    """Whether the queue answers, and whether a worker's ticker was seen in the last half minute."""
    queue = _queue()
    try:
        seen = queue is not None and bool(queue.connection.exists(WORKER_SEEN_KEY))
        return {"queue": queue is not None and bool(queue.connection.ping()), "worker": seen}
    except RedisError:
        return {"queue": False, "worker": False}


def sync_connections(connection_ids: list[int], trigger: str) -> None:
    """Job: one run for each. One that fails or crashes takes none of the others with it."""
    config: Config = current_app.extensions["config"]
    crash: Exception | None = None
    for connection_id in connection_ids:
        if connection_run.is_backing_off(connection_id, now=utcnow()):
            continue  # its mark stays, and the sweep finds it in time
        try:
            outcome = connection_run.run_connection(
                connection_id, clock=utcnow, trigger=trigger, poll=config.sync_poll_seconds
            )
        except Exception as error:  # noqa: BLE001 (raised again below, when the others had their turn)
            kind, place = logs.kind(error), logs.place(error)
            log.error("sync.crashed", connection=connection_id, kind=kind, place=place)
            crash = error
            continue
        if outcome is Outcome.MORE:
            enqueue([connection_id], trigger="handed-on")
    if crash is not None:
        raise crash


def enqueue(connection_ids: list[int], *, trigger: str) -> None:
    """Queue a job for these connections, ids only. With the queue away, the sweep will find the marks."""
    if connection_ids:
        _put(sync_connections, connection_ids, trigger)


def _put(job: Callable[..., None], *args: Any) -> None:
    queue = _queue()
    if queue is None:
        return
    try:
        queue.enqueue_call(
            job, args=args, timeout=JOB_TIMEOUT_SECONDS, result_ttl=0, failure_ttl=FAILURE_KEPT_SECONDS
        )
    except RedisError as error:
        log.warning("queue.unreachable", kind=type(error).__name__)


def check_everything(connection_id: int) -> None:
    """Job: the whole comparison that a page asked for."""
    full_check.check_everything(connection_id, clock=utcnow)


def queue_checks(now: dt.datetime) -> int:
    """Queue every comparison that was asked for and that nobody works on."""
    due = full_check.claim_due(now)
    db.session.commit()
    for connection_id in due:
        _put(check_everything, connection_id)
    return len(due)


def sweep(now: dt.datetime) -> int:
    """Queue every connection that is due: behind, due for a look at Google, or to be removed. How many."""
    config: Config = current_app.extensions["config"]
    freshness.hasten_watched(now=now, poll=config.sync_poll_seconds)
    due = _claim_due(now)
    db.session.commit()
    for begin in range(0, len(due), SLICE):
        enqueue(due[begin : begin + SLICE], trigger="schedule")
    return len(due)


def hasten(connection_id: int, *, now: dt.datetime) -> None:
    """Queue one connection that Google has news for, unless a job or a run is about to look anyway.

    However many messages come, at most one job waits; one that comes during a run is kept by its mark.
    """
    due = _claim_due(now, Connection.id == connection_id)
    db.session.commit()
    enqueue(due, trigger="push")


def _claim_due(now: dt.datetime, *only: sa.ColumnElement[bool]) -> list[int]:
    """Mark what is due as queued, in one statement: two tickers never queue the same connection."""
    is_asked_for = sa.or_(
        Connection.requested > Connection.handled,
        Connection.next_check_at.is_(None),
        Connection.next_check_at <= now,
    )
    claimed = db.session.execute(
        sa.update(Connection)
        .where(
            *only,
            Connection.ended_at.is_(None),
            Connection.phase.in_(AT_WORK),
            is_asked_for,
            sa.or_(Connection.retry_at.is_(None), Connection.retry_at <= now),
            sa.or_(Connection.queued_at.is_(None), Connection.queued_at <= now - QUEUED_AGAIN_AFTER),
            sa.or_(Connection.lease_owner.is_(None), Connection.lease_expires_at <= now),
            sa.or_(
                Connection.phase == ConnectionPhase.REMOVING,
                Connection.problem.is_(None),
                Connection.problem.not_in(NEEDS_A_PERSON),
                connection_run.is_healing(now),
            ),
        )
        .values(queued_at=now)
        .returning(Connection.id)
        .execution_options(synchronize_session=False)
    )
    return sorted(claimed.scalars())


def drop_abandoned(now: dt.datetime) -> int:
    """End setups that were left lying for a day."""
    dropped = switching.drop_abandoned(now=now)
    db.session.commit()
    return dropped


def forget_channels(now: dt.datetime) -> int:
    """Delete push channels that ended a month ago."""
    forgotten = channels.delete_old(now=now)
    db.session.commit()
    return forgotten


def extend_series(now: dt.datetime) -> int:
    """Let the horizon of recurring appointments roll on."""
    extended = series.extend_all(now=now)
    db.session.commit()
    return extended


def forget_old_forms(now: dt.datetime) -> int:
    """Let go of what can no longer be undone, of drafts that nobody came back for, of used keys of forms."""
    undo.forget_all_old(now=now)
    drafts.forget_old(now=now)
    form_keys.forget_old(now=now)
    db.session.commit()
    return 0


def keep_audit(_now: dt.datetime) -> int:
    """Have the database keep the audit log as long as AUDIT_KEEP_DAYS says: a longer time holds at once."""
    config: Config = current_app.extensions["config"]
    audit.keep_for(config.audit_keep_days)
    db.session.commit()
    return 0


# What the ticker does, and how many seconds apart. Every tick may be doubled or left out.
SCHEDULE: tuple[tuple[float, Callable[[dt.datetime], int]], ...] = (
    (1, sweep),
    (1, queue_checks),
    (3600, drop_abandoned),
    (6 * 3600, extend_series),
    (3600, forget_channels),
    (3600, forget_old_forms),
    (60, reminders.remind),
    (3600, reminders.expire_imports),
    (3600, keep_audit),
)


def tick_forever(is_wanted: Callable[[], bool]) -> None:
    """Run the schedule until nobody wants it any more, and leave a sign of life for `readyz`."""
    due = [0.0 for _ in SCHEDULE]
    while is_wanted():
        for number, (every_seconds, task) in enumerate(SCHEDULE):
            if time.monotonic() >= due[number]:
                due[number] = time.monotonic() + every_seconds
                _tick(task)
        _leave_sign()
        time.sleep(0.5)


def _tick(task: Callable[[dt.datetime], int]) -> None:
    """Trouble costs this tick and no other. No transaction outlives it: writers wait."""
    try:
        task(utcnow())
    except Exception as error:  # noqa: BLE001 (the ticker has to outlive whatever one tick meets)
        log.error("tick.failed", task=task.__name__, kind=logs.kind(error), place=logs.place(error))
    finally:
        db.session.rollback()


def _leave_sign() -> None:
    queue = _queue()
    if queue is None:
        return
    try:
        queue.connection.set(WORKER_SEEN_KEY, "1", ex=WORKER_SEEN_SECONDS)
    except RedisError as error:
        log.warning("queue.unreachable", kind=type(error).__name__)


def _queue() -> Queue | None:
    return cast("Queue | None", current_app.extensions["queue"])


def _queue_behind(session: Any) -> None:
    """After the commit, so that no worker looks for what isn't there yet."""
    behind: set[int] = session.info.pop(BEHIND, set())
    enqueue(sorted(behind), trigger="change")


def _forget_behind(session: Any) -> None:
    session.info.pop(BEHIND, None)
