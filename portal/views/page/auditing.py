"""The audit log as views write it: who, from where, about what."""

from __future__ import annotations

import datetime as dt

from flask import request

from portal.models import Appointment, ChangeCard, Client, Connection, Provider
from portal.people import audit

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
