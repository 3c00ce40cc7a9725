"""Saving a change, with what it then overlaps; or both versions where somebody saved meanwhile."""

from __future__ import annotations

import datetime as dt

from portal.calendar import agenda
from portal.clock import utcnow
from portal.errors import StaleRevision
from portal.extensions import db
from portal.models import Appointment, Provider
from portal.practice import series
from portal.practice.spans import Timed, when_of
from portal.practice.undo import Memory
from portal.views.appointments.desk import choosable_clients, record, types_for
from portal.views.appointments.form import AppointmentForm
from portal.views.page.signing_in import signed_in_provider
from portal.views.page.wording import clock, clock_change, long_date
from portal.words.appointments import OVERLAPPED


def save_change(appointment: Appointment, form: AppointmentForm, opening: str) -> None:
    """Save the form for as many instances as it says; it may also turn a single one into a series."""
    provider, now = signed_in_provider(), utcnow()
    details = form.details(choosable_clients(appointment), provider.timezone, types_for(appointment))
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
    record("appointment.changed", appointment)
    words, tone = saved_words(appointment, opening)
    if count > 1:
        words = f"{words} {count} appointments of the series changed."
    memory.keep(provider, words, now=now, tone=tone, made=made)


def saved_words(appointment: Appointment, opening: str) -> tuple[str, str]:
    """When it is now, and what it overlaps, with the tone for it. No name: it is shown on every page."""
    db.session.flush()
    stored = when_of(appointment)
    when = long_date(appointment.start_date)
    if isinstance(stored, Timed):
        when += f", {clock(stored.shown_time)}"
    words = f"{opening} {when}. {clock_change(stored)}".strip()
    entry = entry_of(appointment)
    if entry and entry.clashes_with:
        return f"{words} It overlaps {OVERLAPPED[entry.clashes_with]}.", "warn"
    return words, "good"


def entry_of(appointment: Appointment) -> agenda.Entry | None:
    """The appointment as the calendar shows it, overlaps included."""
    provider: Provider = appointment.provider
    first = appointment.starts_at.astimezone(provider.zone).date()
    end = appointment.ends_at.astimezone(provider.zone).date() + dt.timedelta(days=1)
    filters = agenda.Filters(archived=True)
    found = agenda.gather(provider, first, end, filters=filters, now=utcnow())
    return next((entry for entry in found if entry.data_id == f"appointment-{appointment.id}"), None)
