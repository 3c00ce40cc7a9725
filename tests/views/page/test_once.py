"""A form sent twice makes one thing, on both databases: the second answer is the first's."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import flask_migrate
import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from portal import jobs
from portal.clock import utcnow
from portal.extensions import db
from portal.feed import addresses
from portal.models import (
    Appointment,
    AppointmentType,
    Client,
    Feed,
    FormKey,
    Location,
    OfficeHours,
    Provider,
    SyncMode,
    UndoStep,
)
from portal.practice import form_keys
from portal.views.page import once
from portal.views.page.signing_in import SAFE_METHODS
from tests.forms import read_page
from tests.scratch_practice import Browser, add_provider, book, in_context, look_up, make_app

AT_ONCE = 10
OFFERS = "/calendar/locations-and-types"
DAY = {"date": "2027-03-03", "start_time": "10:00", "duration": "50"}
EVENT = {"kind": "other", "title": "Team", **DAY}
SERIES = {**EVENT, "repeats": "weekly", "every": "1", "ends": "after", "occurrences": "3"}


@pytest.fixture
def app(database_url: str, tmp_path: Path) -> Iterator[Flask]:
    is_sqlite = database_url.startswith("sqlite")
    app = make_app(tmp_path) if is_sqlite else make_app(tmp_path, DATABASE_URL=database_url)
    with in_context(app):
        if not is_sqlite:
            flask_migrate.upgrade()
        add_provider().is_owner = True
        db.session.commit()
    yield app
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def visitor(app: Flask) -> FlaskClient:
    with in_context(app):
        email = db.session.scalars(sa.select(Provider.email)).one()
    return Browser(app.test_client()).sign_in(email).client


def nothing() -> None:
    """What most forms need before."""


def one_way() -> None:
    provider = db.session.scalars(sa.select(Provider)).one()
    provider.sync_mode = SyncMode.ONE_WAY
    addresses.new_feed(provider, now=utcnow())
    db.session.commit()


def an_appointment() -> None:
    book(db.session.scalars(sa.select(Provider)).one(), start=utcnow() + dt.timedelta(days=1))


@dataclass(frozen=True)
class Form:
    """A form that makes something: where it is sent, what it holds, what it makes of it."""

    endpoint: str
    address: str
    fields: Mapping[str, str]
    makes: type[db.Model]  # type: ignore[name-defined]
    count: int = 1  # rows afterwards
    before: Callable[[], None] = field(default=nothing)


FORMS = [
    Form("appointments.create", "/appointments", EVENT, Appointment),
    Form("appointments.create", "/appointments", SERIES, Appointment, 3),
    Form("clients.create", "/clients", {"name": "Rosa Tellan"}, Client),
    Form("offering.add_location", f"{OFFERS}/locations", {"location": "Room 2"}, Location),
    Form("offering.add_type", f"{OFFERS}/types", {"type": "Intake", "minutes": "80"}, AppointmentType),
    Form(
        "settings.save_office_hours",
        "/settings/office-hours",
        {"opens-0": "09:00", "closes-0": "17:00"},
        OfficeHours,
    ),
    Form("sync.change", "/calendar/sync", {"mode": "one-way", "display": "internal-id"}, Feed),
    Form("sync.new_feed_url", "/calendar/sync/feed-url", {}, Feed, 2, one_way),
    Form("sync.turn_off_now", "/calendar/sync/turn-off", {"to": "one-way"}, Feed),
    Form("appointments.update", "/appointments/1", {**EVENT, "revision": "1"}, UndoStep, 1, an_appointment),
]


def every_form() -> pytest.MarkDecorator:
    return pytest.mark.parametrize("form", FORMS, ids=lambda form: f"{form.endpoint}-{form.count}")


def count(app: Flask, model: type[db.Model]) -> int:  # type: ignore[name-defined]
    with in_context(app):
        return look_up(sa.select(sa.func.count()).select_from(model))


def twin(visitor: FlaskClient) -> FlaskClient:
    """Another connection of the same browser."""
    other = visitor.application.test_client()
    with visitor.session_transaction() as session:
        kept = dict(session)
    with other.session_transaction() as session:
        session.update(kept)
    return other


def send(visitor: FlaskClient, form: Form, key: str = "a key", **changed: str) -> TestResponse:
    return visitor.post(form.address, data={**form.fields, once.FIELD: key, **changed})


@every_form()
def test_ten_equal_posts_at_once_make_one_thing_and_get_one_answer(
    app: Flask, visitor: FlaskClient, form: Form
) -> None:
    with in_context(app):
        form.before()
    browsers = [twin(visitor) for _ in range(AT_ONCE)]
    gate = threading.Barrier(AT_ONCE)

    def press(browser: FlaskClient) -> tuple[int, str]:
        gate.wait(60)
        answer = send(browser, form)
        return answer.status_code, answer.location

    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = set(pool.map(press, browsers))
    assert [status for status, _ in answers] == [303]
    assert count(app, form.makes) == form.count
    assert count(app, FormKey) == 1


def test_pressed_twice_it_leads_to_the_same_place_and_says_the_same(app: Flask, visitor: FlaskClient) -> None:
    form = next(form for form in FORMS if form.endpoint == "clients.create")
    browsers = (visitor, twin(visitor))
    first, second = (send(browser, form) for browser in browsers)
    assert first.location == second.location
    pages = [browser.get(first.location).get_data(as_text=True) for browser in browsers]
    assert ["Added under internal ID" in page for page in pages] == [True, True]
    assert count(app, Client) == 1


def test_the_same_key_with_another_body_makes_another_thing(app: Flask, visitor: FlaskClient) -> None:
    send(visitor, FORMS[0])
    send(visitor, FORMS[0], start_time="11:00")
    assert count(app, Appointment) == 2


def test_a_token_that_was_drawn_anew_is_no_other_body(app: Flask, visitor: FlaskClient) -> None:
    send(visitor, FORMS[0], csrf_token="one")
    send(visitor, FORMS[0], csrf_token="two")
    assert count(app, Appointment) == 1


def test_without_a_key_every_form_is_taken(app: Flask, visitor: FlaskClient) -> None:
    for _ in range(2):
        assert visitor.post("/appointments", data=EVENT).status_code == 303
    assert count(app, Appointment) == 2
    assert count(app, FormKey) == 0


def test_a_key_belongs_to_the_person(app: Flask, visitor: FlaskClient) -> None:
    with in_context(app):
        other = add_provider("sol.ortiz@example.com").email
    send(visitor, FORMS[0])
    send(Browser(app.test_client()).sign_in(other).client, FORMS[0])
    assert count(app, Appointment) == 2


def test_a_refused_form_uses_no_key_up_and_keeps_it_when_it_is_drawn_again(
    app: Flask, visitor: FlaskClient
) -> None:
    refused = send(visitor, FORMS[0], duration="0")
    assert refused.status_code == 422
    assert count(app, FormKey) == 0
    page = read_page(refused.get_data(as_text=True))
    assert [each["value"] for each in page.find("input") if each["name"] == once.FIELD] == ["a key"]
    assert send(visitor, FORMS[0]).status_code == 303
    assert count(app, Appointment) == 1


def test_a_crash_uses_no_key_up(app: Flask, visitor: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(_address: str, _said: str = "") -> None:
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(once, "led_to", crash)
        with pytest.raises(MemoryError):
            send(visitor, FORMS[0])
    assert (count(app, Appointment), count(app, FormKey)) == (0, 0)
    assert send(visitor, FORMS[0]).status_code == 303
    assert count(app, Appointment) == 1


def test_nothing_that_was_typed_stands_beside_the_key(app: Flask, visitor: FlaskClient) -> None:
    send(visitor, FORMS[2])
    with in_context(app):
        row = db.session.scalars(sa.select(FormKey)).one()
        values = [str(getattr(row, column.key)) for column in sa.inspect(FormKey).columns]
    assert not [value for value in values if "Tellan" in value or "a key" in value]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_keys_are_forgotten_after_thirty_days(app: Flask, visitor: FlaskClient) -> None:
    send(visitor, FORMS[0])
    assert (3600, jobs.forget_old_forms) in jobs.SCHEDULE
    for passed, left in ((form_keys.KEPT - dt.timedelta(hours=1), 1), (form_keys.KEPT, 0)):
        with in_context(app):
            jobs.forget_old_forms(utcnow() + passed)
        assert count(app, FormKey) == left
    assert form_keys.KEPT.days == 30


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_every_form_is_drawn_with_a_key_of_its_own(app: Flask, visitor: FlaskClient) -> None:
    with in_context(app):
        one_way()
        an_appointment()
    addresses_drawn = ("/appointments/new", "/appointments/quick", "/appointments/1/edit", "/clients/new")
    drawn = (OFFERS, "/settings", "/calendar/sync", "/calendar/sync/turn-off")
    keys, targets = [], set()
    for address in (*addresses_drawn, *drawn, "/clients/new"):
        for form in read_page(visitor.get(address).get_data(as_text=True)).find("form"):
            found = [each["value"] for each in form.find("input") if each["name"] == once.FIELD]
            keys += found
            targets |= {form["action"]} if found else set()
    assert len(set(keys)) == len(keys)
    assert {form.address for form in FORMS} <= targets


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_every_address_says_whether_it_creates(app: Flask) -> None:
    posted = {rule.endpoint for rule in app.url_map.iter_rules() if set(rule.methods or ()) - SAFE_METHODS}
    assert [endpoint for endpoint in sorted(posted) if not once.says_what_it_makes(app, endpoint)] == []
    assert sorted(once.MAKE_NOTHING - posted) == []
    assert {form.endpoint for form in FORMS} == posted - once.MAKE_NOTHING


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_an_address_that_does_not_say_so_is_noticed(app: Flask) -> None:
    app.add_url_rule("/rooms", "rooms.create", lambda: "", methods=["POST"])
    assert not once.says_what_it_makes(app, "rooms.create")
