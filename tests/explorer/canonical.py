"""One value for all worlds that behave alike: of versions and revisions only the order means anything.

The core compares them and never counts with them, so they are numbered anew from 1 in their order; 0 stays 0.
Values are built by position here and not by `_replace`, since this runs for every step that is taken.
"""

from __future__ import annotations

from typing import Any

from tests.explorer.google import Calendar, Event, Page, Properties
from tests.explorer.moves import Answered, LookedAt, Refused, Worker, World
from tests.explorer.portal_side import Plan, Portal

Ranks = dict[Any, Any]  # a number or None, by the number or None that it replaces


def canonical(world: World) -> World:
    """The same world in the smallest numbers."""
    versions, revisions = _numbers(world)
    versions -= NO_NUMBERS
    revisions -= NO_NUMBERS
    if max(versions, default=0) == len(versions) and max(revisions, default=0) == len(revisions):
        return world
    return _renumbered(world, _ranks(versions), _ranks(revisions))


NO_NUMBERS: set[Any] = {None, 0}


def _ranks(numbers: set[Any]) -> Ranks:
    ranks: Ranks = {None: None, 0: 0}
    for rank, number in enumerate(sorted(numbers), 1):
        ranks[number] = rank
    return ranks


def _numbers(world: World) -> tuple[set[Any], set[Any]]:
    """Every version and every revision that occurs anywhere."""
    calendar, portal, worker, frozen = world
    versions: set[Any] = {portal.token}
    revisions: set[Any] = {portal.asked_at}
    events = [*calendar.events, *calendar.overwritten]
    plans = [frozen] if frozen is not None else []
    if isinstance(worker, Plan):
        plans.append(worker)
    elif isinstance(worker, Page):
        events += worker.events
        versions.add(worker.token)
    elif worker is not None:
        plans.append(worker.plan)
        if not isinstance(worker, Refused) and isinstance(worker[1], Event):
            events.append(worker[1])
    for event in events:
        versions.add(event.version)
        if event.properties is not None:
            revisions.add(event.properties.revision)
    for plan in plans:
        versions.add(plan.if_match)
        revisions.add(plan.properties.revision)
    versions.update(version for _, version in portal.imported)
    if portal.link is not None:
        versions |= {portal.link.etag, portal.link.updated}
        revisions |= {portal.link.revision, portal.link.settled}
    if portal.appointment is not None:
        appointment = portal.appointment
        revisions |= {appointment.revision, appointment.moved_at, appointment.status_at}
    return versions, revisions


def _renumbered(world: World, versions: Ranks, revisions: Ranks) -> World:
    calendar, portal, worker, frozen = world
    return World(
        Calendar(
            tuple([_event(event, versions, revisions) for event in calendar.events]),
            tuple([_event(event, versions, revisions) for event in calendar.overwritten]),
        ),
        _portal(portal, versions, revisions),
        None if worker is None else _worker(worker, versions, revisions),
        None if frozen is None else _plan(frozen, versions, revisions),
    )


def _event(event: Event, versions: Ranks, revisions: Ranks) -> Event:
    return Event(
        event.event_id,
        versions[event.version],
        event.content,
        event.is_deleted,
        _properties(event.properties, revisions),
        event.is_bare,
        event.by_person_from,
        event.by_person_last_from,
        event.by_person_status,
    )


def _properties(properties: Properties | None, revisions: Ranks) -> Properties | None:
    if properties is None:
        return None
    return Properties(properties[0], revisions[properties[1]], properties[2])


def _plan(plan: Plan, versions: Ranks, revisions: Ranks) -> Plan:
    properties = _properties(plan.properties, revisions)
    assert properties is not None
    return plan._replace(properties=properties, if_match=versions[plan.if_match])


def _worker(worker: Worker, versions: Ranks, revisions: Ranks) -> Worker:
    match worker:
        case Plan():
            return _plan(worker, versions, revisions)
        case Answered(plan, Event() as event):
            return Answered(_plan(plan, versions, revisions), _event(event, versions, revisions))
        case LookedAt(plan, event):
            return LookedAt(_plan(plan, versions, revisions), _event(event, versions, revisions))
        case Answered(plan, _) | Refused(plan):
            return worker._replace(plan=_plan(plan, versions, revisions))
        case Page(events, token, is_whole):
            renumbered = tuple([_event(event, versions, revisions) for event in events])
            return Page(renumbered, versions[token], is_whole)


def _portal(portal: Portal, versions: Ranks, revisions: Ranks) -> Portal:
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
    imported = tuple([(event_id, versions[version]) for event_id, version in portal.imported])
    return portal._replace(
        appointment=appointment,
        link=link,
        imported=imported,
        token=versions[portal.token],
        asked_at=revisions[portal.asked_at],
    )
