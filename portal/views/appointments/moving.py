"""Moving an appointment to another time, dragged or typed."""

from __future__ import annotations

from collections.abc import Mapping

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.errors import InvalidInput, Refused, StaleRevision
from portal.extensions import db
from portal.models import Appointment
from portal.views.appointments import overlaps
from portal.views.appointments.booking import INTO_THE_SHEET, stale_page
from portal.views.appointments.changing import save_change
from portal.views.appointments.desk import blueprint, own_appointment, refuse, scope_counts
from portal.views.appointments.form import AppointmentForm
from portal.views.door import callers
from portal.views.page.returning import go_back, own_path
from portal.views.page.signing_in import signed_in_provider


@blueprint.get("/<int:appointment_id>/move")
@callers.signed_in
def ask_move(appointment_id: int) -> ResponseReturnValue:
    appointment = own_appointment(appointment_id)
    if appointment.archived_at is not None:
        return refuse(appointment, Refused("archived"))
    return _move_page(appointment, AppointmentForm.moved(appointment, request.args))


@blueprint.post("/<int:appointment_id>/move")
@callers.signed_in
def move(appointment_id: int) -> ResponseReturnValue:
    """Another time, and nothing else. With `careful`, what needs a decision is asked first."""
    appointment = own_appointment(appointment_id)
    form = AppointmentForm.moved(appointment, request.form)
    if request.form.get("careful") and _needs_asking(appointment, form):
        form.values["drawn"] = request.form.get("drawn", "")
        return _move_page(appointment, form), INTO_THE_SHEET
    try:
        save_change(appointment, form, "Moved to")
    except InvalidInput as invalid:
        db.session.rollback()
        form.problems = invalid.problems
        return _move_page(own_appointment(appointment_id), form), 422
    except StaleRevision:
        return stale_page(form, appointment)
    except Refused as refused:
        return refuse(appointment, refused)
    db.session.commit()
    return go_back(url_for("appointments.show", appointment_id=appointment.id))


def draw_move(fields: Mapping[str, str], appointment_id: int) -> str:
    appointment = own_appointment(appointment_id)
    return _move_page(appointment, AppointmentForm.moved(appointment, fields))


def _needs_asking(appointment: Appointment, form: AppointmentForm) -> bool:
    """Whether the person decides before it is saved: which of a series, or whether it may overlap."""
    return (
        appointment.series_id is not None or overlaps.of_form(signed_in_provider(), form, appointment).is_any
    )


def _move_page(appointment: Appointment, form: AppointmentForm) -> str:
    return render_template(
        "appointments/move.html",
        appointment=appointment,
        form=form,
        counts=scope_counts(appointment),
        overlaps=overlaps.of_form(signed_in_provider(), form, appointment),
        back=own_path(request.values.get("back", "")),
    )
