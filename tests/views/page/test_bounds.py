"""Dates at the ends of time and numbers beyond any row are an answer like any other, never a crash."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import flask_migrate
import pytest
from flask import Flask
from flask.testing import FlaskClient

from portal.extensions import db
from portal.views.page import bounds
from portal.views.page.bounds import MOST_ROWS
from tests.scratch_practice import NOW, Browser, add_provider, book, in_context, make_app

ENDS = ("0001-01-01", "0001-12-31", "9999-01-01", "9999-12-31")
NUMBERS = ("1000000000", "2147483648", "9223372036854775808", "9" * 20, "9" * 5000)


@pytest.fixture
def visitor(database_url: str, tmp_path: Path) -> Iterator[FlaskClient]:
    is_sqlite = database_url.startswith("sqlite")
    app = make_app(tmp_path) if is_sqlite else make_app(tmp_path, DATABASE_URL=database_url)
    app.config["PROPAGATE_EXCEPTIONS"] = False
    with in_context(app):
        if not is_sqlite:
            flask_migrate.upgrade()
        provider = add_provider()
        provider.is_owner = True
        book(provider, title="Team", start=NOW + dt.timedelta(days=400))
    yield Browser(app.test_client()).sign_in("wren.hale@example.com").client
    with app.app_context():
        db.engine.dispose()


def addresses_with_numbers(app: Flask) -> list[tuple[str, str, str]]:
    """Method, address with a gap, and the endpoint; of every rule that names a row."""
    found = []
    for rule in app.url_map.iter_rules():
        gaps = [name for name in rule.arguments if type(rule._converters[name]) is bounds.RowId]
        if gaps:
            address = rule.rule
            for name in gaps:
                address = address.replace(f"<int:{name}>", "{}")
            found += [
                (method, address, rule.endpoint) for method in (rule.methods or set()) & {"GET", "POST"}
            ]
    return found


def test_a_number_beyond_any_row_leads_nowhere(visitor: FlaskClient) -> None:
    app = visitor.application
    addresses = addresses_with_numbers(app)
    assert len(addresses) > 20
    for method, address, endpoint in addresses:
        assert visitor.open(address.format(MOST_ROWS), method=method).status_code < 500, endpoint
        for number in ("1000000000", "9" * 20):
            assert visitor.open(address.format(number), method=method).status_code == 404, endpoint


@pytest.mark.parametrize("number", ["-1", *NUMBERS])
def test_a_number_beyond_any_row_in_a_form_is_refused(visitor: FlaskClient, number: str) -> None:
    event = {"kind": "other", "title": "Team", "date": "2027-03-03", "start_time": "10:00", "duration": "50"}
    sent = {
        "/appointments/form": {"appointment": number},
        "/appointments/overlaps": {**event, "appointment": number},
        "/appointments/1": {**event, "revision": number},
        "/appointments": {**event, "duration": number, "client": number, "type": number},
        "/calendar/locations-and-types/types": {"type": "Intake", "minutes": number},
        "/clients/numbering": {"next_id": number},
        "/calendar/sync/calendars": {"calendar": number},
        "/settings/profile": {"name": "Dr. Wren Hale", "draft": number},
        "/calendar/sync/turn-off": {"own": number},
    }
    for address, form in sent.items():
        assert visitor.post(address, data=form).status_code < 500, address
    for query in (f"provider={number}", f"place={number}"):
        assert visitor.get(f"/calendar?{query}").status_code == 200
    assert visitor.get(f"/calendar/sync/doctor?calendar={number}").status_code in (200, 404)


@pytest.mark.parametrize("date", ENDS)
def test_a_date_at_the_ends_of_time_is_not_found_or_refused(visitor: FlaskClient, date: str) -> None:
    compact = date.replace("-", "")
    for address in (
        *(f"/appointments/new?date={date}", f"/appointments/quick?date={date}&time=23:59"),
        f"/calendar/export?date={date}",
        f"/calendar/sync/doctor?day={date}",
        *(f"/calendar/google/1?on={compact}", f"/calendar/google/1?on={compact}T235959Z"),
    ):
        assert visitor.get(address).status_code == 404, address
    event = {"kind": "other", "title": "Team", "date": date, "start_time": "23:59", "duration": "1440"}
    whole = {**event, "all_day": "1"}
    for address, form in (
        ("/appointments", event),
        ("/appointments", whole),
        ("/appointments", {**whole, "date": "2027-03-03", "last_day": date}),
        ("/appointments/1", {**event, "revision": "1"}),
        ("/appointments/1/move", {"date": date, "revision": "1"}),
        ("/appointments/1/move", {"date": date, "revision": "1", "careful": "1"}),
        ("/calendar/export", {"first": date, "last": date}),
        ("/calendar/export", {"first": "2027-03-03", "last": date}),
    ):
        assert visitor.post(address, data=form).status_code == 422, (address, form)
    series = {**event, "date": "2027-03-03", "repeats": "weekly", "ends": "date", "until": date}
    assert visitor.post("/appointments", data=series).status_code == 422


@pytest.mark.parametrize("date", ENDS)
def test_what_only_looks_shows_a_page(visitor: FlaskClient, date: str) -> None:
    event = {"kind": "other", "date": date, "start_time": "23:59", "duration": "1440", "all_day": "1"}
    for address in ("/appointments/form", "/appointments/overlaps"):
        assert visitor.post(address, data=event).status_code == 200
    assert visitor.get(f"/appointments/1/move?date={date}").status_code == 200
    for view in ("month", "week", "day", "agenda"):
        assert visitor.get(f"/calendar?view={view}&date={date}").status_code == 200


@pytest.mark.parametrize("date", [bounds.EARLIEST, bounds.LATEST])
def test_the_first_and_the_last_day_are_drawn(visitor: FlaskClient, date: dt.date) -> None:
    for view in ("month", "week", "day", "agenda"):
        assert visitor.get(f"/calendar?view={view}&date={date}").status_code == 200
    for address in ("/appointments/new", "/appointments/quick", "/calendar/export"):
        assert visitor.get(f"{address}?date={date}").status_code == 200
    assert visitor.post("/calendar/export", data={"first": date, "last": date}).status_code == 200
