"""Google's events of a chosen calendar against what is stored and shown of them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import sqlalchemy as sa

from portal.calendar import occurrences
from portal.extensions import db
from portal.localtime import ONE_DAY
from portal.models import GoogleCalendar, GoogleEvent, GoogleOccurrence
from portal.standing.stretch import Found, Item, Stretch, is_in
from portal.sync import shown
from portal.sync.event import Event, EventTime
from portal.sync.recurrence import Occurrence

# How the dates of some events are found in a stretch
Expansion = Callable[[Iterable[Found], Stretch], list[Occurrence]]


@dataclass(frozen=True, slots=True)
class Stored:
    """What pages show of one occurrence."""

    start: EventTime
    end: EventTime
    summary: str
    transparency: str


def judge_imported(
    calendar: GoogleCalendar,
    found: dict[str, Found],
    stretch: Stretch,
    expansion: Expansion,
    *,
    now: dt.datetime,
) -> list[Item]:
    here = _shown(calendar, stretch, now=now)
    odd = _set_aside(calendar)
    items = []
    for occurrence in expansion(found.values(), stretch):
        each = found[occurrence.event_id]
        series = each.event.recurring_event_id or each.event.event_id
        stored = here.pop((series, occurrence.key), None)
        is_understood = each.is_understood and (stored is not None or series not in odd)
        why_not = shown.why_not(each.event, occurrence.end, now=now, is_understood=is_understood)
        verdict = _verdict(calendar, each.event, occurrence, stored, why_not)
        items.append(_imported_item(calendar, each.event, occurrence, verdict))
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
    """Series expanded as pull does it. One whose rules cannot be followed is named at its first date."""
    series: dict[str, list[Event]] = {}
    for each in found:
        if each.is_understood:
            event = each.event
            series.setdefault(event.recurring_event_id or event.event_id, []).append(event)
    occurrences: list[Occurrence] = []
    after, before = stretch.widened
    for events in series.values():
        dates = shown.dates_of(events, after=after, before=before)
        occurrences += dates.occurrences
        if dates.odd is not None:
            occurrences += [first for event in events if (first := _first_date(event))]
    return occurrences


def _first_date(event: Event) -> Occurrence | None:
    if not event.is_master or event.start is None or event.end is None:
        return None
    return Occurrence(event.event_id, event.start.key, event.start, event.end)


def dated(found: Iterable[Found], stretch: Stretch) -> list[Occurrence]:
    """Series that Google has expanded: each date comes as an event of its own.

    What makes no sense is told at the first of the days for which Google gave it.
    """
    occurrences: list[Occurrence] = []
    for each in found:
        event = each.event
        start, end = event.start, event.end
        if not each.is_understood:
            start, end = EventTime(date=stretch.first), EventTime(date=stretch.first + ONE_DAY)
        if event.is_cancelled or start is None or end is None:
            continue
        key = event.original_start.key if event.original_start else ""
        occurrences.append(Occurrence(event.event_id, key, start, end))
    return occurrences


def _shown(calendar: GoogleCalendar, stretch: Stretch, *, now: dt.datetime) -> dict[tuple[str, str], Stored]:
    """What pages show of the calendar in these days, by series or single event and original start."""
    provider_id = calendar.connection.provider_id
    rows = occurrences.between([provider_id], *stretch.widened, now=now)
    return {
        (event.recurring_event_id or event.event_id, occurrence.occurrence_key): _stored(occurrence, event)
        for occurrence, event, *_ in rows
        if event.google_calendar_id == calendar.id
    }


def _set_aside(calendar: GoogleCalendar) -> frozenset[str]:
    """Ids of the events that could not be understood when they were read."""
    query = sa.select(GoogleEvent.event_id).where(
        GoogleEvent.google_calendar_id == calendar.id, GoogleEvent.quarantine.is_not(None)
    )
    return frozenset(db.session.scalars(query))


def _stored(occurrence: GoogleOccurrence, event: GoogleEvent) -> Stored:
    if occurrence.all_day:
        start, end = EventTime(date=occurrence.start_date), EventTime(date=occurrence.end_date)
    else:
        start, end = EventTime(datetime=occurrence.starts_at), EventTime(datetime=occurrence.ends_at)
    return Stored(start, end, event.summary, event.transparency)


def _verdict(
    calendar: GoogleCalendar,
    event: Event,
    occurrence: Occurrence,
    stored: Stored | None,
    why_not: str | None,
) -> str:
    """Shown, or hidden and why; or what is wrong."""
    if not calendar.is_chosen and not calendar.is_app_calendar:
        return "not-chosen"
    if why_not is not None:
        return why_not
    if stored is None:
        return "not-here"
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
