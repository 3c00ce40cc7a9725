"""The comparison with Google: what it says of each kind of entry, and that it only ever reads.

Each day is compared twice, by the whole calendar and by the short request of a page, and both agree.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from portal.engine.run import open_client
from portal.errors import Refused
from portal.extensions import db
from portal.models import Checkup, EventLink, GoogleCalendar, GoogleEvent, GoogleOccurrence
from portal.standing import checks, compare, full_check, proof, report
from tests.engine.conftest import EMAIL, Office

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def verdicts(office: Office, calendar: str, *, days: int = 3) -> dict[str, str]:
    """Title to verdict, of one day."""
    date = (office.clock() + dt.timedelta(days=days)).date()
    connection = office.connection
    row = office.calendar_row(calendar)
    with open_client(connection) as client:
        items = compare.compare(client, row, date, date + dt.timedelta(days=1), now=office.clock())
        office.google.reset_requests()
        of_the_day = compare.compare_day(client, row, date, now=office.clock())
    assert [replace(item, html_link=None) for item in of_the_day] == [  # a date of a series has its own link
        replace(item, html_link=None) for item in items
    ]
    return {item.summary: item.verdict for item in items}


def check(office: Office) -> Checkup:
    """Ask for a whole comparison, and do it as a worker would."""
    full_check.ask(office.connection, now=office.clock())
    db.session.commit()
    full_check.check_everything(office.connection.id, clock=office.clock)
    return db.session.get_one(Checkup, office.connection.id)


def timed(office: Office, *, days: int = 3, hour: int = 15) -> dict[str, dict[str, str]]:
    day = (office.clock() + dt.timedelta(days=days)).date()
    zone = "America/Chicago"
    return {
        "start": {"dateTime": f"{day}T{hour:02}:00:00", "timeZone": zone},
        "end": {"dateTime": f"{day}T{hour:02}:50:00", "timeZone": zone},
    }


def whole_day(office: Office, *, days: int = 3) -> dict[str, dict[str, str]]:
    day = (office.clock() + dt.timedelta(days=days)).date()
    return {"start": {"date": f"{day}"}, "end": {"date": f"{day + dt.timedelta(days=1)}"}}


def test_an_appointment_in_google_is_in_step(office: Office) -> None:
    office.book(days=3)
    office.connect_and_rest()
    assert verdicts(office, "Lockstep") == {"1001": "in-step"}
    assert office.google.writes() == 0
    office.assert_it_still_writes()


def test_one_that_was_booked_a_moment_ago_is_on_its_way(office: Office) -> None:
    office.connect_and_rest()
    office.book(days=3)
    assert verdicts(office, "Lockstep") == {"1001": "waiting"}


def test_a_change_in_google_that_was_not_seen_yet_differs(office: Office) -> None:
    appointment = office.book(days=3)
    office.connect_and_rest()
    event = office.event_of(appointment)
    office.google.change_event(EMAIL, office.app_calendar_id, event["id"], summary="Jane")
    assert verdicts(office, "Lockstep") == {"Jane": "differs"}
    office.google.delete_event(EMAIL, office.app_calendar_id, event["id"])
    assert verdicts(office, "Lockstep") == {"1001": "gone-there"}


def test_a_deleted_event_that_waits_for_an_answer_is_asked_about(office: Office) -> None:
    appointment = office.book(days=3)
    office.connect_and_rest()
    office.google.delete_event(EMAIL, office.app_calendar_id, office.event_of(appointment)["id"])
    office.rest()
    assert verdicts(office, "Lockstep") == {"1001": "asked"}
    connection = office.connection
    assert checks.count_unsent(connection, now=office.clock()) == {"deleted-there": 1}
    assert [reason for _, reason in checks.unsent(connection, now=office.clock())] == ["deleted-there"]


def test_every_google_event_is_shown_or_hidden_with_a_reason(office: Office) -> None:
    office.google.add_event(EMAIL, summary="Gym", **timed(office))
    office.google.add_event(EMAIL, summary="Parcel", transparency="transparent", **timed(office))
    declined = [{"email": EMAIL, "self": True, "responseStatus": "declined"}]
    office.google.add_event(EMAIL, summary="Block party", attendees=declined, **timed(office))
    office.connect_and_rest()
    office.google.add_event(EMAIL, summary="Just now", **timed(office))
    office.google.add_event(EMAIL, summary="All day", **whole_day(office))
    primary = db.session.scalars(db.select(GoogleCalendar).filter_by(calendar_id="primary")).one()
    assert verdicts(office, primary.summary) == {
        "Gym": "shown",
        "Parcel": "shown-free",
        "Block party": "declined",
        "Just now": "not-here",
        "All day": "not-here",
    }
    assert verdicts(office, primary.summary, days=4) == {}, "only the day that was asked for"


def test_a_series_is_compared_date_by_date(office: Office) -> None:
    office.google.add_event(EMAIL, summary="Choir", recurrence=["RRULE:FREQ=DAILY;COUNT=5"], **timed(office))
    office.connect_and_rest()
    primary = db.session.scalars(db.select(GoogleCalendar).filter_by(calendar_id="primary")).one()
    assert verdicts(office, primary.summary, days=5) == {"Choir": "shown"}
    row = db.session.scalars(
        db.select(GoogleOccurrence).order_by(GoogleOccurrence.starts_at).offset(2).limit(1)
    ).one()
    db.session.delete(row)
    db.session.commit()
    assert verdicts(office, primary.summary, days=5) == {"Choir": "not-here"}


def test_a_page_that_asks_for_a_day_reads_no_more_than_that_day(office: Office) -> None:
    appointment = office.book(days=3)
    for days in range(4, 9):
        office.book(days=days)
    office.connect_and_rest()
    elsewhere = timed(office, days=9)
    office.google.change_event(EMAIL, office.app_calendar_id, office.event_of(appointment)["id"], **elsewhere)
    assert verdicts(office, "Lockstep") == {"1001": "differs"}
    asked = [each["method_id"] for each in office.google.requests()["requests"]]
    assert asked == ["calendar.events.list", "calendar.events.get"], "the day, and the one it does not show"


def test_what_is_only_here_is_found(office: Office) -> None:
    event = office.google.add_event(EMAIL, summary="Gym", **timed(office))
    office.connect_and_rest()
    office.google.delete_event(EMAIL, "primary", event["id"])
    primary = db.session.scalars(db.select(GoogleCalendar).filter_by(calendar_id="primary")).one()
    assert verdicts(office, primary.summary) == {"Gym": "only-here"}


def test_a_full_check_keeps_counts_by_day_and_no_title(office: Office) -> None:
    office.book(days=3)
    office.google.add_event(EMAIL, summary="Canary title", **timed(office))
    office.connect_and_rest()
    done = check(office)
    assert (done.error, done.differences) == (None, [])
    assert sum(total for total, _ in done.days.values()) == 2
    office.google.add_event(EMAIL, summary="Canary later", **timed(office, days=5))
    done = check(office)
    assert [each["verdict"] for each in done.differences] == ["not-here"]
    assert "Canary" not in str((done.days, done.differences))
    assert office.google.writes() == 0
    office.assert_it_still_writes()


def test_a_check_that_google_refuses_says_so_and_changes_nothing(office: Office) -> None:
    office.book(days=3)
    office.connect_and_rest()
    office.google.add_fault("backend_error", method="calendar.*", times=None)
    done = check(office)
    assert done.error is not None
    assert db.session.scalar(db.select(db.func.count(EventLink.id))) == 1


def test_guests_on_an_event_of_ours_are_counted(office: Office) -> None:
    appointment = office.book(days=3)
    office.connect_and_rest()
    guests = [{"email": "someone@example.com"}]
    event = office.event_of(appointment)
    office.google.change_event(EMAIL, office.app_calendar_id, event["id"], attendees=guests)
    office.rest()
    assert check(office).with_guests == 1


def test_one_appointment_is_looked_up_with_one_request(office: Office) -> None:
    office.book(days=3)
    office.connect_and_rest()
    link = db.session.scalars(db.select(EventLink)).one()
    with open_client(office.connection) as client:
        item = compare.look_up(client, link, office.app_calendar_id, now=office.clock())
    assert item is not None
    assert (item.verdict, item.summary) == ("in-step", "1001")


def test_a_look_from_the_appointments_page_asks_once_and_has_what_differs_mended(office: Office) -> None:
    appointment = office.book(days=3)
    with pytest.raises(Refused):
        proof.look(appointment, now=office.clock())
    office.connect_and_rest()
    assert proof.look(appointment, now=office.clock()) == "in-step"
    assert [each["method_id"] for each in office.google.requests()["requests"]] == ["calendar.events.get"]
    assert office.connection.requested == office.connection.handled, "nothing to mend"
    event = office.event_of(appointment)
    office.google.change_event(EMAIL, office.app_calendar_id, event["id"], summary="Jane")
    assert proof.look(appointment, now=office.clock()) == "differs"
    assert office.connection.requested > office.connection.handled
    office.rest()
    assert proof.look(appointment, now=office.clock()) == "in-step"
    office.cancel(appointment)
    office.rest()
    assert proof.look(appointment, now=office.clock()) is None


def test_in_a_healthy_sync_every_line_is_fine(office: Office) -> None:
    office.book(days=3)
    office.connect_and_rest()
    check(office)
    told = report.support_report(office.provider, now=office.clock())
    assert [line for line in told["lines"] if not line["ok"]] == []
    assert {line["id"] for line in told["lines"]} >= {
        "mode", "account", "calendars", "grant", "channel", "pushed", "pulled", "old-feed", "duplicates",
        "unsent",
    }  # fmt: skip


def test_the_report_names_nobody(office: Office) -> None:
    """Names, titles, e-mails and tokens are planted everywhere; none may come out."""
    office.book(days=3)
    office.book_all_day()
    office.google.add_event(EMAIL, summary="Canary title", **timed(office))
    connection = office.connect_and_rest()
    planted = [
        "Canary", "Birdsong", "Notes day", "Wren", EMAIL, connection.email, connection.refresh_token,
        connection.access_token, office.app_calendar_id, "Lockstep",
    ]  # fmt: skip
    check(office)
    told = report.support_report(office.provider, now=office.clock())
    for text in (str(told), report.as_text(told)):
        assert [canary for canary in planted if str(canary) in text] == []
    assert db.session.get(Checkup, office.connection.id) is not None
    assert db.session.scalar(db.select(db.func.count(GoogleEvent.id))) == 1
