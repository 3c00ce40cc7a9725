"""Changing one's time zone: the zone first, then what the appointments that lie ahead keep."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from zoneinfo import available_timezones

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.calendar import overlaps
from portal.clock import utcnow
from portal.errors import InvalidInput
from portal.extensions import db
from portal.localtime import to_local
from portal.models import Appointment, Provider
from portal.practice import zones
from portal.practice.spans import in_zone, when_of
from portal.practice.zones import Kept
from portal.views.door import callers
from portal.views.page.auditing import note
from portal.views.page.signing_in import signed_in_provider
from portal.views.page.wording import place_name

blueprint = Blueprint("zoning", __name__, url_prefix="/settings/time-zone")

KEPT_WORDS = {Kept.CLOCK: "kept their clock times", Kept.MOMENT: "kept their moments"}


@dataclass(frozen=True, slots=True)
class Example:
    """One appointment that lies ahead, by both clocks."""

    now: dt.datetime  # as shown today
    by_new_clock: dt.datetime  # the same moment in the new zone
    hours_apart: float  # how much later everything begins if the clock times are kept


@blueprint.get("")
@callers.signed_in
def ask() -> ResponseReturnValue:
    provider, asked = signed_in_provider(), request.args.get("timezone", "")
    if asked in available_timezones() and asked != provider.timezone:
        return _ask_what_to_keep(provider, asked, {})
    return _draw(provider, asked if asked in zones.choices() else provider.timezone, {})


@blueprint.post("")
@callers.signed_in
def move() -> ResponseReturnValue:
    provider, now = signed_in_provider(), utcnow()
    asked, keep = request.form.get("timezone", ""), request.form.get("keep", "")
    kept = Kept(keep) if keep in set(Kept) else None
    try:
        count, memory = zones.move(provider, asked, kept, now=now, actor=provider)
    except InvalidInput as invalid:
        db.session.rollback()
        draw = _draw if "timezone" in invalid.problems else _ask_what_to_keep
        return draw(provider, asked, invalid.problems), 422
    note("provider.zone-changed", provider, now=now)
    memory.keep(provider, _words(asked, count, kept), now=now)
    db.session.commit()
    return redirect(url_for("settings.index"), 303)


def _words(timezone: str, count: int, kept: Kept | None) -> str:
    words = f"Your time zone is {place_name(timezone)} now."
    if not count or kept is None:
        return words
    return f"{words} {count} appointment{'' if count == 1 else 's'} {KEPT_WORDS[kept]}."


def _draw(provider: Provider, asked: str, problems: dict[str, str]) -> str:
    return render_template(
        "settings/time_zone.html",
        timezone=provider.timezone,
        asked=asked,
        choices=sorted({*zones.choices(), provider.timezone}),
        problems=problems,
    )


def _ask_what_to_keep(provider: Provider, asked: str, problems: dict[str, str]) -> str:
    now = utcnow()
    ahead = zones.ahead(provider, now=now)
    timed = next((row for row in ahead if not row.all_day), None)
    return render_template(
        "settings/time_zone_question.html",
        asked=asked,
        place=place_name(asked),
        here=to_local(now, provider.timezone),
        there=to_local(now, asked),
        count=len(ahead),
        example=_example(timed, provider.timezone, asked) if timed else None,
        in_the_way=overlaps.count_in_the_way(provider, asked, now=now),
        problems=problems,
    )


def _example(row: Appointment, old: str, new: str) -> Example:
    kept = zones.after_move(row, new, Kept.CLOCK)
    apart = (kept.starts_at - in_zone(when_of(row), old).starts_at).total_seconds() / 3600
    return Example(to_local(row.starts_at, old), to_local(row.starts_at, new), apart)
