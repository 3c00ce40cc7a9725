"""Every step that the world can take from where it is: a person's here, a person's in Google, and ours.

A worker goes through its run in small steps, so that anything may happen between two of them: it gathers
(decides, and commits what needs no request), sends, and commits what was answered; or reads a list and takes
its page. It may die anywhere. It may also freeze with a request in its hands, lose its lease, and send that
request much later; what it would then commit is fenced off (`lease.guard`).

`a whole run` does them all, as `connection_run._sync` does: push, pull, push. Between two looks at Google it
only pushes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from tests.explorer import decisions, google, inward, outward, portal_side
from tests.explorer.google import Calendar, Event, Page
from tests.explorer.portal_side import Broken, Plan, Portal

MOST_ROUNDS = 12  # of gather, send and commit in one run; far more than one appointment needs


class Answered(NamedTuple):
    """Google has answered, and nothing of it is committed yet."""

    plan: Plan
    answer: google.Answer


class Refused(NamedTuple):
    """The refusal is committed; the event is to be looked at."""

    plan: Plan


class LookedAt(NamedTuple):
    """`events.get` has shown the event."""

    plan: Plan
    event: Event


Worker = Plan | Answered | Refused | LookedAt | Page


class World(NamedTuple):
    """Both sides, and what the workers hold in their memory."""

    calendar: Calendar = Calendar()
    portal: Portal = Portal()
    worker: Worker | None = None
    frozen: Plan | None = None


Step = tuple[str, World]


def steps(world: World) -> Iterator[Step]:
    """Each possible step with the world after it. Raises Broken out of a step that breaks the law."""
    yield from _here(world)
    yield from _in_google(world)
    yield from _at_work(world)
    if world.frozen is not None:
        yield "the frozen worker's request arrives", late_write(world)
    aged = portal_side.pass_time(world.portal)
    if aged != world.portal:
        yield "minutes go by", world._replace(portal=aged)


def _here(world: World) -> Iterator[Step]:
    portal, appointment = world.portal, world.portal.appointment
    if appointment is None:
        yield "book", world._replace(portal=portal_side.book(portal))
        return
    if not appointment.is_archived:
        yield "move it here", world._replace(portal=portal_side.move(portal, appointment))
        yield "archive it here", world._replace(portal=portal_side.archive(portal, appointment))
        if not appointment.is_canceled:
            yield "cancel it here", world._replace(portal=portal_side.cancel(portal, appointment))
    if not appointment.is_live:
        yield "reinstate it here", world._replace(portal=portal_side.reinstate(portal, appointment))


def _in_google(world: World) -> Iterator[Step]:
    calendar = world.calendar
    for event in calendar.events:
        if event.event_id == google.COPY:
            continue
        name = f" event {decisions.revival_of(event)}"
        if event.is_deleted:
            yield f"restore{name} from Google's bin", _there(world, google.restore(calendar, event))
            continue
        yield f"move{name} in Google", _there(world, google.move(calendar, event))
        yield f"delete{name} in Google", _there(world, google.throw_away(calendar, event))
        assert event.content is not None
        if not event.content.is_retitled:
            yield f"retitle{name} in Google", _there(world, google.retitle(calendar, event))
        if not event.content.is_recurring:
            yield f"make{name} recurring in Google", _there(world, google.make_recurring(calendar, event))
        if calendar.find(google.COPY) is None:
            yield f"copy{name} in Google", _there(world, google.copy(calendar, event))


def _there(world: World, calendar: Calendar) -> World:
    return world._replace(calendar=calendar)


def _at_work(world: World) -> Iterator[Step]:
    worker = world.worker
    if worker is None:
        yield from _beginnings(world)
        return
    match worker:
        case Plan():
            yield f"send the {worker.verb}", send(world, worker)
            yield f"send the {worker.verb}, and its answer is lost", _without_worker(send(world, worker))
            yield f"Google refuses the {worker.verb} for now", _refuse(world, worker)
            if world.frozen is None:
                yield "the worker freezes", world._replace(worker=None, frozen=worker)
        case Answered():
            yield "commit the answer", commit(world, worker)
        case Refused():
            yield "look at the event", look(world, worker)
        case LookedAt():
            yield "commit what was seen", settle(world, worker)
        case Page():
            yield "take the page", take(world, worker)
    yield "the worker dies", _without_worker(world)


def _beginnings(world: World) -> Iterator[Step]:
    """What a worker without work may begin."""
    if world.portal.unwanted:
        yield "remove what nothing wants", delete_unwanted(world)[0]
    elif outward.is_behind(world.portal):
        yield "gather", gather(world)
    if world.portal.appointment is None:
        return
    page = list_events(world)
    yield "read a list", world._replace(worker=page)
    if not google.knows_less(world.calendar, world.portal.token):
        yield "read an old list", world._replace(worker=list_events(world, is_old=True))
    if not world.portal.reads_whole:
        yield "the sync token expires", world._replace(portal=inward.begin_generation(world.portal))
    yield "a whole run", run(world)[0]
    if world.portal.unwanted or outward.is_behind(world.portal):
        yield "a run without a look at Google", _push(world)[0]


def _without_worker(world: World) -> World:
    return world._replace(worker=None)


def _refuse(world: World, plan: Plan) -> World:
    return world._replace(portal=outward.postpone(world.portal, plan), worker=None)


# A run's small steps


def gather(world: World) -> World:
    portal, plan = outward.gather(world.portal)
    return world._replace(portal=portal, worker=plan)


def send(world: World, plan: Plan) -> World:
    calendar, answer = write(world, plan)
    return world._replace(calendar=calendar, worker=Answered(plan, answer))


def write(world: World, plan: Plan) -> tuple[Calendar, google.Answer]:
    """What Google does with a request. Raises Broken for one that should never have been sent."""
    calendar = world.calendar
    if plan.event_id == google.COPY:
        raise Broken("a copy that a person made in Google is written to")
    match plan.verb:
        case "insert":
            _check_return(world, plan)
            return google.insert(calendar, plan.event_id, plan.content, plan.properties)
        case "patch":
            _check_overwriting(world, plan)
            return google.patch(calendar, plan.event_id, plan.content, plan.properties, plan.if_match)
        case _:
            return google.delete(calendar, plan.event_id, plan.if_match)


def _check_return(world: World, plan: Plan) -> None:
    """What a person deleted comes back only when it was changed here since (sync-law §5)."""
    deleted = world.calendar.find(decisions.event_id(plan.revival - 1))
    appointment = world.portal.appointment
    if deleted is None or deleted.properties is None or appointment is None:
        return
    if plan.revival > world.portal.known + 1:
        return  # deleted before anybody here had heard of it: its tombstone tells no story
    seen = deleted.properties.revision
    if plan.is_put_back and world.portal.link is not None:
        seen = min(seen, world.portal.link.revision)  # as far as is known here; a card tells of the return
    if deleted.is_deleted and deleted.by_person_status and seen >= appointment.touched_at:
        raise Broken("an event deleted in Google is brought back although nothing was changed here")


def _check_overwriting(world: World, plan: Plan) -> None:
    """A person's move in Google is taken over, or a card says why not (sync-law §5)."""
    event = world.calendar.find(plan.event_id)
    if event is None or event.is_deleted or plan.if_match not in (None, event.version):
        return
    assert event.content is not None
    times = event.content.time
    is_moved = event.by_person_from is not None and times != event.by_person_from
    if is_moved and times not in (plan.content.time, world.portal.heard):
        raise Broken("a move made in Google is overwritten, and nothing tells of it")
    if event.content.is_recurring and portal_side.TELLS_EDITED not in world.portal.cards:
        raise Broken("a series made of an event in Google is undone, and nothing tells of it")


def late_write(world: World) -> World:
    """The frozen worker's request arrives; its commit is fenced off."""
    assert world.frozen is not None
    return world._replace(calendar=write(world, world.frozen)[0], frozen=None)


def commit(world: World, answered: Answered) -> World:
    portal = outward.keep(world.portal, answered.plan, answered.answer)
    if portal is None:
        return world._replace(worker=Refused(answered.plan))
    return world._replace(portal=portal, worker=None)


def look(world: World, refused: Refused) -> World:
    event = world.calendar.find(refused.plan.event_id)
    assert event is not None, "no event of this model is ever unknown to Google"
    return world._replace(worker=LookedAt(refused.plan, event))


def settle(world: World, looked_at: LookedAt) -> World:
    portal = outward.settle_refusal(world.portal, looked_at.plan, looked_at.event)
    return world._replace(portal=portal, worker=None)


def list_events(world: World, *, is_old: bool = False) -> Page:
    portal = world.portal
    return google.list_events(world.calendar, portal.token, is_whole=portal.reads_whole, is_old=is_old)


def take(world: World, page: Page) -> World:
    """Take the page; then ask for the one event that no list has named."""
    portal = inward.take(world.portal, page)
    if inward.is_missed(portal):
        assert portal.link is not None
        event = world.calendar.find(portal.link.event_id)
        assert event is not None
        portal = inward.looked_up(portal, event)
    return world._replace(portal=portal, worker=None)


def delete_unwanted(world: World) -> tuple[World, int]:
    """Look again at each event that nothing wants, and remove it. With the number of writes."""
    writes = 0
    for event_id in world.portal.unwanted:
        event = world.calendar.find(event_id)
        assert event is not None
        portal, is_wanted = outward.is_wanted_again(world.portal, event)
        if not is_wanted:
            if event_id == google.COPY:
                raise Broken("a copy that a person made in Google is deleted")
            world = world._replace(calendar=google.delete(world.calendar, event_id)[0])
            writes += 1
        unwanted = tuple(each for each in portal.unwanted if each != event_id)
        world = world._replace(portal=portal._replace(unwanted=unwanted))
    return world, writes


# A whole run


def run(world: World) -> tuple[World, int]:
    """Push, pull, push, with nobody in between. With the number of writes that it sent."""
    world, first = _push(world)
    world = take(world, list_events(world))
    world, second = _push(world)
    return world, first + second


def _push(world: World) -> tuple[World, int]:
    world, writes = delete_unwanted(world)
    has_looked = False
    for _ in range(MOST_ROUNDS):
        if not outward.is_behind(world.portal):
            return world, writes
        world = gather(world)
        if not isinstance(world.worker, Plan):
            continue
        plan = world.worker
        world = send(world, plan)
        writes += 1
        assert isinstance(world.worker, Answered)
        world = commit(world, world.worker)
        if isinstance(world.worker, Refused):
            world = _look_once(world, world.worker, has_looked=has_looked)
            has_looked = True
    raise Broken("a run writes for ever")


def _look_once(world: World, refused: Refused, *, has_looked: bool) -> World:
    """An appointment that is refused twice in a run is left for the next one."""
    if has_looked:
        return _refuse(world, refused.plan)
    world = look(world, refused)
    assert isinstance(world.worker, LookedAt)
    return settle(world, world.worker)


def come_to_rest(world: World) -> tuple[World, int]:
    """One quiet run a while later. Whoever was at work has died; with the number of writes."""
    return run(world._replace(worker=None, portal=portal_side.pass_time(world.portal)))
