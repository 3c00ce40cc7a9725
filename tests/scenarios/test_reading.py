"""What the real worker makes of a Google that fails, forgets, repeats itself, or is written into."""

from __future__ import annotations

import datetime as dt
from typing import Any

import sqlalchemy as sa

from portal.extensions import db
from portal.models import Appointment
from tests.engine.conftest import EMAIL, ZONE
from tests.engine.test_pull import timed
from tests.scenarios.conftest import Scene, reading

FAILING: list[dict[str, Any]] = [
    {"kind": "backend_error"},
    {"kind": "forbidden"},
    {"kind": "not_found"},
    {"kind": "malformed_json"},
]


def set_up(scene: Scene) -> list[Appointment]:
    """Three appointments and three Google events on both sides; the worker runs."""
    office = scene.office
    booked = [office.book(days=2 + number) for number in range(3)]
    for number in range(3):
        scene.google.add_event(EMAIL, summary=f"Errand {number}", **timed(office, days=2 + number))
    office.connect()
    scene.portal.start_worker()
    scene.rest()
    return booked


def test_a_day_with_a_google_in_trouble(scene: Scene) -> None:
    """Failures 2, 7, 11, 12, 14, 23, 43, 54, 59 and 60, one after the other in one world."""
    booked = set_up(scene)
    own_events_stay_ours(scene)
    whole_days_stay_the_same_dates(scene)
    failing_reads_take_nothing_away(scene, booked)
    expired_tokens_lose_nothing(scene)
    an_empty_list_takes_nothing_away(scene)
    only_times_are_taken_over(scene, booked)
    what_is_easily_lost_is_here(scene)


def own_events_stay_ours(scene: Scene) -> None:
    """Failures 2 and 7: what was pushed is neither imported nor written again; a real difference is."""
    scene.google.reset_requests()
    for _ in range(3):
        scene.rest()
    assert scene.portal.flask("sync", "now", EMAIL, "--full").exit_code == 0
    assert scene.google.writes() == 0
    assert sorted(scene.shown()) == ["Errand 0", "Errand 1", "Errand 2"]
    event = scene.app_events()[0]
    scene.google.change_event(EMAIL, scene.app_calendar_id(), event["id"], summary="Altered")
    scene.rest()
    assert scene.google.writes() == 1


def whole_days_stay_the_same_dates(scene: Scene) -> None:
    """Failure 43: whole days on both sides, as both sides' pages show them."""
    office = scene.office
    outward = office.book_all_day(days=6, length=2)
    first = (office.clock() + dt.timedelta(days=9)).date()
    last = first + dt.timedelta(days=2)
    dates = {"start": {"date": first.isoformat()}, "end": {"date": last.isoformat()}}
    scene.google.add_event(EMAIL, summary="Away", **dates)
    scene.rest()
    start, end = outward.start_date, outward.start_date + dt.timedelta(days=2)
    event = scene.event_of(outward)
    assert (event["start"], event["end"]) == ({"date": start.isoformat()}, {"date": end.isoformat()})
    person = scene.sign_in()
    person.open(f"/calendar?view=month&date={first}")
    away = [each for each in person.entries("google") if "Away" in person.name_of(each)]
    assert {(each["data-start"], each["data-end"]) for each in away} == {
        (first.isoformat(), last.isoformat())
    }


def failing_reads_take_nothing_away(scene: Scene, booked: list[Appointment]) -> None:
    """Failure 11: every kind of failed answer to every kind of reading."""
    before = sorted(scene.shown())
    for fault in FAILING:
        scene.google.reset_requests()
        scene.google.add_fault(**fault, method="calendar.*.list", times=None)
        scene.google.add_fault(**fault, method="calendar.*.get", times=None)
        scene.portal.flask("sync", "now", EMAIL, "--full")
        assert scene.asked_of_google("calendar.events.list") > 0
        assert sorted(scene.shown()) == before
        assert all(scene.refreshed(appointment).is_live for appointment in booked)
        assert scene.google.writes() == 0
        scene.google.clear_faults()
    scene.google.reset_requests()
    event = scene.app_events()[0]
    scene.google.change_event(EMAIL, scene.app_calendar_id(), event["id"], summary="Altered")
    assert scene.portal.flask("sync", "now", EMAIL).exit_code == 0
    assert scene.google.writes() == 1
    assert len(scene.app_events()) == 4


def expired_tokens_lose_nothing(scene: Scene) -> None:
    """Failures 14, 15 and 16: changed, added and deleted in the gap; 410; all of it is here."""
    office = scene.office
    errands = {event["summary"]: event for event in scene.google.events(EMAIL)}
    scene.worker().freeze()
    scene.google.delete_event(EMAIL, "primary", errands["Errand 0"]["id"])
    scene.google.change_event(EMAIL, "primary", errands["Errand 1"]["id"], summary="Errand one")
    scene.google.add_event(EMAIL, summary="Errand 3", **timed(office, days=5))
    scene.google.control("POST", "/sync-tokens/expire", {})
    scene.worker().thaw()
    scene.rest()
    assert sorted(scene.shown()) == ["Away", "Errand 2", "Errand 3", "Errand one"]
    assert scene.doctor()["state"] == "active"


def an_empty_list_takes_nothing_away(scene: Scene) -> None:
    """Failure 12: twelve events gone without a trace of a deletion are not believed gone at once."""
    office = scene.office
    for number in range(12):
        scene.google.add_event(EMAIL, summary=f"Many {number}", **timed(office, days=20, hour=8 + number))
    scene.rest()
    before = sorted(scene.shown())
    assert len(before) == 16
    for event in scene.google.events(EMAIL):
        scene.google.delete_event(EMAIL, "primary", event["id"])
        scene.google.act_on_event(EMAIL, "primary", event["id"], "purge")
    scene.google.control("POST", "/sync-tokens/expire", {})
    scene.rest()
    assert sorted(scene.shown()) == before
    scene.google.add_event(EMAIL, summary="Afterwards", **timed(office, days=21))
    scene.rest()
    assert "Afterwards" in scene.shown(), "what is new still comes in"


def only_times_are_taken_over(scene: Scene, booked: list[Appointment]) -> None:
    """Failure 23: hostile words written into our event stay where they were written."""
    event, calendar_id = scene.event_of(booked[0]), scene.app_calendar_id()
    hostile = {"summary": "HOSTILE title", "description": "HOSTILE notes", "location": "HOSTILE place"}
    start = scene.refreshed(booked[0]).starts_at + dt.timedelta(hours=1)
    moved = {
        "start": {"dateTime": start.isoformat(), "timeZone": ZONE},
        "end": {"dateTime": (start + dt.timedelta(minutes=50)).isoformat(), "timeZone": ZONE},
    }
    scene.google.change_event(EMAIL, calendar_id, event["id"], **hostile, **moved)
    scene.rest()
    scene.rest()
    assert scene.refreshed(booked[0]).starts_at == start
    with reading():
        rows = [
            str(row) for table in db.metadata.sorted_tables for row in db.session.execute(sa.select(table))
        ]
    assert [row for row in rows if "HOSTILE" in row] == []
    event = scene.event_of(booked[0])
    assert event["summary"] == scene.office.client.internal_id
    assert (event["description"], event["location"]) == (hostile["description"], hostile["location"])


def what_is_easily_lost_is_here(scene: Scene) -> None:
    """Failures 54, 59 and 60: a date without its series, a whole day that blocks, an older copy."""
    office, day = scene.office, (scene.office.clock() + dt.timedelta(days=12)).date()
    times = timed(office, days=12, hour=9)
    date = scene.google.add_event(EMAIL, summary="Guest date", **times)
    part = {"recurringEventId": "0notmine", "originalStartTime": times["start"]}
    scene.google.act_on_event(EMAIL, "primary", date["id"], "distort", **part)
    whole = {"start": {"date": f"{day}"}, "end": {"date": f"{day + dt.timedelta(days=1)}"}}
    scene.google.add_event(EMAIL, summary="Whole day", **whole)
    newer = next(event for event in scene.google.events(EMAIL) if event["summary"] == "Afterwards")
    office.book(days=12, hour=15)
    scene.rest()
    older = {"updated": "2020-01-01T00:00:00.000Z", "summary": "Before"}
    scene.google.act_on_event(EMAIL, "primary", newer["id"], "distort", **older)
    assert scene.portal.flask("sync", "now", EMAIL, "--full").exit_code == 0
    assert {"Guest date", "Whole day", "Afterwards"} <= set(scene.shown())
    assert "Before" not in scene.shown()
    person = scene.sign_in()
    person.open(f"/calendar?view=day&date={day}")
    names = [person.name_of(each) for each in person.entries("google")]
    assert sorted(any(title in name for name in names) for title in ("Guest date", "Whole day")) == [
        True,
        True,
    ]
    (session,) = person.entries("appointment")
    assert "overlaps a Google event" in person.name_of(session)
