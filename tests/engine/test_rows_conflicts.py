"""Both sides at once, copies, odd texts and wrong clocks: every history ends with one truth and no loop."""

from __future__ import annotations

import datetime as dt
import itertools

import pytest
import sqlalchemy as sa

from portal.connection import answers
from portal.engine.connection_run import Outcome
from portal.extensions import db
from portal.models import (
    Appointment,
    AppointmentStatus,
    CardKind,
    ChangeCard,
    EventLink,
    LinkState,
    NameDisplay,
)
from portal.practice import appointments, clients
from portal.rows import event_links
from sandbox.client import Json
from tests.engine.conftest import EMAIL, ZONE, Office
from tests.engine.test_pull import timed
from tests.engine.test_push import starts_at

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

ODD_NAMES = [
    "Zoë Ångström-O’Neill",
    "Zoe\u0308 A\u030angstro\u0308m",  # the same letters, decomposed
    "李 小龍",
    "👩🏽 Ada 🇨🇭",
    "<b>Bo</b> &amp; Co",
    "Two  blanks   in a row",
    "Tab\tand new\nline",
    "שלום right to left",
    "Back\\slash; comma, \"quotes\" 'single'",
    "x" * 200,
]


def show_names(office: Office, display: NameDisplay) -> None:
    clients.change_display(
        office.refreshed(), display, confirmed=True, sends_other_titles=False, now=office.clock()
    )
    db.session.commit()


def test_odd_titles_and_times_are_written_once_and_only_a_real_difference_is_mended(office: Office) -> None:
    """Failure 7: emoji, markup, white space, whole days, five minutes: a second pass has nothing to do."""
    for number, name in enumerate(ODD_NAMES):
        client = clients.add_client(office.provider, name, now=office.clock())
        office.book(days=2 + number, client=client)
    office.book(days=20, minutes=5)
    office.book(days=21, hour=23, minutes=24 * 60)
    office.book_all_day(days=22, length=3)
    show_names(office, NameDisplay.FULL_NAME)
    office.connect_and_rest()
    assert len(office.app_events()) == len(ODD_NAMES) + 3
    assert event_links.count_behind(office.connection) == 0
    for full in (False, True, False):
        office.rest(full=full)
    for event in office.app_events():
        office.google.change_event(EMAIL, office.app_calendar_id, event["id"], colorId="5")
    office.rest()  # other etags, and in Google's words what we had written
    assert office.google.writes() == 0
    altered = office.app_events()[0]
    office.google.change_event(EMAIL, office.app_calendar_id, altered["id"], summary="Altered")
    office.rest()
    assert office.google.writes() == 1
    assert "Altered" not in [event["summary"] for event in office.app_events()]


def test_an_event_moved_to_another_calendar_is_asked_about_and_read_there_as_the_providers_own(
    office: Office,
) -> None:
    """Failure 3: its tag goes along, and is a copied tag there."""
    appointment = office.book(days=3)
    office.connect_and_rest()
    event = office.event_of(appointment)
    office.google.act_on_event(EMAIL, office.app_calendar_id, event["id"], "move", destination="primary")
    office.rest()
    office.rest(full=True)
    db.session.expire_all()
    assert appointment.is_live
    assert office.google.writes() == 0
    assert len(office.google.events(EMAIL)) == 1
    assert len(office.shown()) == 1
    (card,) = db.session.scalars(db.select(ChangeCard))
    assert card.kind is CardKind.DELETED
    assert answers.moved_to(card) == office.google.calendars(EMAIL)[0]["summary"]
    office.assert_it_still_writes()


def test_deleting_the_original_of_a_copied_event_leaves_the_copy_alone(office: Office) -> None:
    """Failure 3: a copied tag makes nothing ours."""
    appointment = office.book(days=3)
    office.connect_and_rest()
    event = office.event_of(appointment)
    copy = office.google.act_on_event(EMAIL, office.app_calendar_id, event["id"], "duplicate")
    office.rest()
    office.cancel(appointment)
    office.rest()
    office.rest(full=True)
    assert [each["id"] for each in office.app_events()] == [copy["id"]]
    assert len(office.shown()) == 1


def test_an_event_deleted_in_google_comes_back_under_a_new_id_without_a_loop(office: Office) -> None:
    """Failure 5: a tombstone keeps its id for ever, so the next revival is used."""
    appointment = office.book(days=3)
    office.connect_and_rest()
    ids = []
    for _ in range(3):
        event = office.event_of(appointment)
        ids.append(event["id"])
        office.google.delete_event(EMAIL, office.app_calendar_id, event["id"])
        office.rest()
        office.move(appointment, hours=1)
        office.rest()
    assert office.event_of(appointment)["id"] not in ids
    assert len(set(ids)) == 3
    assert "409" not in office.google.requests()["counters"]["by_status"]


def test_an_id_whose_tombstone_nobody_remembers_here_is_stepped_over(office: Office) -> None:
    """Failure 5: 409, and the event that holds the id is deleted: the next revival, at once."""
    appointment = office.book(days=3)
    office.connect_and_rest()
    event = office.event_of(appointment)
    office.google.delete_event(EMAIL, office.app_calendar_id, event["id"])
    db.session.execute(sa.delete(EventLink))
    db.session.commit()
    office.rest()
    assert office.event_of(appointment)["id"] != event["id"]
    assert office.google.requests()["counters"]["by_status"]["409"] == 1
    assert db.session.scalars(db.select(ChangeCard)).all() == [], "it is no news to anybody"


HERE = ("nothing", "move", "cancel", "rename")
THERE = ("nothing", "move", "delete", "retitle")


@pytest.mark.parametrize(("here", "there"), list(itertools.product(HERE, THERE)))
def test_any_change_here_against_any_change_there_ends_as_written(
    office: Office, here: str, there: str
) -> None:
    """Failure 19: four by four. A change of time or status here beats whatever was done there."""
    appointment = office.book(days=3)
    show_names(office, NameDisplay.FULL_NAME)
    office.connect_and_rest()
    original = appointment.starts_at
    change_there(office, office.event_of(appointment), there)
    change_here(office, appointment, here)
    office.rest()
    office.rest()
    db.session.expire_all()
    link = db.session.scalars(db.select(EventLink)).one()
    events = office.app_events()
    if here == "cancel":
        assert (appointment.status, events) == (AppointmentStatus.CANCELED, [])
        return
    expected = original
    if here == "move":
        expected += dt.timedelta(hours=2)
    elif there == "move":
        expected = appointment.starts_at
        assert expected != original, "a safe move is taken over"
    assert appointment.starts_at == expected
    if there == "delete" and here != "move":
        assert (events, link.state) == ([], LinkState.HELD)
        return
    assert [starts_at(event) for event in events] == [expected]
    assert [event["summary"] for event in events] == [office.client.name]


def change_there(office: Office, event: Json, what: str) -> None:
    calendar_id = office.app_calendar_id
    if what == "move":
        moved = timed(office, days=6, hour=15, minutes=50)
        office.google.change_event(EMAIL, calendar_id, event["id"], **moved)
    elif what == "delete":
        office.google.delete_event(EMAIL, calendar_id, event["id"])
    elif what == "retitle":
        office.google.change_event(EMAIL, calendar_id, event["id"], summary="Otherwise")


def change_here(office: Office, appointment: Appointment, what: str) -> None:
    if what == "move":
        office.move(appointment, hours=2)
    elif what == "cancel":
        office.cancel(appointment)
    elif what == "rename":
        clients.rename(office.client, "Canary Nightjar", now=office.clock())
        db.session.commit()


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_wrong_clock_here_loses_no_edit(office: Office, hours: int) -> None:
    """Failure 20: who was first is told by etag and revision, never by comparing the two sides' clocks."""
    office.clock.advance(hours=hours)
    followed, kept = office.book(days=3), office.book(days=4)
    office.connect_and_rest()
    event = office.event_of(followed)
    moved = timed(office, days=6, hour=15, minutes=50)
    office.google.change_event(EMAIL, office.app_calendar_id, event["id"], **moved)
    office.move(kept, hours=2)
    ours = kept.starts_at
    office.rest()
    db.session.expire_all()
    assert (
        followed.starts_at
        == starts_at(office.event_of(followed))
        == dt.datetime.fromisoformat(moved["start"]["dateTime"])
    )
    assert kept.starts_at == starts_at(office.event_of(kept)) == ours


def test_an_event_that_is_refused_again_and_again_is_tried_once_a_run_and_counted(office: Office) -> None:
    """Failure 21: no storm of 412s, no silence either; the others go on, and it heals."""
    stubborn, other = office.book(days=3), office.book(days=4)
    office.connect_and_rest()
    office.move(stubborn, hours=1)
    office.google.add_fault("condition_not_met", method="calendar.events.patch", times=None)
    office.run()
    patches = office.google.requests()["counters"]["by_method"]["calendar.events.patch"]
    assert patches <= 2
    assert event_links.count_behind(office.connection) == 1
    link = db.session.scalars(db.select(EventLink).filter_by(appointment_id=stubborn.id)).one()
    assert (link.tries, link.error) == (1, "conditionNotMet")
    office.google.clear_faults()
    office.move(other, hours=1)
    office.clock.advance(minutes=10)
    office.rest()
    assert event_links.count_behind(office.connection) == 0
    for appointment in (stubborn, other):
        assert starts_at(office.event_of(appointment)) == appointment.starts_at


def test_nothing_written_in_google_reaches_an_appointment_but_its_times(office: Office) -> None:
    """Failure 23: title, notes, place and guests of our events stay in Google, whatever they say."""
    appointment = office.book(days=3)
    columns = [column.key for column in sa.inspect(Appointment).columns]
    office.connect_and_rest()
    before = {key: getattr(appointment, key) for key in columns}
    event = office.event_of(appointment)
    hostile = {
        "summary": "DROP TABLE; HOSTILE",
        "description": "HOSTILE <script>notes</script>",
        "location": "HOSTILE place",
        "attendees": [{"email": "hostile@example.com"}],
    }
    office.google.change_event(EMAIL, office.app_calendar_id, event["id"], **hostile)
    office.rest()
    office.rest(full=True)
    db.session.expire_all()
    assert {key: getattr(appointment, key) for key in columns} == before
    everything = [
        str(row) for table in db.metadata.sorted_tables for row in db.session.execute(sa.select(table))
    ]
    assert [row for row in everything if "hostile" in row.lower()] == []
    event = office.event_of(appointment)
    assert event["summary"] == office.client.internal_id
    assert event["description"] == hostile["description"]


def test_a_move_that_brings_a_title_along_takes_over_its_times_alone(office: Office) -> None:
    """Failure 23."""
    appointment = office.book(days=3)
    office.connect_and_rest()
    moved = timed(office, days=4, hour=11, minutes=50)
    event_id = office.event_of(appointment)["id"]
    office.google.change_event(EMAIL, office.app_calendar_id, event_id, summary="HOSTILE", **moved)
    office.rest()
    db.session.expire_all()
    assert appointment.starts_at == starts_at(moved), "the move is taken over"
    rows = [str(row) for table in db.metadata.sorted_tables for row in db.session.execute(sa.select(table))]
    assert [row for row in rows if "HOSTILE" in row] == []
    assert office.event_of(appointment)["summary"] == office.client.internal_id


def test_at_rest_a_run_changes_no_row_here(office: Office) -> None:
    """Failure 7: a pass without news rewrites nothing, and a pass with news does."""
    office.google.add_event(EMAIL, summary="Gym", recurrence=["RRULE:FREQ=WEEKLY"], **timed(office))
    office.book(days=3)
    office.connect_and_rest()
    office.rest(full=True)
    before = snapshot()
    office.rest()
    assert snapshot() == before
    office.google.add_event(EMAIL, summary="New", **timed(office, days=2))
    office.rest()
    assert snapshot() != before


def snapshot() -> dict[str, list[str]]:
    """Rows of what is synced; the runs themselves and what they note about their time are left out."""
    names = ("appointment", "event_link", "google_event", "google_occurrence", "change_card")
    return {
        name: sorted(str(row) for row in db.session.execute(sa.select(db.metadata.tables[name])))
        for name in names
    }


def test_the_zone_is_sent_with_every_time(office: Office) -> None:
    """Failure 42: a wall time with its zone, so that Google's own rules agree with ours."""
    office.provider.timezone = "Europe/Berlin"  # and the app calendar's with it
    db.session.commit()
    appointment = office.book(days=3)
    office.connect_and_rest()
    start = office.event_of(appointment)["start"]
    assert start["timeZone"] == ZONE
    office.move(appointment, hours=1)
    assert office.run() is Outcome.DONE
    assert office.event_of(appointment)["start"]["timeZone"] == ZONE


def test_what_is_archived_here_is_not_moved_by_a_move_there(office: Office) -> None:
    """Its delete may have to wait, after refused writes; a move that was read meanwhile crashed the run."""
    appointment = office.book(days=3)
    office.connect_and_rest()
    begins = appointment.starts_at
    event_id = office.event_of(appointment)["id"]
    office.google.add_fault("condition_not_met", method="calendar.events.patch", times=2)
    office.move(appointment, hours=1)
    office.move(appointment, hours=-1)
    office.google.change_event(EMAIL, office.app_calendar_id, event_id, summary="Renamed")
    office.rest()
    link = db.session.scalars(db.select(EventLink)).one()
    assert link.retry_at is not None, "refused twice, it waits"
    office.google.clear_faults()
    appointments.archive(appointment, now=office.clock(), actor=office.provider, source="web")
    db.session.commit()
    moved = timed(office, days=4, hour=11, minutes=50)
    office.google.change_event(EMAIL, office.app_calendar_id, event_id, **moved)
    office.rest()
    db.session.expire_all()
    assert appointment.starts_at == begins
    assert len(office.app_events()) == 1, "still waiting"
    office.clock.advance(minutes=16)
    office.rest()
    assert office.app_events() == []
    assert db.session.scalars(db.select(ChangeCard)).all() == [], "nothing was put back"
