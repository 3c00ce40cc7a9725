"""Connecting to Google and leaving: what each step takes, refuses and leaves behind."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import pytest
import sqlalchemy as sa

from portal.calendar import occurrences
from portal.connection import choosing, current, grants, switching
from portal.errors import (
    TOOK_TOO_LONG,
    CalendarError,
    CalendarUnavailable,
    EventNotFound,
    InvalidInput,
    PermissionDenied,
    RateLimited,
    Refused,
)
from portal.extensions import db
from portal.feed import addresses
from portal.google.answers import CalendarEntry
from portal.google.client import GoogleClient
from portal.google.oauth import SCOPE_PREFIX
from portal.models import (
    AppointmentStatus,
    Connection,
    ConnectionPhase,
    EventLink,
    GoogleCalendar,
    GoogleEvent,
    LinkState,
    NameDisplay,
    Provider,
    SyncMode,
)
from portal.practice import clients
from portal.standing import facts
from portal.sync.modes import Effect, Link
from tests.scratch_practice import NOW, add_provider, book, in_context, make_app, make_grant

LATER = NOW + dt.timedelta(minutes=5)
PRIMARY = CalendarEntry(
    calendar_id="wren.hale@example.com",
    summary="Wren Hale",
    description="",
    access_role="owner",
    is_primary=True,
    is_hidden=False,
    is_selected=True,
    time_zone="America/Chicago",
)
HOME = replace(PRIMARY, calendar_id="home@group.calendar.google.com", summary="Home", is_primary=False)


Page = tuple[list[Any], str | None]


@dataclass
class Account:
    """A Google account with these calendars; `closed` ones answer with an error, others with their page."""

    entries: list[CalendarEntry]
    closed: dict[str, CalendarError] = field(default_factory=dict)
    uncounted: dict[str, CalendarError] = field(
        default_factory=dict
    )  # they open, but their dates do not come
    pages: dict[str, Page] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def list_calendars(self) -> list[CalendarEntry]:
        return self.entries

    def list_dates(self, calendar_id: str, *, after: dt.datetime, before: dt.datetime) -> Page:
        self.asked.append(calendar_id)
        if calendar_id in self.closed:
            raise self.closed[calendar_id]
        if calendar_id in self.uncounted:
            raise self.uncounted[calendar_id]
        return self.pages.get(calendar_id, ([], None))

    def probe_events(self, calendar_id: str) -> None:
        if calendar_id in self.closed:
            raise self.closed[calendar_id]


@pytest.fixture
def provider(tmp_path: Path) -> Iterator[Provider]:
    with in_context(make_app(tmp_path)):
        yield add_provider()


def offer(connection: Connection, *entries: CalendarEntry, **closed: CalendarError) -> list[GoogleCalendar]:
    choosing.offer_calendars(connection, cast("GoogleClient", Account(list(entries), closed)), now=NOW)
    return choosing.offered_calendars(connection)


def mode_of(provider: Provider) -> str:
    return provider.sync_mode.value


def at_preview(provider: Provider) -> Connection:
    """A connection with its primary calendar chosen."""
    connection = grants.accept_grant(provider, make_grant(), now=NOW)
    (row,) = offer(connection, PRIMARY)
    choosing.choose(connection, [row.id], now=NOW)
    return connection


def running(provider: Provider) -> Connection:
    connection = at_preview(provider)
    switching.begin_first_sync(connection, now=NOW)
    connection.phase = ConnectionPhase.ACTIVE
    db.session.commit()
    return connection


# The grant


def test_a_first_consent_makes_a_connection_that_changes_nothing_yet(provider: Provider) -> None:
    connection = grants.accept_grant(provider, make_grant(), now=NOW)
    assert connection.phase is ConnectionPhase.CHOOSING
    assert (connection.google_sub, connection.email) == ("sub-1", "sub-1@example.com")
    assert provider.sync_mode is SyncMode.OFF
    stored = db.session.execute(sa.text("SELECT refresh_token, access_token FROM connection")).one()
    assert "refresh" not in stored.refresh_token and "access" not in stored.access_token


@pytest.mark.parametrize(
    "missing", ["calendar.app.created", "calendar.calendarlist.readonly", "calendar.events.owned.readonly"]
)
def test_every_box_has_to_be_ticked(provider: Provider, missing: str) -> None:
    grant = make_grant()
    partial = make_grant(scopes=grant.scopes - {SCOPE_PREFIX + missing})
    with pytest.raises(Refused, match="scope-missing"):
        grants.accept_grant(provider, partial, now=NOW)
    assert current.live_connection(provider) is None


def test_a_consent_without_a_lasting_token_is_refused(provider: Provider) -> None:
    with pytest.raises(Refused, match="no-refresh-token"):
        grants.accept_grant(provider, make_grant(refresh_token=None), now=NOW)


def test_one_google_account_serves_one_provider(provider: Provider) -> None:
    connection = grants.accept_grant(provider, make_grant(), now=NOW)
    sol = add_provider("sol.ortiz@example.com", name="Sol Ortiz")
    with pytest.raises(Refused, match="account-in-use"):
        grants.accept_grant(sol, make_grant(), now=NOW)
    connection.ended_at = NOW
    db.session.flush()
    assert grants.accept_grant(sol, make_grant(), now=NOW).provider_id == sol.id


def test_reconnecting_the_same_account_keeps_everything_and_heals(provider: Provider) -> None:
    connection = running(provider)
    connection.nonce, connection.app_calendar_id = "nonce", "app@group.calendar.google.com"
    connection.problem, connection.failures = "reconnect-required", 7
    fencing = connection.fencing
    same = grants.accept_grant(
        provider, make_grant(email="new@example.com", refresh_token="newer"), now=LATER
    )
    assert same is connection
    assert (same.problem, same.failures, same.refresh_token) == (None, 0, "newer")
    assert connection.email == "new@example.com", "the address changed, the account did not"
    assert connection.phase is ConnectionPhase.ACTIVE and connection.nonce == "nonce"
    assert [row.is_chosen for row in choosing.calendars(connection)] == [True]
    assert connection.fencing == fencing + 1


def test_another_account_is_refused_and_leaves_the_connection_as_it_was(provider: Provider) -> None:
    connection = running(provider)
    connection.problem = "reconnect-required"
    with pytest.raises(Refused, match="another-account"):
        grants.accept_grant(provider, make_grant("sub-2"), now=LATER)
    assert (connection.google_sub, connection.problem) == ("sub-1", "reconnect-required")


def test_nothing_is_connected_while_the_last_one_is_still_going(provider: Provider) -> None:
    running(provider)
    switching.choose_mode(provider, SyncMode.OFF, now=NOW)
    with pytest.raises(Refused, match="still-removing"):
        grants.accept_grant(provider, make_grant(), now=LATER)


# Calendars


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({}, None),
        ({"access_role": "reader"}, "shared-read-only"),
        ({"access_role": "freeBusyReader"}, "free-busy-only"),
        ({"access_role": "something-new"}, "shared-read-only"),
        ({"access_role": "writer"}, "shared-to-edit"),
        ({"access_role": "writerWithoutPrivateAccess"}, "shared-to-edit"),
        ({"calendar_id": "en.usa#holiday@group.v.calendar.google.com"}, "holidays"),
        ({"calendar_id": "x@import.calendar.google.com", "access_role": "reader"}, "subscription"),
        ({"calendar_id": "c_1@resource.calendar.google.com"}, "room"),
        ({"calendar_id": "old-app@group.calendar.google.com"}, "app-calendar"),
        ({"description": "Appointments. lockstep:0f0f"}, "app-calendar"),
        ({"description": f"lockstep:{'1' * 32}/{'2' * 32}"}, "unknown-app-calendar"),
        ({"description": f"lockstep:{'2' * 32}"}, "unknown-app-calendar"),
        ({"description": f"lockstep:{'3' * 32}/{'2' * 32}"}, None),
        ({"calendar_id": "x@import.calendar.google.com", "summary": "Lockstep one-way K7QX"}, "own-feed"),
        ({"summary": "Lockstep one-way K7QX"}, None),
    ],
)
def test_a_calendar_that_cannot_be_chosen_has_its_reason(changes: dict[str, str], reason: str | None) -> None:
    own = choosing.OwnCalendars(
        ids=frozenset({"old-app@group.calendar.google.com"}),
        installation="1" * 32,
        nonces=frozenset({"0f0f"}),
        feed_marks=frozenset({"K7QX"}),
    )
    assert choosing.why_not(replace(HOME, **changes), own) == reason  # type: ignore[arg-type]


def test_every_calendar_is_listed_and_only_owned_ones_are_tried(provider: Provider) -> None:
    connection = grants.accept_grant(provider, make_grant(), now=NOW)
    shared = replace(HOME, calendar_id="headway", summary="Headway", access_role="reader")
    account = Account([shared, HOME, PRIMARY])
    choosing.offer_calendars(connection, cast("GoogleClient", account), now=NOW)
    rows = choosing.offered_calendars(connection)
    assert [(row.calendar_id, row.why_not) for row in rows] == [
        ("primary", None),
        ("headway", "shared-read-only"),
        (HOME.calendar_id, None),
    ]
    assert account.asked == [HOME.calendar_id, "primary"]


@pytest.mark.parametrize("error", [PermissionDenied("forbidden"), EventNotFound("notFound")])
def test_an_owned_calendar_that_does_not_open_cannot_be_chosen(
    provider: Provider, error: CalendarError
) -> None:
    connection = grants.accept_grant(provider, make_grant(), now=NOW)
    (row,) = offer(connection, PRIMARY, primary=error)
    assert (row.why_not, row.entries) == ("unreadable", None)


def test_a_busy_google_is_no_reason_against_a_calendar(provider: Provider) -> None:
    connection = grants.accept_grant(provider, make_grant(), now=NOW)
    with pytest.raises(RateLimited):
        offer(connection, PRIMARY, primary=RateLimited("rateLimitExceeded"))


def test_without_time_to_ask_a_calendar_can_be_chosen_and_its_number_is_unknown(provider: Provider) -> None:
    connection = grants.accept_grant(provider, make_grant(), now=NOW)
    offer(connection, PRIMARY)
    (row,) = offer(connection, PRIMARY, primary=CalendarUnavailable(TOOK_TOO_LONG))
    assert (row.why_not, row.entries) == (None, None), "and the earlier number is no longer told"


def test_a_calendar_whose_dates_take_google_too_long_can_be_chosen_uncounted(provider: Provider) -> None:
    connection = grants.accept_grant(provider, make_grant(), now=NOW)
    account = Account([PRIMARY], uncounted={"primary": CalendarUnavailable("connection")})
    choosing.offer_calendars(connection, cast("GoogleClient", account), now=NOW)
    assert [(row.why_not, row.entries) for row in choosing.offered_calendars(connection)] == [(None, None)]


def test_a_google_that_does_not_answer_at_all_is_an_error(provider: Provider) -> None:
    connection = grants.accept_grant(provider, make_grant(), now=NOW)
    with pytest.raises(CalendarUnavailable):
        offer(connection, PRIMARY, primary=CalendarUnavailable("connection"))


def dates(number: int, start: dt.datetime = NOW) -> list[Any]:
    """A page of that many dates, an hour each."""
    times = {
        "start": {"dateTime": start.isoformat()},
        "end": {"dateTime": (start + dt.timedelta(hours=1)).isoformat()},
    }
    return [{"id": f"e{each}", **times} for each in range(number)]


@pytest.mark.parametrize(
    ("page", "entries"),
    [
        (([], None), 0),
        ((dates(214), None), 214),
        (([*dates(3), {"id": "odd", "start": {}}, "not an event"], None), 3),
        ((dates(choosing.MOST_COUNTED), None), choosing.MOST_COUNTED),
        ((dates(choosing.MOST_COUNTED), "more"), choosing.MOST_COUNTED + 1),
        ((dates(7), "more"), None),
    ],
    ids=["none", "some", "odd ones", "a full page", "more than a page", "a page that ended early"],
)
def test_what_a_calendar_would_bring_is_counted_by_one_page(
    provider: Provider, page: Page, entries: int | None
) -> None:
    connection = grants.accept_grant(provider, make_grant(), now=NOW)
    account = Account([PRIMARY], pages={"primary": page})
    choosing.offer_calendars(connection, cast("GoogleClient", account), now=NOW)
    assert [row.entries for row in choosing.offered_calendars(connection)] == [entries]
    assert account.asked == ["primary"]


HOUR = dt.timedelta(hours=1)


@pytest.mark.parametrize(
    ("start", "count"),
    [
        (NOW - dt.timedelta(days=90), 1),
        (NOW - dt.timedelta(days=90) - HOUR, 0),
        (NOW + dt.timedelta(days=400) - HOUR, 1),
        (NOW + dt.timedelta(days=400), 0),
    ],
)
def test_the_count_ends_where_the_first_sync_ends(start: dt.datetime, count: int) -> None:
    assert occurrences.count_shown(dates(1, start), now=NOW) == count


@pytest.mark.parametrize(
    ("counts", "entries"),
    [
        ([], None),
        ([214, 61], choosing.Entries(275, has_more=False)),
        ([0], choosing.Entries(0, has_more=False)),
        ([214, None], None),
        ([choosing.MOST_COUNTED + 1, 61], choosing.Entries(2561, has_more=True)),
    ],
)
def test_several_calendars_have_a_number_when_each_of_them_has(
    counts: list[int | None], entries: choosing.Entries | None
) -> None:
    assert choosing.entries_of([GoogleCalendar(entries=count) for count in counts]) == entries


def test_listing_again_updates_names_and_forgets_what_is_gone(provider: Provider) -> None:
    connection = at_preview(provider)
    account = cast("GoogleClient", Account([replace(PRIMARY, summary="Renamed"), HOME]))
    choosing.offer_calendars(connection, account, now=LATER)
    assert [row.summary for row in choosing.offered_calendars(connection)] == ["Renamed", "Home"]
    choosing.offer_calendars(connection, cast("GoogleClient", Account([PRIMARY])), now=LATER + (LATER - NOW))
    assert [row.summary for row in choosing.offered_calendars(connection)] == ["Wren Hale"]
    assert choosing.offered_calendars(connection)[0].is_chosen


def test_the_calendar_of_an_earlier_connection_stays_ours(provider: Provider) -> None:
    earlier = grants.accept_grant(provider, make_grant(), now=NOW)
    earlier.app_calendar_id, earlier.nonce, earlier.ended_at = HOME.calendar_id, "0f0f", NOW
    db.session.flush()
    connection = grants.accept_grant(provider, make_grant(), now=NOW)
    assert [row.why_not for row in offer(connection, HOME)] == ["app-calendar"]


def test_only_what_was_offered_can_be_chosen(provider: Provider) -> None:
    connection = grants.accept_grant(provider, make_grant(), now=NOW)
    shared = replace(HOME, access_role="reader")
    primary, locked = offer(connection, PRIMARY, shared)
    for wrong in (locked.id, 999):
        with pytest.raises(InvalidInput):
            choosing.choose(connection, [wrong], now=NOW)
    choosing.choose(connection, [primary.id], now=NOW)
    assert (primary.is_chosen, connection.phase) == (True, ConnectionPhase.PREVIEW)


def test_no_calendar_at_all_is_a_choice(provider: Provider) -> None:
    connection = grants.accept_grant(provider, make_grant(), now=NOW)
    offer(connection, PRIMARY)
    choosing.choose(connection, [], now=NOW)
    assert choosing.preview(connection, now=NOW).calendars == ()


def test_leaving_a_calendar_out_takes_its_events_away_and_stops_the_run(provider: Provider) -> None:
    connection = running(provider)
    (row,) = choosing.offered_calendars(connection)
    row.sync_token = "token"
    db.session.add(
        GoogleEvent(google_calendar_id=row.id, event_id="e", etag="1", generation=0, status="confirmed")
    )
    db.session.flush()
    fencing, requested = connection.fencing, connection.requested
    choosing.choose(connection, [], now=NOW)
    assert db.session.scalar(sa.select(sa.func.count(GoogleEvent.id))) == 0
    (after,) = choosing.offered_calendars(connection)
    assert (after.is_chosen, after.sync_token, after.is_full_pass) == (False, None, True)
    assert (connection.fencing, connection.requested) == (fencing + 1, requested + 1)


def test_choosing_the_same_again_forgets_nothing(provider: Provider) -> None:
    connection = running(provider)
    (row,) = choosing.offered_calendars(connection)
    row.sync_token = "token"
    choosing.choose(connection, [row.id], now=NOW)
    assert row.sync_token == "token"


def test_a_calendar_that_is_chosen_later_is_read_at_once(provider: Provider) -> None:
    connection = running(provider)
    (row,) = choosing.offered_calendars(connection)
    choosing.choose(connection, [], now=NOW)
    connection.next_check_at = NOW + dt.timedelta(hours=1)
    db.session.commit()
    choosing.choose(connection, [row.id], now=NOW)
    db.session.commit()
    assert connection.next_check_at == NOW
    assert connection.requested > connection.handled


# Preview and first sync


def test_the_preview_counts_what_will_go_and_writes_nothing(provider: Provider) -> None:
    connection = at_preview(provider)
    client = clients.add_client(provider, "Jane Smith", now=NOW)
    book(provider, client)
    book(provider, client, start=NOW - dt.timedelta(days=29))
    book(provider, client, start=NOW - dt.timedelta(days=31))
    book(provider, client, status=AppointmentStatus.CANCELED)
    plan = choosing.preview(connection, now=NOW)
    assert (plan.appointments, plan.calendars) == (2, ("Wren Hale",))
    assert [title for title, _ in plan.examples] == ["1001"]
    assert provider.sync_mode is SyncMode.OFF


def test_the_first_sync_changes_the_mode_and_empties_the_feed_at_once(provider: Provider) -> None:
    switching.choose_mode(provider, SyncMode.ONE_WAY, now=NOW)
    connection = at_preview(provider)
    assert mode_of(provider) == "one-way" and addresses.live_feed(provider)
    requested = connection.requested
    switching.begin_first_sync(connection, now=LATER)
    assert mode_of(provider) == "two-way"
    assert addresses.live_feed(provider) is None
    assert (connection.phase, connection.requested) == (ConnectionPhase.FIRST_SYNC, requested + 1)


def test_the_first_sync_waits_until_calendars_were_chosen(provider: Provider) -> None:
    connection = grants.accept_grant(provider, make_grant(), now=NOW)
    with pytest.raises(Refused, match="nothing-chosen"):
        switching.begin_first_sync(connection, now=NOW)


def test_names_that_a_private_account_may_not_hold_stop_the_first_sync(provider: Provider) -> None:
    clients.change_display(provider, NameDisplay.INITIALS, confirmed=True, sends_other_titles=False, now=NOW)
    connection = at_preview(provider)
    connection.hosted_domain = None
    db.session.flush()
    with pytest.raises(Refused, match="consumer-account"):
        switching.begin_first_sync(connection, now=NOW)
    assert provider.sync_mode is SyncMode.OFF


def test_names_ticked_for_a_feed_are_no_agreement_with_google(provider: Provider) -> None:
    clients.change_display(provider, NameDisplay.INITIALS, confirmed=True, sends_other_titles=False, now=NOW)
    connection = at_preview(provider)
    provider.display_confirmed_at = None
    with pytest.raises(InvalidInput):
        switching.begin_first_sync(connection, now=NOW)


# Leaving


def test_turning_off_begins_a_removal_that_stops_the_run(provider: Provider) -> None:
    connection = running(provider)
    fencing = connection.fencing
    assert switching.choose_mode(provider, SyncMode.OFF, now=NOW) == {Effect.TEAR_DOWN}
    assert current.link_of(connection) is Link.REMOVING
    assert connection.removal and connection.removal["goal"] == "off"
    assert connection.fencing == fencing + 1
    assert provider.sync_mode is SyncMode.TWO_WAY, "until everything is taken away"


@pytest.mark.parametrize(("wanted", "has_feed"), [(SyncMode.OFF, False), (SyncMode.ONE_WAY, True)])
def test_a_finished_removal_arrives_at_its_mode(provider: Provider, wanted: SyncMode, has_feed: bool) -> None:
    connection = running(provider)
    switching.choose_mode(provider, wanted, now=NOW)
    switching.finish_removal(connection, now=LATER)
    assert provider.sync_mode is wanted
    assert (addresses.live_feed(provider) is not None) == has_feed
    assert (connection.phase, connection.ended_at) == (ConnectionPhase.ENDED, LATER)
    assert connection.refresh_token is None and connection.access_token is None
    assert current.live_connection(provider) is None
    assert current.last_ended(provider) is connection


def test_leaving_the_wizard_keeps_the_mode_before(provider: Provider) -> None:
    switching.choose_mode(provider, SyncMode.ONE_WAY, now=NOW)
    feed = addresses.live_feed(provider)
    connection = at_preview(provider)
    switching.cancel_setup(provider, now=NOW)
    assert connection.phase is ConnectionPhase.REMOVING
    switching.finish_removal(connection, now=LATER)
    assert provider.sync_mode is SyncMode.ONE_WAY
    assert addresses.live_feed(provider) is feed


def test_cancelling_never_touches_a_sync_that_runs(provider: Provider) -> None:
    connection = running(provider)
    switching.cancel_setup(provider, now=NOW)
    assert connection.phase is ConnectionPhase.ACTIVE


def test_a_set_up_left_lying_for_a_day_is_dropped(provider: Provider) -> None:
    connection = at_preview(provider)
    assert switching.drop_abandoned(now=NOW + dt.timedelta(hours=23)) == 0
    assert switching.drop_abandoned(now=NOW + dt.timedelta(hours=25)) == 1
    assert connection.removal and connection.removal["goal"] == "keep"


def test_a_missing_calendar_is_made_again_on_request_only(provider: Provider) -> None:
    connection = running(provider)
    connection.nonce, connection.app_calendar_id = "nonce", HOME.calendar_id
    (row,) = choosing.offered_calendars(connection)
    row.is_app_calendar, row.calendar_id = True, HOME.calendar_id
    appointment = book(provider)
    link = EventLink(
        appointment_id=appointment.id,
        connection_id=connection.id,
        event_id="e",
        state=LinkState.LIVE,
        revision=1,
        agreed_at=NOW,
    )
    db.session.add(link)
    db.session.flush()
    with pytest.raises(Refused, match="not-missing"):
        switching.create_again(connection, now=NOW)
    connection.problem = "calendar-missing"
    switching.create_again(connection, now=NOW)
    again = current.live_connection(provider)
    assert again and (again.nonce, again.app_calendar_id, again.problem) == (None, None, None)
    assert connection.phase is ConnectionPhase.FIRST_SYNC
    assert db.session.scalar(sa.select(sa.func.count(EventLink.id))) == 0
    assert HOME.calendar_id in choosing.own_calendars(connection).ids


# What is told


def test_the_counts_are_those_of_the_connection(provider: Provider) -> None:
    connection = running(provider)
    connection.window_starts_at = NOW - dt.timedelta(days=30)
    linked = [book(provider) for _ in range(2)]
    book(provider, status=AppointmentStatus.NO_SHOW)
    book(provider, start=NOW - dt.timedelta(days=40))
    book(provider)
    for appointment, state in zip(linked, (LinkState.LIVE, LinkState.HELD), strict=True):
        db.session.add(
            EventLink(
                appointment_id=appointment.id,
                connection_id=connection.id,
                event_id=appointment.public_id,
                state=state,
                revision=1,
                settled=1,
                agreed_at=NOW,
            )
        )
    db.session.flush()
    counts = facts.count(connection, now=NOW)
    assert (counts.live, counts.linked, counts.behind, counts.held) == (3, 1, 1, 1)
