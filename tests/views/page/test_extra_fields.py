"""A form says what its page asks for. Whatever else is sent along changes nothing."""

from __future__ import annotations

import sqlalchemy as sa
from flask.testing import FlaskClient

from portal.extensions import db
from portal.models import Appointment, AppointmentStatus, Client, Provider
from tests.office import Office
from tests.views.appointments.test_appointments import form

# Names of columns that no form of a provider has
SLIPPED_IN = {
    "id": "7",
    "provider_id": "2",
    "public_id": "mine",
    "status": "completed",
    "revision": "99",
    "is_owner": "on",
    "email": "thief@example.com",
    "password_hash": "x",
    "deactivated_at": "2026-01-01",
    "archived_at": "2026-01-01",
    "sync_mode": "two-way",
    "name_display": "full-name",
    "source": "google",
}


# What decides who somebody is, and what leaves of theirs
ACCOUNT = ("id", "email", "password_hash", "is_owner", "deactivated_at", "sync_mode", "name_display")


def accounts() -> list[tuple[object, ...]]:
    columns = Provider.__table__.columns
    query = sa.select(*(columns[name] for name in ACCOUNT)).order_by(columns["id"])
    return [tuple(row) for row in db.session.execute(query)]


def test_a_booking_takes_no_field_that_its_form_has_not(office: Office, visitor: FlaskClient) -> None:
    before = accounts()
    answer = visitor.post("/appointments", data={**form(office), **SLIPPED_IN})
    assert answer.status_code == 303
    made = db.session.scalars(sa.select(Appointment)).one()
    assert made.provider_id == office.provider.id
    assert (made.status, made.revision, made.archived_at) == (AppointmentStatus.SCHEDULED, 1, None)
    assert (made.id, made.public_id) != (7, "mine")
    assert accounts() == before


def test_a_new_client_belongs_to_who_adds_it_whatever_the_form_says(
    office: Office, visitor: FlaskClient
) -> None:
    assert visitor.post("/clients", data={"name": "Ines Falk", **SLIPPED_IN}).status_code == 303
    made = db.session.scalars(sa.select(Client).where(Client.name == "Ines Falk")).one()
    assert (made.provider_id, made.archived_at) == (office.provider.id, None)


def test_nobody_becomes_an_owner_or_another_by_the_form_of_their_settings(office: Office) -> None:
    colleague = office.sign_in(office.other)
    before = accounts()
    tried = [
        rule.rule
        for rule in office.app.url_map.iter_rules()
        if "POST" in (rule.methods or ()) and rule.rule.startswith("/settings") and "<" not in rule.rule
    ]
    for where in tried:
        assert colleague.post(where, data={"name": office.other.name, **SLIPPED_IN}).status_code < 500, where
    assert len(tried) >= 3
    assert accounts() == before
