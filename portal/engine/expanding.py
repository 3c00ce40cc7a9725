"""The dates of events as rows, from 90 days back to 400 days ahead; extended as the days pass."""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa

from portal.calendar.occurrences import EXPANDED_AHEAD, KEPT_BEFORE, READY_AHEAD
from portal.engine.run import Run
from portal.errors import (
    InvalidCalendarData,
)
from portal.extensions import db
from portal.models import GoogleCalendar, GoogleEvent
from portal.rows import google_events
from portal.sync.recurrence import expand


def expand_series(run: Run, calendar: GoogleCalendar, series: Iterable[str]) -> None:
    """Make the occurrences of these series and single events anew."""
    after, before = run.now - KEPT_BEFORE, run.now + EXPANDED_AHEAD
    all_rows: list[GoogleEvent] = []
    occurrences = []
    for rows in google_events.series_rows(calendar, series).values():
        if not rows or rows[0].recurring_event_id is not None:
            continue  # overrides that wait for their master
        by_id = {row.event_id: row for row in rows}
        all_rows += rows
        first, *overrides = [google_events.event_value(row) for row in rows]
        try:
            found = expand(first, overrides, after=after, before=before)
        except InvalidCalendarData as error:
            rows[0].quarantine = error.code
            run.counts["quarantined"] += 1
            continue
        rows[0].expanded_until = before
        occurrences += [(by_id[occurrence.event_id], occurrence) for occurrence in found]
    google_events.replace_occurrences(run.connection.provider_id, all_rows, occurrences)


def extend_occurrences(run: Run, *, most: int = 200) -> None:
    """Let the window slide: expand the series whose dates end too soon, a few at a time."""
    due = db.session.execute(
        sa.select(GoogleEvent.google_calendar_id, GoogleEvent.event_id)
        .join(GoogleCalendar, GoogleCalendar.id == GoogleEvent.google_calendar_id)
        .where(
            GoogleCalendar.connection_id == run.connection_id,
            GoogleEvent.recurring_event_id.is_(None),
            GoogleEvent.quarantine.is_(None),
            GoogleEvent.expanded_until < run.now + READY_AHEAD,
        )
        .limit(most)
    ).all()
    by_calendar: dict[int, list[str]] = {}
    for calendar_id, event_id in due:
        by_calendar.setdefault(calendar_id, []).append(event_id)
    for calendar_id, event_ids in by_calendar.items():
        expand_series(run, db.session.get_one(GoogleCalendar, calendar_id), event_ids)
    if due:
        run.commit()
