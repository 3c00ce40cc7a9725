"""Preview, page, doctor, *Why isn't it here?*, comparison and search: one answer about each kind of event."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from portal.calendar import agenda
from portal.calendar.agenda import Filters
from portal.connection import choosing
from portal.engine.run import open_client
from portal.extensions import db
from portal.models import GoogleCalendar
from portal.standing import compare, facts
from portal.sync import shown
from tests.engine.conftest import EMAIL, Office

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

ZONE = "America/Chicago"
DECLINED = [{"email": EMAIL, "self": True, "responseStatus": "declined"}]
PLACE = {"workingLocationProperties": {"type": "homeOffice", "homeOffice": {}}}


@dataclass(frozen=True)
class Kind:
    """An event as Google has it, `days` from today, and why it is not shown, if it isn't."""

    days: int
    reason: str | None = None
    all_day: bool = False
    odd: dict[str, Any] | None = None  # put into it past Google's own checks
    is_deleted: bool = False
    fields: dict[str, Any] | None = None


def kind(days: int, reason: str | None = None, **fields: Any) -> Kind:
    own = {name: fields.pop(name) for name in ("all_day", "odd", "is_deleted") if name in fields}
    return Kind(days, reason, fields=fields, **own)


KINDS: dict[str, Kind] = {
    "plain": kind(3),
    "free": kind(4, transparency="transparent"),
    "private": kind(5, visibility="private"),
    "tentative": kind(6, status="tentative"),
    "whole day": kind(7, all_day=True),
    "whole day, free": kind(8, all_day=True, transparency="transparent"),
    "out of office": kind(9, odd={"eventType": "outOfOffice"}),
    "focus time": kind(10, odd={"eventType": "focusTime"}),
    "kind of tomorrow": kind(11, odd={"eventType": "hologram"}),
    "odd zone": kind(12, odd={"start": "odd start", "end": "odd end"}),
    "date by itself": kind(13, odd={"recurringEventId": "0notmine", "originalStartTime": "start"}),
    "just kept": kind(-88),
    "far ahead": kind(700),
    "declined": kind(14, "declined", attendees=DECLINED),
    "birthday": kind(15, "birthday", all_day=True, eventType="birthday", recurrence=["RRULE:FREQ=YEARLY"]),
    "working place": kind(
        16, "working-location", all_day=True, transparency="transparent", visibility="public",
        eventType="workingLocation", **PLACE,
    ),
    "deleted": kind(17, "cancelled", is_deleted=True),
    "date by itself, declined": kind(
        18, "declined", odd={"recurringEventId": "1notmine", "originalStartTime": "start"}, attendees=DECLINED
    ),
    "ends before it starts": kind(19, "not-understood", odd={"end": "earlier"}),
    "rule without sense": kind(20, "not-understood", odd={"recurrence": ["RRULE:FREQ=NEVER"]}),
    "too old": kind(-95, "too-old"),
}  # fmt: skip
BEYOND_THE_PREVIEW = {"far ahead"}  # it speaks of 400 days; a page shows later ones when it is asked for


def times(office: Office, each: Kind) -> dict[str, dict[str, str]]:
    day = (office.clock() + dt.timedelta(days=each.days)).date()
    if each.all_day:
        return {"start": {"date": f"{day}"}, "end": {"date": f"{day + dt.timedelta(days=1)}"}}
    return {
        "start": {"dateTime": f"{day}T15:00:00-06:00", "timeZone": ZONE},
        "end": {"dateTime": f"{day}T15:50:00-06:00", "timeZone": ZONE},
    }


def plant(office: Office, title: str, each: Kind) -> None:
    when = times(office, each)
    event = office.google.add_event(EMAIL, summary=title, **when, **(each.fields or {}))
    odd = {name: ODD.get(str(value), lambda _, v=value: v)(when) for name, value in (each.odd or {}).items()}
    if odd:
        office.google.act_on_event(EMAIL, "primary", event["id"], "distort", **odd)
    if each.is_deleted:
        office.google.delete_event(EMAIL, "primary", event["id"])


ODD: dict[str, Callable[[dict[str, dict[str, str]]], Any]] = {
    "start": lambda when: when["start"],
    "odd start": lambda when: {**when["start"], "timeZone": "GMT+02:00"},
    "odd end": lambda when: {**when["end"], "timeZone": "GMT+02:00"},
    "earlier": lambda when: {**when["start"], "dateTime": when["start"]["dateTime"].replace("T15", "T14")},
}


def primary() -> GoogleCalendar:
    db.session.expire_all()
    return db.session.scalars(db.select(GoogleCalendar).filter_by(calendar_id="primary")).one()


def day_of(office: Office, each: Kind) -> dt.date:
    return (office.clock() + dt.timedelta(days=each.days)).date()


# The six, each by title


def in_the_preview(office: Office, title: str) -> bool:
    """Of the calendar with this one event in it, as it is counted before the first sync."""
    with open_client(office.connection) as client:
        choosing.offer_calendars(office.connection, client, now=office.clock())
    return primary().entries == 1


def on_the_page(office: Office, title: str, each: Kind) -> bool:
    day = day_of(office, each)
    end = day + dt.timedelta(days=1)
    found = agenda.gather(office.provider, day, end, filters=Filters(), now=office.clock())
    for entry in found:
        address = agenda.find_occurrence(
            office.provider, entry.record_id, entry.occurrence_key, now=office.clock()
        )
        assert address == entry or entry.clashes_with, "what is drawn has a page of its own"
    return title in [entry.title for entry in found]


def by_search(office: Office, title: str) -> bool:
    found = agenda.search(office.provider, title, now=office.clock())
    return title in [entry.title for entry in found]


def why_not_here(office: Office, title: str, each: Kind) -> str | None:
    with open_client(office.connection) as client:
        items = compare.compare_day(client, primary(), day_of(office, each), now=office.clock())
    return {item.summary: item.verdict for item in items}.get(title)


def compared(office: Office, title: str, each: Kind) -> str | None:
    day = day_of(office, each)
    with open_client(office.connection) as client:
        items = compare.compare(client, primary(), day, day + dt.timedelta(days=1), now=office.clock())
    return {item.summary: item.verdict for item in items}.get(title)


def judged(office: Office, title: str) -> str | None:
    """What the one function says of it, as Google lists it."""
    with open_client(office.connection) as client:
        listed = compare.read_calendar(client, "primary").values()
    found = next((one for one in listed if one.event.summary == title), None)
    if found is None:
        return "cancelled"
    after, before = office.clock() - dt.timedelta(days=1000), office.clock() + dt.timedelta(days=1000)
    is_followed = shown.dates_of([found.event], after=after, before=before).odd is None
    is_understood = found.is_understood and is_followed
    return shown.why_not(found.event, found.event.end, now=office.clock(), is_understood=is_understood)


@pytest.mark.parametrize("title", KINDS)
def test_all_six_say_the_same_of_every_kind_of_event(office: Office, title: str) -> None:
    each = KINDS[title]
    plant(office, title, each)
    office.connect()
    is_shown = each.reason is None
    assert judged(office, title) == each.reason
    assert in_the_preview(office, title) is (is_shown and title not in BEYOND_THE_PREVIEW)
    office.rest()
    assert on_the_page(office, title, each) is is_shown
    assert by_search(office, title) is is_shown
    verdict = ("shown-free" if "free" in title else "shown") if is_shown else each.reason
    told = None if each.is_deleted else verdict  # Google lists no event there, and so nothing is asked about
    assert why_not_here(office, title, each) == told
    if each.odd is None or "end" not in each.odd or is_shown:  # without times it has no day in a whole list
        assert compared(office, title, each) == told
    counts = facts.count(office.connection, now=office.clock())
    is_ready = is_shown and title not in BEYOND_THE_PREVIEW
    assert counts.google_events == is_ready
    assert counts.quarantined == (each.reason == "not-understood")


def test_what_grew_old_meanwhile_is_told_as_too_old_by_all(office: Office) -> None:
    each = kind(-85)
    plant(office, "ageing", each)
    office.connect_and_rest()
    assert on_the_page(office, "ageing", each)
    day = day_of(office, each)
    office.clock.advance(days=10)
    aged = kind((day - office.clock().date()).days)
    assert not on_the_page(office, "ageing", aged)
    assert not by_search(office, "ageing")
    assert why_not_here(office, "ageing", aged) == compared(office, "ageing", aged) == "too-old"
    assert facts.count(office.connection, now=office.clock()).google_events == 0
