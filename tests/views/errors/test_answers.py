"""What a request that cannot be served is answered with."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from portal.words.errors import error

WRONG = [("/nowhere", "GET", 404), ("/appointments/999999", "GET", 404), ("/healthz", "DELETE", 405)]


@pytest.mark.parametrize(("address", "method", "status"), WRONG)
def test_each_says_what_happened_and_leads_back(
    visitor: FlaskClient, address: str, method: str, status: int
) -> None:
    answer = visitor.open(address, method=method)
    heading, advice = error(str(status))
    text = answer.get_data(as_text=True)
    assert answer.status_code == status
    assert heading in text and advice in text
    assert 'href="/calendar"' in text


def test_what_was_asked_for_is_not_repeated(visitor: FlaskClient) -> None:
    """It may be a name that somebody typed into the address."""
    assert "Canary" not in visitor.get("/Canary?name=Canary").get_data(as_text=True)
