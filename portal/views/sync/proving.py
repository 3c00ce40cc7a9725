"""The proof on an appointment's page: "In Google as 1042", or why not; *Look in Google now*, *Push again*."""

from __future__ import annotations

from flask import Blueprint, abort, flash, redirect, url_for
from flask.typing import ResponseReturnValue

from portal.clock import utcnow
from portal.errors import (
    AccessRefused,
    AuthorizationExpired,
    CalendarError,
    PermissionDenied,
    QuotaExceeded,
    RateLimited,
    Refused,
    ScopeMissing,
)
from portal.extensions import begin_writing, db
from portal.models import Appointment
from portal.standing import proof
from portal.views.door import callers
from portal.views.page.signing_in import signed_in_provider

blueprint = Blueprint("proving", __name__)


@blueprint.app_template_global()
def google_proof(appointment: Appointment) -> proof.Proof | None:
    """For templates/page/google_proof.html."""
    return proof.prove(appointment)


LOOKED = {  # what Google shows now, and how good that is
    "in-step": ("good", "Looked in Google just now: it is there, as it is here."),
    "waiting": ("message", "Looked in Google just now: a change is still on its way there."),
    "asked": ("warn", "Looked in Google just now: it was changed there. Your answer is asked for."),
    "gone-there": (
        "warn",
        "Looked in Google just now: it was deleted there. You are asked about it in a moment.",
    ),
    "differs": ("warn", "Looked in Google just now: it shows something else. It is put right in a moment."),
    "still-there": ("warn", "Looked in Google just now: it is still there. It is taken out in a moment."),
    None: ("good", "Looked in Google just now: it is not there, and need not be."),
}
FAILED = {
    AuthorizationExpired: "Google no longer accepts our sign-in: reconnect under Sync Calendar.",
    AccessRefused: "Google refuses our sign-in just now. Nothing was changed; try again in a minute.",
    ScopeMissing: "A permission is missing: reconnect under Sync Calendar, and tick every box.",
    PermissionDenied: "Google does not let us open our calendar just now. Sync Calendar tells what to do.",
    RateLimited: "Google asks us to wait a little. Try again in a minute.",
    QuotaExceeded: "Google asks us to wait for an hour or more. Nothing was changed.",
}
UNAVAILABLE = "Google could not be asked just now. Nothing was changed; try again in a moment."


@blueprint.post("/look-up/<int:appointment_id>")
@callers.signed_in
def look(appointment_id: int) -> ResponseReturnValue:
    """Ask Google for this one event, now. One short request; what differs is the next run's to mend."""
    provider, now = signed_in_provider(), utcnow()
    appointment = db.session.get(Appointment, appointment_id)
    if appointment is None or appointment.provider_id != provider.id:
        abort(404)
    try:
        kind, words = LOOKED[proof.look(appointment, now=now)]
    except Refused:
        kind, words = "message", "Nothing of this appointment was sent to Google yet."
    except CalendarError as error:
        db.session.rollback()
        kind, words = "warn", FAILED.get(type(error), UNAVAILABLE)
    flash(words, kind)
    return redirect(url_for("appointments.show", appointment_id=appointment_id), 303)


@blueprint.post("/push-again/<int:appointment_id>")
@callers.signed_in
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
    told = proof.prove(appointment)
    if told is not None and told.needs_a_person:
        flash("It is written to Google again as soon as the sync works: see Sync Calendar.", "message")
    else:
        flash("It is being written to Google again.", "good")
    return redirect(url_for("appointments.show", appointment_id=appointment_id), 303)
