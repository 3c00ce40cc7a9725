"""The calendar pages beyond the usual week: clock changes, crowds, far dates, hidden names, filters."""

from __future__ import annotations

import datetime as dt
import gzip
from zoneinfo import ZoneInfo

import icalendar
import pytest
import time_machine
from flask.testing import FlaskClient

from portal.calendar import layout
from portal.extensions import db
from portal.models import AuditEntry, GoogleEvent, Provider
from portal.people import accounts
from portal.practice import appointments, offers
from portal.practice.spans import AllDay, Timed
from tests.forms import Element, read_page
from tests.office import MONDAY, NOW, VERB, ZONE, Office, at, entries, get, one_entry

WEEK = f"/calendar?view=week&date={MONDAY}"
MOST_COMPRESSED = 60_000
# (zone, the day on which clocks change, the change in hours); the instants are computed from these alone
CLOCK_CHANGES = [
    ("America/Chicago", dt.date(2026, 3, 8), -6, -5),
    ("America/Chicago", dt.date(2026, 11, 1), -5, -6),
    ("Europe/Berlin", dt.date(2026, 3, 29), 1, 2),
    ("Europe/Berlin", dt.date(2026, 10, 25), 2, 1),
    ("Australia/Sydney", dt.date(2026, 10, 4), 10, 11),
    ("Australia/Sydney", dt.date(2026, 4, 5), 11, 10),
]


def live_in(office: Office, zone: str) -> None:
    office.provider.timezone = zone
    db.session.commit()


def instant(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).astimezone(dt.UTC)


@pytest.mark.parametrize(("zone", "sunday", "before", "after"), CLOCK_CHANGES)
@pytest.mark.parametrize("view", ["week", "day", "agenda", "month"])
def test_times_around_a_clock_change_are_the_right_instants(
    office: Office, visitor: FlaskClient, view: str, zone: str, sunday: dt.date, before: int, after: int
) -> None:
    live_in(office, zone)
    early = office.book(Timed(sunday, dt.time(0, 30), zone, 45), title="Before the change")
    late = office.book(Timed(sunday, dt.time(9), zone, 50), title="After the change")
    across = office.book(Timed(sunday, dt.time(1), zone, 240), title="Across the change")
    page = get(visitor, f"/calendar?view={view}&date={sunday}")
    midnight = dt.datetime.combine(sunday, dt.time(), tzinfo=dt.UTC)
    expected = {
        early.id: (midnight + dt.timedelta(hours=0.5 - before), 45),
        late.id: (midnight + dt.timedelta(hours=9 - after), 50),
        across.id: (midnight + dt.timedelta(hours=1 - before), 240),
    }
    for entry in entries(page):
        starts_at, minutes = expected.pop(int(entry["data-id"].split("-")[1]))
        assert instant(entry["data-start"]) == starts_at
        assert instant(entry["data-end"]) == starts_at + dt.timedelta(minutes=minutes)
        assert dt.datetime.fromisoformat(entry["data-start"]).utcoffset() is not None
    assert expected == {}


@pytest.mark.parametrize(("zone", "sunday", "before", "after"), CLOCK_CHANGES)
def test_a_google_event_keeps_its_instant_in_any_zone(
    office: Office, visitor: FlaskClient, zone: str, sunday: dt.date, before: int, after: int
) -> None:
    live_in(office, zone)
    starts_at = dt.datetime.combine(sunday, dt.time(12), tzinfo=dt.UTC) - dt.timedelta(hours=after)
    office.add_google_event(starts_at, 60, "Concert")
    entry = one_entry(get(visitor, f"/calendar?view=day&date={sunday}"), "Concert")
    assert instant(entry["data-start"]) == starts_at
    offset = f"{after:+03}:00"
    assert entry["data-start"] == f"{sunday}T12:00:00{offset}"


def test_an_all_day_event_has_the_same_dates_whatever_the_zone(office: Office, visitor: FlaskClient) -> None:
    day = dt.date(2026, 11, 1)
    office.book(AllDay(day, day + dt.timedelta(days=1), ZONE), title="Off")
    for zone in ("Pacific/Kiritimati", "Pacific/Pago_Pago", "Europe/Berlin"):
        live_in(office, zone)
        entry = one_entry(get(visitor, f"/calendar?view=month&date={day}"), "Off")
        assert (entry["data-start"], entry["data-end"]) == ("2026-11-01", "2026-11-02")


def test_a_change_of_zone_keeps_the_instant_and_shows_another_clock(
    office: Office, visitor: FlaskClient
) -> None:
    office.book(at(2, "23:30"))
    live_in(office, "Europe/Berlin")
    entry = one_entry(get(visitor, "/calendar?view=day&date=2026-11-19"), "Rosa")
    assert entry["data-start"] == "2026-11-19T06:30:00+01:00"


def test_a_crowd_folds_and_every_entry_stays_in_the_page(office: Office, visitor: FlaskClient) -> None:
    for number in range(7):
        office.book(at(2, "10:00"), title=f"Event {number}")
    page = get(visitor, WEEK)
    assert len(entries(page)) == 7
    (fold,) = [element for element in page.find("li") if "fold" in element["class"].split()]
    assert fold.find("summary")[0].text == "+5 more on Wednesday, November 18"
    assert [link["href"] for link in fold.find("a")][-1].startswith("/calendar?view=day&date=2026-11-18")
    assert len([element for element in fold.everything() if "data-entry" in element]) == 5


def test_on_paper_what_is_folded_away_follows_in_words(office: Office, visitor: FlaskClient) -> None:
    for number in range(7):
        office.book(at(2, "10:00"), title=f"Event {number}", location="Maple Room")
    office.book(at(3, "10:00"), title="Alone")
    page = get(visitor, WEEK)
    (also,) = [element for element in page.find("section") if "folded" in element["class"].split()]
    assert also.find("h2")[0].text == "Also on Wednesday, November 18"
    in_the_grid = [entry.text for entry in entries(page) if not entry.ancestor("details")]
    lines = [line.text for line in also.find("li")]
    assert len(lines) == 5
    for number in range(7):
        assert sum(f"Event {number}" in text for text in [*in_the_grid, *lines]) == 1


def gaps(page: Element) -> list[str]:
    return [element.text for element in page.find("li") if element["class"] == "gap"]


def test_a_days_free_time_is_named_between_its_entries_and_can_be_booked(
    office: Office, visitor: FlaskClient
) -> None:
    office.book(at(4, "09:30"))
    office.book(at(4, "10:30", minutes=15))  # ten minutes before it are no time to book
    appointments.cancel(office.book(at(4, "13:00")), late=False, reason="", actor=office.provider, **VERB)
    office.add_google_event(dt.datetime(2026, 11, 20, 20, tzinfo=dt.UTC), 60, "Dentist")  # 2 PM in Chicago
    db.session.commit()
    with time_machine.travel(NOW):
        page = get(visitor, f"/calendar?view=day&date={MONDAY + dt.timedelta(days=4)}")
        assert gaps(page) == ["30 min free Book", "3 h 15 min free Book", "2 h free Book"]
        names = [link["aria-label"] for link in page.find("a") if "Book at" in link["aria-label"]]
        assert names == ["Book at 9:00 AM", "Book at 10:45 AM", "Book at 3:00 PM"]
        assert gaps(get(visitor, f"/calendar?view=day&date={MONDAY}")) == []  # over
        today = get(visitor, f"/calendar?view=day&date={NOW.date()}")  # 11:20 AM
        assert gaps(today) == ["5 h 30 min free Book"]
        assert gaps(get(visitor, WEEK)) == []
        order = [item["class"] for item in page.find("ol")[-1].find("li")]
        assert [name == "gap" for name in order] == [True, False, False, True, False, False, True]


def test_the_strip_over_a_day_says_how_much_is_booked(office: Office, visitor: FlaskClient) -> None:
    office.book(at(2, "09:00"))
    office.book(at(2, "23:30"))
    office.book(at(3, "09:00"), provider=office.other, title="Somebody else's")
    page = get(visitor, f"/calendar?view=day&date={MONDAY}")
    strip = [link.text for link in page.find("a") if link["id"].startswith("day-")]
    assert [text for text in strip if "booked" in text] == ["Wed 18 November, 2 booked"]


def test_more_providers_than_fit_are_told_of_and_those_that_fit_have_a_column_each(
    office: Office, visitor: FlaskClient
) -> None:
    for number in range(layout.MOST_COLUMNS):
        made = accounts.add_provider(
            email=f"p{number}@example.com",
            name=f"Provider {number:02}",
            timezone=ZONE,
            password="a long phrase",
            is_owner=False,
            now=NOW,
        )
        office.book(AllDay(MONDAY, MONDAY + dt.timedelta(days=1), ZONE), title="Off", provider=made)
    db.session.commit()
    ids = "&".join(f"provider={number}" for number in db.session.scalars(db.select(Provider.id)))
    page = get(visitor, f"/calendar?view=day&date={MONDAY}&{ids}")
    columns = [element for element in page.find("section") if "day" in element["class"].split()]
    assert len(columns) == layout.MOST_COLUMNS
    assert "12 of 14 providers fit side by side." in page.text
    week = get(visitor, f"/calendar?view=week&date={MONDAY}&{ids}")
    assert len(entries(week)) == layout.MOST_COLUMNS


def test_a_day_with_forty_entries_shows_each_once(office: Office, visitor: FlaskClient) -> None:
    for number in range(40):
        office.book(at(2, f"{8 + number // 5:02}:{number % 5 * 10:02}", minutes=15), title=f"Call {number}")
    for view in ("day", "week", "month", "agenda"):
        found = entries(get(visitor, f"/calendar?view={view}&date=2026-11-18"))
        assert len({entry["data-id"] for entry in found}) == len(found) == 40


def add_series(office: Office, rule: str, **values: object) -> GoogleEvent:
    """A weekly event from Google, stored as a pull leaves it, with its rows ready for 400 days."""
    occurrence = office.add_google_event(NOW, 60, "Choir", recurrence=[rule], **values)
    event = db.session.get_one(GoogleEvent, occurrence.google_event_id)
    zone = "America/Chicago"
    event.start = {"datetime": NOW.isoformat(), "tzid": zone}
    event.end = {"datetime": (NOW + dt.timedelta(hours=1)).isoformat(), "tzid": zone}
    event.expanded_until = NOW + dt.timedelta(days=400)
    occurrence.occurrence_key = f"{NOW:%Y%m%dT%H%M%SZ}"
    db.session.commit()
    return event


def test_googles_dates_beyond_those_kept_ready_are_expanded_for_the_page(
    office: Office, visitor: FlaskClient
) -> None:
    event = add_series(office, "RRULE:FREQ=WEEKLY")
    day = NOW.date() + dt.timedelta(weeks=208)
    entry = one_entry(get(visitor, f"/calendar?view=day&date={day}"), "Choir")
    expected = dt.datetime.combine(day, dt.time(11, 20), tzinfo=ZoneInfo(ZONE))
    assert instant(entry["data-start"]) == expected.astimezone(dt.UTC)
    assert entry["data-id"].startswith(f"google-{event.id}-{day:%Y%m%d}T")
    assert "From Google, locked" in get(visitor, entry["href"]).text


def test_the_address_of_a_google_event_outlives_a_new_expansion(office: Office, visitor: FlaskClient) -> None:
    event = add_series(office, "RRULE:FREQ=WEEKLY")
    address = one_entry(get(visitor, WEEK), "Choir")["href"]
    db.session.execute(db.text("DELETE FROM google_occurrence"))
    db.session.commit()
    assert "Choir" in get(visitor, address).text
    assert address == f"/calendar/google/{event.id}?on={NOW:%Y%m%dT%H%M%SZ}"


def test_a_page_from_before_googles_events_says_that_there_are_none(visitor: FlaskClient) -> None:
    words = "Events from Google are kept for 90 days back."
    assert words in get(visitor, "/calendar?view=week&date=2020-01-01").text
    assert words not in get(visitor, "/calendar?view=week").text


def test_privacy_mode_leaves_no_name_in_the_source_of_any_page(office: Office, visitor: FlaskClient) -> None:
    booked = office.book()
    office.add_google_event(NOW, 60, "Secret meeting")
    visitor.post("/privacy")
    addresses = [f"/calendar?view={view}&date=2026-11-18" for view in ("month", "week", "day", "agenda")]
    addresses += ["/clients", f"/clients/{office.client.id}", f"/clients/{office.client.id}/edit"]
    addresses += [f"/appointments/{booked.id}{page}" for page in ("", "/edit", "/move", "/cancel")]
    addresses += ["/appointments/new?date=2026-11-18&time=09:00", "/appointments/quick?date=2026-11-18"]
    for address in addresses:
        source = visitor.get(address).get_data(as_text=True)
        assert "Tellan" not in source, address
        assert "Secret" not in source, address
    found = visitor.post("/calendar/search", data={"q": "Rosa"}).get_data(as_text=True)
    assert "Tellan" not in found
    entry = entries(get(visitor, WEEK))[0]
    assert "Name hidden" in entry.text
    visitor.post("/privacy")
    one_entry(get(visitor, WEEK), "Rosa Tellan 1001")


def test_a_phone_begins_with_the_day_and_the_calendar_is_where_one_left_it(visitor: FlaskClient) -> None:
    phone = {"User-Agent": "Mozilla/5.0 (iPhone) Mobile/15E148"}
    main = read_page(visitor.get("/calendar", headers=phone).get_data(as_text=True)).find("main")[0]
    assert main["data-view"] == "day"
    visitor.get("/calendar?view=month&date=2027-03-15")
    main = get(visitor, "/calendar").find("main")[0]
    assert (main["data-view"], main["data-date"]) == ("month", "2027-03-01")


def test_places_filter_the_calendar(office: Office, visitor: FlaskClient) -> None:
    maple = offers.add_location("Maple Room")
    db.session.commit()
    office.book(at(1, "09:00"), title="Here", location="Maple Room")
    office.book(at(2, "09:00"), title="There", location="Video")
    office.book(at(3, "09:00"), title="Nowhere")

    def shown(query: str) -> list[str]:
        page = get(visitor, f"{WEEK}{query}")
        return [name for name in ("Here", "There", "Nowhere") if name in page.find("main")[0].text]

    assert shown("") == ["Here", "There", "Nowhere"]
    assert shown(f"&place=none&place={maple.id}") == ["Here"]
    assert shown("&place=none&place=other") == ["There", "Nowhere"]
    assert shown("&place=none") == []


def test_completed_ones_can_be_filtered_out(office: Office, visitor: FlaskClient) -> None:
    done = office.book(at(1, "09:00"))
    appointments.mark_completed(done, actor=office.provider, **VERB)
    office.book(at(2, "09:00"))
    assert len(entries(get(visitor, WEEK))) == 2
    assert len(entries(get(visitor, f"{WEEK}&show=sessions"))) == 1


def test_a_day_of_two_providers_has_a_column_for_each(office: Office, visitor: FlaskClient) -> None:
    office.book(at(2, "09:00"), title="Mine")
    office.book(at(2, "09:00"), title="Theirs", provider=office.other)
    office.add_google_event(NOW, 60, "Secret", provider=office.other)
    page = get(
        visitor,
        f"/calendar?view=day&date=2026-11-18&provider={office.provider.id}&provider={office.other.id}",
    )
    columns = [section for section in page.find("section") if "day" in section["class"].split()]
    assert [column["aria-label"].split(", ")[-1] for column in columns] == ["Dr. Wren Hale", "Sol Ortiz"]
    assert "Mine" in columns[0].text
    assert "Theirs" in columns[1].text
    assert "Busy" in columns[1].text
    assert "Secret" not in page.text
    assert ["data-own" in column for column in columns] == [True, False]


def test_search_finds_by_name_id_title_place_and_googles_title(office: Office, visitor: FlaskClient) -> None:
    office.book(at(1, "09:00"))
    office.book(at(2, "09:00"), title="Team talk", location="Attic")
    office.add_google_event(NOW, 60, "Dentist")
    office.book(at(3, "09:00"), title="Team of somebody else", provider=office.other)
    for text, count in (("rosa", 1), ("1001", 1), ("TEAM", 1), ("attic", 1), ("dent", 1), ("nothing", 0)):
        answer = visitor.post("/calendar/search", data={"q": text})
        page = answer.get_data(as_text=True)
        assert f"{count} found" in page, text


def test_an_export_holds_the_range_and_names_clients_as_outside(office: Office, visitor: FlaskClient) -> None:
    inside, canceled = office.book(at(2, "09:00")), office.book(at(3, "09:00"))
    office.book(at(9, "09:00"))
    appointments.cancel(canceled, late=False, reason="", actor=office.provider, **VERB)
    db.session.commit()
    answer = visitor.post("/calendar/export", data={"first": "2026-11-16", "last": "2026-11-22"})
    assert answer.mimetype == "text/calendar"
    assert answer.headers["Content-Disposition"].endswith('.ics"')
    events = icalendar.Calendar.from_ical(answer.data).walk("VEVENT")
    assert [str(event["SUMMARY"]) for event in events] == ["1001"]
    assert events[0].decoded("DTSTART") == inside.starts_at
    actions = db.session.scalars(db.select(AuditEntry.action)).all()
    assert "calendar.exported" in actions


def test_an_export_without_a_sensible_range_says_so(visitor: FlaskClient) -> None:
    for first, last in (("2026-11-22", "2026-11-16"), ("", "2026-11-16"), ("2020-01-01", "2026-01-01")):
        answer = visitor.post("/calendar/export", data={"first": first, "last": last})
        assert answer.status_code == 422


def test_only_the_owner_changes_locations_and_types(office: Office, visitor: FlaskClient) -> None:
    base = "/calendar/locations-and-types"
    visitor.post(f"{base}/locations", data={"location": "Maple Room"})
    visitor.post(f"{base}/types", data={"type": "Intake", "minutes": "80"})
    assert visitor.post(f"{base}/types", data={"type": "Odd", "minutes": "0"}).status_code == 422
    page = get(visitor, "/appointments/new")
    assert "Intake, 80 minutes" in page.text
    assert [option["value"] for option in page.find("datalist")[0].find("option")] == ["Maple Room"]
    other = office.sign_in(office.other)
    assert other.post(f"{base}/locations", data={"location": "Attic"}).status_code == 403
    assert "Maple Room" in get(other, base).text


def test_an_appointment_keeps_its_type_and_an_empty_length_takes_the_types(
    office: Office, visitor: FlaskClient
) -> None:
    intake = offers.add_type("Intake", "80")
    db.session.commit()
    values = {"kind": "session", "client": str(office.client.id), "date": "2026-11-18", "start_time": "09:00"}
    visitor.post("/appointments", data={**values, "duration": "", "type": str(intake.id)})
    entry = one_entry(get(visitor, WEEK), "Rosa")
    assert entry["data-end"] == "2026-11-18T10:20:00-06:00"
    assert "Intake" in get(visitor, entry["href"]).text


def test_the_version_changes_with_what_is_shown_and_only_then(office: Office, visitor: FlaskClient) -> None:
    def version() -> str:
        return visitor.get("/calendar/version", headers={"X-Background": "1"}).get_data(as_text=True)

    first = version()
    assert version() == first == get(visitor, WEEK).find("main")[0]["data-version"]
    office.book()
    second = version()
    occurrence = office.add_google_event(NOW, 60, "Dentist")
    third = version()
    db.session.delete(occurrence)
    db.session.commit()
    fourth = version()
    assert first != second != third != fourth


def test_a_week_of_sixty_entries_is_small(office: Office, visitor: FlaskClient) -> None:
    for number in range(40):
        office.book(at(number % 7, f"{8 + number // 7:02}:00"))
    for number in range(20):
        office.add_google_event(NOW + dt.timedelta(hours=number), 30, f"Event {number}")
    page = visitor.get(WEEK).data
    assert page.count(b"data-entry=") == 60
    assert len(gzip.compress(page)) < MOST_COMPRESSED
