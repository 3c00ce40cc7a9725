"""What the commands share: finding a provider, reading a password, refusing."""

from __future__ import annotations

import sys
from typing import NoReturn

import click

from portal.errors import InvalidInput
from portal.extensions import db
from portal.models import Provider
from portal.people import accounts


def find_provider(email: str) -> Provider:
    provider = accounts.find_provider(email)
    if provider is None:
        raise click.ClickException("There is no provider with this e-mail address.")
    return provider


def read_password() -> str:
    return sys.stdin.readline().rstrip("\r\n")


def refuse(error: InvalidInput) -> NoReturn:
    """End with what was wrong, field by field; nothing was stored."""
    db.session.rollback()
    raise click.ClickException(" ".join(f"{name}: {text}" for name, text in error.problems.items()))
