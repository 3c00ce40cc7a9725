"""acl.*: who may do what on a calendar. Rules are for single people; groups and domains are refused."""

from __future__ import annotations

from sandbox.calls.access import Call, open_calendar
from sandbox.ground.errors import Json, calendar_refusal, invalid, not_found, required
from sandbox.ground.model import ROLES, Account, Calendar


def list_rules(call: Call) -> Json:
    """The rules of a calendar that the person owns."""
    calendar = open_calendar(call, "owner")
    rules = [_show(call, calendar, sub) for sub in calendar.roles]
    return {"kind": "calendar#acl", "etag": calendar.etag, "items": rules}


def get(call: Call) -> Json:
    """One rule."""
    calendar = open_calendar(call, "owner")
    return _show(call, calendar, _holder(call, calendar).sub)


def insert(call: Call) -> Json:
    """Share the calendar with a person of this sandbox."""
    calendar = open_calendar(call, "owner")
    scope = call.body.get("scope") or {}
    if scope.get("type") != "user" or not scope.get("value"):
        raise invalid("The sandbox shares with single people only.", "scope")
    account = call.world.account_by_email(scope["value"])
    if account is None:
        raise invalid("Invalid scope value.", "scope.value")
    return _give(call, calendar, account)


def change(call: Call) -> Json:
    """patch and update: another role for somebody who has one."""
    calendar = open_calendar(call, "owner")
    return _give(call, calendar, _holder(call, calendar))


def delete(call: Call) -> None:
    """Take somebody's access away; their list keeps a tombstone."""
    calendar = open_calendar(call, "owner")
    account = _holder(call, calendar)
    _protect_data_owner(calendar, account)
    del calendar.roles[account.sub]
    call.world.remove_from_list(account, calendar.id)


def _give(call: Call, calendar: Calendar, account: Account) -> Json:
    role = call.body.get("role")
    if role is None:
        raise required("role")
    if role not in ROLES:
        raise invalid("Invalid role.", "role")
    if role != "owner":
        _protect_data_owner(calendar, account)
    call.world.share(calendar, account, role)
    return _show(call, calendar, account.sub)


def _protect_data_owner(calendar: Calendar, account: Account) -> None:
    """The data owner's access cannot be lowered (facts §4)."""
    if calendar.data_owner == account.sub:
        raise calendar_refusal("cannotChangeOwnerAcl", "Cannot change the calendar owner's access level.")


def _holder(call: Call, calendar: Calendar) -> Account:
    kind, _, email = call.params["ruleId"].partition(":")
    account = call.world.account_by_email(email)
    if kind != "user" or account is None or account.sub not in calendar.roles:
        raise not_found()
    return account


def _show(call: Call, calendar: Calendar, sub: str) -> Json:
    email = call.world.accounts[sub].email
    rule: Json = {"kind": "calendar#aclRule", "etag": calendar.etag, "id": f"user:{email}"}
    return rule | {"scope": {"type": "user", "value": email}, "role": calendar.roles[sub]}
