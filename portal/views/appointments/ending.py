"""What becomes of an appointment: canceled, missed, completed, archived, and back again."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from flask import render_template, request
from flask.typing import ResponseReturnValue

from portal.clock import utcnow
from portal.errors import InvalidInput, Refused
from portal.extensions import db
from portal.models import Appointment
from portal.practice import appointments, series
from portal.practice.undo import Memory
from portal.rows import event_links
from portal.views.appointments.desk import blueprint, own_appointment, record, refuse, scope_counts, to_page
from portal.views.appointments.form import read_scope
from portal.views.door import callers
from portal.views.page.signing_in import signed_in_provider


@blueprint.get("/<int:appointment_id>/cancel")
@callers.signed_in
def ask_cancel(appointment_id: int) -> ResponseReturnValue:
    return _cancel_page(own_appointment(appointment_id), {}, {})


@blueprint.post("/<int:appointment_id>/cancel")
@callers.signed_in
def cancel(appointment_id: int) -> ResponseReturnValue:
    provider, appointment, now = signed_in_provider(), own_appointment(appointment_id), utcnow()
    scope = read_scope(request.form.get("apply_to", ""))
    affected = series.affected(appointment, scope, now=now)
    memory, has_guests = Memory(affected), event_links.have_guests(affected)
    try:
        count = series.cancel(
            appointment,
            scope,
            late=bool(request.form.get("late")),
            reason=request.form.get("reason", ""),
            now=now,
            actor=provider,
            source="web",
        )
    except InvalidInput as invalid:
        db.session.rollback()
        return _cancel_page(own_appointment(appointment_id), invalid.problems, request.form), 422
    except Refused as refused:
        return refuse(appointment, refused)
    record("appointment.canceled", appointment)
    words = (
        "Canceled. It stays here, crossed out."
        if count == 1
        else f"{count} appointments canceled. They stay here, crossed out."
    )
    if has_guests:
        words += " Guests invited in Google were not told."
    memory.keep(provider, words, now=now)
    db.session.commit()
    return to_page(appointment)


@blueprint.post("/<int:appointment_id>/no-show")
@callers.signed_in
def no_show(appointment_id: int) -> ResponseReturnValue:
    return _act(appointment_id, appointments.mark_no_show, "no-show", "Marked as no-show.")


@blueprint.post("/<int:appointment_id>/complete")
@callers.signed_in
def complete(appointment_id: int) -> ResponseReturnValue:
    return _act(appointment_id, appointments.mark_completed, "completed", "Marked as completed.")


@blueprint.post("/<int:appointment_id>/archive")
@callers.signed_in
def archive(appointment_id: int) -> ResponseReturnValue:
    return _act(
        appointment_id,
        appointments.archive,
        "archived",
        "Archived. Tick “Show archived” in the calendar to see it there.",
    )


@blueprint.post("/<int:appointment_id>/reinstate")
@callers.signed_in
def reinstate(appointment_id: int) -> ResponseReturnValue:
    return _act(appointment_id, appointments.reinstate, "reinstated", "Reinstated.")


def draw_cancel(fields: Mapping[str, str], appointment_id: int) -> str:
    return _cancel_page(own_appointment(appointment_id), {}, fields)


def _cancel_page(appointment: Appointment, problems: Mapping[str, str], values: Mapping[str, str]) -> str:
    return render_template(
        "appointments/cancel.html",
        appointment=appointment,
        problems=problems,
        values=values,
        counts=scope_counts(appointment),
    )


def _act(appointment_id: int, verb: Callable[..., None], name: str, words: str) -> ResponseReturnValue:
    """One of the verbs that need no more than the appointment."""
    provider, appointment, now = signed_in_provider(), own_appointment(appointment_id), utcnow()
    memory = Memory([appointment])
    try:
        verb(appointment, now=now, actor=provider, source="web")
    except Refused as refused:
        return refuse(appointment, refused)
    record(f"appointment.{name}", appointment)
    memory.keep(provider, words, now=now)
    db.session.commit()
    return to_page(appointment)
