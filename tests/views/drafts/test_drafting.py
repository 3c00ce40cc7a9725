"""What is typed survives the end of a sign-in: for the same person, unreadable at rest, for a while only."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
import time_machine
from flask import g
from flask.testing import FlaskClient

from portal.extensions import db
from portal.models import Client, Draft, Provider
from portal.practice import drafts
from portal.views.drafts import drafting
from portal.views.page import lapsed
from tests.forms import Element, read_page
from tests.office import NOW, PASSWORD, Office, entries, get

TYPED = {
    "kind": "other",
    "title": "Half a thought about Rosa",
    "date": "2026-11-25",
    "start_time": "13:15",
    "duration": "35",
    "location": "Maple Room",
}
HOUR = dt.timedelta(hours=1)


@pytest.fixture
def clock() -> Iterator[time_machine.Coordinates]:
    with time_machine.travel(NOW, tick=False) as clock:
        yield clock


@pytest.fixture
def visitor(clock: time_machine.Coordinates, office: Office) -> FlaskClient:
    return office.sign_in()


def later(clock: time_machine.Coordinates, by: dt.timedelta) -> None:
    """Time goes by; who asks is looked up anew, as in a request of its own."""
    clock.shift(by)
    g.pop("_login_user", None)


def sign_in(visitor: FlaskClient, provider: Provider) -> str:
    """Where the sign-in page leads."""
    answer = visitor.post("/login", data={"email": provider.email, "password": PASSWORD})
    assert answer.status_code == 303
    return answer.location


def fields(page: Element, action: str) -> dict[str, str]:
    (form,) = [each for each in page.find("form") if each["action"] == action]
    return {field["name"]: field["value"] for field in form.find("input") if "name" in field}


def count() -> int:
    db.session.rollback()
    return db.session.scalar(sa.select(sa.func.count(Draft.id))) or 0


def test_a_form_sent_too_late_comes_back_as_typed_and_is_gone_once_saved(
    office: Office, visitor: FlaskClient, clock: time_machine.Coordinates
) -> None:
    later(clock, HOUR)
    late = visitor.post("/appointments", data=TYPED)
    assert (late.status_code, late.location) == (303, "/login?kept=1")
    assert "What you typed is kept" in visitor.get(late.location).text
    form = sign_in(visitor, office.provider)
    page = get(visitor, form)
    assert "You were signed out before this was saved." in page.text
    sent = fields(page, "/appointments")
    assert {name: sent[name] for name in TYPED if name != "kind"} == {
        name: value for name, value in TYPED.items() if name != "kind"
    }
    assert visitor.post("/appointments", data={**TYPED, **sent}).status_code == 303
    assert len(entries(get(visitor, "/calendar?view=week&date=2026-11-25"))) == 1
    assert count() == 0


def test_problems_found_on_saving_do_not_make_it_forget_the_draft(
    office: Office, visitor: FlaskClient, clock: time_machine.Coordinates
) -> None:
    later(clock, HOUR)
    visitor.post("/appointments", data={**TYPED, "title": ""})
    sent = fields(get(visitor, sign_in(visitor, office.provider)), "/appointments")
    answer = visitor.post("/appointments", data={**TYPED, **sent})
    assert answer.status_code == 422
    assert count() == 1
    sent = fields(read_page(answer.text), "/appointments")
    visitor.post("/appointments", data={**TYPED, **sent, "title": "Whole"})
    assert count() == 0


def test_every_other_form_with_much_to_type_comes_back_too(
    office: Office, visitor: FlaskClient, clock: time_machine.Coordinates
) -> None:
    booked = office.book()
    sent = {
        f"/appointments/{booked.id}": ({**TYPED, "kind": "session", "revision": "1"}, "Maple Room"),
        f"/appointments/{booked.id}/move": ({"date": "2026-12-01", "revision": "1"}, "2026-12-01"),
        f"/appointments/{booked.id}/cancel": ({"reason": "Flooded practice"}, "Flooded practice"),
        f"/clients/{office.client.id}": ({"name": "Rosa Tellan-Frey"}, "Rosa Tellan-Frey"),
        "/clients": ({"name": "Somebody New"}, "Somebody New"),
        "/settings/profile": ({"name": "Dr. Wren Hale-Moss"}, "Dr. Wren Hale-Moss"),
        "/settings/office-hours": ({"opens-2": "07:35", "closes-2": "11:05"}, "07:35"),
    }
    later(clock, HOUR)
    for path, (data, _) in sent.items():
        assert visitor.post(path, data=data).location == "/login?kept=1"
    assert sign_in(visitor, office.provider) == "/drafts"
    links = [link["href"] for link in get(visitor, "/drafts").find("a") if "/drafts/" in link["href"]]
    pages = [visitor.get(link).text for link in links]
    assert len(pages) == len(sent)
    for path, (_, typed) in sent.items():
        assert any(f'action="{path}"' in page and typed in page for page in pages), path


def test_saving_one_form_of_a_page_keeps_what_was_typed_into_the_other(
    office: Office, visitor: FlaskClient, clock: time_machine.Coordinates
) -> None:
    later(clock, HOUR)
    visitor.post("/settings/office-hours", data={"opens-2": "07:35", "closes-2": "11:05"})
    page = get(visitor, sign_in(visitor, office.provider))
    visitor.post("/settings/profile", data=fields(page, "/settings/profile"))
    assert count() == 1
    visitor.post("/settings/office-hours", data=fields(page, "/settings/office-hours"))
    assert count() == 0


def test_a_name_that_is_refused_stays_in_its_field(visitor: FlaskClient) -> None:
    answer = visitor.post("/settings/profile", data={"name": "W" * 201})
    assert answer.status_code == 422
    assert "W" * 201 in answer.text


def test_nobody_else_ever_sees_it(
    office: Office, visitor: FlaskClient, clock: time_machine.Coordinates
) -> None:
    later(clock, HOUR)
    visitor.post("/appointments", data=TYPED)
    assert sign_in(visitor, office.other) == "/calendar"
    assert visitor.get("/drafts/1").status_code == 404
    assert "Go on" not in get(visitor, "/drafts").text
    visitor.post("/drafts/1/discard")
    assert count() == 1
    assert sign_in(office.app.test_client(), office.provider) == "/drafts/1"


def test_it_is_unreadable_at_rest_and_in_no_address(
    office: Office, visitor: FlaskClient, clock: time_machine.Coordinates
) -> None:
    later(clock, HOUR)
    answer = visitor.post("/appointments", data=TYPED)
    row = db.session.execute(sa.text("SELECT * FROM draft")).one()
    assert "Half" not in str(row)
    assert "Half" not in answer.location
    assert "Half" in drafts.waiting(office.provider.id, now=NOW + HOUR)[0].fields


def test_it_is_gone_after_three_days(
    office: Office, visitor: FlaskClient, clock: time_machine.Coordinates
) -> None:
    later(clock, HOUR)
    visitor.post("/appointments", data=TYPED)
    later(clock, 3 * 24 * HOUR)
    assert sign_in(visitor, office.provider) == "/calendar"
    assert visitor.get("/drafts/1").status_code == 404
    drafts.forget_old(now=NOW + 73 * HOUR)
    db.session.commit()
    assert count() == 0


@pytest.mark.parametrize("path", ["/appointments/9/archive", "/clients/search", "/privacy", "/nowhere"])
def test_nothing_else_that_is_sent_is_kept(
    visitor: FlaskClient, clock: time_machine.Coordinates, path: str
) -> None:
    later(clock, HOUR)
    visitor.post(path, data={"q": "Rosa"})
    assert count() == 0


def test_after_signing_out_nothing_is_kept(office: Office, visitor: FlaskClient) -> None:
    with visitor.session_transaction() as session:
        token = session["_user_id"]
    visitor.post("/logout")
    with visitor.session_transaction() as session:
        session["_user_id"] = token
    g.pop("_login_user")
    assert visitor.post("/appointments", data=TYPED).location == "/login"
    assert count() == 0


def test_the_page_keeps_what_is_typed_before_the_end_without_prolonging_the_sign_in(
    office: Office, visitor: FlaskClient, clock: time_machine.Coordinates
) -> None:
    later(clock, dt.timedelta(minutes=29))
    background = {"X-Background": "1"}
    data = {**TYPED, "draft_of": "/appointments"}
    for title in ("First words", "More words"):
        answer = visitor.post("/drafts", data={**data, "title": title}, headers=background)
    assert (answer.status_code, answer.text, count()) == (200, "1", 1)
    later(clock, dt.timedelta(minutes=2))
    assert visitor.get("/settings").status_code == 303
    assert "More words" in visitor.get(sign_in(visitor, office.provider)).text


def test_the_page_lets_it_go_when_the_person_stays(office: Office, visitor: FlaskClient) -> None:
    visitor.post("/drafts", data={**TYPED, "draft_of": "/appointments"})
    answer = visitor.post("/drafts/1/discard", headers={"X-Background": "1"})
    assert (answer.status_code, count()) == (204, 0)


def test_too_much_is_not_kept(visitor: FlaskClient) -> None:
    data = {**TYPED, "title": "long" * drafts.MOST_CHARACTERS, "draft_of": "/appointments"}
    assert visitor.post("/drafts", data=data).status_code == 204
    assert count() == 0


def test_a_client_renamed_in_privacy_mode_still_comes_back(
    office: Office, visitor: FlaskClient, clock: time_machine.Coordinates
) -> None:
    client = db.session.scalars(sa.select(Client)).one()
    later(clock, HOUR)
    visitor.post(f"/clients/{client.id}", data={"name": "Rosa Frey"})
    assert 'value="Rosa Frey"' in visitor.get(sign_in(visitor, office.provider)).text


def test_every_form_that_is_kept_can_be_drawn() -> None:
    assert set(drafting.DRAWN) == set(lapsed.FORMS)
