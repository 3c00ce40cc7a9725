"""Two versions of one appointment side by side: what is stored, and what was typed meanwhile."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from portal.models import Appointment, AppointmentType, Client
from portal.views.appointments.form import AppointmentForm
from portal.views.page.wording import KINDS, client_option, clock, long_date

LABELS = {
    "kind": "Kind",
    "client": "Client",
    "title": "Title",
    "type": "Type",
    "date": "Date",
    "start_time": "Start time",
    "duration": "Duration (minutes)",
    "last_day": "Last day",
    "location": "Location",
}


def differences(
    stored: Appointment, typed: AppointmentForm, clients: Sequence[Client], types: Sequence[AppointmentType]
) -> list[tuple[str, str, str]]:
    """(field, as stored, as typed) for each field where the two are not the same."""
    now = AppointmentForm.of(stored).values
    hides_names = stored.provider.hides_names
    names = {
        "client": {str(client.id): client_option(client, hides_names=hides_names)[1] for client in clients},
        "type": {str(each.id): each.name for each in types},
        "kind": KINDS,
    }
    return [
        (label, _words(field, now[field], names), _words(field, typed.values[field], names))
        for field, label in LABELS.items()
        if now[field] != typed.values[field]
    ]


def _words(field: str, value: str, names: dict[str, dict[str, str]]) -> str:
    if not value:
        return "None"
    try:
        match field:
            case "date" | "last_day":
                return long_date(dt.date.fromisoformat(value))
            case "start_time":
                return clock(dt.time.fromisoformat(value))
            case _:
                return names.get(field, {}).get(value, value)
    except ValueError:  # as it was typed
        return value
