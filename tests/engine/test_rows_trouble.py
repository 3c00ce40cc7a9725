"""Errors of Google and of the grant: what is tried again, when, and what is told meanwhile."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from portal.engine.connection_run import Outcome
from portal.extensions import db
from portal.models import SyncRun
from portal.rows import event_links
from portal.standing import facts
from portal.sync.health import tell
from tests.engine.conftest import EMAIL, Office
from tests.engine.test_pull import timed
from tests.engine.test_push import starts_at

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

RETRIED = [
    {"kind": "backend_error"},
    {"kind": "rate_limit"},
    {"kind": "user_rate_limit", "status": 429},
    {"kind": "reset"},
]


def told(office: Office) -> str:
    """The state that every surface tells."""
    return tell(facts.gather_facts(office.refreshed(), now=office.clock()), now=office.clock()).state


@pytest.mark.parametrize("fault", RETRIED, ids=lambda fault: "-".join(map(str, fault.values())))
@pytest.mark.parametrize("verb", ["insert", "patch", "delete"])
def test_a_write_that_fails_stays_counted_until_google_took_it(
    office: Office, verb: str, fault: dict[str, Any]
) -> None:
    """Failures 24 and 39: only a 2xx is taken as done; the reason decides, whatever the verb."""
    appointment = office.book(days=3)
    if verb == "insert":
        office.connect()
        office.run(seconds=45)
        appointment = office.book(days=4)
    else:
        office.connect_and_rest()
    if verb == "patch":
        office.move(appointment, hours=1)
    elif verb == "delete":
        office.cancel(appointment)
    office.google.add_fault(**fault, method=f"calendar.events.{verb}", times=3)
    assert office.run() is Outcome.FAILED
    connection = office.connection
    assert event_links.count_behind(connection) == 1
    assert connection.retry_at is not None
    assert connection.retry_at - office.clock() < dt.timedelta(seconds=5)
    office.rest()
    assert event_links.count_behind(office.connection) == 0
    db.session.expire_all()
    if verb == "delete":
        assert office.app_events() == []
    else:
        assert starts_at(office.event_of(appointment)) == appointment.starts_at


@pytest.mark.parametrize("kind", ["forbidden", "rate_limit", "backend_error"])
def test_when_every_call_fails_the_tries_grow_further_apart(office: Office, kind: str) -> None:
    """Failure 38: a run in which nothing succeeded is no success, and never begins again at once."""
    office.connect_and_rest()
    office.book(days=3)
    office.google.add_fault(kind, method="calendar.*", times=None)
    waits = []
    for _ in range(6):
        assert office.run() is Outcome.FAILED
        connection = office.connection
        assert connection.retry_at is not None
        waits.append((connection.retry_at - office.clock()).total_seconds())
    assert waits[-1] > 4 * waits[0]
    assert told(office) == "delayed"
    outcomes = [run.outcome for run in db.session.scalars(db.select(SyncRun))][-6:]
    assert Outcome.DONE not in outcomes
    assert event_links.count_behind(office.connection) == 1
    office.google.clear_faults()
    office.clock.advance(minutes=16)
    office.rest()
    assert told(office) == "active"


@pytest.mark.parametrize(
    "fault", [{"kind": "backend_error"}, {"kind": "reset"}], ids=lambda fault: str(fault["kind"])
)
def test_a_token_endpoint_in_trouble_is_no_lost_grant(office: Office, fault: dict[str, Any]) -> None:
    """Failure 29: nobody is told to reconnect, it is tried again, and success clears what was told."""
    office.connect_and_rest()
    office.google.control("POST", "/access-tokens/expire", {})
    office.google.add_fault(**fault, method="oauth.token", times=None)
    assert office.run() is Outcome.FAILED
    assert told(office) != "reconnect-required"
    assert office.connection.retry_at is not None
    office.google.clear_faults()
    office.rest()
    assert told(office) == "active"
    assert office.connection.failures == 0


def test_an_access_token_refused_before_its_time_is_refreshed_once_and_kept(office: Office) -> None:
    """Failures 27 and 30: Google's word beats our clock; the new token is stored, and not fetched again."""
    office.connect_and_rest()
    office.google.control("POST", "/access-tokens/expire", {})
    office.rest()
    office.rest()
    assert office.google.requests()["counters"]["by_method"]["oauth.token"] == 1
    assert told(office) == "active"


@pytest.mark.parametrize("ahead", [dt.timedelta(hours=-2), dt.timedelta(hours=2), dt.timedelta(days=3)])
def test_expiry_is_an_instant_whatever_our_clock_says(office: Office, ahead: dt.timedelta) -> None:
    """Failure 27: a stored expiry that is past, far ahead or missing never stops the refresh."""
    office.connect_and_rest()
    connection = office.connection
    connection.access_token_expires_at = office.clock() + ahead
    db.session.commit()
    office.google.control("POST", "/access-tokens/expire", {})
    office.book(days=3)
    office.rest()
    assert len(office.app_events()) == 1


def test_a_revoked_grant_stops_at_once_deletes_nothing_and_says_so(office: Office) -> None:
    """Failure 26: terminal, told everywhere, and not tried in vain."""
    office.google.add_event(EMAIL, summary="Lunch", **timed(office))
    office.book(days=3)
    office.connect_and_rest()
    office.google.control("POST", "/grants/revoke", {"account": EMAIL})
    assert office.run() is Outcome.ASKED
    assert told(office) == "reconnect-required"
    office.google.reset_requests()
    assert office.run() is Outcome.ASKED
    assert office.google.requests()["counters"]["http"] == 0
    assert office.shown() == ["Lunch"]
    office.book(days=4)
    office.connect()
    office.rest()
    assert told(office) == "active"
    assert len(office.app_events()) == 2


@pytest.mark.parametrize("days", [1, 7])
def test_a_grant_of_a_project_in_testing_dies_after_a_week_and_is_asked_for_again(
    office: Office, days: int
) -> None:
    """Failure 28: after seven days Google answers as to any revoked grant."""
    office.google.switch(refresh_tokens_live_seconds=7 * 86_400)
    office.connect_and_rest()
    office.google.control("POST", "/clock", {"advance_seconds": days * 86_400 + 60})
    office.clock.advance(days=days, seconds=60)
    outcome = office.run()
    assert (outcome is Outcome.ASKED) == (days >= 7)
    assert told(office) == ("reconnect-required" if days >= 7 else "active")
    office.connect()
    office.rest()
    assert told(office) == "active"


def test_one_calendar_that_fails_for_good_hides_nothing_of_the_others(office: Office) -> None:
    """Failure 11: a chosen calendar that no longer opens is marked, and keeps its events."""
    other = office.google.add_calendar(EMAIL, "Errands")
    office.google.add_event(EMAIL, other["id"], summary="Shoes", **timed(office))
    office.google.add_event(EMAIL, summary="Lunch", **timed(office, days=2))
    office.connect_and_rest()
    for kind in ("forbidden", "not_found"):
        office.google.add_fault(kind, method="calendar.events.list", calendar=other["id"], times=None)
        office.google.add_event(EMAIL, summary=f"After {kind}", **timed(office, days=3))
        office.rest()
        assert {"Shoes", "Lunch", f"After {kind}"} <= set(office.shown())
        assert office.calendar_row("Errands").stale_since is not None
        office.google.clear_faults()
    office.rest()
    assert office.calendar_row("Errands").stale_since is None
