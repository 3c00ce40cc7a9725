"""Push, with real deliveries: channels are opened, proven, replaced and stopped, and never trusted."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import replace
from threading import Thread
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

import flask_migrate
import pytest
from cryptography.fernet import Fernet
from flask import Flask
from werkzeug.serving import WSGIRequestHandler, make_server

from demo.processes import wait_until
from portal import create_app, jobs
from portal.config import load_config
from portal.connection import choosing, switching
from portal.engine import channels, connection_run
from portal.engine.connection_run import Outcome
from portal.extensions import db
from portal.models import Connection, GoogleCalendar, PushChannel, SyncMode, SyncRun
from portal.standing import report
from sandbox.client import Json
from sandbox.server import Sandbox
from tests.engine.conftest import CLIENT_ID, CLIENT_SECRET, EMAIL, Office
from tests.engine.test_pull import timed

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
FOR_EVER: dict[str, Any] = {"times": None}


class Silent(WSGIRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Tests look at answers, not at an access log."""


class Entrance:
    """Takes what Google delivers to the portal over real HTTP, and remembers how it was answered."""

    def __init__(self) -> None:
        self.app: Flask | None = None
        self.answers: list[tuple[str, str]] = []  # path and status
        self.server = make_server("127.0.0.1", 0, self, threaded=True, request_handler=Silent)
        self.url = f"http://127.0.0.1:{self.server.port}"

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Any:
        def note(status: str, *rest: Any) -> Any:
            self.answers.append((environ["PATH_INFO"], status[:3]))
            return start_response(status, *rest)

        assert self.app is not None
        return self.app.wsgi_app(environ, note)

    def taken(self) -> list[str]:
        """Statuses of the deliveries so far."""
        return [status for path, status in self.answers if path == "/webhooks/google"]


@pytest.fixture
def entrance() -> Iterator[Entrance]:
    entrance = Entrance()
    thread = Thread(target=entrance.server.serve_forever, daemon=True)
    thread.start()
    yield entrance
    entrance.server.shutdown()
    thread.join()
    entrance.server.server_close()


@pytest.fixture
def app(
    database_url: str,
    google: Sandbox,
    entrance: Entrance,
    redis_url: str,
) -> Iterator[Flask]:
    config = load_config(
        {
            "SECRET_KEY": "a test secret that is long enough",
            "TOKEN_ENCRYPTION_KEYS": Fernet.generate_key().decode(),
            "DATABASE_URL": database_url,
            "REDIS_URL": redis_url,
            "PUBLIC_URL": entrance.url,
            "GOOGLE_WEBHOOK_ALLOW_HTTP": "on",
            "GOOGLE_CLIENT_ID": CLIENT_ID,
            "GOOGLE_CLIENT_SECRET": CLIENT_SECRET,
            "GOOGLE_OIDC_METADATA_URL": google.metadata_url,
            "GOOGLE_API_ENDPOINT": google.url,
        }
    )
    app = entrance.app = create_app(config, TESTING=True)
    with app.app_context():
        flask_migrate.upgrade(directory="migrations")
        yield app
        db.session.remove()
        db.engine.dispose()


# What the tests do and look at


def follow(office: Office) -> None:
    """As a worker would: run while something is asked for, on the connection's own schedule."""
    for _ in range(20):
        connection = office.connection
        is_due = connection.next_check_at is None or connection.next_check_at <= office.clock()
        if connection.requested <= connection.handled and not is_due:
            return
        db.session.commit()
        assert run_once(office) in (Outcome.DONE, Outcome.MORE)
    raise AssertionError("it never comes to rest")


def run_once(office: Office) -> Outcome:
    """One run that looks at Google only if the schedule says so."""
    connection_id = office.connection.id
    db.session.commit()
    return connection_run.run_connection(connection_id, clock=office.clock, trigger="test", poll=60)


def until(is_so: Callable[[], Any]) -> None:
    """Wait for what another thread brings about."""

    def look() -> bool:
        try:
            return bool(is_so())
        finally:
            db.session.rollback()  # an open transaction would keep the other thread out of SQLite

    wait_until(look, seconds=10, what="another thread")


def rows() -> list[PushChannel]:
    db.session.rollback()
    db.session.expire_all()
    return list(db.session.scalars(db.select(PushChannel).order_by(PushChannel.id)))


def live(office: Office) -> list[PushChannel]:
    return [
        row
        for row in rows()
        if row.stopped_at is None and (row.expires_at or office.clock()) > office.clock()
    ]


def there(office: Office) -> list[Json]:
    """Channels as Google knows them."""
    return list(office.google.control("GET", "/channels")["items"])


def open_there(office: Office) -> list[Json]:
    now = office.clock()
    return [
        each
        for each in there(office)
        if not each["stopped"] and dt.datetime.fromisoformat(each["expires_at"]) > now
    ]


def begin(office: Office) -> None:
    """Connect, and wait until each calendar's channel has delivered its first message."""
    office.connect_and_rest()
    until(lambda: all(row.last_message_at for row in rows()))
    until(lambda: all(each["results"] for each in there(office)))
    follow(office)
    office.google.reset_requests()


def advance(office: Office, **by: float) -> None:
    """Both clocks."""
    office.clock.advance(**by)
    office.google.control("POST", "/clock", {"advance_seconds": dt.timedelta(**by).total_seconds()})


def count(office: Office, method: str) -> int:
    return int(office.google.requests(after=10**12)["counters"]["by_method"].get(f"calendar.{method}", 0))


def add_lunch(office: Office, **options: Any) -> Json:
    return office.google.add_event(EMAIL, summary=options.pop("summary", "Lunch"), **timed(office, **options))


def forget_that_anything_changed(office: Office) -> None:
    connection = office.connection
    connection.changed_at = connection.provider.page_seen_at = None
    db.session.commit()


# Opening


def test_each_calendar_that_is_read_is_watched_for_two_days_at_most(office: Office) -> None:
    begin(office)
    channels_there = there(office)
    assert {each["calendar_id"] for each in channels_there} == {EMAIL, office.app_calendar_id}
    for each in channels_there:
        left = dt.datetime.fromisoformat(each["expires_at"]) - office.clock()
        assert dt.timedelta(hours=46) < left < dt.timedelta(hours=48)
        assert each["address"].endswith("/webhooks/google")
    assert {row.channel_id for row in rows()} == {each["id"] for each in channels_there}
    assert {row.resource_id for row in rows()} == {each["resource_id"] for each in channels_there}
    assert report.support_report(office.provider, now=office.clock())["channels"] == 2


@on_sqlite
def test_a_later_run_opens_no_second_channel(office: Office) -> None:
    begin(office)
    office.rest()
    office.rest(full=True)
    assert count(office, "events.watch") == 0
    assert len(rows()) == 2


@on_sqlite
def test_the_secret_is_stored_as_a_hash_only(office: Office, google: Sandbox) -> None:
    begin(office)
    with google.state.lock:
        secrets = {each.id: each.token for each in google.state.channels.open.values()}
    for row in rows():
        secret = secrets[row.channel_id]
        assert secret
        assert len(secret) >= 32
        assert secret not in (row.secret_hash, row.channel_id, row.resource_id)
    assert len(set(secrets.values())) == 2


def test_a_message_that_overtakes_the_answer_finds_its_channel(office: Office, entrance: Entrance) -> None:
    """Failure 34: a notification before the channel's row commits."""
    office.google.add_fault("latency", method="calendar.events.watch", seconds=0.4, **FOR_EVER)
    office.connect()
    run = Thread(target=_in_context, args=(office, office.rest))
    run.start()
    until(lambda: any(row.last_message_at and row.expires_at is None for row in rows()))
    run.join()
    office.rest()
    assert set(entrance.taken()) == {"204"}
    assert all(row.resource_id and row.expires_at and row.stopped_at is None for row in rows())


def _in_context(office: Office, act: Callable[[], object]) -> None:
    with office.app.app_context():
        act()


@on_sqlite
def test_a_channel_whose_answer_was_lost_is_stopped_and_replaced(office: Office) -> None:
    """Failure 34: the first message alone tells which resource the half-opened channel is on."""
    begin(office)
    advance(office, hours=46)
    office.google.add_fault("lost_answer", method="calendar.events.watch")
    office.google.add_fault("push_delay", method="push", seconds=1.0)
    office.rest()
    half_open = rows()[2]
    assert half_open.expires_at is None
    assert len(open_there(office)) == 3, "Google did open it"
    until(lambda: rows()[2].last_message_at)
    row = rows()[2]
    row.stopped_at = min(row.stopped_at or office.clock(), row.last_message_at) - dt.timedelta(seconds=1)
    db.session.commit()
    advance(office, minutes=6)
    office.rest()
    assert rows()[2].channel_id not in {each["id"] for each in open_there(office)}
    assert len(open_there(office)) == len(live(office)) == 2


@on_sqlite
@pytest.mark.parametrize(
    "kind", ["backend_error", "quota_exceeded", "forbidden", "not_found", "auth_error", "reset"]
)
def test_a_refused_channel_never_fails_the_run(office: Office, kind: str) -> None:
    office.google.add_fault(kind, method="calendar.events.watch", **FOR_EVER)
    add_lunch(office)
    office.connect_and_rest()
    assert office.shown() == ["Lunch"]
    assert office.connection.problem is None
    assert open_there(office) == []
    office.google.clear_faults()
    advance(office, minutes=61)
    office.rest()
    assert len(open_there(office)) == 2


@on_sqlite
def test_a_calendar_that_google_cannot_watch_is_polled_and_never_asked_about_again(
    office: Office, google: Sandbox
) -> None:
    """Failure 35: unwatchable calendars are not tried for ever."""
    with google.state.lock:
        next(each for each in google.state.calendars.values() if each.id == EMAIL).kind = "import"
    office.connect_and_rest()
    assert [row.is_poll_only for row in db.session.scalars(db.select(GoogleCalendar))].count(True) == 1
    assert [each["calendar_id"] for each in there(office)] == [office.app_calendar_id]
    advance(office, days=1)
    office.rest()
    assert count(office, "events.watch") == 0
    add_lunch(office)
    office.rest()
    assert office.shown() == ["Lunch"]
    assert not channels.are_proven(office.connection, now=office.clock())


@on_sqlite
def test_a_refused_address_is_tried_again_after_an_hour(office: Office) -> None:
    """Failure 35: what cannot work is not asked for with every run."""
    office.google.switch(push_http_on_loopback=False)
    office.connect_and_rest()
    for minutes in (5, 20, 30):
        advance(office, minutes=minutes)
        office.rest()
    assert count(office, "events.watch") == 0
    assert rows() == []
    office.google.switch(push_http_on_loopback=True)
    advance(office, minutes=10)
    office.rest()
    assert len(open_there(office)) == 2


@on_sqlite
def test_nothing_is_opened_where_google_cannot_reach_us(office: Office) -> None:
    office.app.extensions["config"] = _plain_http(office)
    office.connect_and_rest()
    assert there(office) == []


@on_sqlite
def test_channels_end_when_push_is_switched_off(office: Office) -> None:
    begin(office)
    office.app.extensions["config"] = _plain_http(office)
    office.rest()
    assert open_there(office) == []
    assert live(office) == []


def _plain_http(office: Office) -> Any:
    return replace(office.app.extensions["config"], google_webhook_allow_http=False)


# Messages


def test_a_change_in_google_is_here_without_waiting_for_the_next_poll(office: Office) -> None:
    begin(office)
    add_lunch(office)
    until(lambda: office.connection.requested > office.connection.handled)
    follow(office)
    assert office.shown() == ["Lunch"]
    assert office.google.writes() == 0
    office.assert_it_still_writes()


@on_sqlite
def test_messages_twice_or_out_of_order_change_nothing_but_the_hour(office: Office) -> None:
    begin(office)
    office.google.add_fault("push_duplicate", method="push", times=3)
    office.google.add_fault("push_reorder", method="push", times=1)
    event = add_lunch(office)
    office.google.change_event(EMAIL, "primary", event["id"], summary="Late lunch")
    add_lunch(office, summary="Tea", hour=16)
    until(lambda: sum(len(each["results"]) for each in there(office)) >= 2 + 5)
    follow(office)
    assert sorted(office.shown()) == ["Late lunch", "Tea"]
    assert office.google.writes() == 0
    office.assert_it_still_writes()


@on_sqlite
def test_without_a_single_message_everything_is_here_by_polling(office: Office, entrance: Entrance) -> None:
    """Failure 33: all notifications are dropped."""
    office.google.add_fault("push_drop", method="push", **FOR_EVER)
    office.connect_and_rest()
    forget_that_anything_changed(office)
    office.rest()
    add_lunch(office)
    advance(office, seconds=200)
    follow(office)
    assert office.shown() == []
    advance(office, seconds=105)
    follow(office)
    assert office.shown() == ["Lunch"]
    assert entrance.taken() == []


def test_a_message_that_comes_during_a_run_leads_to_another_look(office: Office) -> None:
    """Failure 37: a notification during a pull is lost.

    The event is added after Google has worked out its answer and before the answer comes, so this run cannot
    have seen it; the schedule alone would look again minutes later.
    """
    begin(office)
    forget_that_anything_changed(office)
    office.google.add_fault("latency", method="calendar.events.list", calendar=EMAIL, seconds=1.0)
    run = Thread(target=_in_context, args=(office, office.run))
    run.start()
    until(lambda: _has_answered_primary(office))
    add_lunch(office)
    run.join()
    until(lambda: office.connection.requested > 0)
    connection = office.connection
    assert connection.last_pulled_at is not None
    assert connection.requested > connection.handled
    assert office.shown() == []
    assert run_once(office) in (Outcome.DONE, Outcome.MORE)
    assert office.shown() == ["Lunch"]


def _has_answered_primary(office: Office) -> bool:
    listed = office.google.requests(method="calendar.events.list")["requests"]
    return any("primary" in each["path"] or EMAIL in each["path"] for each in listed)


@on_sqlite
def test_a_run_without_news_waits_for_the_next_poll(office: Office) -> None:
    """The control of the test above: nothing came in, so nobody looks again before the schedule says so."""
    begin(office)
    office.run()
    connection = office.connection
    assert connection.requested == connection.handled
    assert connection.next_check_at is not None
    assert connection.next_check_at > office.clock() + dt.timedelta(seconds=50)


@on_sqlite
def test_a_flood_of_messages_queues_one_job(office: Office, google: Sandbox) -> None:
    begin(office)
    queue = office.app.extensions["queue"]
    queue.empty()
    visitor = office.app.test_client()
    for _ in range(300):
        assert visitor.post("/webhooks/google", headers=message(google, rows()[0])).status_code == 204
    assert queue.count == 1
    connection = office.connection
    assert connection.requested >= connection.handled + 300


@on_sqlite
def test_a_message_during_a_run_or_a_back_off_queues_nothing_and_is_not_forgotten(
    office: Office, google: Sandbox
) -> None:
    begin(office)
    queue = office.app.extensions["queue"]
    queue.empty()
    visitor = office.app.test_client()
    for values in (
        {"lease_owner": "another run", "lease_expires_at": office.clock() + dt.timedelta(minutes=1)},
        {"lease_owner": None, "lease_expires_at": None, "retry_at": office.clock() + dt.timedelta(minutes=1)},
    ):
        connection = office.connection
        for name, value in values.items():
            setattr(connection, name, value)
        db.session.commit()
        assert visitor.post("/webhooks/google", headers=message(google, rows()[0])).status_code == 204
    assert queue.count == 0
    office.connection.retry_at = None
    db.session.commit()
    assert jobs.sweep(office.clock()) == 1
    assert queue.count == 1


def message(google: Sandbox, row: PushChannel, state: str = "exists") -> dict[str, str]:
    """The headers that Google would send; only Google and the channel's opener ever knew the secret."""
    with google.state.lock:
        channel = google.state.channels.open[row.channel_id]
    return {
        "X-Goog-Channel-ID": channel.id,
        "X-Goog-Channel-Token": channel.token or "",
        "X-Goog-Resource-ID": channel.resource_id,
        "X-Goog-Resource-State": state,
        "X-Goog-Message-Number": "7",
    }


@on_sqlite
def test_googles_sender_reads_robots_txt_and_may_deliver(office: Office, entrance: Entrance) -> None:
    begin(office)
    assert ("/robots.txt", "200") in entrance.answers
    assert {result for each in there(office) for result in each["results"]} == {"204"}


# Ending


def test_a_channel_is_replaced_well_before_it_ends(office: Office) -> None:
    """Failure 33: a channel expires."""
    begin(office)
    old = {row.channel_id for row in rows()}
    advance(office, hours=30)
    office.rest()
    assert {row.channel_id for row in live(office)} == old
    office.google.reset_requests()
    advance(office, hours=10)
    office.rest()
    assert {row.channel_id for row in live(office)} & old == set()
    assert {each["id"] for each in open_there(office)} == {row.channel_id for row in live(office)}
    assert {each["calendar_id"] for each in open_there(office)} == {EMAIL, office.app_calendar_id}
    done = [each for each in office.google.requests()["requests"] if each["status"] in (200, 204)]
    acts = [each["method_id"].rsplit(".", 1)[-1] for each in done]
    assert [act for act in acts if act in ("watch", "stop")] == ["watch", "watch", "stop", "stop"]


@on_sqlite
def test_an_old_channel_lives_on_while_its_successor_is_refused(office: Office) -> None:
    begin(office)
    old = {row.channel_id for row in rows()}
    office.google.add_fault("backend_error", method="calendar.events.watch", **FOR_EVER)
    advance(office, hours=40)
    office.rest()
    assert {each["id"] for each in open_there(office)} == old
    assert count(office, "channels.stop") == 0
    assert channels.are_proven(office.connection, now=office.clock())
    advance(office, hours=8)
    office.rest()
    assert not channels.are_proven(office.connection, now=office.clock()), "it has ended"


@on_sqlite
def test_after_days_without_a_worker_channels_are_opened_anew_and_nothing_is_missed(office: Office) -> None:
    """Failure 33: a channel dies, and nobody was there to replace it."""
    begin(office)
    advance(office, hours=72)
    add_lunch(office)
    office.rest()
    assert office.shown() == ["Lunch"]
    assert len(open_there(office)) == len(live(office)) == 2


@on_sqlite
def test_the_short_life_that_google_may_grant_does_not_open_a_channel_with_every_run(office: Office) -> None:
    begin(office)
    for row in rows():
        row.expires_at = row.created_at + dt.timedelta(hours=1)
    db.session.commit()
    office.rest()
    assert len(rows()) == 2
    office.clock.advance(minutes=50)
    office.rest()
    assert len(rows()) == 4


@on_sqlite
def test_a_calendar_that_is_no_longer_chosen_is_no_longer_watched(office: Office) -> None:
    begin(office)
    choosing.choose(office.connection, [], now=office.clock())
    db.session.commit()
    assert run_once(office) in (Outcome.DONE, Outcome.MORE)
    assert [each["calendar_id"] for each in open_there(office)] == [office.app_calendar_id]


@on_sqlite
def test_a_stopped_channel_that_still_delivers_is_stopped_again(office: Office, google: Sandbox) -> None:
    """Failure 35: orphan channels pile up."""
    begin(office)
    row = next(each for each in rows() if each.resource_id)
    row.stopped_at = office.clock() - dt.timedelta(hours=1)
    db.session.commit()
    requested = office.connection.requested
    channel_id = row.channel_id
    answer = office.app.test_client().post("/webhooks/google", headers=message(google, row))
    assert answer.status_code == 204
    assert office.connection.requested == requested
    office.rest()
    assert next(each for each in there(office) if each["id"] == channel_id)["stopped"]
    assert len(open_there(office)) == 2
    office.google.reset_requests()
    office.rest()
    assert count(office, "channels.stop") == 0


@on_sqlite
def test_a_channel_that_cannot_be_stopped_now_is_stopped_by_a_later_run(office: Office) -> None:
    begin(office)
    office.google.add_fault("backend_error", method="calendar.channels.stop", times=3)
    advance(office, hours=40)
    assert office.run() in (Outcome.DONE, Outcome.MORE)
    assert len(open_there(office)) == 4
    office.rest()
    assert len(open_there(office)) == 2


@on_sqlite
@pytest.mark.parametrize("kind", [None, "backend_error", "not_found", "forbidden"])
def test_leaving_stops_every_channel_and_never_fails_for_one(office: Office, kind: str | None) -> None:
    begin(office)
    if kind is not None:
        office.google.add_fault(kind, method="calendar.channels.stop", **FOR_EVER)
    connection_id = office.connection.id
    switching.choose_mode(office.provider, SyncMode.OFF, now=office.clock())
    db.session.commit()
    assert run_once(office) is Outcome.DONE
    db.session.expire_all()
    assert db.session.get_one(Connection, connection_id).ended_at is not None
    assert live(office) == []
    if kind is None:
        assert open_there(office) == []
    first, *_ = office.google.requests()["requests"]
    assert first["method_id"] == "calendar.channels.stop"


@on_sqlite
def test_a_channel_is_remembered_for_thirty_days_after_its_end(office: Office) -> None:
    begin(office)
    assert jobs.forget_channels(office.clock() + dt.timedelta(days=31)) == 0
    assert len(rows()) == 2
    assert jobs.forget_channels(office.clock() + dt.timedelta(days=33)) == 2
    assert rows() == []


# How often Google is asked


@on_sqlite
def test_polling_slows_down_only_while_push_is_proven(office: Office, google: Sandbox) -> None:
    begin(office)
    forget_that_anything_changed(office)
    assert _wait_after_a_run(office) == pytest.approx(600, abs=5)
    row = rows()[0]
    row.last_message_at = None
    db.session.commit()
    assert _wait_after_a_run(office) == pytest.approx(300, abs=5)
    connection = office.connection
    connection.provider.page_seen_at = office.clock()
    db.session.commit()
    assert _wait_after_a_run(office) == pytest.approx(60, abs=5)


def _wait_after_a_run(office: Office) -> float:
    office.rest()
    next_check_at = office.connection.next_check_at
    assert next_check_at is not None
    return (next_check_at - office.clock()).total_seconds()


@on_sqlite
def test_an_opened_page_brings_the_next_look_forward(office: Office) -> None:
    begin(office)
    forget_that_anything_changed(office)
    office.rest()
    office.clock.advance(seconds=90)
    assert jobs.sweep(office.clock()) == 0
    connection = office.connection
    connection.provider.page_seen_at = office.clock()
    db.session.commit()
    assert jobs.sweep(office.clock()) == 1
    follow(office)
    office.clock.advance(seconds=30)
    assert jobs.sweep(office.clock()) == 0


@on_sqlite
def test_a_night_reads_every_calendar_anew_and_only_once(office: Office) -> None:
    event = add_lunch(office)
    begin(office)
    office.google.act_on_event(EMAIL, "primary", event["id"], "hide", seconds=10**6)
    office.rest()
    assert office.shown() == ["Lunch"], "no tombstone, so no run that reads changes can know"
    office.clock.advance(days=1)
    office.google.add_fault("empty_page", method="calendar.events.list")
    assert office.run(seconds=0) is Outcome.MORE, "it goes on later, and does not begin again"
    office.rest()
    assert office.shown() == []
    verified_at = office.connection.verified_at
    office.clock.advance(minutes=1)
    office.rest()
    assert office.connection.verified_at == verified_at
    verified = sum(run.counts.get("verified", 0) for run in db.session.scalars(db.select(SyncRun)))
    assert verified == 1
    office.clock.advance(days=1)
    office.rest()
    assert office.connection.verified_at != verified_at
