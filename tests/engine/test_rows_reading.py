"""Reading Google: lists that break off, copies out of order, windows that slide, dates in odd zones."""

from __future__ import annotations

import datetime as dt
from typing import Any, cast
from urllib.parse import unquote

import pytest

from portal.engine import lease, pull
from portal.engine.connection_run import Outcome
from portal.engine.run import Run
from portal.extensions import db
from portal.google.answers import CalendarEntry, EventPage
from portal.google.client import GoogleClient
from portal.models import ChangeCard, GoogleCalendar, GoogleEvent
from tests.engine.conftest import EMAIL, Office
from tests.engine.test_pull import timed
from tests.engine.test_push import starts_at

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


class Pages:
    """A Google that answers `events.list` with these pages, one after the other."""

    access_token = refresh_token = access_token_expires_at = None

    def __init__(self, *pages: EventPage) -> None:
        self.pages = list(pages)

    def list_calendars(self) -> list[CalendarEntry]:
        return []

    def list_events(self, calendar_id: str, **tokens: Any) -> EventPage:
        return self.pages.pop(0)


def read(office: Office, *pages: EventPage) -> None:
    """Read the primary calendar from these pages, as a whole list."""
    connection = office.connection
    connection.calendars_listed_at = office.clock()
    for row in db.session.scalars(db.select(GoogleCalendar).where(GoogleCalendar.calendar_id != "primary")):
        row.is_chosen = row.is_app_calendar = False
    db.session.commit()
    held = lease.acquire(connection.id, now=office.clock())
    assert held is not None
    run = Run(connection.id, held, office.clock, ends_at=office.clock() + dt.timedelta(seconds=45))
    run.google = cast("GoogleClient", Pages(*pages))
    assert pull.pull(run, full=True)
    lease.release(held)


def copy(office: Office, summary: str, *, updated: str, hour: int) -> dict[str, Any]:
    return {
        "id": "twice",
        "etag": f'"{updated}"',
        "status": "confirmed",
        "updated": f"2026-01-01T00:00:{updated}Z",
        "summary": summary,
        **timed(office, days=2, hour=hour),
    }


@pytest.mark.parametrize("is_split", [True, False], ids=["two-pages", "one-page"])
@pytest.mark.parametrize("is_old_last", [True, False], ids=["old-last", "new-last"])
def test_of_two_copies_of_an_event_the_later_one_holds_wherever_it_stands(
    office: Office, is_split: bool, is_old_last: bool
) -> None:
    """Failure 9."""
    office.connect_and_rest()
    copies = [
        copy(office, "New", updated="09", hour=15),
        copy(office, "Old", updated="03", hour=9),
    ]
    if not is_old_last:
        copies.reverse()
    pages = [
        EventPage(items=tuple(copies[:1]), next_page_token="more", next_sync_token=None),
        EventPage(items=tuple(copies[1:]), next_page_token=None, next_sync_token="done"),
    ]
    if not is_split:
        pages = [EventPage(items=tuple(copies), next_page_token=None, next_sync_token="done")]
    read(office, *pages)
    assert office.shown() == ["New"]


def test_a_list_that_breaks_off_takes_nothing_away_and_is_gone_on_with(office: Office) -> None:
    """Failure 13: the third page fails; what it would have named stays, and comes to be read."""
    office.google.add_event(EMAIL, summary="Here before", **timed(office))
    office.connect_and_rest()
    office.google.add_event(EMAIL, summary="New", **timed(office, days=2))
    listing = {"method": "calendar.events.list", "calendar": EMAIL}
    office.google.add_fault("empty_page", **listing, times=2)
    office.google.add_fault("backend_error", **listing, params=["pageToken"], skip=1, times=3)
    assert office.run(full=True) is Outcome.FAILED
    assert office.shown() == ["Here before"]
    row = office.calendar_row(office.google.calendars(EMAIL)[0]["summary"])
    assert (row.page_token is not None, row.sync_token) == (True, None)
    office.rest()
    assert office.shown() == ["Here before", "New"]


@pytest.mark.parametrize(
    ("change", "is_shown"),
    [
        ({"days": 730}, False),
        ({"days": 30}, True),
        ({"transparency": "transparent"}, True),
    ],
    ids=["two-years-on", "a-month-on", "free"],
)
def test_an_event_that_moves_leaves_no_ghost_where_it_was(
    office: Office, change: dict[str, Any], is_shown: bool
) -> None:
    """Failure 18: the row follows first, and what is drawn is judged when it is read."""
    event = office.google.add_event(EMAIL, summary="Busy", **timed(office, days=3))
    office.connect_and_rest()
    before = office.occurrences()[0].starts_at
    fields = timed(office, **change) if "days" in change else change
    office.google.change_event(EMAIL, "primary", event["id"], **fields)
    office.rest()
    found = [(each.starts_at == before, each.event.transparency) for each in office.occurrences()]
    if "days" in change:
        assert found == ([(False, "opaque")] if is_shown else [])
    else:
        assert found == [(True, "transparent")]


def test_declining_is_known_here(office: Office) -> None:
    """Failure 18: a declined event blocks nothing, and the page leaves it out by this answer."""
    guest = {"email": EMAIL, "self": True, "responseStatus": "accepted"}
    event = office.google.add_event(EMAIL, summary="Meeting", attendees=[guest], **timed(office))
    office.connect_and_rest()
    declined = [{**guest, "responseStatus": "declined"}]
    office.google.change_event(EMAIL, "primary", event["id"], attendees=declined)
    office.rest()
    assert [each.event.self_response for each in office.occurrences()] == ["declined"]


ZONES = [
    "Pacific/Midway",
    "America/St_Johns",
    "UTC",
    "Asia/Kathmandu",
    "Pacific/Chatham",
    "Pacific/Kiritimati",
]


@pytest.mark.parametrize("zone", ZONES)
def test_whole_days_are_the_same_dates_on_both_sides_in_any_zone(office: Office, zone: str) -> None:
    """Failure 43: dates with an exclusive end; never a midnight of some zone."""
    office.provider.timezone = zone
    db.session.commit()
    outward = office.book_all_day(days=3, length=2)
    first = (office.clock() + dt.timedelta(days=5)).date()
    last = first + dt.timedelta(days=3)
    whole = {"start": {"date": first.isoformat()}, "end": {"date": last.isoformat()}}
    office.google.add_event(EMAIL, summary="Away", **whole)
    office.connect_and_rest()
    event = office.event_of(outward)
    assert event["start"] == {"date": outward.start_date.isoformat()}
    assert event["end"] == {"date": (outward.start_date + dt.timedelta(days=2)).isoformat()}
    (occurrence,) = office.occurrences()
    assert (occurrence.start_date, occurrence.end_date) == (first, last)
    later = outward.start_date + dt.timedelta(days=1)
    moved = {
        "start": {"date": later.isoformat()},
        "end": {"date": (later + dt.timedelta(days=2)).isoformat()},
    }
    office.google.change_event(EMAIL, office.app_calendar_id, event["id"], **moved)
    office.rest()
    db.session.expire_all()
    assert outward.start_date == later
    assert office.google.writes() == 0
    office.assert_it_still_writes()


def test_days_that_pass_delete_and_rewrite_nothing(office: Office) -> None:
    """Failure 44: the window outward never slides; the one inward drops by age and never by a write."""
    booked = [office.book(days=days) for days in (1, 2, 3)]
    ended = timed(office, days=-88, hour=9)
    office.google.add_event(EMAIL, summary="Long ago", **ended)
    office.google.add_event(EMAIL, summary="No length", **timed(office, minutes=0))
    gym = office.google.add_event(EMAIL, summary="Gym", recurrence=["RRULE:FREQ=WEEKLY"], **timed(office))
    office.connect_and_rest()
    ids = [office.event_of(appointment)["id"] for appointment in booked]
    for _ in range(12):
        office.clock.advance(days=10)
        office.rest()
        assert [office.event_of(appointment)["id"] for appointment in booked] == ids
    assert office.google.writes() == 0
    assert "Gym" in office.shown()
    latest = max(each.starts_at for each in office.occurrences())
    assert latest > office.clock() + dt.timedelta(days=360), "the series was expanded further meanwhile"
    office.google.change_event(EMAIL, "primary", gym["id"], summary="Swim")
    office.rest()
    assert "Swim" in office.shown(), "a series is as young as its latest date"
    office.google.change_event(EMAIL, office.app_calendar_id, ids[2], summary="Altered")
    office.rest()
    assert office.google.writes() == 1


def test_an_endless_series_is_one_row_and_goes_whole(office: Office) -> None:
    """Failure 45: masters are read, and expanded here for four hundred days and no further."""
    event = office.google.add_event(
        EMAIL, summary="Gym", recurrence=["RRULE:FREQ=DAILY"], **timed(office, days=-200)
    )
    office.connect_and_rest()
    assert db.session.scalar(db.select(db.func.count(GoogleEvent.id))) == 1
    starts = [each.starts_at for each in office.occurrences()]
    assert 480 < len(starts) < 495
    assert max(starts) < office.clock() + dt.timedelta(days=401)
    office.google.change_event(EMAIL, "primary", event["id"], summary="Swim")
    office.rest()
    assert set(office.shown()) == {"Swim"}
    assert len(office.shown()) == len(starts)
    office.google.delete_event(EMAIL, "primary", event["id"])
    office.rest()
    assert office.shown() == []
    assert db.session.scalar(db.select(db.func.count(GoogleEvent.id))) == 0


def test_this_and_following_in_google_are_two_series_without_a_double(office: Office) -> None:
    """Failure 46: Google ends the first series and makes another."""
    first = timed(office, days=1, hour=9)
    event = office.google.add_event(EMAIL, summary="Gym", recurrence=["RRULE:FREQ=DAILY;COUNT=8"], **first)
    office.connect_and_rest()
    dates = [each.starts_at.date() for each in office.occurrences()]
    office.google.change_event(EMAIL, "primary", event["id"], recurrence=["RRULE:FREQ=DAILY;COUNT=4"])
    later = timed(office, days=5, hour=11)
    office.google.add_event(EMAIL, summary="Gym", recurrence=["RRULE:FREQ=DAILY;COUNT=4"], **later)
    office.rest()
    assert [each.starts_at.date() for each in office.occurrences()] == dates
    assert len({each.google_event_id for each in office.occurrences()}) == 2


def test_a_token_of_another_query_is_not_used(office: Office) -> None:
    """Failure 46: the query's signature is stored with the token, and another query reads all anew."""
    office.google.add_event(EMAIL, summary="Lunch", **timed(office))
    office.connect_and_rest()
    row = db.session.scalars(db.select(GoogleCalendar).filter_by(calendar_id="primary")).one()
    row.query_signature = "of a version that asked for other fields"
    db.session.commit()
    office.rest()
    lists = office.google.requests(method="calendar.events.list")["requests"]
    of_primary = [each["path"] for each in lists if "primary" in each["path"]]
    assert "syncToken" not in of_primary[0]
    db.session.expire_all()
    assert (row.query_signature, office.shown()) == (pull.QUERY_SIGNATURE, ["Lunch"])
    office.google.reset_requests()
    office.rest()
    lists = office.google.requests(method="calendar.events.list")["requests"]
    assert all("syncToken" in each["path"] for each in lists)


EARLIER_SIGNATURE = "da83e4c1aacecf5f920ccb3aa4377a4705f871df643c7367893b80e2fc5de04c"  # as released


def test_after_the_upgrade_a_calendar_is_read_on_with_its_token_until_its_own_night(office: Office) -> None:
    """Decision 10: a field that is new in the query costs no whole list before the night, which brings it."""
    known = office.google.add_event(EMAIL, summary="Lunch", **timed(office))
    office.connect_and_rest()
    as_before_the_upgrade(office)
    office.google.add_event(EMAIL, summary="Choir", **timed(office, hour=16))
    office.rest()
    asked = lists(office)
    assert asked and all("syncToken" in each and "iCalUID" not in each for each in asked)
    assert sorted(office.shown()) == ["Choir", "Lunch"]
    assert uids() == {None}
    office.clock.advance(days=1)
    changed_at = office.connection.changed_at
    office.google.reset_requests()
    office.rest()
    asked = lists(office)
    assert "syncToken" not in asked[0] and "iCalUID" in asked[0]
    assert f"{known['id']}@google.com" in uids() and None not in uids()
    assert signatures() == {pull.QUERY_SIGNATURE}
    assert office.connection.changed_at == changed_at, "nothing changed for anybody who looks"
    office.google.reset_requests()
    office.rest()
    assert all("syncToken" in each for each in lists(office))


def test_a_first_list_that_the_upgrade_interrupts_is_read_to_its_end(office: Office) -> None:
    """Its page token, too, answers only the query that gave it."""
    office.google.add_event(EMAIL, summary="Lunch", **timed(office))
    office.connect_and_rest()
    as_before_the_upgrade(office)
    row = db.session.scalars(db.select(GoogleCalendar).filter_by(calendar_id="primary")).one()
    row.sync_token, row.is_full_pass = None, True
    db.session.commit()
    office.rest()
    of_primary = [each for each in lists(office) if "/primary/" in each]
    assert len(of_primary) == 1 and "iCalUID" not in of_primary[0]
    assert office.shown() == ["Lunch"]


def as_before_the_upgrade(office: Office) -> None:
    """Every calendar read under the earlier query, and last night's reading done."""
    for row in db.session.scalars(
        db.select(GoogleCalendar).where(GoogleCalendar.query_signature.is_not(None))
    ):
        row.query_signature = EARLIER_SIGNATURE
    db.session.execute(db.update(GoogleEvent).values(ical_uid=None))
    office.connection.verified_at = office.clock()
    db.session.commit()
    office.google.reset_requests()


def lists(office: Office) -> list[str]:
    requests = office.google.requests(method="calendar.events.list")["requests"]
    return [unquote(each["path"]) for each in requests]


def uids() -> set[str | None]:
    return set(db.session.scalars(db.select(GoogleEvent.ical_uid)))


def signatures() -> set[str]:
    rows = db.select(GoogleCalendar.query_signature).where(GoogleCalendar.query_signature.is_not(None))
    return set(db.session.scalars(rows))


def test_what_is_late_in_a_list_is_looked_up_before_it_is_believed_gone(office: Office) -> None:
    """Failure 12: absence from a list of our own calendar is only a suspicion."""
    hidden, deleted = office.book(days=3), office.book(days=4)
    office.connect_and_rest()
    office.clock.advance(minutes=6)
    event = office.event_of(hidden)
    office.google.act_on_event(EMAIL, office.app_calendar_id, event["id"], "hide", seconds=600)
    office.google.delete_event(EMAIL, office.app_calendar_id, office.event_of(deleted)["id"])
    office.rest(full=True)
    office.clock.advance(minutes=3)
    office.rest(full=True)
    assert office.google.writes() == 0
    assert starts_at(office.google.control("GET", event_path(office, event["id"]))) == hidden.starts_at
    db.session.expire_all()
    asked = [card.appointment_id for card in db.session.scalars(db.select(ChangeCard))]
    assert asked == [deleted.id], "only what Google says is deleted is asked about"
    office.assert_it_still_writes()


def event_path(office: Office, event_id: str) -> str:
    return f"/accounts/{EMAIL}/calendars/{office.app_calendar_id}/events/{event_id}"
