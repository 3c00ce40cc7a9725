"""One value for all worlds that behave alike: of versions and revisions only the order means anything.

The core compares them and never counts with them, so they are numbered anew from 1 in their order; 0 stays 0.
"""

from __future__ import annotations

from collections.abc import Iterator

from tests.explorer.google import Calendar, Event, Page
from tests.explorer.moves import Answered, LookedAt, Refused, Worker, World
from tests.explorer.portal_side import Plan, Portal

Ranks = dict[int | None, int | None]


def canonical(world: World) -> World:
    """The same world in the smallest numbers."""
    versions, revisions = set(_versions(world)), set(_revisions(world))
    if _is_smallest(versions) and _is_smallest(revisions):
        return world
    return _Renumbering(_ranks(versions), _ranks(revisions)).world(world)


def _is_smallest(numbers: set[int | None]) -> bool:
    numbers -= {None, 0}
    return max(filter(None, numbers), default=0) == len(numbers)


def _ranks(numbers: set[int | None]) -> Ranks:
    ranks: Ranks = {None: None, 0: 0}
    ranks.update({number: rank for rank, number in enumerate(sorted(filter(None, numbers)), 1)})
    return ranks


def _events(world: World) -> Iterator[Event]:
    yield from world.calendar.events
    yield from world.calendar.overwritten
    match world.worker:
        case Answered(_, Event() as event) | LookedAt(_, event):
            yield event
        case Page(events, _, _):
            yield from events


def _plans(world: World) -> Iterator[Plan]:
    if world.frozen is not None:
        yield world.frozen
    match world.worker:
        case Answered(plan, _) | Refused(plan) | LookedAt(plan, _):
            yield plan
        case Plan() as plan:
            yield plan


def _versions(world: World) -> Iterator[int | None]:
    portal = world.portal
    yield portal.token
    for event in _events(world):
        yield event.version
    for plan in _plans(world):
        yield plan.if_match
    for _, version in portal.imported:
        yield version
    if portal.link is not None:
        yield portal.link.etag
        yield portal.link.updated
    if isinstance(world.worker, Page):
        yield world.worker.token


def _revisions(world: World) -> Iterator[int | None]:
    appointment, link = world.portal.appointment, world.portal.link
    for event in _events(world):
        if event.properties is not None:
            yield event.properties.revision
    for plan in _plans(world):
        yield plan.properties.revision
    if appointment is not None:
        yield appointment.revision
        yield appointment.moved_at
        yield appointment.status_at
    if link is not None:
        yield link.revision
        yield link.settled


class _Renumbering:
    """Puts new numbers in place of the old ones, everywhere."""

    def __init__(self, versions: Ranks, revisions: Ranks) -> None:
        self.versions, self.revisions = versions, revisions

    def world(self, world: World) -> World:
        calendar = world.calendar
        return World(
            calendar=Calendar(self._all(calendar.events), self._all(calendar.overwritten)),
            portal=self._portal(world.portal),
            worker=self._worker(world.worker),
            frozen=world.frozen and self._plan(world.frozen),
        )

    def _all(self, events: tuple[Event, ...]) -> tuple[Event, ...]:
        return tuple(self._event(event) for event in events)

    def _event(self, event: Event) -> Event:
        version, tag = self.versions[event.version], event.properties
        if tag is not None:
            tag = tag._replace(revision=self.revisions[tag.revision])
        return event._replace(version=version, properties=tag)

    def _plan(self, plan: Plan) -> Plan:
        tag = plan.properties._replace(revision=self.revisions[plan.properties.revision])
        return plan._replace(properties=tag, if_match=self.versions[plan.if_match])

    def _worker(self, worker: Worker | None) -> Worker | None:
        match worker:
            case Plan():
                return self._plan(worker)
            case Answered(plan, Event() as event):
                return Answered(self._plan(plan), self._event(event))
            case LookedAt(plan, event):
                return LookedAt(self._plan(plan), self._event(event))
            case Answered(plan, _) | Refused(plan):
                return worker._replace(plan=self._plan(plan))
            case Page(events, token, _):
                return worker._replace(events=self._all(events), token=self.versions[token])
        return None

    def _portal(self, portal: Portal) -> Portal:
        versions, revisions = self.versions, self.revisions
        appointment, link = portal.appointment, portal.link
        if appointment is not None:
            appointment = appointment._replace(
                revision=revisions[appointment.revision],
                moved_at=revisions[appointment.moved_at],
                status_at=revisions[appointment.status_at],
            )
        if link is not None:
            link = link._replace(
                etag=versions[link.etag],
                updated=versions[link.updated],
                revision=revisions[link.revision],
                settled=revisions[link.settled],
            )
        imported = tuple((event_id, versions[version]) for event_id, version in portal.imported)
        return portal._replace(
            appointment=appointment, link=link, imported=imported, token=versions[portal.token]
        )
