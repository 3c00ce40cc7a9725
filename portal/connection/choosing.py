"""Which calendars of the account are read: listed, offered with the reason why not, chosen; and the preview.

Only `offer_calendars` talks to Google here, and it commits before it does.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass

import sqlalchemy as sa

from portal.calendar import occurrences
from portal.connection.current import RUNNING_PHASES
from portal.connection.marks import read_mark
from portal.errors import TOOK_TOO_LONG, CalendarUnavailable, EventNotFound, InvalidInput, PermissionDenied
from portal.extensions import db
from portal.google.answers import CalendarEntry
from portal.google.client import LIST_PAGE_SIZE, GoogleClient
from portal.localtime import ONE_DAY
from portal.models import Appointment, Connection, ConnectionPhase, Feed, GoogleCalendar, Practice
from portal.practice import clients
from portal.rows import event_links, google_events, outbox
from portal.sync import shown

EXAMPLES = 4
# Entries of one calendar, as one page of Google's answer holds them. One more is stored for "more than that".
MOST_COUNTED = LIST_PAGE_SIZE
IMPORTED = "@import.calendar.google.com"
NEVER_OWNED = {  # what Google's ids tell of a calendar that nobody can own (facts §4)
    IMPORTED: "subscription",
    "@group.v.calendar.google.com": "holidays",
    "@resource.calendar.google.com": "room",
}


@dataclass(frozen=True, slots=True)
class OwnCalendars:
    """How calendars of ours are known again: by id, by the mark in the description, by a feed's mark."""

    ids: frozenset[str]
    installation: str
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
    mark = read_mark(entry.description)
    if mark is not None and mark.installation in (own.installation, None):
        return "unknown-app-calendar"  # of an earlier state of this database
    if entry.calendar_id.endswith(IMPORTED) and entry.summary.rpartition(" one-way ")[2] in own.feed_marks:
        return "own-feed"
    for suffix, reason in NEVER_OWNED.items():
        if entry.calendar_id.endswith(suffix):
            return reason
    if entry.access_role == "owner":
        return None
    if entry.access_role == "freeBusyReader":
        return "free-busy-only"
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
        installation=db.session.scalars(sa.select(Practice.installation)).one(),
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
        outbox.note_change(connection.provider_id, now=now)


def _set_chosen(row: GoogleCalendar, is_chosen: bool) -> None:
    """A calendar that is no longer read forgets what was read; read again it begins from the start."""
    if row.is_chosen is is_chosen:
        return
    row.is_chosen = is_chosen
    row.sync_token = row.page_token = row.query_signature = None
    row.is_full_pass = True
    row.missing_since = row.stale_since = row.last_pulled_at = None
    if not is_chosen:
        google_events.delete_calendar_events(row.id)


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
        after=now - shown.KEPT_BEFORE - ONE_DAY,
        before=now + shown.EXPANDED_AHEAD + ONE_DAY,
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


def preview(connection: Connection, *, now: dt.datetime) -> Preview:
    """What the first sync would send and read."""
    going = event_links.going_out(connection, now=now)
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
