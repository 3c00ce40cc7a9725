"""Who is calling, and may they: scopes per method (facts §3) and roles per calendar (facts §4)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sandbox.calls.discovery import Method
from sandbox.ground.errors import (
    GoogleError,
    Json,
    insufficient_permissions,
    not_found,
    required_access_level,
)
from sandbox.ground.model import ROLES, Account, Calendar
from sandbox.ground.scopes import PREFIX
from sandbox.state.world import World

EVERYTHING = PREFIX + "calendar"
APP_CREATED = PREFIX + "calendar.app.created"
OWNED = frozenset({PREFIX + "calendar.events.owned", PREFIX + "calendar.events.owned.readonly"})
PUBLIC = PREFIX + "calendar.events.public.readonly"
FREE_BUSY = PREFIX + "calendar.events.freebusy"
LEVEL_WORDS = {"freeBusyReader": "free/busy", "reader": "reader", "writer": "writer", "owner": "owner"}


@dataclass(frozen=True)
class Caller:
    """The account behind a token, and what the token may do."""

    account: Account
    scopes: frozenset[str]
    project: str
    grant_serial: int


@dataclass(frozen=True)
class Call:
    """One checked request, on its way to the function that answers it."""

    world: World
    caller: Caller
    method: Method
    params: Json
    body: Json
    if_match: str | None = None
    listed_after_seconds: float | None = None  # the fault `delayed_visibility`
    empty_page: bool = False  # the fault `empty_page`

    @property
    def account(self) -> Account:
        """Whose request this is."""
        return self.caller.account

    def param(self, name: str, default: Any = None) -> Any:
        """A parameter or its default."""
        return self.params.get(name, default)


def require_scope(call: Call) -> None:
    """Raises 403 when no scope of the token opens the method at all."""
    if not call.caller.scopes & call.method.scopes:
        raise insufficient_permissions()


def open_calendar(call: Call, level: str, calendar_id: str | None = None) -> Calendar:
    """The calendar the call names. Raises 404 (unknown or unseen), 403 scope, 403 `requiredAccessLevel`."""
    calendar = find_calendar(call, calendar_id or call.params["calendarId"])
    role = calendar.roles.get(call.account.sub) if calendar else None
    if calendar is None or role is None:
        raise not_found()
    _require_scope_on(call, calendar, role)
    if ROLES.index(role) < ROLES.index(level):
        raise required_access_level(LEVEL_WORDS[level])
    return calendar


def find_calendar(call: Call, calendar_id: str) -> Calendar | None:
    """The calendar with this id; `primary` is the caller's own."""
    wanted = call.account.email if calendar_id == "primary" else calendar_id
    return call.world.calendars.get(wanted)


def sees_only_busy(call: Call, calendar: Calendar) -> bool:
    """Whether this call may see times but no details: by role, or because only a free/busy scope opens it."""
    if calendar.roles[call.account.sub] == "freeBusyReader":
        return True
    openers = _openers(call, calendar, calendar.roles[call.account.sub])
    return openers == {FREE_BUSY}


def sees_private(call: Call, calendar: Calendar) -> bool:
    """Whether private events show their details."""
    return calendar.roles[call.account.sub] in ("writer", "owner")


def _require_scope_on(call: Call, calendar: Calendar, role: str) -> None:
    if not _openers(call, calendar, role):
        raise _scope_refusal(call)


def _scope_refusal(call: Call) -> GoogleError:
    only_app_created = call.caller.scopes & call.method.scopes == {APP_CREATED}
    if only_app_created and call.world.switches.app_created_refusal_is_404:
        return not_found()
    return insufficient_permissions()


def _openers(call: Call, calendar: Calendar, role: str) -> set[str]:
    """The scopes of the token that open this method on this calendar."""
    return {
        scope
        for scope in call.caller.scopes & call.method.scopes
        if scope != PUBLIC
        and (scope not in OWNED or _is_owned(call, calendar, role))
        and (scope != APP_CREATED or _is_app_created(call, calendar))
    }


def _is_owned(call: Call, calendar: Calendar, role: str) -> bool:
    if call.world.switches.owned_means_data_owner:
        return calendar.data_owner == call.account.sub
    return role == "owner"


def _is_app_created(call: Call, calendar: Calendar) -> bool:
    if calendar.created_by is None or calendar.data_owner != call.account.sub:
        return False
    project, serial = calendar.created_by
    survives = call.world.switches.app_created_survives_regrant
    return project == call.caller.project and (survives or serial == call.caller.grant_serial)
