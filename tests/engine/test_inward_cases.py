"""What Google lists that is easily lost: a date without its series, an older copy, whole days that block."""

from __future__ import annotations

import datetime as dt

from portal.calendar import agenda, overlaps
from portal.calendar.agenda import Filters
from portal.extensions import db
from portal.models import GoogleEvent
from portal.practice.series import Scope
from portal.practice.spans import AllDay, Timed
from sandbox.client import Json
from tests.engine.conftest import EMAIL, ZONE, Office
from tests.engine.test_pull import timed

SERIES = "0notmine"


def add_date(office: Office, *, days: int = 3) -> Json:
    """One date of a series that is not in the calendar, as a guest of one session sees it."""
    times = timed(office, days=days)
    rule = ["RRULE:FREQ=DAILY;COUNT=3"]
    office.google.add_event(EMAIL, id=SERIES, summary="Session", recurrence=rule, **times)
    start = dt.datetime.fromisoformat(times["start"]["dateTime"]).astimezone(dt.UTC)
    date_id = f"{SERIES}_{start:%Y%m%dT%H%M%SZ}"
    office.google.change_event(EMAIL, "primary", date_id, summary="Guest date")
    return series_goes(office, date_id)


def series_goes(office: Office, date_id: str) -> Json:
    """And its one date stays: whoever was invited to it still is."""
    office.google.delete_event(EMAIL, "primary", SERIES)
    return office.google.act_on_event(EMAIL, "primary", date_id, "restore")


def series_comes(office: Office) -> None:
    office.google.act_on_event(EMAIL, "primary", SERIES, "restore")


def on_the_page(office: Office, *, days: int = 3, length: int = 3) -> list[str]:
    """Titles of Google's entries of some days, as a page draws them."""
    first = (office.clock() + dt.timedelta(days=days)).date()
    end = first + dt.timedelta(days=length)
    found = agenda.gather(office.provider, first, end, filters=Filters(), now=office.clock())
    return [entry.title for entry in found if entry.origin == "google"]


def overlapping(office: Office, when: Timed | AllDay) -> list[str]:
    found = overlaps.of_dates(
        office.provider, when, None, appointment=None, scope=Scope.THIS, now=office.clock()
    )
    return [entry.title for entry in found.entries]


def noon(office: Office, *, days: int = 3) -> Timed:
    return Timed((office.clock() + dt.timedelta(days=days)).date(), dt.time(12), ZONE, 50)


def test_a_date_whose_series_is_not_here_is_shown_and_blocks_its_time(office: Office) -> None:
    """Failure 54."""
    date = add_date(office)
    office.connect_and_rest()
    (occurrence,) = office.occurrences()
    assert occurrence.starts_at == dt.datetime.fromisoformat(date["start"]["dateTime"])
    assert occurrence.ends_at == dt.datetime.fromisoformat(date["end"]["dateTime"])
    assert on_the_page(office) == ["Guest date"]
    assert overlapping(office, noon(office)) == ["Guest date"]
    office.rest(full=True)
    assert office.shown() == ["Guest date"]


def test_its_series_takes_it_in_when_it_comes_and_leaves_it_behind_when_it_goes(office: Office) -> None:
    """Failure 54: the date alone, then with its master, then without."""
    date = add_date(office)
    office.connect_and_rest()
    series_comes(office)
    office.rest()
    assert on_the_page(office) == ["Guest date", "Session", "Session"]
    assert [each.event.event_id for each in office.occurrences()] == [date["id"], SERIES, SERIES]
    series_goes(office, date["id"])
    office.rest()
    assert on_the_page(office) == ["Guest date"]
    office.rest(full=True)
    assert on_the_page(office) == ["Guest date"]


def test_a_series_that_a_whole_list_does_not_name_leaves_its_listed_date(office: Office) -> None:
    """Failure 54."""
    date = add_date(office)
    series_comes(office)
    office.connect_and_rest()
    assert len(office.shown()) == 3
    series_goes(office, date["id"])
    office.google.act_on_event(EMAIL, "primary", SERIES, "purge")
    office.google.control("POST", "/sync-tokens/expire", {})
    office.rest()
    assert office.shown() == ["Guest date"]


def test_a_date_that_went_with_its_series_is_gone_at_once(office: Office) -> None:
    """Failure 54: only a whole list tells whether a date without a tombstone is still there."""
    date = add_date(office)
    series_comes(office)
    office.connect_and_rest()
    office.google.act_on_event(EMAIL, "primary", date["id"], "hide", seconds=3600)  # no tombstone of it
    office.google.delete_event(EMAIL, "primary", SERIES)
    office.rest()
    assert office.shown() == []
    assert db.session.scalars(db.select(GoogleEvent)).all() == []


def test_a_cancelled_date_without_its_series_is_nothing_until_it_comes(office: Office) -> None:
    date = add_date(office)
    office.google.act_on_event(EMAIL, "primary", date["id"], "distort", status="cancelled")
    office.connect_and_rest()
    assert office.shown() == []
    series_comes(office)
    office.rest()
    assert office.shown() == ["Session", "Session"]


def test_a_date_far_ahead_is_shown_when_its_day_comes_near_or_is_asked_for(office: Office) -> None:
    add_date(office, days=410)
    office.connect_and_rest()
    assert office.shown() == []
    assert on_the_page(office, days=409) == ["Guest date"]
    office.clock.advance(days=45)
    office.rest()
    assert office.shown() == ["Guest date"]


def test_a_whole_list_that_names_an_older_copy_keeps_the_newer_event(office: Office) -> None:
    """Failure 60."""
    single = office.google.add_event(EMAIL, summary="New time", **timed(office, days=3))
    series = office.google.add_event(
        EMAIL, summary="Choir", recurrence=["RRULE:FREQ=DAILY;COUNT=3"], **timed(office, days=5)
    )
    office.connect_and_rest()
    before = [(each.event.summary, each.starts_at) for each in office.occurrences()]
    assert len(before) == 4
    for event, summary in ((single, "Old time"), (series, "Old choir")):
        older = {"updated": "2020-01-01T00:00:00.000Z", "summary": summary}
        office.google.act_on_event(EMAIL, "primary", event["id"], "distort", **older)
    for _ in range(2):
        office.rest(full=True)
        assert [(each.event.summary, each.starts_at) for each in office.occurrences()] == before
    office.google.delete_event(EMAIL, "primary", single["id"])
    office.rest(full=True)
    assert len(office.shown()) == 3, "what is not named is still swept"


def test_whole_days_block_unless_they_are_marked_free(office: Office) -> None:
    """Failure 59: on both sides, whatever the length."""
    day = (office.clock() + dt.timedelta(days=3)).date()
    whole = {"start": {"date": f"{day}"}, "end": {"date": f"{day + dt.timedelta(days=2)}"}}
    away = office.google.add_event(EMAIL, summary="Away", **whole)
    office.connect_and_rest()
    assert overlapping(office, noon(office)) == ["Away"]
    assert overlapping(office, noon(office, days=4)) == ["Away"]
    assert overlapping(office, noon(office, days=2)) == []
    assert overlapping(office, noon(office, days=5)) == []
    midnight = Timed(day, dt.time(0), ZONE, 50)
    assert overlapping(office, midnight) == ["Away"], "by the midnights of the provider's zone"
    assert overlapping(office, Timed(day - dt.timedelta(days=1), dt.time(23), ZONE, 60)) == []
    assert overlapping(office, AllDay(day, day + dt.timedelta(days=1), ZONE)) == ["Away"]
    session = office.book(days=3, hour=9)
    found = agenda.gather(
        office.provider, day, day + dt.timedelta(days=1), filters=Filters(), now=office.clock()
    )
    assert [entry.clashes_with for entry in found if entry.record_id == session.id and entry.code] == [
        "google"
    ]
    office.google.change_event(EMAIL, "primary", away["id"], transparency="transparent")
    office.rest()
    assert overlapping(office, noon(office)) == []


def test_our_own_whole_days_block_too_unless_they_are_free(office: Office) -> None:
    """Failure 59."""
    own = office.book_all_day(days=3)
    assert overlapping(office, noon(office)) == ["Notes day"]
    own.is_free = True
    db.session.commit()
    assert overlapping(office, noon(office)) == []
