"""Leaving Google, in steps that can each be repeated: what is ours goes, what is the provider's stays.

Killed between any two steps, the next run begins again and finds less to do. The receipt in
`Connection.removal` says what was verified.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import sqlalchemy as sa

from portal.connection import leftovers, switching
from portal.engine import app_calendar, channels
from portal.engine.run import Run
from portal.errors import (
    AccessRefused,
    AuthorizationExpired,
    CalendarError,
    CalendarUnavailable,
    EventNotFound,
    InvalidCalendarData,
    PermissionDenied,
    ScopeMissing,
)
from portal.extensions import db
from portal.google import oauth
from portal.google.client import BATCH_MOST, Write, attempt
from portal.google.codec import from_google
from portal.models import (
    ChangeCard,
    Connection,
    ConnectionPhase,
    EventLink,
    GoogleCalendar,
    PushChannel,
    SyncMode,
)
from portal.rows import google_events
from portal.sync.modes import Goal
from portal.sync.trouble import KEY_WAITED_FOR, UNREADABLE, is_refused_for_long, worst

GRANT_IS_DEAD = (AuthorizationExpired, ScopeMissing, AccessRefused)  # the last one after a day of it
OUT_OF_REACH = (EventNotFound, PermissionDenied)


@dataclass(slots=True)
class Inventory:
    """What lies in the app calendar."""

    ours: list[str] = field(default_factory=list)
    others: int = 0


def tear_down(run: Run) -> bool:
    """Remove what two-way sync made, on both sides, and arrive at the goal. After a CalendarError, again.

    False when time or quota was used up first. With a dead grant the local side ends all the same, and what
    stays in Google is told in the receipt; the mode is then off, since a feed would show the same again.
    """
    goal = Goal((run.connection.removal or {})["goal"])
    channels.stop_all(run)
    try:
        if run.connection.app_calendar_id is not None and not _clear_google(run, goal):
            return False
        _note(run, revoked=_give_back(run, goal))
    except GRANT_IS_DEAD as error:
        if isinstance(error, AccessRefused) and not _is_given_up(run):
            raise
        if not isinstance(error, AuthorizationExpired):
            _give_back(run, Goal.OFF)
        goal = Goal.OFF if goal is Goal.ONE_WAY else goal
        _note(run, revoked=True, leftover=run.connection.app_calendar_id, goal=goal.value)
    _arrive(run, goal)
    return True


def is_without_google(connection: Connection, *, now: dt.datetime) -> bool:
    """Whether a tear-down ends on this side alone, as no key opens the grant.

    At once where the page that was answered said so; else after a day, for the key may come back.
    """
    if connection.refresh_token is not None:
        return False
    is_long = connection.problem_since is not None and now - connection.problem_since >= KEY_WAITED_FOR
    return bool((connection.removal or {}).get("was_unreadable")) or (
        connection.problem_detail == UNREADABLE and is_long
    )


def end_without_google(run: Run) -> None:
    """Arrive at the goal with a grant that no key opens; the grant goes with it.

    Nothing can be taken out of Google and nothing given back there; the receipt says both.
    """
    goal = Goal((run.connection.removal or {})["goal"])
    goal = Goal.OFF if goal is Goal.ONE_WAY else goal
    _note(run, revoked=False, unreadable=True, leftover=run.connection.app_calendar_id, goal=goal.value)
    _arrive(run, goal)


def _arrive(run: Run, goal: Goal) -> None:
    _clear_here(run)
    if goal is Goal.START_OVER and not (run.connection.removal or {}).get("leftover"):
        _begin_again(run)
    else:
        switching.finish_removal(run.connection, now=run.now)
        _commit_ended()


def _is_given_up(run: Run) -> bool:
    connection = run.connection
    return is_refused_for_long(connection.problem, connection.problem_since, run.now)


def _clear_google(run: Run, goal: Goal) -> bool:
    """Empty the app calendar of what is ours; delete it when nothing else is in it and it isn't reused.

    False when time or quota was used up first.
    """
    calendar_id = run.connection.app_calendar_id
    assert calendar_id is not None
    try:
        inventory = take_inventory(run, calendar_id)
    except OUT_OF_REACH:
        _calendar_does_not_open(run)
        return True
    removal = run.connection.removal or {}
    _note(run, found=max(removal.get("found", 0), len(inventory.ours)), own_kept=inventory.others)
    if removal.get("keep_events"):
        _leave_calendar(run, calendar_id, inventory)
        return True
    if goal is not Goal.START_OVER and inventory.others <= removal.get("own_to_delete", 0):
        _delete_calendar(run, calendar_id)
        _note(run, own_kept=0, own_deleted=inventory.others)
        return True
    if not _delete_events(run, calendar_id, inventory.ours):
        return False
    left = take_inventory(run, calendar_id)
    _note(run, calendar="emptied" if goal is Goal.START_OVER else "kept", left=len(left.ours))
    if left.ours:
        raise CalendarError("events-left")
    return True


def _calendar_does_not_open(run: Run) -> None:
    """Gone, or still in the account with everything in it: then only the provider can delete it.

    Raises CalendarUnavailable to try again, until it is certain that it won't open.
    """
    connection = run.connection
    problem = app_calendar.find_again(run)
    if problem == "calendar-missing":
        _note(run, calendar="missing")
        return
    was_known = (connection.removal or {}).get("was_out_of_reach")
    if not was_known and connection.failures < app_calendar.SURE_AFTER_FAILURES:
        raise CalendarUnavailable("calendar-does-not-open")
    leftovers.leave_behind(connection)
    connection.app_calendar_id = None
    _note(run, calendar="out-of-reach")


def take_inventory(run: Run, calendar_id: str) -> Inventory:
    """Read the whole app calendar and tell ours from the provider's: by link, or by its own tag."""
    inventory = Inventory()
    linked = frozenset(
        db.session.scalars(sa.select(EventLink.event_id).where(EventLink.connection_id == run.connection_id))
    )
    installation = run.practice.installation
    page_token: str | None = None
    while True:
        page = run.google.list_events(calendar_id, page_token=page_token)
        for resource in page.items:
            _count(inventory, resource, linked, installation)
        page_token = page.next_page_token
        if page_token is None:
            return inventory


def _count(inventory: Inventory, resource: Any, linked: frozenset[str], installation: str) -> None:
    try:
        event = from_google(resource)
    except InvalidCalendarData:
        inventory.others += 1  # whatever it is, we didn't write it
        return
    if event.is_cancelled or event.is_override:
        return
    tag = event.tag
    is_tagged = tag is not None and tag.installation == installation and tag.event_id == event.event_id
    if is_tagged or event.event_id in linked:
        inventory.ours.append(event.event_id)
    else:
        inventory.others += 1


def _leave_calendar(run: Run, calendar_id: str, inventory: Inventory) -> None:
    """As wished, everything stays, under a name that says what it is worth from now on."""
    row, connection = run.app_calendar(), run.connection
    name = row.summary if row is not None else calendar_id
    begun_at = dt.datetime.fromisoformat((connection.removal or {})["begun_at"])
    date = begun_at.astimezone(connection.provider.zone).date()
    run.google.patch_calendar(calendar_id, summary=f"{name} (no longer updated since {date.isoformat()})")
    _note(run, calendar="left", left=len(inventory.ours))


def _delete_calendar(run: Run, calendar_id: str) -> None:
    """Delete it, and see that it is gone from the account's list."""
    try:
        run.google.delete_calendar(calendar_id)
    except EventNotFound:
        run.counts["calendar_gone_already"] += 1
    listed = {entry.calendar_id for entry in run.google.list_calendars()}
    if calendar_id in listed:
        raise CalendarError("calendar-still-listed")
    _note(run, calendar="deleted", left=0)


def _delete_events(run: Run, calendar_id: str, event_ids: list[str]) -> bool:
    """Delete ours one by one; one that is gone already counts as deleted. False: time or quota is used up."""
    for begin in range(0, len(event_ids), BATCH_MOST):
        writes = [
            Write(verb="delete", event_id=event_id) for event_id in event_ids[begin : begin + BATCH_MOST]
        ]
        has_room = run.may_spend([write.verb for write in writes])
        run.commit()
        if not has_room or (begin and run.is_out_of_time):
            return False
        _delete_batch(run, calendar_id, writes)
    return True


def _delete_batch(run: Run, calendar_id: str, writes: list[Write]) -> None:
    """Delete these; only what failed in passing is tried again. Raises CalendarError."""
    failed = 0
    while writes:
        outcomes = attempt(partial(run.google.write_events, calendar_id, writes), run.try_again)
        run.spend([write.verb for write in writes])
        refused = {
            write.event_id: outcome
            for write, outcome in zip(writes, outcomes, strict=True)
            if isinstance(outcome, CalendarError) and not isinstance(outcome, OUT_OF_REACH)
        }
        run.counts["deleted"] += len(writes) - len(refused)
        run.commit()
        failed += 1
        if refused and not run.try_again(worst(list(refused.values())), failed):
            raise worst(list(refused.values()))
        writes = [write for write in writes if write.event_id in refused]


def _give_back(run: Run, goal: Goal) -> bool:
    """Revoke the grant, unless the wizard goes on with it. Raises CalendarUnavailable to try again."""
    token = run.connection.refresh_token
    if goal is Goal.START_OVER or token is None:
        return False
    run.before_request()
    oauth.revoke(token)
    return True


def _clear_here(run: Run) -> None:
    """Imported events, links and open cards of this connection end. Appointments are not touched."""
    connection_id = run.connection_id
    calendars = list(
        db.session.scalars(sa.select(GoogleCalendar).where(GoogleCalendar.connection_id == connection_id))
    )
    removed = google_events.count_shown([calendar.id for calendar in calendars], now=run.now)
    for calendar in calendars:
        google_events.delete_calendar_events(calendar.id)
        calendar.sync_token = calendar.page_token = calendar.query_signature = None
        calendar.is_full_pass = True
        if calendar.is_app_calendar:
            calendar.is_app_calendar, calendar.why_not = False, "app-calendar"
    unsynchronized = {"synchronize_session": False}
    for statement in (
        sa.delete(EventLink).where(EventLink.connection_id == connection_id),
        sa.update(PushChannel)
        .where(PushChannel.connection_id == connection_id, PushChannel.stopped_at.is_(None))
        .values(stopped_at=run.now),
        sa.update(ChangeCard)
        .where(ChangeCard.connection_id == connection_id, ChangeCard.closed_at.is_(None))
        .values(closed_at=run.now, outcome="sync-ended"),
    ):
        db.session.execute(statement, execution_options=unsynchronized)
    run.commit()
    _note(run, imported_removed=removed + int((run.connection.removal or {}).get("imported_removed", 0)))


def _begin_again(run: Run) -> None:
    """Start over: the emptied calendar and the grant stay, everything else begins anew in the wizard."""
    connection: Connection = run.connection
    connection.phase = ConnectionPhase.CHOOSING
    connection.nonce = None
    connection.provider.sync_mode = SyncMode.OFF
    connection.last_pushed_at = connection.last_pulled_at = connection.next_check_at = None
    connection.progress_done = connection.progress_total = 0
    run.commit()


def _note(run: Run, **facts: Any) -> None:
    """Write into the receipt what is known now, and commit it."""
    run.connection.removal = {**(run.connection.removal or {}), **facts}
    run.commit()


def _commit_ended() -> None:
    """The connection's end raised its fencing number itself, so this commit is the run's last."""
    db.session.commit()
    db.session.expire_all()
