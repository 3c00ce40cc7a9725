"""What one run for one connection carries: its lease, its Google client, its clock and its counts."""

from __future__ import annotations

import datetime as dt
import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import sqlalchemy as sa
from flask import current_app

from portal.config import Config
from portal.engine import lease
from portal.errors import TOOK_TOO_LONG, CalendarError, CalendarUnavailable, GrantUnreadable
from portal.extensions import db
from portal.google import oauth
from portal.google.client import GoogleClient, TryAgain, attempt, never
from portal.google.tokens import Tokens
from portal.models import Connection, GoogleCalendar, Practice
from portal.sync import pace
from portal.sync.trouble import pause_before_again

HAND_ON_SECONDS = 45  # RQ ends a job at 300; a run hands on long before, at a batch or page boundary
PATIENCE_SECONDS = 10.0  # and one request's time-out: a page answers before its server gives it up

Clock = Callable[[], dt.datetime]


@dataclass
class Run:
    """The run under way. Every commit of it goes through `commit`, every request through the lease."""

    connection_id: int
    lease: lease.Lease
    clock: Clock
    ends_at: dt.datetime
    pause: Callable[[float], None] = time.sleep  # seconds, between two tries of one call
    counts: Counter[str] = field(default_factory=Counter)
    committed: Counter[str] = field(default_factory=Counter)  # of these: what no failure takes back
    failed: Counter[int] = field(default_factory=Counter)  # by appointment: writes that failed in passing
    units: int = 0  # of Google's quota, spent since the last commit
    pause_until: dt.datetime | None = None  # the minute's quota is used up
    looked_at: set[int] = field(default_factory=set)  # appointments whose refusal was settled in this run
    deleted_there: list[int] = field(default_factory=list)  # appointments, in this pass
    holds_moves: bool = False  # so many moves in one pass that the provider is asked first
    google: GoogleClient = field(init=False)

    def open_client(self) -> GoogleClient:
        """Connect to Google with this connection's tokens. Raises CalendarError."""
        self.google = attempt(self._open_client, self.try_again)
        return self.google

    def _open_client(self) -> GoogleClient:
        return open_client(self.connection, before_request=self.before_request, try_again=self.try_again)

    def try_again(self, error: CalendarError, failed: int) -> bool:
        """Whether a call that has failed so often is to be sent again in this run; pauses before it is."""
        pause = pause_before_again(error, failed=failed, jitter=random.random())  # noqa: S311 (no secret)
        if pause is None or self.now + dt.timedelta(seconds=pause) >= self.ends_at:
            return False
        has_room = self.has_room(["get"])
        db.session.rollback()  # no transaction stays open over a pause
        if has_room:
            self.counts["tried_again"] += 1
            self.pause(pause)
        return has_room

    @property
    def connection(self) -> Connection:
        return db.session.get_one(Connection, self.connection_id)

    @property
    def practice(self) -> Practice:
        return db.session.get_one(Practice, 1)

    @property
    def now(self) -> dt.datetime:
        return self.clock()

    @property
    def is_out_of_time(self) -> bool:
        return self.clock() >= self.ends_at

    def before_request(self) -> None:
        """No HTTP inside a transaction, and none without a lease that outlasts it. Raises LeaseLost."""
        assert not db.session.new, "rows were added and not committed"
        assert not db.session.dirty, "rows were changed and not committed"
        db.session.rollback()  # what was to be kept is committed by now; this ends the reading transaction
        lease.renew(self.lease, now=self.clock())
        self.units += 1

    def commit(self) -> None:
        """Commit what was decided, if this run still holds the lease, and forget what was read before."""
        self._book_units()
        db.session.flush()
        lease.guard(self.lease)
        db.session.commit()
        db.session.expire_all()
        self.committed = self.counts.copy()

    def may_spend(self, verbs: Sequence[str]) -> bool:
        """Whether the minute's quota has room for these calls; if not, `pause_until` says when it has."""
        self._book_units()
        wait = pace.wait_seconds(self.connection.spent, pace.cost(verbs), now=self.now.timestamp())
        if wait > 0:
            self.pause_until = self.now + dt.timedelta(seconds=wait)
        return wait <= 0

    def has_room(self, verbs: Sequence[str]) -> bool:
        """The same between two commits: nothing is booked, so nothing is left uncommitted."""
        spent = [*self.connection.spent, [self.now.timestamp(), float(self.units)]]
        wait = pace.wait_seconds(spent, pace.cost(verbs), now=self.now.timestamp())
        if wait > 0:
            self.pause_until = self.now + dt.timedelta(seconds=wait)
        return wait <= 0

    def spend(self, verbs: Sequence[str]) -> None:
        """Count a batch by its parts; the request that carried it was counted as one."""
        self.units += pace.cost(verbs) - 1

    def _book_units(self) -> None:
        if self.units:
            now = self.now.timestamp()
            still = pace.recent(self.connection.spent, now=now)
            self.connection.spent = [*still, [now, float(self.units)]]
            self.units = 0

    def app_calendar(self) -> GoogleCalendar | None:
        """The row of the calendar that the portal made in this account."""
        return db.session.scalar(
            sa.select(GoogleCalendar).where(
                GoogleCalendar.connection_id == self.connection_id, GoogleCalendar.is_app_calendar
            )
        )

    def keep_tokens(self) -> None:
        """Store what google-auth refreshed, so that the next run need not ask again."""
        connection, google = self.connection, self.google
        if google.access_token != connection.access_token:
            connection.access_token = google.access_token
            connection.access_token_expires_at = google.access_token_expires_at
        if google.refresh_token and google.refresh_token != connection.refresh_token:
            connection.refresh_token = google.refresh_token


@dataclass
class Patience:
    """For a page that somebody waits for: after `seconds` no further request to Google begins."""

    seconds: float = PATIENCE_SECONDS
    begun: float = field(default_factory=time.monotonic)

    def __call__(self) -> None:
        if time.monotonic() - self.begun > self.seconds:
            raise CalendarUnavailable(TOOK_TOO_LONG)


def open_client(
    connection: Connection,
    *,
    before_request: Callable[[], None] = lambda: None,
    try_again: TryAgain = never,
) -> GoogleClient:
    """A client that speaks for the connection's account. Raises CalendarUnavailable, GrantUnreadable."""
    config: Config = current_app.extensions["config"]
    if connection.refresh_token is None:  # an access token that could still be read would only put it off
        raise GrantUnreadable
    tokens = Tokens(
        refresh_token=connection.refresh_token,
        access_token=connection.access_token,
        expires_at=connection.access_token_expires_at,
        token_uri=oauth.token_uri(),
        client_id=config.google_client_id or "",
        client_secret=config.google_client_secret or "",
    )
    return GoogleClient(
        tokens, endpoint=config.google_api_endpoint, before_request=before_request, try_again=try_again
    )
