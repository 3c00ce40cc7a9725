"""The Sync Calendar screen: the mode, how names appear, the state of the sync, leaving it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

from flask import (
    Blueprint,
    Response,
    current_app,
    flash,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue

from portal import reading
from portal.clock import utcnow
from portal.config import Config
from portal.connection import cards, choosing, current, leftovers, switching
from portal.errors import InvalidInput, Refused
from portal.extensions import db
from portal.feed import addresses, document, readers
from portal.ical.feed import feed_window
from portal.models import Checkup, Connection, NameDisplay, Provider, SyncMode
from portal.rows import outbox
from portal.standing import checks, facts
from portal.sync import health
from portal.sync.modes import Link
from portal.views.door import callers
from portal.views.page import once, times
from portal.views.page.auditing import note
from portal.views.page.signing_in import recently_authenticated, signed_in_provider
from portal.views.settings.settings import ask_for_password
from portal.views.sync import changes, connecting, doctor, feed_clock, names, pausing, proving

blueprint = Blueprint("sync", __name__, url_prefix="/calendar/sync")
blueprint.register_blueprint(connecting.blueprint)
blueprint.register_blueprint(changes.blueprint)
blueprint.register_blueprint(doctor.blueprint)
blueprint.register_blueprint(proving.blueprint)
pausing.register(blueprint)
times.register(blueprint)

MODES = {mode.value: mode for mode in SyncMode}
GOALS = {"off": SyncMode.OFF, "one-way": SyncMode.ONE_WAY}
# Our calendar is there, and Google does not let us in
CLOSED_STATES = frozenset({"reconnect-required", "calendar-out-of-reach"})
RECEIPT_DAYS = 7
MOST_DIGITS = 5  # of a count in a form
POLLED_STATES = frozenset({"first-sync", "removing"})
SAVED = "Saved."
NEW_ADDRESS = "This is your new feed URL. The old one gives an empty calendar from now on."


@blueprint.app_template_global()
def sync_story() -> health.Story:
    """The story of the signed-in provider's sync, without counts: one query, for the calendar's chip."""
    now = utcnow()
    return health.tell(facts.gather_facts(signed_in_provider(), now=now, with_counts=False), now=now)


@blueprint.get("")
@callers.signed_in
def index() -> ResponseReturnValue:
    return _overview()


@blueprint.get("/status")
@callers.signed_in
def status() -> ResponseReturnValue:
    """The state alone, for the page that waits; once it is another, the whole page is drawn anew."""
    context = _context(signed_in_provider(), utcnow())
    if context["story"].state != request.args.get("state"):
        return "", 200, {"HX-Refresh": "true"}
    return render_template("sync/_status.html", **context)


@blueprint.post("")
@callers.signed_in
@once.makes_one
def change() -> ResponseReturnValue:
    """Choose mode and names. Two-Way leads into the wizard, leaving it to a page that says what goes."""
    provider, now = signed_in_provider(), utcnow()
    wanted = MODES.get(request.form.get("mode", ""), provider.sync_mode)
    link = current.link_of(current.live_connection(provider))
    if wanted is SyncMode.TWO_WAY and link is not Link.RUNNING:
        return _open_wizard(provider, link)
    if wanted is not SyncMode.TWO_WAY and link is Link.RUNNING:
        return redirect(url_for("sync.turn_off", to=wanted.value), 303)
    try:
        if wanted is not SyncMode.OFF or names.is_changed(provider):
            names.save(provider, now=now)
        switching.choose_mode(provider, wanted, now=now)
    except (InvalidInput, Refused) as error:
        db.session.rollback()
        return _overview(problem=names.problem_code(error)), 422
    note("sync.mode-chosen", provider, now=now, outcome=wanted.value)
    once.led_to(url_for("sync.index"), SAVED)
    db.session.commit()
    flash(SAVED, "good")
    return redirect(url_for("sync.index"), 303)


@blueprint.post("/now")
@callers.signed_in
def sync_now() -> ResponseReturnValue:
    """Ask for a run at once, or for the next try to clear up; the page tells when it is done."""
    provider, now = signed_in_provider(), utcnow()
    connection = current.live_connection(provider)
    if connection is not None and current.link_of(connection) in (Link.RUNNING, Link.REMOVING):
        connection.retry_at = None
        outbox.ask_for_pull(connection, now=now)
        outbox.note_change(provider.id, now=now)
        db.session.commit()
    return redirect(url_for("sync.index"), 303)


@blueprint.post("/feed-url")
@callers.signed_in
@once.makes_one
def new_feed_url() -> ResponseReturnValue:
    provider, now = signed_in_provider(), utcnow()
    if not recently_authenticated(now):
        return ask_for_password(url_for("sync.index"))
    if provider.sync_mode is SyncMode.ONE_WAY:
        addresses.new_feed(provider, now=now)
        note("feed.replaced", provider, now=now)
        once.led_to(url_for("sync.index"), NEW_ADDRESS)
        db.session.commit()
        flash(NEW_ADDRESS, "good")
    return redirect(url_for("sync.index"), 303)


@blueprint.post("/create-again")
@callers.signed_in
def create_again() -> ResponseReturnValue:
    provider, now = signed_in_provider(), utcnow()
    connection = current.live_connection(provider)
    if connection is not None:
        try:
            switching.create_again(connection, now=now)
        except Refused:
            return redirect(url_for("sync.index"), 303)
        note("sync.created-again", provider, now=now)
        db.session.commit()
    return redirect(url_for("sync.index"), 303)


@blueprint.post("/leftover-gone")
@callers.signed_in
def leftover_gone() -> ResponseReturnValue:
    """The provider says that what stayed in Google was deleted there: the receipt reminds no more."""
    provider, now = signed_in_provider(), utcnow()
    if leftovers.left_is_gone(provider, now=now):
        note("sync.leftover-gone", provider, now=now)
        db.session.commit()
    return redirect(url_for("sync.index"), 303)


@blueprint.get("/turn-off")
@callers.signed_in
def turn_off() -> ResponseReturnValue:
    """What goes and what stays, before anything does."""
    return _turn_off_page(GOALS.get(request.args.get("to", ""), SyncMode.OFF))


@blueprint.post("/turn-off")
@callers.signed_in
@once.makes_one
def turn_off_now() -> ResponseReturnValue:
    goal = GOALS.get(request.form.get("to", ""), SyncMode.OFF)
    if _needs_tick(signed_in_provider(), goal) and "confirmed" not in request.form:
        return _turn_off_page(goal, problem="unconfirmed"), 422
    own = request.form.get("own", "")  # as many as the page said
    choices: dict[str, Any] = {
        "keep_events": "keep" in request.form,
        "own_to_delete": reading.whole_number(own, most_digits=MOST_DIGITS) or 0,
    }
    return _leave(
        "sync.turned-off", lambda provider, now: switching.choose_mode(provider, goal, now=now, **choices)
    )


@blueprint.get("/start-over")
@callers.signed_in
def start_over() -> ResponseReturnValue:
    """What goes and what comes back, before anything does."""
    return render_template("sync/start_over.html", **_context(signed_in_provider(), utcnow()))


@blueprint.post("/start-over")
@callers.signed_in
def start_over_now() -> ResponseReturnValue:
    return _leave("sync.started-over", lambda provider, now: switching.start_over(provider, now=now))


def _turn_off_page(goal: SyncMode, problem: str | None = None) -> str:
    provider = signed_in_provider()
    connection = current.live_connection(provider)
    return render_template(
        "sync/turn_off.html",
        goal=goal.value,
        own_there=leftovers.count_own_events(connection) if connection else 0,
        needs_tick=_needs_tick(provider, goal),
        problem=problem,
        **_context(provider, utcnow()),
    )


def _needs_tick(provider: Provider, goal: SyncMode) -> bool:
    """An agreement with Google says nothing about who may read a link."""
    return goal is SyncMode.ONE_WAY and provider.name_display is not NameDisplay.INTERNAL_ID


def _leave(action: str, leave: Callable[[Provider, dt.datetime], object]) -> ResponseReturnValue:
    provider, now = signed_in_provider(), utcnow()
    if not recently_authenticated(now):
        return ask_for_password(request.path)
    try:
        leave(provider, now)
    except Refused:
        db.session.rollback()
        return redirect(url_for("sync.index"), 303)
    note(action, provider, now=now)
    once.led_to(url_for("sync.index"))
    db.session.commit()
    return redirect(url_for("sync.index"), 303)


def _open_wizard(provider: Provider, link: Link) -> ResponseReturnValue:
    """To the names first. A tick for a feed's readers is no agreement with Google: it is asked for anew."""
    if link is Link.REMOVING:
        return redirect(url_for("sync.index"), 303)
    address = url_for("sync.connecting.names", display=request.form.get("display"))
    if link is Link.NONE:
        provider.display_confirmed_at = None
        once.led_to(address)
        db.session.commit()
    return redirect(address, 303)


def _overview(problem: str | None = None) -> Response:
    context = _context(signed_in_provider(), utcnow())
    page = make_response(render_template("sync/overview.html", problem=problem, **context))
    needs_google = context["story"].act is health.Act.RECONNECT
    return connecting.allow_google(page) if needs_google else page


def _context(provider: Provider, now: dt.datetime) -> dict[str, Any]:
    """Everything the overview and its parts show."""
    config: Config = current_app.extensions["config"]
    known = facts.gather_facts(provider, now=now)
    connection = current.live_connection(provider)
    story = health.tell(known, now=now)
    left_behind = leftovers.left_behind(provider)
    return {
        "now": now,
        "provider": provider,
        "config": config,
        "facts": known,
        "story": story,
        "is_open": story.state not in CLOSED_STATES and story.state != "calendar-missing",
        "is_closed": story.state in CLOSED_STATES,
        "connection": connection,
        "asked": _asked(connection, now),
        "is_syncing": connection is not None
        and connection.requested > connection.handled
        and not known.is_paused,
        "polled_states": POLLED_STATES,
        "chosen": [row.summary for row in choosing.calendars(connection) if row.is_chosen]
        if connection
        else [],
        "old_reader": readers.old_feed_reader(provider, now=now) if connection else None,
        "receipt": _receipt(provider, connection, left_behind, now),
        "left_behind": left_behind,
        **_compared(provider, connection, now),
        **names.context(provider),
        **_feed_context(provider, config, now),
    }


def _asked(connection: Connection | None, now: dt.datetime) -> changes.CardView | None:
    """The question about a calendar of ours that this database doesn't know: it is answered on this page."""
    if connection is None or connection.problem_detail != "unknown-calendar":
        return None
    card = cards.unknown_calendar_card(connection)
    return changes.view_of(card, now=now) if card is not None else None


def _compared(provider: Provider, connection: Connection | None, now: dt.datetime) -> dict[str, Any]:
    """The strip of days of the last comparison, the one under way, how many events show earlier names."""
    checkup = db.session.get(Checkup, connection.id) if connection else None
    return {
        "checkup": checkup,
        "checking": doctor.standing_check(connection, now=now),
        "strip": doctor.strip(checkup, provider, now=now),
        "old_names": checks.count_old_names(connection) if connection else 0,
    }


def _feed_context(provider: Provider, config: Config, now: dt.datetime) -> dict[str, Any]:
    feed = addresses.live_feed(provider) if provider.sync_mode is SyncMode.ONE_WAY else None
    if feed is None:
        return {"feed": None}
    return {
        "feed": feed,
        "feed_url": addresses.feed_url(config.public_url, feed),
        "feed_count": document.count_in_feed(provider, now=now),
        "feed_window": feed_window(now),
        "feed_readers": readers.readers(feed),
        "dial": feed_clock.draw(
            readers.reads_since(feed, now - feed_clock.AROUND), now=now, zone=provider.zone
        ),
    }


def _receipt(
    provider: Provider,
    connection: Connection | None,
    left_behind: list[leftovers.LeftBehind],
    now: dt.datetime,
) -> Connection | None:
    """The connection that ended or began anew lately, to say what was taken away."""
    if connection is not None:
        return connection if current.link_of(connection) is Link.OFFERED and connection.removal else None
    ended = current.last_ended(provider)
    if ended is None or ended.ended_at is None:
        return None
    is_recent = now - ended.ended_at <= dt.timedelta(days=RECEIPT_DAYS)
    is_needed = any(left.connection_id == ended.id for left in left_behind)
    return ended if is_recent or is_needed else None
