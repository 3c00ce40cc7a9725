"""A calendar compared with Google, live and read-only, for a stretch of days.

The full check (full_check.py), "Why isn't it here?" and the proof of one appointment are filters on it.
Nothing is written to Google; titles are given back and never stored.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa

from portal.errors import EventNotFound, InvalidCalendarData
from portal.extensions import db
from portal.google.client import GoogleClient
from portal.google.codec import from_google
from portal.localtime import ONE_DAY
from portal.models import Connection, EventLink, GoogleCalendar, Practice
from portal.practice import clients
from portal.rows import event_links
from portal.standing.compare_imported import Expansion, dated, judge_imported, occurrences_in
from portal.standing.compare_own import expected_events, judge_own, own_item
from portal.standing.stretch import MOST_ASKED_FOR, Found, Item, Stretch
from portal.sync.event import Event


def compare(
    client: GoogleClient, calendar: GoogleCalendar, first: dt.date, end: dt.date, *, now: dt.datetime
) -> list[Item]:
    """Every entry of the days from `first` up to, not including, `end`, earliest first. Raises CalendarError.

    Reads the whole calendar, which may take long. Ends the transaction before it asks Google; rows that the
    caller held are read anew.
    """
    calendar_id, google_id = calendar.id, calendar.calendar_id
    db.session.commit()
    found = read_calendar(client, google_id)
    calendar = db.session.get_one(GoogleCalendar, calendar_id)
    return _judge(calendar, found, Stretch.of(calendar, first, end), occurrences_in, now=now)


def compare_day(
    client: GoogleClient, calendar: GoogleCalendar, day: dt.date, *, now: dt.datetime
) -> list[Item]:
    """The same for one day, with one short request, for a page that somebody waits for. Raises CalendarError.

    Of our own events, those that the day does not show are asked for one by one: they may stand elsewhere.
    """
    calendar_id, google_id = calendar.id, calendar.calendar_id
    stretch = Stretch.of(calendar, day, day + ONE_DAY)
    expected = expected_events(calendar, stretch) if calendar.is_app_calendar else []
    db.session.commit()
    after, before = stretch.widened
    found = _decode(client.list_stretch(google_id, after=after, before=before))
    for event_id in [each for each in expected if each not in found][:MOST_ASKED_FOR]:
        found.update(_ask_for(client, google_id, event_id))
    calendar = db.session.get_one(GoogleCalendar, calendar_id)
    return _judge(calendar, found, stretch, dated, now=now)


def _judge(
    calendar: GoogleCalendar,
    found: dict[str, Found],
    stretch: Stretch,
    expansion: Expansion,
    *,
    now: dt.datetime,
) -> list[Item]:
    items: list[Item] = []
    if calendar.is_app_calendar:
        mine, found = _split_own(calendar, found)
        items += judge_own(calendar, mine, stretch, now=now)
    items += judge_imported(calendar, found, stretch, expansion, now=now)
    return sorted(items, key=lambda item: (item.start.instant, item.summary))


def look_up(client: GoogleClient, link: EventLink, calendar_id: str, *, now: dt.datetime) -> Item | None:
    """The same judgement for one appointment, with one request. Raises CalendarError."""
    link_id, event_id = link.id, link.event_id
    db.session.commit()
    found = _ask_for(client, calendar_id, event_id)
    link = db.session.get_one(EventLink, link_id)
    connection = db.session.get_one(Connection, link.connection_id)
    title = clients.titles_outside(connection.provider, [link.appointment])[link.appointment_id]
    local = event_links.local_appointment(link.appointment, title, connection.window_starts_at)
    return own_item(0, link.appointment, link, local, found)


def read_calendar(client: GoogleClient, calendar_id: str) -> dict[str, Found]:
    """Everything in the calendar by id. What cannot be understood is told as that."""
    found: dict[str, Found] = {}
    page_token: str | None = None
    while True:
        page = client.list_events(calendar_id, page_token=page_token)
        found.update(_decode(page.items))
        page_token = page.next_page_token
        if page_token is None:
            return found


def _decode(resources: Iterable[Any]) -> dict[str, Found]:
    found: dict[str, Found] = {}
    for resource in resources:
        try:
            event = from_google(resource)
        except InvalidCalendarData:
            odd = _not_understood(resource)
            if odd is not None:
                found[odd.event_id] = Found(odd, has_guests=False, is_understood=False)
            continue
        found[event.event_id] = Found(event, _has_guests(resource))
    return found


def _not_understood(resource: Any) -> Event | None:
    """What can be said of a resource that makes no sense: that it is there, and what it is called."""
    if not isinstance(resource, dict) or not isinstance(resource.get("id"), str):
        return None
    summary = resource.get("summary")
    return Event(event_id=resource["id"], summary=summary if isinstance(summary, str) else "")


def _ask_for(client: GoogleClient, calendar_id: str, event_id: str) -> dict[str, Found]:
    """One event, if it is there and can be understood."""
    try:
        return _decode([client.get_event(calendar_id, event_id)])
    except EventNotFound:
        return {}


def _has_guests(resource: Any) -> bool:
    attendees = resource.get("attendees") if isinstance(resource, dict) else None
    others = [each for each in attendees or () if isinstance(each, dict) and each.get("self") is not True]
    return bool(others)


def _split_own(
    calendar: GoogleCalendar, found: dict[str, Found]
) -> tuple[dict[str, Found], dict[str, Found]]:
    """What is ours in the app calendar, and what the provider put there by hand."""
    installation = db.session.scalars(sa.select(Practice.installation)).one()
    links = event_links.links_by_event(calendar.connection_id, found)

    def is_ours(event: Event) -> bool:
        tag = event.tag
        is_tagged = tag is not None and tag.installation == installation and tag.event_id == event.event_id
        return is_tagged or event.event_id in links

    ours = {key: value for key, value in found.items() if is_ours(value.event)}
    return ours, {key: value for key, value in found.items() if key not in ours}
