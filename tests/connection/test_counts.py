"""How many entries a calendar would bring, as counted before the first sync, and what that then brings."""

from __future__ import annotations

import datetime as dt
from typing import Any

import flask_migrate
import pytest

from portal.calendar import occurrences
from portal.connection import choosing
from portal.extensions import db
from portal.models import GoogleCalendar
from tests.engine.conftest import EMAIL, Office

DECLINED = [{"email": EMAIL, "self": True, "responseStatus": "declined"}]
ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def timed(office: Office, days: int) -> dict[str, dict[str, str]]:
    day = (office.clock() + dt.timedelta(days=days)).date()
    zone = "America/Chicago"
    return {
        "start": {"dateTime": f"{day}T15:00:00", "timeZone": zone},
        "end": {"dateTime": f"{day}T15:50:00", "timeZone": zone},
    }


def whole_day(office: Office, days: int) -> dict[str, dict[str, str]]:
    day = (office.clock() + dt.timedelta(days=days)).date()
    return {"start": {"date": f"{day}"}, "end": {"date": f"{day + dt.timedelta(days=1)}"}}


def fill(office: Office) -> None:
    """One of each kind: 1 + 1 + 1 + 5 single dates and a series of 10 are shown, the others are not."""

    def add(days: int, *, all_day: bool = False, **fields: Any) -> str:
        times = whole_day(office, days) if all_day else timed(office, days)
        return str(office.google.add_event(EMAIL, **times, **fields)["id"])

    add(3, summary="Gym")
    add(3, summary="Parcel", transparency="transparent")
    add(-88, summary="Just kept")
    for days in (-5, 0, 5, 60, 397):
        add(days, summary="Off", all_day=True)
    add(3, summary="Block party", attendees=DECLINED)
    add(-93, summary="Over")
    add(403, summary="Far")
    add(9, summary="Fern", all_day=True, eventType="birthday", recurrence=["RRULE:FREQ=YEARLY"])
    place = {"type": "homeOffice", "homeOffice": {}}
    home: dict[str, Any] = {
        "eventType": "workingLocation",
        "workingLocationProperties": place,
        "transparency": "transparent",
        "visibility": "public",
    }
    add(4, summary="Home", all_day=True, **home)
    gone = add(6, summary="Deleted")
    office.google.delete_event(EMAIL, "primary", gone)
    add_series(office)


def add_series(office: Office) -> None:
    """Twelve dates: one is deleted, one declined, one moved."""
    times = timed(office, 2)
    series = office.google.add_event(
        EMAIL, summary="Choir", recurrence=["RRULE:FREQ=WEEKLY;COUNT=12"], **times
    )
    zone = office.provider.zone
    first = dt.datetime.fromisoformat(times["start"]["dateTime"]).replace(tzinfo=zone)

    def date(week: int) -> str:
        start = (first + dt.timedelta(weeks=week)).astimezone(dt.UTC)
        return f"{series['id']}_{start:%Y%m%dT%H%M%SZ}"

    office.google.delete_event(EMAIL, "primary", date(1))
    office.google.change_event(EMAIL, "primary", date(2), attendees=DECLINED)
    office.google.change_event(EMAIL, "primary", date(3), **timed(office, 24))


def primary(office: Office) -> GoogleCalendar:
    db.session.expire_all()
    return db.session.scalars(db.select(GoogleCalendar).filter_by(calendar_id="primary")).one()


def shown(office: Office) -> int:
    """What pages would draw of Google's, however far away."""
    return len(db.session.execute(occurrences.query([office.provider.id], now=office.clock())).all())


def test_the_count_is_what_the_first_sync_then_has_shown(office: Office) -> None:
    fill(office)
    office.connect()
    counted = primary(office).entries
    office.rest()
    assert counted == shown(office) == 18


@ON_SQLITE
def test_a_calendar_with_nothing_in_it_counts_none(office: Office) -> None:
    office.connect()
    assert primary(office).entries == 0


@ON_SQLITE
def test_more_dates_than_a_page_holds_are_told_as_more_than_that(office: Office) -> None:
    for number in range(6):
        rule = ["RRULE:FREQ=DAILY"]
        office.google.add_event(EMAIL, summary=f"{number}", recurrence=rule, **timed(office, -80))
    office.google.reset_requests()
    connection = office.connect()
    assert primary(office).entries == choosing.MOST_COUNTED + 1
    assert choosing.preview(connection, now=office.clock()).entries == choosing.Entries(2500, has_more=True)
    asked = office.google.requests(method="calendar.events.list")["requests"]
    assert len(asked) == 1, "one page, and no other"


@ON_SQLITE
def test_a_calendar_that_answers_403_is_unreadable_and_has_no_count(office: Office) -> None:
    fill(office)
    office.google.add_fault("forbidden", method="calendar.events.*", times=1)
    office.connect()
    assert (primary(office).why_not, primary(office).entries) == ("unreadable", None)


def test_a_migration_keeps_the_calendars_on_its_way_back_and_forth(office: Office) -> None:
    office.connect()
    db.session.remove()
    flask_migrate.downgrade(directory="migrations", revision="0003")
    flask_migrate.upgrade(directory="migrations")
    assert (primary(office).is_chosen, primary(office).entries) == (True, None)
