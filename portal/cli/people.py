"""`flask provider …` and `flask client …`."""

from __future__ import annotations

import click
from flask.cli import AppGroup

from portal.cli.asking import find_provider, keep, read_password, refuse
from portal.clock import utcnow
from portal.connection import switching
from portal.errors import InvalidInput
from portal.people import accounts, audit
from portal.practice import clients

provider_group = AppGroup("provider", help="Providers' accounts.")
client_group = AppGroup("client", help="Clients.")


@provider_group.command("add")
@click.argument("email")
@click.option("--name", required=True)
@click.option("--timezone", required=True, help="An IANA zone, such as America/Chicago.")
@click.option("--owner", is_flag=True, help="May administer the practice and see every appointment.")
@click.option("--password-stdin", is_flag=True, required=True, help="Read the password from standard input.")
def provider_add(email: str, name: str, timezone: str, owner: bool, password_stdin: bool) -> None:
    """Add a provider."""
    now = utcnow()
    try:
        provider = accounts.add_provider(
            email=email, name=name, timezone=timezone, password=read_password(), is_owner=owner, now=now
        )
    except InvalidInput as error:
        refuse(error)
    keep("provider.added", provider, now=now)
    click.echo(f"Added provider {provider.id}.")


@provider_group.command("set-password")
@click.argument("email")
@click.option("--password-stdin", is_flag=True, required=True, help="Read the password from standard input.")
def provider_set_password(email: str, password_stdin: bool) -> None:
    """Set a provider's password and end every open session of theirs."""
    now = utcnow()
    provider = find_provider(email)
    try:
        accounts.set_password(provider, read_password())
    except InvalidInput as error:
        refuse(error)
    accounts.end_sessions(provider, now=now)
    keep("provider.password", provider, now=now)
    click.echo("Password set.")


@provider_group.command("deactivate")
@click.argument("email")
def provider_deactivate(email: str) -> None:
    """Close a provider's account: sign-in, feed and sync end, what is ours leaves Google. Appointments stay.

    The worker takes the events out of Google and gives the grant back; `sync now EMAIL` waits for it.
    """
    now = utcnow()
    provider = find_provider(email)
    accounts.deactivate(provider, now=now)
    leaving = switching.close_down(provider, now=now)
    if leaving is not None:
        audit.record(
            "sync.turned-off", now=now, provider_id=None, object_kind="connection", object_id=leaving.id
        )
    keep("provider.deactivated", provider, now=now)
    click.echo(
        "Deactivated. What is in their Google Calendar is being removed." if leaving else "Deactivated."
    )


@provider_group.command("reactivate")
@click.argument("email")
def provider_reactivate(email: str) -> None:
    """Open a deactivated account again, with every sync off. The password is the one it had."""
    now = utcnow()
    provider = find_provider(email)
    if provider.deactivated_at is None:
        click.echo("The account is open.")
        return
    switching.close_down(provider, now=now)  # nothing that was on before comes back with the account
    accounts.reactivate(provider)
    keep("provider.reactivated", provider, now=now)
    click.echo("Reactivated. Sync is off.")


@client_group.command("add")
@click.option("--provider", "email", required=True, help="The provider's e-mail address.")
@click.option("--name", required=True)
def client_add(email: str, name: str) -> None:
    """Add a client and print the internal ID alone."""
    now = utcnow()
    provider = find_provider(email)
    try:
        client = clients.add_client(provider, name, now=now)
    except InvalidInput as error:
        refuse(error)
    keep("client.added", client, now=now)
    click.echo(client.internal_id)
