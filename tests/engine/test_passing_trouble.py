"""Trouble that passes: tried again at once, judged by what a run moved, and never told as a lost grant."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
import sqlalchemy as sa

from portal import jobs
from portal.connection import reminders
from portal.engine import connection_run
from portal.engine.connection_run import Outcome
from portal.extensions import db
from portal.models import EventLink, Mail, SyncRun
from portal.rows import event_links
from portal.standing import checks, facts, proof
from portal.sync.health import Act, tell
from tests.engine.conftest import EMAIL, Office
from tests.engine.test_disconnect import ended, turn_off
from tests.engine.test_pull import timed
from tests.engine.test_rows_trouble import told

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

ONCE_MORE: list[dict[str, Any]] = [
    {"kind": "backend_error"},
    {"kind": "rate_limit"},
    {"kind": "reset"},
    {"kind": "lost_answer"},
    {"kind": "malformed_json"},
]
WRITES = "calendar.events.insert"
SIGNED_OUT: dict[str, Any] = {"kind": "auth_error", "method": "calendar.*", "times": None}


def wait_of(office: Office) -> float:
    """How far ahead the next try is, in seconds."""
    retry_at = office.connection.retry_at
    assert retry_at is not None
    return (retry_at - office.clock()).total_seconds()


def by_method(office: Office, method: str) -> int:
    return int(office.google.requests()["counters"]["by_method"].get(method, 0))


# The same call again


@pytest.mark.parametrize("fault", ONCE_MORE, ids=lambda fault: str(fault["kind"]))
@pytest.mark.parametrize("method", [WRITES, "calendar.events.list"])
def test_a_call_that_fails_in_passing_is_sent_again_within_the_run(
    office: Office, method: str, fault: dict[str, Any]
) -> None:
    """Failure 38."""
    office.connect_and_rest()
    for days in (3, 4, 5):
        office.book(days=days)
    office.google.add_fault(**fault, method=method, times=1)
    assert office.run() is Outcome.DONE
    assert event_links.count_behind(office.connection) == 0
    assert len(office.app_events()) == 3
    assert office.connection.failures == 0
    assert told(office) == "active"


def test_only_the_part_that_failed_is_sent_again_and_twice_at_most(office: Office) -> None:
    office.connect_and_rest()
    for days in (3, 4, 5):
        office.book(days=days)
    office.google.add_fault("backend_error", method=WRITES, times=2)
    assert office.run() is Outcome.DONE
    assert len(office.app_events()) == 3
    assert by_method(office, WRITES) == 3 + 2
    office.google.reset_requests()
    office.book(days=6)
    office.google.add_fault("backend_error", method=WRITES, times=None)
    assert office.run() is Outcome.FAILED
    assert by_method(office, WRITES) == 3


def test_what_is_sent_again_is_what_the_appointment_is_then(office: Office) -> None:
    """It is decided anew: whatever was saved during the pause goes along."""
    appointment = office.book(days=3)
    office.connect_and_rest()
    office.move(appointment, hours=1)
    office.google.add_fault("backend_error", method="calendar.events.patch", times=1)
    connection = office.connection

    def pause(seconds: float) -> None:
        office.move(appointment, hours=1)
        office.clock.pause(seconds)

    connection_run.run_connection(connection.id, clock=office.clock, trigger="test", poll=60, pause=pause)
    db.session.expire_all()
    event = office.event_of(appointment)
    assert dt.datetime.fromisoformat(event["start"]["dateTime"]) == appointment.starts_at


def test_a_run_that_was_fenced_off_during_the_pause_sends_nothing_again(office: Office) -> None:
    """Failure 51."""
    office.connect_and_rest()
    office.book(days=3)
    office.google.add_fault("backend_error", method=WRITES, times=1)
    connection = office.connection

    def pause(_: float) -> None:
        connection.fencing += 1
        db.session.commit()

    outcome = connection_run.run_connection(
        connection.id, clock=office.clock, trigger="test", poll=60, pause=pause
    )
    assert outcome is Outcome.LOST
    assert office.app_events() == []


def test_a_long_wish_of_google_ends_the_run_and_is_kept(office: Office) -> None:
    office.connect_and_rest()
    office.book(days=3)
    office.google.add_fault("rate_limit", method=WRITES, times=1, retry_after=200)
    assert office.run() is Outcome.FAILED
    assert by_method(office, WRITES) == 1
    assert 195 < wait_of(office) <= 200


# Progress


def test_a_run_that_wrote_something_begins_the_ladder_anew(office: Office) -> None:
    """Failure 38: seventeen written and one failed is no failure like the last one."""
    office.connect_and_rest()
    waits = []
    for number in range(7):
        office.book(days=3 + number)
        # one part of the batch goes through, and the others fail for as long as the run tries
        office.google.add_fault("backend_error", method=WRITES, times=None, skip=1)
        office.book(days=13 + number)
        assert office.run() is Outcome.FAILED
        waits.append(wait_of(office))
        assert office.connection.failures == 1
        office.google.clear_faults()
        office.clock.advance(seconds=3)
    assert max(waits) <= 2


def test_a_failure_that_repeats_without_progress_climbs_but_a_minute_at_most_while_somebody_waits(
    office: Office,
) -> None:
    office.connect_and_rest()
    office.book(days=3)
    office.google.add_fault("backend_error", method="calendar.*", times=None)
    waits = []
    for _ in range(12):
        assert office.run() is Outcome.FAILED
        waits.append(wait_of(office))
    assert waits[5] > 4 * waits[0]
    assert max(waits) <= 60
    office.google.clear_faults()
    office.rest()
    office.google.add_fault("backend_error", method="calendar.*", times=None)
    for _ in range(12):
        assert office.run() is Outcome.FAILED
    assert wait_of(office) > 400, "nobody waits for anything"


# A write that Google forbids


def refused(office: Office) -> list[str]:
    """The reasons that the doctor gives for what is not in Google."""
    found = checks.count_unsent(office.connection, now=office.clock())
    return [reason for reason, number in found.items() for _ in range(number) if reason == "refused"]


def test_one_forbidden_insert_concerns_its_appointment_alone(office: Office) -> None:
    """Failure 40."""
    office.connect_and_rest()
    for days in (3, 4, 5):
        office.book(days=days)
    office.google.add_fault("forbidden", method=WRITES, times=1)
    office.google.add_event(EMAIL, summary="Lunch", **timed(office))
    assert office.run() is Outcome.DONE
    assert len(office.app_events()) == 2
    assert "Lunch" in office.shown(), "the run goes on to its end"
    assert told(office) == "active"
    assert office.connection.retry_at is None
    link = db.session.scalars(sa.select(EventLink).where(EventLink.error.is_not(None))).one()
    assert (link.error, link.tries) == ("forbidden", 1)
    assert link.retry_at is not None
    assert event_links.count_behind(office.connection) == 1
    assert len(refused(office)) == 1
    known = proof.prove(link.appointment)
    assert known is not None
    assert known.verdict == "refused"
    office.clock.advance(minutes=3)
    office.rest()
    assert len(office.app_events()) == 3
    assert refused(office) == []


def test_a_first_insert_that_is_forbidden_is_put_aside_too(office: Office) -> None:
    office.connect()
    office.book(days=3)
    office.google.add_fault("forbidden", method=WRITES, times=1)
    assert office.run() is Outcome.DONE
    assert len(refused(office)) == 1


def test_forbidden_for_others_too_it_is_the_connection_s_trouble(office: Office) -> None:
    office.connect_and_rest()
    for days in (3, 4, 5):
        office.book(days=days)
    office.google.add_fault("forbidden", method=WRITES, times=None)
    for _ in range(3):
        assert office.run() is Outcome.FAILED
        assert wait_of(office) <= 60
    assert told(office) == "delayed"
    office.google.clear_faults()
    office.rest()
    assert len(office.app_events()) == 3
    assert told(office) == "active"
    assert refused(office) == []


# Fresh tokens refused


def story_of(office: Office) -> Any:
    return tell(facts.gather_facts(office.refreshed(), now=office.clock()), now=office.clock())


def test_a_fresh_token_that_is_refused_is_no_lost_grant_and_heals_by_itself(office: Office) -> None:
    """Failure 29: fifteen seconds of 401 asked for a new consent, for ever."""
    office.connect_and_rest()
    office.book(days=3)
    office.google.add_fault(**SIGNED_OUT)
    for _ in range(6):
        assert office.run() is Outcome.FAILED
        assert wait_of(office) <= 60
        assert story_of(office).act is not Act.RECONNECT
    assert told(office) == "delayed"
    office.google.clear_faults()
    office.rest()
    assert told(office) == "active"
    assert len(office.app_events()) == 1


def test_after_a_day_of_it_the_provider_is_told_and_offered_to_reconnect(office: Office) -> None:
    office.connect_and_rest()
    office.google.add_fault(**SIGNED_OUT)
    for _ in range(4):
        assert office.run() is Outcome.FAILED
    office.clock.advance(hours=23)
    assert office.run() is Outcome.FAILED
    assert story_of(office).act is not Act.RECONNECT
    assert reminders.remind(office.clock()) == 0
    office.clock.advance(hours=1, minutes=10)
    assert office.run() is Outcome.FAILED, "it is tried all the same"
    story = story_of(office)
    assert (story.act, story.state, story.code) == (Act.RECONNECT, "delayed", "ACCESS-REFUSED")
    assert not story.needs_a_person
    assert reminders.remind(office.clock()) == 1
    assert reminders.remind(office.clock()) == 0
    assert db.session.scalars(sa.select(Mail)).one().day == 0
    office.google.clear_faults()
    office.clock.advance(minutes=16)
    office.rest()
    assert told(office) == "active"


def test_turning_off_waits_a_day_for_a_grant_that_is_only_refused(office: Office) -> None:
    office.connect_and_rest()
    office.google.add_fault(**SIGNED_OUT)
    connection_id = turn_off(office)
    for _ in range(4):
        assert office.run() is Outcome.FAILED
    office.clock.advance(hours=25)
    assert office.run() is Outcome.DONE
    removal = ended(connection_id).removal
    assert removal is not None
    assert removal["leftover"]


# A lost grant that comes back


def test_a_lost_grant_is_tried_every_hour_and_then_every_day_and_success_goes_on_by_itself(
    office: Office,
) -> None:
    """Failure 26: no person is needed for what mends itself."""
    office.connect_and_rest()
    office.book(days=3)
    office.google.add_fault("invalid_grant", method="oauth.token", times=None)
    office.google.control("POST", "/access-tokens/expire", {})
    assert office.run() is Outcome.ASKED
    since = office.connection.problem_since
    assert told(office) == "reconnect-required"
    office.google.reset_requests()
    for _ in range(3):
        assert office.run() is Outcome.ASKED
    assert by_method(office, "oauth.token") == 0, "it is not asked before its time"
    for minutes, asked in ((61, 1), (61, 2), (24 * 60, 3), (61, 3), (24 * 60, 4)):
        office.clock.advance(minutes=minutes)
        assert office.run() is Outcome.ASKED
        assert by_method(office, "oauth.token") == asked
        assert told(office) == "reconnect-required"
    assert office.connection.problem_since == since, "the mails count from the first day"
    office.google.clear_faults()
    office.clock.advance(hours=25)
    assert office.run() is Outcome.DONE
    assert told(office) == "active"
    assert len(office.app_events()) == 1


def test_the_sweep_finds_a_lost_grant_that_is_due_for_a_try_until_the_month_is_over(office: Office) -> None:
    office.connect_and_rest()
    office.google.add_fault("invalid_grant", method="oauth.token", times=None)
    office.google.control("POST", "/access-tokens/expire", {})
    assert office.run() is Outcome.ASKED
    swept = []
    for minutes in (1, 61, 40 * 24 * 60):
        office.clock.advance(minutes=minutes)
        swept.append(jobs.sweep(office.clock()))
    assert swept == [0, 1, 0]
    office.google.reset_requests()
    assert office.run() is Outcome.ASKED
    assert by_method(office, "oauth.token") == 0


def test_trouble_during_such_a_try_leaves_everything_as_it_was(office: Office) -> None:
    office.connect_and_rest()
    office.google.add_fault("invalid_grant", method="oauth.token", times=1)
    office.google.control("POST", "/access-tokens/expire", {})
    assert office.run() is Outcome.ASKED
    since = office.connection.problem_since
    office.google.add_fault("backend_error", method="oauth.token", times=None)
    office.clock.advance(minutes=61)
    assert office.run() is Outcome.ASKED
    assert told(office) == "reconnect-required"
    assert office.connection.problem_since == since
    runs = list(db.session.scalars(sa.select(SyncRun).order_by(SyncRun.id)))
    assert runs[-1].error == "token-endpoint"


# Half an answer


@pytest.mark.parametrize("kind", ["malformed_json", "close", "lost_answer"])
def test_half_an_answer_of_the_token_endpoint_is_trouble_like_any_other(office: Office, kind: str) -> None:
    """Failure 29: it ended the run as a bug would, for five minutes and without a word."""
    office.connect_and_rest()
    office.book(days=3)
    office.google.control("POST", "/access-tokens/expire", {})
    office.google.add_fault(kind, method="oauth.token", times=6)
    outcome = office.run()
    assert outcome is Outcome.FAILED
    assert wait_of(office) <= 2
    office.google.clear_faults()
    office.rest()
    assert len(office.app_events()) == 1
