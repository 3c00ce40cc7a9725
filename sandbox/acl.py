"""acl.list: who may do what on a calendar. Sharing is done by the control API, as people do it."""

from __future__ import annotations

from sandbox.access import Call, open_calendar
from sandbox.errors import Json


def list_rules(call: Call) -> Json:
    """The rules of a calendar that the person owns."""
    calendar = open_calendar(call, "owner")
    rules = [_rule(call, sub, role, calendar.etag) for sub, role in calendar.roles.items()]
    return {"kind": "calendar#acl", "etag": calendar.etag, "items": rules}


def _rule(call: Call, sub: str, role: str, etag: str) -> Json:
    email = call.world.accounts[sub].email
    scope = {"type": "user", "value": email}
    return {"kind": "calendar#aclRule", "etag": etag, "id": f"user:{email}", "scope": scope, "role": role}
