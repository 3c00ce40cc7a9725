"""The page of one appointment, with its history."""

from __future__ import annotations

import sqlalchemy as sa
from flask import abort, render_template
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import joinedload

from portal.clock import utcnow
from portal.extensions import db
from portal.models import AppointmentHistory
from portal.views.appointments.changing import entry_of
from portal.views.appointments.desk import blueprint, find_appointment
from portal.views.door import callers
from portal.views.page.auditing import note_look
from portal.views.page.signing_in import signed_in_provider


@blueprint.get("/<int:appointment_id>")
@callers.signed_in
def show(appointment_id: int) -> ResponseReturnValue:
    """The practice's owner may look at everybody's, and the audit log notes it."""
    provider, appointment = signed_in_provider(), find_appointment(appointment_id)
    if appointment.provider_id != provider.id:
        if not provider.is_owner:
            abort(404)
        note_look("appointment.read", provider, appointment, now=utcnow())
    history = db.session.scalars(
        sa.select(AppointmentHistory)
        .options(joinedload(AppointmentHistory.provider))
        .where(AppointmentHistory.appointment_id == appointment.id)
        .order_by(AppointmentHistory.id.desc())
    ).all()
    return render_template(
        "appointments/show.html",
        appointment=appointment,
        history=history,
        is_own=appointment.provider_id == provider.id,
        entry=entry_of(appointment),
        zone=provider.zone,
    )
