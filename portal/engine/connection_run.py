"""One run for one connection, from lease to outcome: push, pull, or tear down; then say how it went."""

from __future__ import annotations

import datetime as dt
import enum
import random
import time
from collections.abc import Callable

import sqlalchemy as sa
import structlog

from portal.connection.current import clear_problem
from portal.engine import app_calendar, channels, freshness, lease, tear_down
from portal.engine.expanding import extend_occurrences
from portal.engine.pull import begin_generation, pull, read_calendar
from portal.engine.push import push
from portal.engine.run import HAND_ON_SECONDS, Clock, Run
from portal.errors import (
    CalendarError,
    CalendarUnavailable,
    EventNotFound,
    GrantUnreadable,
    LeaseLost,
    Paused,
    PermissionDenied,
)
from portal.extensions import db
from portal.models import Connection, ConnectionPhase, GoogleCalendar, SyncRun
from portal.rows import event_links, pausing
from portal.sync.trouble import (
    CALENDAR_TROUBLE,
    HEAL_DAYS,
    HEAL_SELDOM_SECONDS,
    NEEDS_A_PERSON,
    RECONNECT,
    UNREADABLE,
    count_failures,
    heal_seconds,
    judge,
    poll_seconds,
    problem_after,
)

log = structlog.get_logger()

SYNCING = frozenset({ConnectionPhase.FIRST_SYNC, ConnectionPhase.ACTIVE})
APP_CALENDAR_GONE = (EventNotFound, PermissionDenied)


class Outcome(enum.StrEnum):
    """How a run ended."""

    DONE = "done"  # nothing is behind
    MORE = "handed-on"  # time was up, or something came in meanwhile
    FAILED = "failed"  # it will be tried again by itself
    ASKED = "asked"  # a person is needed
    BUSY = "busy"  # another run holds the lease
    PACED = "paced"  # the minute's quota is used up; it goes on by itself when there is room
    LOST = "lost"  # fenced off: the settings changed, or another run took over
    NOTHING = "nothing"  # not in Two-Way
    PAUSED = "paused"  # this database may be a copy; nothing was sent or noted


def run_connection(
    connection_id: int,
    *,
    clock: Clock,
    trigger: str,
    poll: int,
    full: bool = False,
    seconds: float = HAND_ON_SECONDS,
    pause: Callable[[float], None] = time.sleep,
) -> Outcome:
    """Do what is to be done for one connection, `seconds` at most. `poll`: SYNC_POLL_SECONDS.

    `pause`: how the run waits between two tries of one call, a few seconds at most.
    """
    held = lease.acquire(connection_id, now=clock())
    if held is None:
        return Outcome.PAUSED if pausing.is_paused() else Outcome.BUSY
    run = Run(connection_id, held, clock, ends_at=clock() + dt.timedelta(seconds=seconds), pause=pause)
    started_at = clock()
    outcome: Outcome = Outcome.FAILED
    error: str | None = "crashed"  # what stands if a bug ends this run
    try:
        outcome, error = _attempt(run, full=full, poll=poll)
    finally:
        _close(run, trigger, started_at, outcome, error)
    return Outcome.MORE if outcome is Outcome.DONE and _has_news(connection_id) else outcome


def is_backing_off(connection_id: int, *, now: dt.datetime) -> bool:
    """Whether Google is not to be asked yet: after a failure, by its own wish, or for the minute's quota."""
    retry_at = db.session.scalar(sa.select(Connection.retry_at).where(Connection.id == connection_id))
    db.session.rollback()
    return retry_at is not None and retry_at > now


def _attempt(run: Run, *, full: bool, poll: int) -> tuple[Outcome, str | None]:
    try:
        outcome = _work(run, full=full, poll=poll)
    except LeaseLost:
        db.session.rollback()
        return Outcome.LOST, None
    except Paused:
        db.session.rollback()
        return Outcome.PAUSED, None
    except CalendarError as error:
        db.session.rollback()
        try:
            return _note_failure(run, error), error.code
        except LeaseLost:
            return Outcome.LOST, error.code
    return outcome, run.connection.problem if outcome is Outcome.ASKED else None


def _work(run: Run, *, full: bool, poll: int) -> Outcome:
    connection = run.connection
    is_leaving = connection.phase is ConnectionPhase.REMOVING
    if not is_leaving and (connection.phase not in SYNCING or _is_closed(connection)):
        return Outcome.NOTHING
    if not is_leaving and connection.problem in NEEDS_A_PERSON and not _may_heal(connection, run.now):
        return Outcome.ASKED
    if is_leaving and tear_down.is_without_google(connection, now=run.now):
        tear_down.end_without_google(run)
        return Outcome.DONE
    with run.open_client():
        if not is_leaving and connection.problem == RECONNECT:
            _heal(run)
        if is_leaving:
            return Outcome.DONE if tear_down.tear_down(run) else _hand_on(run)
        return _sync(run, full=full, poll=poll)


def _is_closed(connection: Connection) -> bool:
    """Whether the account here was closed: nothing of its Google is read any more, and the ticker removes."""
    return connection.provider.deactivated_at is not None


def is_healing(now: dt.datetime) -> sa.ColumnElement[bool]:
    """Connections whose lost grant is still tried now and then; `retry_at` says when."""
    is_young = Connection.problem_since > now - dt.timedelta(days=HEAL_DAYS)
    return sa.and_(Connection.problem == RECONNECT, sa.or_(is_young, Connection.problem_detail == UNREADABLE))


def _may_heal(connection: Connection, now: dt.datetime) -> bool:
    if connection.problem != RECONNECT or connection.problem_since is None:
        return False
    if connection.problem_detail == UNREADABLE:  # to try it asks nobody anything
        return True
    is_due = connection.retry_at is None or connection.retry_at <= now
    return is_due and heal_seconds(now - connection.problem_since) is not None


def _heal(run: Run) -> None:
    """Ask for a token once. If Google gives one, all is as it was; if not, raises CalendarError.

    Of a grant that could not be read for a while nobody has said that Google refuses it.
    """
    if run.connection.problem_detail != UNREADABLE:
        run.google.refresh()
    clear_problem(run.connection)
    run.connection.next_check_at = run.now  # it has not been looked at for long
    run.keep_tokens()
    run.counts["healed"] += 1
    run.commit()


def _sync(run: Run, *, full: bool, poll: int) -> Outcome:
    """Push first: what was done here goes out at once. Pull when it is due, and push what that changed."""
    next_check_at = run.connection.next_check_at
    is_pull_due = full or next_check_at is None or next_check_at <= run.now
    try:
        calendar = app_calendar.ensure(run)
        if calendar is None:
            return Outcome.ASKED
        if not _read_found(run, calendar):
            return _hand_on(run)
        _set_progress(run)
        if not _push(run, calendar.calendar_id):
            return _hand_on(run)
        if run.connection.tightened_at is not None:
            begin_generation(calendar)  # "done" is said only after a look at every title
            run.commit()
            is_pull_due = True
        channels.keep_up(run)
        if is_pull_due:
            freshness.begin_verification(run)
            if not pull(run, full=full):
                return _hand_on(run)
            if run.connection.tightened_at is not None:
                run.connection.tightened_at = None
                run.commit()
            extend_occurrences(run)
            if not _push(run, calendar.calendar_id):
                return _hand_on(run)
    except APP_CALENDAR_GONE:
        return _app_calendar_gone(run, poll=poll)
    return _settle(run, pulled=is_pull_due, poll=poll)


def _read_found(run: Run, calendar: GoogleCalendar) -> bool:
    """A calendar of ours that was found again is read before anything is sent: what is in it is adopted.

    Sending first would ask for each event alone. False when time or quota was used up.
    """
    is_found = calendar.last_pulled_at is None and not run.counts["calendars_made"]
    if not is_found or event_links.has_any(run.connection_id):
        return True
    return read_calendar(run, calendar.id)


def _hand_on(run: Run) -> Outcome:
    """Time is up: somebody goes on at once. The quota is: nobody goes on before there is room again."""
    if run.pause_until is None:
        return Outcome.MORE
    run.connection.retry_at = run.pause_until
    run.commit()
    return Outcome.PACED


def _push(run: Run, calendar_id: str) -> bool:
    """Nothing is written while a question about who holds the truth is open."""
    if run.connection.problem in NEEDS_A_PERSON:
        return True
    return push(run, calendar_id)


def _set_progress(run: Run) -> None:
    """At the first sync, how many appointments there are to send."""
    connection = run.connection
    if connection.phase is ConnectionPhase.FIRST_SYNC and connection.progress_total == 0:
        connection.progress_done, connection.progress_total = 0, event_links.count_behind(connection)
        run.commit()


def _app_calendar_gone(run: Run, *, poll: int) -> Outcome:
    """Ask, and touch nothing: a missing calendar never means that appointments were canceled."""
    problem = app_calendar.find_again(run)
    connection = run.connection
    if problem == "calendar-out-of-reach" and connection.failures < app_calendar.SURE_AFTER_FAILURES:
        raise CalendarUnavailable("calendar-does-not-open")  # new calendars may take a while (facts §10)
    if connection.problem != problem:
        connection.problem, connection.problem_since = problem, run.now
    connection.retry_at = None
    connection.next_check_at = run.now + dt.timedelta(seconds=poll_seconds(poll=poll, is_watched=False))
    run.commit()
    return Outcome.ASKED


def _settle(run: Run, *, pulled: bool, poll: int) -> Outcome:
    """The run went through: note when, and when to look again."""
    connection, now = run.connection, run.now
    is_unseen = connection.problem in CALENDAR_TROUBLE and not pulled  # only a look tells that it is back
    if connection.problem not in NEEDS_A_PERSON and not is_unseen:
        connection.problem = connection.problem_since = connection.problem_detail = None
    connection.failures, connection.retry_at = 0, None
    connection.last_pushed_at = now
    if pulled:
        connection.last_pulled_at = now
        freshness.plan_next_check(run, poll=poll)
        if connection.phase is ConnectionPhase.FIRST_SYNC:
            connection.phase = ConnectionPhase.ACTIVE
            connection.progress_done = connection.progress_total
    run.keep_tokens()
    asked = connection.problem in NEEDS_A_PERSON
    run.commit()
    return Outcome.ASKED if asked else Outcome.DONE


def _note_failure(run: Run, error: CalendarError) -> Outcome:
    """Judge the failure by the table, tell the provider what concerns them, and come back later."""
    connection, now = run.connection, run.now
    if connection.problem == RECONNECT:  # it was only a try, whatever came of it
        return _ask_to_reconnect(run, error)
    connection.failures = count_failures(connection.failures, run.committed)
    trouble = judge(
        error,
        failures=connection.failures,
        jitter=random.random(),  # noqa: S311 (no secret)
        is_waited_for=_is_waited_for(run),
    )
    problem = problem_after(connection.problem, trouble.problem)
    if problem != connection.problem:
        connection.problem, connection.problem_since = problem, now
    if trouble.problem is not None:
        connection.problem_detail = error.code[:64]
    if problem == RECONNECT:
        return _ask_to_reconnect(run, error)
    wait = trouble.retry_seconds
    connection.retry_at = None if wait is None else now + dt.timedelta(seconds=wait)
    run.commit()
    return Outcome.ASKED if wait is None else Outcome.FAILED


def _ask_to_reconnect(run: Run, error: CalendarError) -> Outcome:
    """A person is needed; now and then it is tried all the same."""
    connection, now = run.connection, run.now
    wait = heal_seconds(now - (connection.problem_since or now))
    if isinstance(error, GrantUnreadable):  # its key may come back after whatever time; see hasten_readable
        wait = wait or HEAL_SELDOM_SECONDS
    connection.retry_at = None if wait is None else now + dt.timedelta(seconds=wait)
    run.commit()
    return Outcome.ASKED


def _is_waited_for(run: Run) -> bool:
    """Whether something that was done or asked for, here or in Google, has not come to its end."""
    connection = run.connection
    return connection.requested > connection.handled or bool(
        event_links.behind(connection, now=run.now, most=1)
    )


def _close(run: Run, trigger: str, started_at: dt.datetime, outcome: Outcome, error: str | None) -> None:
    """Record the run, mark what was asked for as handled, and let the lease go, whatever happened."""
    db.session.rollback()
    values: dict[str, object] = {}
    if outcome in (Outcome.DONE, Outcome.ASKED, Outcome.NOTHING):
        values["handled"] = run.lease.requested
    if error == "crashed":  # a bug: it is raised and seen, and must not be tried again at once
        values["failures"] = Connection.failures + 1
        values["retry_at"] = run.now + dt.timedelta(minutes=5)
    if values:
        db.session.execute(
            sa.update(Connection)
            .where(Connection.id == run.connection_id)
            .values(**values)
            .execution_options(synchronize_session=False)
        )
    db.session.add(
        SyncRun(
            connection_id=run.connection_id,
            trigger=trigger,
            started_at=started_at,
            ended_at=run.now,
            outcome=outcome.value,
            error=error[:64] if error else None,
            counts=dict(run.counts),
        )
    )
    db.session.commit()
    lease.release(run.lease)
    db.session.expire_all()
    log.info(
        "sync.run",
        connection=run.connection_id,
        trigger=trigger,
        outcome=outcome.value,
        error=error,
        **run.counts,
    )


def _has_news(connection_id: int) -> bool:
    """Whether something was asked for while the run was under way."""
    row = db.session.execute(
        sa.select(Connection.requested, Connection.handled).where(
            Connection.id == connection_id, Connection.ended_at.is_(None)
        )
    ).one_or_none()
    db.session.commit()
    return row is not None and row.requested > row.handled
