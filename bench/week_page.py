"""The week page in a practice of 200,000 appointments, against one that holds this week alone."""

from __future__ import annotations

import datetime as dt
import gzip
import secrets
import time
from pathlib import Path
from typing import Any, cast

import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from bench import ground
from bench.idle_check import counted_statements
from bench.report import Row, median
from portal.clock import utcnow
from portal.extensions import db
from portal.models import (
    Appointment,
    Client,
    Connection,
    GoogleCalendar,
    GoogleEvent,
    GoogleOccurrence,
    Provider,
)

PROVIDERS, APPOINTMENTS, GOOGLE_EVENTS, ROUNDS = 50, 200_000, 5_000, 15
PER_DAY = 8


def measure(folder: Path) -> list[Row]:
    small, statements, size = _practice(folder / "small", days=range(7), providers=1)
    many_days = APPOINTMENTS // PROVIDERS // PER_DAY
    large, _, _ = _practice(
        folder / "large", days=range(-many_days // 2, many_days // 2), providers=PROVIDERS
    )
    return [
        Row(
            what=f"Week page, {APPOINTMENTS:,} appointments of {PROVIDERS}, {GOOGLE_EVENTS:,} Google events",
            measured=f"{1000 * large:.0f} ms of processor time",
            against=f"{large / small:.2f} × that with one week alone in the tables ({1000 * small:.0f} ms)",
            budget="does not grow (≤ 1.25 ×)",
            is_kept=large <= 1.25 * small,
        ),
        Row("Week page, SQL statements", f"{statements}", "signed in, own week", "≤ 12", statements <= 12),
        Row("Week page, compressed", f"{size / 1000:.1f} KB", "gzip, level 6", "≤ 60 KB", size <= 60_000),
    ]


def _practice(folder: Path, *, days: range, providers: int) -> tuple[float, int, int]:
    """Processor seconds of the page, its statements, its compressed size."""
    with ground.portal_app(folder) as app:
        for number in range(providers):
            provider = ground.add_provider(f"provider{number}@example.com")
            _fill(provider, days)
        owner = db.session.scalars(sa.select(Provider).order_by(Provider.id).limit(1)).one()
        _fill_google(owner, days)
        db.session.execute(sa.text("ANALYZE"))
        db.session.commit()
        return _measure_page(app)


def _measure_page(app: Flask) -> tuple[float, int, int]:
    visitor = app.test_client()
    token = _token(visitor)
    form = {"email": "provider0@example.com", "password": ground.PASSWORD, "csrf_token": token}
    assert visitor.post("/login", data=form).status_code in (302, 303)
    address = f"/calendar?view=week&date={utcnow().date() + dt.timedelta(days=1)}"
    times = []
    visitor.get(address)
    for _ in range(ROUNDS):
        began = time.process_time()
        answer = visitor.get(address)
        times.append(time.process_time() - began)
        assert answer.status_code == 200
        assert answer.text.count('data-entry="appointment"') >= PER_DAY * 5
        assert 'data-entry="google"' in answer.text
    with counted_statements() as count:
        visitor.get(address)
    return median(times), count["statements"], len(gzip.compress(answer.data, 6))


def _token(visitor: FlaskClient) -> str:
    page = visitor.get("/login").text
    return page.split('name="csrf_token"', 1)[1].split('value="', 1)[1].split('"', 1)[0]


def _fill(provider: Provider, days: range) -> None:
    client = Client(
        provider_id=provider.id, name="Canary Birdsong", internal_id=secrets.token_hex(4), created_at=utcnow()
    )
    db.session.add(client)
    db.session.flush()
    rows = [_appointment(provider.id, client.id, day, at) for day in days for at in range(PER_DAY)]
    db.session.execute(sa.insert(cast("sa.Table", Appointment.__table__)), rows)
    db.session.commit()


def _appointment(provider_id: int, client_id: int, day: int, at: int) -> dict[str, Any]:
    now = utcnow()
    starts_at = _start(day, at)
    return {
        "public_id": secrets.token_hex(16),
        "provider_id": provider_id,
        "client_id": client_id,
        "kind": "session",
        "start_date": starts_at.date(),
        "start_time": starts_at.time(),
        "duration_minutes": 50,
        "timezone": "UTC",
        "starts_at": starts_at,
        "ends_at": starts_at + dt.timedelta(minutes=50),
        "created_at": now,
        "updated_at": now,
    }


def _start(day: int, at: int) -> dt.datetime:
    """Days count from this week's Monday."""
    monday = utcnow().date() - dt.timedelta(days=utcnow().weekday())
    return dt.datetime.combine(monday + dt.timedelta(days=day), dt.time(14 + at), dt.UTC)


def _fill_google(provider: Provider, days: range) -> None:
    """The owner's own events, spread over the same days; five thousand of them in the large practice."""
    now = utcnow()
    connection = Connection(
        provider_id=provider.id,
        google_sub="1",
        email=provider.email,
        scopes="",
        granted_at=now,
        created_at=now,
    )
    db.session.add(connection)
    db.session.flush()
    calendar = GoogleCalendar(
        connection_id=connection.id,
        calendar_id="primary",
        summary="primary",
        access_role="owner",
        listed_at=now,
    )
    db.session.add(calendar)
    db.session.flush()
    count = min(GOOGLE_EVENTS, 10 * len(days))
    for number in range(count):
        starts_at = _start(days[number % len(days)], number // len(days))
        event = GoogleEvent(
            google_calendar_id=calendar.id,
            event_id=f"event{number}",
            etag="1",
            generation=0,
            status="confirmed",
            summary=f"Errand {number}",
        )
        db.session.add(event)
        db.session.flush()
        ends_at = starts_at + dt.timedelta(minutes=30)
        db.session.add(
            GoogleOccurrence(
                google_event_id=event.id,
                provider_id=provider.id,
                occurrence_key="",
                all_day=False,
                starts_at=starts_at,
                ends_at=ends_at,
            )
        )
    db.session.commit()
