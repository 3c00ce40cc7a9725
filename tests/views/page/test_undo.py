"""The notice that offers to take a change back, as a person without script uses it."""

from __future__ import annotations

import datetime as dt

from flask.testing import FlaskClient

from portal.extensions import db
from tests.forms import Element
from tests.office import Office, entries, get


def undo_forms(page: Element) -> list[Element]:
    return [form for form in page.find("form") if "/undo/" in form["action"]]


def press_undo(visitor: FlaskClient, page: Element) -> str:
    form = undo_forms(page)[0]
    data = {field["name"]: field["value"] for field in form.find("input")}
    answer = visitor.post(form["action"], data=data)
    assert answer.status_code == 303
    return str(answer.headers["Location"])


def test_the_notice_stays_on_every_page_until_it_is_used(office: Office, visitor: FlaskClient) -> None:
    booked = office.book()
    visitor.post(f"/appointments/{booked.id}/no-show")
    for address in (f"/appointments/{booked.id}", "/calendar?view=week&date=2026-11-18", "/clients"):
        page = get(visitor, address)
        assert "Marked as no-show." in page.text
    assert press_undo(visitor, page) == "/clients"
    page = get(visitor, "/calendar?view=week&date=2026-11-18")
    assert entries(page)[0]["data-status"] == "scheduled"
    assert undo_forms(page) == []
    assert "Taken back." in page.text


def test_a_dismissed_notice_does_not_come_back(office: Office, visitor: FlaskClient) -> None:
    booked = office.book()
    visitor.post(f"/appointments/{booked.id}/archive")
    visitor.post("/undo/dismiss", data={"back": "/clients"})
    assert undo_forms(get(visitor, "/clients")) == []


def test_nobody_else_can_take_it_back(office: Office, visitor: FlaskClient) -> None:
    booked = office.book()
    visitor.post(f"/appointments/{booked.id}/archive")
    action = undo_forms(get(visitor, "/clients"))[0]["action"]
    other = office.sign_in(office.other)
    assert undo_forms(get(other, "/clients")) == []
    assert other.post(action).status_code == 404


def test_a_booking_can_be_taken_back(office: Office, visitor: FlaskClient) -> None:
    values = {"kind": "session", "client": str(office.client.id), "date": "2026-11-18", "start_time": "09:00"}
    visitor.post("/appointments", data={**values, "duration": "50"})
    page = get(visitor, "/calendar?view=week&date=2026-11-18")
    assert len(entries(page)) == 1
    assert "Rosa" not in undo_forms(page)[0].text
    press_undo(visitor, page)
    assert entries(get(visitor, "/calendar?view=week&date=2026-11-18")) == []


def test_what_changed_again_is_not_taken_back_and_the_page_says_so(
    office: Office, visitor: FlaskClient
) -> None:
    booked = office.book()
    visitor.post(f"/appointments/{booked.id}/no-show")
    page = get(visitor, "/clients")
    booked.updated_at += dt.timedelta(seconds=1)
    db.session.commit()
    press_undo(visitor, page)
    assert "Nothing was taken back." in get(visitor, "/clients").text


def test_undo_leads_to_no_foreign_address(office: Office, visitor: FlaskClient) -> None:
    for back in ("https://evil.example/", "//evil.example/", "/\\evil.example"):
        answer = visitor.post("/undo/dismiss", data={"back": back})
        assert answer.headers["Location"] == "/calendar"
