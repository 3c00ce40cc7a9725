"""`flask keys …`: what the keys of TOKEN_ENCRYPTION_KEYS open, and changing them without losing anything."""

from __future__ import annotations

import hashlib
import sys

import click
from flask import current_app
from flask.cli import AppGroup

from portal.clock import utcnow
from portal.config import Config
from portal.extensions import db
from portal.people import audit
from portal.rows import encrypted

FINGERPRINT_LETTERS = 8

keys_group = AppGroup("keys", help="The keys of TOKEN_ENCRYPTION_KEYS.")


@keys_group.command("check")
def keys_check() -> None:
    """Count what each key opens, and what none does.

    Exit 0: a key is there for everything. 1: something cannot be read.
    """
    keys = _keys()
    for place, key in enumerate(keys, 1):
        click.echo(f"key {place} is {_fingerprint(key)}{', and encrypts' if place == 1 else ''}")
    counts = encrypted.count(keys)
    for each in counts:
        opened = ", ".join(f"{number} by key {place}" for place, number in enumerate(each.opened, 1))
        click.echo(f"{each.table}.{each.column}: {opened}, {each.unreadable} by none")
    sys.exit(_verdict(sum(each.unreadable for each in counts)))


@keys_group.command("rotate")
def keys_rotate() -> None:
    """Write everything anew under the first key, so that the others can be let go.

    Safe while the portal runs, and to do twice. What no key opens stays as it is and is counted.
    Exit 0: everything is under the first key. 1: something is not.
    """
    done = encrypted.rotate(_keys())
    for each in done:
        overtaken = f", {each.overtaken} changed meanwhile" if each.overtaken else ""
        click.echo(
            f"{each.table}.{each.column}: {each.written} written anew, {each.current} were already"
            f"{overtaken}, {each.unreadable} by no key"
        )
    audit.record("keys.rotated", now=utcnow(), provider_id=None)
    db.session.commit()
    if any(each.overtaken for each in done):
        click.echo("Run it once more for what changed meanwhile.")
        sys.exit(1)
    sys.exit(_verdict(sum(each.unreadable for each in done)))


@keys_group.command("forget")
@click.option("--yes", is_flag=True, help="Do not ask.")
def keys_forget(yes: bool) -> None:
    """Delete for good what no key opens: sign-ins at Google, addresses of feeds, what waits to be undone.

    Feeds go on under the address that their readers have. Whoever's sign-in goes has to reconnect.
    """
    unreadable = sum(each.unreadable for each in encrypted.count(_keys()))
    if not unreadable:
        click.echo("A key is there for everything. Nothing was deleted.")
        return
    if not yes:
        click.confirm(f"{unreadable} cannot be read. No key will bring them back. Delete them?", abort=True)
    for each in encrypted.forget(_keys()):
        click.echo(f"{each.table}.{each.column}: {each.unreadable} deleted")
    audit.record("keys.forgotten", now=utcnow(), provider_id=None)
    db.session.commit()


def _verdict(unreadable: int) -> int:
    """The exit code; and what can be done, where something is wrong."""
    if not unreadable:
        return 0
    click.echo(
        f"{unreadable} cannot be read, and wait for their key. Add it to TOKEN_ENCRYPTION_KEYS, behind the "
        "first; or let them go with `keys forget`."
    )
    return 1


def _keys() -> tuple[str, ...]:
    config: Config = current_app.extensions["config"]
    return config.token_encryption_keys


def _fingerprint(key: str) -> str:
    """Tells keys apart, and nothing of them."""
    return hashlib.sha256(key.encode()).hexdigest()[:FINGERPRINT_LETTERS]
