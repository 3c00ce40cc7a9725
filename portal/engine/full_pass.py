"""The end of a full pass: which absences are believed, and what of ours was not named."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa

from portal.connection import cards
from portal.engine import own_events
from portal.engine.expanding import expand_series
from portal.engine.run import Run
from portal.errors import EventNotFound, InvalidCalendarData
from portal.extensions import db
from portal.google.codec import from_google
from portal.models import EventLink, GoogleCalendar, GoogleEvent, LinkState
from portal.rows import google_events
from portal.sync import breaker
from portal.sync.event import Event

JUST_AGREED = dt.timedelta(minutes=5)  # lists may lag behind answers
MOST_LOOKED_UP = 100  # after one pull; the others come after the next
MISSING_AGAIN = dt.timedelta(minutes=2)


def wants_second_look(run: Run, calendar: GoogleCalendar) -> bool:
    """A pass missed so many events that another one, ten minutes later, must miss them too."""
    since = calendar.absent_since
    is_pass_under_way = calendar.sync_token is None
    return since is not None and not is_pass_under_way and run.now - since >= breaker.SECOND_PASS_AFTER


def finish_full_pass(run: Run, calendar: GoogleCalendar) -> None:
    """Sweep what the whole list did not name."""
    unseen = _believed(run, calendar)
    if unseen:
        touched = {row.recurring_event_id or row.event_id for row in unseen}
        run.counts["removed_here"] += len(unseen)
        google_events.delete_events(unseen)
        expand_series(run, calendar, touched)


def _believed(run: Run, calendar: GoogleCalendar) -> list[GoogleEvent]:
    """The events that are to go since the full pass did not name them. Too many wait for a second pass."""
    unseen = list(
        db.session.scalars(
            sa.select(GoogleEvent).where(
                GoogleEvent.google_calendar_id == calendar.id,
                GoogleEvent.generation != calendar.generation,
            )
        )
    )
    missing, total, named = google_events.count_units(calendar, now=run.now)
    judged = breaker.judge_absence(
        missing=missing, total=total, named=named, absent_since=calendar.absent_since, now=run.now
    )
    match judged:
        case breaker.Absence.REMOVE:
            if calendar.absent_since is not None:
                calendar.absent_since = None
                cards.close_about_calendar(run.connection, calendar.id, now=run.now)
            return unseen
        case breaker.Absence.WAIT:
            calendar.absent_since = calendar.absent_since or run.now
        case breaker.Absence.ASK:
            cards.ask_about_empty_calendar(run.connection, calendar.id, now=run.now)
    run.counts["held_back"] += len(unseen)
    return []


def unlisted_links(run: Run, calendar: GoogleCalendar) -> list[int]:
    """Links whose event no list of this generation has named. Absence there is only a suspicion.

    Asked after every pull, not only after a whole list: what was agreed too lately to be judged then has no
    tombstone in any later list if it was deleted before the whole list ended.
    """
    return list(
        db.session.scalars(
            sa.select(EventLink.id)
            .where(
                EventLink.connection_id == run.connection_id,
                EventLink.state == LinkState.LIVE,
                EventLink.generation != calendar.generation,
                EventLink.agreed_at < run.now - JUST_AGREED,
            )
            .order_by(EventLink.agreed_at, EventLink.id)
            .limit(MOST_LOOKED_UP)
        )
    )


def look_for(run: Run, calendar_id: str, link_id: int) -> None:
    """Ask Google for the one event. A 404 counts only when it is said again two minutes later."""
    event_id = db.session.get_one(EventLink, link_id).event_id
    try:
        event = from_google(run.google.get_event(calendar_id, event_id))
    except InvalidCalendarData:
        return
    except EventNotFound:
        event = Event(event_id=event_id, status="cancelled")
        link = db.session.get_one(EventLink, link_id)
        if link.missing_since is None or run.now - link.missing_since < MISSING_AGAIN:
            link.missing_since = link.missing_since or run.now
            run.commit()
            return
    link = db.session.get_one(EventLink, link_id)
    link.missing_since = None
    own_events.settle(run, link, event)
    app_calendar = run.app_calendar()
    if app_calendar is not None:
        link.generation = app_calendar.generation  # looked up is as good as listed
    run.commit()
