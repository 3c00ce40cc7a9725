"""Control: accounts, and the calendars in each one's list."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

from sandbox.control.asking import account_named, calendar_named, json_body
from sandbox.ground.errors import Json
from sandbox.ground.model import ROLES, Account
from sandbox.people import person
from sandbox.state.here import world_here

accounts = Blueprint("accounts", __name__)
ID_ENDINGS = {
    "secondary": "@group.calendar.google.com",
    "import": "@import.calendar.google.com",
    "holidays": "#holiday@group.v.calendar.google.com",
}


@accounts.get("/accounts")
def list_accounts() -> Response:
    """All accounts."""
    with world_here().lock:
        return jsonify(items=[_show_account(account) for account in world_here().accounts.values()])


@accounts.post("/accounts")
def add_account() -> Response:
    """A new account with an empty primary calendar."""
    body, world = json_body(), world_here()
    with world.lock:
        if world.account_by_email(body["email"]):
            raise ValueError("this address is taken")
        return jsonify(_show_account(world.add_account(**body)))


@accounts.patch("/accounts/<email>")
def change_account(email: str) -> Response:
    """Change the login address (`email`), `hd`, `name` or `time_zone`; `sub` stays."""
    body, world = json_body(), world_here()
    with world.lock:
        account = account_named(email)
        if "email" in body:
            world.rename_account(account, body.pop("email"))
        for name in ("hd", "name", "time_zone"):
            if name in body:
                setattr(account, name, body[name])
        return jsonify(_show_account(account))


def _show_account(account: Account) -> Json:
    return {name: getattr(account, name) for name in ("email", "sub", "name", "hd", "time_zone")}


@accounts.get("/accounts/<email>/calendars")
def list_calendars(email: str) -> Response:
    """The person's calendar list, hidden entries included."""
    world = world_here()
    with world.lock:
        account = account_named(email)
        params = {"showHidden": True, "maxResults": 250}
        return jsonify(items=person.act(world, account, "calendarList.list", params)["items"])


@accounts.post("/accounts/<email>/calendars")
def add_calendar(email: str) -> Response:
    """A calendar as the person would add it: own, shared by somebody, subscribed, holidays."""
    body, world = json_body(), world_here()
    with world.lock:
        account = account_named(email)
        kind, role = body.get("kind", "secondary"), body.get("accessRole", "owner")
        if role not in ROLES:
            raise ValueError(f"accessRole is one of {ROLES}")
        calendar_id = body.get("id") or f"sandbox{world.next_etag()[1:-1]}{ID_ENDINGS[kind]}"
        if calendar_id in world.calendars:
            world.share(world.calendars[calendar_id], account, role)
        else:
            calendar = world.add_calendar(account, calendar_id, kind=kind, summary=body["summary"], role=role)
            calendar.time_zone = body.get("timeZone", account.time_zone)
            calendar.description = body.get("description")
        return jsonify(_entry(account, calendar_id))


@accounts.patch("/accounts/<email>/calendars/<calendar_id>")
def change_calendar(email: str, calendar_id: str) -> Response:
    """For this person: role, `hidden`, `selected`, `summaryOverride`; for all: `summary`, `description`."""
    body, world = json_body(), world_here()
    with world.lock:
        account, calendar = calendar_named(email, calendar_id)
        if role := body.pop("accessRole", None):
            if role not in ROLES:
                raise ValueError(f"accessRole is one of {ROLES}")
            world.share(calendar, account, role)
        for name in ("summary", "description"):
            if name in body:
                setattr(calendar, name, body.pop(name))
                calendar.etag = world.next_etag()
        if body:
            person.act(world, account, "calendarList.patch", {"calendarId": calendar.id}, body)
        return jsonify(_entry(account, calendar.id))


@accounts.delete("/accounts/<email>/calendars/<calendar_id>")
def delete_calendar(email: str, calendar_id: str) -> Response:
    """Delete an own calendar for everybody, or leave one that is shared."""
    world = world_here()
    with world.lock:
        account, calendar = calendar_named(email, calendar_id)
        person.drop_calendar(world, account, calendar)
        return jsonify(deleted=calendar.id)


def _entry(account: Account, calendar_id: str) -> Json:
    return person.act(world_here(), account, "calendarList.get", {"calendarId": calendar_id})
