"""The law over the pure core: decisions alone, against a model of Google, whatever is lost on the way.

The shell here is as small as it can be: it applies one decision at a time and may lose any answer. What the
real shell does with faults is proven in tests/engine/test_machine.py.
"""

from __future__ import annotations

import datetime as dt
import os
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import hypothesis.strategies as st
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from portal.sync import inbound, outbound
from portal.sync.event import Content, Event, EventTime, Tag
from portal.sync.outbound import Link, LinkPhase, LocalAppointment

EXAMPLES = int(os.environ.get("CORE_EXAMPLES", "1000"))
NOW = dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC)
MOST_ROUNDS = 30

hours = st.integers(min_value=1, max_value=200)
titles = st.sampled_from(["1042", "J.S.", "Jane"])


def at(hour: int, title: str = "1042") -> Content:
    start = NOW + dt.timedelta(hours=hour)
    end = start + dt.timedelta(minutes=50)
    return Content(summary=title, start=EventTime(datetime=start), end=EventTime(datetime=end))


@dataclass
class ModelGoogle:
    """The app calendar: events by id, a clock that ticks with each change, and a log for lists."""

    events: dict[str, Event] = field(default_factory=dict)
    log: list[str] = field(default_factory=list)
    ticks: int = 0
    writes: int = 0

    def put(self, event_id: str, content: Content, tag: Tag | None, *, status: str = "confirmed") -> Event:
        self.ticks += 1
        self.events[event_id] = Event(
            event_id=event_id,
            etag=f'"{self.ticks}"',
            updated=NOW + dt.timedelta(seconds=self.ticks),
            status=status,
            summary=content.summary,
            start=content.start,
            end=content.end,
            visibility=content.visibility,
            recurrence=content.recurrence,
            tag=tag,
        )
        self.log.append(event_id)
        return self.events[event_id]

    def touch(self, event_id: str, **changes: Any) -> None:
        """A person changes something."""
        event = replace(self.events[event_id], **changes)
        assert event.content is not None
        self.put(event_id, event.content, event.tag, status=event.status)

    def live(self) -> list[Event]:
        return [event for event in self.events.values() if not event.is_cancelled]


@dataclass
class Appointment:
    public_id: str
    content: Content
    revision: int = 1
    is_live: bool = True
    undone: bool = False

    def value(self) -> LocalAppointment:
        return LocalAppointment(
            public_id=self.public_id,
            revision=self.revision,
            is_live=self.is_live,
            is_in_window=True,
            content=self.content,
        )


class Core(RuleBasedStateMachine):
    """Two sides, the decisions between them, and answers that get lost."""

    tally: ClassVar[Counter[str]] = Counter()

    def __init__(self) -> None:
        super().__init__()
        self.google = ModelGoogle()
        self.appointments: dict[str, Appointment] = {}
        self.links: dict[str, Link] = {}
        self.read_up_to = 0
        self.copies = 0
        type(self).tally["examples"] += 1

    # Here

    @rule(hour=hours)
    def book(self, hour: int) -> None:
        public_id = f"p{len(self.appointments)}"
        self.appointments[public_id] = Appointment(public_id, at(hour))

    @precondition(lambda self: self.appointments)
    @rule(data=st.data(), hour=hours, title=titles)
    def change(self, data: st.DataObject, hour: int, title: str) -> None:
        appointment = self._one(data)
        appointment.content = at(hour, title)
        appointment.revision += 1

    @precondition(lambda self: self.appointments)
    @rule(data=st.data())
    def end_or_reinstate(self, data: st.DataObject) -> None:
        appointment = self._one(data)
        appointment.is_live = not appointment.is_live
        appointment.revision += 1

    # There

    @precondition(lambda self: self.google.live())
    @rule(data=st.data(), hour=hours)
    def move_there(self, data: st.DataObject, hour: int) -> None:
        moved = at(hour)
        self.google.touch(self._event(data), start=moved.start, end=moved.end)

    @precondition(lambda self: self.google.live())
    @rule(data=st.data())
    def retitle_there(self, data: st.DataObject) -> None:
        self.google.touch(self._event(data), summary="Renamed")

    @precondition(lambda self: self.google.live())
    @rule(data=st.data())
    def annotate_there(self, data: st.DataObject) -> None:
        self.google.touch(self._event(data))

    @precondition(lambda self: self.google.live())
    @rule(data=st.data())
    def delete_there(self, data: st.DataObject) -> None:
        self.google.touch(self._event(data), status="cancelled")

    @precondition(lambda self: self.google.events)
    @rule(data=st.data())
    def restore_there(self, data: st.DataObject) -> None:
        event_id = data.draw(st.sampled_from(sorted(self.google.events)))
        if self.google.events[event_id].is_cancelled:
            self.google.touch(event_id, status="confirmed")

    @precondition(lambda self: self.google.live())
    @rule(data=st.data())
    def copy_there(self, data: st.DataObject) -> None:
        event = self.google.events[self._event(data)]
        assert event.content is not None
        self.copies += 1
        self.google.put(f"copy{self.copies}", event.content, event.tag)

    # Between

    @rule(lost=st.booleans(), most=st.integers(1, 4))
    def push(self, lost: bool, most: int) -> None:
        """Up to `most` writes; the answer of the last one may be lost."""
        for number, public_id in enumerate(sorted(self.appointments)):
            if number < most:
                self._push_one(public_id, lost=lost and number == most - 1)

    @rule()
    def pull(self) -> None:
        changed = list(dict.fromkeys(self.google.log[self.read_up_to :]))
        self.read_up_to = len(self.google.log)
        for event_id in changed:
            self._take(self.google.events[event_id])

    # The smallest shell

    def _push_one(self, public_id: str, *, lost: bool) -> bool:
        """Apply what is decided for one appointment. True if that was a request."""
        appointment, link = self.appointments[public_id], self.links.get(public_id)
        action = outbound.decide(appointment.value(), link)
        match action:
            case None:
                return False
            case outbound.Settle():
                assert link is not None
                self.links[public_id] = replace(link, settled=appointment.revision, needs_write=False)
                return False
            case outbound.CloseCard():
                assert link is not None
                settled = replace(link, phase=LinkPhase.GONE, settled=appointment.revision, needs_write=False)
                self.links[public_id] = settled
                return False
            case outbound.Insert(revival) | outbound.PutBack(revival):
                self._insert(appointment, revival, lost=lost)
            case outbound.Patch(event_id, etag):
                self._patch(appointment, event_id, etag, lost=lost)
            case outbound.Delete(event_id, etag):
                self._delete(appointment, event_id, etag, lost=lost)
        self.google.writes += 1
        return True

    def _insert(self, appointment: Appointment, revival: int, *, lost: bool) -> None:
        event_id = outbound.event_id(
            installation="i", nonce="n", public_id=appointment.public_id, revival=revival
        )
        taken = self.google.events.get(event_id)
        if taken is None:
            event = self.google.put(event_id, appointment.content, self._tag(appointment, event_id))
            if not lost:
                self._agree(appointment, event, revival)
        elif taken.is_cancelled:
            self._link(appointment, event_id, revival, LinkPhase.GONE)
        else:
            self._adopt(appointment, taken, revival)

    def _patch(self, appointment: Appointment, event_id: str, etag: str, *, lost: bool) -> None:
        there = self.google.events[event_id]
        if there.is_cancelled or etag != there.etag:
            self._take(there)
            return
        event = self.google.put(event_id, appointment.content, self._tag(appointment, event_id))
        if not lost:
            self._agree(appointment, event, self.links[appointment.public_id].revival)

    def _delete(self, appointment: Appointment, event_id: str, etag: str, *, lost: bool) -> None:
        link = replace(self.links[appointment.public_id], phase=LinkPhase.DELETING)
        self.links[appointment.public_id] = link
        there = self.google.events[event_id]
        if not there.is_cancelled and etag != there.etag:
            seen = replace(link, etag=there.etag, remote_updated=there.updated)
            self.links[appointment.public_id] = seen
            return
        if not there.is_cancelled:
            self.google.touch(event_id, status="cancelled")
        if not lost:
            self.links[appointment.public_id] = replace(
                link,
                phase=LinkPhase.GONE,
                revision=appointment.revision,
                settled=appointment.revision,
                remote_updated=self.google.events[event_id].updated,
                needs_write=False,
            )

    def _take(self, event: Event) -> None:
        """What a list or events.get shows, judged and applied."""
        for public_id, link in self.links.items():
            if link.event_id == event.event_id:
                self._settle(self.appointments[public_id], link, event)
                return
        appointment = self.appointments.get(event.tag.appointment) if event.tag else None
        link = self.links.get(appointment.public_id) if appointment else None
        action = inbound.decide_stray(
            event,
            installation="i",
            appointment=appointment.value() if appointment else None,
            link=link,
        )
        match action:
            case inbound.Adopt():
                assert appointment is not None
                self._adopt(appointment, event, self._revival(event))
            case inbound.DeleteStray():
                self.google.touch(event.event_id, status="cancelled")
                self.google.writes += 1

    def _settle(  # noqa: PLR0912 (a branch an action)
        self, appointment: Appointment, link: Link, event: Event
    ) -> None:
        action = inbound.decide_own(
            event, link, appointment.value(), is_scheduled=appointment.is_live, now=NOW
        )
        type(self).tally[type(action).__name__] += 1
        remote, wanted = event.content, appointment.content.content_hash()
        noted = replace(link, etag=event.etag, remote_updated=event.updated)
        tag = event.tag
        if tag and tag.event_id == event.event_id and tag.revision > link.revision:
            noted = replace(noted, revision=tag.revision, times_hash=tag.times_hash)
        if remote is not None:
            held = remote.content_hash()
            known = replace(noted, content_hash=held, needs_write=held != wanted)
        match action:
            case inbound.Ignore():
                return
            case inbound.RefreshEtag():
                link = noted
            case inbound.AdoptWrite(revision):
                link = replace(known, revision=revision, times_hash=remote.times_hash() if remote else None)
            case inbound.Reschedule(start, end):
                appointment.content = replace(appointment.content, start=start, end=end)
                appointment.revision += 1
                held_times = appointment.content.times_hash()
                differs = known.content_hash != appointment.content.content_hash()
                link = replace(
                    known, times_hash=held_times, settled=appointment.revision, needs_write=differs
                )
            case inbound.Restore():
                is_same = remote is not None and remote.same_times(appointment.content)
                link = replace(known, times_hash=appointment.content.times_hash()) if is_same else known
            case inbound.SetAside():
                link = replace(link, content_hash=None, needs_write=True)
            case inbound.Readopt():
                readopted = replace(link, phase=LinkPhase.LIVE, etag=None, needs_write=True)
                self._settle(appointment, readopted, event)
                return
            case inbound.Redelete():
                link = replace(link, phase=LinkPhase.DELETING)
            case inbound.ConfirmGone():
                link = replace(link, phase=LinkPhase.GONE)
            case inbound.AskDeleted():
                link = replace(link, phase=LinkPhase.HELD if appointment.is_live else LinkPhase.GONE)
            case inbound.HoldWrites():
                raise AssertionError("this database is never older than Google here")
        self.links[appointment.public_id] = link

    def _adopt(self, appointment: Appointment, event: Event, revival: int) -> None:
        """Agreed as its tag says, then judged like any linked event."""
        assert event.tag is not None
        link = Link(
            event_id=event.event_id,
            revival=revival,
            phase=LinkPhase.LIVE,
            etag=None,
            content_hash=None,
            times_hash=event.tag.times_hash,
            revision=event.tag.revision,
            settled=0,
        )
        self.links[appointment.public_id] = link
        self._settle(appointment, link, event)

    def _agree(self, appointment: Appointment, event: Event, revival: int) -> None:
        self.links[appointment.public_id] = Link(
            event_id=event.event_id,
            revival=revival,
            phase=LinkPhase.LIVE,
            etag=event.etag,
            content_hash=appointment.content.content_hash(),
            times_hash=appointment.content.times_hash(),
            revision=appointment.revision,
            settled=appointment.revision,
            remote_updated=event.updated,
        )

    def _link(self, appointment: Appointment, event_id: str, revival: int, phase: LinkPhase) -> None:
        self.links[appointment.public_id] = Link(
            event_id=event_id,
            revival=revival,
            phase=phase,
            etag=None,
            content_hash=None,
            times_hash=None,
            revision=0,
            settled=0,
        )

    # At rest

    def teardown(self) -> None:
        for _ in range(MOST_ROUNDS):
            requests = sum(self._push_one(public_id, lost=False) for public_id in sorted(self.appointments))
            before = self.google.writes
            self.pull()
            is_read = self.read_up_to == len(self.google.log)
            is_written = all(self._is_settled(public_id) for public_id in self.appointments)
            if not requests and before == self.google.writes and is_read and is_written:
                break
        else:
            raise AssertionError("it never comes to rest")
        self._check_the_law()
        type(self).tally["checked"] += 1

    def _is_settled(self, public_id: str) -> bool:
        action = outbound.decide(self.appointments[public_id].value(), self.links.get(public_id))
        return action is None or isinstance(action, outbound.Settle)

    def _check_the_law(self) -> None:
        ours: dict[str, list[Event]] = {}
        for event in self.google.live():
            if event.tag and event.tag.event_id == event.event_id:
                ours.setdefault(event.tag.appointment, []).append(event)
        for public_id, appointment in self.appointments.items():
            events, link = ours.get(public_id, []), self.links.get(public_id)
            if link is not None and link.phase is LinkPhase.HELD:
                assert events == []
            elif appointment.is_live:
                found = [event.content.content_hash() for event in events if event.content]
                assert found == [appointment.content.content_hash()]
            else:
                assert events == []
        copies = [event for event in self.google.events if event.startswith("copy")]
        assert len(copies) == self.copies, "a copy belongs to the provider"

    # Small steps

    def _one(self, data: st.DataObject) -> Appointment:
        return self.appointments[data.draw(st.sampled_from(sorted(self.appointments)))]

    def _event(self, data: st.DataObject) -> str:
        return data.draw(st.sampled_from(sorted(event.event_id for event in self.google.live())))

    def _revival(self, event: Event) -> int:
        assert event.tag is not None
        for revival in range(100):
            candidate = outbound.event_id(
                installation="i", nonce="n", public_id=event.tag.appointment, revival=revival
            )
            if candidate == event.event_id:
                return revival
        raise AssertionError("not an id of ours")

    def _tag(self, appointment: Appointment, event_id: str) -> Tag:
        return Tag(
            installation="i",
            appointment=appointment.public_id,
            event_id=event_id,
            revision=appointment.revision,
            times_hash=appointment.content.times_hash(),
        )


def test_any_history_over_the_core_ends_in_the_law() -> None:
    machine = type("Machine", (Core,), {"tally": Counter()})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=40,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
            print_blob=True,
        ),
    )
    print(f"state machine over the core: {dict(machine.tally)}")  # noqa: T201 (figures to keep)
    assert machine.tally["checked"] >= EXAMPLES
