"""Outward, as portal.engine.push does it: gather and decide, then note what Google answered."""

from __future__ import annotations

from portal.sync import inbound, outbound
from portal.sync.outbound import LinkPhase
from tests.explorer import decisions, google, inward
from tests.explorer.portal_side import Appointment, Link, Plan, Portal, close_cards


def is_behind(portal: Portal) -> bool:
    appointment, link = portal.appointment, portal.link
    if appointment is None:
        return False
    if link is None:
        return appointment.is_live
    if link.waits:
        return False
    is_due = link.phase is LinkPhase.DELETING or (link.phase is LinkPhase.GONE and appointment.is_live)
    return is_due or link.settled != appointment.revision or link.needs_write


def gather(portal: Portal) -> tuple[Portal, Plan | None]:
    """Decide; what needs no request is settled, and a delete is marked before it is sent. One transaction."""
    appointment, link = portal.appointment, portal.link
    assert appointment is not None
    action = decisions.decide(appointment, link)
    match action:
        case None:
            return portal, None
        case outbound.Settle() | outbound.CloseCard():
            assert link is not None
            link = link._replace(settled=appointment.revision, needs_write=False)
            if isinstance(action, outbound.Settle):
                return portal._replace(link=link), None
            return close_cards(portal)._replace(link=link._replace(phase=LinkPhase.GONE)), None
        case outbound.Delete():
            assert link is not None
            portal = portal._replace(link=link._replace(phase=LinkPhase.DELETING))
    return portal, _plan(appointment, link, action)


def _plan(appointment: Appointment, link: Link | None, action: outbound.Action) -> Plan:
    match action:
        case outbound.Insert(revival) | outbound.PutBack(revival):
            verb, target = "insert", decisions.event_id(revival)
        case outbound.Patch(target, _):
            assert link is not None
            verb, revival = "patch", link.revival
        case outbound.Delete(target, _):
            assert link is not None
            verb, revival = "delete", link.revival
        case _:
            raise AssertionError(action)
    return Plan(
        verb=verb,
        event_id=target,
        revival=revival,
        content=decisions.wanted(appointment),
        properties=google.Properties(target, appointment.revision, appointment.time),
        if_match=_if_match(action),
        is_put_back=isinstance(action, outbound.PutBack),
    )


def _if_match(action: outbound.Action) -> int | None:
    """0 is the version of no event; None stands for `*`."""
    if not isinstance(action, outbound.Patch | outbound.Delete) or action.etag == "*":
        return None
    return 0 if action.etag == outbound.UNSEEN else int(action.etag)


def keep(portal: Portal, plan: Plan, answer: google.Answer) -> Portal | None:
    """Note what was agreed. None where a refusal has to be looked into."""
    return _agree(portal, plan, answer) if isinstance(answer, google.Event) else None


def _agree(portal: Portal, plan: Plan, event: google.Event | None) -> Portal:
    """Google did it: the revision that was *sent* is noted. Only a delete answers without an event."""
    revision = plan.properties.revision
    link = _link_row(portal, plan)._replace(
        revision=revision, settled=revision, is_young=True, waits=False, needs_write=False
    )
    if plan.verb == "delete":
        return portal._replace(link=link._replace(phase=LinkPhase.GONE))
    assert event is not None
    link = link._replace(
        phase=LinkPhase.LIVE,
        event_id=plan.event_id,
        revival=plan.revival,
        etag=event.version,
        content=plan.content,
        time=plan.content.time,
        updated=event.version,
    )
    portal = portal._replace(link=link, heard=None, met=None, known=max(portal.known, link.revival))
    return close_cards(portal) if plan.is_put_back else portal


def _link_row(portal: Portal, plan: Plan) -> Link:
    return portal.link or Link(plan.event_id, plan.revival - 1, LinkPhase.GONE)


def postpone(portal: Portal, plan: Plan) -> Portal:
    return portal._replace(link=_link_row(portal, plan)._replace(waits=True))


def settle_refusal(portal: Portal, plan: Plan, event: google.Event) -> Portal:
    """What `events.get` shows after 409, 410, 412, or 403 on a deleted event."""
    if plan.verb == "insert":
        return _taken(portal, plan, event)
    if plan.verb == "patch":
        return inward.settle(portal, event)
    if event.is_deleted:
        portal = _agree(portal, plan, None)
        assert portal.link is not None
        return portal._replace(link=inward.note_tombstone(portal.link, event))
    return portal._replace(link=inward.note_remote(_link_row(portal, plan), event))


def _taken(portal: Portal, plan: Plan, event: google.Event) -> Portal:
    """Our own earlier try, judged by the tag it carries, or a deleted one's tombstone."""
    link = _link_row(portal, plan)._replace(
        revival=plan.revival, event_id=plan.event_id, is_young=True, waits=False
    )
    portal = close_cards(portal) if plan.is_put_back else portal
    if event.is_deleted:
        return portal._replace(link=link._replace(phase=LinkPhase.GONE))
    link = link._replace(phase=LinkPhase.LIVE, etag=None, content=None, updated=None, revision=0, time=None)
    return inward.settle(portal._replace(link=link, known=max(portal.known, link.revival)), event)


def is_wanted_again(portal: Portal, event: google.Event) -> tuple[Portal, bool]:
    """Another look at a stray before it goes."""
    appointment, link = inward.tagged_appointment(portal, event), portal.link
    if appointment is None or event.is_deleted:
        return portal, False
    if link is not None and link.event_id == event.event_id:
        return portal, link.phase is LinkPhase.LIVE
    action = decisions.decide_stray(event, link, appointment)
    if isinstance(action, inbound.Adopt):
        return inward.adopt(portal, event), True
    return portal, False
