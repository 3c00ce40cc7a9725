"""Sync doctor and help: lines with buttons that lead somewhere, answers that show one's own state."""

from __future__ import annotations

import datetime as dt
import json
import re
from typing import Any

import pytest
from flask.testing import FlaskClient

from portal.clock import utcnow
from portal.extensions import db
from portal.models import (
    Appointment,
    AppointmentStatus,
    CardKind,
    CheckRequest,
    Checkup,
    ConnectionPhase,
    EventLink,
    GoogleCalendar,
    LinkState,
    SyncMode,
)
from portal.practice import clients
from portal.views.help import questions as help_pages
from tests.forms import Element, read_page
from tests.office import Office, get
from tests.views.sync.test_changes import booked, card

DOCTOR = "/calendar/sync/doctor"


def in_two_way(office: Office, problem: str | None = None) -> None:
    connection = office.connection()
    connection.phase, connection.problem, connection.problem_since = ConnectionPhase.ACTIVE, problem, utcnow()
    connection.last_pushed_at = connection.last_pulled_at = connection.app_calendar_made_at = utcnow()
    connection.scopes = " ".join(help_pages.connecting.oauth.CALENDAR_SCOPES)
    office.provider.sync_mode = SyncMode.TWO_WAY
    db.session.commit()


def lines(visitor: FlaskClient, address: str = DOCTOR) -> dict[str, Element]:
    return {each["data-line"]: each for each in get(visitor, address).everything() if "data-line" in each}


def actions(element: Element) -> list[str]:
    """Where its links and forms lead."""
    return [each["href"] or each["action"] for each in element.everything() if each.tag in ("a", "form")]


def test_without_two_way_the_doctor_says_what_is_on(office: Office, visitor: FlaskClient) -> None:
    assert set(lines(visitor)) == {"mode", "old-feed"}
    assert "Sync is off" in lines(visitor)["mode"].text


def test_every_question_has_a_line_and_the_worst_comes_first(office: Office, visitor: FlaskClient) -> None:
    in_two_way(office, "reconnect-required")
    found = lines(visitor)
    assert next(iter(found)) in ("grant", "pushed", "pulled")
    assert found["grant"]["data-code"] == "reconnect-required"
    assert actions(found["grant"]) == ["/calendar/sync/google/connect"]
    assert {"mode", "account", "app-calendar", "calendars", "channel", "duplicates", "unsent"} <= set(found)


@pytest.mark.parametrize(
    ("problem", "line", "leads_to"),
    [
        ("scope-missing", "grant", "/calendar/sync/google/connect"),
        ("calendar-missing", "app-calendar", "/calendar/sync/create-again"),
        ("calendar-out-of-reach", "app-calendar", "/calendar/sync/create-again"),
        ("delayed", "pushed", "/calendar/sync/now"),
        ("quota", "pushed", "/calendar/sync/now"),
    ],
)
def test_what_ails_the_sync_has_a_line_whose_button_mends_it(
    office: Office, visitor: FlaskClient, problem: str, line: str, leads_to: str
) -> None:
    in_two_way(office, problem)
    found = lines(visitor)[line]
    assert "is-bad" in found["class"] or "is-warn" in found["class"]
    assert actions(found) == [leads_to]


def test_an_appointment_that_is_not_in_google_is_named_with_its_reason(
    office: Office, visitor: FlaskClient
) -> None:
    in_two_way(office)
    card(office, CardKind.DELETED, booked(office), asks=True, state=LinkState.HELD)
    found = lines(visitor)["unsent"]
    assert "Rosa Tellan" in found.text
    assert "deleted there, waits for your answer" in found.text
    assert actions(found) == ["/calendar/sync/changes"]


def test_a_subscription_to_ones_own_feed_is_a_duplicate(office: Office, visitor: FlaskClient) -> None:
    in_two_way(office)
    calendar = office.connection()
    row = db.session.scalars(db.select(GoogleCalendar)).one()
    row.why_not, calendar.calendars_listed_at = "own-feed", row.listed_at
    db.session.commit()
    assert lines(visitor)["duplicates"]["data-code"] == "own-feed-1"


def test_the_strip_shows_three_weeks_of_the_last_comparison(office: Office, visitor: FlaskClient) -> None:
    in_two_way(office)
    today = utcnow().astimezone(office.provider.zone).date()
    difference = {"verdict": "not-here", "day": today.isoformat(), "calendar": 1, "appointment": None}
    db.session.add(
        Checkup(
            connection_id=office.connection().id,
            at=utcnow(),
            days={today.isoformat(): [3, 1]},
            differences=[difference],
        )
    )
    db.session.commit()
    page = get(visitor, DOCTOR)
    cells = [each for each in page.find("a") if each["class"].startswith("cell")]
    assert len(cells) == 21
    assert [each["class"] for each in cells if "1 of 3 differ" in each.text] == ["cell cell-diff"]
    assert "Not here yet" in page.text


# Check everything now


def ask(visitor: FlaskClient) -> Element:
    answer = visitor.post(f"{DOCTOR}/check")
    assert (answer.status_code, answer.headers["Location"]) == (303, DOCTOR)
    return get(visitor, DOCTOR)


def request_row(office: Office) -> CheckRequest:
    db.session.expire_all()
    return db.session.get_one(CheckRequest, office.connection().id)


def buttons(page: Element) -> list[str]:
    return [each.text for each in page.find("main")[0].find("button")]


def test_a_check_that_was_asked_for_is_seen_on_both_pages_and_can_be_stopped(
    office: Office, visitor: FlaskClient
) -> None:
    in_two_way(office)
    assert "Check everything now" in buttons(get(visitor, DOCTOR))
    page = ask(visitor)
    assert "The check begins in a moment" in page.text
    assert "Check everything now" not in buttons(page), "it was asked for"
    assert "The check begins in a moment" in get(visitor, "/calendar/sync").text
    assert request_row(office).connection_id == office.connection().id
    visitor.post(f"{DOCTOR}/check/stop")
    assert "Check everything now" in buttons(get(visitor, DOCTOR))


def test_the_page_shows_how_far_the_check_is_and_polls_for_it(office: Office, visitor: FlaskClient) -> None:
    in_two_way(office)
    ask(visitor)
    row = request_row(office)
    row.runner, row.alive_at, row.total, row.done = "job", utcnow(), 5, [1, 2]
    row.days = {"2026-11-19": [30, 0], "2026-11-20": [12, 1]}
    db.session.commit()
    page = get(visitor, DOCTOR)
    assert "2 of 5 calendars, 42 entries so far" in page.text
    assert [(bar["value"], bar["max"]) for bar in page.find("progress")] == [("2", "5")]
    htmx = {"HX-Request": "true"}
    part = visitor.get(f"{DOCTOR}/check", headers=htmx)
    assert "2 of 5 calendars" in part.text
    assert "<h1>" not in part.text
    assert visitor.get(f"{DOCTOR}/check").headers["Location"] == DOCTOR, "as a page of its own it is none"
    db.session.delete(row)
    db.session.commit()
    assert visitor.get(f"{DOCTOR}/check", headers=htmx).headers["HX-Refresh"] == "true"


def test_a_check_that_nobody_takes_up_says_so(office: Office, visitor: FlaskClient) -> None:
    in_two_way(office)
    ask(visitor)
    request_row(office).asked_at = utcnow() - dt.timedelta(minutes=3)
    db.session.commit()
    page = get(visitor, DOCTOR)
    assert "The check is not being worked on" in page.text
    assert "tell whoever runs this portal" in page.text
    assert "Stop checking" in buttons(page)


DIFFERENT = {"verdict": "not-here", "day": "2026-11-19", "calendar": 1, "appointment": None}


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({}, "everything is in step"),
        ({"differences": [DIFFERENT]}, "1 difference, listed below"),
        ({"error": "backendError"}, "nothing was compared"),
        ({"error": "given-up"}, "interrupted again and again"),
    ],
)
def test_how_the_check_ended_is_said_in_words(
    office: Office, visitor: FlaskClient, values: dict[str, object], words: str
) -> None:
    in_two_way(office)
    row = Checkup(connection_id=office.connection().id, at=utcnow(), days={}, differences=[])
    for name, value in values.items():
        setattr(row, name, value)
    db.session.add(row)
    db.session.commit()
    page = get(visitor, DOCTOR)
    assert words in page.text
    is_drawn = any(each["class"].startswith("cell") for each in page.find("a"))
    assert is_drawn is ("error" not in values), "no strip claims that days are empty that nobody read"
    assert "Check everything now" in buttons(page)


def test_google_out_of_reach_is_said_where_a_day_is_asked_for(office: Office, visitor: FlaskClient) -> None:
    in_two_way(office)
    row = db.session.scalars(db.select(GoogleCalendar)).one()
    page = get(visitor, f"{DOCTOR}?calendar={row.id}&day=2026-11-19")
    assert "Google could not be reached just now" in page.text


def test_nobody_reads_a_calendar_of_somebody_else(office: Office, visitor: FlaskClient) -> None:
    in_two_way(office)
    office.connection(office.other)
    theirs = office.connection(office.other).id
    row = db.session.scalars(db.select(GoogleCalendar).filter_by(connection_id=theirs)).one()
    assert "no longer in your account" in get(visitor, f"{DOCTOR}?calendar={row.id}").text


def test_the_support_report_comes_as_json_and_as_text_and_names_nobody(
    office: Office, visitor: FlaskClient
) -> None:
    in_two_way(office)
    card(office, CardKind.DELETED, booked(office), asks=True, state=LinkState.HELD)
    office.book(title="Canary errand").status = AppointmentStatus.COMPLETED
    db.session.commit()
    text = visitor.get(f"{DOCTOR}/report.txt").get_data(as_text=True)
    told = visitor.get(f"{DOCTOR}/report.json")
    assert json.loads(told.get_data())["mode"] == "two-way"
    assert "pushed" in text
    for answer in (text, told.get_data(as_text=True)):
        for canary in ("Rosa", "Tellan", "Canary", "wren.hale", "Wren", "example.com", "Personal"):
            assert canary not in answer


def test_the_report_tells_links_by_state(office: Office, visitor: FlaskClient) -> None:
    in_two_way(office)
    card(office, CardKind.DELETED, booked(office), asks=True, state=LinkState.HELD)
    assert db.session.scalar(db.select(db.func.count(EventLink.id))) == 1
    told = json.loads(visitor.get(f"{DOCTOR}/report.json").get_data())
    assert told["connection"]["links"] == {"held": 1}


# Help


def test_every_answer_stands_beside_ones_own_state(office: Office, visitor: FlaskClient) -> None:
    in_two_way(office)
    for question in help_pages.QUESTIONS:
        page = get(visitor, f"/help/{question.slug}")
        assert page.find("h1")[0].text == question.title
        assert [each["data-line"] for each in page.everything() if "data-line" in each], question.slug
        assert len(page.find("main")[0].text) > 300


def test_no_link_of_the_help_leads_nowhere(office: Office, visitor: FlaskClient) -> None:
    in_two_way(office)
    targets = {
        link["href"]
        for slug in help_pages.BY_SLUG
        for link in get(visitor, f"/help/{slug}").find("main")[0].find("a")
    }
    ours = {target for target in targets if target.startswith("/")}
    assert len(ours) > 10
    bad = {target: visitor.get(target).status_code for target in ours}
    assert {target: status for target, status in bad.items() if status >= 400} == {}


FOUND_BY = {
    "twice": "Everything is there twice",
    "PASSWORD": "I changed my Google login or password",
    "slow": "Why are updates late?",
    "color": "Why is the colour of Google events fixed?",
    "unsubscribe": "How do I remove my old One-Way feed?",
    "headway": "Bring in Headway",
}


def test_the_help_is_found_by_the_words_people_type(office: Office, visitor: FlaskClient) -> None:
    for typed, title in FOUND_BY.items():
        page = read_page(visitor.post("/help", data={"q": typed}).get_data(as_text=True))
        section = next(each for each in page.find("section") if re.match(r"\d+ answers?", each.text))
        assert title in [link.text for link in section.find("a")], typed


def test_a_search_without_an_answer_leads_to_the_doctor(office: Office, visitor: FlaskClient) -> None:
    page = read_page(visitor.post("/help", data={"q": "zzyzx"}).get_data(as_text=True))
    assert "0 answers" in page.text
    assert DOCTOR in [link["href"] for link in page.find("main")[0].find("a")]


def test_there_are_answers_to_more_than_eighteen_questions_and_a_guide_for_each_service() -> None:
    assert len(help_pages.QUESTIONS) >= 24
    assert {"headway", "alma", "rula", "outlook", "apple", "other-ehr"} <= set(help_pages.BY_SLUG)


# What is there twice


def twice(office: Office, summary: str, *, days: int = 2, **values: Any) -> None:
    """Two Google events of one time and text in one calendar."""
    when = (utcnow() + dt.timedelta(days=days)).replace(hour=21, minute=0, second=0, microsecond=0)
    office.add_google_event(when, 30, summary, **values).event.event_id = f"copy of {summary}"
    office.add_google_event(when, 30, summary, **values)


def doubles(visitor: FlaskClient) -> list[Element]:
    return [each for each in lines(visitor)["duplicates"].everything() if "data-duplicate" in each]


def copy_of(office: Office, appointment: Appointment) -> None:
    """Made by hand in Google: what ours says there, at its time."""
    db.session.add(
        EventLink(
            appointment_id=appointment.id,
            connection_id=office.connection().id,
            event_id="ours",
            state=LinkState.LIVE,
            revision=appointment.revision,
            settled=appointment.revision,
            agreed_at=utcnow(),
        )
    )
    title = clients.titles_outside(office.provider, [appointment])[appointment.id]
    minutes = int((appointment.ends_at - appointment.starts_at).total_seconds() // 60)
    office.add_google_event(appointment.starts_at, minutes, title)


def test_a_copy_of_an_appointment_is_named_with_its_date_its_place_and_its_links(
    office: Office, visitor: FlaskClient
) -> None:
    in_two_way(office)
    appointment = booked(office)
    copy_of(office, appointment)
    (told,) = doubles(visitor)
    assert told["data-duplicate"] == "copy"
    assert times_told(office, appointment) in told.text
    assert "A copy of your appointment, in “Personal”." in told.text
    assert "Lockstep keeps its own event. Delete the copy in Google." in told.text
    links = {link.text: link["href"] for link in told.find("a")}
    assert links == {
        "Open in Google": "https://calendar.google.com/event?eid=1",
        "Open the appointment": f"/appointments/{appointment.id}",
    }
    assert lines(visitor)["duplicates"]["data-code"] == "twice-1"


def times_told(office: Office, appointment: Appointment) -> str:
    day = appointment.starts_at.astimezone(office.provider.zone)
    return f"{day:%a, %b} {day.day}, 10:00 – 10:50 AM"


def test_each_double_is_named_and_in_privacy_mode_only_its_date(office: Office, visitor: FlaskClient) -> None:
    in_two_way(office)
    twice(office, "Canary gym")
    twice(office, "Canary choir", days=4)
    assert ["Canary gym" in each.text for each in doubles(visitor)] == [True, False]
    office.provider.hides_names = True
    db.session.commit()
    told = doubles(visitor)
    assert len(told) == 2 and all("Twice in “Personal”" in each.text for each in told)
    assert "Canary" not in visitor.get(DOCTOR).get_data(as_text=True)


def test_a_whole_day_there_twice_is_told_by_its_own_date(office: Office, visitor: FlaskClient) -> None:
    in_two_way(office)
    date = (utcnow() + dt.timedelta(days=5)).date()
    midnight = dt.datetime.combine(date, dt.time(), dt.UTC)
    office.add_google_event(midnight, 0, "Trip", days=1).event.event_id = "copy"
    office.add_google_event(midnight, 0, "Trip", days=1)
    (told,) = doubles(visitor)
    assert told.text.startswith("Trip") and f", {date:%a, %b} {date.day}, all day." in told.text


def test_an_address_that_is_not_the_webs_is_not_offered(office: Office, visitor: FlaskClient) -> None:
    in_two_way(office)
    twice(office, "Gym", html_link="javascript:alert(1)")
    assert actions(doubles(visitor)[0]) == ["https://calendar.google.com/"]


def test_a_calendar_subscribed_twice_is_named_with_the_way_to_google(
    office: Office, visitor: FlaskClient
) -> None:
    in_two_way(office)
    connection = office.connection()
    connection.calendars_listed_at = utcnow()
    for number in (1, 2):
        db.session.add(
            GoogleCalendar(
                connection_id=connection.id,
                calendar_id=f"{number}@import.calendar.google.com",
                summary="Lake levels",
                access_role="reader",
                why_not="subscription",
                listed_at=connection.calendars_listed_at,
            )
        )
    db.session.commit()
    (told,) = doubles(visitor)
    assert lines(visitor)["duplicates"]["data-code"] == "subscribed-1"
    assert told.text.startswith("Lake levels") and "Subscribed twice. Lockstep reads neither." in told.text
    assert actions(told) == ["https://calendar.google.com/calendar/r/settings"]


def test_very_many_doubles_are_named_in_part_and_counted(office: Office, visitor: FlaskClient) -> None:
    in_two_way(office)
    for number in range(23):
        twice(office, f"Gym {number}", days=number + 1)
    line = lines(visitor)["duplicates"]
    assert line["data-code"] == "twice-23"
    assert len(doubles(visitor)) == 20
    assert "And 3 more." in line.text
