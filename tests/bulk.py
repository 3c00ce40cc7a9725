"""`python -m tests.bulk EMAIL N`: book N sessions for a provider, from tomorrow on, by the portal's verbs.

A process of its own, with the portal's settings in the environment, as a practice moving in would do it.
"""

from __future__ import annotations

import datetime as dt
import sys

from portal import accounts, appointments, clients, clock, create_app
from portal.appointments import AppointmentDetails, Timed
from portal.extensions import db
from portal.models import AppointmentKind

PER_DAY = 10


def main(email: str, count: int) -> None:
    with create_app().app_context():
        now = clock.utcnow()
        provider = accounts.find_provider(email)
        assert provider
        people = [clients.add_client(provider, f"Canary Number{n}", now=now) for n in range(PER_DAY)]
        for number in range(count):
            date = now.date() + dt.timedelta(days=1 + number // PER_DAY)
            when = Timed(date, dt.time(8 + number % PER_DAY), provider.timezone, 50)
            details = AppointmentDetails(AppointmentKind.SESSION, when, client=people[number % PER_DAY])
            appointments.book(provider, details, now=now, actor=provider, source="system")
        db.session.commit()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
