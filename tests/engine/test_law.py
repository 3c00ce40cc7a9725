"""Sentences of the law that no other file proves, each by a test that failed before it was kept."""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter

import pytest
import sqlalchemy as sa

from portal import jobs
from portal.connection import current, leftovers, switching
from portal.engine import lease, own_events, strays
from portal.engine.connection_run import Outcome
from portal.engine.run import Run, open_client
from portal.extensions import db
from portal.google.codec import from_google
from portal.models import Appointment, CardKind, EventLink, Feed, GoogleEvent, NameDisplay, SyncMode
from portal.practice import clients
from portal.rows import event_links
from portal.standing import checks
from sandbox.client import Json
from tests.engine.conftest import EMAIL, Office
from tests.engine.test_breaker import answer, open_cards
from tests.engine.test_disconnect import ended, turn_off
from tests.engine.test_pull import timed
from tests.engine.test_push import starts_at
from tests.engine.test_rows_backup import back_up, restore
from tests.google_dates import google_shows

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
on_postgres = pytest.mark.parametrize("database_url", ["postgres"], indirect=True)


def make_run(office: Office) -> Run:
    """A run under way, for what only one step of it can show."""
    connection_id = office.connection.id
    held = lease.acquire(connection_id, now=office.clock())
    assert held is not None
    return Run(connection_id, held, office.clock, ends_at=office.clock() + dt.timedelta(seconds=45))


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
    assert Counter(starts) == google_shows(office.google, EMAIL, now=office.clock())
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


def revived(office: Office) -> tuple[Appointment, str, str]:
    """An appointment canceled and reinstated: its older event lies in the bin, the newer one stands."""
    appointment = office.book(days=3)
    office.connect_and_rest()
    older = office.event_of(appointment)["id"]
    office.cancel(appointment)
    office.rest()
    office.reinstate(appointment)
    office.rest()
    return appointment, older, office.event_of(appointment)["id"]


@on_sqlite
@pytest.mark.parametrize("order", [1, -1], ids=["deleted-first", "restored-first"])
def test_an_older_event_from_the_bin_is_adopted_where_the_newer_one_was_deleted(
    office: Office, order: int
) -> None:
    """Both between two looks: there is an event again, so there is nothing to ask."""
    appointment, older, newer = revived(office)
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


@on_sqlite
def test_a_queued_job_waits_until_google_may_be_asked_again(office: Office) -> None:
    """Retry-After holds for a change made meanwhile too: its mark stays, and the sweep finds it in time."""
    office.connect_and_rest()
    connection_id = office.connection.id
    appointment = office.book(days=3)
    office.connection.retry_at = office.clock() + dt.timedelta(seconds=60)
    db.session.commit()
    jobs.sync_connections([connection_id], "change")
    assert office.app_events() == []
    assert office.google.writes() == 0
    office.connection.retry_at = office.clock() - dt.timedelta(seconds=1)
    db.session.commit()
    jobs.sync_connections([connection_id], "schedule")
    assert starts_at(office.event_of(appointment)) == appointment.starts_at
    assert office.google.writes() == 1


@on_sqlite
def test_of_calendars_made_twice_one_with_something_behind_an_empty_page_is_kept(office: Office) -> None:
    connection = office.connect()
    connection.nonce = "0123456789abcdef" * 2
    db.session.commit()
    with open_client(connection) as client:
        made = [
            client.insert_calendar(
                summary="Lockstep", description=f"lockstep:{connection.nonce}", time_zone="UTC"
            )
            for _ in range(3)
        ]
    kept, full, _empty = sorted(made)
    office.google.add_event(EMAIL, full, summary="By hand", **timed(office))
    office.google.add_fault("empty_page", method="calendar.events.list", calendar=full, times=1)
    office.rest()
    assert office.app_calendar_id == kept
    assert {each["id"] for each in office.app_calendars()} == {kept, full}


# Changes made in Google


@on_sqlite
def test_more_than_five_deletions_that_no_list_names_make_one_card_too(office: Office) -> None:
    booked = [office.book(days=2, hour=8 + hour) for hour in range(7)]
    office.connect_and_rest()
    office.clock.advance(minutes=6)
    for event in office.app_events():
        office.google.delete_event(EMAIL, office.app_calendar_id, event["id"])
    office.rest(full=True)
    (card,) = open_cards(office)
    assert card.kind is CardKind.GROUPED
    assert card.detail["appointments"] == sorted(appointment.id for appointment in booked)
    assert office.google.writes() == 0
    answer(office, "put-back")
    office.rest()
    assert len(office.app_events()) == 7


@on_sqlite
def test_very_many_moves_that_our_own_writes_run_into_are_one_question_too(office: Office) -> None:
    """A change of display goes out before the look at Google, and every patch is refused."""
    booked = [office.book(days=2 + number, hour=10) for number in range(14)]
    originals = {appointment.id: appointment.starts_at for appointment in booked}
    office.connect_and_rest()
    for number, appointment in enumerate(booked):
        event = office.event_of(appointment)
        moved = timed(office, days=2 + number, hour=11, minutes=50)
        office.google.change_event(EMAIL, office.app_calendar_id, event["id"], **moved)
    clients.change_display(
        office.provider, NameDisplay.INITIALS, confirmed=True, sends_other_titles=False, now=office.clock()
    )
    db.session.commit()
    office.rest()
    db.session.expire_all()
    followed = [each.id for each in booked if each.starts_at != originals[each.id]]
    (card,) = [card for card in open_cards(office) if card.kind is CardKind.GROUPED]
    assert card.detail["reason"] == "many-moved"
    assert len(followed) == 10
    assert sorted([*followed, *card.detail["appointments"]]) == sorted(originals)


@on_sqlite
def test_a_held_move_that_is_moved_on_stays_held_and_moved_back_is_settled(office: Office) -> None:
    booked = [office.book(days=2 + number, hour=10) for number in range(12)]
    office.connect_and_rest()
    events = [office.event_of(appointment) for appointment in booked]
    for number, event in enumerate(events):
        moved = timed(office, days=2 + number, hour=11, minutes=50)
        office.google.change_event(EMAIL, office.app_calendar_id, event["id"], **moved)
    office.rest()
    on, back = events[:2]
    office.google.change_event(
        EMAIL, office.app_calendar_id, on["id"], **timed(office, days=2, hour=15, minutes=50)
    )
    office.google.change_event(
        EMAIL, office.app_calendar_id, back["id"], start=back["start"], end=back["end"]
    )
    office.rest()
    db.session.expire_all()
    assert [each.starts_at for each in booked[:2]] == [starts_at(each) for each in events[:2]]
    (card,) = open_cards(office)
    assert booked[0].id in card.detail["appointments"]
    assert booked[1].id not in card.detail["appointments"]
    answer(office, "take-over")
    office.rest()
    db.session.expire_all()
    assert booked[0].starts_at.astimezone(booked[0].provider.zone).hour == 15
    assert [each.starts_at for each in booked] == [starts_at(office.event_of(each)) for each in booked]


@on_sqlite
def test_what_came_back_from_the_bin_for_one_that_is_over_leaves_the_question_about_many(
    office: Office,
) -> None:
    """It is deleted again and offered to be reinstated; nobody is asked about it any more."""
    booked = [office.book(days=2, hour=8 + hour) for hour in range(7)]
    office.connect_and_rest()
    ids = [office.event_of(appointment)["id"] for appointment in booked]
    for event_id in ids:
        office.google.delete_event(EMAIL, office.app_calendar_id, event_id)
    office.rest()
    office.cancel(booked[0])
    office.google.act_on_event(EMAIL, office.app_calendar_id, ids[0], "restore")
    link = db.session.scalars(sa.select(EventLink).filter_by(event_id=ids[0])).one()
    run = make_run(office)  # a look before any push, as when it was canceled during one
    own_events.settle(run, link, from_google(office.event_of(booked[0])))
    run.commit()
    told = {(card.kind, card.needs_answer): card for card in open_cards(office)}
    assert told.keys() == {(CardKind.GROUPED, True), (CardKind.DELETED, False)}
    assert booked[0].id not in told[CardKind.GROUPED, True].detail["appointments"]
    assert told[CardKind.DELETED, False].detail["reason"] == "restored-in-google"


@on_sqlite
@pytest.mark.parametrize("revival", [1, 0], ids=["of-an-earlier-revival", "of-an-earlier-nonce"])
def test_an_older_event_that_comes_back_for_one_that_is_over_leaves_no_question(
    office: Office, revival: int
) -> None:
    """A card waits for the newer event; the older one is taken out again, and the card has nothing to ask."""
    appointment, older, newer = revived(office)
    office.google.delete_event(EMAIL, office.app_calendar_id, newer)
    office.rest()
    office.cancel(appointment)
    restore_there(office, older)
    assert len(open_cards(office)) == 1
    run = make_run(office)  # a look before any push, as when it was canceled during one
    link = db.session.scalars(sa.select(EventLink)).one()
    link.revival = revival
    run.commit()
    assert not strays.settle_stray(run, from_google(office.event_of(appointment)))
    run.commit()
    assert [card for card in open_cards(office) if card.needs_answer] == []
    lease.release(run.lease)
    office.rest()
    assert office.app_events() == []


@on_postgres
def test_a_move_there_never_overwrites_what_was_saved_here_while_it_was_judged(office: Office) -> None:
    """Without a lock on the whole database, somebody may save between our reading and our writing."""
    appointment = office.book(days=3)
    office.connect_and_rest()
    event = office.event_of(appointment)
    office.google.change_event(EMAIL, office.app_calendar_id, event["id"], **timed(office, days=5))
    seen = from_google(office.event_of(appointment))
    run = make_run(office)
    link = db.session.scalars(sa.select(EventLink).options(sa.orm.joinedload(EventLink.appointment))).one()
    saved = appointment.starts_at + dt.timedelta(hours=1)
    table = Appointment.__table__
    with db.engine.begin() as elsewhere:
        elsewhere.execute(
            sa.update(table)
            .where(table.c.id == appointment.id)
            .values(
                starts_at=saved, ends_at=saved + dt.timedelta(minutes=50), revision=appointment.revision + 1
            )
        )
    own_events.settle(run, link, seen)
    run.commit()
    db.session.expire_all()
    assert appointment.starts_at == saved
    (card,) = open_cards(office)
    assert (card.kind, card.detail["reason"]) == (CardKind.MOVED, "put-back")


@on_sqlite
def test_the_doctor_warns_of_guests_as_soon_as_google_was_read(office: Office) -> None:
    """Guests are the provider's own: they are left alone, counted, and never kept by name."""
    appointment = office.book(days=3)
    office.connect_and_rest()
    event_id = office.event_of(appointment)["id"]
    for guests, count in (([{"email": "guest@example.com"}], 1), ([], 0)):
        office.google.change_event(EMAIL, office.app_calendar_id, event_id, attendees=guests)
        office.rest()
        found = checks.gather(office.provider, office.connection, now=office.clock())
        assert found.with_guests == count
        assert event_links.have_guests([appointment]) is bool(guests)
    assert office.google.writes() == 0
    office.assert_it_still_writes()


# Leaving


def add_by_hand(office: Office) -> str:
    office.google.add_event(EMAIL, office.app_calendar_id, summary="By hand", **timed(office))
    office.rest()
    return office.app_calendar_id


@on_sqlite
def test_a_removal_keeps_to_the_quota_of_a_minute(office: Office) -> None:
    for number in range(60):
        office.book(days=2 + number, hour=10)
    office.connect_and_rest()
    calendar_id = add_by_hand(office)
    office.google.switch(quota=True)
    connection = office.connection
    connection.spent = [[office.clock().timestamp(), 530.0]]
    db.session.commit()
    connection_id = turn_off(office)
    assert office.run() is Outcome.PACED
    assert office.connection.retry_at is not None
    assert office.run() is Outcome.PACED
    office.clock.advance(seconds=61)
    assert office.run() is Outcome.DONE
    assert [event["summary"] for event in office.google.events(EMAIL, calendar_id)] == ["By hand"]
    removal = ended(connection_id).removal
    assert removal is not None
    assert (removal["found"], removal["left"]) == (60, 0)


@on_sqlite
def test_a_long_removal_hands_on_between_two_batches(office: Office) -> None:
    for number in range(60):
        office.book(days=2 + number, hour=10)
    office.connect_and_rest()
    calendar_id = add_by_hand(office)
    connection_id = turn_off(office)
    assert office.run(seconds=0) is Outcome.MORE
    assert len(office.google.events(EMAIL, calendar_id)) == 11
    assert office.run() is Outcome.DONE
    removal = ended(connection_id).removal
    assert removal is not None
    assert (removal["found"], removal["own_kept"], removal["left"]) == (60, 1, 0)


@on_sqlite
def test_with_a_dead_grant_the_mode_is_off_whatever_was_wanted(office: Office) -> None:
    """What stays in Google would stand beside a feed that shows the same."""
    office.book(days=3)
    office.connect_and_rest()
    calendar_id, connection_id = office.app_calendar_id, office.connection.id
    office.google.control("POST", "/grants/revoke", {"account": EMAIL})
    switching.choose_mode(office.provider, SyncMode.ONE_WAY, now=office.clock())
    db.session.commit()
    assert office.run() is Outcome.DONE
    removal = ended(connection_id).removal
    assert removal is not None
    assert removal["leftover"] == calendar_id
    assert office.provider.sync_mode is SyncMode.OFF
    assert db.session.scalars(sa.select(Feed)).all() == []


@on_sqlite
def test_a_grant_that_lacks_a_scope_is_given_back_all_the_same(office: Office) -> None:
    office.book(days=3)
    office.connect_and_rest()
    calendar_id = office.app_calendar_id
    office.google.add_fault("insufficient_permissions", method="calendar.*", times=None)
    connection_id = turn_off(office)
    assert office.run() is Outcome.DONE
    removal = ended(connection_id).removal
    assert removal is not None
    assert (removal["leftover"], removal["revoked"]) == (calendar_id, True)
    assert office.google.control("GET", "/grants")["items"] == []


@on_sqlite
def test_a_new_calendar_closes_what_was_asked_about_the_old_one(office: Office) -> None:
    appointment = office.book(days=3)
    office.connect_and_rest()
    office.google.delete_event(EMAIL, office.app_calendar_id, office.event_of(appointment)["id"])
    office.rest()
    assert len(open_cards(office)) == 1
    office.google.delete_calendar(EMAIL, office.app_calendar_id)
    assert office.run() is Outcome.ASKED
    switching.create_again(office.connection, now=office.clock())
    db.session.commit()
    office.rest()
    assert starts_at(office.event_of(appointment)) == appointment.starts_at
    assert open_cards(office) == []


@on_sqlite
def test_a_question_about_an_empty_calendar_ends_when_its_events_are_back(office: Office) -> None:
    for hour in range(12):
        office.google.add_event(EMAIL, summary=f"Event {hour}", **timed(office, days=2, hour=8 + hour))
    office.connect_and_rest()
    for event in office.google.events(EMAIL):
        office.google.act_on_event(EMAIL, "primary", event["id"], "hide", seconds=3600)
    office.rest(full=True)
    office.clock.advance(minutes=11)
    office.rest()
    (card,) = open_cards(office)
    assert card.detail["reason"] == "calendar-empty"
    office.google.control("POST", "/clock", {"advance_seconds": 3601})
    office.clock.advance(minutes=11)
    office.rest()
    assert len(office.shown()) == 12
    assert open_cards(office) == []


@on_sqlite
@pytest.mark.parametrize("is_there", [True, False], ids=["still-there", "deleted-meanwhile"])
def test_what_stayed_in_google_is_used_again_by_the_same_account(office: Office, is_there: bool) -> None:
    """Nothing stands twice in two calendars of ours, and what was made there by hand stays."""
    booked = [office.book(days=days) for days in (2, 3)]
    office.connect_and_rest()
    left_behind = add_by_hand(office)
    office.google.control("POST", "/grants/revoke", {"account": EMAIL})
    turn_off(office)
    assert office.run() is Outcome.DONE
    if not is_there:
        office.google.delete_calendar(EMAIL, left_behind)
    office.connect()
    office.rest()
    office.rest()
    assert [each["id"] for each in office.app_calendars()] == [office.app_calendar_id]
    assert (office.app_calendar_id == left_behind) is is_there
    assert {office.event_of(appointment)["status"] for appointment in booked} == {"confirmed"}
    assert len(office.app_events()) == len(booked) + is_there
    assert current.last_ended(office.provider).removal["leftover"] is None


@on_sqlite
def test_our_events_stay_in_google_as_wished_and_the_calendars_name_says_what_it_is(office: Office) -> None:
    booked = [office.book(days=days) for days in (2, 3)]
    office.connect_and_rest()
    calendar_id = add_by_hand(office)
    (before,) = [each["summary"] for each in office.app_calendars()]
    connection_id = office.connection.id
    switching.choose_mode(office.provider, SyncMode.OFF, now=office.clock(), keep_events=True)
    db.session.commit()
    assert office.run() is Outcome.DONE
    (kept,) = [each for each in office.google.calendars(EMAIL) if each["id"] == calendar_id]
    today = office.clock().astimezone(office.provider.zone).date()
    assert kept["summary"] == f"{before} (no longer updated since {today})"
    assert len(office.google.events(EMAIL, calendar_id)) == 3
    removal = ended(connection_id).removal
    assert removal is not None
    assert (removal["calendar"], removal["left"], removal["revoked"]) == ("left", 2, True)
    office.connect()
    office.rest()
    office.rest()
    assert [(each["id"], each["summary"]) for each in office.app_calendars()] == [(calendar_id, before)]
    assert len(office.app_events()) == len(booked) + 1


@on_sqlite
@pytest.mark.parametrize(("ticked", "is_deleted"), [(0, False), (1, False), (2, True)])
def test_our_calendar_goes_whole_only_with_as_many_of_their_own_as_were_named(
    office: Office, ticked: int, is_deleted: bool
) -> None:
    office.book(days=2)
    office.connect_and_rest()
    calendar_id = add_by_hand(office)
    add_by_hand(office)
    assert leftovers.count_own_events(office.connection) == 2
    connection_id = office.connection.id
    switching.choose_mode(office.provider, SyncMode.ONE_WAY, now=office.clock(), own_to_delete=ticked)
    db.session.commit()
    assert office.run() is Outcome.DONE
    there = [each["id"] for each in office.google.calendars(EMAIL)]
    assert (calendar_id not in there) is is_deleted
    removal = ended(connection_id).removal
    assert removal is not None
    assert (removal["found"], removal["left"], removal["own_kept"]) == (1, 0, 0 if is_deleted else 2)


@on_sqlite
def test_on_the_way_to_one_way_our_events_are_never_kept(office: Office) -> None:
    """The feed would show them a second time."""
    office.book(days=2)
    office.connect_and_rest()
    switching.choose_mode(office.provider, SyncMode.ONE_WAY, now=office.clock(), keep_events=True)
    db.session.commit()
    assert office.run() is Outcome.DONE
    assert office.app_calendars() == []


# Once a night


@on_sqlite
def test_a_night_finds_what_differs_here_without_a_word_and_writes_it(office: Office) -> None:
    """As a row does that was mended by hand, or that a fault of ours had forgotten to mark."""
    appointment = office.book(days=3)
    office.connect_and_rest()
    table = Appointment.__table__
    later = appointment.starts_at + dt.timedelta(hours=1)
    times = {"starts_at": later, "ends_at": later + dt.timedelta(minutes=50)}
    db.session.execute(sa.update(table).values(**times))
    db.session.commit()
    office.rest()
    assert office.google.writes() == 0
    office.clock.advance(hours=25)
    office.rest()
    assert starts_at(office.event_of(appointment)) == later
    assert office.google.writes() == 1


# Outward


@on_sqlite
def test_the_nearest_dates_go_out_first_in_both_directions(office: Office) -> None:
    booked = {days: office.book(days=days) for days in (-20, 30, -3, 2, -10, 9)}
    office.connect()
    office.rest()
    log = office.google.requests(method="calendar.events.insert")["requests"]
    sent = [json.loads(each["body"])["start"] for each in log]
    order = [booked[days].starts_at for days in (2, 9, 30, -3, -10, -20)]
    assert [dt.datetime.fromisoformat(each["dateTime"]) for each in sent] == order


@on_sqlite
def test_what_no_list_named_is_looked_up_only_as_far_as_the_quota_goes(office: Office) -> None:
    booked = [office.book(days=2 + number) for number in range(20)]
    office.connect_and_rest()
    office.clock.advance(minutes=6)
    for event in office.app_events():
        office.google.act_on_event(EMAIL, office.app_calendar_id, event["id"], "hide", seconds=3600)
    connection = office.connection
    connection.spent = [[office.clock().timestamp(), 580.0]]
    db.session.commit()
    assert office.run(full=True) is Outcome.PACED
    assert office.google.requests(after=10**12)["counters"]["reads"] <= 10
    office.clock.advance(seconds=61)
    office.rest()
    looked_up = office.google.requests(method="calendar.events.get")["requests"]
    assert len({each["path"] for each in looked_up}) == len(looked_up) == len(booked)
    assert office.google.writes() == 0
    office.assert_it_still_writes()


@on_sqlite
def test_without_room_in_the_minute_nothing_is_read_and_nothing_is_tried_at_once(office: Office) -> None:
    office.connect_and_rest()
    office.google.add_event(EMAIL, summary="Lunch", **timed(office))
    connection = office.connection
    connection.spent = [[office.clock().timestamp(), 590.0]]
    db.session.commit()
    assert office.run() is Outcome.PACED
    assert office.shown() == []
    assert office.connection.retry_at is not None
    office.clock.advance(seconds=61)
    office.rest()
    assert office.shown() == ["Lunch"]


@on_sqlite
def test_a_refused_write_that_cannot_be_looked_at_yet_keeps_its_tries(office: Office) -> None:
    appointment = office.book(days=3)
    office.connect_and_rest()
    event = office.event_of(appointment)
    office.google.change_event(EMAIL, office.app_calendar_id, event["id"], **timed(office, days=5))
    office.move(appointment, hours=2)
    connection = office.connection
    connection.spent = [[office.clock().timestamp(), 587.0]]
    db.session.commit()
    office.run()
    link = db.session.scalars(sa.select(EventLink)).one()
    assert (link.tries, link.retry_at is not None) == (0, True)
    assert office.google.requests(method="calendar.events.get")["requests"] == []
    office.clock.advance(seconds=61)
    office.rest()
    db.session.expire_all()
    assert starts_at(office.event_of(appointment)) == appointment.starts_at
