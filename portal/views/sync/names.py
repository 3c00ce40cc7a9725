"""The form part "How client names appear", which two pages share: what it shows, and what it saves."""

from __future__ import annotations

import datetime as dt
from typing import Any

import sqlalchemy as sa
from flask import request

from portal.errors import InvalidInput, PortalError, Refused
from portal.extensions import db
from portal.models import Client, NameDisplay, Provider, SyncMode
from portal.practice import clients
from portal.practice.disclosure import client_outside

LABELS = (
    (NameDisplay.INTERNAL_ID, "Internal ID"),
    (NameDisplay.INITIALS, "Initials"),
    (NameDisplay.FIRST_NAME, "First name"),
    (NameDisplay.FULL_NAME, "Full name"),
)
INVENTED = (
    ("Internal ID", "1042"),
    ("Initials", "J.S."),
    ("First name", "Jane"),
    ("Full name", "Jane Smith"),
)
DISPLAYS = {display.value: display for display, _ in LABELS}


def save(provider: Provider, *, now: dt.datetime) -> bool:
    """Store what the form says; without this form part nothing changes. Raises InvalidInput, Refused."""
    if "display" not in request.form:
        return False
    return clients.change_display(
        provider,
        DISPLAYS.get(request.form["display"], provider.name_display),
        confirmed="confirmed" in request.form,
        sends_other_titles="sends_other_titles" in request.form,
        now=now,
    )


def is_changed(provider: Provider) -> bool:
    """Whether the form says something else than what is stored."""
    typed = DISPLAYS.get(request.form.get("display", ""), provider.name_display)
    return typed is not provider.name_display or (
        "display" in request.form
        and ("sends_other_titles" in request.form) is not provider.sends_other_titles
    )


def problem_code(error: PortalError) -> str:
    """Which words the page shows about a refused form."""
    if isinstance(error, Refused):
        return error.code
    return "unconfirmed" if isinstance(error, InvalidInput) else "refused"


def context(provider: Provider) -> dict[str, Any]:
    """The choices, what was typed last, and an example of each for one of the provider's own clients."""
    asked = DISPLAYS.get(request.values.get("display", ""), provider.name_display)
    is_typed = request.method == "POST"
    holds = provider.display_confirmed_at is not None and provider.sync_mode is not SyncMode.OFF
    return {
        "displays": LABELS,
        "display": asked,
        "display_label": dict(LABELS)[provider.name_display],
        "confirmed": "confirmed" in request.form if is_typed else holds,
        "other_titles": "sends_other_titles" in request.form if is_typed else provider.sends_other_titles,
        "name_examples": examples(provider),
    }


def examples(provider: Provider) -> tuple[tuple[str, str], ...]:
    """Each way of showing a name, for the provider's newest client; invented ones while there is none."""
    client = db.session.scalar(
        sa.select(Client)
        .where(Client.provider_id == provider.id, Client.archived_at.is_(None))
        .order_by(Client.id.desc())
        .limit(1)
    )
    if client is None:
        return INVENTED
    numbers = clients.display_numbers(client)
    return tuple(
        (label, client_outside(display, internal_id=client.internal_id, name=client.name, numbers=numbers))
        for display, label in LABELS
    )
