"""Pages for people: accounts, a week of events, one event, calendars. They work without JavaScript.

What a person does here goes through `people/person.py`, so it leaves the traces of a change made at Google.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from sandbox.calls.discovery import without_nulls
from sandbox.ground.errors import GoogleError, Json
from sandbox.ground.model import Account, Calendar
from sandbox.ground.times import is_all_day, parse_instant, zone
from sandbox.pages import looks
from sandbox.people import person
from sandbox.state.here import world_here

pages = Blueprint("pages", __name__)


@pages.errorhandler(GoogleError)
def refused(refusal: GoogleError) -> tuple[str, int]:
    """Say what Google would say."""
    return render_template("refused.html", refusal=refusal), refusal.status


@pages.errorhandler(ValueError)
def unreadable(_: ValueError) -> tuple[str, int]:
    """A date or a time that cannot be read."""
    refusal = GoogleError(400, "invalid", "A date or a time cannot be read.")
    return render_template("refused.html", refusal=refusal), 400


def _account(email: str) -> Account:
    account = world_here().account_by_email(email)
    if account is None:
        raise GoogleError(404, "notFound", "There is no such account here.")
    return account


# ---- accounts


@pages.get("/")
def accounts() -> str:
    """All accounts, and a form for another."""
    with world_here().lock:
        return render_template("accounts.html", accounts=list(world_here().accounts.values()))


@pages.post("/accounts")
def add_account() -> AnyResponse:
    """Make an account."""
    world, email = world_here(), request.form["email"].strip()
    with world.lock:
        if world.account_by_email(email) is None:
            world.add_account(email, hd=request.form.get("hd") or None)
    return redirect(url_for("pages.accounts"), 303)


# ---- the week


@pages.get("/accounts/<email>/calendar")
def week(email: str) -> str:
    """Seven days of all calendars in the person's list; `?week=` is any date of the week."""
    world = world_here()
    with world.lock:
        account = _account(email)
        tz = zone(account.time_zone)
        monday = _monday(request.args.get("week"), tz)
        rows = looks.week_rows(world, account, monday, tz)
        days = [(monday + timedelta(days=n)) for n in range(7)]
        return render_template(
            "week.html",
            account=account,
            calendars=looks.calendars_of(world, account),
            days=[(day, [row for row in rows if row["first"] <= day <= row["last"]]) for day in days],
            monday=monday,
            earlier=monday - timedelta(days=7),
            later=monday + timedelta(days=7),
            today=world.clock.now().astimezone(tz).date(),
        )


def _monday(text: str | None, tz: ZoneInfo) -> date:
    day = date.fromisoformat(text) if text else world_here().clock.now().astimezone(tz).date()
    return day - timedelta(days=day.weekday())


# ---- one event


@pages.get("/accounts/<email>/events/new")
def new_event(email: str) -> str:
    """The form for another event."""
    with world_here().lock:
        account = _account(email)
        writable = looks.writable(world_here(), account)
        day = request.args.get("date") or world_here().clock.now().date().isoformat()
        fields = {"start_date": day, "end_date": day, "start_time": "09:00", "end_time": "10:00"}
        return render_template("event_new.html", account=account, calendars=writable, fields=fields)


@pages.post("/accounts/<email>/events/new")
def add_event(email: str) -> AnyResponse:
    """Add an event."""
    world = world_here()
    with world.lock:
        account = _account(email)
        body = without_nulls(_form_times(account)) | {"summary": request.form.get("title", "")}
        if request.form.get("repeats") == "weekly":
            body["recurrence"] = ["RRULE:FREQ=WEEKLY"]
        if request.form.get("free"):
            body["transparency"] = "transparent"
        person.act(world, account, "events.insert", {"calendarId": request.form["calendar"]}, body)
    return _to_week(email)


def _form_times(account: Account) -> Json:
    """Start and end from the form, in the person's zone; there an all-day event names its last day."""
    form = request.form
    if form.get("all_day"):
        last = date.fromisoformat(form.get("end_date") or form["start_date"])
        end = {"date": (last + timedelta(days=1)).isoformat(), "dateTime": None, "timeZone": None}
        return {"start": {"date": form["start_date"], "dateTime": None, "timeZone": None}, "end": end}
    return {
        side: {
            "dateTime": f"{form.get(f'{side}_date') or form['start_date']}T{form[f'{side}_time'][:5]}:00",
            "timeZone": account.time_zone,
            "date": None,
        }
        for side in ("start", "end")
    }


@pages.get("/accounts/<email>/calendars/<calendar_id>/events/<event_id>")
def show_event(email: str, calendar_id: str, event_id: str) -> str:
    """One event with everything stored about it, and the form to change it."""
    world = world_here()
    with world.lock:
        account = _account(email)
        calendar = person.calendar_of(world, account, calendar_id)
        body = person.find_event(calendar, event_id)
        return render_template(
            "event.html",
            account=account,
            calendar=calendar,
            calendar_name=looks.name_of(account, calendar),
            event=body,
            details=looks.details(world, account, calendar, body),
            fields=looks.form_fields(body, zone(account.time_zone)),
            can_write=looks.can_write(account, calendar) and body["status"] != "cancelled",
            others=[one for one in looks.writable(world, account) if one is not calendar],
        )


@pages.post("/accounts/<email>/calendars/<calendar_id>/events/<event_id>")
def change_event(email: str, calendar_id: str, event_id: str) -> AnyResponse:
    """Save, delete, duplicate, move or restore, whichever button was pressed."""
    world, deed = world_here(), request.form.get("deed", "save")
    with world.lock:
        account = _account(email)
        calendar = person.calendar_of(world, account, calendar_id)
        target = _target(calendar, event_id)
        if deed == "delete":
            person.act(world, account, "events.delete", {"calendarId": calendar.id, "eventId": target})
        elif deed == "duplicate":
            person.duplicate_event(world, account, calendar, event_id)
        elif deed == "move":
            person.move_event(world, account, calendar, target, request.form["destination"])
        elif deed == "restore":
            person.restore_event(world, calendar, event_id)
        else:
            _save(account, calendar, event_id, target)
    return _to_week(email)


def _target(calendar: Calendar, event_id: str) -> str:
    """The series when the person chose *All*, otherwise the event itself."""
    body = person.find_event(calendar, event_id)
    whole = request.form.get("apply_to") == "all" and "recurringEventId" in body
    return str(body["recurringEventId"]) if whole else event_id


def _save(account: Account, calendar: Calendar, event_id: str, target: str) -> None:
    old = person.find_event(calendar, event_id)
    changes: Json = {"summary": request.form.get("title", "")}
    fields = looks.form_fields(old, zone(account.time_zone))
    moved = any(request.form.get(n) != fields[n] for n in fields if n != "all_day")
    if moved or bool(request.form.get("all_day")) != fields["all_day"]:
        changes |= _form_times(account)
    if target != event_id and "start" in changes:
        changes |= _shifted_series(account, calendar, target, old, changes)
    params = {"calendarId": calendar.id, "eventId": target}
    person.act(world_here(), account, "events.patch", params, changes)


def _shifted_series(account: Account, calendar: Calendar, target: str, old: Json, changes: Json) -> Json:
    """*All*: the first date of the series moves as far as this one did."""
    if is_all_day(old) or changes["start"].get("date"):
        return {}
    tz = zone(account.time_zone)
    first = parse_instant(person.find_event(calendar, target)["start"]["dateTime"]).astimezone(tz)
    new = [datetime.fromisoformat(changes[side]["dateTime"]) for side in ("start", "end")]
    before = parse_instant(old["start"]["dateTime"]).astimezone(tz).replace(tzinfo=None)
    start = first.replace(tzinfo=None) + (new[0] - before)
    ends = {"start": start, "end": start + (new[1] - new[0])}
    return {side: {"dateTime": at.isoformat(), "timeZone": account.time_zone} for side, at in ends.items()}


def _to_week(email: str) -> AnyResponse:
    day = request.form.get("start_date") or request.form.get("week")
    return redirect(url_for("pages.week", email=email, week=day or None), 303)


@pages.get("/calendar/event")
def by_link() -> AnyResponse:
    """Where `htmlLink` leads: `eid` is the event id and the calendar id."""
    raw = request.args.get("eid", "")
    event_id, _, calendar_id = urlsafe_b64decode(raw + "=" * (-len(raw) % 4)).decode().partition(" ")
    world = world_here()
    with world.lock:
        calendar = world.calendars.get(calendar_id)
        sub = next(iter(calendar.roles), None) if calendar else None
        if calendar is None or sub is None:
            raise GoogleError(404, "notFound", "There is no such event.")
        sub = calendar.data_owner or sub
        email = world.accounts[sub].email
    place = url_for("pages.show_event", email=email, calendar_id=calendar_id, event_id=event_id)
    return redirect(place, 302)


# ---- calendars


@pages.get("/accounts/<email>/calendars")
def calendars(email: str) -> str:
    """The person's calendar list, the bin of each, and a form for another calendar."""
    with world_here().lock:
        account = _account(email)
        entries = [entry for entry in account.entries.values() if not entry.deleted]
        rows = [(entry, world_here().calendars[entry.calendar_id]) for entry in entries]
        bins = {
            one.id: [e.body for e in one.events.values() if e.deleted and not e.master_id] for _, one in rows
        }
        return render_template("calendars.html", account=account, rows=rows, bins=bins)


@pages.post("/accounts/<email>/calendars")
def add_calendar(email: str) -> AnyResponse:
    """Add a calendar of the person's own."""
    with world_here().lock:
        account = _account(email)
        person.act(world_here(), account, "calendars.insert", {}, {"summary": request.form.get("name", "")})
    return redirect(url_for("pages.calendars", email=email), 303)


@pages.post("/accounts/<email>/calendars/<calendar_id>")
def change_calendar(email: str, calendar_id: str) -> AnyResponse:
    """Delete, hide, show or rename."""
    world, deed = world_here(), request.form.get("deed")
    with world.lock:
        account = _account(email)
        params = {"calendarId": calendar_id}
        if deed == "delete":
            person.drop_calendar(world, account, person.calendar_of(world, account, calendar_id))
        elif deed in ("hide", "show"):
            person.act(world, account, "calendarList.patch", params, {"hidden": deed == "hide"})
        elif deed == "rename":
            person.act(world, account, "calendars.patch", params, {"summary": request.form["name"]})
    return redirect(url_for("pages.calendars", email=email), 303)


@pages.app_template_filter("moment")
def moment(value: Any) -> str:
    """A timestamp for people."""
    return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC") if isinstance(value, datetime) else str(value)
