"""One form sent ten times at once, over real sockets to real workers, on both databases."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urljoin

import requests

from tests.conftest import StartPortal
from tests.forms import Reader
from tests.processes import PASSWORD

EMAIL = "wren.hale@example.com"
AT_ONCE = 10


def test_one_form_sent_ten_times_at_once_books_once(database_url: str, start_portal: StartPortal) -> None:
    """Failure 55: one appointment, and every answer leads to it."""
    portal = start_portal(database_url, web=False, workers=0)
    portal.add_provider(EMAIL, name="Dr. Wren Hale", password=PASSWORD, owner=True)
    portal.start_web(workers=2)
    person = (
        Reader(portal.url).open("/login").fill("Email", EMAIL).fill("Password", PASSWORD).press("Sign in")
    )
    person.open("/appointments/new?date=2027-03-03&time=10:00").fill("Kind", "Other event").fill(
        "Title", "Team"
    )
    target, values, cookies = person.what_would_be_sent("Save")

    def press(_number: int) -> tuple[int, str]:
        answer = requests.post(
            urljoin(portal.url, target), data=values, cookies=cookies, allow_redirects=False, timeout=120
        )
        return answer.status_code, answer.headers.get("Location", "")

    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = set(pool.map(press, range(AT_ONCE)))
    assert answers == {(303, "/calendar?date=2027-03-03")}
    assert len(person.open("/calendar?view=day&date=2027-03-03").entries("appointment")) == 1
