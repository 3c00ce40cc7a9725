"""The calendar pages: which entries stand there, what they say, and who may see them."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from portal.clock import utcnow
from portal.extensions import db
from portal.people import accounts
from portal.practice import appointments
from portal.practice.spans import AllDay, Timed
from tests.forms import Element
from tests.office import MONDAY, VERB, ZONE, Office, at, entries, get, one_entry

WEEK = f"/calendar?view=week&date={MONDAY}"
VIEWS = ("month", "week", "day", "agenda")
MOST_STATEMENTS = 12


def chicago(day: int, time: str) -> dt.datetime:
    date = MONDAY + dt.timedelta(days=day)
    return dt.datetime.combine(date, dt.time.fromisoformat(time), tzinfo=ZoneInfo(ZONE))


def segments(page: Element) -> list[Element]:
    return [element for element in page.everything() if "data-segment-of" in element]


@pytest.mark.parametrize("view", VIEWS)
def test_an_appointment_stands_once_in_every_view(office: Office, visitor: FlaskClient, view: str) -> None:
    booked = office.book(at(2, "09:00"))
    page = get(visitor, f"/calendar?view={view}&date=2026-11-18")
    entry = one_entry(page, "Rosa Tellan 1001")
    assert entry["data-entry"] == "appointment"
    assert entry["data-id"] == f"appointment-{booked.id}"
    assert entry["data-status"] == "scheduled"
    assert entry["data-start"] == "2026-11-18T09:00:00-06:00"
    assert entry["data-end"] == "2026-11-18T09:50:00-06:00"
    assert entry.text.startswith("9:00")


@pytest.mark.parametrize("view", VIEWS)
def test_a_google_event_is_locked_and_says_so(office: Office, visitor: FlaskClient, view: str) -> None:
    office.add_google_event(chicago(2, "13:30"), 50, "Dentist")
    entry = one_entry(get(visitor, f"/calendar?view={view}&date=2026-11-18"), "Dentist")
    assert (entry["data-entry"], entry["data-status"]) == ("google", "confirmed")
    assert entry.text.startswith("1:30")
    assert "From Google, locked" in entry.text
    assert any(use["href"].endswith("#lock") for use in entry.find("use"))


def test_an_all_day_entry_has_dates_and_the_end_is_exclusive(office: Office, visitor: FlaskClient) -> None:
    office.book(AllDay(MONDAY, MONDAY + dt.timedelta(days=2), ZONE), title="Notes")
    midnight = dt.datetime.combine(MONDAY + dt.timedelta(days=3), dt.time(), tzinfo=dt.UTC)
    office.add_google_event(midnight, 0, "Visit", days=3)
    page = get(visitor, WEEK)
    own, google = one_entry(page, "Notes"), one_entry(page, "Visit")
    assert (own["data-start"], own["data-end"]) == ("2026-11-16", "2026-11-18")
    assert (google["data-start"], google["data-end"]) == ("2026-11-19", "2026-11-22")


@pytest.mark.parametrize(("view", "pieces"), [("week", 1), ("month", 1), ("agenda", 1)])
def test_an_entry_across_midnight_is_one_entry_with_a_further_piece(
    office: Office, visitor: FlaskClient, view: str, pieces: int
) -> None:
    booked = office.book(at(2, "23:00", minutes=120), title="Night train")
    page = get(visitor, f"/calendar?view={view}&date=2026-11-16")
    one_entry(page, "Night train")
    assert [piece["data-segment-of"] for piece in segments(page)] == [f"appointment-{booked.id}"] * pieces


def test_an_entry_that_began_before_the_page_is_still_an_entry(office: Office, visitor: FlaskClient) -> None:
    office.book(at(2, "23:00", minutes=120), title="Night train")
    page = get(visitor, "/calendar?view=day&date=2026-11-19")
    assert one_entry(page, "Night train")["data-start"] == "2026-11-18T23:00:00-06:00"
    assert segments(page) == []


def test_entries_carry_the_offset_of_their_own_side_of_a_clock_change(
    office: Office, visitor: FlaskClient
) -> None:
    office.book(Timed(dt.date(2026, 10, 31), dt.time(9), ZONE, 50), title="Before")
    office.book(Timed(dt.date(2026, 11, 1), dt.time(9), ZONE, 50), title="After")
    page = get(visitor, "/calendar?view=week&date=2026-10-26")
    assert one_entry(page, "Before")["data-start"] == "2026-10-31T09:00:00-05:00"
    assert one_entry(page, "After")["data-start"] == "2026-11-01T09:00:00-06:00"


def test_canceled_entries_stay_crossed_out_and_labelled_until_hidden(
    office: Office, visitor: FlaskClient
) -> None:
    canceled, missed = office.book(at(1, "10:00")), office.book(at(2, "10:00"))
    appointments.cancel(canceled, late=True, reason="", actor=office.provider, **VERB)
    appointments.mark_no_show(missed, actor=office.provider, **VERB)
    db.session.commit()
    found = {entry["data-status"]: entry for entry in entries(get(visitor, WEEK))}
    assert set(found) == {"late-canceled", "no-show"}
    assert "Late canceled" in found["late-canceled"].text
    assert all("is-missed" in entry["class"] for entry in found.values())
    assert entries(get(visitor, f"{WEEK}&show=none&show=sessions")) == []


def test_archived_entries_show_only_when_asked_for(office: Office, visitor: FlaskClient) -> None:
    booked = office.book()
    appointments.archive(booked, actor=office.provider, **VERB)
    db.session.commit()
    assert entries(get(visitor, WEEK)) == []
    assert "data-archived" in one_entry(get(visitor, f"{WEEK}&show=sessions&show=archived"), "Rosa")


def test_links_of_the_page_keep_the_filters(office: Office, visitor: FlaskClient) -> None:
    page = get(visitor, f"{WEEK}&show=sessions&show=archived")
    links = {link.text or link["aria-label"]: link["href"] for link in page.find("a")}
    for name in ("Month", "Week", "Day", "Agenda", "Today", "Previous", "Next"):
        assert "show=sessions&show=archived" in links[name], name


@pytest.mark.parametrize(
    ("view", "previous", "following"),
    [
        ("month", "2026-09-30", "2026-11-30"),  # the 31st does not exist there
        ("week", "2026-10-24", "2026-11-07"),
        ("day", "2026-10-30", "2026-11-01"),
        ("agenda", "2026-10-01", "2026-11-30"),
    ],
)
def test_previous_and_next_step_by_what_is_shown(
    visitor: FlaskClient, view: str, previous: str, following: str
) -> None:
    page = get(visitor, f"/calendar?view={view}&date=2026-10-31")
    links = {link["aria-label"]: link["href"] for link in page.find("a")}
    assert f"date={previous}" in links["Previous"]
    assert f"date={following}" in links["Next"]


def test_declined_birthdays_and_working_places_are_not_shown(office: Office, visitor: FlaskClient) -> None:
    office.add_google_event(chicago(0, "09:00"), 30, "declined", self_response="declined")
    office.add_google_event(chicago(1, "09:00"), 30, "birthday", event_type="birthday")
    office.add_google_event(chicago(2, "09:00"), 30, "office", event_type="workingLocation")
    office.add_google_event(chicago(3, "09:00"), 30, "odd", quarantine="no-end")
    office.add_google_event(chicago(4, "09:00"), 30, "Gym")
    assert [entry["data-entry"] for entry in entries(get(visitor, WEEK))] == ["google"]


def test_events_that_are_free_in_google_are_hollow(office: Office, visitor: FlaskClient) -> None:
    office.add_google_event(chicago(0, "09:00"), 60, "Parcel", transparency="transparent")
    entry = one_entry(get(visitor, WEEK), "Parcel")
    assert "is-free" in entry["class"]
    assert "Free in Google" in entry.text


def test_the_owner_sees_others_appointments_but_only_that_their_google_time_is_busy(
    office: Office, visitor: FlaskClient
) -> None:
    occurrence = office.add_google_event(chicago(0, "09:00"), 60, "Secret", provider=office.other)
    office.book(at(1, "09:00"), title="Team talk", provider=office.other)
    page = get(visitor, f"{WEEK}&provider={office.other.id}")
    assert "Secret" not in page.text
    assert one_entry(page, "Busy")["data-entry"] == "google"
    one_entry(page, "Team talk")
    assert get(visitor, f"/calendar/google/{occurrence.id}", 404)


def test_the_owner_still_sees_the_appointments_of_an_account_that_was_closed(
    office: Office, visitor: FlaskClient
) -> None:
    office.book(at(1, "09:00"), title="Team talk", provider=office.other)
    accounts.deactivate(office.other, now=utcnow())
    db.session.commit()
    page = get(visitor, f"{WEEK}&provider={office.other.id}")
    assert f"{office.other.name} (deactivated)" in page.text
    one_entry(page, "Team talk")


def test_nobody_else_sees_anything_of_the_owner(office: Office) -> None:
    booked = office.book(at(1, "09:00"))
    occurrence = office.add_google_event(chicago(0, "09:00"), 60, "Secret")
    visitor = office.sign_in(office.other)
    assert entries(get(visitor, f"{WEEK}&provider={office.provider.id}")) == []
    get(visitor, f"/appointments/{booked.id}", 404)
    get(visitor, f"/calendar/google/{occurrence.id}", 404)


def test_a_google_event_has_a_page_that_leads_to_google(office: Office, visitor: FlaskClient) -> None:
    occurrence = office.add_google_event(chicago(0, "09:00"), 60, "Gym")
    page = get(visitor, f"/calendar/google/{occurrence.id}")
    links = {link.text: link["href"] for link in page.find("a")}
    assert links["Open in Google Calendar"].startswith("https://calendar.google.com/")
    assert "From Google, locked" in page.text


def test_a_link_that_is_not_google_over_https_is_not_offered(office: Office, visitor: FlaskClient) -> None:
    occurrence = office.add_google_event(chicago(0, "09:00"), 60, "Gym", html_link="javascript:alert(1)")
    assert "Open in Google" not in get(visitor, f"/calendar/google/{occurrence.id}").text


def test_overlaps_are_pointed_out(office: Office, visitor: FlaskClient) -> None:
    office.book(at(2, "13:00"))
    office.add_google_event(chicago(2, "13:30"), 60, "Dentist")
    page = get(visitor, WEEK)
    assert "overlaps a Google event" in one_entry(page, "Rosa").text
    assert "1 appointment overlaps, Wed 1:00 PM" in page.text


def test_the_page_names_its_zone_and_remembers_the_view(office: Office, visitor: FlaskClient) -> None:
    page = get(visitor, f"/calendar?view=agenda&date={MONDAY}")
    assert "Chicago time" in page.text
    again = get(visitor, "/calendar")
    main = again.find("main")[0]
    assert (main["data-view"], main["data-timezone"]) == ("agenda", ZONE)


def test_a_senseless_address_shows_the_present(visitor: FlaskClient) -> None:
    for query in ("view=year&date=2026-13-40", "date=9999-12-31", "date=0001-01-01&view=month"):
        get(visitor, f"/calendar?{query}")


@pytest.mark.parametrize("view", VIEWS)
def test_a_full_page_takes_few_statements_whatever_it_shows(
    office: Office, visitor: FlaskClient, view: str
) -> None:
    for number in range(40):
        office.book(at(number % 7, f"{8 + number // 7:02}:00"))
    for number in range(20):
        office.add_google_event(chicago(number % 7, "17:30"), 30, f"Event {number}")
    statements: list[str] = []

    def count(_conn: object, _cursor: object, statement: str, *_rest: object) -> None:
        if not statement.startswith(("BEGIN", "PRAGMA")):
            statements.append(statement)

    sa.event.listen(db.engine, "before_cursor_execute", count)
    date = MONDAY if view != "day" else MONDAY + dt.timedelta(days=1)
    page = get(visitor, f"/calendar?view={view}&date={date}&provider={office.provider.id}")
    sa.event.remove(db.engine, "before_cursor_execute", count)
    assert len(entries(page)) >= (8 if view == "day" else 60)
    assert len(statements) <= MOST_STATEMENTS, statements


def test_nothing_of_the_page_is_inline(office: Office, visitor: FlaskClient) -> None:
    office.book()
    page = get(visitor, WEEK)
    assert [element.tag for element in page.everything() if "style" in element or "onclick" in element] == []
    assert [script["src"] for script in page.find("script") if not script["src"]] == []
    assert page.find("style") == []


def test_ids_are_unique(office: Office, visitor: FlaskClient) -> None:
    office.book()
    for view in VIEWS:
        ids = [
            element["id"] for element in get(visitor, f"/calendar?view={view}").everything() if element["id"]
        ]
        assert len(ids) == len(set(ids))
