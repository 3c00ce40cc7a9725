"""Changing the mode, beginning the first sync and leaving: what a transition asks for, carried out.

What is to be taken away in Google, the worker takes away (engine/tear_down.py).
"""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa

from portal.connection import cards
from portal.connection.current import OFFERED_PHASES, clear_problem, link_of, live_connection
from portal.connection.leftovers import leave_behind, remember_own
from portal.errors import Refused
from portal.extensions import db
from portal.feed import addresses
from portal.models import Connection, ConnectionPhase, EventLink, Provider, SyncMode
from portal.practice import clients
from portal.rows import outbox
from portal.sync import modes
from portal.sync.modes import Effect, Goal, Mode

ABANDONED_AFTER_HOURS = 24
LEAVING_PHASES = (ConnectionPhase.REMOVING, ConnectionPhase.ENDED)


def choose_mode(
    provider: Provider,
    wanted: SyncMode,
    *,
    now: dt.datetime,
    keep_events: bool = False,
    own_to_delete: int = 0,
) -> frozenset[Effect]:
    """Change the mode, or begin to. The effects left to the page: OPEN_WIZARD, TEAR_DOWN. Raises Refused.

    `keep_events`: leave ours in Google, in a calendar that says it is no longer updated; only on the way to
    off. `own_to_delete`: up to how many of the provider's own events may go with our calendar.
    """
    connection = live_connection(provider)
    transition = modes.choose_mode(_mode(provider), link_of(connection), Mode(wanted.value))
    effects = _carry_out(provider, connection, transition, now=now)
    if connection is not None and Effect.TEAR_DOWN in effects:
        keeps = keep_events and wanted is SyncMode.OFF
        connection.removal = {
            **(connection.removal or {}),
            "keep_events": keeps,
            "own_to_delete": own_to_delete,
        }
    return effects


def start_over(provider: Provider, *, now: dt.datetime) -> frozenset[Effect]:
    """Clear everything Two-Way made, then set it up anew. Raises Refused."""
    connection = live_connection(provider)
    transition = modes.start_over(_mode(provider), link_of(connection))
    return _carry_out(provider, connection, transition, now=now)


def cancel_setup(provider: Provider, *, now: dt.datetime) -> None:
    """Leave the wizard: the grant is given back, the mode stays what it is."""
    connection = live_connection(provider)
    if connection is not None and connection.phase in OFFERED_PHASES:
        _begin_removal(connection, Goal.KEEP, now=now)


def begin_first_sync(connection: Connection, *, now: dt.datetime) -> None:
    """The mode becomes Two-Way and the feed empties, in this transaction; the worker does the rest.

    Raises Refused("nothing-chosen" | "consumer-account" | "not-offered") or InvalidInput("confirmed").
    """
    provider = connection.provider
    if connection.phase is ConnectionPhase.CHOOSING:
        raise Refused("nothing-chosen")
    confirmed = provider.display_confirmed_at is not None
    clients.check_display(provider, provider.name_display, confirmed=confirmed)
    transition = modes.begin_first_sync(_mode(provider), link_of(connection))
    _carry_out(provider, connection, transition, now=now)
    connection.phase = ConnectionPhase.FIRST_SYNC
    connection.progress_done = connection.progress_total = 0
    clear_problem(connection)
    connection.fencing += 1
    db.session.flush()


def close_down(provider: Provider, *, now: dt.datetime) -> Connection | None:
    """End the sync of an account that is closed, whatever was under way. What is to be taken away in Google.

    None when there is nothing, or it is being taken away already. Appointments stay.
    """
    connection = live_connection(provider)
    if connection is not None and _leads_to_nothing(connection):
        return None
    transition = modes.close_down(_mode(provider), link_of(connection))
    _carry_out(provider, connection, transition, now=now)
    return connection


def close_down_deactivated(*, now: dt.datetime) -> int:
    """The same for every account that was closed and whose sync goes on all the same. How many there were.

    As after a backup was put back, or a consent at Google that came in while the account was being closed.
    """
    has_connection = sa.exists().where(
        Connection.provider_id == Provider.id, Connection.phase.not_in(LEAVING_PHASES)
    )
    still_there = sa.select(Provider).where(
        Provider.deactivated_at.is_not(None),
        sa.or_(has_connection, Provider.sync_mode == SyncMode.ONE_WAY),
    )
    providers = db.session.scalars(still_there.order_by(Provider.id)).all()
    for provider in providers:
        close_down(provider, now=now)
    return len(providers)


def finish_removal(connection: Connection, *, now: dt.datetime) -> None:
    """The tear-down is complete on both sides: end the connection and arrive at its goal."""
    goal = Goal((connection.removal or {}).get("goal", Goal.OFF))
    connection.phase = ConnectionPhase.ENDED
    connection.ended_at = now
    connection.fencing += 1
    db.session.flush()
    # in so many words: to set an attribute that reads as None to None writes nothing, and a grant that no key
    # opens would outlive its connection
    db.session.execute(
        sa.update(Connection)
        .where(Connection.id == connection.id)
        .values(refresh_token=None, access_token=None)
        .execution_options(synchronize_session="fetch")
    )
    provider = connection.provider
    _carry_out(provider, None, modes.finish_removal(_mode(provider), goal), now=now)


def drop_abandoned(*, now: dt.datetime) -> int:
    """Begin to end every setup that was left lying for a day. How many there were."""
    lying = db.session.scalars(
        sa.select(Connection).where(
            Connection.phase.in_(OFFERED_PHASES),
            Connection.granted_at < now - dt.timedelta(hours=ABANDONED_AFTER_HOURS),
        )
    ).all()
    # one that cannot be read is left to its provider: nobody asked for its end, and the key may come back
    ended = [connection for connection in lying if connection.refresh_token is not None]
    for connection in ended:
        _begin_removal(connection, Goal.KEEP, now=now)
    return len(ended)


def _carry_out(
    provider: Provider, connection: Connection | None, transition: modes.Transition, *, now: dt.datetime
) -> frozenset[Effect]:
    """Do what a transition asks for, in the transaction that changes the mode."""
    if transition.refusal is not None:
        raise Refused(transition.refusal)
    provider.sync_mode = SyncMode(transition.mode.value)
    for effect in transition.effects:
        match effect:
            case Effect.NEW_FEED:
                addresses.new_feed(provider, now=now)
            case Effect.EMPTY_FEED:
                addresses.replace(provider, now=now)
            case Effect.REQUEST_SYNC:
                outbox.note_change(provider.id, now=now)
            case Effect.DROP_GRANT | Effect.TEAR_DOWN if connection is not None and transition.goal:
                _begin_removal(connection, transition.goal, now=now)
            case _:
                pass  # OPEN_WIZARD is a page
    db.session.flush()
    return frozenset(transition.effects)


def _begin_removal(connection: Connection, goal: Goal, *, now: dt.datetime) -> None:
    """From here the worker goes on; the raised fencing number stops a run that is still writing."""
    asked = cards.unknown_calendar_card(connection)
    if asked is not None:  # nobody said whose it is: it stays, and is told of
        for nonce in (asked.detail["nonce"], *asked.detail["others"]):
            leave_behind(connection, nonce=nonce)
    before = connection.removal or {}
    was_known = connection.phase is ConnectionPhase.REMOVING and before.get("was_out_of_reach", False)
    connection.phase = ConnectionPhase.REMOVING
    connection.removal = {
        "step": "begin",
        "goal": goal.value,
        "begun_at": now.isoformat(),
        "was_out_of_reach": was_known or connection.problem == "calendar-out-of-reach",
        "was_unreadable": connection.refresh_token is None,
        "left_behind": before.get("left_behind", []),
    }
    clear_problem(connection)
    connection.fencing += 1
    db.session.flush()
    outbox.note_change(connection.provider_id, now=now)


def _leads_to_nothing(connection: Connection) -> bool:
    """Whether it is being removed, with all that is ours in Google."""
    removal = connection.removal or {}
    is_leaving = connection.phase is ConnectionPhase.REMOVING
    return is_leaving and removal.get("goal") == Goal.OFF and not removal.get("keep_events")


def _mode(provider: Provider) -> Mode:
    return Mode(provider.sync_mode.value)


def create_again(connection: Connection, *, now: dt.datetime) -> None:
    """Our calendar is gone or out of reach and the provider wants a new one: sync from the start.

    Raises Refused("not-missing") unless that is what ails the connection.
    """
    if connection.problem not in {"calendar-missing", "calendar-out-of-reach"}:
        raise Refused("not-missing")
    remember_own(connection)
    if connection.problem == "calendar-out-of-reach":
        leave_behind(connection)
    cards.close_all(connection, now=now)
    connection.unwanted = []
    db.session.execute(sa.delete(EventLink).where(EventLink.connection_id == connection.id))
    connection.nonce = connection.app_calendar_id = None
    connection.phase = ConnectionPhase.FIRST_SYNC
    connection.progress_done = connection.progress_total = 0
    clear_problem(connection)
    connection.next_check_at = now  # the first sync ends with a look at Google, not at the next poll
    connection.fencing += 1
    db.session.flush()
    outbox.note_change(connection.provider_id, now=now)
