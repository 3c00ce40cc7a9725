"""Search gives one answer on both databases, whatever the case or Unicode form of a text."""

from __future__ import annotations

import datetime as dt
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import flask_migrate
import pytest
from flask.testing import FlaskClient

from portal.extensions import db
from portal.models import Client
from tests.forms import read_page
from tests.scratch_practice import NOW, Browser, add_provider, book, in_context, make_app

NAMES = ("Élodie", "Łucja", "Яна", "Straße", "Zar\u200crin", "100% sure", "Ann_Lee", "Ann Lee")
# What is typed, and which of the names hold it
FOUND = {
    "élodie": {"Élodie"},
    "ÉLODIE": {"Élodie"},
    "łUCJA": {"Łucja"},
    "яНА": {"Яна"},
    "STRASSE": {"Straße"},
    "zarrin": {"Zar\u200crin"},
    "0%": {"100% sure"},
    "N_L": {"Ann_Lee"},
    "ann": {"Ann_Lee", "Ann Lee"},
    "elodie": set(),
}


@pytest.fixture
def visitor(database_url: str, tmp_path: Path) -> Iterator[FlaskClient]:
    """Somebody with a client of each name, one event under each, and one place."""
    is_sqlite = database_url.startswith("sqlite")
    app = make_app(tmp_path) if is_sqlite else make_app(tmp_path, DATABASE_URL=database_url)
    with in_context(app):
        if not is_sqlite:
            flask_migrate.upgrade()
        provider = add_provider()
        for number, name in enumerate(NAMES):
            client = Client(provider_id=provider.id, name=name, internal_id=str(number), created_at=NOW)
            db.session.add(client)
            db.session.flush()
            book(provider, client, start=NOW + dt.timedelta(days=number))
        book(provider, title=unicodedata.normalize("NFD", "Café Ångström"), location="Здание 2")
    yield Browser(app.test_client()).sign_in("wren.hale@example.com").client
    with app.app_context():
        db.engine.dispose()


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_a_client_is_found_by_any_spelling_of_the_name(
    visitor: FlaskClient, form: Literal["NFC", "NFD"]
) -> None:
    """Failure 61."""
    for typed, names in FOUND.items():
        data = {"q": unicodedata.normalize(form, typed)}
        for address in ("/clients/search", "/calendar/search"):
            page = read_page(visitor.post(address, data=data).get_data(as_text=True)).find("main")[0].text
            assert {name for name in NAMES if name in page} == names, (typed, address)


def test_titles_and_places_are_found_as_well(visitor: FlaskClient) -> None:
    for typed in ("CAFÉ", "ångström", "ЗДАНИЕ"):
        page = visitor.post("/calendar/search", data={"q": typed}).get_data(as_text=True)
        assert unicodedata.normalize("NFD", "Café Ångström") in page


def test_of_what_nobody_sees_nothing_is_found(visitor: FlaskClient) -> None:
    page = read_page(visitor.post("/calendar/search", data={"q": "\u200d"}).get_data(as_text=True))
    assert not [element for element in page.everything() if "data-entry" in element]
