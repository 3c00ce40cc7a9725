"""What every control call asks first: who may call, the JSON sent, the account and the calendar named."""

from __future__ import annotations

from flask import request

from sandbox.ground.errors import Json, not_found
from sandbox.ground.model import Account, Calendar
from sandbox.people import person
from sandbox.state.here import world_here

LOOPBACK = ("127.0.0.1", "::1", "::ffff:127.0.0.1")


def asked_from_this_machine() -> bool:
    """Whoever can reach the control calls can do anything, so only this machine can."""
    return request.remote_addr in LOOPBACK


def json_body() -> Json:
    """The JSON object sent; an empty one when there is none."""
    body = request.get_json(silent=True)
    return body if isinstance(body, dict) else {}


def account_named(email: str) -> Account:
    """The account with this address. Raises 404."""
    account = world_here().account_by_email(email)
    if account is None:
        raise not_found()
    return account


def calendar_named(email: str, calendar_id: str) -> tuple[Account, Calendar]:
    """An account and a calendar it sees. Raises 404."""
    account = account_named(email)
    return account, person.calendar_of(world_here(), account, calendar_id)
