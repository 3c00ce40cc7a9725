"""Finding an appointment or an event by a word of it, and taking a range away as a file."""

from __future__ import annotations

import datetime as dt

from flask import Blueprint, Response, render_template, request
from flask.typing import ResponseReturnValue

from portal import reading
from portal.calendar import agenda, exporting
from portal.clock import utcnow
from portal.extensions import begin_writing, db
from portal.localtime import ONE_DAY, to_local, today
from portal.views.door import callers
from portal.views.page import bounds
from portal.views.page.auditing import note
from portal.views.page.signing_in import signed_in_provider

blueprint = Blueprint("finding", __name__, url_prefix="/calendar")

EXPORT_USUAL_DAYS = 30
EXPORT_MOST_DAYS = 2 * 366


@blueprint.route("/search", methods=["GET", "POST"])
@callers.signed_in
def search() -> ResponseReturnValue:
    """What is looked for comes by POST alone: a name has no place in an address."""
    provider, now = signed_in_provider(), utcnow()
    text = request.form.get("q", "").strip()
    found = agenda.search(provider, text, now=now) if text else []
    dates = sorted({entry.first_day for entry in found}, reverse=True)
    by_day = [(date, [entry for entry in found if entry.first_day == date]) for date in dates]
    here = to_local(now, provider.timezone)
    return render_template(
        "calendar/search.html", text=text, days=by_day, here=here, count=len(found), most=agenda.MOST_FOUND
    )


@blueprint.get("/export")
@callers.signed_in
def ask_export() -> ResponseReturnValue:
    day = today(utcnow(), signed_in_provider().timezone)
    first = bounds.day("date") or day
    return _draw_export(first.isoformat(), (first + EXPORT_USUAL_DAYS * ONE_DAY).isoformat(), "")


@blueprint.post("/export")
@callers.signed_in
def export() -> ResponseReturnValue:
    """The provider's appointments of these days; clients appear as they do in Google and the feed."""
    provider, now = signed_in_provider(), utcnow()
    first, last = _date("first"), _date("last")
    if first is None or last is None or not first <= last <= first + EXPORT_MOST_DAYS * ONE_DAY:
        problem = "Give two dates, the second one the same or later, within two years."
        return _draw_export(request.form.get("first", ""), request.form.get("last", ""), problem), 422
    begin_writing()
    content = exporting.as_file(provider, first, last + ONE_DAY)
    note("calendar.exported", provider, now=now)
    db.session.commit()
    name = f"appointments-{first}-to-{last}.ics"
    return Response(
        content,
        mimetype="text/calendar",
        headers={
            "Content-Disposition": f'attachment; filename="{name}"',
            "X-Content-Type-Options": "nosniff",
        },
    )


def _draw_export(first: str, last: str, problem: str) -> str:
    provider = signed_in_provider()
    return render_template(
        "calendar/export.html", first=first, last=last, problem=problem, display=provider.name_display
    )


def _date(name: str) -> dt.date | None:
    """A date in the form; None when there is none, or one at the ends of time."""
    date = reading.day(request.form.get(name, ""))
    return date if date is not None and bounds.EARLIEST <= date <= bounds.LATEST else None
