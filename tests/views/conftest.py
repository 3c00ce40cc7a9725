"""A practice with somebody signed in."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from portal.calendar import occurrences
from tests.office import Office, open_office


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with open_office(tmp_path) as office:
        yield office


@pytest.fixture(autouse=True)
def nothing_is_too_old(monkeypatch: pytest.MonkeyPatch) -> None:
    """The week of these tests is always the same, however late they run."""
    monkeypatch.setattr(occurrences, "oldest", lambda now: dt.datetime.min.replace(tzinfo=dt.UTC))


@pytest.fixture
def visitor(office: Office) -> FlaskClient:
    """The owner's, signed in."""
    return office.sign_in()
