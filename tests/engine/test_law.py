"""Sentences of the law that no other file proves, each by a test that failed before it was kept."""

from __future__ import annotations

import datetime as dt

import pytest
import sqlalchemy as sa

from portal.engine import Outcome
from portal.extensions import db
from portal.models import GoogleEvent
from sandbox.client import Json
from tests.engine.conftest import EMAIL, Office
from tests.engine.test_breaker import answer, open_cards
from tests.engine.test_machine import google_shows
from tests.engine.test_pull import timed
from tests.engine.test_rows_backup import back_up, restore

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def restore_there(office: Office, event_id: str) -> None:
    office.google.act_on_event(EMAIL, office.app_calendar_id, event_id, "restore")


# Inward


def test_a_first_date_that_its_rule_passes_by_is_shown_as_google_shows_it(office: Office) -> None:
    """COUNT counts the rule's own dates, and the first one stands beside them (facts §7)."""
    times = timed(office, days=2)
    weekday = dt.datetime.fromisoformat(times["start"]["dateTime"]).weekday()
    next_day = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")[(weekday + 1) % 7]
    rule = [f"RRULE:FREQ=WEEKLY;BYDAY={next_day};COUNT=3"]
    office.google.add_event(EMAIL, summary="Choir", recurrence=rule, **times)
    office.connect_and_rest()
    starts = [occurrence.starts_at for occurrence in office.occurrences()]
    assert starts == google_shows(office)
    assert len(starts) == 4


@on_sqlite
def test_a_refused_page_token_begins_the_list_anew(office: Office) -> None:
    office.google.add_event(EMAIL, summary="Lunch", **timed(office))
    office.connect_and_rest()
    office.google.add_event(EMAIL, summary="New", **timed(office, days=2))
    office.google.add_fault("empty_page", method="calendar.events.list", calendar=EMAIL)
    office.google.add_fault("invalid_page_token", method="calendar.events.list", params=["pageToken"])
    assert office.run() is Outcome.DONE
    assert office.shown() == ["Lunch", "New"]


@on_sqlite
def test_page_tokens_refused_for_ever_are_tried_three_times_in_a_run_and_then_told(office: Office) -> None:
    office.google.add_event(EMAIL, summary="Lunch", **timed(office))
    office.connect_and_rest()
    listing: Json = {"method": "calendar.events.list", "calendar": EMAIL, "times": None}
    office.google.add_fault("invalid_page_token", **listing, params=["pageToken"])
    office.google.add_fault("empty_page", **listing)
    office.google.reset_requests()
    assert office.run() is Outcome.FAILED
    refused = [each for each in office.google.requests()["requests"] if each["status"] == 400]
    assert len(refused) == 4
    for _ in range(2):
        assert office.run() is Outcome.FAILED
    assert office.connection.problem == "delayed"
    assert office.shown() == ["Lunch"]
    office.google.clear_faults()
    office.rest()
    assert office.connection.problem is None


@on_sqlite
def test_an_odd_event_in_the_app_calendar_is_set_aside_and_looked_up_once(office: Office) -> None:
    appointment = office.book(days=3)
    office.connect_and_rest()
    by_hand = office.google.add_event(EMAIL, office.app_calendar_id, summary="Odd", **timed(office))
    ours = office.event_of(appointment)
    for event in (by_hand, ours):
        office.google.act_on_event(EMAIL, office.app_calendar_id, event["id"], "distort", end=None)
    office.clock.advance(minutes=6)
    office.rest(full=True)
    odd = db.session.scalars(sa.select(GoogleEvent).where(GoogleEvent.quarantine.is_not(None)))
    assert {row.event_id: row.quarantine for row in odd} == dict.fromkeys(
        (by_hand["id"], ours["id"]), "no-end"
    )
    office.google.reset_requests()
    office.rest()
    assert office.google.requests(method="calendar.events.get")["requests"] == []
    assert office.google.writes() == 0
    assert open_cards(office) == []
    office.assert_it_still_writes()


# Whose write was it


@on_sqlite
@pytest.mark.parametrize("order", [1, -1], ids=["deleted-first", "restored-first"])
def test_an_older_event_from_the_bin_is_adopted_where_the_newer_one_was_deleted(
    office: Office, order: int
) -> None:
    """Both between two looks: there is an event again, so there is nothing to ask."""
    appointment = office.book(days=3)
    office.connect_and_rest()
    older = office.event_of(appointment)["id"]
    office.cancel(appointment)
    office.rest()
    office.reinstate(appointment)
    office.rest()
    newer = office.event_of(appointment)["id"]
    steps = [
        lambda: office.google.delete_event(EMAIL, office.app_calendar_id, newer),
        lambda: restore_there(office, older),
    ]
    for step in steps[::order]:
        step()
    office.rest()
    office.rest()
    assert office.event_of(appointment)["id"] == older
    assert open_cards(office) == []


@on_sqlite
@pytest.mark.parametrize(("choice", "is_live"), [("take-over", True), ("keep", False)])
def test_a_backup_from_before_a_reinstatement_deletes_nothing_and_asks(
    office: Office, choice: str, is_live: bool
) -> None:
    """Failure 53: the tag of the next revival is newer than the canceled appointment of the backup."""
    appointment = office.book(days=3)
    office.connect_and_rest()
    office.cancel(appointment)
    office.rest()
    backup = back_up()
    office.reinstate(appointment)
    office.rest()
    event_id = office.event_of(appointment)["id"]
    restore(backup)
    office.google.reset_requests()
    assert office.run(full=True) is Outcome.ASKED
    assert office.event_of(appointment)["id"] == event_id
    assert office.google.writes() == 0
    answer(office, choice)
    office.rest()
    db.session.expire_all()
    assert appointment.is_live is is_live
    assert [event["id"] for event in office.app_events()] == ([event_id] if is_live else [])
