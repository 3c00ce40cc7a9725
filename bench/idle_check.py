"""What it costs to find out that nothing has happened, for one connection and for a thousand."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from bench import ground
from bench.report import Row
from demo.processes import Sandbox
from portal.clock import utcnow
from portal.engine import connection_run
from portal.extensions import db
from portal.google.oauth import CALENDAR_SCOPES
from portal.models import Connection, ConnectionPhase, GoogleCalendar, Provider, SyncMode
from sandbox.client import SandboxClient

FEW, MANY = 100, 1_000
CALENDARS = 2  # the app calendar and the primary one


def measure(folder: Path) -> list[Row]:
    with ground.google(folder / "google") as there, ground.portal_app(folder / "portal", there.url):
        password_hash = ground.add_provider("template@example.com").password_hash
        few = _connections(there, password_hash, 0, FEW)
        check(few)  # the first look reads the lists
        seconds_few, cpu, statements = _idle(few)
        rest = _connections(there, password_hash, FEW, MANY)
        check(rest)
        seconds_many, _, _ = _idle([*few, *rest])
    per_few, per_many = seconds_few / FEW, seconds_many / MANY
    return [
        Row(
            what="An idle check, processor time for each calendar listed",
            measured=f"{1000 * cpu / FEW / CALENDARS:.1f} ms",
            against=f"{CALENDARS} calendars a connection, {FEW} connections",
            budget="≤ 3 ms",
            is_kept=cpu / FEW / CALENDARS <= 0.003,
        ),
        Row(
            what="An idle check, SQL statements for each connection",
            measured=f"{statements / FEW:.1f}",
            against="transactions' own BEGIN and COMMIT not counted",
            budget="≤ 4",
            is_kept=statements / FEW <= 4,
        ),
        Row(
            what=f"Idle checks of {MANY:,} connections",
            measured=f"{seconds_many:.1f} s",
            against=f"{per_many / per_few:.2f} × the time of each when there are {FEW}",
            budget="linear (≤ 1.2 ×)",
            is_kept=per_many <= 1.2 * per_few,
        ),
    ]


def _idle(connections: list[int]) -> tuple[float, float, int]:
    """Seconds, processor seconds and statements of one check of each."""
    began, cpu = time.perf_counter(), time.process_time()
    with counted_statements() as count:
        check(connections)
    return time.perf_counter() - began, time.process_time() - cpu, count["statements"]


def check(connections: list[int]) -> None:
    """Each looks at Google once, as when its poll is due."""
    db.session.execute(sa.update(Connection).values(next_check_at=utcnow()))
    db.session.commit()
    for number in connections:
        outcome = connection_run.run_connection(number, clock=utcnow, trigger="schedule", poll=60)
        assert outcome is connection_run.Outcome.DONE, outcome
        db.session.remove()


@contextmanager
def counted_statements() -> Iterator[dict[str, int]]:
    """How many statements go to the database, transactions' own left out."""
    count = {"statements": 0}

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        count["statements"] += not statement.startswith(("BEGIN", "COMMIT", "ROLLBACK"))

    sa.event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield count
    finally:
        sa.event.remove(db.engine, "before_cursor_execute", note)


def _connections(there: SandboxClient, password_hash: str | None, first: int, last: int) -> list[int]:
    """Active connections, their rows written as the wizard and the first sync would leave them."""
    made = []
    for number in range(first, last):
        email = f"provider{number}@example.com"
        account = there.add_account(email, hd="example.com", time_zone=ground.ZONE)
        scopes = ("openid", "email", *CALENDAR_SCOPES)
        token = there.authorize(email, *scopes, client_id=Sandbox.CLIENT_ID)
        calendar = there.add_calendar(email, "Lockstep")
        connection = _rows(email, account["sub"], token, calendar["id"], password_hash)
        made.append(connection)
    db.session.commit()
    return [connection.id for connection in made]


def _rows(
    email: str, sub: str, token: dict[str, Any], app_calendar: str, password_hash: str | None
) -> Connection:
    now = utcnow()
    provider = Provider(
        email=email,
        name="Sol Ortiz",
        timezone=ground.ZONE,
        password_hash=password_hash,
        created_at=now,
        sync_mode=SyncMode.TWO_WAY,
    )
    db.session.add(provider)
    db.session.flush()
    connection = Connection(
        provider_id=provider.id,
        phase=ConnectionPhase.ACTIVE,
        google_sub=sub,
        email=email,
        hosted_domain="example.com",
        scopes=" ".join(CALENDAR_SCOPES),
        refresh_token=token["refresh_token"],
        access_token=token["access_token"],
        access_token_expires_at=now + dt.timedelta(hours=1),
        nonce="0" * 32,
        app_calendar_id=app_calendar,
        created_at=now,
        granted_at=now,
        window_starts_at=now,
        calendars_listed_at=now + dt.timedelta(hours=1),
        verified_at=now + dt.timedelta(days=1),
        last_pulled_at=now,
    )
    db.session.add(connection)
    db.session.flush()
    for calendar_id, is_app in ((app_calendar, True), ("primary", False)):
        db.session.add(
            GoogleCalendar(
                connection_id=connection.id,
                calendar_id=calendar_id,
                summary=calendar_id,
                access_role="owner",
                is_primary=not is_app,
                is_app_calendar=is_app,
                is_chosen=not is_app,
                listed_at=now,
            )
        )
    return connection
