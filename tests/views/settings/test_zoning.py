"""The question that a change of time zone asks, as a person without script meets it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pytest
import time_machine
from flask.testing import FlaskClient

from portal.extensions import db
from portal.models import Appointment
from portal.practice.spans import Timed
from tests.office import NOW, ZONE, Office, at, get, one_entry

PAGE = "/settings/time-zone"
BERLIN = {"timezone": "Europe/Berlin"}


@pytest.fixture(autouse=True)
def clock() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


def ahead(office: Office) -> Appointment:
    office.book(at(1, "09:00"))  # yesterday's
    office.book(at(3, "14:00"))
    return office.book(at(4, "09:00"))


def test_the_question_names_the_count_and_what_each_answer_means(
    office: Office, visitor: FlaskClient
) -> None:
    ahead(office)
    page = get(visitor, f"{PAGE}?timezone=Europe/Berlin")
    assert "What do the 2 appointments that lie ahead keep?" in page.text
    assert (
        "Thu, Nov 19, 2:00 PM stays 2:00 PM, in Berlin time. Everybody else sees it begin 7 hours earlier."
        in (page.text)
    )
    assert "Thu, Nov 19, 2:00 PM becomes 9:00 PM. For everybody else nothing moves." in page.text
    assert "Rosa" not in page.text
    assert not [radio for radio in page.find("input") if radio["type"] == "radio" and "checked" in radio]


def test_without_an_answer_nothing_changes(office: Office, visitor: FlaskClient) -> None:
    booked = ahead(office)
    answer = visitor.post(PAGE, data=BERLIN)
    assert answer.status_code == 422
    assert "Choose what they keep." in answer.text
    assert (office.provider.timezone, booked.timezone) == (ZONE, ZONE)


@pytest.mark.parametrize(
    ("keep", "start"), [("clock", "2026-11-20T09:00:00+01:00"), ("moment", "2026-11-20T16:00:00+01:00")]
)
def test_the_answer_is_kept_told_and_taken_back(
    office: Office, visitor: FlaskClient, keep: str, start: str
) -> None:
    ahead(office)
    assert visitor.post(PAGE, data={**BERLIN, "keep": keep}).status_code == 303
    page = get(visitor, "/settings")
    assert f"Your time zone is Berlin now. 2 appointments kept their {keep}" in page.text
    day = "/calendar?view=day&date=2026-11-20"
    assert one_entry(get(visitor, day), "Rosa")["data-start"] == start
    (undo,) = [form["action"] for form in page.find("form") if form["action"].endswith("/undo/1")]
    visitor.post(undo)
    assert one_entry(get(visitor, day), "Rosa")["data-start"] == "2026-11-20T09:00:00-06:00"
    assert "America/Chicago" in get(visitor, "/settings").text


def test_a_zone_that_is_none_is_refused(office: Office, visitor: FlaskClient) -> None:
    answer = visitor.post(PAGE, data={"timezone": "Mars/Olympus", "keep": "clock"})
    assert answer.status_code == 422
    assert "Choose a time zone of the list." in answer.text
    assert office.provider.timezone == ZONE


def test_one_from_an_earlier_zone_is_edited_and_moved_by_the_clock_that_is_shown(
    office: Office, visitor: FlaskClient
) -> None:
    booked = office.book(at(1, "09:00"))
    office.provider.timezone = "Europe/Berlin"
    db.session.commit()
    page = get(visitor, f"/appointments/{booked.id}")
    assert "Tuesday, November 17, 2026" in page.text
    assert "4:00 – 4:50 PM 50 minutes, Berlin time" in page.text
    form = get(visitor, f"/appointments/{booked.id}/edit")
    (start,) = [field for field in form.find("input") if field["name"] == "start_time"]
    assert start["value"] == "16:00"
    revision = str(booked.revision)
    visitor.post(
        f"/appointments/{booked.id}/move",
        data={"date": "2026-11-17", "start_time": "17:00", "duration": "50", "revision": revision},
    )
    db.session.refresh(booked)
    assert booked.starts_at == Timed(dt.date(2026, 11, 17), dt.time(17), "Europe/Berlin", 50).starts_at
