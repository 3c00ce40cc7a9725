"""The calendar: month, week, day and agenda, and the read-only page of a Google event."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from flask import Blueprint, abort, redirect, render_template, request, session, url_for
from flask.blueprints import BlueprintSetupState
from flask.typing import ResponseReturnValue

from portal.calendar import agenda, liveness
from portal.calendar.agenda import Entry, Filters
from portal.calendar.layout import MOST_COLUMNS
from portal.clock import utcnow
from portal.extensions import db
from portal.localtime import ONE_DAY, to_local
from portal.models import GoogleEvent, Location, OfficeHours, Provider
from portal.practice import offers
from portal.sync.shown import KEPT_BEFORE
from portal.views.calendar import grid
from portal.views.calendar.windows import Window, monday_of, read_window, weeks_of_month
from portal.views.door import callers
from portal.views.page import shell, undoing, wording
from portal.views.page.leaving import safe_link
from portal.views.page.signing_in import signed_in_provider

blueprint = Blueprint("calendar", __name__)

# What the filter form's `show` may hold; all but the last are on until the form says otherwise
SHOWN = ("sessions", "other", "google", "completed", "missed", "archived")
REMEMBERED_SECONDS = 30 * 60  # for how long "Calendar" leads back to the date that was left
SHOWN_AT_FIRST = SHOWN[:5]


@blueprint.record_once
def _register_shell(state: BlueprintSetupState) -> None:
    shell.register(state.app)
    undoing.register(state.app)
    wording.register(state.app)


@blueprint.get("/")
@callers.signed_in
def home() -> ResponseReturnValue:
    return redirect(url_for("calendar.index"), 303)


@blueprint.get("/calendar")
@callers.signed_in
def index() -> ResponseReturnValue:
    provider = signed_in_provider()
    here = to_local(utcnow(), provider.timezone)
    window = read_window(
        request.args.get("view"),
        request.args.get("date", _date_left(here)),
        today=here.date(),
        usual_view=session.get("view") or ("day" if _is_phone() else "week"),
    )
    _remember(window, here)
    return render_template("calendar/calendar.html", **_page(provider, window, here))


@blueprint.get("/calendar/version")
@callers.signed_in
def version() -> ResponseReturnValue:
    """What open pages ask for every few seconds; they draw themselves anew when the answer differs."""
    provider = signed_in_provider()
    chosen = _chosen_providers(provider, _colleagues(provider))
    return liveness.version_of(chosen), {"Content-Type": "text/plain"}


@blueprint.get("/calendar/google/<int:event_id>")
@callers.signed_in
def google_event(event_id: int) -> ResponseReturnValue:
    """One's own only: to everybody else a Google event is no more than busy time. `on`: which occurrence."""
    entry = agenda.find_occurrence(signed_in_provider(), event_id, request.args.get("on", ""), now=utcnow())
    if entry is None:
        abort(404)
    link = db.session.scalar(sa.select(GoogleEvent.html_link).where(GoogleEvent.id == event_id))
    return render_template("calendar/google_event.html", entry=entry, link=safe_link(link))


def _date_left(here: dt.datetime) -> str | None:
    """Where the person was lately, for an address that names nothing; a later look begins with today."""
    left_at = 0 if request.args else session.get("left_at", 0)
    return session.get("date") if here.timestamp() - left_at < REMEMBERED_SECONDS else None


def _remember(window: Window, here: dt.datetime) -> None:
    date = window.date.isoformat()
    if request.headers.get("X-Background") or (session.get("view"), session.get("date")) == (
        window.view,
        date,
    ):
        return
    session["view"], session["date"], session["left_at"] = window.view, date, int(here.timestamp())


def _is_phone() -> bool:
    return "Mobi" in request.user_agent.string


def _page(provider: Provider, window: Window, here: dt.datetime) -> dict[str, Any]:
    shown, places = _shown(), offers.locations()
    colleagues = _colleagues(provider)
    chosen = _chosen_providers(provider, colleagues)
    at_places = _chosen_places(places)
    filters = Filters(**{name: name in shown for name in SHOWN}, locations=at_places)
    shown_ids = chosen[:MOST_COLUMNS] if window.view == "day" else chosen
    entries = agenda.gather(
        provider, window.first, window.end, filters=filters, now=here, provider_ids=shown_ids
    )
    return {
        "window": window,
        "here": here,
        "entries": entries,
        "clashing": [entry for entry in entries if entry.clashes_with and entry.is_own],
        "shown": shown,
        "colleagues": colleagues,
        "chosen": chosen,
        "places": places,
        "at_places": at_places,
        "google_is_gone": "google" in shown and window.first < (here - KEPT_BEFORE).date(),
        "link": _Links(window, shown, chosen, at_places, provider.id),
        "mini": weeks_of_month(window.date),
        "monday": monday_of(window.date),
        "booked": _booked(provider, window),
        "timezone": provider.timezone,
        "version": liveness.version_of(chosen),
        "shortcuts_off": provider.shortcuts_off,
        "left_out": len(chosen) - len(shown_ids),
        **_body(window, entries, here, _columns(provider, colleagues, shown_ids)),
    }


def _body(
    window: Window, entries: list[Entry], here: dt.datetime, columns: list[grid.Column]
) -> dict[str, Any]:
    """What only this view needs. A day of several providers has a column for each."""
    if window.view in ("week", "day"):
        ids = [column.provider_id for column in columns]
        hours = db.session.scalars(sa.select(OfficeHours).where(OfficeHours.provider_id.in_(ids))).all()
        if window.view == "day" and len(columns) > 1:
            return {"grid": grid.build_grid(window.days, entries, hours, here, columns)}
        own = [row for row in hours if row.provider_id == ids[0]]
        return {"grid": grid.build_grid(window.days, entries, own, here)}
    days = grid.list_days(window.days, entries)
    if window.view == "agenda":
        days = [day for day in days if day.items]
    return {"days": days}


def _booked(provider: Provider, window: Window) -> dict[dt.date, int]:
    """How many are booked on the days of the strip over a day."""
    monday = monday_of(window.date)
    return agenda.count_by_day(provider, monday, monday + 7 * ONE_DAY) if window.view == "day" else {}


def _columns(provider: Provider, colleagues: Sequence[Provider], chosen: Sequence[int]) -> list[grid.Column]:
    names = {each.id: each.name for each in (provider, *colleagues)}
    return [grid.Column(number, names[number]) for number in chosen]


def _chosen_places(places: Sequence[Location]) -> frozenset[str] | None:
    """Names of the ticked places, "" among them for every other; None when the form was not used."""
    asked = request.args.getlist("place")
    if not asked or not places:
        return None
    names = {place.name for place in places if str(place.id) in asked}
    return frozenset(names | {""} if "other" in asked else names)


def _shown() -> tuple[str, ...]:
    """The filters of this request; a form sent with nothing ticked still says `show=none`."""
    asked = request.args.getlist("show")
    return tuple(name for name in SHOWN if name in asked) if asked else SHOWN_AT_FIRST


def _colleagues(provider: Provider) -> Sequence[Provider]:
    """Whom the practice's owner may look at besides themselves; closed accounts come last."""
    if not provider.is_owner:
        return []
    return db.session.scalars(
        sa.select(Provider)
        .where(Provider.id != provider.id)
        .order_by(Provider.deactivated_at.is_not(None), Provider.name)
    ).all()


def _chosen_providers(provider: Provider, colleagues: Sequence[Provider]) -> list[int]:
    allowed = [provider.id, *(colleague.id for colleague in colleagues)]
    asked = request.args.getlist("provider")
    return [number for number in allowed if str(number) in asked] or [provider.id]


class _Links:
    """Addresses of this calendar at another view or date, with the filters kept."""

    def __init__(
        self,
        window: Window,
        shown: Sequence[str],
        chosen: Sequence[int],
        at_places: frozenset[str] | None,
        own_id: int,
    ) -> None:
        self.window = window
        self.kept: dict[str, Any] = {}
        if tuple(shown) != SHOWN_AT_FIRST:
            self.kept["show"] = list(shown) or ["none"]
        if list(chosen) != [own_id]:
            self.kept["provider"] = list(chosen)
        if at_places is not None:
            self.kept["place"] = request.args.getlist("place")

    def __call__(self, *, view: str | None = None, date: dt.date | None = None) -> str:
        day = date or self.window.date
        return url_for("calendar.index", view=view or self.window.view, date=day.isoformat(), **self.kept)
