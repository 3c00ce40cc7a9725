"""Fills the demo's database: clients and weeks, through the portal's own verbs.

`python -m demo.seed`, with the portal's settings in the environment and the providers already added.
"""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa

from demo.practice import (
    CLIENTS,
    LOCATIONS,
    NAME,
    PROVIDERS,
    TIMEZONE,
    TYPES,
    OtherEvent,
    Outcome,
    Person,
    Planned,
    Session,
    plan,
)
from portal import clock, create_app
from portal.extensions import db
from portal.models import Appointment, AppointmentKind, AppointmentType, Client, Practice, Provider
from portal.people import accounts
from portal.practice import appointments, clients, offers
from portal.practice.appointments import AppointmentDetails
from portal.practice.spans import AllDay, Timed, When


def main() -> None:
    with create_app().app_context():
        now = clock.utcnow()
        db.session.scalars(sa.select(Practice)).one().name = NAME
        for place in LOCATIONS:
            offers.add_location(place)
        types = {name: offers.add_type(name, str(minutes)) for name, minutes in TYPES.items()}
        db.session.flush()
        for person in PROVIDERS:
            _fill(person, types, now)
        db.session.commit()


def _fill(person: Person, types: dict[str, AppointmentType], now: dt.datetime) -> None:
    provider = accounts.find_provider(person.email)
    if provider is None:
        raise SystemExit("add the demo's providers first")
    known = {name: clients.add_client(provider, name, now=now) for name in CLIENTS[person]}
    for planned in plan(person, now):
        details = _details(planned, known, types)
        appointment = appointments.book(provider, details, now=now, actor=provider, source="system")
        _conclude(appointment, planned.outcome, provider, now)


def _details(
    planned: Planned, known: dict[str, Client], types: dict[str, AppointmentType]
) -> AppointmentDetails:
    entry = planned.entry
    if isinstance(entry, OtherEvent):
        return AppointmentDetails(AppointmentKind.OTHER, _when(planned), title=entry.title)
    kind = AppointmentKind.CONTACT if entry.is_contact else AppointmentKind.SESSION
    client, type_ = known[entry.client], types[entry.type]
    return AppointmentDetails(kind, _when(planned), client=client, location=entry.location, type=type_)


def _when(planned: Planned) -> When:
    entry: Session | OtherEvent = planned.entry
    if entry.start is None:
        return AllDay(planned.date, planned.date + dt.timedelta(days=1), TIMEZONE)
    return Timed(planned.date, entry.start, TIMEZONE, entry.minutes)


def _conclude(
    appointment: Appointment, outcome: Outcome | None, provider: Provider, now: dt.datetime
) -> None:
    match outcome:
        case Outcome.KEPT:
            appointments.mark_completed(appointment, now=now, actor=provider, source="system")
        case Outcome.NO_SHOW:
            appointments.mark_no_show(appointment, now=now, actor=provider, source="system")
        case Outcome.CANCELED | Outcome.LATE_CANCELED:
            _cancel(appointment, outcome, provider, now)


def _cancel(appointment: Appointment, outcome: Outcome, provider: Provider, now: dt.datetime) -> None:
    appointments.cancel(
        appointment,
        late=outcome is Outcome.LATE_CANCELED,
        reason="Unwell",
        now=now,
        actor=provider,
        source="system",
    )


if __name__ == "__main__":
    main()
