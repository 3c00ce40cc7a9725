"""Appointment pages: the form, the page of one appointment, and what can be done with it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence

import sqlalchemy as sa
from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import joinedload

from portal import agenda, appointments, audit, offers, series, store
from portal.clock import utcnow
from portal.errors import InvalidInput, Refused, StaleRevision
from portal.extensions import begin_writing, db
from portal.localtime import today
from portal.models import Appointment, AppointmentHistory, AppointmentType, Client, Provider
from portal.undo import Memory
from portal.views import comparing, overlaps
from portal.views.appointment_form import LONGEST_QUICK_MINUTES, USUAL_MINUTES, AppointmentForm, read_scope
from portal.views.returning import go_back, own_path
from portal.views.signing_in import signed_in_provider
from portal.views.wording import clock, long_date
from portal.words.appointments import OVERLAPPED

blueprint = Blueprint("appointments", __name__, url_prefix="/appointments")

# Instead of the calendar, the sheet over it takes the answer
INTO_THE_SHEET = {"HX-Retarget": "#sheet", "HX-Reselect": "#sheet-body", "HX-Reswap": "innerHTML"}
REFUSALS = {
    "archived": "It is archived. Reinstate it first; nothing was changed.",
    "not-scheduled": "It is no longer scheduled. Reinstate it first; nothing was changed.",
    "nothing-to-reinstate": "It is scheduled already; nothing was changed.",
}


@blueprint.get("/new")
def new() -> ResponseReturnValue:
    return _draw_form(_form_asked(), None)


@blueprint.get("/quick")
def quick() -> ResponseReturnValue:
    """The few fields that most appointments need; the rest is one press away."""
    form = _form_asked()
    return render_template(
        "appointments/quick.html",
        form=form,
        clients=_choosable_clients(None),
        types=offers.types(),
        overlaps=overlaps.of_form(signed_in_provider(), form, None),
        back=own_path(request.args.get("back", "")),
    )


@blueprint.post("/form")
def full_form() -> ResponseReturnValue:
    """All fields, filled with what was typed so far; nothing is saved."""
    appointment = _own(number) if (number := request.form.get("appointment", type=int)) else None
    return _draw_form(AppointmentForm.sent(request.form), appointment)


@blueprint.post("/overlaps")
def show_overlaps() -> ResponseReturnValue:
    """What the time typed so far overlaps, as a fragment."""
    appointment = _own(number) if (number := request.form.get("appointment", type=int)) else None
    sent = AppointmentForm.sent(request.form)
    form = AppointmentForm.moved(appointment, request.form) if appointment else sent
    form.values["repeats"] = sent.values["repeats"]
    found = overlaps.of_form(signed_in_provider(), form, appointment)
    return render_template("appointments/_overlaps.html", overlaps=found)


@blueprint.post("")
def create() -> ResponseReturnValue:
    provider, now = signed_in_provider(), utcnow()
    form = AppointmentForm.sent(request.form)
    memory = Memory()
    try:
        made = _book(provider, form)
    except InvalidInput as invalid:
        return _draw_problems(form, None, invalid)
    _audit("appointment.booked", made)
    words, tone = _saved_words(made, "Booked for")
    all_made = series.instances(made)
    if len(all_made) > 1:
        words = f"{words} With {len(all_made) - 1} more in the next twelve months."
    memory.keep(provider, words, now=now, tone=tone, made=all_made)
    db.session.commit()
    return go_back(url_for("calendar.index", date=made.start_date.isoformat()))


@blueprint.get("/<int:appointment_id>")
def show(appointment_id: int) -> ResponseReturnValue:
    """The practice's owner may look at everybody's, and the audit log notes it."""
    provider, appointment = signed_in_provider(), _find(appointment_id)
    if appointment.provider_id != provider.id:
        if not provider.is_owner:
            abort(404)
        begin_writing()
        _audit("appointment.read", appointment)
        db.session.commit()
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
        entry=_entry_of(appointment),
        zone=provider.zone,
    )


@blueprint.get("/<int:appointment_id>/edit")
def edit(appointment_id: int) -> ResponseReturnValue:
    appointment = _own(appointment_id)
    if appointment.archived_at is not None:
        return _refuse(appointment, Refused("archived"))
    return _draw_form(AppointmentForm.of(appointment), appointment)


@blueprint.post("/<int:appointment_id>")
def update(appointment_id: int) -> ResponseReturnValue:
    appointment = _own(appointment_id)
    form = AppointmentForm.sent(request.form)
    try:
        _change(appointment, form, "Saved:")
    except InvalidInput as invalid:
        return _draw_problems(form, appointment, invalid)
    except StaleRevision:
        return _draw_stale(form, appointment)
    except Refused as refused:
        return _refuse(appointment, refused)
    db.session.commit()
    return _to_page(appointment)


@blueprint.get("/<int:appointment_id>/move")
def ask_move(appointment_id: int) -> ResponseReturnValue:
    appointment = _own(appointment_id)
    if appointment.archived_at is not None:
        return _refuse(appointment, Refused("archived"))
    return _draw_move(appointment, AppointmentForm.moved(appointment, request.args))


@blueprint.post("/<int:appointment_id>/move")
def move(appointment_id: int) -> ResponseReturnValue:
    """Another time, and nothing else. With `careful`, what needs a decision is asked first."""
    appointment = _own(appointment_id)
    form = AppointmentForm.moved(appointment, request.form)
    if request.form.get("careful") and _needs_asking(appointment, form):
        form.values["drawn"] = request.form.get("drawn", "")
        return _draw_move(appointment, form), INTO_THE_SHEET
    try:
        _change(appointment, form, "Moved to")
    except InvalidInput as invalid:
        db.session.rollback()
        form.problems = invalid.problems
        return _draw_move(_own(appointment_id), form), 422
    except StaleRevision:
        return _draw_stale(form, appointment)
    except Refused as refused:
        return _refuse(appointment, refused)
    db.session.commit()
    return go_back(url_for("appointments.show", appointment_id=appointment.id))


@blueprint.get("/<int:appointment_id>/cancel")
def ask_cancel(appointment_id: int) -> ResponseReturnValue:
    return _draw_cancel(_own(appointment_id), {}, {})


@blueprint.post("/<int:appointment_id>/cancel")
def cancel(appointment_id: int) -> ResponseReturnValue:
    provider, appointment, now = signed_in_provider(), _own(appointment_id), utcnow()
    scope = read_scope(request.form.get("apply_to", ""))
    affected = series.affected(appointment, scope, now=now)
    memory, has_guests = Memory(affected), store.have_guests(affected)
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
        return _draw_cancel(_own(appointment_id), invalid.problems, request.form), 422
    except Refused as refused:
        return _refuse(appointment, refused)
    _audit("appointment.canceled", appointment)
    words = (
        "Canceled. It stays here, crossed out."
        if count == 1
        else f"{count} appointments canceled. They stay here, crossed out."
    )
    if has_guests:
        words += " Guests invited in Google were not told."
    memory.keep(provider, words, now=now)
    db.session.commit()
    return _to_page(appointment)


@blueprint.post("/<int:appointment_id>/no-show")
def no_show(appointment_id: int) -> ResponseReturnValue:
    return _act(appointment_id, appointments.mark_no_show, "no-show", "Marked as no-show.")


@blueprint.post("/<int:appointment_id>/complete")
def complete(appointment_id: int) -> ResponseReturnValue:
    return _act(appointment_id, appointments.mark_completed, "completed", "Marked as completed.")


@blueprint.post("/<int:appointment_id>/archive")
def archive(appointment_id: int) -> ResponseReturnValue:
    return _act(
        appointment_id,
        appointments.archive,
        "archived",
        "Archived. Tick “Show archived” in the calendar to see it there.",
    )


@blueprint.post("/<int:appointment_id>/reinstate")
def reinstate(appointment_id: int) -> ResponseReturnValue:
    return _act(appointment_id, appointments.reinstate, "reinstated", "Reinstated.")


def draw_new(fields: Mapping[str, str]) -> str:
    """The form of a new appointment, as somebody had typed it."""
    return _draw_form(AppointmentForm.sent(fields), None)


def draw_edit(fields: Mapping[str, str], appointment_id: int) -> str:
    return _draw_form(AppointmentForm.sent(fields), _own(appointment_id))


def draw_move(fields: Mapping[str, str], appointment_id: int) -> str:
    appointment = _own(appointment_id)
    return _draw_move(appointment, AppointmentForm.moved(appointment, fields))


def draw_cancel(fields: Mapping[str, str], appointment_id: int) -> str:
    return _draw_cancel(_own(appointment_id), {}, fields)


def _form_asked() -> AppointmentForm:
    """A blank form for the time that the address names."""
    provider = signed_in_provider()
    minutes = request.args.get("minutes", USUAL_MINUTES, type=int)
    return AppointmentForm.blank(
        _date_asked() or today(utcnow(), provider.timezone),
        _time_asked(),
        request.args.get("client", ""),
        min(max(minutes, 1), LONGEST_QUICK_MINUTES),
    )


def _book(provider: Provider, form: AppointmentForm) -> Appointment:
    """One appointment, or the first of a series."""
    details, rule = form.details(_choosable_clients(None), provider.timezone, offers.types()), form.rule()
    if rule is None:
        return appointments.book(provider, details, now=utcnow(), actor=provider, source="web")
    return series.book_series(provider, details, rule, now=utcnow(), actor=provider, source="web")


def _change(appointment: Appointment, form: AppointmentForm, opening: str) -> None:
    """Save the form for as many instances as it says; it may also turn a single one into a series."""
    provider, now = signed_in_provider(), utcnow()
    details = form.details(_choosable_clients(appointment), provider.timezone, _types_for(appointment))
    if form.is_older_than(appointment):
        raise StaleRevision
    rule = form.rule() if appointment.series_id is None else None
    memory = Memory(series.affected(appointment, form.scope, now=now))
    count = series.change(
        appointment, details, form.scope, revision=form.revision, now=now, actor=provider, source="web"
    )
    made: list[Appointment] = []
    if rule is not None:
        series.repeat(appointment, rule, now=now, actor=provider, source="web")
        made = [each for each in series.instances(appointment) if each is not appointment]
    _audit("appointment.changed", appointment)
    words, tone = _saved_words(appointment, opening)
    if count > 1:
        words = f"{words} {count} appointments of the series changed."
    memory.keep(provider, words, now=now, tone=tone, made=made)


def _needs_asking(appointment: Appointment, form: AppointmentForm) -> bool:
    """Whether the person decides before it is saved: which of a series, or whether it may overlap."""
    return (
        appointment.series_id is not None or overlaps.of_form(signed_in_provider(), form, appointment).is_any
    )


def _draw_move(appointment: Appointment, form: AppointmentForm) -> str:
    return render_template(
        "appointments/move.html",
        appointment=appointment,
        form=form,
        counts=_counts(appointment),
        overlaps=overlaps.of_form(signed_in_provider(), form, appointment),
        back=own_path(request.values.get("back", "")),
    )


def _draw_cancel(appointment: Appointment, problems: Mapping[str, str], values: Mapping[str, str]) -> str:
    return render_template(
        "appointments/cancel.html",
        appointment=appointment,
        problems=problems,
        values=values,
        counts=_counts(appointment),
    )


def _counts(appointment: Appointment | None) -> dict[str, int]:
    """How many appointments each answer to *Apply to* is about; nothing for a single one."""
    if appointment is None or appointment.series_id is None:
        return {}
    now = utcnow()
    return {scope.value: len(series.affected(appointment, scope, now=now)) for scope in series.Scope}


def _act(appointment_id: int, verb: Callable[..., None], name: str, words: str) -> ResponseReturnValue:
    """One of the verbs that need no more than the appointment."""
    provider, appointment, now = signed_in_provider(), _own(appointment_id), utcnow()
    memory = Memory([appointment])
    try:
        verb(appointment, now=now, actor=provider, source="web")
    except Refused as refused:
        return _refuse(appointment, refused)
    _audit(f"appointment.{name}", appointment)
    memory.keep(provider, words, now=now)
    db.session.commit()
    return _to_page(appointment)


def _find(appointment_id: int) -> Appointment:
    """The row, locked when the request writes; 404 without one."""
    query = sa.select(Appointment).where(Appointment.id == appointment_id)
    if request.method == "POST":
        query = query.with_for_update()
    return db.session.scalar(query) or abort(404)


def _own(appointment_id: int) -> Appointment:
    """Somebody else's is as good as not there."""
    appointment = _find(appointment_id)
    if appointment.provider_id != signed_in_provider().id:
        abort(404)
    return appointment


def _choosable_clients(appointment: Appointment | None) -> Sequence[Client]:
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


def _draw_form(
    form: AppointmentForm, appointment: Appointment | None, stored: Appointment | None = None
) -> str:
    clients, types = _choosable_clients(appointment), _types_for(appointment)
    return render_template(
        "appointments/form.html",
        form=form,
        appointment=appointment,
        stored=stored,
        differences=comparing.differences(stored, form, clients, types) if stored else [],
        clients=clients,
        types=types,
        locations=offers.locations(),
        counts=_counts(appointment),
        overlaps=overlaps.of_form(signed_in_provider(), form, appointment),
        back=own_path(request.values.get("back", "")),
    )


def _draw_problems(
    form: AppointmentForm, appointment: Appointment | None, invalid: InvalidInput
) -> ResponseReturnValue:
    """The same form with what is wrong in it; nothing typed is lost."""
    db.session.rollback()
    form.problems = invalid.problems
    return _draw_form(form, _own(appointment.id) if appointment else None), 422


def _draw_stale(form: AppointmentForm, appointment: Appointment) -> ResponseReturnValue:
    """What was typed beside what is stored. Saving again, having seen both, is a decision."""
    db.session.rollback()
    stored = _own(appointment.id)
    form.values |= {"revision": str(stored.revision), "drawn": stored.updated_at.isoformat()}
    return _draw_form(form, stored, stored), 409


def _refuse(appointment: Appointment, refused: Refused) -> ResponseReturnValue:
    db.session.rollback()
    flash(REFUSALS.get(refused.code, "That is not possible; nothing was changed."), "warn")
    return redirect(url_for("appointments.show", appointment_id=appointment.id), 303)


def _to_page(appointment: Appointment) -> ResponseReturnValue:
    return redirect(url_for("appointments.show", appointment_id=appointment.id), 303)


def _saved_words(appointment: Appointment, opening: str) -> tuple[str, str]:
    """When it is now, and what it overlaps, with the tone for it. No name: it is shown on every page."""
    db.session.flush()
    when = long_date(appointment.start_date)
    if appointment.start_time:
        when += f", {clock(appointment.start_time)}"
    entry = _entry_of(appointment)
    if entry and entry.clashes_with:
        return f"{opening} {when}. It overlaps {OVERLAPPED[entry.clashes_with]}.", "warn"
    return f"{opening} {when}.", "good"


def _types_for(appointment: Appointment | None) -> list[AppointmentType]:
    """The practice's types, and the one the appointment has already."""
    kept = [appointment.type] if appointment and appointment.type and appointment.type.archived_at else []
    return [*offers.types(), *kept]


def _entry_of(appointment: Appointment) -> agenda.Entry | None:
    """The appointment as the calendar shows it, overlaps included."""
    provider: Provider = appointment.provider
    first = appointment.starts_at.astimezone(provider.zone).date()
    end = appointment.ends_at.astimezone(provider.zone).date() + dt.timedelta(days=1)
    filters = agenda.Filters(archived=True)
    found = agenda.gather(provider, first, end, filters=filters, now=utcnow())
    return next((entry for entry in found if entry.data_id == f"appointment-{appointment.id}"), None)


def _audit(action: str, appointment: Appointment) -> None:
    audit.record(
        action,
        now=utcnow(),
        provider_id=signed_in_provider().id,
        object_kind="appointment",
        object_id=appointment.id,
        address=request.remote_addr,
    )


def _date_asked() -> dt.date | None:
    try:
        return dt.date.fromisoformat(request.args.get("date", ""))
    except ValueError:
        return None


def _time_asked() -> dt.time | None:
    try:
        return dt.time.fromisoformat(request.args.get("time", ""))
    except ValueError:
        return None
