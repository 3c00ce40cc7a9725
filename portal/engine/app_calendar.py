"""The one calendar that the portal makes in a provider's account: made once, found again, shown."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from contextlib import suppress

import sqlalchemy as sa
from flask import current_app

from portal.config import Config
from portal.connection import cards, choosing
from portal.connection.marks import Mark, read_mark
from portal.engine.run import Run
from portal.errors import CalendarUnavailable, EventNotFound, InvalidCalendarData, PermissionDenied
from portal.extensions import db
from portal.google.answers import CalendarEntry
from portal.google.codec import from_google
from portal.models import GoogleCalendar
from portal.sync.outbound import WINDOW_BEFORE

SURE_AFTER_FAILURES = 2  # tries; what is new may not open at once (facts §10)
DESCRIPTION = "Appointments from {name}. Changes made in {name} appear here. {mark}"


def ensure(run: Run) -> GoogleCalendar | None:
    """The app calendar's row; makes the calendar at the first sync. Raises CalendarError.

    None: Google lists a calendar of this installation that this database doesn't know, as after a backup was
    put back. Nothing is written there before the provider has said what is meant with it.

    `calendars.insert` is the one write that no id makes idempotent: the nonce is committed before it, and
    looked up before and after it. A failed look-up means wait, not insert.
    """
    row = run.app_calendar()
    if row is not None and run.connection.app_calendar_id == row.calendar_id:
        return row
    _commit_nonce(run)
    listed = run.google.list_calendars()
    entries = _ours(run, listed)
    if run.connection.app_calendar_id and find_again(run) == "calendar-missing":
        run.connection.app_calendar_id = None  # deleted since it was left; it is the provider who begins anew
        run.commit()
    if run.connection.app_calendar_id:
        entry = _reuse(run, run.connection.app_calendar_id)
    else:
        if not entries:
            if _asks_about_unknown(run, listed):
                return None
            _insert(run)
            entries = _ours(run, run.google.list_calendars())
        if not entries:
            raise CalendarUnavailable("app-calendar-not-listed")
        entry = _keep_one(run, entries)
    _show(run, entry)
    return _remember(run, entry)


def find_again(run: Run) -> str:
    """Why the app calendar no longer answers: "calendar-missing", or "calendar-out-of-reach"."""
    calendar_id = run.connection.app_calendar_id
    listed = {entry.calendar_id for entry in run.google.list_calendars()}
    return "calendar-out-of-reach" if calendar_id in listed else "calendar-missing"


def _commit_nonce(run: Run) -> None:
    connection = run.connection
    if connection.nonce is None:
        connection.nonce = secrets.token_hex(16)
        run.commit()


def _ours(run: Run, listed: list[CalendarEntry]) -> list[CalendarEntry]:
    """Those that carry this connection's nonce, in an order that is the same on every look."""
    nonce = run.connection.nonce
    assert nonce is not None
    return _sorted(entry for entry in listed if nonce in entry.description)


def _sorted(entries: Iterable[CalendarEntry]) -> list[CalendarEntry]:
    return sorted(entries, key=lambda entry: entry.calendar_id)


def _asks_about_unknown(run: Run, listed: list[CalendarEntry]) -> bool:
    """Whether there is a calendar of this installation that this database doesn't know; asks about it."""
    own = choosing.own_calendars(run.connection)
    found = [
        (entry.calendar_id, mark.nonce, entry.summary)
        for entry in _sorted(listed)
        if choosing.why_not(entry, own) == "unknown-app-calendar"
        and (mark := read_mark(entry.description)) is not None
        and (mark.installation == own.installation or _holds_ours(run, entry, own.installation))
    ]
    if found:
        cards.ask_about_unknown_calendar(run.connection, found, now=run.now)
        run.commit()
    return bool(found)


def _holds_ours(run: Run, entry: CalendarEntry, installation: str) -> bool:
    """One that was made before marks told the installation is known by the tags of its events."""
    for resource in run.google.list_events(entry.calendar_id).items:
        with suppress(InvalidCalendarData):  # whatever it is, it is not ours
            tag = from_google(resource).tag
            if tag is not None and tag.installation == installation:
                return True
    return False


def _description(run: Run) -> str:
    config: Config = current_app.extensions["config"]
    assert run.connection.nonce is not None
    mark = Mark(run.connection.nonce, run.practice.installation)
    return DESCRIPTION.format(name=config.app_calendar_name, mark=mark)


def _insert(run: Run) -> None:
    config: Config = current_app.extensions["config"]
    timezone, description = run.connection.provider.timezone, _description(run)
    run.google.insert_calendar(summary=config.app_calendar_name, description=description, time_zone=timezone)
    run.counts["calendars_made"] += 1


def _reuse(run: Run, calendar_id: str) -> CalendarEntry:
    """Start over kept the emptied calendar: give it the new nonce, and the name if it was renamed."""
    config: Config = current_app.extensions["config"]
    description = _description(run)
    run.google.patch_calendar(calendar_id, summary=config.app_calendar_name, description=description)
    return run.google.get_calendar_entry(calendar_id)


def _keep_one(run: Run, entries: list[CalendarEntry]) -> CalendarEntry:
    """Of several made by a doubled request one stays; the others go only when they are empty."""
    kept, *others = entries
    for other in others:
        if _is_empty(run, other.calendar_id):
            run.google.delete_calendar(other.calendar_id)
    return kept


def _is_empty(run: Run, calendar_id: str) -> bool:
    """A page without events may have a next one (facts §5)."""
    page_token: str | None = None
    while True:
        page = run.google.list_events(calendar_id, page_token=page_token)
        page_token = page.next_page_token
        if page.items or page_token is None:
            return not page.items


def _show(run: Run, entry: CalendarEntry) -> None:
    """See that it stands under "My calendars". If Google won't have it shown, it is there all the same."""
    if not entry.is_hidden and entry.is_selected:
        return
    try:
        run.google.show_calendar(entry.calendar_id)
    except (EventNotFound, PermissionDenied):
        run.counts["calendar_not_shown"] += 1


def _remember(run: Run, entry: CalendarEntry) -> GoogleCalendar:
    connection, now = run.connection, run.now
    connection.app_calendar_id = entry.calendar_id
    if connection.app_calendar_made_at is None:
        connection.app_calendar_made_at = now
    if connection.window_starts_at is None:
        connection.window_starts_at = now - WINDOW_BEFORE
    row = db.session.scalar(
        sa.select(GoogleCalendar).where(
            GoogleCalendar.connection_id == connection.id, GoogleCalendar.calendar_id == entry.calendar_id
        )
    )
    if row is None:
        row = GoogleCalendar(connection_id=connection.id, calendar_id=entry.calendar_id, listed_at=now)
        db.session.add(row)
    row.summary, row.access_role, row.listed_at = entry.summary, entry.access_role, now
    row.is_app_calendar, row.is_chosen, row.why_not = True, False, "app-calendar"
    run.commit()
    return row
