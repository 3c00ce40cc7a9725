"""The proof on an appointment's page: "In Google as 1042", or why not, and *Push again*."""

from __future__ import annotations

from flask import Blueprint, abort, flash, redirect, url_for
from flask.typing import ResponseReturnValue

from portal import proof
from portal.clock import utcnow
from portal.errors import Refused
from portal.extensions import begin_writing, db
from portal.models import Appointment
from portal.views.signing_in import signed_in_provider

blueprint = Blueprint("proving", __name__)


@blueprint.app_template_global()
def google_proof(appointment: Appointment) -> proof.Proof | None:
    """For templates/components/google_proof.html."""
    return proof.prove(appointment)


@blueprint.post("/push-again/<int:appointment_id>")
def push_again(appointment_id: int) -> ResponseReturnValue:
    """Write the event anew. The page tells when it is confirmed."""
    provider, now = signed_in_provider(), utcnow()
    begin_writing()
    appointment = db.session.get(Appointment, appointment_id)
    if appointment is None or appointment.provider_id != provider.id:
        abort(404)
    try:
        proof.push_again(appointment, now=now)
    except Refused:
        db.session.rollback()
        flash("There is nothing to push for this appointment.", "message")
        return redirect(url_for("appointments.show", appointment_id=appointment_id), 303)
    db.session.commit()
    flash("It is being written to Google again.", "good")
    return redirect(url_for("appointments.show", appointment_id=appointment_id), 303)
