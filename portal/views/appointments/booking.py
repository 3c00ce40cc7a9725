"""The form of a new appointment and of one that is changed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal import reading
from portal.clock import utcnow
from portal.errors import InvalidInput, Refused, StaleRevision
from portal.extensions import db
from portal.localtime import today
from portal.models import Appointment, Provider
from portal.practice import appointments, offers, series
from portal.practice.undo import Memory
from portal.views.appointments import comparing, overlaps
from portal.views.appointments.changing import save_change, saved_words
from portal.views.appointments.desk import (
    blueprint,
    choosable_clients,
    own_appointment,
    record,
    refuse,
    scope_counts,
    to_page,
    types_for,
)
from portal.views.appointments.form import (
    LONGEST_QUICK_MINUTES,
    MOST_DIGITS_TYPED,
    USUAL_MINUTES,
    AppointmentForm,
)
from portal.views.door import callers
from portal.views.page import bounds, once
from portal.views.page.returning import own_path, way_back
from portal.views.page.signing_in import signed_in_provider

# Instead of the calendar, the sheet over it takes the answer
INTO_THE_SHEET = {"HX-Retarget": "#sheet", "HX-Reselect": "#sheet-body", "HX-Reswap": "innerHTML"}


@blueprint.get("/new")
@callers.signed_in
def new() -> ResponseReturnValue:
    return _form_page(_form_asked(), None)


@blueprint.get("/quick")
@callers.signed_in
def quick() -> ResponseReturnValue:
    """The few fields that most appointments need; the rest is one press away."""
    form = _form_asked()
    return render_template(
        "appointments/quick.html",
        form=form,
        clients=choosable_clients(None),
        types=offers.types(),
        overlaps=overlaps.of_form(signed_in_provider(), form, None),
        back=own_path(request.args.get("back", "")),
    )


@blueprint.post("/form")
@callers.signed_in
def full_form() -> ResponseReturnValue:
    """All fields, filled with what was typed so far; nothing is saved."""
    appointment = own_appointment(number) if (number := bounds.row_id("appointment")) else None
    return _form_page(AppointmentForm.sent(request.form), appointment)


@blueprint.post("/overlaps")
@callers.signed_in
def show_overlaps() -> ResponseReturnValue:
    """What the time typed so far overlaps, as a fragment."""
    appointment = own_appointment(number) if (number := bounds.row_id("appointment")) else None
    sent = AppointmentForm.sent(request.form)
    form = AppointmentForm.moved(appointment, request.form) if appointment else sent
    form.values["repeats"] = sent.values["repeats"]
    found = overlaps.of_form(signed_in_provider(), form, appointment)
    return render_template("appointments/_overlaps.html", overlaps=found)


@blueprint.post("")
@callers.signed_in
@once.makes_one
def create() -> ResponseReturnValue:
    provider, now = signed_in_provider(), utcnow()
    form = AppointmentForm.sent(request.form)
    memory = Memory()
    try:
        made = _book(provider, form)
    except InvalidInput as invalid:
        return _problems_page(form, None, invalid)
    record("appointment.booked", made)
    words, tone = saved_words(made, "Booked for")
    all_made = series.instances(made)
    if len(all_made) > 1:
        words = f"{words} With {len(all_made) - 1} more in the next twelve months."
    memory.keep(provider, words, now=now, tone=tone, made=all_made)
    address = way_back(url_for("calendar.index", date=made.start_date.isoformat()))
    once.led_to(address)
    db.session.commit()
    return redirect(address, 303)


@blueprint.get("/<int:appointment_id>/edit")
@callers.signed_in
def edit(appointment_id: int) -> ResponseReturnValue:
    appointment = own_appointment(appointment_id)
    if appointment.archived_at is not None:
        return refuse(appointment, Refused("archived"))
    return _form_page(AppointmentForm.of(appointment), appointment)


@blueprint.post("/<int:appointment_id>")
@callers.signed_in
@once.makes_one
def update(appointment_id: int) -> ResponseReturnValue:
    appointment = own_appointment(appointment_id)
    form = AppointmentForm.sent(request.form)
    try:
        save_change(appointment, form, "Saved:")
    except InvalidInput as invalid:
        return _problems_page(form, appointment, invalid)
    except StaleRevision:
        return stale_page(form, appointment)
    except Refused as refused:
        return refuse(appointment, refused)
    once.led_to(url_for("appointments.show", appointment_id=appointment.id))
    db.session.commit()
    return to_page(appointment)


def draw_new(fields: Mapping[str, str]) -> str:
    """The form of a new appointment, as somebody had typed it."""
    return _form_page(AppointmentForm.sent(fields), None)


def draw_edit(fields: Mapping[str, str], appointment_id: int) -> str:
    return _form_page(AppointmentForm.sent(fields), own_appointment(appointment_id))


def _form_asked() -> AppointmentForm:
    """A blank form for the time that the address names."""
    provider = signed_in_provider()
    minutes = reading.whole_number(request.args.get("minutes", ""), most_digits=MOST_DIGITS_TYPED)
    return AppointmentForm.blank(
        bounds.day("date") or today(utcnow(), provider.timezone),
        _time_asked(),
        request.args.get("client", ""),
        min(minutes or USUAL_MINUTES, LONGEST_QUICK_MINUTES),
    )


def _book(provider: Provider, form: AppointmentForm) -> Appointment:
    """One appointment, or the first of a series."""
    details, rule = form.details(choosable_clients(None), provider.timezone, offers.types()), form.rule()
    if rule is None:
        return appointments.book(provider, details, now=utcnow(), actor=provider, source="web")
    return series.book_series(provider, details, rule, now=utcnow(), actor=provider, source="web")


def _form_page(
    form: AppointmentForm, appointment: Appointment | None, stored: Appointment | None = None
) -> str:
    clients, types = choosable_clients(appointment), types_for(appointment)
    return render_template(
        "appointments/form.html",
        form=form,
        appointment=appointment,
        stored=stored,
        differences=comparing.differences(stored, form, clients, types) if stored else [],
        clients=clients,
        types=types,
        locations=offers.locations(),
        counts=scope_counts(appointment),
        overlaps=overlaps.of_form(signed_in_provider(), form, appointment),
        back=own_path(request.values.get("back", "")),
    )


def _problems_page(
    form: AppointmentForm, appointment: Appointment | None, invalid: InvalidInput
) -> ResponseReturnValue:
    """The same form with what is wrong in it; nothing typed is lost."""
    db.session.rollback()
    form.problems = invalid.problems
    return _form_page(form, own_appointment(appointment.id) if appointment else None), 422


def stale_page(form: AppointmentForm, appointment: Appointment) -> ResponseReturnValue:
    """What was typed beside what is stored. Saving again, having seen both, is a decision."""
    db.session.rollback()
    stored = own_appointment(appointment.id)
    form.values |= {"revision": str(stored.revision), "drawn": stored.updated_at.isoformat()}
    return _form_page(form, stored, stored), 409


def _time_asked() -> dt.time | None:
    return reading.time_of_day(request.args.get("time", ""))
