"""What the views of appointments share: the blueprint, whose an appointment is, what is said of a change."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from flask import Blueprint, abort, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from portal.clock import utcnow
from portal.errors import Refused
from portal.extensions import db
from portal.models import Appointment, AppointmentType, Client
from portal.practice import offers, series
from portal.views.page.auditing import note
from portal.views.page.signing_in import signed_in_provider

blueprint = Blueprint("appointments", __name__, url_prefix="/appointments")
REFUSALS = {
    "archived": "It is archived. Reinstate it first; nothing was changed.",
    "not-scheduled": "It is no longer scheduled. Reinstate it first; nothing was changed.",
    "nothing-to-reinstate": "It is scheduled already; nothing was changed.",
}


def scope_counts(appointment: Appointment | None) -> dict[str, int]:
    """How many appointments each answer to *Apply to* is about; nothing for a single one."""
    if appointment is None or appointment.series_id is None:
        return {}
    now = utcnow()
    return {scope.value: len(series.affected(appointment, scope, now=now)) for scope in series.Scope}


def find_appointment(appointment_id: int) -> Appointment:
    """The row, locked when the request writes; 404 without one."""
    query = sa.select(Appointment).where(Appointment.id == appointment_id)
    if request.method == "POST":
        query = query.with_for_update()
    return db.session.scalar(query) or abort(404)


def own_appointment(appointment_id: int) -> Appointment:
    """Somebody else's is as good as not there. A Google event is never found here: that is its lock."""
    appointment = find_appointment(appointment_id)
    if appointment.provider_id != signed_in_provider().id:
        abort(404)
    return appointment


def choosable_clients(appointment: Appointment | None) -> Sequence[Client]:
    """The provider's clients that are not archived, and the one the appointment has already."""
    kept = appointment.client_id if appointment else None
    return db.session.scalars(
        sa.select(Client)
        .where(
            Client.provider_id == signed_in_provider().id,
            sa.or_(Client.archived_at.is_(None), Client.id == kept),
        )
        .order_by(sa.func.lower(Client.name), Client.internal_id)
    ).all()


def refuse(appointment: Appointment, refused: Refused) -> ResponseReturnValue:
    db.session.rollback()
    flash(REFUSALS.get(refused.code, "That is not possible; nothing was changed."), "warn")
    return redirect(url_for("appointments.show", appointment_id=appointment.id), 303)


def to_page(appointment: Appointment) -> ResponseReturnValue:
    return redirect(url_for("appointments.show", appointment_id=appointment.id), 303)


def types_for(appointment: Appointment | None) -> list[AppointmentType]:
    """The practice's types, and the one the appointment has already."""
    kept = [appointment.type] if appointment and appointment.type and appointment.type.archived_at else []
    return [*offers.types(), *kept]


def record(action: str, appointment: Appointment) -> None:
    note(action, signed_in_provider(), now=utcnow(), about=appointment)
