"""Inward: read what changed in Google, page by page, and bring the rows here into line.

A page's effects and the token that follows it are committed together: a crash repeats a page, and loses none.
"""

from __future__ import annotations

import datetime as dt
import hashlib

from portal.engine import calendar_list, own_events, strays
from portal.engine.expanding import expand_series
from portal.engine.full_pass import finish_full_pass, look_for, unlisted_links, wants_second_look
from portal.engine.run import Run
from portal.errors import (
    EventNotFound,
    InvalidCalendarData,
    InvalidRequest,
    PermissionDenied,
    SyncTokenExpired,
)
from portal.extensions import db
from portal.google.answers import EventPage
from portal.google.client import LIST_FIELDS, LIST_PAGE_SIZE
from portal.google.codec import from_google, id_of
from portal.models import GoogleCalendar, GoogleEvent
from portal.rows import event_links, google_events
from portal.sync.event import Event
from portal.sync.recurrence import expand
from portal.sync.shown import EXPANDED_AHEAD, KEPT_BEFORE

MOST_NEW_GENERATIONS = 3  # in one run; a token refused more often than that is trouble, not a hint


def _signature(fields: str) -> str:
    return hashlib.sha256(f"{LIST_PAGE_SIZE} {fields} singleEvents=false".encode()).hexdigest()


# A sync token answers only the query that it came from; another query means another generation.
QUERY_SIGNATURE = _signature(LIST_FIELDS)
# The query before iCalUID was asked for: its tokens serve on until the connection's own minute of the night
# begins a generation (docs/decisions/0010-a-new-field-comes-with-the-night.md)
EARLIER_FIELDS = LIST_FIELDS.replace("iCalUID,", "")
EARLIER_SIGNATURE = _signature(EARLIER_FIELDS)
FIELDS_BY_SIGNATURE = {QUERY_SIGNATURE: LIST_FIELDS, EARLIER_SIGNATURE: EARLIER_FIELDS}


def pull(run: Run, *, full: bool = False) -> bool:
    """Read every chosen calendar and the app calendar. False when time or quota was used up first.

    Raises CalendarError for what ails the account or the app calendar; a chosen calendar that no longer opens
    is marked stale, and the others go on.
    """
    calendar_list.refresh(run)
    calendars = calendar_list.readable(run.connection_id)
    calendar_ids = [calendar.id for calendar in calendars]
    if full:
        for calendar in calendars:
            begin_generation(calendar)
        run.commit()
    for calendar_id in calendar_ids:
        try:
            if not read_calendar(run, calendar_id):
                return False
        except (EventNotFound, PermissionDenied):
            if db.session.get_one(GoogleCalendar, calendar_id).is_app_calendar:
                raise
            _mark_stale(run, calendar_id)
    return True


def begin_generation(calendar: GoogleCalendar) -> None:
    """Re-read the whole calendar. What is here stays until the last page tells what is gone."""
    calendar.sync_token = calendar.page_token = None
    calendar.generation += 1
    calendar.is_full_pass = True
    calendar.query_signature = QUERY_SIGNATURE


def read_calendar(run: Run, calendar_id: int) -> bool:
    """Page after page up to the sync token. False when time or quota was used up between two pages."""
    new_generations = 0
    while True:
        calendar = db.session.get_one(GoogleCalendar, calendar_id)
        if calendar.query_signature not in FIELDS_BY_SIGNATURE or wants_second_look(run, calendar):
            begin_generation(calendar)
            run.commit()
            calendar = db.session.get_one(GoogleCalendar, calendar_id)
        sync_token, page_token = calendar.sync_token, calendar.page_token
        fields = FIELDS_BY_SIGNATURE.get(calendar.query_signature or "", LIST_FIELDS)
        if not run.has_room(["list"]):
            return False
        try:
            page = run.google.list_events(
                calendar.calendar_id, sync_token=sync_token, page_token=page_token, fields=fields
            )
        except (SyncTokenExpired, InvalidRequest) as error:
            # the query is always the same, so what is malformed in it can only be a token
            if isinstance(error, InvalidRequest) and sync_token is None and page_token is None:
                raise
            new_generations += 1
            if new_generations > MOST_NEW_GENERATIONS:
                raise
            begin_generation(db.session.get_one(GoogleCalendar, calendar_id))
            run.commit()
            continue
        if _take_page(run, calendar_id, page):
            return True
        if run.is_out_of_time:
            return False


def _take_page(run: Run, calendar_id: int, page: EventPage) -> bool:
    """Apply one page and store the token that follows it, in one transaction. True when all is read.

    Not so after the last page if a series went and left dates behind: only a whole list tells of those.
    """
    calendar = db.session.get_one(GoogleCalendar, calendar_id)
    _import_page(run, calendar, page)
    absent: list[int] = []
    is_last = page.next_page_token is None
    calendar.page_token = page.next_page_token
    if is_last:
        if calendar.is_full_pass:
            finish_full_pass(run, calendar)
        if calendar.is_app_calendar:
            absent = unlisted_links(run, calendar)
        calendar.sync_token = page.next_sync_token
        if calendar.is_full_pass:
            run.counts["passes"] += 1
        calendar.is_full_pass = False
        calendar.last_pulled_at = run.now
        calendar.stale_since = None
    is_read = is_last and calendar.query_signature is not None
    run.keep_tokens()
    run.commit()
    for link_id in absent:
        if not run.has_room(["get"]):
            break  # the next pull asks for the others
        look_for(run, calendar.calendar_id, link_id)
    if absent:
        own_events.group_deletions(run)
        run.commit()
    return is_read


def _import_page(run: Run, calendar: GoogleCalendar, page: EventPage) -> None:
    """Sort a page's resources into our own events and others, and store the others."""
    events, odd = _decode(page)
    if calendar.is_app_calendar:
        events = _without_own(run, calendar, events)
    if odd:
        _quarantine(run, calendar, odd)
    if events:
        _store_events(run, calendar, events)


def _decode(page: EventPage) -> tuple[list[Event], dict[str, InvalidCalendarData]]:
    """The page's events, the last one of each id by `updated`; and the odd ones, by id, with what is odd."""
    events: dict[str, Event] = {}
    odd: dict[str, InvalidCalendarData] = {}
    for resource in page.items:
        try:
            event = from_google(resource)
        except InvalidCalendarData as error:
            event_id = id_of(resource)
            if event_id is not None:
                odd[event_id] = error
            continue
        earlier = events.get(event.event_id)
        if earlier is None or not (earlier.updated and event.updated and event.updated < earlier.updated):
            events[event.event_id] = event
    return list(events.values()), odd


def _without_own(run: Run, calendar: GoogleCalendar, events: list[Event]) -> list[Event]:
    """Settle what is ours in the app calendar; give back what is to be imported like any other event."""
    links = event_links.links_by_event(run.connection_id, [event.event_id for event in events])
    changed, unlinked = [], []
    for event in events:
        link = links.get(event.event_id)
        if link is None:
            unlinked.append(event)
            continue
        link.generation = calendar.generation
        link.missing_since, link.has_guests = None, event.has_guests
        if not own_events.is_as_agreed(run, link, event):
            changed.append((link, event))
    if changed:
        own_events.settle_page(run, changed)
    # after the others: whether a stray is wanted depends on what became of its appointment's own event
    return [event for event in unlinked if strays.settle_stray(run, event)]


def _store_events(run: Run, calendar: GoogleCalendar, events: list[Event]) -> None:
    """Upsert, delete and expand again whatever these events touch."""
    rows = google_events.google_events_by_id(calendar, [event.event_id for event in events])
    oldest = run.now - KEPT_BEFORE
    touched: set[str] = set()
    gone: list[GoogleEvent] = []
    new: list[Event] = []
    ended: list[str] = []
    for event in events:
        row = rows.get(event.event_id)
        if row is not None and row.etag == event.etag and row.quarantine is None:
            row.generation = calendar.generation
            row.ical_uid = event.ical_uid or row.ical_uid  # not known of a row from before it was asked for
            continue
        if row is not None and row.updated and event.updated and event.updated < row.updated:
            row.generation = calendar.generation  # an older copy names it all the same: it is there
            continue
        if not is_kept(event, oldest):
            touched.add(event.recurring_event_id or event.event_id)
            gone += [row] if row is not None else []
            ended += [event.event_id] if event.is_cancelled else []
        elif row is None:
            new.append(event)
        else:
            touched.add(event.recurring_event_id or event.event_id)
            google_events.put_event(row, event, generation=calendar.generation)
            run.counts["imported"] += 1
    if not touched and not new:
        return
    run.connection.changed_at = run.now
    if gone:
        run.counts["removed_here"] += len(gone)
    db.session.flush()
    google_events.delete_events(gone)
    _part_from_series(calendar, ended, named={event.event_id for event in events if not event.is_cancelled})
    touched |= _store_new(run, calendar, new)
    expand_series(run, calendar, touched)


def _store_new(run: Run, calendar: GoogleCalendar, events: list[Event]) -> set[str]:
    """Insert events by the thousand. Single ones need no look at anything else: their one date is made here.

    Returns the series that the others belong to.
    """
    after, before = run.now - KEPT_BEFORE, run.now + EXPANDED_AHEAD
    singles = [event for event in events if not event.is_master and not event.is_override]
    ids = google_events.insert_events(calendar, singles, expanded_until=before)
    occurrences = [
        (ids[event.event_id], occurrence)
        for event in singles
        for occurrence in expand(event, (), after=after, before=before)
    ]
    google_events.add_occurrences(run.connection.provider_id, occurrences)
    others = [event for event in events if event.event_id not in ids]
    google_events.insert_events(calendar, others, expanded_until=None)
    run.counts["imported"] += len(events)
    return {event.recurring_event_id or event.event_id for event in others}


def is_kept(event: Event, oldest: dt.datetime) -> bool:
    """Masters and overrides always, cancelled overrides too; single events unless they ended long ago."""
    if event.is_override:
        return event.original_start is not None
    if event.is_cancelled or event.end is None:
        return False
    return event.is_master or event.end.instant > oldest


def _part_from_series(calendar: GoogleCalendar, ended: list[str], *, named: set[str]) -> None:
    """A deleted master takes its cancelled dates along. The others were not deleted: a guest may stay invited
    to one of them. They are events of their own until the calendar, read anew at once, names them or doesn't.
    """
    for rows in google_events.series_rows(calendar, ended).values():
        google_events.delete_events([row for row in rows if row.status == "cancelled"])
        is_in_doubt = any(row.status != "cancelled" and row.event_id not in named for row in rows)
        if is_in_doubt and not calendar.is_full_pass:
            calendar.query_signature = None


def _quarantine(run: Run, calendar: GoogleCalendar, odd: dict[str, InvalidCalendarData]) -> None:
    """Keep an odd event's id and what is odd about it, for the doctor; it is drawn nowhere."""
    rows = google_events.google_events_by_id(calendar, odd)
    for event_id, error in odd.items():
        row = rows.get(event_id)
        if row is None:
            row = GoogleEvent(google_calendar_id=calendar.id, event_id=event_id)
            db.session.add(row)
        google_events.put_event(row, Event(event_id=event_id), generation=calendar.generation)
        row.quarantine = error.code
        run.counts["quarantined"] += 1
    for link in event_links.links_by_event(run.connection_id, odd).values():
        if calendar.is_app_calendar:
            link.generation = calendar.generation  # it is there, so it need not be looked up
    db.session.flush()
    google_events.replace_occurrences(run.connection.provider_id, list(rows.values()), [])


def _mark_stale(run: Run, calendar_id: int) -> None:
    """It no longer opens: its events stay, marked, and nothing is deleted."""
    calendar = db.session.get_one(GoogleCalendar, calendar_id)
    calendar.stale_since = calendar.stale_since or run.now
    run.counts["stale_calendars"] += 1
    run.commit()
