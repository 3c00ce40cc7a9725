"""A calendar compared with Google, live and read-only, for a stretch of days.

The full check (full_check.py), "Why isn't it here?" and the proof of one appointment are filters on it.
Nothing is written to Google; titles are given back and never stored.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from portal.calendar import occurrences
from portal.errors import EventNotFound, InvalidCalendarData
from portal.extensions import db
from portal.google.client import GoogleClient
from portal.google.codec import from_google
from portal.localtime import ONE_DAY, start_of_day
from portal.models import (
    Appointment,
    Connection,
    EventLink,
    GoogleCalendar,
    GoogleEvent,
    GoogleOccurrence,
    LinkState,
    Practice,
)
from portal.practice import clients
from portal.rows import event_links
from portal.sync.event import Event, EventTime
from portal.sync.outbound import LocalAppointment
from portal.sync.recurrence import Occurrence, expand

HIDDEN = frozenset({"declined", *occurrences.HIDDEN_TYPES.values()})
FINE = HIDDEN | {"in-step", "shown", "shown-free", "too-old", "not-chosen", "waiting"}
MOST_ASKED_FOR = 8  # requests, one after another
WIDEST_OFFSET = dt.timedelta(hours=14)  # whole days are kept by the midnights of another zone


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One entry of either side, and what is to be said of it. `verdict` is a code; FINE ones agree."""

    verdict: str
    start: EventTime
    end: EventTime
    summary: str
    calendar: int  # our row's id
    appointment_id: int | None = None
    html_link: str | None = None
    has_guests: bool = False

    @property
    def is_fine(self) -> bool:
        return self.verdict in FINE


@dataclass(frozen=True, slots=True)
class Found:
    """One resource as Google has it now."""

    event: Event
    has_guests: bool


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
    return _judge(calendar, found, Stretch.of(calendar, first, end), _occurrences, now=now)


def compare_day(
    client: GoogleClient, calendar: GoogleCalendar, day: dt.date, *, now: dt.datetime
) -> list[Item]:
    """The same for one day, with one short request, for a page that somebody waits for. Raises CalendarError.

    Of our own events, those that the day does not show are asked for one by one: they may stand elsewhere.
    """
    calendar_id, google_id = calendar.id, calendar.calendar_id
    stretch = Stretch.of(calendar, day, day + ONE_DAY)
    expected = _expected_events(calendar, stretch) if calendar.is_app_calendar else []
    db.session.commit()
    after, before = stretch.after - WIDEST_OFFSET, stretch.before + WIDEST_OFFSET
    found = _decode(client.list_stretch(google_id, after=after, before=before))
    for event_id in [each for each in expected if each not in found][:MOST_ASKED_FOR]:
        found.update(_ask_for(client, google_id, event_id))
    calendar = db.session.get_one(GoogleCalendar, calendar_id)
    return _judge(calendar, found, stretch, _dated, now=now)


Expansion = Callable[[Iterable["Found"], "Stretch"], list[Occurrence]]


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
        items += _judge_own(calendar, mine, stretch, now=now)
    items += _judge_imported(calendar, found, stretch, expansion, now=now)
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
    return _own_item(0, link.appointment, link, local, found)


@dataclass(frozen=True, slots=True)
class Stretch:
    """Days of the provider's own zone."""

    first: dt.date
    end: dt.date
    timezone: str

    @classmethod
    def of(cls, calendar: GoogleCalendar, first: dt.date, end: dt.date) -> Stretch:
        return cls(first, end, calendar.connection.provider.timezone)

    @property
    def after(self) -> dt.datetime:
        return start_of_day(self.first, self.timezone)

    @property
    def before(self) -> dt.datetime:
        return start_of_day(self.end, self.timezone)

    def holds(self, start: EventTime, end: EventTime) -> bool:
        """Whether an entry touches these days; one that ends at midnight does not touch the next."""
        if start.date is not None and end.date is not None:
            return start.date < self.end and max(end.date, start.date + ONE_DAY) > self.first
        last = max(end.instant, start.instant + dt.timedelta(microseconds=1))
        return start.instant < self.before and last > self.after


# Google's side


def read_calendar(client: GoogleClient, calendar_id: str) -> dict[str, Found]:
    """Everything in the calendar by id. What cannot be understood is left out; the doctor lists it anyway."""
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
            continue
        found[event.event_id] = Found(event, _has_guests(resource))
    return found


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


# Appointments


def _judge_own(
    calendar: GoogleCalendar, found: dict[str, Found], stretch: Stretch, *, now: dt.datetime
) -> list[Item]:
    connection = calendar.connection
    rows = _appointments(connection, stretch)
    titles = clients.titles_outside(connection.provider, [appointment for appointment, _ in rows])
    items = []
    for appointment, link in rows:
        local = event_links.local_appointment(
            appointment, titles[appointment.id], connection.window_starts_at
        )
        item = _own_item(calendar.id, appointment, link, local, found)
        if item is not None and stretch.holds(item.start, item.end):
            items.append(item)
    known = {link.event_id for _, link in rows if link is not None}
    known |= set(event_links.links_by_event(connection.id, found))
    strays = [each for key, each in found.items() if key not in known]
    return items + [item for each in strays if (item := _stray(calendar, each)) and _is_in(item, stretch)]


def _appointments(connection: Connection, stretch: Stretch) -> list[tuple[Appointment, EventLink | None]]:
    rows = db.session.execute(
        sa.select(Appointment, EventLink)
        .outerjoin(EventLink, EventLink.appointment_id == Appointment.id)
        .where(
            Appointment.provider_id == connection.provider_id,
            Appointment.starts_at < stretch.before + WIDEST_OFFSET,
            Appointment.ends_at > stretch.after - WIDEST_OFFSET,
        )
    )
    return [(row[0], row[1]) for row in rows]


def _expected_events(calendar: GoogleCalendar, stretch: Stretch) -> list[str]:
    """Ids of the events that the appointments of these days have."""
    rows = _appointments(calendar.connection, stretch)
    return [link.event_id for _, link in rows if link is not None and link.state is LinkState.LIVE]


def _own_item(
    calendar_id: int,
    appointment: Appointment,
    link: EventLink | None,
    local: LocalAppointment,
    found: dict[str, Found],
) -> Item | None:
    there = found.get(link.event_id) if link is not None else None
    if there is not None and there.event.is_cancelled:
        there = None
    verdict = _judge_appointment(local, link, there.event if there else None)
    if verdict is None:
        return None
    return Item(
        verdict=verdict,
        start=local.content.start,
        end=local.content.end,
        summary=there.event.summary if there else local.content.summary,
        calendar=calendar_id,
        appointment_id=appointment.id,
        html_link=there.event.html_link if there else None,
        has_guests=there.has_guests if there else False,
    )


def _judge_appointment(local: LocalAppointment, link: EventLink | None, event: Event | None) -> str | None:
    """What is to be said of an appointment and its event; None when neither side wants one there."""
    has_event = link is not None and link.state is LinkState.LIVE
    is_wanted = local.is_live and (local.is_in_window or has_event)
    if link is not None and (link.state is LinkState.HELD or link.held is not None):
        return "asked"
    is_on_its_way = link is None or link.needs_write or link.settled != local.revision
    if event is None:
        if not is_wanted:
            return None
        return (
            "waiting" if is_on_its_way or link is None or link.state is not LinkState.LIVE else "gone-there"
        )
    if not is_wanted:
        is_going = link is not None and link.state is LinkState.DELETING
        return "waiting" if is_on_its_way or is_going else "still-there"
    content = event.content
    if content is not None and content.content_hash() == local.content.content_hash():
        return "in-step"
    return "waiting" if is_on_its_way else "differs"


def _stray(calendar: GoogleCalendar, found: Found) -> Item | None:
    """An event of ours that no appointment here has."""
    event = found.event
    if event.is_cancelled or event.start is None or event.end is None:
        return None
    return Item(
        verdict="unknown-here",
        start=event.start,
        end=event.end,
        summary=event.summary,
        calendar=calendar.id,
        html_link=event.html_link,
    )


def _is_in(item: Item, stretch: Stretch) -> bool:
    return stretch.holds(item.start, item.end)


# Google's events


@dataclass(frozen=True, slots=True)
class Stored:
    """What is here of one occurrence."""

    start: EventTime
    end: EventTime
    summary: str
    transparency: str
    is_drawn: bool


def _judge_imported(
    calendar: GoogleCalendar,
    found: dict[str, Found],
    stretch: Stretch,
    expansion: Expansion,
    *,
    now: dt.datetime,
) -> list[Item]:
    here = _stored(calendar, stretch)
    items = []
    for occurrence in expansion(found.values(), stretch):
        event = found[occurrence.event_id].event
        series = event.recurring_event_id or event.event_id
        stored = here.pop((series, occurrence.key), None)
        verdict = _judge_occurrence(calendar, event, occurrence, stored, now=now)
        items.append(_imported_item(calendar, event, occurrence, verdict))
    items += [_only_here(calendar, stored) for stored in here.values()]
    return [item for item in items if _is_in(item, stretch)]


def _only_here(calendar: GoogleCalendar, stored: Stored) -> Item:
    return Item(
        verdict="only-here",
        start=stored.start,
        end=stored.end,
        summary=stored.summary,
        calendar=calendar.id,
    )


def _occurrences(found: Iterable[Found], stretch: Stretch) -> list[Occurrence]:
    """Series expanded as pull does it; one that cannot be read is quarantined there, and left out here."""
    series: dict[str, list[Event]] = {}
    for each in found:
        event = each.event
        series.setdefault(event.recurring_event_id or event.event_id, []).append(event)
    occurrences: list[Occurrence] = []
    after, before = stretch.after - WIDEST_OFFSET, stretch.before + WIDEST_OFFSET
    for name, events in series.items():
        master = next((event for event in events if event.event_id == name), None)
        if master is None or master.is_cancelled:
            continue
        overrides = [event for event in events if event.event_id != name]
        try:
            occurrences += expand(master, overrides, after=after, before=before)
        except InvalidCalendarData:
            continue
    return occurrences


def _dated(found: Iterable[Found], _: Stretch) -> list[Occurrence]:
    """Series that Google has expanded: each date comes as an event of its own."""
    occurrences: list[Occurrence] = []
    for each in found:
        event = each.event
        if event.is_cancelled or event.start is None or event.end is None:
            continue
        key = event.original_start.key if event.original_start else ""
        occurrences.append(Occurrence(event.event_id, key, event.start, event.end))
    return occurrences


def _stored(calendar: GoogleCalendar, stretch: Stretch) -> dict[tuple[str, str], Stored]:
    rows = db.session.execute(
        sa.select(GoogleOccurrence, GoogleEvent)
        .join(GoogleEvent, GoogleEvent.id == GoogleOccurrence.google_event_id)
        .where(
            GoogleEvent.google_calendar_id == calendar.id,
            GoogleOccurrence.starts_at < stretch.before + WIDEST_OFFSET,
            GoogleOccurrence.ends_at > stretch.after - WIDEST_OFFSET,
        )
    )
    return {
        (event.recurring_event_id or event.event_id, occurrence.occurrence_key): _stored_value(
            occurrence, event, is_hidden=calendar.hidden_since is not None
        )
        for occurrence, event in rows
    }


def _stored_value(occurrence: GoogleOccurrence, event: GoogleEvent, *, is_hidden: bool) -> Stored:
    if occurrence.all_day:
        start, end = EventTime(date=occurrence.start_date), EventTime(date=occurrence.end_date)
    else:
        start, end = EventTime(datetime=occurrence.starts_at), EventTime(datetime=occurrence.ends_at)
    return Stored(start, end, event.summary, event.transparency, not is_hidden and event.quarantine is None)


def _judge_occurrence(
    calendar: GoogleCalendar, event: Event, occurrence: Occurrence, stored: Stored | None, *, now: dt.datetime
) -> str:
    """Shown, or hidden and why; or what is wrong."""
    if not calendar.is_chosen and not calendar.is_app_calendar:
        return "not-chosen"
    hidden = occurrences.why_hidden(event)
    if hidden is not None:
        return hidden
    if stored is None:
        return "too-old" if occurrence.end.instant < now - occurrences.KEPT_BEFORE + ONE_DAY else "not-here"
    if not stored.is_drawn:
        return "not-understood"
    agreed = (stored.start.key, stored.end.key, stored.summary, stored.transparency)
    if agreed != (occurrence.start.key, occurrence.end.key, event.summary, event.transparency):
        return "differs-here"
    return "shown-free" if event.transparency == "transparent" else "shown"


def _imported_item(calendar: GoogleCalendar, event: Event, occurrence: Occurrence, verdict: str) -> Item:
    return Item(
        verdict=verdict,
        start=occurrence.start,
        end=occurrence.end,
        summary=event.summary,
        calendar=calendar.id,
        html_link=event.html_link,
    )
