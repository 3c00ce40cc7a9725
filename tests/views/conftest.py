"""A practice with somebody signed in."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from portal.calendar import occurrences
from portal.extensions import db
from tests.office import Office, make_app


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    app = make_app(tmp_path / "portal.db")
    with app.app_context():
        yield Office(app)
        db.session.remove()
        db.engine.dispose()


@pytest.fixture(autouse=True)
def nothing_is_too_old(monkeypatch: pytest.MonkeyPatch) -> None:
    """The week of these tests is always the same, however late they run."""
    monkeypatch.setattr(occurrences, "oldest", lambda now: dt.datetime.min.replace(tzinfo=dt.UTC))


@pytest.fixture
def visitor(office: Office) -> FlaskClient:
    """The owner's, signed in."""
    return office.sign_in()
