"""The audit log as views write it: who, from where, about what."""

from __future__ import annotations

import datetime as dt

from flask import request

from portal.extensions import if_possible
from portal.models import Appointment, ChangeCard, Client, Connection, Provider
from portal.people import audit

LOOK_WAITS_SECONDS = 1.0

KINDS = {Appointment: "appointment", ChangeCard: "change-card", Client: "client", Connection: "connection"}


def note(
    action: str,
    provider: Provider | None,
    *,
    now: dt.datetime,
    about: Appointment | ChangeCard | Client | Connection | None = None,
    outcome: str = "done",
) -> None:
    """One entry for this request, committed with what it tells of. `provider`: who acted, if known."""
    audit.record(
        action,
        now=now,
        provider_id=provider.id if provider else None,
        object_kind=KINDS[type(about)] if about is not None else None,
        object_id=about.id if about is not None else None,
        outcome=outcome,
        address=request.remote_addr,
    )


def note_look(action: str, provider: Provider, about: Appointment | Client, *, now: dt.datetime) -> None:
    """A look at a record. Committed; a log that cannot be written to keeps nobody from a record.

    Who sits with a client needs the page, and it changes nothing. The look is then told in the process's own
    log, with the same ids, so that it is on record all the same (docs/security.md).
    """
    ids = {"action": action, "provider": provider.id, "object": about.id}
    with if_possible("audit.not-written", within_seconds=LOOK_WAITS_SECONDS, **ids):
        note(action, provider, now=now, about=about)
