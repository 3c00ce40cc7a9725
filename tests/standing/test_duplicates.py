"""What stands in Google twice, found by the doctor after a look: copies, calendars, and near misses."""

from __future__ import annotations

from typing import Any

import pytest

from portal.extensions import db
from portal.models import GoogleEvent
from portal.standing import checks, duplicates
from portal.sync.duplicates import Duplicate, Kind
from sandbox.client import Json
from tests.engine.conftest import EMAIL, Office
from tests.standing.test_compare import timed, whole_day

WEEKLY = {"recurrence": ["RRULE:FREQ=WEEKLY"]}


def found(office: Office) -> list[Duplicate]:
    office.rest()
    told = list(duplicates.find(office.connection, now=office.clock()))
    *_, lines = checks.examine_provider(office.provider, now=office.clock())
    (line,) = (line for line in lines if line.id == "duplicates")
    assert (line.code == "none") is (not told), "the line says what was found"
    return told


def kinds(office: Office) -> list[Kind]:
    return [each.kind for each in found(office)]


def add(office: Office, calendar: str = "primary", **body: Any) -> Json:
    return office.google.add_event(EMAIL, calendar, **body)


def second_calendar(office: Office, summary: str = "Family") -> str:
    """One more calendar of the person's own; before connecting, so that it is chosen."""
    return str(office.google.add_calendar(EMAIL, summary)["id"])


def body_of(event: Json) -> dict[str, Any]:
    """What somebody copies when they copy an event by hand."""
    kept = ("summary", "start", "end", "transparency", "visibility", "extendedProperties")
    return {name: event[name] for name in kept if name in event}


# Copies of ours


def test_a_copy_made_by_hand_beside_ours_is_told_with_its_date_and_link(office: Office) -> None:
    appointment = office.book(days=3)
    office.connect_and_rest()
    assert kinds(office) == []
    event = office.event_of(appointment)
    copy = office.google.act_on_event(EMAIL, office.app_calendar_id, event["id"], "duplicate")
    (told,) = found(office)
    assert (told.kind, told.appointment, told.starts_at) == (
        Kind.COPY,
        appointment.id,
        appointment.starts_at,
    )
    assert (told.summary, told.html_link) == (event["summary"], copy["htmlLink"])
    office.google.delete_event(EMAIL, office.app_calendar_id, copy["id"])
    assert kinds(office) == []


@pytest.mark.parametrize("has_our_tag", [True, False])
def test_a_copy_in_another_chosen_calendar_is_told_with_a_tag_and_without(
    office: Office, has_our_tag: bool
) -> None:
    family = second_calendar(office)
    appointment = office.book(days=3)
    office.connect_and_rest()
    body = body_of(office.event_of(appointment))
    if not has_our_tag:
        del body["extendedProperties"]
    add(office, family, **body)
    (told,) = found(office)
    assert (told.kind, told.calendar) == (Kind.COPY, office.calendar_row("Family").id)


def test_a_copy_of_our_whole_day_is_told_by_its_date(office: Office) -> None:
    appointment = office.book_all_day(days=3)
    office.connect_and_rest()
    add(office, **body_of(office.event_of(appointment)))
    (told,) = found(office)
    assert told.starts_at is not None and told.all_day
    assert (told.kind, told.starts_at.date()) == (Kind.COPY, appointment.start_date)


def test_a_copy_moved_to_another_time_is_no_duplicate_and_neither_is_one_of_a_canceled_one(
    office: Office,
) -> None:
    moved, canceled = office.book(days=3), office.book(days=4)
    office.connect_and_rest()
    add(office, **body_of(office.event_of(moved)) | timed(office, days=3, hour=18))
    add(office, **body_of(office.event_of(canceled)))
    assert len(found(office)) == 1
    office.cancel(canceled)
    assert kinds(office) == []


# The same in two calendars, and in one


def test_the_same_event_in_two_chosen_calendars_is_known_by_its_uid(office: Office) -> None:
    family = second_calendar(office)
    office.connect_and_rest()
    event = add(office, summary="Choir", iCalUID="choir@example.com", **timed(office))
    add(office, family, summary="Singing", iCalUID="choir@example.com", **timed(office))
    (told,) = found(office)
    assert (told.kind, told.summary) == (Kind.TWO_CALENDARS, "Singing")
    assert set(db.session.scalars(db.select(GoogleEvent.ical_uid))) == {"choir@example.com"}
    office.google.delete_event(EMAIL, "primary", event["id"])
    assert kinds(office) == []


def test_the_same_series_in_two_calendars_is_told_once_also_where_one_date_was_moved(office: Office) -> None:
    family = second_calendar(office)
    office.connect_and_rest()
    body = {"summary": "Choir", "iCalUID": "choir@example.com", **WEEKLY, **timed(office)}
    add(office, **body)
    add(office, family, **body)
    (told,) = found(office)
    assert (told.kind, told.dates > 40) == (Kind.TWO_CALENDARS, True)


def test_the_same_time_and_text_is_told_in_two_calendars_and_in_one(office: Office) -> None:
    family = second_calendar(office)
    office.connect_and_rest()
    add(office, summary="Gym", **timed(office))
    add(office, family, summary="Gym", **timed(office))
    for _ in range(2):
        add(office, summary="Swim", **timed(office, days=5))
    assert kinds(office) == [Kind.TWO_CALENDARS, Kind.ONE_CALENDAR]


def test_a_calendar_subscribed_twice_is_told_by_its_name(office: Office) -> None:
    for _ in range(2):
        office.google.add_calendar(EMAIL, "Lake levels", kind="import", accessRole="reader")
    office.google.add_calendar(EMAIL, "Moon", kind="import", accessRole="reader")
    office.connect_and_rest()
    (told,) = found(office)
    assert (told.kind, told.summary) == (Kind.SUBSCRIPTION, "Lake levels")


# Near misses


def test_what_only_looks_like_a_duplicate_is_none(office: Office) -> None:
    family = second_calendar(office)
    office.book(days=3)
    office.connect_and_rest()
    add(office, summary="Gym", **timed(office))
    add(office, family, summary="Swim", **timed(office))
    add(office, family, summary="Gym", transparency="transparent", **timed(office))
    declined = [{"email": EMAIL, "self": True, "responseStatus": "declined"}]
    add(office, summary="Party", attendees=declined, **timed(office, days=6))
    add(office, family, summary="Party", **timed(office, days=6))
    add(office, summary="Choir", recurrence=["RRULE:FREQ=WEEKLY"], **timed(office, days=4))
    add(office, family, summary="Choir", recurrence=["RRULE:FREQ=DAILY;INTERVAL=5"], **timed(office, days=4))
    add(office, summary="Trip", **whole_day(office))
    add(office, family, summary="Trip", **whole_day(office, days=5))
    assert [each.summary for each in found(office)] == []


def test_what_is_over_is_told_for_a_week_and_after_what_is_to_come(office: Office) -> None:
    for days in (-20, -3, 5):
        for _ in range(2):
            add(office, summary="Gym", **timed(office, days=days))
    office.connect_and_rest()
    here = office.clock()
    assert [each.starts_at is not None and each.starts_at > here for each in found(office)] == [True, False]


# How it is asked for


def test_however_many_there_are_two_queries_look_at_dates(office: Office) -> None:
    office.book(days=3)
    office.connect_and_rest()
    for days in (3, 4, 5):
        for _ in range(2):
            add(office, summary="Gym", **timed(office, days=days))
    office.rest()
    connection = office.connection
    asked: list[str] = []

    def note(*arguments: Any) -> None:
        asked.append(arguments[2])

    db.event.listen(db.engine, "before_cursor_execute", note)
    try:
        told = duplicates.find(connection, now=office.clock())
    finally:
        db.event.remove(db.engine, "before_cursor_execute", note)
    of_dates = [each for each in asked if "google_occurrence" in each]
    assert (len(told), len(of_dates)) == (3, 2)
