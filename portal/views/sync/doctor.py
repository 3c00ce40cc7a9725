"""Sync doctor: a line for every question, the live comparison, "Why isn't it here?", the support report."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from flask import (
    Blueprint,
    Response,
    current_app,
    flash,
    jsonify,
    make_response,
    redirect,
    render_template,
    url_for,
)
from flask.typing import ResponseReturnValue

from portal.clock import utcnow
from portal.config import Config
from portal.connection import choosing, current
from portal.engine.run import Patience, open_client
from portal.errors import CalendarError
from portal.extensions import db, htmx
from portal.feed import readers
from portal.models import Appointment, Checkup, Connection, GoogleCalendar, Provider
from portal.standing import checks, compare, full_check, report
from portal.sync.modes import Link
from portal.views.calendar.windows import monday_of
from portal.views.door import callers
from portal.views.page import bounds
from portal.views.page.auditing import note
from portal.views.page.signing_in import signed_in_provider
from portal.views.sync import connecting

blueprint = Blueprint("doctor", __name__)

STRIP_WEEKS = 3
ONE_DAY = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Cell:
    """One day of the strip: how many entries there were, and how many differed."""

    date: dt.date
    total: int
    different: int


@blueprint.get("/doctor")
@callers.signed_in
def index() -> ResponseReturnValue:
    provider, now = signed_in_provider(), utcnow()
    context = doctor_context(provider, now=now)
    why = _why(context["connection"], now)
    return connecting.allow_google(
        make_response(render_template("sync/doctor.html", doctor=context, **context, **why))
    )


@blueprint.post("/doctor/check")
@callers.signed_in
def check_everything() -> ResponseReturnValue:
    """Have everything compared with Google. Reads only; what it finds is put right by the next runs."""
    provider, now = signed_in_provider(), utcnow()
    connection = current.live_connection(provider)
    if connection is None or current.link_of(connection) is not Link.RUNNING:
        flash("There is nothing to compare: Two-Way Sync is not on.", "message")
        return redirect(url_for("sync.doctor.index"), 303)
    full_check.ask(connection, now=now)
    note("sync.checked", provider, now=now)
    db.session.commit()
    return redirect(url_for("sync.doctor.index"), 303)


@blueprint.post("/doctor/check/stop")
@callers.signed_in
def stop_check() -> ResponseReturnValue:
    """The comparison is not wanted any more."""
    connection = current.live_connection(signed_in_provider())
    if connection is not None:
        full_check.withdraw(connection)
        db.session.commit()
    return redirect(url_for("sync.doctor.index"), 303)


@blueprint.get("/doctor/check")
@callers.signed_in
def check_progress() -> ResponseReturnValue:
    """How far it is, for the page that waits; once it is done, the whole page is drawn anew."""
    now = utcnow()
    standing = standing_check(current.live_connection(signed_in_provider()), now=now)
    if not htmx:
        return redirect(url_for("sync.doctor.index"), 303)
    if standing is None:
        return "", 200, {"HX-Refresh": "true"}
    return render_template("sync/_check.html", checking=standing)


def standing_check(connection: Connection | None, *, now: dt.datetime) -> full_check.Standing | None:
    """The comparison that was asked for and is not done, if there is one."""
    return full_check.standing(connection, now=now) if connection else None


@blueprint.get("/doctor/report.json")
@callers.signed_in
def report_json() -> ResponseReturnValue:
    answer = jsonify(_jsonable(report.support_report(signed_in_provider(), now=utcnow())))
    answer.headers["Content-Disposition"] = "attachment; filename=sync-report.json"
    return answer


@blueprint.get("/doctor/report.txt")
@callers.signed_in
def report_text() -> ResponseReturnValue:
    text = report.as_text(report.support_report(signed_in_provider(), now=utcnow()))
    return Response(text, mimetype="text/plain")


def doctor_context(provider: Provider, *, now: dt.datetime) -> dict[str, Any]:
    """What the lines and their words need, on the doctor's page and beside the answers of the help."""
    config: Config = current_app.extensions["config"]
    known, story, checked, lines = checks.examine_provider(provider, now=now)
    connection = current.live_connection(provider)
    calendars = choosing.calendars(connection) if connection else []
    checkup = db.session.get(Checkup, connection.id) if connection else None
    return {
        "provider": provider,
        "config": config,
        "now": now,
        "facts": known,
        "story": story,
        "checks": checked,
        "lines": lines,
        "connection": connection,
        "calendars": calendars,
        "chosen": [row.summary for row in calendars if row.is_chosen],
        "old_reader": readers.old_feed_reader(provider, now=now),
        "unsent": checks.unsent(connection, now=now) if connection else [],
        "odd_zones": checks.oddly_zoned(connection) if connection and checked.odd_zones else [],
        "checkup": checkup,
        "checking": standing_check(connection, now=now),
        "strip": strip(checkup, provider, now=now),
        "differences": _differences(checkup, calendars, provider),
        "is_running": current.link_of(connection) is Link.RUNNING,
    }


def strip(checkup: Checkup | None, provider: Provider, *, now: dt.datetime) -> list[list[Cell]]:
    """Three weeks from this Monday, as the last comparison found them."""
    if checkup is None or checkup.error:
        return []
    monday = monday_of(now.astimezone(provider.zone).date())
    days = checkup.days
    return [
        [
            Cell(date, *days.get(date.isoformat(), (0, 0)))
            for date in (monday + (7 * week + day) * ONE_DAY for day in range(7))
        ]
        for week in range(STRIP_WEEKS)
    ]


def _differences(
    checkup: Checkup | None, calendars: Iterable[GoogleCalendar], provider: Provider
) -> list[dict[str, Any]]:
    """The differences with what is known here of each: the calendar's name, the appointment."""
    names = {row.id: row.summary for row in calendars}
    found = []
    for each in checkup.differences if checkup else ():
        number = each["appointment"]
        appointment = db.session.get(Appointment, number) if number else None
        is_own = appointment is not None and appointment.provider_id == provider.id
        found.append(
            {
                "verdict": each["verdict"],
                "day": dt.date.fromisoformat(each["day"]),
                "calendar_id": each["calendar"],
                "calendar": names.get(each["calendar"], ""),
                "appointment": appointment if is_own else None,
            }
        )
    return found


# Why isn't it here?


def _why(connection: Connection | None, now: dt.datetime) -> dict[str, Any]:
    """Read one day of one calendar, when the page is asked to; it changes nothing."""
    day = _day_asked(now)
    asked: dict[str, Any] = {"why_day": day, "why_calendar": None, "why_items": None, "why_problem": None}
    wanted = bounds.row_id("calendar")
    if connection is None or wanted is None:
        return asked
    row = db.session.get(GoogleCalendar, wanted)
    if row is None or row.connection_id != connection.id:
        return {**asked, "why_problem": "unknown"}
    asked["why_calendar"] = row
    if row.why_not is not None and not row.is_app_calendar:
        return {**asked, "why_problem": "cannot-read"}
    try:
        with open_client(connection, before_request=Patience()) as client:
            asked["why_items"] = compare.compare_day(client, row, day, now=now)
    except CalendarError as error:
        db.session.rollback()
        asked["why_problem"] = f"google-{type(error).__name__}"
    asked["why_calendar"] = db.session.get(GoogleCalendar, wanted)
    return asked


def _day_asked(now: dt.datetime) -> dt.date:
    return bounds.day("day") or now.astimezone(signed_in_provider().zone).date()


def _jsonable(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _jsonable(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_jsonable(each) for each in value]
    return value.isoformat() if isinstance(value, dt.datetime) else value
