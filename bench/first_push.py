"""First push of 1,000 appointments at a round trip of 50 ms: by batches, one by one, and under the quota."""

from __future__ import annotations

import datetime as dt
import time
from pathlib import Path

from bench import ground
from bench.report import Row
from demo.processes import Sandbox
from portal.clock import utcnow
from portal.engine.connection_run import Outcome
from portal.extensions import db
from portal.google.client import GoogleClient, Write
from portal.google.oauth import CALENDAR_SCOPES
from portal.google.tokens import Tokens
from portal.models import AppointmentKind, Connection, Provider
from portal.practice import appointments, clients
from portal.practice.appointments import AppointmentDetails
from portal.practice.spans import Timed
from portal.sync import pace
from portal.sync.event import Content, EventTime, Tag
from sandbox.client import SandboxClient

APPOINTMENTS, ONE_BY_ONE = 1_000, 100
ROUND_TRIP_SECONDS = 0.05
QUOTA_SECONDS = 60.0  # 600 units a minute: 1,000 inserts begin their second minute


def measure(folder: Path) -> list[Row]:
    limit = pace.MOST_UNITS
    pace.MOST_UNITS = 10**9  # quota off
    try:
        seconds, _ = _first_push(folder / "off")
    finally:
        pace.MOST_UNITS = limit
    each = _one_by_one(folder / "peer")
    factor = each * APPOINTMENTS / seconds
    paced, refused = _first_push(folder / "on", "--quota")
    return [
        Row(
            what=f"First push of {APPOINTMENTS:,} appointments, round trip 50 ms, quota off",
            measured=f"{seconds:.1f} s",
            against=f"{factor:.1f} × faster than one request each ({1000 * each:.0f} ms, of {ONE_BY_ONE})",
            budget="≥ 10 × faster",
            is_kept=factor >= 10,
        ),
        Row(
            what="The same under Google's 600 units a minute",
            measured=f"{paced:.1f} s, {refused} calls refused",
            against=f"{paced / QUOTA_SECONDS:.2f} × the quota's own {QUOTA_SECONDS:.0f} s",
            budget="≤ 1.1 ×, none refused",
            is_kept=paced <= 1.1 * QUOTA_SECONDS and refused == 0,
        ),
    ]


def _first_push(folder: Path, *options: str) -> tuple[float, int]:
    """Seconds from the first run to rest, and how many calls were refused."""
    with ground.google(folder / "google", *options) as there, ground.portal_app(folder, there.url):
        there.add_account(ground.EMAIL, hd="example.com", time_zone=ground.ZONE)
        provider = ground.add_provider()
        _book(provider)
        connection_id = ground.connect_primary(provider, there).id
        _slow_down(there)
        there.reset_requests()
        began = time.perf_counter()
        while (outcome := ground.run_once(connection_id)) is not Outcome.DONE:
            assert outcome in (Outcome.MORE, Outcome.PACED), outcome
            _wait(connection_id)
        seconds = time.perf_counter() - began
        by_status = there.requests(after=10**12)["counters"]["by_status"]
        calendar = db.session.get_one(Connection, connection_id).app_calendar_id
        assert len(there.events(ground.EMAIL, calendar or "")) == APPOINTMENTS
    return seconds, sum(count for status, count in by_status.items() if str(status) in ("403", "429"))


def _wait(connection_id: int) -> None:
    db.session.expire_all()
    until = db.session.get_one(Connection, connection_id).retry_at
    db.session.rollback()
    if until is not None:
        time.sleep(max(0.0, (until - utcnow()).total_seconds()))


def _book(provider: Provider) -> None:
    client = clients.add_client(provider, "Canary Birdsong", now=utcnow())
    for number in range(APPOINTMENTS):
        date = utcnow().date() + dt.timedelta(days=1 + number // 10)
        when = Timed(date, dt.time(8 + number % 10), ground.ZONE, 50)
        details = AppointmentDetails(AppointmentKind.SESSION, when, client=client)
        appointments.book(provider, details, now=utcnow(), actor=provider, source="system")
    db.session.commit()


def _slow_down(there: SandboxClient) -> None:
    there.add_fault("latency", method="calendar.*", times=None, seconds=ROUND_TRIP_SECONDS)


def _one_by_one(folder: Path) -> float:
    """Seconds of one events.insert after the other, each a request of its own on a kept connection."""
    with ground.google(folder) as there:
        there.add_account(ground.EMAIL, hd="example.com", time_zone=ground.ZONE)
        token = there.authorize(ground.EMAIL, *CALENDAR_SCOPES, client_id=Sandbox.CLIENT_ID)
        tokens = Tokens(
            refresh_token=token["refresh_token"],
            access_token=token["access_token"],
            expires_at=utcnow() + dt.timedelta(hours=1),
            token_uri=f"{there.url}/token",
            client_id=Sandbox.CLIENT_ID,
            client_secret=Sandbox.CLIENT_SECRET,
        )
        with GoogleClient(tokens, endpoint=there.url) as client:
            calendar_id = client.insert_calendar(summary="One", description="", time_zone=ground.ZONE)
            requests = [client._write_request(calendar_id, _write(number)) for number in range(ONE_BY_ONE)]
            _slow_down(there)
            began = time.perf_counter()
            for request in requests:
                request.execute()
            return (time.perf_counter() - began) / ONE_BY_ONE


def _write(number: int) -> Write:
    start = utcnow() + dt.timedelta(days=1, hours=number)
    end = start + dt.timedelta(minutes=50)
    content = Content(summary="1042", start=EventTime(datetime=start), end=EventTime(datetime=end))
    event_id = f"bench{number:08}"
    tag = Tag(
        installation="i", appointment="a", event_id=event_id, revision=1, times_hash=content.times_hash()
    )
    return Write(verb="insert", event_id=event_id, content=content, tag=tag)
