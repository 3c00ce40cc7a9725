"""Whole days on the pages: in a row of their own, busy unless marked free; overlaps are told."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
import time_machine
from flask.testing import FlaskClient

from portal.extensions import db
from portal.practice.spans import AllDay
from tests.office import MONDAY, NOW, ZONE, Office, at, get, one_entry

WEDNESDAY = MONDAY + dt.timedelta(days=2)
MIDNIGHT = dt.datetime.combine(WEDNESDAY, dt.time(), dt.UTC)
WEEK = f"/calendar?view=week&date={MONDAY}"


def overlaps(visitor: FlaskClient, **values: Any) -> str:
    """What is told before saving, white space as it is seen."""
    form = {
        "kind": "other",
        "title": "Errand",
        "date": f"{WEDNESDAY}",
        "start_time": "15:00",
        "duration": "50",
    }
    answer = visitor.post("/appointments/overlaps", data={**form, **values})
    return " ".join(answer.get_data(as_text=True).split())


def test_booking_over_a_busy_whole_day_is_told(office: Office, visitor: FlaskClient) -> None:
    """Failure 59: opaque blocks, transparent does not."""
    office.add_google_event(MIDNIGHT, 0, "Conference", days=1)
    assert "All day Conference (From Google)" in overlaps(visitor)
    assert "Conference" not in overlaps(visitor, is_free="1")
    assert "Conference" not in overlaps(visitor, date=f"{WEDNESDAY + dt.timedelta(days=1)}")
    whole = overlaps(visitor, all_day="1", last_day=f"{WEDNESDAY}")
    assert "All day Conference (From Google)" in whole


def test_booking_over_a_free_whole_day_is_not(office: Office, visitor: FlaskClient) -> None:
    office.add_google_event(MIDNIGHT, 0, "Fair", days=1, transparency="transparent")
    assert "Fair" not in overlaps(visitor)


@pytest.mark.parametrize("zone", ["Pacific/Midway", "America/Chicago", "Pacific/Kiritimati"])
def test_a_whole_day_blocks_from_midnight_to_midnight_of_ones_own_zone(
    office: Office, visitor: FlaskClient, zone: str
) -> None:
    office.provider.timezone = zone
    office.add_google_event(MIDNIGHT, 0, "Conference", days=1)
    db.session.commit()
    for time in ("00:00", "23:10"):
        assert "Conference" in overlaps(visitor, start_time=time)
    assert "Conference" not in overlaps(
        visitor, date=f"{WEDNESDAY - dt.timedelta(days=1)}", start_time="23:10"
    )
    assert "Conference" not in overlaps(
        visitor, date=f"{WEDNESDAY + dt.timedelta(days=1)}", start_time="00:00"
    )


def test_a_busy_whole_day_stays_in_its_row_and_the_overlap_is_pointed_out(
    office: Office, visitor: FlaskClient
) -> None:
    office.book(at(2, "13:00"))
    office.add_google_event(MIDNIGHT, 0, "Conference", days=1)
    page = get(visitor, WEEK)
    assert "overlaps a Google event" in one_entry(page, "Rosa").text
    assert "1 appointment overlaps, Wed 1:00 PM" in page.text
    entry = one_entry(page, "Conference")
    assert (entry["data-start"], entry["data-end"]) == (f"{WEDNESDAY}", f"{WEDNESDAY + dt.timedelta(days=1)}")


def test_ones_own_whole_day_overlaps_and_is_said_to_last_all_day(
    office: Office, visitor: FlaskClient
) -> None:
    day = AllDay(WEDNESDAY, WEDNESDAY + dt.timedelta(days=1), ZONE)
    own = office.book(day, title="Vacation")
    assert "All day Vacation" in overlaps(visitor)
    office.add_google_event(MIDNIGHT, 0, "Conference", days=1)
    page = get(visitor, WEEK)
    assert "overlaps a Google event" in one_entry(page, "Vacation").text
    assert "1 appointment overlaps, Wed, all day" in page.text
    own.is_free = True
    db.session.commit()
    assert "Vacation" not in overlaps(visitor)
    assert "overlaps a Google event" not in one_entry(get(visitor, WEEK), "Vacation").text


def test_a_busy_whole_day_leaves_no_free_time(office: Office, visitor: FlaskClient) -> None:
    thursday = WEDNESDAY + dt.timedelta(days=1)
    address = f"/calendar?view=day&date={thursday}"
    with time_machine.travel(NOW):
        assert "free Book" in get(visitor, address).text
        occurrence = office.add_google_event(MIDNIGHT + dt.timedelta(days=1), 0, "Conference", days=1)
        assert "free Book" not in get(visitor, address).text
        occurrence.event.transparency = "transparent"
        db.session.commit()
        assert "free Book" in get(visitor, address).text
