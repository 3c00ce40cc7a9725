"""What each answer tells the browser, beside the page itself, and which cookie it sets."""

from __future__ import annotations

from http.cookies import Morsel, SimpleCookie
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.scratch_practice import PASSWORD, add_provider, in_context, make_app

EMAIL = "wren.hale@example.com"
HTTP, HTTPS = "http://127.0.0.1:5000", "https://calendar.example"


def browser_at(address: str, folder: Path) -> FlaskClient:
    app = make_app(folder, PUBLIC_URL=address)
    with in_context(app):
        add_provider(EMAIL)
    browser = app.test_client()
    browser.environ_base["wsgi.url_scheme"] = address.partition(":")[0]
    return browser


def sign_in(browser: FlaskClient, address: str) -> TestResponse:
    return browser.post("/login", data={"email": EMAIL, "password": PASSWORD}, base_url=address)


def cookies(answer: TestResponse) -> list[Morsel[str]]:
    return [morsel for line in answer.headers.getlist("Set-Cookie") for morsel in SimpleCookie(line).values()]


@pytest.mark.parametrize(
    ("address", "name", "secure"), [(HTTP, "session", ""), (HTTPS, "__Host-session", True)]
)
def test_the_one_cookie_is_bound_to_its_host_and_out_of_reach_of_scripts(
    address: str, name: str, secure: object, tmp_path: Path
) -> None:
    """`__Host-` holds only with Secure, Path=/ and no Domain: else the browser drops it."""
    answer = sign_in(browser_at(address, tmp_path), address)
    assert answer.status_code == 303
    (cookie,) = cookies(answer)
    assert cookie.key == name
    assert (cookie["secure"], cookie["httponly"], cookie["samesite"]) == (secure, True, "Lax")
    assert (cookie["path"], cookie["domain"]) == ("/", "")


@pytest.mark.parametrize("address", [HTTP, HTTPS])
def test_a_browser_is_bound_to_https_when_and_only_when_that_is_where_the_portal_is(
    address: str, tmp_path: Path
) -> None:
    browser = browser_at(address, tmp_path)
    for where in ("/login", "/nowhere", "/healthz", "/calendar"):
        headers = browser.get(where, base_url=address).headers
        assert ("Strict-Transport-Security" in headers) is (address == HTTPS)
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin"


def test_no_page_of_a_person_is_kept_and_signing_out_empties_what_was(tmp_path: Path) -> None:
    browser = browser_at(HTTP, tmp_path)
    sign_in(browser, HTTP)
    for where in ("/calendar", "/clients", "/settings", "/calendar/sync", "/nowhere"):
        answer = browser.get(where, base_url=HTTP)
        assert answer.status_code == (404 if where == "/nowhere" else 200)
        assert answer.headers["Cache-Control"] == "no-store", where
    answer = browser.post("/logout", base_url=HTTP)
    assert answer.status_code == 303
    assert set(answer.headers["Clear-Site-Data"].split(", ")) >= {'"cache"', '"storage"'}
    assert browser.get("/calendar", base_url=HTTP).status_code == 303


@pytest.mark.parametrize("method", ["TRACE", "TRACK", "CONNECT", "PROPFIND"])
def test_a_method_that_repeats_a_request_is_not_known(method: str, tmp_path: Path) -> None:
    browser = browser_at(HTTP, tmp_path)
    for where in ("/login", "/healthz", "/webhooks/google"):
        assert browser.open(where, method=method).status_code == 405
