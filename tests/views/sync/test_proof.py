"""The proof on an appointment's page."""

from __future__ import annotations

from flask.testing import FlaskClient

from portal.extensions import db
from portal.models import EventLink, LinkState
from tests.forms import Element
from tests.office import Office, get
from tests.views.sync.test_changes import booked
from tests.views.sync.test_doctor import in_two_way


def section(visitor: FlaskClient, number: int) -> Element | None:
    page = get(visitor, f"/appointments/{number}")
    return next((each for each in page.everything() if "data-proof" in each), None)


def test_the_page_says_as_what_it_is_in_google_and_pushes_again(office: Office, visitor: FlaskClient) -> None:
    appointment = booked(office)
    assert section(visitor, appointment.id) is None, "Two-Way is not on"
    in_two_way(office)
    found = section(visitor, appointment.id)
    assert found is not None
    assert "On its way to Google as 1001" in found.text
    link = EventLink(
        appointment_id=appointment.id,
        connection_id=office.connection().id,
        event_id="event",
        state=LinkState.LIVE,
        revision=appointment.revision,
        settled=appointment.revision,
        agreed_at=appointment.updated_at,
    )
    db.session.add(link)
    db.session.commit()
    found = section(visitor, appointment.id)
    assert found is not None
    assert "In Google as 1001" in found.text
    assert "confirmed just now" in found.text
    assert [button.text for button in found.find("button")] == ["Look in Google now", "Push again"]
    answer = visitor.post(f"/calendar/sync/push-again/{appointment.id}")
    assert answer.headers["Location"] == f"/appointments/{appointment.id}"
    db.session.expire_all()
    assert link.needs_write


def test_while_a_person_is_needed_the_page_leads_there_and_promises_nothing(
    office: Office, visitor: FlaskClient
) -> None:
    appointment = booked(office)
    in_two_way(office, "reconnect-required")
    found = section(visitor, appointment.id)
    assert found is not None
    assert [link["href"] for link in found.find("a")] == ["/calendar/sync"]
    assert found.find("button") == []
    page = visitor.post(f"/calendar/sync/push-again/{appointment.id}", follow_redirects=True)
    assert "as soon as the sync works" in page.text


def test_nothing_is_looked_for_that_was_never_sent(office: Office, visitor: FlaskClient) -> None:
    appointment = booked(office)
    in_two_way(office)
    page = visitor.post(f"/calendar/sync/look-up/{appointment.id}", follow_redirects=True)
    assert "Nothing of this appointment was sent" in page.text


def test_nobody_looks_up_an_appointment_of_somebody_else(office: Office) -> None:
    in_two_way(office)
    appointment = booked(office)
    assert office.sign_in(office.other).post(f"/calendar/sync/look-up/{appointment.id}").status_code == 404


def test_nobody_pushes_an_appointment_of_somebody_else(office: Office) -> None:
    in_two_way(office)
    appointment = booked(office)
    stranger = office.sign_in(office.other)
    assert stranger.post(f"/calendar/sync/push-again/{appointment.id}").status_code == 404
