"""A closed account: nothing goes on for it, what is ours leaves Google, and its appointments stay."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import pytest

from portal import jobs
from portal.connection import current, switching
from portal.engine import connection_run
from portal.engine.connection_run import Outcome
from portal.extensions import db
from portal.feed import addresses, document
from portal.google.client import GoogleClient, Write
from portal.models import (
    Appointment,
    Connection,
    ConnectionPhase,
    EventLink,
    GoogleEvent,
    PushChannel,
    SyncMode,
)
from portal.people import accounts
from tests.engine.conftest import EMAIL, Office
from tests.engine.test_pull import timed

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def close_account(office: Office) -> None:
    """The account alone, as by a hand in the database: nothing of its sync is begun to be removed."""
    accounts.deactivate(office.provider, now=office.clock())
    db.session.commit()


def deactivate(office: Office) -> int:
    connection_id = office.connection.id
    close_account(office)
    switching.close_down(office.provider, now=office.clock())
    db.session.commit()
    return connection_id


def run(office: Office, connection_id: int) -> Outcome:
    return connection_run.run_connection(
        connection_id, clock=office.clock, trigger="test", poll=60, pause=office.clock.pause
    )


def grants(office: Office) -> list[object]:
    return list(office.google.control("GET", "/grants")["items"])


def assert_nothing_is_left(office: Office) -> None:
    db.session.expire_all()
    assert current.live_connection(office.provider) is None
    assert office.provider.sync_mode is SyncMode.OFF
    assert office.app_calendars() == []
    assert grants(office) == []
    for table in (EventLink, GoogleEvent):
        assert db.session.scalars(db.select(table)).all() == []
    assert db.session.scalars(db.select(PushChannel).where(PushChannel.stopped_at.is_(None))).all() == []
    ended = db.session.scalars(db.select(Connection).order_by(Connection.id.desc())).first()
    assert ended is not None
    assert ended.refresh_token is None


def test_everything_of_ours_goes_and_everything_of_theirs_stays(office: Office) -> None:
    """Failure 72."""
    booked = [office.book(days=days) for days in (1, 2)]
    office.google.add_event(EMAIL, summary="Lunch", **timed(office))
    office.connect_and_rest()
    assert office.shown() == ["Lunch"]
    assert run(office, deactivate(office)) is Outcome.DONE
    assert_nothing_is_left(office)
    assert [event["summary"] for event in office.google.events(EMAIL)] == ["Lunch"]
    rows = db.session.scalars(db.select(Appointment).order_by(Appointment.id)).all()
    assert [row.id for row in rows if row.is_live] == [each.id for each in booked]


@on_sqlite
def test_a_run_reads_and_writes_nothing_for_a_closed_account(office: Office) -> None:
    """Failure 72: however the account came to be closed, and before anybody began to clear up."""
    office.connect_and_rest()
    office.book()
    office.google.add_event(EMAIL, summary="Lunch", **timed(office))
    close_account(office)
    office.google.reset_requests()
    assert office.run(full=True) is Outcome.NOTHING
    assert office.google.requests()["counters"]["by_method"] == {}
    assert office.shown() == []


@on_sqlite
def test_the_ticker_finds_a_closed_account_whose_sync_was_left_on(office: Office) -> None:
    """Failure 72: an account closed by an older release, or by a backup that was put back."""
    office.book()
    office.connect_and_rest()
    connection_id = office.connection.id
    close_account(office)
    ticks = [task for _, task in jobs.SCHEDULE if task is jobs.close_down_deactivated]
    assert [task(office.clock()) for task in ticks] == [1]
    assert office.connection.phase is ConnectionPhase.REMOVING
    assert jobs.close_down_deactivated(office.clock()) == 0
    assert jobs.sweep(office.clock()) == 1
    assert run(office, connection_id) is Outcome.DONE
    assert_nothing_is_left(office)


@on_sqlite
def test_a_run_under_way_is_fenced_off(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """Failure 72: what it sends at that moment goes with the rest; it reads and keeps nothing more."""
    office.connect_and_rest()
    office.google.add_event(EMAIL, summary="Lunch", **timed(office))
    for days in range(1, 4):
        office.book(days=days)
    connection_id = office.connection.id
    send = GoogleClient.write_events

    def close_meanwhile(client: GoogleClient, calendar_id: str, writes: Sequence[Write]) -> object:
        answers = send(client, calendar_id, writes)
        deactivate(office)
        return answers

    monkeypatch.setattr(GoogleClient, "write_events", close_meanwhile)
    office.google.reset_requests()
    assert office.run(full=True) is Outcome.LOST
    monkeypatch.undo()
    assert office.google.requests()["counters"]["by_method"].get("calendar.events.list", 0) == 0
    assert office.shown() == []
    assert run(office, connection_id) is Outcome.DONE
    assert_nothing_is_left(office)


@on_sqlite
@pytest.mark.parametrize("method", ["calendar.calendars.delete", "calendar.events.list", "oauth.revoke"])
def test_a_google_in_trouble_is_tried_again_until_all_is_gone(office: Office, method: str) -> None:
    office.book()
    office.connect_and_rest()
    connection_id = deactivate(office)
    office.google.add_fault("backend_error", method=method, times=None)
    assert run(office, connection_id) is Outcome.FAILED
    assert jobs.sweep(office.clock()) == 0
    office.google.clear_faults()
    office.clock.advance(minutes=15)
    assert jobs.sweep(office.clock()) == 1
    assert run(office, connection_id) is Outcome.DONE
    assert_nothing_is_left(office)


@on_sqlite
@pytest.mark.parametrize("way", ["one-way", "start-over", "keep-events"])
def test_a_removal_under_way_to_somewhere_else_leads_to_off(office: Office, way: str) -> None:
    """No new feed, no wizard with a living grant, no events left there by an earlier wish."""
    office.book()
    office.connect_and_rest()
    now = office.clock()
    match way:
        case "one-way":
            switching.choose_mode(office.provider, SyncMode.ONE_WAY, now=now)
        case "start-over":
            switching.start_over(office.provider, now=now)
        case _:
            switching.choose_mode(office.provider, SyncMode.OFF, now=now, keep_events=True)
    db.session.commit()
    assert run(office, deactivate(office)) is Outcome.DONE
    assert_nothing_is_left(office)
    assert addresses.live_feed(office.provider) is None


@on_sqlite
def test_a_second_time_nothing_is_begun_anew(office: Office) -> None:
    office.connect_and_rest()
    deactivate(office)
    fencing = office.connection.fencing
    assert switching.close_down(office.provider, now=office.clock()) is None
    db.session.commit()
    assert office.connection.fencing == fencing


@on_sqlite
def test_a_feed_ends_as_one_that_was_switched_off(office: Office) -> None:
    office.book()
    now = office.clock()
    switching.choose_mode(office.provider, SyncMode.ONE_WAY, now=now)
    db.session.commit()
    feed = addresses.live_feed(office.provider)
    assert feed is not None
    assert b"BEGIN:VEVENT" in document.open_feed(feed, app_calendar_name="Lockstep", now=now).render()
    close_account(office)
    jobs.close_down_deactivated(now)
    db.session.expire_all()
    assert office.provider.sync_mode is SyncMode.OFF
    assert feed.replaced_at == now
    assert b"BEGIN:VEVENT" not in document.open_feed(feed, app_calendar_name="Lockstep", now=now).render()
    assert addresses.is_gone(feed, now=now + dt.timedelta(days=91))


@on_sqlite
def test_an_unfinished_setup_gives_its_grant_back(office: Office) -> None:
    office.connect_and_rest()
    switching.start_over(office.provider, now=office.clock())
    db.session.commit()
    office.run()
    assert office.connection.phase is ConnectionPhase.CHOOSING
    assert run(office, deactivate(office)) is Outcome.DONE
    assert grants(office) == []


@on_sqlite
def test_opened_again_the_account_is_as_new(office: Office) -> None:
    appointment = office.book()
    office.connect_and_rest()
    run(office, deactivate(office))
    accounts.reactivate(office.provider)
    db.session.commit()
    assert jobs.close_down_deactivated(office.clock()) == 0
    assert jobs.sweep(office.clock()) == 0
    office.connect_and_rest()
    assert len(office.app_calendars()) == 1
    assert office.event_of(appointment)["summary"]
