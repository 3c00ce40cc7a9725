"""The feed over HTTP: what calendar apps get, and what they never get."""

from __future__ import annotations

import datetime as dt
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import icalendar
import pytest
import sqlalchemy as sa
from flask import Flask
from werkzeug.test import TestResponse

from portal.clock import utcnow
from portal.extensions import SQLITE_BUSY_SECONDS, db
from portal.feed import addresses
from portal.models import Appointment, Feed, FeedRead, Provider, SyncMode
from portal.views.machines.feeds import NOTE_WAITS_SECONDS
from tests.scratch_practice import add_provider, book, in_context, look_up, make_app


@dataclass
class Subscriber:
    """A calendar app that holds the address of a feed with one appointment."""

    app: Flask
    address: str

    def get(self, method: str = "GET", **headers: str) -> TestResponse:
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.app.test_client().open(self.address, method=method, headers=names)


@pytest.fixture
def subscriber(tmp_path: Path) -> Iterator[Subscriber]:
    app = make_app(tmp_path)
    with in_context(app):
        provider = add_provider()
        provider.sync_mode = SyncMode.ONE_WAY
        feed = addresses.new_feed(provider, now=utcnow() - dt.timedelta(days=2))
        book(provider, start=utcnow() + dt.timedelta(days=1))
        settle(days=1)
        address = f"/feeds/{feed.token}/calendar.ics"
    yield Subscriber(app, address)
    with in_context(app):
        pass


def settle(**ago: float) -> None:
    db.session.execute(sa.update(Appointment).values(updated_at=utcnow() - dt.timedelta(**ago)))
    db.session.commit()


def test_a_subscriber_gets_the_appointments(subscriber: Subscriber) -> None:
    answer = subscriber.get()
    assert answer.status_code == 200
    assert answer.mimetype == "text/calendar"
    assert len(icalendar.Calendar.from_ical(answer.data).walk("VEVENT")) == 1


def test_the_answer_is_private_and_leaves_no_trace(subscriber: Subscriber) -> None:
    headers = subscriber.get().headers
    assert headers["Cache-Control"] == "private, no-cache"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert "noindex" in headers["X-Robots-Tag"]
    assert "Set-Cookie" not in headers


def test_who_has_it_already_gets_nothing_again(subscriber: Subscriber) -> None:
    first = subscriber.get()
    by_tag = subscriber.get(If_None_Match=first.headers["ETag"])
    by_date = subscriber.get(If_Modified_Since=first.headers["Last-Modified"])
    assert (by_tag.status_code, by_tag.data) == (304, b"")
    assert (by_date.status_code, by_date.data) == (304, b"")
    assert by_tag.headers["ETag"] == first.headers["ETag"]
    assert not first.headers["ETag"].startswith("W/")


def test_a_change_is_fetched_whatever_the_subscriber_holds(subscriber: Subscriber) -> None:
    first = subscriber.get()
    with in_context(subscriber.app):
        db.session.execute(sa.update(Appointment).values(revision=2, updated_at=utcnow()))
        db.session.commit()
    assert subscriber.get(If_None_Match=first.headers["ETag"]).status_code == 200
    assert subscriber.get(If_Modified_Since=first.headers["Last-Modified"]).status_code == 200


def test_a_file_that_may_change_within_its_second_is_not_dated_to_it(subscriber: Subscriber) -> None:
    with in_context(subscriber.app):
        changed_at = utcnow()
        db.session.execute(sa.update(Appointment).values(updated_at=changed_at))
        db.session.commit()
    answer = subscriber.get()
    assert answer.last_modified is not None and answer.last_modified < changed_at.replace(microsecond=0)


def test_head_tells_the_same_without_the_body(subscriber: Subscriber) -> None:
    whole, head = subscriber.get(), subscriber.get("HEAD")
    assert (head.status_code, head.data) == (200, b"")
    assert head.headers["ETag"] == whole.headers["ETag"]
    assert head.headers["Content-Length"] == whole.headers["Content-Length"]


def test_an_unknown_address_is_not_found_and_says_nothing(subscriber: Subscriber) -> None:
    answer = subscriber.app.test_client().get("/feeds/guessed/calendar.ics")
    assert (answer.status_code, answer.data) == (404, b"")
    assert answer.headers["Referrer-Policy"] == "no-referrer"


@pytest.mark.parametrize(("days", "status"), [(1, 200), (89, 200), (91, 410)])
def test_a_replaced_feed_is_an_empty_calendar_and_later_gone(
    subscriber: Subscriber, days: int, status: int
) -> None:
    with in_context(subscriber.app):
        db.session.execute(sa.update(Feed).values(replaced_at=utcnow() - dt.timedelta(days=days)))
        db.session.commit()
    answer = subscriber.get()
    assert answer.status_code == status
    if status == 200:
        parts = icalendar.Calendar.from_ical(answer.data).subcomponents
        assert [part.name for part in parts] == ["VTIMEZONE"]


def test_a_subscriber_of_the_full_feed_is_told_that_it_is_empty_now(subscriber: Subscriber) -> None:
    first = subscriber.get()
    with in_context(subscriber.app):
        db.session.execute(sa.update(Provider).values(sync_mode=SyncMode.OFF))
        db.session.commit()
    assert subscriber.get(If_None_Match=first.headers["ETag"]).status_code == 200


def test_reads_are_noted_by_family(subscriber: Subscriber) -> None:
    etag = subscriber.get(User_Agent="Google-Calendar-Importer").headers["ETag"]
    subscriber.get(User_Agent="iOS/17 dataaccessd/1.0", If_None_Match=etag)
    subscriber.get("HEAD", User_Agent="iOS/17 dataaccessd/1.0")
    with in_context(subscriber.app):
        rows = db.session.execute(sa.select(FeedRead.reader, FeedRead.status).order_by(FeedRead.id)).all()
    assert [tuple(row) for row in rows] == [("google", 200), ("apple", 304)]


def reads(subscriber: Subscriber) -> int:
    with in_context(subscriber.app):
        return look_up(sa.select(sa.func.count()).select_from(FeedRead))


def test_a_database_that_is_busy_writing_costs_the_note_and_not_the_file(
    subscriber: Subscriber, tmp_path: Path
) -> None:
    """Failure 66."""
    with closing(sqlite3.connect(tmp_path / "portal.db", isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        began = time.monotonic()
        answer = subscriber.get()
        waited = time.monotonic() - began
    assert (answer.status_code, answer.data.count(b"BEGIN:VEVENT")) == (200, 1)
    assert NOTE_WAITS_SECONDS <= waited < SQLITE_BUSY_SECONDS
    assert reads(subscriber) == 0
    assert subscriber.get(If_None_Match=answer.headers["ETag"]).status_code == 304
    assert reads(subscriber) == 1


def test_a_database_that_takes_no_writes_at_all_costs_the_note_and_not_the_file(
    subscriber: Subscriber,
) -> None:
    def refuse_writes(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute("PRAGMA query_only=ON")

    with subscriber.app.app_context():
        engine = db.engine
        engine.dispose()
    sa.event.listen(engine, "connect", refuse_writes)
    try:
        answer = subscriber.get()
    finally:
        sa.event.remove(engine, "connect", refuse_writes)
        engine.dispose()
    assert (answer.status_code, answer.data.count(b"BEGIN:VEVENT")) == (200, 1)
    assert reads(subscriber) == 0
