"""*Check everything now*: asked for by a page, done by a worker, and gone on with by the next one."""

from __future__ import annotations

import datetime as dt

import pytest

from portal.connection import switching
from portal.extensions import db
from portal.models import CheckRequest, Checkup, GoogleCalendar
from portal.standing import full_check
from portal.standing.full_check import Standing
from tests.engine.conftest import EMAIL, Office
from tests.standing.test_compare import timed

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def ask(office: Office) -> None:
    full_check.ask(office.connection, now=office.clock())
    db.session.commit()


def work(office: Office) -> None:
    full_check.check_everything(office.connection.id, clock=office.clock)
    db.session.expire_all()


def standing(office: Office) -> Standing:
    db.session.expire_all()
    found = full_check.standing(office.connection, now=office.clock())
    assert found is not None
    return found


def claim(office: Office) -> list[int]:
    due = full_check.claim_due(office.clock())
    db.session.commit()
    return due


def outcome(office: Office) -> Checkup | None:
    db.session.expire_all()
    return db.session.get(Checkup, office.connection.id)


def test_what_was_asked_for_is_queued_once_and_ends_as_an_outcome(office: Office) -> None:
    office.book(days=3)
    office.connect_and_rest()
    assert full_check.standing(office.connection, now=office.clock()) is None
    ask(office)
    ask(office)
    assert (standing(office).is_begun, outcome(office)) == (False, None)
    assert claim(office) == [office.connection.id]
    assert claim(office) == [], "it waits in the queue already"
    work(office)
    assert full_check.standing(office.connection, now=office.clock()) is None
    done = outcome(office)
    assert done is not None
    assert (done.error, done.differences, list(done.days.values())) == (None, [], [[1, 0]])


@on_sqlite
def test_a_job_that_the_queue_lost_is_queued_again(office: Office) -> None:
    office.connect_and_rest()
    ask(office)
    assert len(claim(office)) == 1
    office.clock.advance(seconds=31)
    assert len(claim(office)) == 1


@on_sqlite
def test_nobody_at_work_is_told_after_a_while(office: Office) -> None:
    office.connect_and_rest()
    ask(office)
    assert not standing(office).is_overdue
    office.clock.advance(seconds=21)
    assert standing(office).is_overdue


@on_sqlite
def test_a_job_that_died_is_gone_on_with_where_it_was(office: Office) -> None:
    office.book(days=3)
    office.google.add_event(EMAIL, summary="Gym", **timed(office))
    office.connect_and_rest()
    ask(office)
    ours = office.calendar_row("Lockstep")
    row = db.session.get_one(CheckRequest, office.connection.id)
    row.runner, row.alive_at, row.tries = "a job that was killed", office.clock(), 1
    row.total, row.done, row.days = 2, [ours.id], {"2026-01-01": [7, 0]}
    db.session.commit()
    assert (standing(office).done, standing(office).entries) == (1, 7)
    assert claim(office) == [], "it may still be at work"
    work(office)
    assert outcome(office) is None, "nobody takes over from one who lives"
    office.clock.advance(seconds=61)
    assert standing(office).is_overdue
    assert len(claim(office)) == 1
    work(office)
    done = outcome(office)
    assert done is not None
    assert sorted(done.days.values()) == [[1, 0], [7, 0]], "ours was not read a second time"


@on_sqlite
def test_one_that_dies_again_and_again_is_given_up_and_says_so(office: Office) -> None:
    office.connect_and_rest()
    ask(office)
    db.session.get_one(CheckRequest, office.connection.id).tries = full_check.MOST_TRIES
    db.session.commit()
    work(office)
    done = outcome(office)
    assert done is not None
    assert done.error == "given-up"


@on_sqlite
def test_one_that_is_withdrawn_leaves_nothing_behind(office: Office) -> None:
    office.connect_and_rest()
    ask(office)
    full_check.withdraw(office.connection)
    db.session.commit()
    work(office)
    assert outcome(office) is None
    assert full_check.standing(office.connection, now=office.clock()) is None


@on_sqlite
def test_one_that_is_withdrawn_while_google_answers_stores_nothing(office: Office) -> None:
    """The second job here stands for the press of *Stop checking* between two requests."""
    office.connect_and_rest()
    ask(office)
    calls = 0

    def clock() -> dt.datetime:
        nonlocal calls
        calls += 1
        if calls == 4:  # when the first calendar is about to be compared
            db.session.execute(db.delete(CheckRequest))
            db.session.commit()
        return office.clock()

    full_check.check_everything(office.connection.id, clock=clock)
    assert calls >= 4
    assert outcome(office) is None


@on_sqlite
def test_a_calendar_that_no_longer_opens_is_a_difference_and_the_others_are_compared(office: Office) -> None:
    office.book(days=3)
    office.connect_and_rest()
    primary = db.session.scalars(db.select(GoogleCalendar).filter_by(calendar_id="primary")).one()
    number = primary.id
    office.google.add_fault("not_found", method="calendar.events.*", calendar=EMAIL, times=None)
    ask(office)
    work(office)
    done = outcome(office)
    assert done is not None
    assert done.error is None
    assert [(each["verdict"], each["calendar"]) for each in done.differences] == [("unreadable", number)]
    assert list(done.days.values()) == [[1, 0]]


@on_sqlite
def test_a_revoked_grant_found_by_a_check_is_looked_into_at_once(office: Office) -> None:
    connection = office.connect_and_rest()
    assert connection.requested == connection.handled
    office.google.control("POST", "/grants/revoke", {"account": EMAIL})
    ask(office)
    work(office)
    done = outcome(office)
    assert done is not None
    assert done.error is not None
    connection = office.connection
    assert connection.requested > connection.handled
    office.run()
    assert office.connection.problem == "reconnect-required"


@on_sqlite
def test_a_check_of_a_sync_that_was_turned_off_meanwhile_is_dropped(office: Office) -> None:
    connection = office.connect_and_rest()
    ask(office)
    switching.start_over(office.provider, now=office.clock())
    db.session.commit()
    work(office)
    assert db.session.get(CheckRequest, connection.id) is None
    assert outcome(office) is None
