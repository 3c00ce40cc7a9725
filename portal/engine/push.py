"""Outward: gather what is behind, decide, write it to Google in batches, and note what was agreed.

A job or a mark is only a hint; what is written follows from the rows as they are when the batch is made.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace

import sqlalchemy as sa

from portal.connection import cards
from portal.engine import own_events, strays
from portal.engine.run import Run
from portal.errors import (
    CalendarError,
    CalendarUnavailable,
    Conflict,
    EtagMismatch,
    EventNotFound,
    InvalidCalendarData,
    InvalidRequest,
    PermissionDenied,
)
from portal.extensions import db
from portal.google.client import BATCH_MOST, Outcome, Write
from portal.google.codec import from_google
from portal.models import Appointment, EventLink, LinkState
from portal.practice import clients
from portal.rows import event_links
from portal.sync import breaker
from portal.sync.event import Event, Tag
from portal.sync.outbound import (
    Action,
    CloseCard,
    Delete,
    Insert,
    LocalAppointment,
    Patch,
    PutBack,
    Settle,
    decide,
    event_id,
)
from portal.sync.trouble import concerns_all, worst

NOT_VISIBLE_TRIES = 3
NOT_VISIBLE_SECONDS = 60  # between them, so that a new revival is tried after two minutes at the earliest
LONGEST_RETRY_SECONDS = 6 * 3600
# Refusals that only a look at the event can settle; 403 may mean that it is deleted (facts §8)
NEEDS_A_LOOK = (Conflict, EtagMismatch, EventNotFound, PermissionDenied)


@dataclass(slots=True)
class Plan:
    """One appointment's write: what was read when it was decided, and what is sent."""

    appointment_id: int
    local: LocalAppointment
    action: Action
    event_id: str
    revival: int
    link_id: int | None
    write: Write


def push(run: Run, calendar_id: str) -> bool:
    """Write until nothing is behind. False when time or quota was used up first.

    Raises CalendarError, LeaseLost.
    """
    if not strays.delete_unwanted(run, calendar_id):
        return False
    while True:
        plans, settled = _gather(run)
        if not plans and not settled:
            return True
        if plans and not _is_allowed(run, plans):
            return run.pause_until is None
        _mark_deletes(plans)
        run.commit()
        if plans:
            _send(run, calendar_id, plans)
        if run.connection.problem == "question":
            return True  # asked just now: nothing more is written before the answer
        if run.is_out_of_time:
            return False


def _send(run: Run, calendar_id: str, plans: list[Plan]) -> None:
    """One batch. What fails in passing stays behind, so that the loop decides and sends it anew."""
    verbs = [plan.write.verb for plan in plans]
    try:
        outcomes = run.google.write_events(calendar_id, [plan.write for plan in plans])
    except CalendarError as error:  # of the batch as a whole: whatever was done, the ids are our own
        run.spend(verbs)
        _try_again(run, plans, error)
        return
    run.spend(verbs)
    _keep(run, calendar_id, plans, outcomes)


def _try_again(run: Run, plans: list[Plan], error: CalendarError) -> None:
    """Let these be tried once more in this run, twice at most each. Raises the error when they are not."""
    run.failed.update(plan.appointment_id for plan in plans)
    if not run.try_again(error, max(run.failed[plan.appointment_id] for plan in plans)):
        raise error


def _gather(run: Run) -> tuple[list[Plan], int]:
    """Decide for up to a batch of appointments. What needs no request is settled on the way, and counted."""
    connection, now = run.connection, run.now
    rows = event_links.behind(connection, now=now, most=BATCH_MOST)
    if not rows:
        return [], 0
    titles = clients.titles_outside(connection.provider, [appointment for appointment, _ in rows])
    plans: list[Plan] = []
    settled = 0
    for appointment, link in rows:
        local = event_links.local_appointment(
            appointment, titles[appointment.id], connection.window_starts_at
        )
        if link is not None and link.state is LinkState.HELD:
            local = replace(local, has_new_status=event_links.has_new_status(appointment, link))
        action = decide(local, event_links.link_value(link) if link else None)
        if isinstance(action, Settle | CloseCard):
            assert link is not None
            _settle(action, link, appointment, now)
            settled += 1
        elif action is not None:
            plans.append(_plan(run, appointment, local, action, link))
    return plans, settled


def _is_allowed(run: Run, plans: list[Plan]) -> bool:
    """Whether the quota has room, and the deletions among these can be believed."""
    if not run.may_spend([plan.write.verb for plan in plans]):
        run.commit()
        return False
    if any(isinstance(plan.action, Delete) for plan in plans):
        unexplained = event_links.unexplained_deletes(run.connection)
        if len(unexplained) > breaker.ALWAYS_FINE:
            cards.ask_about_deletes(
                run.connection, [link.appointment_id for link in unexplained], now=run.now
            )
            run.commit()
            return False
    return True


def _settle(action: Settle | CloseCard, link: EventLink, appointment: Appointment, now: dt.datetime) -> None:
    link.settled = appointment.revision
    link.needs_write = False
    if isinstance(action, CloseCard):
        link.state = LinkState.GONE
        cards.close(appointment, outcome="over-here", now=now)


def _plan(
    run: Run, appointment: Appointment, local: LocalAppointment, action: Action, link: EventLink | None
) -> Plan:
    match action:
        case Insert() | PutBack():
            verb, revival, if_match = "insert", action.revival, None
            target = event_id(
                installation=run.practice.installation,
                nonce=run.connection.nonce or "",
                public_id=appointment.public_id,
                revival=action.revival,
            )
        case Patch():
            verb, revival, if_match = "patch", link.revival if link else 0, action.etag
            target = action.event_id
        case _:
            assert isinstance(action, Delete)
            verb, revival, if_match = "delete", link.revival if link else 0, action.etag
            target = action.event_id
    tag = Tag(
        installation=run.practice.installation,
        appointment=appointment.public_id,
        event_id=target,
        revision=local.revision,
        times_hash=local.content.times_hash(),
    )
    return Plan(
        appointment_id=appointment.id,
        local=local,
        action=action,
        event_id=target,
        revival=revival,
        link_id=link.id if link else None,
        write=Write(verb=verb, event_id=target, content=local.content, tag=tag, if_match=if_match),
    )


def _mark_deletes(plans: list[Plan]) -> None:
    """Committed before the request: a tombstone on a link that says *deleting* is ours, whatever crashes."""
    for plan in plans:
        if isinstance(plan.action, Delete) and plan.link_id is not None:
            db.session.get_one(EventLink, plan.link_id).state = LinkState.DELETING


def _keep(run: Run, calendar_id: str, plans: list[Plan], outcomes: list[Outcome]) -> None:
    """Commit every part that was answered; only then pass on what failed for the connection as a whole."""
    in_trouble: list[tuple[Plan, CalendarError]] = []
    unsettled: list[tuple[Plan, CalendarError]] = []
    for plan, outcome in zip(plans, outcomes, strict=True):
        if not isinstance(outcome, CalendarError):
            _agree(run, plan, outcome)
        elif isinstance(outcome, NEEDS_A_LOOK):
            unsettled.append((plan, outcome))
        elif isinstance(outcome, InvalidRequest):
            _postpone(run, plan, outcome)
        else:
            in_trouble.append((plan, outcome))
    run.keep_tokens()
    run.commit()
    for plan, outcome in unsettled:
        _look_again(run, calendar_id, plan, outcome)
    if any(isinstance(outcome, PermissionDenied) for _, outcome in unsettled):
        _weigh_refusals(run)
    if in_trouble:
        _try_again(run, [plan for plan, _ in in_trouble], worst([error for _, error in in_trouble]))


def _weigh_refusals(run: Run) -> None:
    """Forbidden writes are their appointments' own affair. Raises CalendarUnavailable when they are not."""
    written = sum(run.counts[each] for each in ("inserted", "patched", "deleted"))
    refused = event_links.forbidden(run.connection_id)
    if not concerns_all(refused=len(refused), written=written):
        return
    for link in refused:
        link.retry_at = None  # they wait for the connection now
    run.commit()
    raise CalendarUnavailable("writes-forbidden")


def _link_row(run: Run, plan: Plan) -> EventLink:
    """The appointment's link, made if there is none, pointing at the event of this plan."""
    row = db.session.scalar(sa.select(EventLink).where(EventLink.appointment_id == plan.appointment_id))
    if row is None:
        row = EventLink(
            appointment_id=plan.appointment_id,
            connection_id=run.connection_id,
            state=LinkState.GONE,
            revival=plan.revival - 1,
            event_id=plan.event_id,
            revision=0,
            tries=0,  # counted before the row is flushed and has its defaults
            agreed_at=run.now,
        )
        db.session.add(row)
    return row


def _agree(run: Run, plan: Plan, resource: dict[str, object]) -> None:
    """Google did it: note the revision that was *sent*. A newer one here stays behind."""
    row = _link_row(run, plan)
    row.revision = row.settled = plan.local.revision
    row.agreed_at = run.now
    row.error, row.tries, row.retry_at, row.missing_since = None, 0, None, None
    row.needs_write = False
    if isinstance(plan.action, Delete):
        row.state = LinkState.GONE
        run.counts["deleted"] += 1
        return
    row.state, row.event_id, row.revival = LinkState.LIVE, plan.event_id, plan.revival
    row.etag = str(resource.get("etag", ""))
    row.content_hash = plan.local.content.content_hash()
    row.times_hash = plan.local.content.times_hash()
    row.remote_updated = _updated(resource)
    run.counts["patched" if isinstance(plan.action, Patch) else "inserted"] += 1
    run.connection.progress_done += 1
    if isinstance(plan.action, PutBack):
        _tell_it_is_back(run, plan)


def _tell_it_is_back(run: Run, plan: Plan) -> None:
    """What was deleted in Google and changed here has its event again: nothing is asked, and it is told."""
    appointment = db.session.get_one(Appointment, plan.appointment_id)
    here = [appointment.starts_at.isoformat(), appointment.ends_at.isoformat()]
    cards.tell_it_is_back(appointment, connection_id=run.connection_id, detail={"here": here}, now=run.now)


def _updated(resource: dict[str, object]) -> dt.datetime | None:
    try:
        return from_google(resource).updated
    except InvalidCalendarData:
        return None


def _postpone(run: Run, plan: Plan, error: CalendarError, *, seconds: float | None = None) -> None:
    """Leave this one for later, further apart each time, and say why; the others go on."""
    row = _link_row(run, plan)
    row.tries += 1
    row.error = event_links.FORBIDDEN if isinstance(error, PermissionDenied) else error.code
    wait = seconds if seconds is not None else min(60.0 * 2**row.tries, LONGEST_RETRY_SECONDS)
    row.retry_at = run.now + dt.timedelta(seconds=wait)
    run.counts["postponed"] += 1


def _look_again(run: Run, calendar_id: str, plan: Plan, error: CalendarError) -> None:
    """Settle by events.get what a refusal left open: 404, 409, 410, 412, or 403 on a deleted event.

    Once in a run: an appointment that is refused again is left for the next one, and counted.
    """
    if plan.appointment_id in run.looked_at:
        _postpone(run, plan, error)
        run.commit()
        return
    if not run.has_room(["get"]):
        _link_row(run, plan).retry_at = run.pause_until  # not one of its tries
        run.commit()
        return
    run.looked_at.add(plan.appointment_id)
    try:
        event = from_google(run.google.get_event(calendar_id, plan.event_id))
    except EventNotFound:
        _not_there(run, calendar_id, plan, error)
        run.commit()
        return
    except InvalidCalendarData as odd:
        _postpone(run, plan, CalendarError(odd.code))
        run.commit()
        return
    if isinstance(plan.action, Insert | PutBack):
        _taken(run, plan, event)
    elif isinstance(plan.action, Delete):
        _still_there(run, plan, event, error)
    else:
        row = _link_row(run, plan)
        own_events.settle(run, row, event)
    run.commit()


def _not_there(run: Run, calendar_id: str, plan: Plan, error: CalendarError) -> None:
    """The event is not there. That means something only while its calendar answers."""
    run.google.probe_events(calendar_id)
    row = _link_row(run, plan)
    if isinstance(plan.action, Delete):
        _agree(run, plan, {})
    elif isinstance(plan.action, Patch):
        own_events.settle(run, row, Event(event_id=plan.event_id, status="cancelled"))
    elif isinstance(error, PermissionDenied):
        _postpone(run, plan, error)  # no tombstone holds the id; it is this event that is not wanted
    elif row.tries + 1 < NOT_VISIBLE_TRIES:
        _postpone(run, plan, error, seconds=NOT_VISIBLE_SECONDS)
    else:
        row.revival, row.tries, row.retry_at = plan.revival, 0, None  # next: the following revival


def _taken(run: Run, plan: Plan, event: Event) -> None:
    """409 on an insert: our own earlier try, judged by the tag it carries, or a deleted one's tombstone."""
    row = _link_row(run, plan)
    row.revival, row.event_id = plan.revival, plan.event_id
    row.error, row.tries, row.retry_at, row.agreed_at = None, 0, None, run.now
    if isinstance(plan.action, PutBack):
        _tell_it_is_back(run, plan)
    if event.is_cancelled:
        row.state = LinkState.GONE
        return
    # nothing is agreed yet: its tag may be newer than the appointment here, where a backup was restored
    row.state, row.etag, row.content_hash, row.remote_updated = LinkState.LIVE, None, None, None
    row.revision, row.times_hash = 0, None
    own_events.settle(run, row, event)
    run.counts["adopted"] += 1


def _still_there(run: Run, plan: Plan, event: Event, error: CalendarError) -> None:
    """A refused delete: done already when the event is a tombstone; changed since, it goes as it is now."""
    if event.is_cancelled:
        _agree(run, plan, {})
        own_events.note_tombstone(_link_row(run, plan), event)
    elif isinstance(error, EtagMismatch):
        own_events.note_remote(_link_row(run, plan), event)
    else:
        _postpone(run, plan, error)
