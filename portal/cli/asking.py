"""What the commands share: finding a provider, reading a password, refusing, keeping what was done."""

from __future__ import annotations

import datetime as dt
import sys
from typing import NoReturn

import click

from portal.errors import InvalidInput
from portal.extensions import db
from portal.models import Client, Provider
from portal.people import accounts, audit


def find_provider(email: str) -> Provider:
    provider = accounts.find_provider(email)
    if provider is None:
        raise click.ClickException("There is no provider with this e-mail address.")
    return provider


def read_password() -> str:
    return sys.stdin.readline().rstrip("\r\n")


def keep(action: str, about: Provider | Client, *, now: dt.datetime) -> None:
    """Commit what was done, with its line in the audit log: by nobody who is signed in."""
    kind = action.partition(".")[0]
    audit.record(action, now=now, provider_id=None, object_kind=kind, object_id=about.id)
    db.session.commit()


def refuse(error: InvalidInput) -> NoReturn:
    """End with what was wrong, field by field; nothing was stored."""
    db.session.rollback()
    raise click.ClickException(" ".join(f"{name}: {text}" for name, text in error.problems.items()))
