"""What a form's time overlaps, told before anything is saved, and never forbidden."""

from __future__ import annotations

from dataclasses import replace

from portal.calendar import overlaps
from portal.calendar.overlaps import NOTHING, Overlaps
from portal.clock import utcnow
from portal.errors import InvalidInput
from portal.models import Appointment, Provider
from portal.practice import series
from portal.views.appointments.form import AppointmentForm
from portal.views.page.wording import clock_change


def of_form(provider: Provider, form: AppointmentForm, appointment: Appointment | None) -> Overlaps:
    """Nothing when the form cannot be read yet, or takes no time of anybody's."""
    try:
        when, rule = form.when(provider.timezone), form.rule()
        if rule is not None:
            series.check_rule(rule, series.date_of(when))
    except InvalidInput:
        return NOTHING
    told = clock_change(when)
    if form.values["is_free"]:
        return replace(NOTHING, clock_change=told)
    found = overlaps.of_dates(provider, when, rule, appointment=appointment, scope=form.scope, now=utcnow())
    return replace(found, clock_change=told)
