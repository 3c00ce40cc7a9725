"""Google's events of a chosen calendar against what is stored and shown of them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import sqlalchemy as sa

from portal.calendar import occurrences
from portal.errors import InvalidCalendarData
from portal.extensions import db
from portal.localtime import ONE_DAY
from portal.models import GoogleCalendar, GoogleEvent, GoogleOccurrence
from portal.standing.stretch import WIDEST_OFFSET, Found, Item, Stretch, is_in
from portal.sync.event import Event, EventTime
from portal.sync.recurrence import Occurrence, expand

# How the dates of some events are found in a stretch
Expansion = Callable[[Iterable[Found], Stretch], list[Occurrence]]


@dataclass(frozen=True, slots=True)
class Stored:
    """What is here of one occurrence."""

    start: EventTime
    end: EventTime
    summary: str
    transparency: str
    is_drawn: bool


def judge_imported(
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
    return [item for item in items if is_in(item, stretch)]


def _only_here(calendar: GoogleCalendar, stored: Stored) -> Item:
    return Item(
        verdict="only-here",
        start=stored.start,
        end=stored.end,
        summary=stored.summary,
        calendar=calendar.id,
    )


def occurrences_in(found: Iterable[Found], stretch: Stretch) -> list[Occurrence]:
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


def dated(found: Iterable[Found], _: Stretch) -> list[Occurrence]:
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
            stretch.touches(GoogleOccurrence),
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
