"""`flask sync …`: a run in this process, and the support report."""

from __future__ import annotations

import datetime as dt
import json
import sys
import time

import click
import sqlalchemy as sa
from flask import current_app
from flask.cli import AppGroup

from portal import jobs
from portal.cli.asking import find_provider
from portal.clock import utcnow
from portal.config import Config
from portal.connection import current, switching
from portal.engine import connection_run
from portal.engine.connection_run import Outcome
from portal.extensions import db
from portal.models import Connection, ConnectionPhase, EventLink, Provider
from portal.people import audit
from portal.rows import event_links, pausing
from portal.standing import report
from portal.words.sync import pausing as words

LEASE_WAIT_SECONDS = 120
LONGEST_SECONDS = 600
LEASE_POLL_SECONDS = 0.2
PACED_POLL_SECONDS = 1.0
NOT_VISIBLE_POLL_SECONDS = 5.0
RETRY_SECONDS = (0.5, 1.0, 2.0, 4.0)  # after runs that failed; Google's lost answers are seldom many

# Exit codes of `sync now`
ALL_DONE, SOMETHING_FAILED, PERSON_NEEDED, LEASE_NOT_FREE = 0, 1, 2, 3

sync_group = AppGroup("sync", help="Sync with Google.")


@sync_group.command("now")
@click.argument("email", required=False)
@click.option("--full", is_flag=True, help="Read every calendar anew, as a new generation.")
def sync_now(email: str | None, full: bool) -> None:
    """Push and pull in this process until nothing is behind.

    Exit 0: all done. 1: something failed. 2: a person is needed. 3: the lease was not free.
    """
    pausing.stamp()
    if pausing.is_paused():
        click.echo(words.FOR_COMMANDS, err=True)
        sys.exit(PERSON_NEEDED)
    switching.close_down_deactivated(now=utcnow())
    db.session.commit()
    connections = [
        connection
        for provider in _providers(email)
        if (connection := current.live_connection(provider)) is not None
    ]
    deadline = time.monotonic() + LONGEST_SECONDS
    codes = [_sync_one(connection.id, full=full, deadline=deadline) for connection in connections]
    worst_first = (SOMETHING_FAILED, PERSON_NEEDED, LEASE_NOT_FREE)
    sys.exit(next((code for code in worst_first if code in codes), ALL_DONE))


def _sync_one(connection_id: int, *, full: bool, deadline: float) -> int:
    """Run until nothing is behind or the time is up, whatever the schedule and the back-off say."""
    config: Config = current_app.extensions["config"]
    lease_deadline = time.monotonic() + LEASE_WAIT_SECONDS
    _forget_back_off(connection_id)
    retries = iter(RETRY_SECONDS)
    while True:
        _make_due(connection_id)
        outcome = connection_run.run_connection(
            connection_id, clock=utcnow, trigger="command", poll=config.sync_poll_seconds, full=full
        )
        full = full and outcome in (Outcome.BUSY, Outcome.FAILED)  # otherwise the new generation has begun
        match outcome:
            case Outcome.BUSY:
                wait = LEASE_POLL_SECONDS if time.monotonic() < lease_deadline else None
            case Outcome.PACED:
                wait = PACED_POLL_SECONDS
            case Outcome.MORE | Outcome.LOST:
                wait = 0.0
            case Outcome.FAILED:
                wait = None if _is_quota(connection_id) else next(retries, None)
            case _:
                wait = NOT_VISIBLE_POLL_SECONDS if event_links.has_invisible(connection_id) else None
        if wait is None or time.monotonic() + wait >= deadline:
            return _code(connection_id, outcome)
        time.sleep(wait)


def _forget_back_off(connection_id: int) -> None:
    """What was postponed is tried now."""
    db.session.execute(
        sa.update(EventLink)
        .where(EventLink.connection_id == connection_id, EventLink.retry_at.is_not(None))
        .values(retry_at=None)
        .execution_options(synchronize_session=False)
    )
    db.session.commit()


def _is_quota(connection_id: int) -> bool:
    """Google asks for hours of rest: nothing that a command could wait for."""
    db.session.expire_all()
    return db.session.get_one(Connection, connection_id).problem == "quota"


def _make_due(connection_id: int) -> None:
    """Let this run pull as well."""
    db.session.execute(
        sa.update(Connection).where(Connection.id == connection_id).values(next_check_at=utcnow())
    )
    db.session.commit()
    db.session.expire_all()


def _code(connection_id: int, outcome: Outcome) -> int:
    if outcome is Outcome.BUSY:
        return LEASE_NOT_FREE
    if outcome in (Outcome.ASKED, Outcome.PAUSED):
        return PERSON_NEEDED
    if outcome in (Outcome.FAILED, Outcome.LOST, Outcome.MORE, Outcome.PACED):
        return SOMETHING_FAILED
    connection = db.session.get_one(Connection, connection_id)
    is_syncing = connection.phase in (ConnectionPhase.FIRST_SYNC, ConnectionPhase.ACTIVE)
    return SOMETHING_FAILED if is_syncing and event_links.count_behind(connection) else ALL_DONE


@sync_group.command("go-on")
def sync_go_on() -> None:
    """Let sync go on in a database that was restored, moved or copied: this is the one that counts.

    Do so only where no other Lockstep runs on the same data.
    """
    now = utcnow()
    if not pausing.go_on(now=now):
        db.session.rollback()
        click.echo(words.NOT_PAUSED)
        return
    audit.record("sync.gone-on", now=now, provider_id=None)
    db.session.commit()
    click.echo(words.GONE_ON)


@sync_group.command("doctor")
@click.argument("email", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print the support report as JSON.")
def sync_doctor(email: str | None, as_json: bool) -> None:
    """Report on every provider's sync: ids, counts, states and times, and nothing about a person."""
    now = utcnow()
    reports = [report.support_report(provider, now=now) for provider in _providers(email)]
    if refused := jobs.count_refused():
        click.echo(f"BAD queue: refused {refused} jobs that were not ours. Who else writes to it?", err=True)
    if as_json:
        click.echo(json.dumps(reports, default=_json_value))
        return
    for entry in reports:
        click.echo(f"provider {entry['provider_id']}: {entry['mode']}, {entry['state']}")
        for line in entry["lines"]:
            click.echo(f"  {'ok ' if line['ok'] else 'BAD'} {line['id']}: {line['code']}")


def _json_value(value: object) -> str:
    if isinstance(value, dt.datetime):
        return value.isoformat()
    raise TypeError(type(value).__name__)


def _providers(email: str | None) -> list[Provider]:
    if email is not None:
        return [find_provider(email)]
    has_connection = sa.exists().where(Connection.provider_id == Provider.id, Connection.ended_at.is_(None))
    is_anybody = sa.or_(Provider.deactivated_at.is_(None), has_connection)  # of a closed one: while it leaves
    return list(db.session.scalars(sa.select(Provider).where(is_anybody).order_by(Provider.id)))
