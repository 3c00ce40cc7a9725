"""The proof of one appointment: what is known of its event, and writing it again."""

from __future__ import annotations

import pytest

from portal.errors import Refused
from portal.extensions import db
from portal.models import Appointment
from portal.practice import appointments
from portal.standing import proof
from tests.engine.conftest import EMAIL, Office

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def verdict(office: Office, appointment: Appointment) -> str | None:
    db.session.expire_all()
    found = proof.prove(appointment)
    return found.verdict if found else None


def test_an_appointments_way_into_google_and_out_again(office: Office) -> None:
    appointment = office.book(days=3)
    assert verdict(office, appointment) is None, "Two-Way is not on"
    office.connect_and_rest()
    found = proof.prove(appointment)
    assert found is not None
    assert (found.verdict, found.title) == ("in-google", "1001")
    assert found.confirmed_at == office.connection.last_pulled_at
    office.move(appointment, hours=1)
    assert verdict(office, appointment) == "waiting"
    office.rest()
    office.cancel(appointment)
    assert verdict(office, appointment) == "leaving"
    office.rest()
    assert verdict(office, appointment) == "over"


def test_what_was_deleted_in_google_says_so(office: Office) -> None:
    appointment = office.book(days=3)
    office.connect_and_rest()
    office.google.delete_event(EMAIL, office.app_calendar_id, office.event_of(appointment)["id"])
    office.rest()
    assert verdict(office, appointment) == "deleted-there"


def test_what_ended_long_before_connecting_was_never_sent(office: Office) -> None:
    appointment = office.book(days=-60)
    office.connect_and_rest()
    assert verdict(office, appointment) == "too-old"


def test_push_again_writes_the_event_once_more(office: Office) -> None:
    appointment = office.book(days=3)
    office.connect_and_rest()
    proof.push_again(appointment, now=office.clock())
    db.session.commit()
    assert verdict(office, appointment) == "waiting"
    office.rest()
    assert office.google.writes() == 1
    assert verdict(office, appointment) == "in-google"


def test_there_is_nothing_to_push_for_one_that_is_over(office: Office) -> None:
    appointment = office.book(days=3)
    office.connect_and_rest()
    appointments.archive(appointment, now=office.clock(), actor=office.provider, source="web")
    db.session.commit()
    with pytest.raises(Refused):
        proof.push_again(appointment, now=office.clock())
