"""The help: the lines that are its own, each true of the one who asks, and a search for everyday words."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from flask.testing import FlaskClient

from portal.clock import utcnow
from portal.extensions import db
from portal.models import Appointment, GoogleCalendar
from portal.practice import appointments
from portal.views.help.questions import QUESTIONS, find
from tests.forms import Element
from tests.office import Office, get
from tests.views.sync.test_doctor import actions, in_two_way, lines, twice


def line(visitor: FlaskClient, slug: str, name: str) -> Element:
    return lines(visitor, f"/help/{slug}")[name]


def code(visitor: FlaskClient, slug: str, name: str) -> str:
    return line(visitor, slug, name)["data-code"]


def one_to_come(office: Office, **values: Any) -> Appointment:
    made = office.book(**values)
    made.starts_at, made.ends_at = (utcnow() + dt.timedelta(days=2, hours=hours) for hours in (0, 1))
    db.session.commit()
    return made


def test_missed_and_archived_ones_are_counted_and_the_latest_is_named(
    office: Office, visitor: FlaskClient
) -> None:
    now, actor = utcnow(), office.provider
    assert code(visitor, "history", "left-out") == "none"
    appointments.mark_no_show(one_to_come(office), now=now, actor=actor, source="web")
    appointments.archive(one_to_come(office), now=now, actor=actor, source="web")
    db.session.commit()
    missed = line(visitor, "history", "left-out")
    assert missed["data-code"] == "here-only-1"
    assert "1 no-show" in missed.text
    assert "Rosa Tellan" in missed.text
    assert code(visitor, "old-archived", "archived") == "here-only-1"


def test_in_privacy_mode_no_line_holds_a_name_or_a_title(office: Office, visitor: FlaskClient) -> None:
    in_two_way(office)
    now = utcnow()
    appointments.mark_no_show(one_to_come(office), now=now, actor=office.provider, source="web")
    appointments.archive(
        one_to_come(office, title="Canary errand"), now=now, actor=office.provider, source="web"
    )
    tomorrow = now + dt.timedelta(days=1)
    office.add_google_event(tomorrow, 30, "Canary lunch").event.event_id = "the copy"
    office.add_google_event(tomorrow, 30, "Canary lunch")
    named = "".join(get(visitor, f"/help/{each.slug}").find("main")[0].text for each in QUESTIONS)
    assert [word for word in ("Rosa", "Canary errand", "Canary lunch") if word not in named] == []
    office.provider.hides_names = True
    db.session.commit()
    for question in QUESTIONS:
        page = visitor.get(f"/help/{question.slug}").get_data(as_text=True)
        assert [word for word in ("Rosa", "Tellan", "Canary") if word in page] == [], question.slug


@pytest.mark.parametrize(
    ("reason", "line_name", "expected"),
    [
        ("shared-read-only", "closed", "cannot-be-read-1"),
        (None, "unticked", "not-read-1"),
        ("own-feed", "closed", "none"),
    ],
)
def test_calendars_that_are_not_read_are_named_by_the_reason(
    office: Office, visitor: FlaskClient, reason: str | None, line_name: str, expected: str
) -> None:
    in_two_way(office)
    connection = office.connection()
    row = db.session.scalars(db.select(GoogleCalendar)).one()
    row.why_not, row.is_chosen, connection.calendars_listed_at = reason, False, row.listed_at
    db.session.commit()
    assert code(visitor, "missing", line_name) == expected


def test_the_one_who_has_no_account_is_told_that_others_have(office: Office, visitor: FlaskClient) -> None:
    assert code(visitor, "several-providers", "alone") == "no-account"
    office.connection(office.other)
    assert code(visitor, "several-providers", "alone") == "no-account-1"
    in_two_way(office)
    assert code(visitor, "several-providers", "alone") == "yours-alone-1"


def test_a_google_that_does_not_answer_is_said_where_its_list_is_asked_for(
    office: Office, visitor: FlaskClient
) -> None:
    in_two_way(office)
    office.connection().app_calendar_id = "ours"
    db.session.commit()
    assert code(visitor, "where-calendar", "shown") == "not-looked"
    assert code(visitor, "where-calendar?look=1", "shown") == "failed"
    assert visitor.post("/help/where-calendar").status_code == 303
    assert "Google did not do it" in get(visitor, "/help/where-calendar").text


def test_the_worst_line_comes_first_and_then_the_one_that_answers(
    office: Office, visitor: FlaskClient
) -> None:
    in_two_way(office)
    assert list(lines(visitor, "/help/colour")) == ["locked", "pulled"]
    in_two_way(office, "reconnect-required")
    assert list(lines(visitor, "/help/colour")) == ["pulled", "locked"]


NEAREST = {
    "why is everything doubled": "duplicates",
    "my cancelled sessions disappeared": "canceled-vanish",
    "how do I turn it off": "start-over",
    "new gmail password": "changed-login",
    "make it faster": "late",
    "is it working?": "really-on",
    "where did my outlook meetings go": "missing",
}


def test_a_sentence_finds_its_question_among_the_first_three(office: Office) -> None:
    with office.app.test_request_context():
        found = {typed: [question.slug for question in find(typed)[0]][:3] for typed in NEAREST}
        nothing = find("how do I"), find("zzyzx")
    assert {typed: slugs for typed, slugs in found.items() if NEAREST[typed] not in slugs} == {}
    assert nothing == (([], True), ([], False))


def test_everything_is_there_twice_names_the_first_three_and_leads_to_the_doctor(
    office: Office, visitor: FlaskClient
) -> None:
    in_two_way(office)
    assert "twins" not in lines(visitor, "/help/duplicates")
    for number in range(4):
        twice(office, f"Gym {number}", days=number + 1)
    told = line(visitor, "duplicates", "twins")
    assert told["data-code"] == "there-twice-4"
    assert [f"Gym {number}" in told.text for number in range(4)] == [True, True, True, False]
    assert "and 1 more." in told.text
    address, _, anchor = actions(told)[0].partition("#")
    assert [each["id"] for each in lines(visitor, address).values()].count(anchor) == 1
    assert code(visitor, "duplicates", "duplicates") == "twice-4"
