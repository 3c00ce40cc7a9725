"""The calendar: month, week, day and agenda, and the read-only page of a Google event."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from flask import Blueprint, abort, redirect, render_template, request, session, url_for
from flask.blueprints import BlueprintSetupState
from flask.typing import ResponseReturnValue

from portal import agenda
from portal.agenda import Entry, Filters
from portal.clock import utcnow
from portal.extensions import db
from portal.localtime import to_local
from portal.models import GoogleEvent, GoogleOccurrence, OfficeHours, Provider
from portal.views import grid, shell, wording
from portal.views.signing_in import signed_in_provider
from portal.views.windows import Window, monday_of, read_window, weeks_of_month

blueprint = Blueprint("calendar", __name__)

# What the filter form's `show` may hold; the first four are on until the form says otherwise
SHOWN = ("sessions", "other", "google", "missed", "archived")
SHOWN_AT_FIRST = SHOWN[:4]


@blueprint.record_once
def _register_shell(state: BlueprintSetupState) -> None:
    shell.register(state.app)
    wording.register(state.app)


@blueprint.get("/")
def home() -> ResponseReturnValue:
    return redirect(url_for("calendar.index"), 303)


@blueprint.get("/calendar")
def index() -> ResponseReturnValue:
    provider = signed_in_provider()
    here = to_local(utcnow(), provider.timezone)
    window = read_window(
        request.args.get("view"),
        request.args.get("date"),
        today=here.date(),
        usual_view=session.get("view", "week"),
    )
    if session.get("view") != window.view:
        session["view"] = window.view
    return render_template("calendar/calendar.html", **_page(provider, window, here))


@blueprint.get("/calendar/google/<int:occurrence_id>")
def google_event(occurrence_id: int) -> ResponseReturnValue:
    """One's own only: to everybody else a Google event is no more than busy time."""
    entry = agenda.find_occurrence(signed_in_provider(), occurrence_id) or abort(404)
    link = db.session.scalar(
        sa.select(GoogleEvent.html_link)
        .join(GoogleOccurrence, GoogleOccurrence.google_event_id == GoogleEvent.id)
        .where(GoogleOccurrence.id == occurrence_id)
    )
    return render_template("calendar/google_event.html", entry=entry, link=_safe_link(link))


def _page(provider: Provider, window: Window, here: dt.datetime) -> dict[str, Any]:
    shown = _shown()
    colleagues = _colleagues(provider)
    chosen = _chosen_providers(provider, colleagues)
    filters = Filters(**{name: name in shown for name in SHOWN})
    entries = agenda.gather(provider, window.first, window.end, filters=filters, provider_ids=chosen)
    return {
        "window": window,
        "here": here,
        "entries": entries,
        "clashing": [entry for entry in entries if entry.clashes_with and entry.is_own],
        "shown": shown,
        "colleagues": colleagues,
        "chosen": chosen,
        "link": _Links(window, shown, chosen, provider.id),
        "mini": weeks_of_month(window.date),
        "monday": monday_of(window.date),
        "timezone": provider.timezone,
        **_body(provider, window, entries, here),
    }


def _body(provider: Provider, window: Window, entries: list[Entry], here: dt.datetime) -> dict[str, Any]:
    """What only this view needs."""
    if window.view in ("week", "day"):
        hours = db.session.scalars(sa.select(OfficeHours).where(OfficeHours.provider_id == provider.id)).all()
        return {"grid": grid.build_grid(window.days, entries, hours, here)}
    days = grid.list_days(window.days, entries)
    if window.view == "agenda":
        days = [day for day in days if day.items]
    return {"days": days}


def _shown() -> tuple[str, ...]:
    """The filters of this request; a form sent with nothing ticked still says `show=none`."""
    asked = request.args.getlist("show")
    return tuple(name for name in SHOWN if name in asked) if asked else SHOWN_AT_FIRST


def _colleagues(provider: Provider) -> Sequence[Provider]:
    """Whom the practice's owner may look at besides themselves."""
    if not provider.is_owner:
        return []
    return db.session.scalars(
        sa.select(Provider)
        .where(Provider.deactivated_at.is_(None), Provider.id != provider.id)
        .order_by(Provider.name)
    ).all()


def _chosen_providers(provider: Provider, colleagues: Sequence[Provider]) -> list[int]:
    allowed = [provider.id, *(colleague.id for colleague in colleagues)]
    asked = request.args.getlist("provider", type=int)
    return [number for number in allowed if number in asked] or [provider.id]


class _Links:
    """Addresses of this calendar at another view or date, with the filters kept."""

    def __init__(self, window: Window, shown: Sequence[str], chosen: Sequence[int], own_id: int) -> None:
        self.window = window
        self.kept: dict[str, Any] = {}
        if tuple(shown) != SHOWN_AT_FIRST:
            self.kept["show"] = list(shown) or ["none"]
        if list(chosen) != [own_id]:
            self.kept["provider"] = list(chosen)

    def __call__(self, *, view: str | None = None, date: dt.date | None = None) -> str:
        day = date or self.window.date
        return url_for("calendar.index", view=view or self.window.view, date=day.isoformat(), **self.kept)


def _safe_link(link: str | None) -> str | None:
    """Google's own address of an event, or nothing: a link of any other kind is not offered."""
    return link if link and link.startswith("https://") else None
