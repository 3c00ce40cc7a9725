"""Connecting a provider to Google and leaving again: the steps of the wizard, each safe to repeat.

Only `offer_calendars` talks to Google here; what is to be taken away, the worker takes away (disconnect.py).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from portal import feeds, store
from portal.calendar import occurrences
from portal.connection import cards
from portal.engine.run import TOOK_TOO_LONG
from portal.errors import CalendarUnavailable, EventNotFound, InvalidInput, PermissionDenied, Refused
from portal.extensions import db
from portal.google.client import LIST_PAGE_SIZE, CalendarEntry, GoogleClient
from portal.google.oauth import Grant
from portal.localtime import ONE_DAY
from portal.models import (
    Appointment,
    Connection,
    ConnectionPhase,
    EventLink,
    Feed,
    GoogleCalendar,
    GoogleEvent,
    Provider,
    SyncMode,
)
from portal.practice import clients
from portal.standing import facts
from portal.sync import modes
from portal.sync.modes import Effect, Goal, Link, Mode

ABANDONED_AFTER_HOURS = 24
EXAMPLES = 4
MARK_LENGTH = 4
# Entries of one calendar, as one page of Google's answer holds them. One more is stored for "more than that".
MOST_COUNTED = LIST_PAGE_SIZE
IMPORTED = "@import.calendar.google.com"
NEVER_OWNED = {  # what Google's ids tell of a calendar that nobody can own (facts §4)
    IMPORTED: "subscription",
    "@group.v.calendar.google.com": "holidays",
    "@resource.calendar.google.com": "room",
}
OFFERED_PHASES = frozenset({ConnectionPhase.CHOOSING, ConnectionPhase.PREVIEW})
RUNNING_PHASES = frozenset({ConnectionPhase.FIRST_SYNC, ConnectionPhase.ACTIVE})


@dataclass(frozen=True, slots=True)
class OwnCalendars:
    """How calendars of ours are known again: by id, by a nonce in the description, by a feed's mark."""

    ids: frozenset[str]
    nonces: frozenset[str]
    feed_marks: frozenset[str]


@dataclass(frozen=True, slots=True)
class Offer:
    """A calendar of the account: why it cannot be chosen, or how many of its entries would be shown."""

    entry: CalendarEntry
    why_not: str | None = None
    entries: int | None = None  # MOST_COUNTED + 1: more than could be counted; None: not known


@dataclass(frozen=True, slots=True)
class Entries:
    """How many entries some calendars would bring; or at least so many, and more."""

    count: int
    has_more: bool


@dataclass(frozen=True, slots=True)
class Preview:
    """What the first sync will do, in numbers and examples. Nothing has been written."""

    appointments: int
    examples: tuple[tuple[str, Appointment], ...]  # title outside, appointment
    calendars: tuple[str, ...]
    entries: Entries | None  # of these calendars; None unless every one of them was counted


@dataclass(frozen=True, slots=True)
class LeftBehind:
    """A calendar of ours that is still in the account `email`; its description ends in `mark`, if known."""

    connection_id: int
    email: str
    mark: str


def live_connection(provider: Provider) -> Connection | None:
    """The provider's connection, unless it has ended."""
    return db.session.scalar(
        sa.select(Connection).where(Connection.provider_id == provider.id, Connection.ended_at.is_(None))
    )


def last_ended(provider: Provider) -> Connection | None:
    """The connection that ended last; its `removal` is the receipt."""
    return db.session.scalar(
        sa.select(Connection)
        .where(Connection.provider_id == provider.id, Connection.ended_at.is_not(None))
        .order_by(Connection.ended_at.desc(), Connection.id.desc())
        .limit(1)
    )


def link_of(connection: Connection | None) -> Link:
    """How far the connection is, as modes see it."""
    if connection is None or connection.phase is ConnectionPhase.ENDED:
        return Link.NONE
    if connection.phase in OFFERED_PHASES:
        return Link.OFFERED
    return Link.REMOVING if connection.phase is ConnectionPhase.REMOVING else Link.RUNNING


# Modes


def choose_mode(
    provider: Provider,
    wanted: SyncMode,
    *,
    now: dt.datetime,
    keep_events: bool = False,
    own_to_delete: int = 0,
) -> frozenset[Effect]:
    """Change the mode, or begin to. The effects left to the page: OPEN_WIZARD, TEAR_DOWN. Raises Refused.

    `keep_events`: leave ours in Google, in a calendar that says it is no longer updated; only on the way to
    off. `own_to_delete`: up to how many of the provider's own events may go with our calendar.
    """
    connection = live_connection(provider)
    transition = modes.choose_mode(_mode(provider), link_of(connection), Mode(wanted.value))
    effects = _carry_out(provider, connection, transition, now=now)
    if connection is not None and Effect.TEAR_DOWN in effects:
        keeps = keep_events and wanted is SyncMode.OFF
        connection.removal = {
            **(connection.removal or {}),
            "keep_events": keeps,
            "own_to_delete": own_to_delete,
        }
    return effects


def count_own_events(connection: Connection) -> int:
    """Events in our calendar that the provider put there, as far as was read."""
    query = (
        sa.select(sa.func.count(GoogleEvent.id))
        .join(GoogleCalendar, GoogleCalendar.id == GoogleEvent.google_calendar_id)
        .where(
            GoogleCalendar.connection_id == connection.id,
            GoogleCalendar.is_app_calendar,
            GoogleEvent.recurring_event_id.is_(None),
        )
    )
    return db.session.scalar(query) or 0


def start_over(provider: Provider, *, now: dt.datetime) -> frozenset[Effect]:
    """Clear everything Two-Way made, then set it up anew. Raises Refused."""
    connection = live_connection(provider)
    transition = modes.start_over(_mode(provider), link_of(connection))
    return _carry_out(provider, connection, transition, now=now)


def cancel_setup(provider: Provider, *, now: dt.datetime) -> None:
    """Leave the wizard: the grant is given back, the mode stays what it is."""
    connection = live_connection(provider)
    if connection is not None and connection.phase in OFFERED_PHASES:
        _begin_removal(connection, Goal.KEEP, now=now)


def begin_first_sync(connection: Connection, *, now: dt.datetime) -> None:
    """The mode becomes Two-Way and the feed empties, in this transaction; the worker does the rest.

    Raises Refused("nothing-chosen" | "consumer-account" | "not-offered") or InvalidInput("confirmed").
    """
    provider = connection.provider
    if connection.phase is ConnectionPhase.CHOOSING:
        raise Refused("nothing-chosen")
    confirmed = provider.display_confirmed_at is not None
    clients.check_display(provider, provider.name_display, confirmed=confirmed)
    transition = modes.begin_first_sync(_mode(provider), link_of(connection))
    _carry_out(provider, connection, transition, now=now)
    connection.phase = ConnectionPhase.FIRST_SYNC
    connection.progress_done = connection.progress_total = 0
    _clear_problem(connection)
    connection.fencing += 1
    db.session.flush()


def finish_removal(connection: Connection, *, now: dt.datetime) -> None:
    """The tear-down is complete on both sides: end the connection and arrive at its goal."""
    goal = Goal((connection.removal or {}).get("goal", Goal.OFF))
    connection.phase = ConnectionPhase.ENDED
    connection.ended_at = now
    connection.refresh_token = connection.access_token = None
    connection.fencing += 1
    db.session.flush()
    provider = connection.provider
    _carry_out(provider, None, modes.finish_removal(_mode(provider), goal), now=now)


def drop_abandoned(*, now: dt.datetime) -> int:
    """Begin to end every setup that was left lying for a day. How many there were."""
    lying = db.session.scalars(
        sa.select(Connection).where(
            Connection.phase.in_(OFFERED_PHASES),
            Connection.granted_at < now - dt.timedelta(hours=ABANDONED_AFTER_HOURS),
        )
    ).all()
    for connection in lying:
        _begin_removal(connection, Goal.KEEP, now=now)
    return len(lying)


def _carry_out(
    provider: Provider, connection: Connection | None, transition: modes.Transition, *, now: dt.datetime
) -> frozenset[Effect]:
    """Do what a transition asks for, in the transaction that changes the mode."""
    if transition.refusal is not None:
        raise Refused(transition.refusal)
    provider.sync_mode = SyncMode(transition.mode.value)
    for effect in transition.effects:
        match effect:
            case Effect.NEW_FEED:
                feeds.new_feed(provider, now=now)
            case Effect.EMPTY_FEED:
                feeds.replace(provider, now=now)
            case Effect.REQUEST_SYNC:
                store.note_change(provider.id, now=now)
            case Effect.DROP_GRANT | Effect.TEAR_DOWN if connection is not None and transition.goal:
                _begin_removal(connection, transition.goal, now=now)
            case _:
                pass  # OPEN_WIZARD is a page
    db.session.flush()
    return frozenset(transition.effects)


def _begin_removal(connection: Connection, goal: Goal, *, now: dt.datetime) -> None:
    """From here the worker goes on; the raised fencing number stops a run that is still writing."""
    connection.phase = ConnectionPhase.REMOVING
    connection.removal = {
        "step": "begin",
        "goal": goal.value,
        "begun_at": now.isoformat(),
        "was_out_of_reach": connection.problem == "calendar-out-of-reach",
        "left_behind": (connection.removal or {}).get("left_behind", []),
    }
    _clear_problem(connection)
    connection.fencing += 1
    db.session.flush()
    store.note_change(connection.provider_id, now=now)


def _mode(provider: Provider) -> Mode:
    return Mode(provider.sync_mode.value)


# The grant


def accept_grant(provider: Provider, grant: Grant, *, now: dt.datetime) -> Connection:
    """Take what a consent brought: a new connection, or the one that is there, working again.

    Raises Refused("scope-missing" | "account-in-use" | "another-account" | "no-refresh-token" |
    "still-removing"); then nothing was stored, and the caller revokes nothing (sync-law §6).
    """
    if grant.missing_scopes:
        raise Refused("scope-missing")
    if not grant.refresh_token:
        raise Refused("no-refresh-token")
    _check_account_is_free(provider, grant)
    connection = live_connection(provider)
    if connection is None:
        return _new_connection(provider, grant, now=now)
    if connection.phase is ConnectionPhase.REMOVING:
        raise Refused("still-removing")
    if connection.google_sub != grant.sub:
        raise Refused("another-account")
    _store_grant(connection, grant, now=now)
    _clear_problem(connection)
    connection.next_check_at = now  # somebody waits to see that it works again
    connection.fencing += 1
    db.session.flush()
    store.note_change(provider.id, now=now)
    return connection


def _check_account_is_free(provider: Provider, grant: Grant) -> None:
    """One Google account, one provider: two would read each other's appointments in it."""
    taken = db.session.scalar(
        sa.select(Connection.id).where(
            Connection.google_sub == grant.sub,
            Connection.ended_at.is_(None),
            Connection.provider_id != provider.id,
        )
    )
    if taken is not None:
        raise Refused("account-in-use")


def _new_connection(provider: Provider, grant: Grant, *, now: dt.datetime) -> Connection:
    connection = Connection(provider_id=provider.id, created_at=now, phase=ConnectionPhase.CHOOSING)
    _store_grant(connection, grant, now=now)
    connection.app_calendar_id = _take_leftover(provider, grant.sub, now=now)
    try:
        with db.session.begin_nested():
            db.session.add(connection)
    except IntegrityError as error:  # somebody else's consent for the same account came in meanwhile
        raise Refused("account-in-use") from error
    return connection


def _take_leftover(provider: Provider, sub: str, *, now: dt.datetime) -> str | None:
    """Our calendar that stayed in this account, for a dead grant or as wished: it is used again."""
    ended = last_ended(provider)
    removal = (ended.removal if ended else None) or {}
    has_stayed = removal.get("leftover") or removal.get("calendar") == "left"
    if ended is None or ended.google_sub != sub or not has_stayed:
        return None
    ended.removal = {**(ended.removal or {}), "leftover": None, "leftover_reused_at": now.isoformat()}
    return ended.app_calendar_id


def _store_grant(connection: Connection, grant: Grant, *, now: dt.datetime) -> None:
    """The address may have changed at Google; the account is the same as long as `sub` is."""
    connection.google_sub = grant.sub
    connection.email = grant.email
    connection.hosted_domain = grant.hosted_domain
    connection.scopes = " ".join(sorted(grant.scopes))
    connection.refresh_token = grant.refresh_token
    connection.access_token = grant.access_token
    connection.access_token_expires_at = grant.expires_at
    connection.granted_at = now


def _clear_problem(connection: Connection) -> None:
    connection.problem = connection.problem_since = connection.problem_detail = None
    connection.failures = 0
    connection.retry_at = None


# Calendars


def offer_calendars(connection: Connection, client: GoogleClient, *, now: dt.datetime) -> None:
    """List the account's calendars, and of each whether it can be chosen or why not. Raises CalendarError.

    Commits before it asks Google: no transaction stays open over the network.
    """
    own = own_calendars(connection)
    db.session.commit()
    offers = [_offer(client, entry, own, now=now) for entry in client.list_calendars()]
    db.session.refresh(connection, with_for_update=True)
    known = {row.calendar_id: row for row in calendars(connection)}
    for offer in offers:
        _store_offer(connection, known.get(address_of(offer.entry)), offer, now=now)
    connection.calendars_listed_at = now
    db.session.flush()


def calendars(connection: Connection) -> list[GoogleCalendar]:
    """Every calendar of the account that was ever listed: the primary one first, then by name."""
    return list(
        db.session.scalars(
            sa.select(GoogleCalendar)
            .where(GoogleCalendar.connection_id == connection.id)
            .order_by(GoogleCalendar.is_primary.desc(), sa.func.lower(GoogleCalendar.summary))
        )
    )


def offered_calendars(connection: Connection) -> list[GoogleCalendar]:
    """The calendars that the last listing showed."""
    return [row for row in calendars(connection) if row.listed_at == connection.calendars_listed_at]


def why_not(entry: CalendarEntry, own: OwnCalendars) -> str | None:
    """Why this calendar cannot be chosen, as a code; None if its role allows it."""
    if entry.calendar_id in own.ids or any(nonce in entry.description for nonce in own.nonces):
        return "app-calendar"
    if entry.calendar_id.endswith(IMPORTED) and entry.summary.rpartition(" one-way ")[2] in own.feed_marks:
        return "own-feed"
    for suffix, reason in NEVER_OWNED.items():
        if entry.calendar_id.endswith(suffix):
            return reason
    if entry.access_role == "owner":
        return None
    return "shared-to-edit" if entry.access_role.startswith("writer") else "shared-read-only"


def address_of(entry: CalendarEntry) -> str:
    """How the calendar is addressed: the primary one by that word, since its id is the login address."""
    return "primary" if entry.is_primary else entry.calendar_id


def own_calendars(connection: Connection) -> OwnCalendars:
    """Every calendar of ours that this installation ever made, and the feeds of this provider."""
    made = db.session.execute(sa.select(Connection.app_calendar_id, Connection.nonce)).all()
    marked = db.session.scalars(
        sa.select(GoogleCalendar.calendar_id).where(
            sa.or_(GoogleCalendar.is_app_calendar, GoogleCalendar.why_not == "app-calendar")
        )
    )
    marks = db.session.scalars(sa.select(Feed.mark).where(Feed.provider_id == connection.provider_id))
    return OwnCalendars(
        ids=frozenset([*(row.app_calendar_id for row in made if row.app_calendar_id), *marked]),
        nonces=frozenset(row.nonce for row in made if row.nonce),
        feed_marks=frozenset(marks),
    )


def choose(connection: Connection, calendar_ids: Collection[int], *, now: dt.datetime) -> None:
    """Choose which calendars (our row ids) are read; none is fine. Raises InvalidInput("calendars")."""
    rows = {row.id: row for row in offered_calendars(connection)}
    if any(row_id not in rows or rows[row_id].why_not for row_id in calendar_ids):
        raise InvalidInput({"calendars": "One of these calendars cannot be chosen."})
    for row in calendars(connection):
        _set_chosen(row, row.id in calendar_ids)
    if connection.phase is ConnectionPhase.CHOOSING:
        connection.phase = ConnectionPhase.PREVIEW
    elif connection.phase in RUNNING_PHASES:
        connection.fencing += 1
        db.session.flush()
        connection.next_check_at = now  # somebody waits to see what was just ticked
        store.note_change(connection.provider_id, now=now)


def _set_chosen(row: GoogleCalendar, is_chosen: bool) -> None:
    """A calendar that is no longer read forgets what was read; read again it begins from the start."""
    if row.is_chosen is is_chosen:
        return
    row.is_chosen = is_chosen
    row.sync_token = row.page_token = row.query_signature = None
    row.is_full_pass = True
    row.missing_since = row.stale_since = row.last_pulled_at = None
    if not is_chosen:
        store.delete_calendar_events(row.id)


def _offer(client: GoogleClient, entry: CalendarEntry, own: OwnCalendars, *, now: dt.datetime) -> Offer:
    """Whether events can really be read, and how many: a role of owner alone promises neither.

    Where there is no time left to ask, the role is believed and the number unknown; the first sync finds out.
    """
    reason = why_not(entry, own)
    if reason is not None:
        return Offer(entry, reason)
    try:
        return Offer(entry, entries=_count_or_probe(client, address_of(entry), now=now))
    except (PermissionDenied, EventNotFound):
        return Offer(entry, "unreadable")
    except CalendarUnavailable as error:
        if error.code != TOOK_TOO_LONG:
            raise
    return Offer(entry)


def _count_or_probe(client: GoogleClient, calendar_id: str, *, now: dt.datetime) -> int | None:
    """The number; None when the calendar answers and its dates take too long.

    Raises CalendarError when the calendar does not answer either.
    """
    try:
        return _count(client, calendar_id, now=now)
    except CalendarUnavailable as error:
        if error.code == TOOK_TOO_LONG:
            raise
    client.probe_events(calendar_id)
    return None


def _count(client: GoogleClient, calendar_id: str, *, now: dt.datetime) -> int | None:
    """How many entries the first sync would have shown, by one page of Google's answer. Raises CalendarError.

    Asked for is a day more: Google places whole days by the calendar's zone, and we by midnights of UTC.
    """
    page, next_page = client.list_dates(
        calendar_id,
        after=now - occurrences.KEPT_BEFORE - ONE_DAY,
        before=now + occurrences.EXPANDED_AHEAD + ONE_DAY,
    )
    if next_page is None:
        return occurrences.count_shown(page, now=now)
    return MOST_COUNTED + 1 if len(page) >= MOST_COUNTED else None  # Google may end a page early


def _store_offer(
    connection: Connection, row: GoogleCalendar | None, offer: Offer, *, now: dt.datetime
) -> None:
    entry = offer.entry
    if row is None:
        row = GoogleCalendar(
            connection_id=connection.id, calendar_id=address_of(entry), is_primary=entry.is_primary
        )
        db.session.add(row)
    row.summary = entry.summary[:500]
    row.access_role = entry.access_role[:40]
    row.why_not, row.entries = offer.why_not, offer.entries
    row.listed_at = now


# Preview, and starting anew


def preview(connection: Connection, *, now: dt.datetime) -> Preview:
    """What the first sync would send and read."""
    going = facts.going_out(connection, now=now)
    count = db.session.scalar(sa.select(sa.func.count(Appointment.id)).where(*going)) or 0
    soonest = db.session.scalars(
        sa.select(Appointment)
        .where(*going, Appointment.ends_at > now)
        .order_by(Appointment.starts_at)
        .limit(EXAMPLES)
    ).all()
    titles = clients.titles_outside(connection.provider, soonest)
    chosen = [row for row in calendars(connection) if row.is_chosen]
    return Preview(
        appointments=count,
        examples=tuple((titles[appointment.id], appointment) for appointment in soonest),
        calendars=tuple(row.summary for row in chosen),
        entries=entries_of(chosen),
    )


def entries_of(rows: Collection[GoogleCalendar]) -> Entries | None:
    """How many entries these calendars would bring, as last counted; None unless every one was."""
    counts = [row.entries for row in rows if row.entries is not None]
    if not counts or len(counts) < len(rows):
        return None
    return Entries(sum(min(count, MOST_COUNTED) for count in counts), max(counts) > MOST_COUNTED)


def create_again(connection: Connection, *, now: dt.datetime) -> None:
    """Our calendar is gone or out of reach and the provider wants a new one: sync from the start.

    Raises Refused("not-missing") unless that is what ails the connection.
    """
    if connection.problem not in {"calendar-missing", "calendar-out-of-reach"}:
        raise Refused("not-missing")
    _remember_own(connection)
    if connection.problem == "calendar-out-of-reach":
        leave_behind(connection)
    cards.close_all(connection, now=now)
    connection.unwanted = []
    db.session.execute(sa.delete(EventLink).where(EventLink.connection_id == connection.id))
    connection.nonce = connection.app_calendar_id = None
    connection.phase = ConnectionPhase.FIRST_SYNC
    connection.progress_done = connection.progress_total = 0
    _clear_problem(connection)
    connection.next_check_at = now  # the first sync ends with a look at Google, not at the next poll
    connection.fencing += 1
    db.session.flush()
    store.note_change(connection.provider_id, now=now)


def leave_behind(connection: Connection) -> None:
    """Our calendar stays in the account, closed to us; the provider is told until they say it is gone."""
    removal = connection.removal or {}
    left = [*removal.get("left_behind", []), _mark(connection)]
    connection.removal = {**removal, "left_behind": left}


def left_behind(provider: Provider) -> list[LeftBehind]:
    """The calendars of ours that are still in an account and that only the provider can delete there."""
    rows = db.session.scalars(
        sa.select(Connection).where(Connection.provider_id == provider.id).order_by(Connection.id)
    )
    return [LeftBehind(row.id, row.email, mark) for row in rows for mark in _marks_left(row)]


def left_is_gone(provider: Provider, *, now: dt.datetime) -> bool:
    """The provider deleted in Google what we could not: no page reminds of it now. False: none did."""
    ids = {left.connection_id for left in left_behind(provider)}
    for row in db.session.scalars(sa.select(Connection).where(Connection.id.in_(ids))):
        gone: dict[str, Any] = {"left_behind": [], "leftover": None, "leftover_gone_at": now.isoformat()}
        row.removal = {**(row.removal or {}), **gone}
    return bool(ids)


def _marks_left(connection: Connection) -> list[str]:
    removal = connection.removal or {}
    return [*removal.get("left_behind", []), *([_mark(connection)] if removal.get("leftover") else [])]


def _mark(connection: Connection) -> str:
    """How the calendar's description ends, to be told from a newer one of the same name; "" if unknown."""
    return (connection.nonce or "")[-MARK_LENGTH:]


def _remember_own(connection: Connection) -> None:
    """The old calendar stays known as ours, so that it can never be chosen for import."""
    db.session.execute(
        sa.update(GoogleCalendar)
        .where(GoogleCalendar.connection_id == connection.id, GoogleCalendar.is_app_calendar)
        .values(is_app_calendar=False, is_chosen=False, why_not="app-calendar")
        .execution_options(synchronize_session="fetch")
    )
