"""What a change seen in Google means: the decision tables for our own events and for those without a link."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.sync.event import Content, Event, EventTime, Tag
from portal.sync.inbound import (
    WHY_KEPT,
    Adopt,
    AdoptWrite,
    AskDeleted,
    ConfirmGone,
    DeleteStray,
    HoldWrites,
    Ignore,
    Import,
    KeepAndAsk,
    OwnEventAction,
    Readopt,
    Redelete,
    RefreshEtag,
    Reschedule,
    Restore,
    SetAside,
    StrayAction,
    carries_our_tag,
    decide_own,
    decide_stray,
    why_kept,
    why_unsafe,
)
from portal.sync.outbound import Link, LinkPhase, LocalAppointment

NOW = dt.datetime(2026, 11, 18, 12, 0, tzinfo=dt.UTC)
EARLIER, AGREED_AT, LATER = (NOW - dt.timedelta(minutes=minutes) for minutes in (20, 15, 5))
CHICAGO = "America/Chicago"


def timed(hours: float, *, minutes: float = 50, tzid: str = CHICAGO) -> dict[str, Any]:
    """Start and end, `hours` from now."""
    start = NOW + dt.timedelta(hours=hours)
    end = start + dt.timedelta(minutes=minutes)
    return {"start": EventTime(datetime=start, tzid=tzid), "end": EventTime(datetime=end, tzid=tzid)}


def dates(days: int, *, length: int = 1) -> dict[str, Any]:
    first = NOW.date() + dt.timedelta(days=days)
    return {"start": EventTime(date=first), "end": EventTime(date=first + dt.timedelta(days=length))}


def content(**changes: Any) -> Content:
    return Content(**{"summary": "1042", **timed(24), **changes})


def appointment(revision: int = 4, *, is_live: bool = True, **changes: Any) -> LocalAppointment:
    return LocalAppointment(
        public_id="a1", revision=revision, is_live=is_live, is_in_window=True, content=content(**changes)
    )


def link(phase: LinkPhase = LinkPhase.LIVE, **changes: Any) -> Link:
    """Agreed at revision 4 on `content()`."""
    agreed = content()
    values: dict[str, Any] = {
        "event_id": "e0",
        "revival": 0,
        "phase": phase,
        "etag": '"1"',
        "content_hash": agreed.content_hash(),
        "times_hash": agreed.times_hash(),
        "revision": 4,
        "settled": 4,
        "remote_updated": AGREED_AT,
    }
    return Link(**{**values, **changes})


def tag(revision: int = 4, *, of: Content | None = None, event_id: str = "e0") -> Tag:
    """What our write of `of` at this revision carries."""
    times = (of or content()).times_hash()
    return Tag(installation="inst", appointment="a1", event_id=event_id, revision=revision, times_hash=times)


def event(**changes: Any) -> Event:
    """The event as Google lists it after somebody touched it."""
    values: dict[str, Any] = {
        "event_id": "e0",
        "etag": '"2"',
        "updated": LATER,
        "summary": "1042",
        "visibility": "private",
        "tag": tag(),
        **timed(24),
    }
    return Event(**{**values, **changes})


def tombstone(**changes: Any) -> Event:
    return Event(**{"event_id": "e0", "etag": '"2"', "status": "cancelled", **changes})


def kept(why: str) -> Restore:
    """A move that cannot follow: a card tells why."""
    return Restore(card="moved", why=why)


HERE = appointment()
MOVED_HERE = appointment(5, **timed(30))
OVER = appointment(5, is_live=False)
SENT = content(**timed(30))  # by a write at revision 5 whose answer was lost
TAKEN_OVER = Reschedule(*timed(48).values())
DELETING, GONE, HELD = LinkPhase.DELETING, LinkPhase.GONE, LinkPhase.HELD

OWN: dict[str, tuple[Event, Link, LocalAppointment, OwnEventAction]] = {
    # Nothing new
    "as agreed": (event(etag='"1"'), link(), HERE, Ignore()),
    "an older copy from a list that lags": (event(updated=EARLIER, **timed(48)), link(), HERE, Ignore()),
    "an older tombstone from a list that lags": (tombstone(updated=EARLIER), link(), HERE, Ignore()),
    "no times and not cancelled": (event(start=None, end=None), link(), HERE, Ignore()),
    # Fields that are not ours
    "notes, guests, colour": (event(), link(), HERE, RefreshEtag()),
    "the zone is worded differently": (event(**timed(24, tzid="US/Central")), link(), HERE, RefreshEtag()),
    "moved here, untouched there": (event(), link(), MOVED_HERE, RefreshEtag()),
    # Our other fields
    "retitled there": (event(summary="Dentist"), link(), HERE, Restore(card=None)),
    "made public there": (event(visibility="public"), link(), HERE, Restore(card=None)),
    "made free there": (event(transparency="transparent"), link(), HERE, Restore(card=None)),
    "made tentative there": (event(status="tentative"), link(), HERE, Restore(card=None)),
    "made recurring there": (
        event(recurrence=("RRULE:FREQ=WEEKLY",)),
        link(),
        HERE,
        Restore(card="edited", why="made-recurring"),
    ),
    "made recurring and moved there": (
        event(recurrence=("RRULE:FREQ=WEEKLY",), **timed(48)),
        link(),
        HERE,
        Restore(card="edited", why="made-recurring"),
    ),
    # Moved there
    "a safe move": (event(**timed(48)), link(), HERE, TAKEN_OVER),
    "a safe move and a new title": (event(summary="Dentist", **timed(48)), link(), HERE, TAKEN_OVER),
    "a safe change of length": (
        event(**timed(24, minutes=80)),
        link(),
        HERE,
        Reschedule(*timed(24, minutes=80).values()),
    ),
    "a move into the past": (event(**timed(-2)), link(), HERE, kept("moved-to-past")),
    "made all-day": (event(**dates(2)), link(), HERE, kept("made-all-day")),
    "shortened to nothing": (
        event(**timed(24, minutes=0)),
        link(),
        HERE,
        kept("too-short"),
    ),
    "made longer than a day": (
        event(**timed(24, minutes=1441)),
        link(),
        HERE,
        kept("too-long"),
    ),
    "moved on both sides": (
        event(**timed(48)),
        link(),
        MOVED_HERE,
        kept("changed-here"),
    ),
    "moved to the same time on both sides": (event(**timed(30)), link(), MOVED_HERE, Restore(card=None)),
    "moved there, over here": (event(**timed(48)), link(), OVER, SetAside()),
    "retitled there, over here": (event(summary="Dentist"), link(), OVER, SetAside()),
    # Whose write was it?
    "our write whose answer was lost": (
        event(tag=tag(5, of=SENT), **timed(30)),
        link(),
        MOVED_HERE,
        AdoptWrite(5),
    ),
    "our write whose answer was lost, moved back here since": (
        event(tag=tag(5, of=SENT), **timed(30)),
        link(),
        appointment(6),
        AdoptWrite(5),
    ),
    "our lost write, made recurring by the provider": (
        event(tag=tag(5, of=SENT), recurrence=("RRULE:FREQ=WEEKLY",), **timed(30)),
        link(),
        MOVED_HERE,
        Restore(card="edited", why="made-recurring"),
    ),
    "our lost write, moved on by the provider": (
        event(tag=tag(5, of=SENT), **timed(48)),
        link(),
        MOVED_HERE,
        TAKEN_OVER,
    ),
    "our lost write, moved back by the provider": (
        event(tag=tag(5, of=SENT)),
        link(),
        MOVED_HERE,
        Reschedule(*timed(24).values()),
    ),
    "our lost write, moved on by the provider and here": (
        event(tag=tag(5, of=SENT), **timed(48)),
        link(),
        appointment(6, **timed(36)),
        kept("changed-here"),
    ),
    "a revision that this database has never had": (
        event(tag=tag(9, of=SENT), **timed(30)),
        link(),
        HERE,
        HoldWrites(),
    ),
    "a revision that this database has never had, moved there": (
        event(tag=tag(9, of=SENT), **timed(48)),
        link(),
        HERE,
        HoldWrites(),
    ),
    "a revision that this database has never had, of an event that is gone here": (
        event(tag=tag(9, of=SENT), **timed(30)),
        link(GONE),
        appointment(is_live=False),
        HoldWrites(),
    ),
    "a revision that this database has never had, of an event that was asked about": (
        event(tag=tag(9, of=SENT), **timed(30)),
        link(HELD),
        HERE,
        HoldWrites(),
    ),
    "a revision that this database has never had, of an event on its way out": (
        event(tag=tag(9, of=SENT), **timed(30)),
        link(DELETING),
        OVER,
        Ignore(),
    ),
    "a tag that names another event proves nothing": (
        event(tag=tag(9, of=SENT, event_id="e7"), **timed(48)),
        link(),
        HERE,
        TAKEN_OVER,
    ),
    "the tag was removed there": (event(tag=None, **timed(48)), link(), HERE, TAKEN_OVER),
    # Deleted there
    "deleted there": (tombstone(), link(), HERE, AskDeleted()),
    "deleted there with its details kept": (event(status="cancelled"), link(), HERE, AskDeleted()),
    "deleted there although moved here": (tombstone(), link(), MOVED_HERE, AskDeleted()),
    "a tombstone with the agreed etag": (tombstone(etag='"1"'), link(), HERE, AskDeleted()),
    "the tombstone of our own delete": (tombstone(), link(DELETING), OVER, ConfirmGone()),
    "the tombstone of our own delete, reinstated since": (tombstone(), link(DELETING), HERE, ConfirmGone()),
    "a tombstone that is known": (tombstone(), link(GONE), OVER, Ignore()),
    "a tombstone that was asked about": (tombstone(), link(HELD), HERE, Ignore()),
    # Live there although the link says otherwise
    "a copy from before our delete, still going": (
        event(updated=AGREED_AT),
        link(DELETING),
        OVER,
        Ignore(),
    ),
    "touched while our delete is under way": (event(), link(DELETING), OVER, Ignore()),
    "a copy from before our delete, done": (event(updated=AGREED_AT), link(GONE), OVER, Ignore()),
    "restored from the bin, wanted here": (event(), link(GONE), HERE, Readopt()),
    "restored from the bin, over here": (event(), link(GONE), OVER, Redelete(is_told=True)),
    "our insert whose answer was lost, over here": (
        event(tag=tag(4)),
        link(GONE, revision=0, etag=None, content_hash=None, times_hash=None, remote_updated=None),
        OVER,
        Redelete(is_told=False),
    ),
    "restored from the bin while a card waits": (event(), link(HELD), HERE, Readopt()),
    "restored from the bin while a card waits, over here": (
        event(),
        link(HELD),
        OVER,
        Redelete(is_told=True),
    ),
}


def test_an_archived_appointment_is_never_moved_though_its_status_is_scheduled() -> None:
    action = decide_own(event(**timed(48)), link(), OVER, is_scheduled=True, now=NOW)
    assert action == SetAside()


@pytest.mark.parametrize(("seen", "agreed", "here", "expected"), OWN.values(), ids=OWN.keys())
def test_the_decision_table_for_our_own_events(
    seen: Event, agreed: Link, here: LocalAppointment, expected: OwnEventAction
) -> None:
    assert decide_own(seen, agreed, here, is_scheduled=here.is_live, now=NOW) == expected


def test_the_table_has_a_case_for_every_phase_live_or_over_here_there_or_not() -> None:
    covered = {(agreed.phase, seen.is_cancelled) for seen, agreed, _, _ in OWN.values()}
    assert covered == set(product(LinkPhase, (True, False)))
    assert {type(action) for *_, action in OWN.values()} == set(OwnEventAction.__args__)


def test_a_completed_appointment_is_never_moved_by_google() -> None:
    action = decide_own(event(**timed(48)), link(), HERE, is_scheduled=False, now=NOW)
    assert action == kept("not-scheduled")


def test_one_that_has_begun_is_never_moved_by_google() -> None:
    begun = appointment(**timed(-0.5))
    agreed = link(content_hash=begun.content.content_hash(), times_hash=begun.content.times_hash())
    action = decide_own(event(**timed(48)), agreed, begun, is_scheduled=True, now=NOW)
    assert action == kept("begun")


def test_an_all_day_one_moves_as_dates_and_stays_all_day() -> None:
    here = appointment(**dates(2))
    agreed = link(content_hash=here.content.content_hash(), times_hash=here.content.times_hash())
    moved = event(**dates(5, length=3))
    assert decide_own(moved, agreed, here, is_scheduled=True, now=NOW) == Reschedule(**dates(5, length=3))
    action = decide_own(event(**timed(48)), agreed, here, is_scheduled=True, now=NOW)
    assert action == kept("made-timed")


@pytest.mark.parametrize(
    ("minutes", "is_safe"),
    [(0, False), (4, False), (5, True), (50, True), (50.5, False), (1440, True), (1441, False)],
)
def test_a_safe_move_is_five_minutes_to_a_day_long(minutes: float, is_safe: bool) -> None:
    assert (why_unsafe(content(), content(**timed(48, minutes=minutes)), now=NOW) is None) is is_safe


@pytest.mark.parametrize(("hours", "is_safe"), [(-1, False), (0, False), (0.01, True)])
def test_a_safe_move_goes_from_the_future_to_the_future(hours: float, is_safe: bool) -> None:
    assert (why_unsafe(content(), content(**timed(hours)), now=NOW) is None) is is_safe
    assert (why_unsafe(content(**timed(hours)), content(), now=NOW) is None) is is_safe


STRAY: dict[str, tuple[Event, LocalAppointment | None, Link | None, StrayAction]] = {
    "made by hand": (event(tag=None), None, None, Import()),
    "a copy of ours": (event(event_id="copy"), HERE, link(), Import()),
    "of another installation": (event(tag=replace(tag(), installation="other")), None, None, Import()),
    "a deleted one made by hand": (tombstone(), None, None, Import()),
    "a tombstone of ours": (tombstone(tag=tag()), HERE, None, Ignore()),
    "a tombstone of ours that nobody knows": (tombstone(tag=tag()), None, None, Ignore()),
    "ours, unknown here": (event(), None, None, KeepAndAsk()),
    "ours, wanted and without an event": (event(), HERE, None, Adopt()),
    "ours, wanted, and the other one is gone": (event(), HERE, link(GONE, event_id="e1"), Adopt()),
    "ours, wanted, and a card asks about the other one": (
        event(),
        HERE,
        link(HELD, event_id="e1"),
        Adopt(),
    ),
    "ours, but another event is live": (event(), HERE, link(event_id="e1"), DeleteStray()),
    "ours, but another event may be live while its delete is under way": (
        event(),
        HERE,
        link(DELETING, event_id="e1"),
        DeleteStray(),
    ),
    "ours, over here": (event(), OVER, None, DeleteStray()),
    "ours, over here, with a revision that this database has never had": (
        event(tag=tag(9)),
        OVER,
        link(GONE, event_id="e1"),
        Adopt(),
    ),
    "ours, with a revision that this database has never had, and the other one is live": (
        event(tag=tag(9)),
        HERE,
        link(event_id="e1"),
        Adopt(),
    ),
    "ours, over here, and the other one is gone": (event(), OVER, link(GONE, event_id="e1"), DeleteStray()),
    "ours, over here, and the other one is live": (event(), OVER, link(event_id="e1"), DeleteStray()),
}


@pytest.mark.parametrize(("seen", "here", "other", "expected"), STRAY.values(), ids=STRAY.keys())
def test_the_decision_table_for_events_without_a_link(
    seen: Event, here: LocalAppointment | None, other: Link | None, expected: StrayAction
) -> None:
    assert decide_stray(seen, installation="inst", appointment=here, link=other) == expected


def test_the_table_for_events_without_a_link_reaches_every_action() -> None:
    assert {type(action) for *_, action in STRAY.values()} == set(StrayAction.__args__)


EVENTS = st.builds(
    event,
    etag=st.sampled_from(['"1"', '"2"']),
    updated=st.sampled_from([None, EARLIER, AGREED_AT, LATER]),
    status=st.sampled_from(["confirmed", "tentative", "cancelled"]),
    tag=st.sampled_from([None, tag(), tag(5, of=SENT), tag(9), tag(9, event_id="e7")]),
    recurrence=st.sampled_from([(), ("RRULE:FREQ=DAILY",)]),
    start=st.sampled_from([timed(24)["start"], timed(30)["start"], dates(2)["start"]]),
)
LINKS = st.builds(link, st.sampled_from(LinkPhase))
APPOINTMENTS = st.sampled_from([HERE, MOVED_HERE, OVER])


@given(EVENTS, LINKS, APPOINTMENTS, st.booleans())
def test_google_never_moves_what_was_changed_or_is_over_here(
    seen: Event, agreed: Link, here: LocalAppointment, is_scheduled: bool
) -> None:
    action = decide_own(seen, agreed, here, is_scheduled=is_scheduled and here.is_live, now=NOW)
    if isinstance(action, Reschedule):
        assert is_scheduled and here.is_live
        assert here is HERE or (seen.tag == tag(5, of=SENT) and here is MOVED_HERE)
        assert agreed.phase is LinkPhase.LIVE


@given(EVENTS, LINKS, APPOINTMENTS)
def test_only_a_tombstone_means_deleted(seen: Event, agreed: Link, here: LocalAppointment) -> None:
    action = decide_own(seen, agreed, here, is_scheduled=here.is_live, now=NOW)
    if isinstance(action, AskDeleted | ConfirmGone):
        assert seen.is_cancelled
    if isinstance(action, AskDeleted):
        assert agreed.phase is LinkPhase.LIVE


def carries(**changes: Any) -> bool:
    return carries_our_tag(event(**changes), link(revision=4, settled=4), public_id="a1", installation="inst")


def test_an_event_carries_our_tag_when_every_property_is_as_we_wrote_it() -> None:
    assert carries()
    assert not carries(tag=None)
    changes: list[dict[str, Any]] = [
        {"installation": "other"},
        {"appointment": "a2"},
        {"event_id": "e1"},
        {"revision": 3},
        {"times_hash": "0"},
    ]
    for change in changes:
        assert not carries(tag=replace(tag(), **change)), change


def test_a_move_that_was_followed_leaves_the_tag_as_it_was_sent() -> None:
    """Following writes nothing to Google: the hash of the earlier times is still there, and is no loss."""
    followed = link(revision=4, settled=5, times_hash=content(**timed(48)).times_hash())
    assert carries_our_tag(event(**timed(48)), followed, public_id="a1", installation="inst")


def test_every_cause_has_its_code() -> None:
    here, whole = content(), Content(summary="1042", **dates(2))
    told = {
        why_kept(here, content(**timed(48)), is_scheduled=False, is_unchanged_here=True, now=NOW),
        why_kept(here, content(**timed(48)), is_scheduled=True, is_unchanged_here=False, now=NOW),
        why_unsafe(here, whole, now=NOW),
        why_unsafe(whole, here, now=NOW),
        why_unsafe(content(**timed(-1)), here, now=NOW),
        why_unsafe(here, content(**timed(-1)), now=NOW),
        why_unsafe(here, content(**timed(48, minutes=1)), now=NOW),
        why_unsafe(here, content(**timed(48, minutes=1441)), now=NOW),
        why_unsafe(here, content(**timed(48, minutes=50.5)), now=NOW),
    }
    assert told == WHY_KEPT - {"made-recurring"}
    assert why_kept(here, content(**timed(48)), is_scheduled=True, is_unchanged_here=True, now=NOW) is None
