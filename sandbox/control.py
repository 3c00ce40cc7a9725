"""The control API: what tests and the demo need and Google does not offer. JSON, no sign-in, loopback only.

Documented with examples in README.md.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, current_app, jsonify, request

from sandbox import person
from sandbox.errors import GoogleError, Json, invalid, not_found
from sandbox.grants import Client
from sandbox.model import ROLES, Account, Calendar
from sandbox.scopes import LONG_NAMES, PREFIX, SIGN_IN_SCOPES
from sandbox.seed import plant
from sandbox.token_endpoints import tokens_for
from sandbox.world import World

control = Blueprint("control", __name__, url_prefix="/control")
LOOPBACK = ("127.0.0.1", "::1", "::ffff:127.0.0.1")
ID_ENDINGS = {
    "secondary": "@group.calendar.google.com",
    "import": "@import.calendar.google.com",
    "holidays": "#holiday@group.v.calendar.google.com",
}


def world_here() -> World:
    """The state of the sandbox that serves this request."""
    world: World = current_app.config["WORLD"]
    return world


@control.before_request
def loopback_only() -> tuple[Response, int] | None:
    """Whoever can reach this can do anything, so only this machine can."""
    if request.remote_addr not in LOOPBACK:
        return jsonify(error="the control API answers loopback only"), 403
    return None


@control.errorhandler(GoogleError)
def refused(refusal: GoogleError) -> tuple[Response, int]:
    """Google's own refusals keep their envelope."""
    return jsonify(refusal.body()), refusal.status


@control.errorhandler(ValueError)
@control.errorhandler(TypeError)
@control.errorhandler(KeyError)
def bad_input(problem: Exception) -> tuple[Response, int]:
    """A missing field, an unknown name or a wrong type in a control call."""
    return jsonify(error=f"{type(problem).__name__}: {problem}"), 400


def _json() -> Json:
    body = request.get_json(silent=True)
    return body if isinstance(body, dict) else {}


def _account(email: str) -> Account:
    account = world_here().account_by_email(email)
    if account is None:
        raise not_found()
    return account


def _calendar(email: str, calendar_id: str) -> tuple[Account, Calendar]:
    account = _account(email)
    return account, person.calendar_of(world_here(), account, calendar_id)


@control.get("/health")
def health() -> Response:
    """Answers as soon as the sandbox serves."""
    return jsonify(ok=True)


@control.post("/reset")
def reset() -> Response:
    """Forget everything; plant a seed if one is named."""
    world = world_here()
    with world.lock:
        world.forget()
        world.switches.reset()
        world.clock.offset *= 0
        if seed := _json().get("seed"):
            plant(world, seed)
        return jsonify(accounts=[account.email for account in world.accounts.values()])


# ---- accounts and calendars


@control.get("/accounts")
def list_accounts() -> Response:
    """All accounts."""
    with world_here().lock:
        return jsonify(items=[_show_account(account) for account in world_here().accounts.values()])


@control.post("/accounts")
def add_account() -> Response:
    """A new account with an empty primary calendar."""
    body, world = _json(), world_here()
    with world.lock:
        if world.account_by_email(body["email"]):
            raise ValueError("this address is taken")
        return jsonify(_show_account(world.add_account(**body)))


@control.patch("/accounts/<email>")
def change_account(email: str) -> Response:
    """Change the login address (`email`), `hd`, `name` or `time_zone`; `sub` stays."""
    body, world = _json(), world_here()
    with world.lock:
        account = _account(email)
        if "email" in body:
            world.rename_account(account, body.pop("email"))
        for name in ("hd", "name", "time_zone"):
            if name in body:
                setattr(account, name, body[name])
        return jsonify(_show_account(account))


def _show_account(account: Account) -> Json:
    return {name: getattr(account, name) for name in ("email", "sub", "name", "hd", "time_zone")}


@control.get("/accounts/<email>/calendars")
def list_calendars(email: str) -> Response:
    """The person's calendar list, hidden entries included."""
    world = world_here()
    with world.lock:
        account = _account(email)
        params = {"showHidden": True, "maxResults": 250}
        return jsonify(items=person.act(world, account, "calendarList.list", params)["items"])


@control.post("/accounts/<email>/calendars")
def add_calendar(email: str) -> Response:
    """A calendar as the person would add it: own, shared by somebody, subscribed, holidays."""
    body, world = _json(), world_here()
    with world.lock:
        account = _account(email)
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


@control.patch("/accounts/<email>/calendars/<calendar_id>")
def change_calendar(email: str, calendar_id: str) -> Response:
    """For this person: role, `hidden`, `selected`, `summaryOverride`; for all: `summary`, `description`."""
    body, world = _json(), world_here()
    with world.lock:
        account, calendar = _calendar(email, calendar_id)
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


@control.delete("/accounts/<email>/calendars/<calendar_id>")
def delete_calendar(email: str, calendar_id: str) -> Response:
    """Delete an own calendar for everybody, or leave one that is shared."""
    world = world_here()
    with world.lock:
        account, calendar = _calendar(email, calendar_id)
        person.drop_calendar(world, account, calendar)
        return jsonify(deleted=calendar.id)


def _entry(account: Account, calendar_id: str) -> Json:
    return person.act(world_here(), account, "calendarList.get", {"calendarId": calendar_id})


# ---- events


@control.get("/accounts/<email>/calendars/<calendar_id>/events")
def list_events(email: str, calendar_id: str) -> Response:
    """Every stored event with every field, private properties included; `?deleted=true` adds tombstones."""
    with world_here().lock:
        _, calendar = _calendar(email, calendar_id)
        deleted = request.args.get("deleted") == "true"
        return jsonify(items=person.everything(calendar, deleted=deleted))


@control.post("/accounts/<email>/calendars/<calendar_id>/events")
def add_event(email: str, calendar_id: str) -> Response:
    """An event as the person (or whoever shares the calendar) adds it."""
    world = world_here()
    with world.lock:
        account, calendar = _calendar(email, calendar_id)
        return jsonify(person.force_event(world, account, calendar, person.checked_event(_json())))


@control.get("/accounts/<email>/calendars/<calendar_id>/events/<event_id>")
def get_event(email: str, calendar_id: str, event_id: str) -> Response:
    """One event, exception or computed instance, with every field."""
    with world_here().lock:
        _, calendar = _calendar(email, calendar_id)
        return jsonify(person.find_event(calendar, event_id))


@control.patch("/accounts/<email>/calendars/<calendar_id>/events/<event_id>")
def change_event(email: str, calendar_id: str, event_id: str) -> Response:
    """Edit an event, a series or one date of it (by instance id)."""
    world = world_here()
    with world.lock:
        account, calendar = _calendar(email, calendar_id)
        changes = person.checked_event(_json(), "patch")
        return jsonify(person.change_event(world, account, calendar, event_id, changes))


@control.delete("/accounts/<email>/calendars/<calendar_id>/events/<event_id>")
def delete_event(email: str, calendar_id: str, event_id: str) -> Response:
    """Delete an event, a series or one date of it."""
    world = world_here()
    with world.lock:
        _, calendar = _calendar(email, calendar_id)
        person.delete_event(world, calendar, event_id)
        return jsonify(deleted=event_id)


@control.post(
    "/accounts/<email>/calendars/<calendar_id>/events/<event_id>/<any(move,duplicate,restore,hide,purge,distort):deed>"
)
def act_on_event(email: str, calendar_id: str, event_id: str, deed: str) -> Response:
    """What is neither an edit nor a plain deletion; `_deeds` says what each does."""
    world = world_here()
    with world.lock:
        account, calendar = _calendar(email, calendar_id)
        return jsonify(_deeds(world, account, calendar, event_id)[deed]())


def _deeds(
    world: World, account: Account, calendar: Calendar, event_id: str
) -> dict[str, Callable[[], Json]]:
    body = _json()
    return {
        "move": lambda: person.move_event(world, account, calendar, event_id, body["destination"]),
        "duplicate": lambda: person.duplicate_event(world, account, calendar, event_id),
        "restore": lambda: person.restore_event(world, calendar, event_id),
        "hide": lambda: person.hide_event(world, calendar, event_id, float(body["seconds"])),
        "distort": lambda: person.distort_event(world, calendar, event_id, body),
        "purge": lambda: person.forget_tombstone(calendar, event_id),
    }


# ---- requests, faults, switches


@control.get("/requests")
def show_requests() -> Response:
    """Counters and the requests themselves; `?method=&account=&after=`."""
    log = world_here().log
    with world_here().lock:
        after = int(request.args.get("after", 0))
        rows = log.show(request.args.get("method"), request.args.get("account"), after)
        return jsonify(counters=log.counters(), requests=rows)


@control.post("/requests/reset")
def reset_requests() -> Response:
    """Start counting anew; answers the counters so far."""
    with world_here().lock:
        counters = world_here().log.counters()
        world_here().log.clear()
        return jsonify(counters)


@control.get("/faults")
def list_faults() -> Response:
    """The plan, with how often each fault has struck."""
    with world_here().lock:
        return jsonify(items=[fault.show() for fault in world_here().faults.plan])


@control.post("/faults")
def add_fault() -> Response:
    """Plan a fault."""
    body = _json()
    with world_here().lock:
        return jsonify(world_here().faults.add(body.pop("kind"), **body).show())


@control.delete("/faults")
def clear_faults() -> Response:
    """No more trouble."""
    with world_here().lock:
        world_here().faults.clear()
        return jsonify(items=[])


@control.delete("/faults/<int:number>")
def remove_fault(number: int) -> Response:
    """Drop one fault."""
    with world_here().lock:
        if not world_here().faults.remove(number):
            raise not_found()
        return jsonify(deleted=number)


@control.get("/switches")
def show_switches() -> Response:
    """All switches."""
    with world_here().lock:
        return jsonify(world_here().switches.show())


@control.patch("/switches")
def change_switches() -> Response:
    """Set some switches."""
    with world_here().lock:
        world_here().switches.change(_json())
        return jsonify(world_here().switches.show())


# ---- grants, tokens, clock, channels


@control.get("/grants")
def list_grants() -> Response:
    """What each account granted; tokens themselves are not shown."""
    world = world_here()
    with world.lock:
        rows = [
            {
                "account": world.accounts[grant.sub].email,
                "project": grant.project,
                "scopes": sorted(grant.scopes),
                "refresh_tokens": len(grant.refresh_tokens),
                "serial": grant.serial,
            }
            for grant in world.grants.grants.values()
        ]
        return jsonify(items=rows)


@control.post("/grants")
def grant() -> Response:
    """Tokens without the consent pages: `account`, `scopes`, optionally `client_id`."""
    body, world = _json(), world_here()
    with world.lock:
        account = _account(body["account"])
        client = _client(world, body.get("client_id"))
        scopes = frozenset(_full_scope(scope) for scope in body["scopes"])
        return jsonify(tokens_for(world, account, client, scopes))


def _client(world: World, client_id: str | None) -> Client:
    return world.grants.clients[client_id] if client_id else next(iter(world.grants.clients.values()))


def _full_scope(scope: str) -> str:
    scope = LONG_NAMES.get(scope, scope)
    if scope in SIGN_IN_SCOPES or scope.startswith("https://"):
        return scope
    return PREFIX + scope


@control.post("/grants/revoke")
def revoke_grants() -> Response:
    """As the person does at their Google account page: every project's grant of `account`."""
    world = world_here()
    with world.lock:
        account = _account(_json()["account"])
        projects = [project for sub, project in list(world.grants.grants) if sub == account.sub]
        return jsonify(revoked=sum(world.grants.revoke(account.sub, project) for project in projects))


@control.post("/clients")
def add_client() -> Response:
    """Register an OAuth client: `id`, `secret`, `redirect_uris`, optionally `project`."""
    body, world = _json(), world_here()
    with world.lock:
        body["redirect_uris"] = tuple(body["redirect_uris"])
        client = Client(**body)
        world.grants.clients[client.id] = client
        return jsonify(id=client.id)


@control.post("/access-tokens/expire")
def expire_access_tokens() -> Response:
    """End access tokens early, of `account` or of all."""
    world = world_here()
    with world.lock:
        email = _json().get("account")
        sub = _account(email).sub if email else None
        return jsonify(expired=world.grants.expire_access_tokens(sub))


@control.post("/sync-tokens/expire")
def expire_sync_tokens() -> Response:
    """410 for every sync token so far: of one `calendar` of `account`, or of everything; lists included."""
    body, world = _json(), world_here()
    with world.lock:
        if "calendar" in body:
            _calendar(body["account"], body["calendar"])[1].epoch += 1
            return jsonify(expired=1)
        accounts = [_account(body["account"])] if "account" in body else list(world.accounts.values())
        world.expire_sync_tokens(accounts)
        return jsonify(expired=len(accounts))


@control.get("/channels")
def list_channels() -> Response:
    """Every channel ever opened, with what its last deliveries met."""
    with world_here().lock:
        return jsonify(items=[channel.show() for channel in world_here().channels.open.values()])


@control.post("/clock")
def move_clock() -> Response:
    """Move sandbox time by `advance_seconds`, to age tokens and channels."""
    world = world_here()
    with world.lock:
        seconds: Any = _json().get("advance_seconds", 0)
        if not isinstance(seconds, (int, float)):
            raise invalid("advance_seconds is a number")
        world.clock.advance(seconds)
        return jsonify(now=world.now_stamp())
