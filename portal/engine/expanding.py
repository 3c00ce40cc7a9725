"""The dates of events as rows, from 90 days back to 400 days ahead; extended as the days pass."""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa

from portal.engine.run import Run
from portal.extensions import db
from portal.models import GoogleCalendar, GoogleEvent
from portal.rows import google_events
from portal.sync.shown import EXPANDED_AHEAD, KEPT_BEFORE, READY_AHEAD, dates_of


def expand_series(run: Run, calendar: GoogleCalendar, series: Iterable[str]) -> None:
    """Make the occurrences of these series and single events anew."""
    after, before = run.now - KEPT_BEFORE, run.now + EXPANDED_AHEAD
    all_rows: list[GoogleEvent] = []
    occurrences = []
    for rows in google_events.series_rows(calendar, series).values():
        by_id = {row.event_id: row for row in rows}
        all_rows += rows
        dates = dates_of([google_events.event_value(row) for row in rows], after=after, before=before)
        if dates.odd is not None:
            rows[0].quarantine = dates.odd
            run.counts["quarantined"] += 1
        for number, row in enumerate(rows):  # the first stands for all of them, master or not
            row.expanded_until = before if number == 0 and dates.odd is None else None
        occurrences += [(by_id[occurrence.event_id], occurrence) for occurrence in dates.occurrences]
    google_events.replace_occurrences(run.connection.provider_id, all_rows, occurrences)


def extend_occurrences(run: Run, *, most: int = 200) -> None:
    """Let the window slide: expand the series whose dates end too soon, a few at a time."""
    due = db.session.execute(
        sa.select(
            GoogleEvent.google_calendar_id,
            sa.func.coalesce(GoogleEvent.recurring_event_id, GoogleEvent.event_id),
        )
        .join(GoogleCalendar, GoogleCalendar.id == GoogleEvent.google_calendar_id)
        .where(
            GoogleCalendar.connection_id == run.connection_id,
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
