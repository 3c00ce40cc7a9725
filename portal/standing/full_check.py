"""*Check everything now*: asked for by a page, done by a worker, calendar by calendar. Its state is a row.

A job that ends early is gone on with by the next one. Reads only; titles are never stored.
"""

from __future__ import annotations

import datetime as dt
import secrets
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from portal.connection import current
from portal.engine import calendar_list
from portal.engine.run import Clock, open_client
from portal.errors import (
    AuthorizationExpired,
    CalendarError,
    EventNotFound,
    LeaseLost,
    PermissionDenied,
    ScopeMissing,
)
from portal.extensions import begin_reading, begin_writing, db
from portal.google.client import GoogleClient
from portal.models import CheckRequest, Checkup, Connection, GoogleCalendar
from portal.rows import outbox
from portal.standing import compare, stretch
from portal.sync.modes import Link
from portal.sync.shown import KEPT_BEFORE, READY_AHEAD

MOST_DIFFERENCES = 50
MOST_TRIES = 3  # jobs that died over it; then it is given up, and said
ALIVE_EVERY = dt.timedelta(seconds=10)
DEAD_AFTER = dt.timedelta(seconds=60)  # without a sign of life; more than twice a whole request
QUEUED_AGAIN_AFTER = dt.timedelta(seconds=30)
OVERDUE_AFTER = dt.timedelta(seconds=20)  # workers take it up within a second or two
GRANT_GONE = (AuthorizationExpired, ScopeMissing)
CANNOT_READ = (EventNotFound, PermissionDenied)


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a comparison is that was asked for."""

    asked_at: dt.datetime
    is_begun: bool
    is_overdue: bool  # nobody works on it
    done: int  # calendars
    total: int
    entries: int  # compared so far


def ask(connection: Connection, *, now: dt.datetime) -> None:
    """Have everything compared, unless that was asked for already. The ticker queues it."""
    if db.session.get(CheckRequest, connection.id) is not None:
        return
    try:
        with db.session.begin_nested():
            db.session.add(CheckRequest(connection_id=connection.id, asked_at=now))
    except IntegrityError:  # asked for in another tab at this very moment
        return


def withdraw(connection: Connection) -> None:
    """Not wanted any more. A job at work on it stops at its next step."""
    db.session.execute(sa.delete(CheckRequest).where(CheckRequest.connection_id == connection.id))


def standing(connection: Connection, *, now: dt.datetime) -> Standing | None:
    """How far it is; None while none is asked for."""
    row = db.session.get(CheckRequest, connection.id)
    if row is None:
        return None
    quiet_since = row.alive_at or row.asked_at
    return Standing(
        asked_at=row.asked_at,
        is_begun=row.alive_at is not None,
        is_overdue=now - quiet_since > (DEAD_AFTER if row.alive_at else OVERDUE_AFTER),
        done=len(row.done),
        total=row.total,
        entries=sum(count for count, _ in row.days.values()),
    )


def claim_due(now: dt.datetime) -> list[int]:
    """Mark the requests that nobody works on as queued, in one statement; their connections' ids."""
    claimed = db.session.execute(
        sa.update(CheckRequest)
        .where(
            _is_free(now),
            sa.or_(CheckRequest.queued_at.is_(None), CheckRequest.queued_at <= now - QUEUED_AGAIN_AFTER),
        )
        .values(queued_at=now)
        .returning(CheckRequest.connection_id)
        .execution_options(synchronize_session=False)
    )
    return sorted(claimed.scalars())


def check_everything(connection_id: int, *, clock: Clock) -> None:
    """Compare all that is kept in step, from 90 days ago to a year ahead, and store the outcome. Commits."""
    runner = secrets.token_hex(16)
    if not _take_up(connection_id, runner, now=clock()):
        return
    check = _Check(connection_id, runner, clock, alive_at=clock())
    try:
        check.work()
    except LeaseLost:
        db.session.rollback()
    finally:
        begin_writing()


@dataclass
class _Check:
    """One job's work on a request."""

    connection_id: int
    runner: str
    clock: Clock
    alive_at: dt.datetime

    def work(self) -> None:
        """Raises LeaseLost when the request was withdrawn, or another job has taken it over."""
        connection = db.session.get_one(Connection, self.connection_id)
        if current.link_of(connection) is not Link.RUNNING:
            withdraw(connection)
            db.session.commit()
            return
        if self._request().tries > MOST_TRIES:
            self._finish("given-up")
            return
        error: str | None = None
        try:
            self._compare_all(connection)
        except CalendarError as failure:
            db.session.rollback()
            begin_writing()
            error = failure.code[:64]
            if isinstance(failure, GRANT_GONE):
                self._have_it_looked_into()
        self._finish(error)

    def _compare_all(self, connection: Connection) -> None:
        ids = [row.id for row in calendar_list.readable(self.connection_id)]
        self._request().total = len(ids)
        left = [calendar_id for calendar_id in ids if calendar_id not in self._request().done]
        db.session.commit()
        with open_client(connection, before_request=self._show_life) as client:
            for calendar_id in left:
                self._compare_one(client, calendar_id)

    def _compare_one(self, client: GoogleClient, calendar_id: int) -> None:
        now = self.clock()
        db.session.expire_all()
        begin_reading()  # judging ten thousand events takes its time, and must keep no writer out
        calendar = db.session.get_one(GoogleCalendar, calendar_id)
        zone = calendar.connection.provider.zone
        today = now.astimezone(zone).date()
        try:
            items = compare.compare(client, calendar, today - KEPT_BEFORE, today + READY_AHEAD, now=now)
        except CANNOT_READ:
            db.session.rollback()
            self._keep(calendar_id, [], [_unreadable(calendar_id, today)], zone)
            return
        wrong = [_difference(item, zone) for item in items if not item.is_fine]
        self._keep(calendar_id, items, wrong, zone)

    def _keep(
        self, calendar_id: int, items: list[stretch.Item], wrong: list[dict[str, Any]], zone: dt.tzinfo
    ) -> None:
        """Add one calendar to what was found, as counts by day, ids and codes."""
        begin_writing()
        request = self._request()
        days = {day: list(counts) for day, counts in request.days.items()}
        for item in items:
            count = days.setdefault(_day_of(item, zone).isoformat(), [0, 0])
            count[0] += 1
            count[1] += not item.is_fine
        request.days, request.done = days, [*request.done, calendar_id]
        request.differences = [*request.differences, *wrong][:MOST_DIFFERENCES]
        request.with_guests += sum(item.has_guests for item in items)
        db.session.commit()

    def _request(self) -> CheckRequest:
        """The row as it is now, while it is ours. Raises LeaseLost."""
        request = db.session.get(
            CheckRequest, self.connection_id, populate_existing=True, with_for_update=True
        )
        if request is None or request.runner != self.runner:
            raise LeaseLost
        return request

    def _show_life(self) -> None:
        """Before a request to Google. Raises LeaseLost."""
        now = self.clock()
        if now - self.alive_at < ALIVE_EVERY:
            return
        begin_writing()
        self._request().alive_at = self.alive_at = now
        db.session.commit()
        begin_reading()

    def _have_it_looked_into(self) -> None:
        """The next run finds out what is wrong with the grant, and tells it on every page."""
        outbox.ask_for_pull(db.session.get_one(Connection, self.connection_id), now=self.clock())

    def _finish(self, error: str | None) -> None:
        """The request becomes an outcome. What Google refused half-way is no comparison."""
        request = self._request()
        row = db.session.get(Checkup, self.connection_id) or Checkup(connection_id=self.connection_id)
        row.at, row.error = self.clock(), error
        row.days = {} if error else request.days
        row.differences = [] if error else request.differences
        row.with_guests = 0 if error else request.with_guests
        db.session.add(row)
        db.session.delete(request)
        db.session.commit()


def _take_up(connection_id: int, runner: str, *, now: dt.datetime) -> bool:
    taken = db.session.scalar(
        sa.update(CheckRequest)
        .where(CheckRequest.connection_id == connection_id, _is_free(now))
        .values(runner=runner, alive_at=now, tries=CheckRequest.tries + 1)
        .returning(CheckRequest.connection_id)
        .execution_options(synchronize_session=False)
    )
    db.session.commit()
    return taken is not None


def _is_free(now: dt.datetime) -> sa.ColumnElement[bool]:
    return sa.or_(CheckRequest.alive_at.is_(None), CheckRequest.alive_at <= now - DEAD_AFTER)


def _day_of(item: stretch.Item, zone: dt.tzinfo) -> dt.date:
    return item.start.date or item.start.instant.astimezone(zone).date()


def _difference(item: stretch.Item, zone: dt.tzinfo) -> dict[str, Any]:
    return {
        "verdict": item.verdict,
        "day": _day_of(item, zone).isoformat(),
        "calendar": item.calendar,
        "appointment": item.appointment_id,
    }


def _unreadable(calendar_id: int, today: dt.date) -> dict[str, Any]:
    return {"verdict": "unreadable", "day": today.isoformat(), "calendar": calendar_id, "appointment": None}
