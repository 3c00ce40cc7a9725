"""What goes out to Google: the whole decision table, one case a cell, and the ids of our events."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import replace
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.sync.event import Content, EventTime
from portal.sync.outbound import (
    UNSEEN,
    Action,
    CloseCard,
    Delete,
    Insert,
    Link,
    LinkPhase,
    LocalAppointment,
    Patch,
    PutBack,
    Settle,
    decide,
    event_id,
)

TEN = dt.datetime(2026, 11, 18, 16, 0, tzinfo=dt.UTC)


def content(*, hour: int = 0, summary: str = "1042") -> Content:
    """Fifty minutes, `hour` hours after ten in Chicago."""
    start = TEN + dt.timedelta(hours=hour)
    return Content(
        summary=summary,
        start=EventTime(datetime=start, tzid="America/Chicago"),
        end=EventTime(datetime=start + dt.timedelta(minutes=50), tzid="America/Chicago"),
    )


AGREED = content()
LIVE = LocalAppointment(public_id="a1", revision=4, is_live=True, is_in_window=True, content=AGREED)
OUTSIDE = replace(LIVE, is_in_window=False)
OVER = replace(LIVE, is_live=False)
OVER_OUTSIDE = replace(OVER, is_in_window=False)
MOVED = replace(LIVE, revision=5, content=content(hour=2))
RETITLED = replace(LIVE, revision=5, content=content(summary="J.S."))
TOUCHED = replace(LIVE, revision=5)  # a new revision that changes nothing outside

LINK = Link(
    event_id="e0",
    revival=0,
    phase=LinkPhase.LIVE,
    etag='"3"',
    content_hash=AGREED.content_hash(),
    times_hash=AGREED.times_hash(),
    revision=4,
    settled=4,
)
DELETING = replace(LINK, phase=LinkPhase.DELETING)
GONE = replace(LINK, phase=LinkPhase.GONE, revival=2)
HELD = replace(LINK, phase=LinkPhase.HELD, revival=2)
ALTERED = replace(LINK, content_hash=content(summary="Altered").content_hash(), needs_write=True)

TABLE: dict[str, tuple[LocalAppointment, Link | None, Action | None]] = {
    # Never sent
    "a live one that was never sent is inserted": (LIVE, None, Insert(revival=0)),
    "a live one that ended before the window is not sent": (OUTSIDE, None, None),
    "one that is over and was never sent stays here": (OVER, None, None),
    "one that is over and outside the window stays here": (OVER_OUTSIDE, None, None),
    # Has an event
    "one as agreed needs nothing": (LIVE, LINK, None),
    "a moved one is patched if the event is as agreed": (MOVED, LINK, Patch("e0", '"3"')),
    "a retitled one is patched": (RETITLED, LINK, Patch("e0", '"3"')),
    "a new revision that looks the same outside is only noted": (TOUCHED, LINK, Settle()),
    "a mark without a difference is only cleared": (LIVE, replace(LINK, needs_write=True), Settle()),
    "one that was altered in Google is written back": (LIVE, ALTERED, Patch("e0", '"3"')),
    "one whose etag is unknown is never overwritten unseen": (
        MOVED,
        replace(LINK, etag=None),
        Patch("e0", UNSEEN),
    ),
    "one that is over is deleted": (OVER, LINK, Delete("e0", '"3"')),
    "one that left the window keeps its event": (OUTSIDE, LINK, None),
    "one that left the window is still patched": (
        replace(MOVED, is_in_window=False),
        LINK,
        Patch("e0", '"3"'),
    ),
    "one that is over and outside the window is deleted": (OVER_OUTSIDE, LINK, Delete("e0", '"3"')),
    # Its delete was begun
    "a begun delete is finished": (OVER, DELETING, Delete("e0", '"3"')),
    "a begun delete is finished before a reinstated one returns": (LIVE, DELETING, Delete("e0", '"3"')),
    "a begun delete is finished whatever has moved since": (MOVED, DELETING, Delete("e0", '"3"')),
    # Its event is deleted
    "a reinstated one returns as the next revival": (LIVE, GONE, Insert(revival=3)),
    "a reinstated one outside the window does not return": (OUTSIDE, GONE, None),
    "one that is over and gone needs nothing": (OVER, GONE, None),
    "a change to one that is gone is only noted": (replace(OVER, revision=5), GONE, Settle()),
    # The provider deleted it, and a card waits
    "a deleted one that is the same here waits for an answer": (LIVE, HELD, None),
    "a deleted one that was moved here is put back": (MOVED, HELD, PutBack(revival=3)),
    "a deleted one that was only retitled here waits": (RETITLED, HELD, Settle()),
    "a deleted one that is over here has nothing left to ask": (OVER, HELD, CloseCard()),
    "a deleted one outside the window that was moved here is put back": (
        replace(MOVED, is_in_window=False),
        HELD,
        PutBack(revival=3),
    ),
}


@pytest.mark.parametrize(("appointment", "link", "expected"), TABLE.values(), ids=TABLE.keys())
def test_the_decision_table_outward(
    appointment: LocalAppointment, link: Link | None, expected: Action | None
) -> None:
    assert decide(appointment, link) == expected


def test_the_table_has_a_case_for_every_phase_live_or_over_inside_or_outside_the_window() -> None:
    def cell(appointment: LocalAppointment, link: Link | None) -> tuple[bool, LinkPhase | None]:
        return appointment.is_live, link.phase if link else None

    covered = {cell(appointment, link) for appointment, link, _ in TABLE.values()}
    assert covered == set(product((True, False), (None, *LinkPhase)))


PHASES = st.sampled_from([None, LINK, DELETING, GONE, HELD, ALTERED])
APPOINTMENTS = st.sampled_from([LIVE, OUTSIDE, OVER, OVER_OUTSIDE, MOVED, RETITLED, TOUCHED])


@given(APPOINTMENTS, PHASES)
def test_what_is_over_is_never_written_and_what_is_live_never_deleted_anew(
    appointment: LocalAppointment, link: Link | None
) -> None:
    action = decide(appointment, link)
    if not appointment.is_live:
        assert not isinstance(action, Insert | Patch | PutBack)
    if isinstance(action, Delete):
        assert link is not None
        assert not appointment.is_live or link.phase is LinkPhase.DELETING


@given(APPOINTMENTS, PHASES)
def test_deciding_comes_to_rest_once_google_has_done_it(
    appointment: LocalAppointment, link: Link | None
) -> None:
    """Three steps at most: finish a delete, insert or patch, note."""
    for _ in range(3):
        action = decide(appointment, link)
        if action is None:
            return
        link = after(action, appointment, link)
    assert decide(appointment, link) is None


def after(action: Action, appointment: LocalAppointment, link: Link | None) -> Link:
    """The link once Google has done it, as push notes it."""
    agreed: dict[str, Any] = {
        "revision": appointment.revision,
        "settled": appointment.revision,
        "needs_write": False,
    }
    hashes: dict[str, Any] = {
        "content_hash": appointment.content.content_hash(),
        "times_hash": appointment.content.times_hash(),
    }
    if isinstance(action, Insert | PutBack):
        return replace(LINK, **agreed, **hashes, revival=action.revival, event_id=f"e{action.revival}")
    assert link is not None
    match action:
        case Patch():
            return replace(link, **agreed, **hashes, etag='"9"')
        case Delete():
            return replace(link, **agreed, phase=LinkPhase.GONE)
        case CloseCard():
            return replace(link, phase=LinkPhase.GONE, settled=appointment.revision, needs_write=False)
        case _:
            return replace(link, settled=appointment.revision, needs_write=False)


def test_an_events_id_is_the_same_on_every_try_and_another_for_everything_else() -> None:
    parts: dict[str, Any] = {"installation": "inst", "nonce": "n1", "public_id": "a1", "revival": 0}
    changes: list[dict[str, Any]] = [
        {},
        {"installation": "other"},
        {"nonce": "n2"},
        {"public_id": "a2"},
        {"revival": 1},
    ]
    ids = [event_id(**{**parts, **change}) for change in changes]
    assert event_id(**parts) == ids[0]
    assert len(set(ids)) == len(ids)


@given(st.text(max_size=20), st.text(max_size=20), st.text(max_size=20), st.integers(0, 1000))
def test_an_events_id_is_base32hex_as_google_asks(
    installation: str, nonce: str, public_id: str, revival: int
) -> None:
    """Facts §8: a-v and 0-9, 5 to 1024 characters; an underscore would look like an instance."""
    made = event_id(installation=installation, nonce=nonce, public_id=public_id, revival=revival)
    assert re.fullmatch(r"[a-v0-9]{5,1024}", made)
