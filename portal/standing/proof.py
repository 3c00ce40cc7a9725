"""Whether one appointment is in Google, as what, and since when that is known; or why it isn't.

`prove` tells it from the rows; `look` asks Google, with one request.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import sqlalchemy as sa

from portal.connection import current
from portal.engine.run import Patience, open_client
from portal.errors import AuthorizationExpired, Refused, ScopeMissing
from portal.extensions import begin_writing, db
from portal.models import Appointment, Connection, EventLink, LinkState
from portal.practice import clients
from portal.rows import event_links, outbox, pausing
from portal.standing import compare
from portal.sync.modes import Link
from portal.sync.trouble import CALENDAR_TROUBLE, NEEDS_A_PERSON


@dataclass(frozen=True, slots=True)
class Proof:
    """`verdict` is a code: in-google, waiting, leaving, deleted-there, held, refused, over, too-old."""

    verdict: str
    title: str = ""  # as it stands outside
    confirmed_at: dt.datetime | None = None  # when Google was last known to hold it so
    error: str | None = None
    has_event: bool = False  # one was sent, whatever became of it
    needs_a_person: bool = False  # nothing goes out until somebody acts

    @property
    def can_look(self) -> bool:
        """Whether there is an event to ask Google for."""
        return self.has_event and not self.needs_a_person

    @property
    def can_push_again(self) -> bool:
        return self.verdict in ("in-google", "waiting", "refused")


def prove(appointment: Appointment) -> Proof | None:
    """What is known about the appointment's event; None unless its provider's Two-Way is running."""
    connection = current.live_connection(appointment.provider)
    if connection is None or current.link_of(connection) is not Link.RUNNING:
        return None
    link = _link(appointment, connection)
    verdict = _judge(appointment, link, connection)
    return Proof(
        verdict=verdict,
        title=clients.titles_outside(appointment.provider, [appointment])[appointment.id],
        confirmed_at=_confirmed_at(link, connection) if verdict == "in-google" else None,
        error=link.error if link and verdict == "refused" else None,
        has_event=link is not None,
        needs_a_person=current.problem_of(connection)[0] in NEEDS_A_PERSON | CALENDAR_TROUBLE
        or pausing.is_paused(),
    )


def look(appointment: Appointment, *, now: dt.datetime) -> str | None:
    """What Google shows at this moment, as a verdict of compare.py; None when it has no event and needs none.

    What differs is left to the next run, which is asked for. Commits. Raises Refused("nothing-there") when no
    event of this appointment was ever sent, and CalendarError.
    """
    connection = current.live_connection(appointment.provider)
    link = _link(appointment, connection) if connection is not None else None
    if connection is None or link is None or connection.app_calendar_id is None:
        raise Refused("nothing-there")
    if current.link_of(connection) is not Link.RUNNING:
        raise Refused("nothing-there")
    calendar_id, connection_id = connection.app_calendar_id, connection.id
    db.session.commit()  # no transaction stays open over the network
    try:
        with open_client(connection, before_request=Patience()) as client:
            item = compare.look_up(client, link, calendar_id, now=now)
    except (AuthorizationExpired, ScopeMissing):
        _have_it_looked_into(connection_id, now=now)
        raise
    if item is not None and not item.is_fine:
        _have_it_looked_into(connection_id, now=now)
    db.session.commit()
    return item.verdict if item is not None else None


def _have_it_looked_into(connection_id: int, *, now: dt.datetime) -> None:
    """The next run finds out, and tells it on every page."""
    db.session.rollback()
    begin_writing()
    outbox.ask_for_pull(db.session.get_one(Connection, connection_id), now=now)
    db.session.commit()


def push_again(appointment: Appointment, *, now: dt.datetime) -> None:
    """Have the next run write it anew, whatever is believed about it. Raises Refused("nothing-to-push")."""
    proof = prove(appointment)
    if proof is None or not proof.can_push_again:
        raise Refused("nothing-to-push")
    connection = current.live_connection(appointment.provider)
    assert connection is not None
    link = _link(appointment, connection)
    if link is not None:
        link.content_hash, link.needs_write = None, True
        link.error, link.tries, link.retry_at = None, 0, None
    outbox.ask_for_pull(connection, now=now)
    outbox.note_change(appointment.provider_id, now=now)


def _judge(appointment: Appointment, link: EventLink | None, connection: Connection) -> str:
    if link is not None and link.state is LinkState.HELD and appointment.is_live:
        return "deleted-there"
    if link is not None and link.held is not None:
        return "held"
    has_event = link is not None and link.state in (LinkState.LIVE, LinkState.DELETING)
    if not appointment.is_live:
        return "leaving" if has_event else "over"
    begins = connection.window_starts_at
    if not has_event and begins is not None and appointment.ends_at <= begins:
        return "too-old"
    if link is not None and event_links.is_refused(link):
        return "refused"
    is_settled = link is not None and link.state is LinkState.LIVE and not link.needs_write
    return "in-google" if link and is_settled and link.settled == appointment.revision else "waiting"


def _confirmed_at(link: EventLink | None, connection: Connection) -> dt.datetime | None:
    """A look at Google that told of no change confirms what was agreed before."""
    if link is None:
        return None
    return max(link.agreed_at, connection.last_pulled_at or link.agreed_at)


def _link(appointment: Appointment, connection: Connection) -> EventLink | None:
    return db.session.scalar(
        sa.select(EventLink).where(
            EventLink.appointment_id == appointment.id, EventLink.connection_id == connection.id
        )
    )
